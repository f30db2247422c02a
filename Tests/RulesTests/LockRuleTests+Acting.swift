import Rules
import Testing

extension LockRuleTests {
  // MARK: Looking and acting

  @Test func holdersAreAskedForOnceUntilTheAnswerIsLongOverdue() {
    let stale = sighting(age: 1800)
    var half = stale
    half.lockedBy = LockSighting.Holders.none
    #expect(
      play([
        (0, .seen(lock, stale)), (0, .seen(lock, stale)), (1, .seen(lock, half)), (2, .woke),
        (300, .woke),
      ]) == [[.examine(lock)], [], [], [], [.examine(lock)]])
  }

  @Test func whatTheKernelCannotTellIsKeptReportedOnceAndLookedAtAgain() {
    for (locked, opened) in [
      (LockSighting.Holders.none, LockSighting.Holders.unknown), (.unknown, .none),
      (.unknown, .unknown),
    ] {
      let dark = sighting(age: 1800, lockedBy: locked, openedBy: opened)
      #expect(
        play([
          (0, .seen(lock, dark)), (300, .woke), (300, .seen(lock, dark)), (600, .woke),
        ]) == [
          [.report(lock, dark, because: .age)], [.examine(lock)], [], [.examine(lock)],
        ])
    }
  }

  @Test func aShortStaleAfterMakesTheLooksAsFrequent() {
    let open = sighting(age: 10, openedBy: .some([]))
    #expect(
      play([(0, .seen(lock, open)), (9, .woke), (10, .woke)], staleAfter: .seconds(10)) == [
        [.report(lock, open, because: .open)], [], [.examine(lock)],
      ])
  }

  @Test func aStaleAfterOfNothingDoesNotKeepTheLoopAwake() {
    let open = sighting(openedBy: .some([]))
    var rule = LockRule(policy: .init(staleAfter: .zero, deadOwnerGrace: .zero))
    _ = play([(0, .seen(lock, open))], on: &rule)
    #expect(rule.deadline == at(1))
  }

  @Test(arguments: [
    LockSighting.Unreapable.tooLarge, .notEmpty, .special, .notOurs, .undone,
  ])
  func whatCannotBeReapedIsReportedOnceWhenItWouldHaveBeen(reason: LockSighting.Unreapable) {
    let odd = sighting(unreapable: reason)
    var rule = LockRule(policy: .init())
    #expect(
      play(
        [
          (0, .seen(lock, odd)), (1799, .woke), (1800, .woke), (1800, .seen(lock, free(odd))),
          (9000, .woke), (9000, .seen(lock, free(odd))),
        ], on: &rule) == [
          [], [], [.examine(lock)], [.report(lock, free(odd), because: .age)], [], [],
        ])
    #expect(rule.deadline == nil)
    #expect(rule.judge(lock, at: at(9000))?.verdict == .kept)
  }

  @Test func aSparedLockIsLookedAtAgain() {
    let stale = free(sighting(age: 1800))
    #expect(
      play([
        (0, .seen(lock, stale)), (1, .spared(lock)), (300, .woke), (301, .woke),
        (301, .seen(lock, stale)),
      ]) == [
        [.reap(lock, stale, because: .age)], [], [], [.examine(lock)],
        [.reap(lock, stale, because: .age)],
      ])
  }

  @Test func aSettledLockIsLeftAloneUntilItChanges() {
    let stale = free(sighting(age: 1800, owner: .gone(recycled: false)))
    let next = free(sighting(modified: 60, age: 1800))
    var rule = LockRule(policy: .init())
    #expect(
      play(
        [
          (0, .seen(lock, stale)), (0, .settled(lock)), (10, .seen(lock, stale)), (9000, .woke),
        ], on: &rule) == [[.reap(lock, stale, because: .age)], [], [], []])
    #expect(rule.deadline == nil)
    #expect(rule.judge(lock, at: at(9000))?.verdict == .settled)
    #expect(
      play([(9000, .seen(lock, next))], on: &rule) == [[.reap(lock, next, because: .age)]])
  }

  @Test func aLockThatIsGoneIsForgotten() {
    var rule = LockRule(policy: .init())
    let actions = play(
      [
        (0, .seen(lock, sighting(owner: .alive(agent)))), (1, .absent(lock)), (50, .ended(agent)),
        (9000, .woke), (9000, .spared(lock)), (9000, .settled(lock)),
      ], on: &rule)
    #expect(actions.dropFirst().allSatisfy { $0.isEmpty })
    #expect(rule.deadline == nil && rule.judge(lock, at: at(9000)) == nil)
  }

  @Test func aReloadChangesWhatIsWaitedFor() {
    var rule = LockRule(policy: .init())
    _ = play([(0, .seen(lock, sighting()))], on: &rule)
    #expect(rule.deadline == at(1800))
    rule.policy.staleAfter = .seconds(60)
    #expect(rule.deadline == at(60))
    #expect(play([(60, .woke)], on: &rule) == [[.examine(lock)]])
  }

  @Test func theDeadlineIsTheEarliestAndOnlyWhatIsDueIsLookedAt() {
    var rule = LockRule(policy: .init())
    for index in 0..<50 {
      let age = Int64((index * 37) % 50)
      _ = play([(0, .seen(LockID(index: index), sighting(age: age)))], on: &rule)
    }
    for left in stride(from: Int64(1751), through: 1800, by: 1) {
      #expect(rule.deadline == at(left))
      let actions = play([(left - 1, .woke), (left, .woke)], on: &rule)
      #expect(actions[0].isEmpty && actions[1].count == 1)
    }
  }

  @Test func moreLocksThanItCanKeepTrackOfAreLeftAlone() {
    var rule = LockRule(policy: .init())
    var actions: [LockRule.Action] = []
    for index in 0..<LockRule.capacity + 2 {
      rule.handle(.seen(LockID(index: index), sighting()), at: at(0), into: &actions)
    }
    #expect(rule.refused == 2)
    let beyond = LockID(index: LockRule.capacity)
    #expect(rule.judge(beyond, at: at(0)) == nil)
    rule.handle(.absent(lock), at: at(0), into: &actions)
    rule.handle(.seen(beyond, sighting()), at: at(0), into: &actions)
    #expect(rule.refused == 2 && rule.judge(beyond, at: at(0)) != nil && actions.isEmpty)
  }

  @Test func whyTellsTheRungAndTheMoment() {
    var rule = LockRule(policy: .init())
    _ = play([(0, .seen(lock, sighting()))], on: &rule)
    #expect(
      rule.judge(lock, at: at(10))
        == .init(rung: .age, verdict: .waiting, due: at(1800), age: .seconds(10)))
    #expect(rule.judge(lock, at: at(1800))?.verdict == .due)
    let dead = sighting(modified: 1, owner: .gone(recycled: false), writerIsHolder: true)
    _ = play([(20, .seen(lock, dead))], on: &rule)
    #expect(
      rule.judge(lock, at: at(30))
        == .init(rung: .ownerGone, verdict: .waiting, due: at(80), age: .seconds(10)))
    #expect(rule.judge(LockID(index: 99), at: at(30)) == nil)
  }

  @Test func noTimeMakesItTrap() {
    for staleAfter in extremes {
      for age in extremes {
        for now in extremes {
          var rule = LockRule(
            policy: .init(
              staleAfter: TimeSpan(nanoseconds: staleAfter),
              deadOwnerGrace: TimeSpan(nanoseconds: staleAfter)))
          var odd = free(sighting(owner: .gone(recycled: true), writerIsHolder: true))
          odd.age = TimeSpan(nanoseconds: age)
          var actions: [LockRule.Action] = []
          let id = LockID(index: Int(truncatingIfNeeded: now))
          for observation: LockRule.Observation in [
            .seen(id, odd), .woke, .spared(id), .ended(agent), .woke, .settled(id), .absent(id),
          ] {
            rule.handle(observation, at: Instant(nanoseconds: now), into: &actions)
            _ = rule.judge(id, at: Instant(nanoseconds: now))
            insist(rule.deadline?.nanoseconds != .max)
          }
        }
      }
    }
  }
}
