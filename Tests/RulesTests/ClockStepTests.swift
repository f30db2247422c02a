import Rules
import Testing

/// I7: a step of the wall clock, forward or back, also while midwatchd is down, by itself reaps
/// nothing, flags nothing, trips nothing. Here a clock, a disk and the rules, put together as the
/// daemon does.
@Suite struct ClockStepTests {
  static let steps: [Int64] = [
    -1_000_000, -86_400, -3600, -600, -60, -1, 1, 60, 600, 3600, 86_400, 1_000_000,
  ]

  func moment(_ second: Int64, off: Int64) -> Moment {
    Moment(instant: at(second), wall: wall(second + off))
  }

  /// One midwatchd: what it makes of the disk.
  struct Watch {
    var clock: WallClock
    var locks = LockRule(policy: .init())
    var heartbeats: HeartbeatRule
    var breaker = BreakerRule(pipeline: .init())
    var done: [String] = []

    init(at now: Moment, record: WallClock.Record?) {
      clock = WallClock(at: now, record: record)
      heartbeats = HeartbeatRule(startedAt: now.instant)
      heartbeats.setPolicy(.init(isExpected: true), for: Agent(index: 0))
    }

    /// Looks at everything: a lock and a heartbeat of those times, and outputs born at those.
    mutating func rescan(at now: Moment, lock: WallTime, beat: WallTime, births: [WallTime]) {
      clock.note(now)
      var asked: [LockRule.Action] = []
      let sighting = LockSighting(
        identity: .init(device: 1, inode: 1), modified: lock, age: clock.age(of: lock, at: now),
        earlierBoot: clock.isFromEarlierBoot(lock))
      locks.handle(.seen(LockID(index: 0), sighting), at: now.instant, into: &asked)
      locks.handle(.woke, at: now.instant, into: &asked)
      done += asked.map { "lock: \($0)" }

      var marks: [HeartbeatRule.Action] = []
      let age = clock.age(of: beat, at: now)
      heartbeats.handle(
        .beat(Agent(index: 0), written: beat, age: age), at: now.instant, into: &marks)
      heartbeats.handle(.woke, at: now.instant, into: &marks)
      for case .degrade in marks { done.append("degraded") }

      var trips: [BreakerRule.Action] = []
      for (number, birth) in births.enumerated() where clock.birthIsCertain(birth, at: now) {
        breaker.born(
          NameKey(directory: 1, name: UInt64(number)), by: Agent(index: 0),
          at: now.instant - clock.age(of: birth, at: now), now: now.instant, into: &trips)
      }
      done += trips.map { "trip: \($0)" }
    }
  }

  /// A lock of 10 min, a beat of 5 min, and outputs, ten an hour all day: all is well, and would
  /// not be if an hour's were taken for ten minutes'.
  func disk(_ second: Int64, off: Int64) -> (lock: WallTime, beat: WallTime, births: [WallTime]) {
    (
      wall(second + off - 600), wall(second + off - 300),
      (0..<240).map { wall(second + off - 360 * $0) }
    )
  }

  @Test(arguments: steps) func aStepWhileItRunsDoesNothing(step: Int64) {
    let disk = disk(0, off: 0)
    var watch = Watch(at: moment(0, off: 0), record: nil)
    for (second, off) in [(0, 0), (10, step), (20, step), (30, 0), (40, step)] as [(Int64, Int64)] {
      watch.rescan(
        at: moment(second, off: off), lock: disk.lock, beat: disk.beat, births: disk.births)
    }
    #expect(watch.done == [])
  }

  @Test(arguments: steps) func aStepWhileItIsDownDoesNothing(step: Int64) {
    let disk = disk(0, off: 0)
    var record: WallClock.Record?
    for (second, off) in [(0, 0), (10, step), (20, step), (30, 0), (40, step)] as [(Int64, Int64)] {
      let now = moment(second, off: off)
      var watch = Watch(at: now, record: record)
      watch.rescan(at: now, lock: disk.lock, beat: disk.beat, births: disk.births)
      #expect(watch.done == [])
      record = watch.clock.record
    }
  }

  @Test(arguments: steps) func aRebootWithAnotherClockDoesNotMakeAFreshLockOld(step: Int64) {
    let down = Moment(instant: Instant(nanoseconds: 1_000_000_000_000_000), wall: wall(0))
    let boot = Moment(instant: .init(nanoseconds: 0) + .seconds(60), wall: wall(step + 60))
    // All of it written ten seconds after this boot, whatever the clock said then.
    let fresh = wall(step + 10)
    var watch = Watch(at: boot, record: .init(sameBoot: false, moment: down))
    watch.rescan(at: boot, lock: fresh, beat: fresh, births: [fresh])
    #expect(watch.done == [])
  }

  @Test(arguments: 0..<100) func noSeriesOfStepsAndRestartsAgesAnything(seed: UInt64) {
    var dice = Dice(seed: seed)
    var off: Int64 = 0
    var now: Int64 = 0
    var watch = Watch(at: moment(0, off: 0), record: nil)
    // What was written when, truly, and the time that it bears.
    var written: [(true: Int64, bears: WallTime)] = []
    for _ in 0..<60 {
      now += Int64(dice.roll(300))
      if dice.roll(3) == 0 {
        off += [-86_400, -4000, -300, -20, 20, 300, 4000, 86_400][dice.roll(8)]
      }
      let moment = moment(now, off: off)
      if dice.roll(4) == 0 {
        watch = Watch(at: moment, record: watch.clock.record)
      } else {
        watch.clock.note(moment)
      }
      written.append((now, moment.wall))
      for (then, bears) in written {
        insist(watch.clock.age(of: bears, at: moment) <= .seconds(now - then))
        insist(!watch.clock.isFromEarlierBoot(bears))
        if watch.clock.birthIsCertain(bears, at: moment) {
          insist(watch.clock.age(of: bears, at: moment) == .seconds(now - then))
        }
      }
    }
  }

  /// The other side: what is really stale is found whatever the clock does.
  @Test(arguments: steps) func aStepHidesNothingForever(step: Int64) {
    let disk = disk(0, off: 0)
    var watch = Watch(at: moment(0, off: 0), record: nil)
    for second in [0, 10, 1000, 2000, 4000] as [Int64] {
      let off = second < 10 ? 0 : step
      watch.rescan(at: moment(second, off: off), lock: disk.lock, beat: disk.beat, births: [])
    }
    #expect(watch.done.contains("degraded"))
    #expect(watch.done.contains { $0.hasPrefix("lock: ") })
  }
}
