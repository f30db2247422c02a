import Rules
import Testing

extension LeakRuleTests {
  /// A driver that lives and never closes a page: each of `pages` is a second younger than the one before, and
  /// Chromium's spare one a second younger than the last.
  func webFetch(pages: Int32, policy: (inout LeakRule.Policy) -> Void = { _ in }) -> LeakStory {
    var story = LeakStory(policy: policy)
    story.machine.start(300)
    story.machine.browser(400, under: 300)
    story.machine.tree(400, pages: 0)
    for page in 0...pages {
      story.machine.now = Int64(page)
      story.machine.part(410 + page, .renderer, under: 404)
    }
    story.connect(300, to: 400, by: .port)
    return story
  }

  func settle(_ pid: Int32, in story: inout LeakStory, at second: Int64) {
    let identity = story.machine.identity(pid)
    story.machine.kill(pid)
    var actions: [LeakRule.Action] = []
    story.rule.handle(.settled(identity), at: at(second), into: &actions)
  }

  @Test func abandonedPagesGoOneByOneTheOldestFirstAndNeverTheLast() {
    var story = webFetch(pages: 4)
    #expect(story.look(from: 0, to: 2400) == [])
    story.rule.isImpatient = true
    for page: Int32 in [410, 411, 412] {
      let second = 2430 + 60 * Int64(page - 410)
      #expect(story.look(second) == [Deed(second: second, kind: .abandoned, root: page)])
      // Until it is known what that gave back.
      #expect(story.look(second + 30) == [])
      settle(page, in: &story, at: second + 31)
    }
    #expect(story.look(from: 2640, to: 9000) == [])
    for page: Int32 in [413, 414] { #expect(story.verdict(on: page) == .kept(.lastPage)) }
    #expect(story.verdict(on: 408) == .kept(.browserLives(400)))
  }

  @Test func theBrowsersOwnPageIsNotOneOfThoseThatMayStay() {
    var story = webFetch(pages: 1)
    story.rule.isImpatient = true
    story.machine.now = 20
    story.machine.part(420, .renderer, under: 404, ownPage: true)
    #expect(story.look(from: 30, to: 3600) == [])
    #expect(story.verdict(on: 410) == .kept(.lastPage))
  }

  @Test func theNextOneWaitsUntilTheLastOneIsSettledNotOnlyGone() {
    var story = webFetch(pages: 4)
    _ = story.look(from: 0, to: 2400)
    story.rule.isImpatient = true
    #expect(story.look(2430).map(\.root) == [410])
    let first = story.machine.identity(410)
    story.machine.kill(410)
    // What it gave back has not been measured yet, and a browser's start stirs.
    #expect(story.look(2432) == [])
    #expect(story.rule.nextPass == at(2462))
    var actions: [LeakRule.Action] = []
    story.rule.handle(.settled(first), at: at(2433), into: &actions)
    #expect(story.look(2434).map(\.root) == [411])
  }

  @Test func onePageThatDoesNotEndOrIsOnlyObservedDoesNotKeepTheOthers() {
    var story = webFetch(pages: 4)
    _ = story.look(from: 0, to: 2400)
    story.rule.isImpatient = true
    for (second, page) in zip(stride(from: Int64(2430), to: 2520, by: 30), [410, 411, 412] as [Int32]) {
      #expect(story.look(second).map(\.root) == [page])
      var actions: [LeakRule.Action] = []
      story.rule.handle(.left(story.machine.identity(page)), at: at(second + 4), into: &actions)
    }
    // Once each.
    #expect(story.look(from: 2520, to: 9000) == [])
  }

  @Test func pagesWaitForWhateverElseGoes() {
    var story = webFetch(pages: 4)
    _ = story.look(from: 0, to: 2370)
    // Another browser, whose driver is dead.
    story.machine.start(500)
    story.machine.browser(600, under: 500)
    story.machine.tree(600, pages: 0)
    story.machine.kill(500)
    _ = story.look(2400)
    story.rule.isImpatient = true
    #expect(story.look(2430).map(\.root) == [600])
    // It takes seconds to end, and what it gives back may be enough.
    var lingering = story
    let leak = story.machine.identity(600)
    for pid: Int32 in 600...608 { story.machine.kill(pid) }
    #expect(story.look(2432) == [])
    var actions: [LeakRule.Action] = []
    story.rule.handle(.settled(leak), at: at(2433), into: &actions)
    #expect(story.look(2434).map(\.root) == [410])
    // What does not end gives nothing back.
    lingering.rule.handle(.left(leak), at: at(2434), into: &actions)
    #expect(lingering.look(2436).map(\.root) == [410])
  }

  @Test func theyStayWhenMemoryIsBack() {
    var story = webFetch(pages: 4)
    _ = story.look(from: 0, to: 2400)
    story.rule.isImpatient = true
    #expect(story.look(2430).map(\.root) == [410])
    settle(410, in: &story, at: 2431)
    story.rule.isImpatient = false
    #expect(story.look(from: 2460, to: 9000) == [])
  }

  @Test func killTakesThemAtAnyTimeReportTellsAndOffDoesNotLook() {
    var kill = webFetch(pages: 3) { $0.abandoned = .kill }
    #expect(kill.look(from: 0, to: 3600) == [Deed(second: 1920, kind: .abandoned, root: 410)])
    var report = webFetch(pages: 3) { $0.abandoned = .report }
    #expect(
      report.look(from: 0, to: 3600) == [
        Deed(second: 1920, isReport: true, kind: .abandoned, root: 410),
        Deed(second: 1950, isReport: true, kind: .abandoned, root: 411),
      ])
    var off = webFetch(pages: 3) { $0.abandoned = .off }
    off.rule.isImpatient = true
    #expect(off.look(from: 0, to: 3600) == [])
    #expect(off.verdict(on: 410) == .kept(.browserLives(400)))
  }

  @Test func aPageMustBeOldAndHaveRested() {
    var story = webFetch(pages: 3)
    story.rule.isImpatient = true
    #expect(story.look(from: 0, to: 1770) == [])
    #expect(story.verdict(on: 410) == .kept(.tooYoung))
    // Old, and not yet known for long.
    story.rule = LeakRule(policy: story.rule.policy)
    story.rule.isImpatient = true
    #expect(story.look(from: 1800, to: 2370) == [])
    #expect(story.verdict(on: 410) == .kept(.notRestingYet))
    #expect(story.look(from: 2400, to: 2430).map(\.root) == [410])
  }

  @Test func anIdlePagesTimersDoNotCountAndWorkDoes() {
    var story = webFetch(pages: 3)
    story.rule.isImpatient = true
    var deeds: [Deed] = []
    for second in stride(from: Int64(0), through: 2400, by: 30) {
      // One tick in 10 s, and on the second page a little more than an idle one uses.
      story.machine.change(410) { $0.cpu = .milliseconds(second) }
      story.machine.change(411) { $0.cpu = .milliseconds(4 * second) }
      deeds += story.look(second)
    }
    #expect(deeds == [Deed(second: 1830, kind: .abandoned, root: 410)])
    #expect(story.verdict(on: 411) == .kept(.notRestingYet))
  }

  @Test func aLongRestDoesNotMakeUpForASecondsWork() {
    var story = webFetch(pages: 3)
    #expect(story.look(from: 0, to: 2400) == [])
    // Its driver takes it up again.
    story.machine.change(410) { $0.cpu = .seconds(1) }
    story.rule.isImpatient = true
    #expect(story.look(from: 2430, to: 2460).map(\.root) == [411])
    #expect(story.verdict(on: 410) == .kept(.notRestingYet))
  }

  @Test func aPausedJobsPagesDoNotRest() {
    for paused: Int32 in [410, 400, 300] {
      var story = webFetch(pages: 3)
      story.rule.isImpatient = true
      story.machine.change(paused) { $0.state = .stopped }
      #expect(!story.look(from: 0, to: 2400).contains { $0.root == 410 })
      #expect(story.verdict(on: 410) == .kept(.notRestingYet))
      // Nor did they while they were paused.
      story.machine.change(paused) { $0.state = .running }
      #expect(!story.look(from: 2430, to: 2970).contains { $0.root == 410 })
      #expect(story.look(from: 3000, to: 3600).isEmpty == (paused == 410))
    }
  }

  @Test func norDoManySmallOnes() {
    var story = webFetch(pages: 3)
    story.rule.isImpatient = true
    // Little between two looks that follow each other closely, and 1 % all the time.
    for second in stride(from: Int64(1600), through: 2400, by: 2) {
      for page: Int32 in [410, 411] { story.machine.change(page) { $0.cpu = .milliseconds(10 * second) } }
      #expect(story.look(second) == [])
    }
  }

  @Test func whatProtectsABrowserProtectsItsPages() {
    for (evidence, reason) in [
      (LeakEvidence(isInOurNamespace: false), LeakRule.Reason.container), (LeakEvidence(allowedBy: "web"), .allowed("web")),
      (LeakEvidence(serviceMain: 400), .service(400)),
    ] {
      var story = webFetch(pages: 3)
      story.rule.isImpatient = true
      story.answers[400] = evidence
      #expect(story.look(from: 0, to: 3600) == [])
      #expect(story.verdict(on: 410) == .kept(reason))
      // The same for one whose driver is not its parent.
      story.machine.kill(300)
      #expect(story.look(from: 3630, to: 7200) == [])
      #expect(story.verdict(on: 410) == .kept(.browserLives(400)))
    }
  }

  @Test func pagesOfABrowserThatCannotBeReadStay() {
    var story = webFetch(pages: 3)
    story.rule.isImpatient = true
    story.unreadable = [400]
    #expect(story.look(from: 0, to: 3600) == [])
    story.unreadable = []
    story.machine.change(400) { $0.parent = 0 }
    #expect(story.look(from: 3630, to: 7200) == [])
  }

  @Test func pagesOfAPersonOrOfAnotherUserStay() {
    for change: (inout BrowserProcess) -> Void in [{ $0.isAutomated = false }, { $0.user = 0 }] {
      var story = webFetch(pages: 3)
      story.rule.isImpatient = true
      story.machine.details(400, change)
      #expect(story.look(from: 0, to: 3600) == [])
      #expect(story.verdict(on: 410) == .kept(.browserLives(400)))
    }
  }

  @Test func pagesOfABrowserWithoutAParentGoWhileSomebodyIsConnectedToIt() {
    var story = webFetch(pages: 3)
    story.rule.isImpatient = true
    story.machine.change(400) { $0.parent = 1 }
    #expect(story.look(from: 0, to: 1830).map(\.root) == [410])
    var remote = webFetch(pages: 3)
    remote.rule.isImpatient = true
    remote.machine.change(400) { $0.parent = 1 }
    remote.answers[400] = LeakEvidence(hasUnknownPeer: true)
    #expect(remote.look(from: 0, to: 1830).map(\.root) == [410])
  }

  @Test func aLeakedBrowsersPagesGoWithItAndNotByThemselves() {
    var story = webFetch(pages: 3)
    _ = story.look(from: 0, to: 2400)
    story.machine.kill(300)
    story.answers = [:]
    story.rule.isImpatient = true
    #expect(story.look(from: 2430, to: 3000).map(\.kind) == [.orphanBrowser])
    #expect(story.verdict(on: 410) == .kept(.browserLives(400)))
  }

  @Test func pagesComeAfterWholeLeaks() {
    var story = webFetch(pages: 3)
    _ = story.look(from: 0, to: 2400)
    story.machine.now = 2400
    for pid: Int32 in [600, 610, 620] { story.machine.browser(pid) }
    _ = story.look(2430)
    story.rule.isImpatient = true
    #expect(story.look(2460).map(\.root) == [600, 610, 620])
    for pid: Int32 in [600, 610, 620] { settle(pid, in: &story, at: 2462) }
    #expect(story.look(2490).map(\.root) == [410])
  }
}
