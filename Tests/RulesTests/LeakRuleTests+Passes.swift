import Rules
import Testing

extension LeakRuleTests {
  /// Browsers whose drivers are dead, 10 pids apart, the first one the oldest.
  func orphans(_ count: Int32, policy: (inout LeakRule.Policy) -> Void = { _ in }) -> LeakStory {
    var story = LeakStory(policy: policy)
    for index in 0..<count {
      story.machine.now = Int64(index)
      story.machine.browser(400 + 10 * index)
    }
    return story
  }

  // MARK: Two looks

  @Test func oneLookKillsNobodyHoweverShortMemoryIs() {
    var story = orphans(1) { $0.grace = .zero }
    story.rule.isImpatient = true
    #expect(story.look(1000) == [])
    #expect(story.look(1029) == [])
    #expect(story.look(1030).map(\.root) == [400])
    // Less grace than it takes to be sure is that much.
    var patient = orphans(1) { $0.grace = .zero }
    #expect(patient.look(1000) == [] && patient.look(1029) == [])
    #expect(patient.look(1030).map(\.root) == [400])
  }

  @Test func patienceThatEndsCountsFromTheFirstLook() {
    var story = orphans(1)
    #expect(story.look(1000) == [] && story.look(1030) == [])
    story.rule.isImpatient = true
    #expect(story.look(1032).map(\.root) == [400])
  }

  @Test func aLookThatFindsItInUseStartsTheGraceAnew() {
    var story = orphans(1)
    #expect(story.look(from: 0, to: 90) == [])
    story.machine.start(900)
    story.connect(900, to: 400, by: .port)
    #expect(story.look(110) == [])
    story.answers = [:]
    #expect(story.look(from: 120, to: 900) == [Deed(second: 240, kind: .orphanBrowser, root: 400)])
  }

  @Test func soDoesALookThatCouldNotSee() {
    var story = orphans(1)
    #expect(story.look(from: 0, to: 90) == [])
    story.unreadable = [400]
    #expect(story.look(110) == [])
    story.unreadable = []
    #expect(story.look(from: 120, to: 900) == [Deed(second: 240, kind: .orphanBrowser, root: 400)])
  }

  @Test func aNumberThatWasTakenOverStartsAnew() {
    for isImpatient in [false, true] {
      var story = orphans(1)
      story.rule.isImpatient = isImpatient
      #expect(story.look(0) == [])
      story.machine.kill(400)
      story.machine.now = 10
      story.machine.browser(400)
      #expect(story.look(from: 120, to: 900).map(\.second) == [isImpatient ? 150 : 240])
    }
  }

  @Test func anAnswerThatNobodyAskedForIsNone() {
    var story = orphans(1)
    #expect(story.look(0) == [])
    var actions: [LeakRule.Action] = []
    let identity = story.machine.identity(400)
    story.rule.handle(.examined([identity: LeakEvidence()]), at: at(500), into: &actions)
    #expect(actions == [])
    // Nor is one about somebody else of the same number.
    story.machine.now = 500
    story.rule.handle(.scanned(story.machine.scan), at: at(500), into: &actions)
    #expect(actions == [.examine([identity])])
    let other = ProcessIdentity(pid: 400, startTicks: 1)
    story.rule.handle(.examined([other: LeakEvidence()]), at: at(500), into: &actions)
    #expect(actions == [.examine([identity])])
    #expect(story.outlook(of: 400) == nil)
  }

  @Test func onlyThoseWhoMayBeLeakedAreExamined() {
    var story = selenium()
    #expect(story.pass(0).allSatisfy { if case .follow = $0 { true } else { false } })
    story.machine.kill(300)
    #expect(story.pass(30) == [.examine([350, 400].map(story.machine.identity))])
  }

  @Test func theOutlookTellsSinceWhenAndUntilWhen() {
    var story = orphans(1) { $0.orphanBrowsers = .act }
    #expect(story.rule.outlooks == [])
    _ = story.look(from: 0, to: 30)
    #expect(story.outlook(of: 400)?.since == at(0))
    #expect(story.outlook(of: 400)?.due == nil)
    story.rule.isImpatient = true
    #expect(story.outlook(of: 400)?.due == at(30))
    story.rule.policy.orphanBrowsers = .kill
    story.rule.isImpatient = false
    #expect(story.outlook(of: 400)?.due == at(120))
    story.rule.policy.orphanBrowsers = .off
    #expect(story.outlook(of: 400)?.due == nil)
  }

  @Test func aLeakTellsSinceWhenItWasFoundAndWhoAdoptedIt() {
    var story = orphans(1)
    _ = story.look(from: 0, to: 90)
    var leaks: [LeakRule.Leak] = []
    for case .kill(let leak) in story.pass(125) { leaks.append(leak) }
    #expect(leaks.map(\.found) == [.seconds(125)] && leaks.map(\.tree) == [400] && leaks.map(\.proof.adopter) == [1])
  }

  @Test func whoWasOnlyToldOfGoesUnderOtherSettings() {
    var reported = orphans(1) { $0.orphanBrowsers = .report }
    #expect(reported.look(from: 0, to: 900) == [Deed(second: 120, isReport: true, kind: .orphanBrowser, root: 400)])
    var observed = orphans(1)
    #expect(observed.look(from: 0, to: 120).map(\.root) == [400])
    var actions: [LeakRule.Action] = []
    // Its killing is under way.
    observed.rule.handle(.reloaded, at: at(121), into: &actions)
    #expect(observed.look(from: 150, to: 900) == [])
    observed.rule.handle(.left(observed.machine.identity(400)), at: at(901), into: &actions)
    #expect(observed.look(from: 930, to: 1200) == [])
    reported.rule.handle(.reloaded, at: at(1201), into: &actions)
    #expect(reported.look(from: 1230, to: 1500) == [], "once is enough")
    for var story in [reported, observed] {
      story.rule.policy.orphanBrowsers = .kill
      story.rule.handle(.reloaded, at: at(1501), into: &actions)
      #expect(story.look(from: 1530, to: 1800).map(\.root) == [400])
    }
    #expect(actions == [])
  }

  // MARK: What is to be done

  @Test func atMostThreeTreesGoInOnePassTheOldestFirst() {
    var story = orphans(8)
    #expect(story.look(from: 100, to: 190) == [])
    #expect(story.look(220).map(\.root) == [400, 410, 420])
    #expect(story.rule.nextPass == at(250))
    #expect(story.look(250).map(\.root) == [430, 440, 450])
    #expect(story.look(280).map(\.root) == [460, 470])
    #expect(story.look(from: 310, to: 900) == [])
  }

  @Test func theOrphansOfOneBrowserAreOneTree() {
    var story = LeakStory()
    for group: Int32 in [300, 310, 320, 330] {
      for index: Int32 in 0..<5 { story.machine.part(group + 1 + index, .renderer, under: 1) }
      for index: Int32 in 0..<5 { story.machine.change(group + 1 + index) { $0.group = group } }
    }
    #expect(story.look(from: 0, to: 90) == [])
    #expect(story.look(120).map(\.root) == Array(301...305) + Array(311...315) + Array(321...325))
    #expect(story.look(150).map(\.root) == Array(331...335))
  }

  @Test func aReportIsToldOnceAndKillsNothing() {
    var story = orphans(5) { $0.orphanBrowsers = .report }
    #expect(
      story.look(from: 100, to: 900)
        == (0..<5).map { Deed(second: 220, isReport: true, kind: .orphanBrowser, root: 400 + 10 * $0) })
    story.rule.isImpatient = true
    #expect(story.look(from: 900, to: 1200) == [])
  }

  @Test func aReportIsNotRepeatedWhenSomebodyLooksInBetween() {
    var story = orphans(1) { $0.orphanBrowsers = .report }
    #expect(story.look(from: 0, to: 300).map(\.second) == [120])
    story.connect(900, to: 400, by: .port)
    #expect(story.look(330) == [])
    story.answers = [:]
    story.unreadable = [400]
    #expect(story.look(360) == [])
    story.unreadable = []
    #expect(story.look(from: 390, to: 900) == [])
    // Another one of the same number is another leak.
    story.machine.kill(400)
    story.machine.now = 900
    story.machine.browser(400)
    #expect(story.look(from: 930, to: 1500).map(\.second) == [1050])
  }

  @Test func offFindsNothing() {
    var story = orphans(2) { $0.orphanBrowsers = .off }
    story.machine.part(600, .renderer, under: 1)
    story.machine.helper(700, under: 1)
    story.rule.policy.orphanChildren = .off
    story.rule.policy.helpers = .off
    story.rule.isImpatient = true
    #expect(story.look(from: 100, to: 900) == [])
    #expect(story.outlook(of: 400) == nil)
  }

  @Test func actWaitsUntilMemoryIsShort() {
    var story = orphans(1) { $0.orphanBrowsers = .act }
    #expect(story.look(from: 0, to: 900) == [])
    story.rule.isImpatient = true
    #expect(story.look(902).map(\.root) == [400])
  }

  @Test func whatIsSettledAndStillThereStartsAnew() {
    var story = orphans(1)
    #expect(story.look(from: 0, to: 300).map(\.second) == [120])
    var actions: [LeakRule.Action] = []
    story.rule.handle(.settled(story.machine.identity(400)), at: at(310), into: &actions)
    #expect(actions == [] && story.look(from: 330, to: 900).map(\.second) == [450])
  }

  // MARK: When to look

  @Test func theFirstPassIsDueAtOnceAndThenSeldom() {
    var story = LeakStory()
    #expect(story.rule.nextPass < at(0))
    _ = story.look(0)
    #expect(story.rule.nextPass == at(300))
    // A person's browser is no reason to look more often.
    story.machine.browser(400, automated: false)
    _ = story.look(300)
    #expect(story.rule.nextPass == at(600))
  }

  @Test func whileABrowserLivesAPassIsDueAsOftenAsItTakesToBeSure() {
    var story = puppeteer()
    _ = story.look(0)
    #expect(story.rule.nextPass == at(30))
    story.rule.policy.scan = .seconds(10)
    #expect(story.rule.nextPass == at(10))
    story.rule.policy.scan = .seconds(300)
    story.machine.kill(400)
    for part in Machine.family(400) { story.machine.kill(part) }
    _ = story.look(30)
    #expect(story.rule.nextPass == at(330))
    story.rule.policy.scan = .seconds(10)
    #expect(story.rule.nextPass == at(40))
  }

  @Test func aSuspectIsLookedAtWhenItIsDue() {
    var story = LeakStory()
    story.machine.part(410, .renderer, under: 1)
    _ = story.look(0)
    #expect(story.rule.nextPass == at(120))
    // What was killed and stays, frozen, is not waited for.
    var frozen = story
    #expect(frozen.look(120).map(\.root) == [410])
    #expect(frozen.rule.nextPass == at(420))
    story.rule.isImpatient = true
    _ = story.look(10)
    #expect(story.rule.nextPass == at(30))
  }

  @Test func whatStirsIsLookedAtSoonButNotMoreOftenThanEveryTwoSeconds() {
    var story = LeakStory()
    _ = story.look(0)
    var actions: [LeakRule.Action] = []
    for second: Int64 in 0..<100 { story.rule.handle(.stirred, at: at(second), into: &actions) }
    #expect(actions == [] && story.rule.nextPass == at(2))
    _ = story.look(100)
    #expect(story.rule.nextPass == at(400))
    story.rule.isImpatient = true
    #expect(story.rule.nextPass == at(102))
    _ = story.look(102)
    story.rule.isImpatient = true
    #expect(story.rule.nextPass == at(402))
    story.rule.policy.scan = .zero
    #expect(story.rule.nextPass == at(104))
  }

  @Test func theEndsOfBrowsersAndDriversAreFollowedOnce() {
    var story = puppeteer()
    func followed(_ second: Int64) -> [Int32] {
      story.pass(second).compactMap { if case .follow(let process) = $0 { process.pid } else { nil } }
    }
    story.machine.browser(700, automated: false)
    #expect(followed(0) == [300, 400])
    #expect(followed(30) == [])
    story.machine.browser(800, under: 300)
    #expect(followed(60) == [800])
  }
}
