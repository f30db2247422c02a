import Rules
import Testing

@Suite struct LeakRuleTests {
  typealias Deed = LeakStory.Deed

  /// Found by one look and gone 120 s later, once; where memory is short, by the next look.
  func expectLeak(
    _ story: LeakStory, _ kind: LeakRule.Kind, _ root: Int32, with members: [Int32] = [], since: Int64 = 200,
    at location: SourceLocation = #_sourceLocation
  ) {
    var patient = story
    #expect(
      patient.look(from: since, to: since + 900)
        == [Deed(second: since + 120, kind: kind, root: root, members: members)],
      sourceLocation: location)
    var short = story
    short.rule.isImpatient = true
    #expect(
      short.look(from: since, to: since + 900)
        == [Deed(second: since + 30, kind: kind, root: root, members: members)],
      sourceLocation: location)
  }

  /// Left alone for a quarter of an hour, however short memory is: no page is old enough to be abandoned in that time.
  func expectKept(
    _ story: LeakStory, _ pid: Int32, _ reason: LeakRule.Reason, since: Int64 = 200,
    at location: SourceLocation = #_sourceLocation
  ) {
    for isImpatient in [false, true] {
      var story = story
      story.rule.isImpatient = isImpatient
      #expect(story.look(from: since, to: since + 900) == [], sourceLocation: location)
      #expect(story.verdict(on: pid) == .kept(reason), sourceLocation: location)
    }
  }

  /// cron runs a shell, it runs node, and that a browser: puppeteer's way.
  func puppeteer() -> LeakStory {
    var story = LeakStory()
    story.machine.start(100)
    story.machine.start(200, under: 100, .wrapper, group: 200, session: 200)
    story.machine.start(300, under: 200)
    story.machine.browser(400, under: 300, profile: 5)
    story.machine.tree(400, profile: 5)
    story.connect(300, to: 400, by: .port)
    story.connect(300, to: 400, by: .stream)
    return story
  }

  /// The same by way of chromedriver, which leaves the browser in the job's own group.
  func selenium() -> LeakStory {
    var story = LeakStory()
    story.machine.start(100)
    story.machine.start(200, under: 100, .wrapper, group: 200, session: 200)
    story.machine.start(300, under: 200)
    story.machine.start(350, under: 300, .proxy)
    story.machine.browser(400, under: 350, detached: false, profile: 5)
    story.machine.tree(400, profile: 5)
    story.connect(350, to: 400, by: .port)
    story.connect(300, to: 350, by: .port)
    // The other end of its line to the browser.
    story.connect(400, to: 350, by: .port)
    return story
  }

  /// `sh -c 'chromium --headless --dump-dom URL'`: nothing but its parents speaks for it.
  func dump(under wrapper: ProcessSighting.Role = .wrapper) -> LeakStory {
    var story = LeakStory()
    story.machine.start(100)
    story.machine.start(200, under: 100, .wrapper, group: 200, session: 200)
    story.machine.start(300, under: 200, wrapper)
    story.machine.browser(400, under: 300, detached: false)
    story.machine.tree(400)
    return story
  }

  // MARK: A browser whose driver is dead

  @Test func aBrowserWhoseNodeWasKilledGoesAsAWhole() {
    var story = puppeteer()
    story.machine.kill(300)
    story.answers = [:]
    expectLeak(story, .orphanBrowser, 400, with: Machine.family(400))
  }

  @Test func aBrowserInItsDeadDriversGroupGoesToo() {
    var story = dump(under: .other)
    story.machine.kill(300)
    expectLeak(story, .orphanBrowser, 400, with: Machine.family(400))
  }

  @Test func aChromedriverThatLostItsDriverGoesAfterItsBrowser() {
    var story = selenium()
    story.machine.kill(300)
    story.answers[350] = nil
    story.connect(400, to: 350, by: .port)
    expectLeak(story, .orphanBrowser, 400, with: Machine.family(400) + [350])
  }

  @Test func aChromedriverStaysUntilTheLastOfItsBrowsersGoes() {
    var story = selenium()
    story.machine.browser(500, under: 350, detached: false, profile: 6)
    story.machine.kill(300)
    story.answers = [:]
    // Its lines to its browsers; and a browser that is none of them.
    for browser: Int32 in [400, 500] { story.connect(browser, to: 350, by: .port) }
    story.machine.browser(600, automated: false)
    var both = story
    #expect(
      both.look(from: 200, to: 900).map(\.members) == [Machine.family(400), [350]])
    story.answers[500] = LeakEvidence(allowedBy: "mine")
    expectLeak(story, .orphanBrowser, 400, with: Machine.family(400))
  }

  @Test func aBrowserWhoseChromedriverWasKilledIsALeakThoughItsDriverLives() {
    var story = selenium()
    story.machine.kill(350)
    story.answers = [:]
    expectLeak(story, .orphanBrowser, 400, with: Machine.family(400))
  }

  @Test func aShellThatWaitsForNobodyAnyMoreProvesNothing() {
    var story = dump()
    story.machine.kill(200)
    expectLeak(story, .orphanBrowser, 400, with: Machine.family(400))
    #expect(story.verdict(on: 400).proof?.between == [300])
    #expect(story.verdict(on: 400).proof?.adopter == 1)
  }

  @Test func theStartScriptThatDoesNotExecIsAWrapperAmongOthers() {
    var story = puppeteer()
    story.machine.kill(400)
    story.machine.start(500, under: 300, .wrapper)
    story.machine.browser(510, under: 500, detached: false)
    story.machine.part(520, .zygote, under: 510)
    story.machine.part(530, .renderer, under: 520)
    story.answers = [:]
    #expect(story.verdict(on: 510) == .kept(.driven(by: 300)))
    story.machine.kill(300)
    for part in Machine.family(400) + [401, 402] { story.machine.kill(part) }
    expectLeak(story, .orphanBrowser, 510, with: [520, 530])
  }

  @Test func onlyTheWrapperIsDead() {
    var story = dump()
    story.machine.kill(300)
    expectLeak(story, .orphanBrowser, 400, with: Machine.family(400))
  }

  @Test func aStoppedBrowserIsALeakLikeAnyOther() {
    var story = puppeteer()
    story.machine.change(400) { $0.state = .stopped }
    story.machine.kill(300)
    story.answers = [:]
    expectLeak(story, .orphanBrowser, 400, with: Machine.family(400))
  }

  @Test func aServicesMainProcessThatCameAfterItsBrowserDoesNotProtectIt() {
    // KillMode=process and a restart: 30 was the gateway, 50 is.
    var story = LeakStory()
    story.machine.start(50)
    story.machine.browser(400)
    story.machine.tree(400)
    story.answers[400] = LeakEvidence(serviceMain: 30)
    expectLeak(story, .orphanBrowser, 400, with: Machine.family(400))
  }

  @Test func withoutZygotesEveryPartIsTheBrowsersOwnChild() {
    var story = LeakStory()
    story.machine.browser(400)
    for (pid, part) in [(410, .gpu), (420, .utility), (430, .renderer)] as [(Int32, BrowserProcess.Part)] {
      story.machine.part(pid, part, under: 400)
    }
    expectLeak(story, .orphanBrowser, 400, with: [410, 420, 430])
  }

  @Test func noMemberGoesThatWouldNotGoByItself() {
    var story = puppeteer()
    story.machine.kill(300)
    story.answers = [:]
    story.machine.details(405) { $0.program = nil }
    story.machine.details(406) { $0.user = 0 }
    story.machine.details(407) { $0.part = .other }
    expectLeak(story, .orphanBrowser, 400, with: [403, 404, 408, 409, 410])
  }

  @Test func noMemberIsPidOneOrGoesTwice() {
    // What no kernel shows: pid 1 below a browser, a chromedriver that is one of its browser's pages.
    var story = LeakStory()
    story.machine.start(50, .reaper)
    story.machine.part(350, .renderer, under: 50)
    story.machine.change(350) { ($0.role, $0.group) = (.proxy, 400) }
    story.machine.browser(400, under: 350)
    story.machine.part(1, .renderer, under: 400)
    expectLeak(story, .orphanBrowser, 400, with: [350])
  }

  @Test func theDyingAndTheDeadAreNeitherKilledNorCounted() {
    var story = puppeteer()
    story.machine.kill(300)
    story.answers = [:]
    story.machine.change(410) { $0.state = .ended }
    expectLeak(story, .orphanBrowser, 400, with: Machine.family(400).filter { $0 != 410 })
    story.machine.change(400) { $0.state = .ended }
    #expect(story.verdict(on: 400) == .kept(.notOurs))
  }

  // MARK: A browser that is in use, or nobody's business

  @Test func aBrowserWhoseDriverLivesIsKept() {
    expectKept(puppeteer(), 400, .driven(by: 300))
    expectKept(selenium(), 400, .driven(by: 300))
    expectKept(dump(), 400, .driven(by: 100))
    // Its websocket is closed, or it never had one.
    var silent = puppeteer()
    silent.answers = [:]
    expectKept(silent, 400, .driven(by: 300))
  }

  @Test func aDriverWhoseParentIsPidOneIsADriver() {
    var story = puppeteer()
    story.machine.kill(200)
    story.answers = [:]
    expectKept(story, 400, .driven(by: 300))
  }

  @Test func whoeverIsConnectedKeepsIt() {
    for line in [LeakEvidence.Peer.Line.port, .pipe, .stream] {
      var story = puppeteer()
      story.machine.kill(300)
      story.machine.start(900)
      story.answers = [:]
      story.connect(900, to: 400, by: line)
      expectKept(story, 400, .connected(.init(pid: 900, line: line)))
      // Another browser's process looks into it: DevTools.
      story.machine.browser(700, automated: false)
      story.machine.part(710, .utility, under: 700)
      story.answers = [:]
      story.connect(710, to: 400, by: line)
      expectKept(story, 400, .connected(.init(pid: 710, line: line)))
    }
  }

  @Test func whoeverCannotBeNamedKeepsIt() {
    var story = puppeteer()
    story.machine.kill(300)
    story.answers = [400: LeakEvidence(hasUnknownPeer: true)]
    expectKept(story, 400, .connectedToSomebody)
  }

  @Test func aShellThatReadsWhatItsBrowserPrintsIsItsDriver() {
    // `nohup sh -c 'page=$(timeout 300 chromium --headless --dump-dom URL)'`: cron is out of it.
    var story = dump()
    story.machine.kill(200)
    story.connect(300, to: 400, by: .stream)
    expectKept(story, 400, .connected(.init(pid: 300, line: .stream)))
  }

  @Test func itsOwnChildrenAtTheOtherEndAreNobody() {
    // google-chrome's start script leaves two `cat` on its output; its own parts hold what they inherit.
    var story = puppeteer()
    story.machine.kill(300)
    story.answers = [:]
    story.machine.start(450, under: 400)
    for peer: Int32 in [450, 410, 400] { story.connect(peer, to: 400, by: .stream) }
    expectLeak(story, .orphanBrowser, 400, with: Machine.family(400))
    // A part that pid 1 has taken over is still its own.
    story.machine.kill(404)
    expectLeak(story, .orphanBrowser, 400, with: Machine.family(400).filter { $0 != 404 })
  }

  @Test func aChromedriverWithAClientIsInUse() {
    for unknown in [false, true] {
      var story = selenium()
      story.machine.kill(300)
      story.machine.start(900)
      story.answers[350] = nil
      if unknown { story.answers[350] = LeakEvidence(hasUnknownPeer: true) } else { story.connect(900, to: 350, by: .port) }
      expectKept(story, 400, .proxyInUse(350))
    }
  }

  @Test func whatProtectsAChromedriverProtectsItsBrowsers() {
    for (evidence, reason) in [
      (LeakEvidence(isInOurNamespace: false), LeakRule.Reason.container),
      (LeakEvidence(allowedBy: "port 9515"), .allowed("port 9515")), (LeakEvidence(serviceMain: 350), .service(350)),
    ] {
      var story = selenium()
      story.machine.kill(300)
      story.answers[350] = evidence
      expectKept(story, 400, reason)
    }
  }

  @Test func aServicesMainProcessIsKeptAlsoBehindItsShell() {
    var story = LeakStory()
    story.machine.browser(400)
    story.machine.tree(400)
    story.answers[400] = LeakEvidence(serviceMain: 400)
    expectKept(story, 400, .service(400))

    var shell = LeakStory()
    shell.machine.start(200, .wrapper, group: 200, session: 200)
    shell.machine.browser(400, under: 200, detached: false)
    shell.machine.tree(400)
    shell.answers[400] = LeakEvidence(serviceMain: 200)
    expectKept(shell, 400, .service(200))
  }

  @Test func aContainersBrowserIsTheContainersBusiness() {
    var story = puppeteer()
    story.machine.kill(300)
    story.answers = [400: LeakEvidence(isInOurNamespace: false)]
    expectKept(story, 400, .container)
  }

  @Test func whatTheOperatorAllowedIsKept() {
    var story = puppeteer()
    story.machine.kill(300)
    story.answers = [400: LeakEvidence(allowedBy: "port 9222")]
    expectKept(story, 400, .allowed("port 9222"))
  }

  @Test func aPersonsBrowserIsKept() {
    var story = LeakStory()
    story.machine.browser(400, automated: false)
    story.machine.tree(400, pages: 40)
    expectKept(story, 400, .notAutomated)
    story.machine.now = 9000
    #expect(story.verdict(on: 410) == .kept(.browserLives(400)))
  }

  @Test func anotherUsersBrowserIsKept() {
    var story = LeakStory()
    story.machine.browser(400, user: 0)
    story.machine.part(410, .renderer, under: 1, user: 33)
    story.machine.helper(500, under: 1, user: 33)
    expectKept(story, 400, .anotherUser)
    #expect(story.verdict(on: 410) == .kept(.anotherUser))
    #expect(story.verdict(on: 500) == .kept(.anotherUser))
  }

  @Test func whatCannotBeReadIsKept() {
    var story = puppeteer()
    story.machine.kill(300)
    story.answers = [:]
    story.machine.details(400) { $0.program = nil }
    expectKept(story, 400, .unreadable)
    story.machine.details(400) { $0.program = Machine.chromium }
    story.unreadable = [400]
    #expect(story.look(from: 9000, to: 9900) == [])
    #expect(story.verdict(on: 400) == .open([story.machine.identity(400)]))
    // A parent that is not there: outside our namespace, or gone in the midst of the look.
    for parent: Int32 in [0, 333] {
      var torn = puppeteer()
      torn.machine.change(400) { $0.parent = parent }
      torn.machine.kill(300)
      torn.answers = [:]
      expectKept(torn, 400, .unreadable)
    }
  }

  @Test func shellsThatAreEachOthersParentsLeadNowhere() {
    var story = dump()
    story.machine.change(200) { $0.parent = 300 }
    expectKept(story, 400, .unreadable)
    story.machine.change(300) { $0.parent = 300 }
    expectKept(story, 400, .unreadable)
  }

  @Test func aChromedriverThatCannotBeReadKeepsItsBrowser() {
    var story = selenium()
    story.machine.kill(300)
    story.answers = [:]
    story.unreadable = [350]
    story.rule.isImpatient = true
    #expect(story.look(from: 1000, to: 5000) == [])
  }

  @Test func pidOneIsNobodysLeak() {
    for change: (inout ProcessSighting) -> Void in [{ $0.parent = 1 }, { $0.parent = 50 }] {
      var story = LeakStory()
      story.machine.start(50, .reaper)
      story.machine.browser(1)
      story.machine.change(1, change)
      expectKept(story, 1, .notOurs)
    }
  }

  @Test func aSecondProcessOfOneNumberIsPassedOverAsAWhole() {
    var scan = ProcessScan()
    for pid: Int32 in [-7, 0, 1, 400] {
      scan.add(ProcessSighting(ProcessIdentity(pid: pid, startTicks: 1), parent: 1, group: 1, session: 1))
    }
    let double = ProcessSighting(ProcessIdentity(pid: 400, startTicks: 2), parent: 1, group: 1, session: 1, role: .browser)
    scan.add(double, browser: BrowserProcess(.browser, user: Machine.user, program: 7, isAutomated: true))
    scan.add(double, helperOf: Machine.user)
    #expect(scan.processes.map(\.identity.pid) == [1, 400])
    #expect(scan.browsers.isEmpty && scan.helpers.isEmpty && scan[400]?.identity.startTicks == 1)
  }

  @Test func aCrashHandlerIsNoPartOfIt() {
    let story = puppeteer()
    for crash: Int32 in [401, 402] { #expect(story.verdict(on: crash) == .kept(.notOurs)) }
    #expect(story.verdict(on: 1) == .kept(.notOurs))
    #expect(story.verdict(on: 9999) == .kept(.notOurs))
  }
}

extension Machine {
  func identity(_ pid: Int32) -> ProcessIdentity {
    entries[pid]?.sighting.identity ?? ProcessIdentity(pid: pid, startTicks: 0)
  }
}

extension LeakRule.Verdict {
  var proof: LeakRule.Proof? {
    if case .leaked(_, let proof) = self { proof } else { nil }
  }
}
