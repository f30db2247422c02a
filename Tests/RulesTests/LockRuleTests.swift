import Rules
import Testing

@Suite struct LockRuleTests {
  static let lock = LockID(index: 3)
  static let agent = ProcessIdentity(pid: 42, startTicks: 1000)
  static let holder = ProcessIdentity(pid: 77, startTicks: 2000)
  let lock = Self.lock
  let agent = Self.agent
  let holder = Self.holder

  typealias Sighting = LockSighting

  /// A lock as the cheap look finds it: a file that bears the time `modified`.
  func sighting(
    inode: UInt64 = 7, modified: Int64 = 0, age: Int64 = 0, ignored: Bool = false,
    owner: Sighting.Owner = .unnamed, writerIsHolder: Bool = false, earlierBoot: Bool = false,
    unreapable: Sighting.Unreapable? = nil, lockedBy: Sighting.Holders? = nil,
    openedBy: Sighting.Holders? = nil
  ) -> LockSighting {
    LockSighting(
      identity: FileIdentity(device: 1, inode: inode), modified: wall(modified), age: .seconds(age),
      ignored: ignored, owner: owner, writerIsHolder: writerIsHolder, earlierBoot: earlierBoot,
      unreapable: unreapable, lockedBy: lockedBy, openedBy: openedBy)
  }

  /// Plays a story to a rule and returns what it asked for, step by step.
  func play(
    _ story: [(Int64, LockRule.Observation)], staleAfter: TimeSpan = .seconds(1800),
    grace: TimeSpan = .seconds(60)
  ) -> [[LockRule.Action]] {
    var rule = LockRule(policy: .init(staleAfter: staleAfter, deadOwnerGrace: grace))
    return play(story, on: &rule)
  }

  func play(
    _ story: [(Int64, LockRule.Observation)], on rule: inout LockRule
  ) -> [[LockRule.Action]] {
    story.map { second, observation in
      var actions: [LockRule.Action] = []
      rule.handle(observation, at: at(second), into: &actions)
      return actions
    }
  }

  func free(_ sighting: LockSighting) -> LockSighting {
    var full = sighting
    full.lockedBy = LockSighting.Holders.none
    full.openedBy = LockSighting.Holders.none
    return full
  }

  // MARK: Rung 1, ignore

  @Test func anIgnoredLockIsNeverTouched() {
    let tombstone = sighting(
      age: 1_000_000, ignored: true, owner: .alive(agent), earlierBoot: true,
      lockedBy: .some([holder]), openedBy: .unknown)
    var rule = LockRule(policy: .init())
    #expect(
      play([(0, .seen(lock, tombstone)), (9999, .woke), (9999, .ended(agent))], on: &rule) == [
        [], [], [],
      ])
    #expect(rule.deadline == nil)
    #expect(rule.judge(lock, at: at(9999))?.rung == .ignored)
  }

  // MARK: Rung 2, the kernel

  @Test func whatTheKernelHoldsIsKeptAndReportedOnceWithItsHolder() {
    let cheap = sighting()
    let held = sighting(lockedBy: .some([holder]), openedBy: .some([holder]))
    #expect(
      play([
        (0, .seen(lock, cheap)), (1799, .woke), (1800, .woke), (1800, .seen(lock, held)),
        (2099, .woke), (2100, .woke), (2100, .seen(lock, held)),
      ]) == [
        [], [], [.examine(lock)], [.follow(holder), .report(lock, held, because: .kernelHeld)],
        [], [.examine(lock)], [],
      ])
  }

  @Test func whatTheKernelHoldsIsLookedAtAgainWhenTheHolderEnds() {
    let held = sighting(age: 1800, lockedBy: .some([holder]), openedBy: .unknown)
    let released = free(held)
    #expect(
      play([
        (0, .seen(lock, held)), (20, .ended(holder)), (20, .seen(lock, released)),
      ]) == [
        [.follow(holder), .report(lock, held, because: .kernelHeld)],
        [.examine(lock)], [.reap(lock, released, because: .age)],
      ])
  }

  @Test func aHolderWithoutANameIsAHolder() {
    let held = sighting(age: 1800, lockedBy: .some([]), openedBy: LockSighting.Holders.none)
    #expect(
      play([(0, .seen(lock, held)), (300, .woke)]) == [
        [.report(lock, held, because: .kernelHeld)], [.examine(lock)],
      ])
  }

  @Test func theKernelComesBeforeALivingOwner() {
    let held = sighting(age: 1800, owner: .alive(agent), lockedBy: .some([holder]))
    #expect(
      play([(0, .seen(lock, held))]) == [
        [.follow(agent), .follow(holder), .report(lock, held, because: .kernelHeld)]
      ])
  }

  @Test func theKernelComesBeforeADeadOwnerAndAnEarlierBoot() {
    let dead = sighting(owner: .gone(recycled: false), writerIsHolder: true, lockedBy: .some([]))
    let old = sighting(earlierBoot: true, lockedBy: .some([]))
    for held in [dead, old] {
      var rule = LockRule(policy: .init())
      let actions = play(
        [(0, .seen(lock, held)), (60, .woke), (60, .seen(lock, held)), (360, .woke)], on: &rule)
      #expect(actions.joined().allSatisfy { $0 == .examine(lock) })
      #expect(rule.judge(lock, at: at(360))?.rung == .kernelHeld)
    }
  }

  // MARK: Rung 3, a living owner

  @Test func aLockWithALivingOwnerIsKeptAndReportedOnce() {
    let held = sighting(owner: .alive(agent))
    var rule = LockRule(policy: .init())
    #expect(
      play(
        [
          (0, .seen(lock, held)), (1799, .woke), (1800, .woke), (1801, .woke),
          (90_000, .seen(lock, held)), (90_000, .woke),
        ], on: &rule) == [
          [.follow(agent)], [], [.report(lock, held, because: .ownerLives)], [], [], [],
        ])
    #expect(rule.deadline == nil)
    let judgement = rule.judge(lock, at: at(90_000))
    #expect(judgement?.rung == .ownerLives && judgement?.verdict == .kept)
    #expect(judgement?.age == .seconds(90_000))
  }
}
