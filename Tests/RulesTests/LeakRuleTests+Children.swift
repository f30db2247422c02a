import Rules
import Testing

extension LeakRuleTests {
  // MARK: A browser's processes without their browser

  @Test func whatIsStuckWhenItsBrowserDiesIsKilledByItself() {
    var story = puppeteer()
    story.answers = [:]
    // Those whose IO thread cannot run stay: a page that burns CPU, a stopped GPU process.
    for pid in [Int32](400..<411) where pid != 405 && pid != 409 { story.machine.kill(pid) }
    story.machine.change(405) { $0.state = .stopped }
    var patient = story
    #expect(
      patient.look(from: 1000, to: 1900) == [
        Deed(second: 1120, kind: .orphanChild, root: 405), Deed(second: 1120, kind: .orphanChild, root: 409),
      ])
    story.rule.isImpatient = true
    #expect(story.look(from: 1000, to: 1900).map(\.second) == [1030, 1030])
  }

  @Test func whatHangsBelowAFrozenZygoteIsAnOrphanToo() {
    var story = puppeteer()
    story.machine.kill(400)
    for pid in [Int32](405..<410) { story.machine.kill(pid) }
    #expect(story.look(from: 1000, to: 1900).map(\.root) == [403, 404, 410])
    #expect(story.verdict(on: 410).proof?.adopter == 1)
  }

  @Test func whereProcessesAreHiddenItsBrowserMayBeAmongThem() {
    var story = puppeteer()
    story.answers = [:]
    for pid in [Int32](400..<411) where pid != 405 { story.machine.kill(pid) }
    story.machine.change(405) { $0.state = .stopped }
    #expect(story.verdict(on: 405).proof?.adopter == 1)
    story.machine.isHiding = true
    expectKept(story, 405, .unreadable)
  }

  @Test func zombiesOfADeadBrowserAreLeftToWhoeverWaitsForThem() {
    var story = puppeteer()
    story.machine.kill(400)
    for pid in [Int32](403..<411) { story.machine.change(pid) { $0.state = .ended } }
    expectKept(story, 410, .notOurs)
  }

  @Test func thePartsOfABrowserWhoseZygotesWereKilledAreStillItsOwn() {
    var story = puppeteer()
    story.machine.kill(403, 404)
    for part: Int32 in [405, 407, 408] { expectKept(story, part, .browserLives(400)) }
    expectKept(story, 410, .tooYoung)
    // The zygotes of one that is well are never touched.
    expectKept(puppeteer(), 403, .browserLives(400))
  }

  @Test func inAJobsGroupTheProfileTellsWhoseTheyAre() {
    var story = selenium()
    story.machine.kill(403, 404)
    for part: Int32 in [405, 407, 408] { expectKept(story, part, .browserLives(400)) }
    // In another session as well: somebody else's pages, were it not for the profile.
    story.machine.change(405) { $0.session = 9 }
    expectKept(story, 405, .browserLives(400))
  }

  @Test func withoutAProfileItIsTheSessionAndTheProgram() {
    var story = dump()
    story.machine.kill(403, 404)
    expectKept(story, 405, .browserLives(400))

    var programs = story
    programs.machine.details(405) { $0.program = 8 }
    #expect(programs.look(from: 1000, to: 1900).map(\.root) == [405])

    var sessions = story
    sessions.machine.change(405) { $0.session = 9 }
    #expect(sessions.look(from: 1000, to: 1900).map(\.root) == [405])

    var users = story
    users.machine.details(400) { $0.user = 0 }
    #expect(users.look(from: 1000, to: 1900).map(\.root) == [405, 407, 408, 409, 410])

    // A browser that came later cannot be the one that it came from.
    var later = story
    later.machine.kill(400)
    later.machine.now = 500
    later.machine.browser(600, under: 300, detached: false)
    #expect(later.look(from: 1000, to: 1900).map(\.root) == [405, 406, 407, 408, 409, 410])
  }

  @Test func aSessionNamesTheBrowserThatLeadsIt() {
    var story = LeakStory()
    story.machine.browser(400, profile: 5)
    story.machine.start(50)
    story.machine.part(410, .gpu, under: 1)
    story.machine.change(410) { $0.session = 400 }
    // Of another program: no guess helps it.
    story.machine.details(410) { $0.program = 8 }
    #expect(story.verdict(on: 410) == .kept(.browserLives(400)))
    story.machine.change(410) { ($0.session, $0.group) = (9, 400) }
    #expect(story.verdict(on: 410) == .kept(.browserLives(400)))
    // It must be a browser, and alive.
    story.machine.change(410) { ($0.session, $0.group) = (50, 50) }
    #expect(story.verdict(on: 410).proof != nil)
    story.machine.change(410) { ($0.session, $0.group) = (400, 400) }
    story.machine.change(400) { $0.state = .ended }
    #expect(story.verdict(on: 410).proof != nil)
  }

  @Test func aPartOfWhichNothingIsKnownIsLeftAlone() {
    var story = puppeteer()
    story.machine.kill(400)
    story.machine.details(409) { $0.part = .other }
    story.machine.details(410) { $0.program = nil }
    let roots = story.look(from: 1000, to: 1900).map(\.root)
    #expect(!roots.contains(409) && !roots.contains(410) && roots.contains(405))
    for part: Int32 in [409, 410] { #expect(story.verdict(on: part) == .kept(.unreadable)) }
  }

  @Test func anOrphanIsKilledOnlyBelowWhoeverAdopts() {
    var story = LeakStory()
    story.machine.start(50)
    story.machine.part(410, .renderer, under: 50)
    expectKept(story, 410, .driven(by: 50))
    story.machine.change(410) { $0.parent = 77 }
    var torn = story
    torn.rule = LeakStory { _ in }.rule
    expectKept(torn, 410, .unreadable)
  }

  @Test func inAContainerAnOrphanIsTheContainersBusiness() {
    var story = LeakStory()
    story.machine.start(50, .reaper)
    story.machine.part(410, .renderer, under: 50)
    story.answers[50] = LeakEvidence(isInOurNamespace: false)
    expectKept(story, 410, .container)
    var ours = story
    ours.answers[50] = LeakEvidence()
    expectLeak(ours, .orphanChild, 410)
    ours.unreadable = [50]
    #expect(ours.look(from: 1000, to: 1900) == [])
  }

  @Test func anAbandonedPageWhoseBrowserDiesIsFoundAnew() {
    for (isImpatient, second) in [(false, Int64(2550)), (true, 2460)] {
      var story = webFetch(pages: 3)
      #expect(story.look(from: 0, to: 2400) == [])
      story.machine.kill(400)
      story.rule.isImpatient = isImpatient
      #expect(story.look(from: 2430, to: 2700).contains(Deed(second: second, kind: .orphanChild, root: 410)))
    }
    var told = webFetch(pages: 3) { $0.abandoned = .report }
    #expect(told.look(from: 0, to: 2400).map(\.root) == [410, 411])
    told.machine.kill(400)
    #expect(told.look(from: 2430, to: 2700).contains(Deed(second: 2550, kind: .orphanChild, root: 410)))
  }

  /// Two browsers of one job, in its session; the first one's driver is dead, the second one's zygotes are.
  func twoOfOneJob(profiles: (UInt64?, UInt64?)) -> LeakStory {
    var story = LeakStory()
    story.machine.start(100)
    story.machine.start(200, under: 100, .wrapper, group: 200, session: 200)
    for (driver, browser, profile) in [(300, 400, profiles.0), (310, 500, profiles.1)] as [(Int32, Int32, UInt64?)] {
      story.machine.start(driver, under: 200)
      story.machine.browser(browser, under: driver, detached: false, profile: profile)
      story.machine.part(browser + 3, .zygote, under: browser, profile: profile)
      for page: Int32 in [4, 5] { story.machine.part(browser + page, .renderer, under: browser + 3, profile: profile) }
    }
    story.machine.kill(503)
    return story
  }

  @Test func whatIsOnlyGuessedToBeABrowsersDoesNotDieWithIt() {
    var story = twoOfOneJob(profiles: (nil, nil))
    story.machine.kill(300)
    expectLeak(story, .orphanBrowser, 400, with: [403, 404, 405])
    #expect(story.machine.scan.browser(of: 504) == 400)
  }

  @Test func theProfileComesBeforeAnyGuess() {
    let story = twoOfOneJob(profiles: (5, 6))
    #expect(story.verdict(on: 504) == .kept(.tooYoung))
    #expect(story.machine.scan.browser(of: 504) == 500)
    var users = twoOfOneJob(profiles: (6, 6))
    users.machine.details(400) { $0.user = 0 }
    #expect(users.machine.scan.browser(of: 504) == 500)
    #expect(twoOfOneJob(profiles: (5, nil)).machine.scan.browser(of: 504) == 400)
  }

  @Test func aGuessIsNoReasonToEndAPage() {
    var story = twoOfOneJob(profiles: (nil, nil))
    story.rule.isImpatient = true
    // The first browser's two pages are not made two of several by the second one's.
    #expect(story.look(from: 0, to: 3600) == [])
    for page: Int32 in [404, 405] { #expect(story.verdict(on: page) == .kept(.lastPage)) }
    #expect(story.verdict(on: 504) == .kept(.browserLives(400)))
  }

  // MARK: Adoption

  @Test func aSubreaperThatIsKnownAsOneAdopts() {
    var story = LeakStory()
    story.machine.start(50, .reaper)
    story.machine.browser(400, under: 50)
    expectLeak(story, .orphanBrowser, 400)
    #expect(story.verdict(on: 400).proof?.adopter == 50)
  }

  @Test func aSubreaperIsAnAdopterOnlyForWhatWasAnothersBefore() {
    for seen in [false, true] {
      var story = LeakStory()
      story.machine.subreapers = [50]
      story.machine.start(50)
      story.machine.start(60, under: 50)
      story.machine.browser(400, under: 60)
      story.machine.tree(400)
      if seen { #expect(story.look(0) == []) }
      story.machine.kill(60)
      if seen {
        expectLeak(story, .orphanBrowser, 400, with: Machine.family(400))
      } else {
        expectKept(story, 400, .driven(by: 50))
      }
    }
  }

  @Test func soIsOneThatTakesOverTheShellAboveIt() {
    var story = LeakStory()
    story.machine.subreapers = [50]
    story.machine.start(50)
    story.machine.start(60, under: 50)
    story.machine.start(70, under: 60, .wrapper)
    story.machine.browser(400, under: 70)
    #expect(story.look(0) == [])
    story.machine.kill(60)
    expectLeak(story, .orphanBrowser, 400)
    #expect(story.verdict(on: 400) == .kept(.driven(by: 50)))
    _ = story.look(30)
    #expect(story.verdict(on: 400).proof?.between == [70])
  }

  @Test func aDriverThatTookItsBrowserBackIsKeptBecauseItIsConnected() {
    var story = LeakStory()
    story.machine.subreapers = [50]
    story.machine.start(50)
    story.machine.start(70, under: 50, .wrapper)
    story.machine.browser(400, under: 70)
    story.connect(50, to: 400, by: .port)
    #expect(story.look(0) == [])
    story.machine.kill(70)
    _ = story.look(30)
    expectKept(story, 400, .connected(.init(pid: 50, line: .port)))
  }

  @Test func theOrphansOfASubreaperGoAfterTheirBrowserWasSeen() {
    var story = LeakStory()
    story.machine.subreapers = [50]
    story.machine.start(50)
    story.machine.start(60, under: 50)
    story.machine.browser(400, under: 60)
    story.machine.part(410, .renderer, under: 400)
    #expect(story.look(0) == [])
    story.machine.kill(400)
    expectLeak(story, .orphanChild, 410)
  }

  @Test func whoeverTakesOverTheAdopterChangesNothing() {
    var story = LeakStory()
    story.machine.subreapers = [40, 50]
    story.machine.start(40)
    story.machine.start(50, under: 40)
    story.machine.start(60, under: 50)
    story.machine.browser(400, under: 60)
    #expect(story.look(0) == [])
    story.machine.kill(60)
    #expect(story.look(from: 30, to: 120) == [])
    story.machine.kill(50)
    #expect(story.look(150) == [Deed(second: 150, kind: .orphanBrowser, root: 400)])
  }

  @Test func whatIsForgottenIsNotAdopted() {
    var story = LeakStory()
    story.machine.start(50)
    story.machine.browser(400, under: 50)
    #expect(story.look(0) == [])
    // The number is another browser's now.
    story.machine.kill(400)
    story.machine.now = 10
    story.machine.start(60)
    story.machine.browser(400, under: 60)
    _ = story.look(30)
    expectKept(story, 400, .driven(by: 60))
  }

  // MARK: Helpers

  @Test func aHelperIsALeakAsABrowserIs() {
    var story = LeakStory()
    story.machine.start(50)
    story.machine.helper(500, under: 50)
    expectKept(story, 500, .driven(by: 50))
    story.machine.kill(50)
    expectLeak(story, .helper, 500)
    story.machine.start(60)
    story.connect(60, to: 500, by: .stream)
    expectKept(story, 500, .connected(.init(pid: 60, line: .stream)))
    story.answers[500] = LeakEvidence(serviceMain: 500)
    expectKept(story, 500, .service(500))
  }
}
