import Rules
import Testing

extension LockRuleTests {
  // MARK: Rung 4, a dead owner

  @Test func aDeadOwnersLockIsReapedAfterTheGraceIfItWasSeenAliveLongEnough() {
    let held = sighting(owner: .alive(agent))
    let dead = free(sighting(owner: .gone(recycled: false)))
    #expect(
      play([
        (0, .seen(lock, held)), (10, .ended(agent)), (69, .woke), (70, .woke),
        (70, .seen(lock, dead)),
      ]) == [
        [.follow(agent)], [], [], [.examine(lock)], [.reap(lock, dead, because: .ownerGone)],
      ])
  }

  @Test func aPassingShellIsNoOwnerAndItsLockGoesByAge() {
    let held = sighting(owner: .alive(agent))
    let dead = free(sighting(owner: .gone(recycled: false)))
    #expect(
      play([
        (0, .seen(lock, held)), (9, .ended(agent)), (69, .woke), (1799, .woke), (1800, .woke),
        (1800, .seen(lock, dead)),
      ]) == [
        [.follow(agent)], [], [], [], [.examine(lock)], [.reap(lock, dead, because: .age)],
      ])
  }

  @Test func theTenSecondsCountFromTheWritingNotFromTheFirstSight() {
    let held = sighting(age: 9, owner: .alive(agent))
    #expect(
      play([(0, .seen(lock, held)), (1, .ended(agent)), (60, .woke), (61, .woke)]) == [
        [.follow(agent)], [], [], [.examine(lock)],
      ])
  }

  @Test func anOwnerSeenAliveLateIsProvedEvenIfItsEndWasNotSeen() {
    let held = sighting(age: 10, owner: .alive(agent))
    let dead = sighting(age: 10, owner: .gone(recycled: true))
    #expect(
      play([(0, .seen(lock, held)), (5, .seen(lock, dead)), (64, .woke), (65, .woke)]) == [
        [.follow(agent)], [], [], [.examine(lock)],
      ])
  }

  @Test func theDeathOfAnOwnerThatWasNotSeenAliveProvesNothing() {
    let dead = sighting(age: 30, owner: .gone(recycled: false))
    #expect(
      play([(0, .seen(lock, dead)), (60, .woke), (1769, .woke), (1770, .woke)]) == [
        [], [], [], [.examine(lock)],
      ])
  }

  @Test func aFormatThatNamesItsHolderNeedsNoOtherProofAndTheGraceCountsFromNow() {
    let dead = sighting(age: 5000, owner: .gone(recycled: true), writerIsHolder: true)
    #expect(
      play([
        (0, .seen(lock, dead)), (59, .woke), (60, .woke), (60, .seen(lock, free(dead))),
      ]) == [
        [], [], [.examine(lock)], [.reap(lock, free(dead), because: .ownerGone)],
      ])
  }

  @Test func anOwnerThatCannotBeKnownIsSkipped() {
    let elsewhere = sighting(owner: .unknowable, writerIsHolder: true)
    #expect(
      play([(0, .seen(lock, elsewhere)), (60, .woke), (1800, .woke)]) == [
        [], [], [.examine(lock)],
      ])
  }

  @Test func anOwnerThatIsBackIsAlive() {
    let held = sighting(owner: .alive(agent))
    #expect(
      play([
        (0, .seen(lock, held)), (20, .ended(agent)), (30, .seen(lock, held)), (80, .woke),
      ]) == [[.follow(agent)], [], [.follow(agent)], []])
  }

  @Test func theEndOfAnEarlierOwnerIsNotThatOfTheOneNow() {
    let held = sighting(owner: .alive(agent))
    let other = sighting(owner: .alive(holder))
    #expect(
      play([
        (0, .seen(lock, held)), (20, .seen(lock, other)), (20, .ended(agent)), (100, .woke),
      ]) == [[.follow(agent)], [.follow(holder)], [], []])
  }

  @Test func anEndConcernsEveryLockOfTheProcessAndNoOther() {
    let second = LockID(index: 4)
    let third = LockID(index: 5)
    let mine = sighting(owner: .alive(agent))
    let other = sighting(owner: .alive(holder))
    #expect(
      play([
        (0, .seen(lock, mine)), (0, .seen(second, mine)), (0, .seen(third, other)),
        (20, .ended(agent)), (80, .woke),
      ]) == [
        [.follow(agent)], [], [.follow(holder)], [], [.examine(lock), .examine(second)],
      ])
  }

  @Test func aProcessIsFollowedAnewOnceNoLockWaitedForIt() {
    let held = sighting(owner: .alive(agent))
    #expect(
      play([
        (0, .seen(lock, held)), (1, .absent(lock)), (2, .seen(lock, held)),
        (3, .seen(lock, sighting(modified: 3, owner: .alive(agent)))),
      ]) == [[.follow(agent)], [], [.follow(agent)], []])
  }

  @Test func aGraceThatIsOffLeavesItToAge() {
    let dead = sighting(owner: .gone(recycled: false), writerIsHolder: true)
    #expect(
      play(
        [(0, .seen(lock, dead)), (1799, .woke), (1800, .woke)],
        grace: TimeSpan(nanoseconds: .max)) == [[], [], [.examine(lock)]])
  }
}
