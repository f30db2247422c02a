import Rules
import Testing

/// Random agents and the rule, played against each other in a small world that knows the truth.
@Suite struct LockYearTests {
  /// What a lock file is, and who really holds it.
  struct Lock {
    var identity: FileIdentity
    /// When it was written: on the story's clock, and what the file says.
    var written: Int64
    var modified: WallTime
    var owner: ProcessIdentity?
    var isFormat: Bool
    var isUnreapable: Bool
    /// Since when nothing has touched it.
    var quietSince: Int64
    /// When the owner that it names died.
    var diedAt: Int64?
  }

  struct World {
    var dice: Dice
    var now: Int64 = 0
    /// Of the wall clock, in seconds: it is set at random.
    var off: Int64 = 0
    var clock = WallClock(at: Moment(instant: at(0), wall: wall(0)), record: nil)
    var locks: [Int: Lock] = [:]
    var alive: Set<ProcessIdentity> = []
    /// Who has it locked or open, beside whoever its content names.
    var openBy: [FileIdentity: ProcessIdentity] = [:]
    var lockedBy: [FileIdentity: ProcessIdentity] = [:]
    var followed: Set<ProcessIdentity> = []
    var nextPid: Int32 = 100
    var nextInode: UInt64 = 1

    init(seed: UInt64) { dice = Dice(seed: seed) }

    var moment: Moment { Moment(instant: at(now), wall: wall(now + off)) }

    mutating func spawn() -> ProcessIdentity {
      nextPid += 1
      // Numbers are taken over; the moments of starting are not.
      let process = ProcessIdentity(
        pid: nextPid % 7, startTicks: UInt64(now) * 100 + UInt64(nextPid))
      alive.insert(process)
      return process
    }

    func sighting(_ index: Int, examined: Bool) -> LockSighting? {
      guard let lock = locks[index] else { return nil }
      func holders(_ by: [FileIdentity: ProcessIdentity]) -> LockSighting.Holders {
        by[lock.identity].map { .some([$0]) } ?? .none
      }
      return LockSighting(
        identity: lock.identity, modified: lock.modified,
        age: clock.age(of: lock.modified, at: moment),
        owner: lock.owner.map { alive.contains($0) ? .alive($0) : .gone(recycled: false) }
          ?? .unnamed,
        writerIsHolder: lock.isFormat, unreapable: lock.isUnreapable ? .tooLarge : nil,
        lockedBy: examined ? holders(lockedBy) : nil, openedBy: examined ? holders(openBy) : nil)
    }

    /// Somebody does something. Returns what a sensor would see of it.
    mutating func live() -> [LockRule.Observation] {
      let index = dice.roll(8)
      let id = LockID(index: index)
      switch dice.roll(12) {
      case 0, 1:
        // Taken by O_EXCL, or replaced.
        nextInode += 1
        let owner = dice.roll(3) > 0 ? spawn() : nil
        let lock = Lock(
          identity: FileIdentity(device: 1, inode: nextInode), written: now, modified: moment.wall,
          owner: owner, isFormat: dice.roll(2) == 0, isUnreapable: dice.roll(10) == 0,
          quietSince: now)
        locks[index] = lock
        if dice.roll(3) == 0 { lockedBy[lock.identity] = owner ?? spawn() }
        if dice.roll(3) == 0 { openBy[lock.identity] = spawn() }
        return [.seen(id, sighting(index, examined: false)!)]
      case 2:
        guard locks.removeValue(forKey: index) != nil else { return [] }
        return [.absent(id)]
      case 3, 4:
        guard locks[index] != nil else { return [] }
        if dice.roll(2) == 0 {
          locks[index]!.modified = moment.wall
          locks[index]!.written = now
          locks[index]!.quietSince = now
        }
        return [.seen(id, sighting(index, examined: false)!)]
      case 5, 6, 7:
        guard
          let dead = alive.sorted(by: { $0.startTicks < $1.startTicks }).dropFirst(
            dice.roll(alive.count + 1)
          ).first
        else { return [] }
        alive.remove(dead)
        for (identity, process) in openBy where process == dead {
          openBy[identity] = nil
          touch(identity)
        }
        for (identity, process) in lockedBy where process == dead {
          lockedBy[identity] = nil
          touch(identity)
        }
        for (index, lock) in locks where lock.owner == dead {
          locks[index]!.quietSince = now
          locks[index]!.diedAt = now
        }
        return followed.remove(dead) != nil ? [.ended(dead)] : []
      case 8:
        guard dice.roll(3) == 0 else { return [] }
        off += Int64(dice.roll(200_000)) - 100_000
        clock.note(moment)
        // What a rescan does after a step.
        return locks.keys.sorted().map { .seen(LockID(index: $0), sighting($0, examined: false)!) }
      default: return []
      }
    }

    mutating func touch(_ identity: FileIdentity) {
      for (index, lock) in locks where lock.identity == identity { locks[index]!.quietSince = now }
    }
  }

  @Test(arguments: 0..<40) func neverReapedWhileHeldAlwaysReapedWhenStale(seed: UInt64) {
    var world = World(seed: seed)
    let staleAfter = Int64(100 + world.dice.roll(2000))
    let grace = Int64(5 + world.dice.roll(100))
    let pace = min(staleAfter, 300)
    var rule = LockRule(
      policy: .init(staleAfter: .seconds(staleAfter), deadOwnerGrace: .seconds(grace)))
    var reaped = 0
    var reapedForDeath = 0
    var kept = 0

    // 4,000 events, each up to an hour after the one before: some nineteen days of a busy box, and
    // with all seeds two years.
    for _ in 0..<4000 {
      let until = world.now + Int64(world.dice.roll(world.dice.roll(5) == 0 ? 3600 : 120))
      while let deadline = rule.deadline, deadline <= at(until) {
        world.now = max(world.now, (deadline - at(0)).seconds)
        play([.woke], &rule, &world)
      }
      world.now = until
      play(world.live(), &rule, &world)
      for (_, lock) in world.locks where !lock.isUnreapable {
        let isHeld =
          world.lockedBy[lock.identity] != nil || world.openBy[lock.identity] != nil
          || lock.owner.map { world.alive.contains($0) } == true
        if isHeld {
          kept += 1
        } else {
          insist(world.now <= max(lock.written + staleAfter, lock.quietSince + pace) + 1)
        }
      }
    }
    #expect(reaped > 20 && reapedForDeath > 5 && kept > 20)

    func play(_ observations: [LockRule.Observation], _ rule: inout LockRule, _ world: inout World) {
      var open = observations
      while !open.isEmpty {
        var actions: [LockRule.Action] = []
        rule.handle(open.removeFirst(), at: at(world.now), into: &actions)
        for action in actions {
          switch action {
          case .examine(let id):
            open.append(
              world.sighting(id.index, examined: true).map { .seen(id, $0) } ?? .absent(id))
          case .follow(let process):
            if world.alive.contains(process) {
              world.followed.insert(process)
            } else {
              open.append(.ended(process))
            }
          case .report: break
          case .reap(let id, let judged, let rung):
            guard let lock = world.locks[id.index], lock.identity == judged.identity else {
              Issue.record("reaped what is not there")
              continue
            }
            insist(lock.modified == judged.modified && !lock.isUnreapable)
            insist(world.lockedBy[lock.identity] == nil && world.openBy[lock.identity] == nil)
            insist(!(lock.owner.map { world.alive.contains($0) } ?? false))
            switch rung {
            case .age: insist(world.now >= lock.written + staleAfter)
            case .ownerGone:
              let diedAt = lock.diedAt ?? .max
              insist(diedAt != .max && world.now >= diedAt + grace)
              // Its format, or ten seconds of life after the writing, proves the holder.
              insist(lock.isFormat || diedAt - lock.written >= 10)
              reapedForDeath += 1
            default: Issue.record("no such rung here: \(rung)")
            }
            reaped += 1
            if world.dice.roll(5) == 0 {
              open.append(.spared(id))
              world.locks[id.index]!.quietSince = world.now
            } else {
              world.locks[id.index] = nil
              open.append(.absent(id))
            }
          }
        }
      }
    }
  }
}
