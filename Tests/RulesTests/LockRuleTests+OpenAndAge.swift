import Rules
import Testing

extension LockRuleTests {
  // MARK: Rung 5, open

  @Test func whatIsOpenIsKeptWhicheverRungWouldReapIt() {
    let byAge = sighting(age: 1800, openedBy: .some([holder]))
    let byBoot = sighting(age: 1800, earlierBoot: true, openedBy: .some([holder]))
    let byDeath = sighting(
      age: 1800, owner: .gone(recycled: false), writerIsHolder: true, openedBy: .some([holder]))
    for open in [byAge, byBoot, byDeath] {
      var rule = LockRule(policy: .init())
      let actions = play([(0, .seen(lock, open)), (60, .seen(lock, open))], on: &rule)
      #expect(
        actions.joined().elementsEqual([.follow(holder), .report(lock, open, because: .open)]))
      #expect(rule.judge(lock, at: at(60))?.rung == .open)
      #expect(rule.judge(lock, at: at(60))?.verdict == .kept)
    }
  }

  @Test func whatIsOpenIsReportedWhenItGetsTooOldNotBefore() {
    let dead = sighting(owner: .gone(recycled: false), writerIsHolder: true)
    var open = dead
    open.lockedBy = LockSighting.Holders.none
    open.openedBy = .some([holder])
    let actions = play(
      [(0, .seen(lock, dead)), (60, .woke), (60, .seen(lock, open)), (100, .woke)]
        + [(120, .woke), (120, .seen(lock, open))],
      staleAfter: .seconds(100))
    #expect(
      actions == [
        [], [.examine(lock)], [.follow(holder)], [.examine(lock)], [],
        [
          .report(lock, open, because: .open)
        ],
      ])
  }

  @Test func aCheapLookDoesNotForgetTheHolders() {
    let open = sighting(age: 1800, openedBy: .some([holder]))
    #expect(
      play([
        (0, .seen(lock, open)), (10, .seen(lock, sighting(age: 1810))), (20, .ended(holder)),
      ]) == [
        [.follow(holder), .report(lock, open, because: .open)], [], [.examine(lock)],
      ])
  }

  // MARK: Rung 6, an earlier boot

  @Test func aLockFromAnEarlierBootIsReapedAtOnce() {
    let old = sighting(age: 5, earlierBoot: true)
    #expect(
      play([(0, .seen(lock, old)), (0, .seen(lock, free(old)))]) == [
        [.examine(lock)], [.reap(lock, free(old), because: .earlierBoot)],
      ])
  }

  // MARK: Rung 7, age

  @Test func aLockIsReapedOnceItIsOlderThanStaleAfter() {
    let bare = sighting(age: 600)
    #expect(
      play([
        (0, .seen(lock, bare)), (1199, .woke), (1200, .woke), (1200, .seen(lock, free(bare))),
        (1200, .absent(lock)), (9000, .woke),
      ]) == [[], [], [.examine(lock)], [.reap(lock, free(bare), because: .age)], [], []])
  }

  @Test func aRefreshedOrReplacedLockBeginsAnew() {
    for changed in [sighting(modified: 1000), sighting(inode: 8)] {
      #expect(
        play([
          (0, .seen(lock, sighting())), (1000, .seen(lock, changed)), (1800, .woke),
          (2799, .woke), (2800, .woke),
        ]) == [[], [], [], [], [.examine(lock)]])
    }
  }

  @Test func aRefreshedLockIsReportedAnewAndItsOwnerProvesAnew() {
    let held = sighting(owner: .alive(agent))
    let again = sighting(modified: 1900, owner: .alive(agent))
    #expect(
      play([
        (0, .seen(lock, held)), (1800, .woke), (1900, .seen(lock, again)), (3700, .woke),
      ]) == [
        [.follow(agent)], [.report(lock, held, because: .ownerLives)], [],
        [.report(lock, again, because: .ownerLives)],
      ])
    #expect(
      play([
        (0, .seen(lock, held)), (1900, .seen(lock, again)), (1905, .ended(agent)), (1965, .woke),
      ]).last == [])
  }

  @Test func aLimitThatIsOffNeverComes() {
    var rule = LockRule(
      policy: .init(staleAfter: TimeSpan(nanoseconds: .max), deadOwnerGrace: .seconds(60)))
    let actions = play([(0, .seen(lock, sighting(age: 1_000_000))), (9_000_000, .woke)], on: &rule)
    #expect(actions == [[], []])
    #expect(rule.deadline == nil)
  }
}
