import Rules
import Testing

@Suite struct WallClockTests {
  /// A reading at a second of the story, the wall clock being off by so many seconds.
  func moment(_ second: Int64, off: Int64 = 0) -> Moment {
    Moment(instant: at(second), wall: wall(second + off))
  }

  @Test func aStepIsNoticedOnceForwardAndBack() {
    var clock = WallClock(at: moment(0), record: nil)
    #expect(clock.note(moment(100)) == nil)
    #expect(clock.note(moment(200, off: 3600)) == .seconds(3600))
    #expect(clock.note(moment(300, off: 3600)) == nil)
    #expect(clock.note(moment(400)) == .seconds(-3600))
    #expect(clock.note(moment(500)) == nil)
  }

  @Test func aSecondIsAStepAndLessIsAbsorbed() {
    let second: Int64 = 1_000_000_000
    for (offset, isStep) in [
      (second, true), (second - 1, false), (-second, true), (1 - second, false),
    ] {
      var clock = WallClock(at: moment(0), record: nil)
      let now = Moment(instant: at(10), wall: wall(10) + TimeSpan(nanoseconds: offset))
      #expect(clock.note(now) == (isStep ? TimeSpan(nanoseconds: offset) : nil))
    }
    // Half a second a hundred times is slewing, not a step.
    var clock = WallClock(at: moment(0), record: nil)
    for second in 1...100 as ClosedRange<Int64> {
      let wallTime = wall(second) + .milliseconds(500 * second)
      #expect(clock.note(Moment(instant: at(second), wall: wallTime)) == nil)
    }
  }

  @Test func anAgeIsWhatPassedAndNothingThatWasJumpedOver() {
    var clock = WallClock(at: moment(0), record: nil)
    #expect(clock.age(of: wall(-50), at: moment(10)) == .seconds(60))
    #expect(clock.age(of: wall(99), at: moment(10)) == .zero)
    clock.note(moment(100, off: 86400))
    #expect(clock.age(of: wall(40), at: moment(110, off: 86400)) == .seconds(70))
    // Written since: nothing to correct.
    #expect(clock.age(of: wall(105 + 86400), at: moment(110, off: 86400)) == .seconds(5))
    // Dated ahead by a strange clock, and overtaken by the jump: as old as the jump.
    #expect(clock.age(of: wall(5000), at: moment(110, off: 86400)) == .seconds(10))
  }

  @Test func aStepThatWasNotYetNotedAgesNothingEither() {
    let clock = WallClock(at: moment(0), record: nil)
    #expect(clock.age(of: wall(-10), at: moment(5, off: 86400)) == .seconds(15))
    #expect(clock.age(of: wall(-10), at: moment(5, off: -86400)) == .zero)
  }

  @Test func aMistakeThatIsTakenBackLeavesNothingBehind() {
    var clock = WallClock(at: moment(0), record: nil)
    clock.note(moment(10, off: 86400))
    clock.note(moment(20, off: 86400))
    clock.note(moment(30))
    #expect(clock.age(of: wall(-10), at: moment(100)) == .seconds(110))
    #expect(clock.age(of: wall(50), at: moment(100)) == .seconds(50))
    #expect(clock.birthIsCertain(wall(-10), at: moment(100)))
    #expect(clock.birthIsCertain(wall(50), at: moment(100)))
    // Only what was shown too early is shown twice.
    #expect(!clock.birthIsCertain(wall(86415), at: moment(100)))
    #expect(clock.birthsAreCertain(within: .seconds(69), at: moment(100)))
    #expect(!clock.birthsAreCertain(within: .seconds(71), at: moment(100)))
    clock.note(moment(86500))
    #expect(!clock.birthIsCertain(wall(86415), at: moment(86500)))
    #expect(clock.birthIsCertain(wall(86431), at: moment(86500)))
    #expect(!clock.birthsAreCertain(since: wall(86430)))
    #expect(clock.birthsAreCertain(since: wall(86431)))
  }

  @Test func whatWasLivedTwiceIsNotBelievedUntilTheClockHasCaughtUp() {
    var clock = WallClock(at: moment(0), record: nil)
    clock.note(moment(3600))
    clock.note(moment(3600, off: -3600))
    #expect(!clock.birthsAreCertain(since: wall(-600)))
    clock.note(moment(4200, off: -3600))
    #expect(!clock.birthsAreCertain(since: wall(0)))
    #expect(!clock.birthIsCertain(wall(300), at: moment(4200, off: -3600)))
    clock.note(moment(8000, off: -3600))
    #expect(!clock.birthsAreCertain(since: wall(3600)))
    #expect(clock.birthsAreCertain(since: wall(3601)))
    #expect(clock.birthIsCertain(wall(3601), at: moment(8000, off: -3600)))
    // Before both passes: certain, and an hour older than the wall says.
    #expect(clock.birthIsCertain(wall(-1), at: moment(8000, off: -3600)))
    #expect(clock.age(of: wall(-1), at: moment(8000, off: -3600)) == .seconds(8001))
  }

  @Test func aJumpDoesNotBringUncertainBirthsNear() {
    var clock = WallClock(at: moment(0), record: nil)
    clock.note(moment(3600))
    clock.note(moment(3600, off: -3600))
    clock.note(moment(3900, off: 10))
    let now = moment(4000, off: 10)
    clock.note(now)
    // On the wall 3590 is out of a window of 200 s, and in truth, too; its age does not say so.
    #expect(clock.age(of: wall(3590), at: now) == .seconds(100))
    #expect(!clock.birthIsCertain(wall(3590), at: now))
    #expect(clock.birthsAreCertain(within: .seconds(99), at: now))
    #expect(!clock.birthsAreCertain(within: .seconds(200), at: now))
    #expect(!clock.birthsAreCertain(since: wall(3810)))
  }

  // MARK: While it was down

  @Test func aStepWhileItWasDownIsNoticedAndAgesNothing() {
    let record = WallClock.Record(sameBoot: true, moment: moment(100))
    let forward = WallClock(at: moment(200, off: 7200), record: record)
    #expect(forward.stepWhileDown == .seconds(7200))
    #expect(forward.age(of: wall(50), at: moment(210, off: 7200)) == .seconds(160))
    let back = WallClock(at: moment(200, off: -7200), record: record)
    #expect(back.stepWhileDown == .seconds(-7200))
    #expect(back.age(of: wall(50), at: moment(210, off: -7200)) == .zero)
    #expect(!back.birthsAreCertain(since: wall(-7200)))
    let none = WallClock(at: moment(200), record: record)
    #expect(none.stepWhileDown == nil && none.birthsAreCertain(since: wall(0)))
    #expect(WallClock(at: moment(0), record: nil).stepWhileDown == nil)
  }

  @Test func aRestartKnowsTheStepsOfTheRunBefore() {
    var before = WallClock(at: moment(0), record: nil)
    before.note(moment(100, off: 86400))
    before.note(moment(200, off: 86400 - 50))
    let after = WallClock(at: moment(210, off: 86350), record: before.record)
    #expect(after.stepWhileDown == nil)
    #expect(after.age(of: wall(50), at: moment(220, off: 86350)) == .seconds(170))
    #expect(!after.birthsAreCertain(since: wall(86500)))
    #expect(after.birthIsCertain(wall(50), at: moment(220, off: 86350)))
  }

  @Test func manyStepsAreBoundedAndStillAgeNothing() {
    var clock = WallClock(at: moment(0), record: nil)
    for step in 1...100 as ClosedRange<Int64> { clock.note(moment(step * 10, off: step * 3600)) }
    #expect(clock.record.past.count == WallClock.stretchesKept)
    let now = moment(1000, off: 360_000)
    for second in 0..<1000 as Range<Int64> {
      let off = second / 10 * 3600
      let age = clock.age(of: wall(second + off), at: now)
      #expect(age == min(.seconds(1000 - second), .seconds(320)))
    }
  }

  // MARK: Earlier boots

  /// A reading so many seconds after boot.
  func booted(_ second: Int64, wall wallSecond: Int64) -> Moment {
    Moment(instant: Instant(nanoseconds: 0) + .seconds(second), wall: wall(wallSecond))
  }

  @Test func whatIsNotLaterThanTheLastRecordOfAnotherBootIsFromAnEarlierOne() {
    let record = WallClock.Record(sameBoot: false, moment: booted(9999, wall: 0))
    let clock = WallClock(at: booted(30, wall: 100), record: record)
    #expect(clock.isFromEarlierBoot(wall(0)))
    #expect(!clock.isFromEarlierBoot(wall(1)))
    #expect(clock.stepWhileDown == nil)
  }

  @Test func withoutARecordOrWithOneOfThisBootNothingIsKnownToBe() {
    #expect(!WallClock(at: moment(0), record: nil).isFromEarlierBoot(wall(-1_000_000)))
    let record = WallClock.Record(sameBoot: true, moment: moment(-10))
    #expect(!WallClock(at: moment(0), record: record).isFromEarlierBoot(wall(-1_000_000)))
  }

  @Test func aRestartInTheSameBootStillKnows() {
    let record = WallClock.Record(sameBoot: false, moment: booted(9999, wall: 0))
    let first = WallClock(at: booted(30, wall: 100), record: record)
    let second = WallClock(at: booted(90, wall: 160), record: first.record)
    #expect(second.isFromEarlierBoot(wall(0)) && !second.isFromEarlierBoot(wall(1)))
  }

  @Test func aClockThatComesUpBehindDoesNotMakeFreshFilesOld() {
    let record = WallClock.Record(sameBoot: false, moment: booted(9999, wall: 0))
    let clock = WallClock(at: booted(30, wall: -3600), record: record)
    #expect(clock.stepWhileDown == .seconds(-3630))
    #expect(!clock.isFromEarlierBoot(wall(-3600)))
    #expect(!clock.isFromEarlierBoot(wall(-3629)))
    #expect(clock.isFromEarlierBoot(wall(-3630)))
    #expect(!clock.birthsAreCertain(since: wall(-3610)))
  }

  @Test func aStepBackDoesNotMakeFreshFilesOld() {
    let record = WallClock.Record(sameBoot: false, moment: booted(9999, wall: 0))
    var clock = WallClock(at: booted(30, wall: 100), record: record)
    clock.note(booted(40, wall: -3600))
    #expect(!clock.isFromEarlierBoot(wall(-3600)))
    #expect(!clock.isFromEarlierBoot(wall(-3609)))
    #expect(clock.isFromEarlierBoot(wall(-3610)))
  }

  @Test func noTimeMakesItTrap() {
    for first in extremes {
      for second in extremes {
        for third in extremes {
          let a = Moment(instant: Instant(nanoseconds: first), wall: WallTime(nanoseconds: second))
          let b = Moment(instant: Instant(nanoseconds: third), wall: WallTime(nanoseconds: first))
          let odd = WallClock.Stretch(from: a.wall, to: b.wall)
          for sameBoot in [true, false] {
            let record = WallClock.Record(
              sameBoot: sameBoot, moment: a, past: [odd, odd], since: b.wall,
              earlierBootUntil: a.wall)
            var clock = WallClock(at: b, record: record)
            clock.note(a)
            clock.note(b)
            _ = clock.age(of: a.wall, at: b)
            _ = clock.birthsAreCertain(since: a.wall)
            _ = clock.birthIsCertain(b.wall, at: a)
            _ = clock.birthsAreCertain(within: .init(nanoseconds: first), at: a)
          }
        }
      }
    }
  }
}
