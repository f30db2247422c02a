extension LeakRule {
  /// Why a process is left alone.
  public enum Reason: Equatable, Sendable {
    /// Nothing that this rule is about.
    case notOurs
    case anotherUser
    /// A person's, by its command line.
    case notAutomated
    /// Of a kind, or in a state, of which nothing is known.
    case unreadable
    case container
    case allowed(String)
    case service(Int32)
    /// The process that started it lives.
    case driven(by: Int32)
    /// Somebody is connected to it.
    case connected(LeakEvidence.Peer)
    case connectedToSomebody
    /// Its chromedriver has a client.
    case proxyInUse(Int32)
    /// One of a living browser's processes.
    case browserLives(Int32)
    case notRestingYet
    case tooYoung
    case ownPage
    /// One of its browser's two youngest.
    case lastPage
  }

  /// What shows that a process is leaked.
  public struct Proof: Equatable, Sendable {
    /// Who took it over; 0 for a page whose driver lives.
    public var adopter: Int32 = 0
    /// The wrappers and the dead chromedriver in between.
    public var between: [Int32] = []
    /// How long it has used no CPU; nil where it does not matter.
    public var rest: TimeSpan?
    public init() {}
  }

  public enum Verdict: Equatable, Sendable {
    case kept(Reason)
    /// These must be examined first.
    case open([ProcessIdentity])
    case leaked(Kind, Proof)
  }

  /// The way up from a process, past whoever merely runs others.
  struct Climb {
    enum End: Equatable {
      /// Somebody who may have started it.
      case living(Int32)
      /// Somebody who adopts what others leave behind.
      case adopter(Int32)
      /// Outside our pid namespace, gone in the middle of the look, or endless.
      case unknown
    }
    var end: End
    var between: [Int32] = []
    var proxies: [Int32] = []
  }

  func climb(from process: ProcessSighting, in scan: ProcessScan) -> Climb {
    var climb = Climb(end: .unknown)
    var child = process
    for _ in 0..<ProcessScan.longestChain {
      guard let above = scan.living(child.parent) else { return climb }
      let pid = above.identity.pid
      let isAdopter = pid == 1 || above.role == .reaper || known[child.identity]?.isAdopted == true
      switch above.role {
      case _ where isAdopter:
        climb.end = .adopter(pid)
        return climb
      case .wrapper: climb.between.append(pid)
      case .proxy:
        climb.between.append(pid)
        climb.proxies.append(pid)
      case .other, .browser, .reaper:
        climb.end = .living(pid)
        return climb
      }
      child = above
    }
    return climb
  }

  /// What becomes of one process by what is known; the first reason to keep it wins.
  public func verdict(
    on pid: Int32, in scan: ProcessScan, _ evidence: [ProcessIdentity: LeakEvidence], at now: Instant
  ) -> Verdict {
    // Pid 1 may be a browser, in a container.
    guard pid > 1, let process = scan.living(pid) else { return .kept(.notOurs) }
    if let user = scan.helpers[pid] {
      guard policy.users.contains(user) else { return .kept(.anotherUser) }
      return orphan(process, .helper, in: scan, evidence)
    }
    guard let browser = scan.browsers[pid] else { return .kept(.notOurs) }
    guard policy.users.contains(browser.user) else { return .kept(.anotherUser) }
    guard browser.program != nil, browser.part != .other else { return .kept(.unreadable) }
    guard browser.part != .browser else {
      return browser.isAutomated ? orphan(process, .orphanBrowser, in: scan, evidence) : .kept(.notAutomated)
    }
    guard let root = scan.browser(of: pid) else { return orphanChild(process, in: scan, evidence) }
    guard browser.part == .renderer else { return .kept(.browserLives(root)) }
    return page(process, of: root, in: scan, evidence, at: now)
  }

  /// A browser, or a helper: leaked where nobody who could have started it lives, and nobody talks to it.
  private func orphan(
    _ process: ProcessSighting, _ kind: Kind, in scan: ProcessScan, _ evidence: [ProcessIdentity: LeakEvidence]
  ) -> Verdict {
    let climb = climb(from: process, in: scan)
    switch climb.end {
    case .living(let driver): return .kept(.driven(by: driver))
    case .unknown: return .kept(.unreadable)
    case .adopter(let adopter):
      let proxies = climb.proxies.compactMap { scan[$0]?.identity }
      let asked = [process.identity] + proxies
      guard asked.allSatisfy({ evidence[$0] != nil }) else { return .open(asked) }
      guard let own = evidence[process.identity] else { return .kept(.unreadable) }
      if let reason = standing(own, of: process, climb.between) { return .kept(reason) }
      // A proxy is there for its clients, who are asked for below. A shell that reads what its browser
      // prints is no mere wrapper: `$(chromium --dump-dom …)` waits for it.
      let strangers = own.peers.filter { !isKin($0.pid, of: process, in: scan) && !climb.proxies.contains($0.pid) }
      if let peer = strangers.first { return .kept(.connected(peer)) }
      if own.hasUnknownPeer { return .kept(.connectedToSomebody) }
      for proxy in proxies {
        guard let its = evidence[proxy] else { return .kept(.unreadable) }
        // Whoever allowed the one allowed what hangs from it.
        if let sighting = scan[proxy.pid], let reason = standing(its, of: sighting, climb.between) { return .kept(reason) }
        let clients = its.peers.filter { !scan.descends($0.pid, from: proxy.pid) }
        if its.hasUnknownPeer || !clients.isEmpty { return .kept(.proxyInUse(proxy.pid)) }
      }
      var proof = Proof()
      proof.adopter = adopter
      proof.between = climb.between
      return .leaked(kind, proof)
    }
  }

  /// What keeps it whoever is connected.
  private func standing(_ evidence: LeakEvidence, of process: ProcessSighting, _ between: [Int32]) -> Reason? {
    guard evidence.isInOurNamespace else { return .container }
    if let pattern = evidence.allowedBy { return .allowed(pattern) }
    // A service's main process may be a shell that waits for its browser.
    if let main = evidence.serviceMain, main == process.identity.pid || between.contains(main) { return .service(main) }
    return nil
  }

  /// Its own children hold what they inherited from it: those of Chrome's start script are two `cat`.
  private func isKin(_ pid: Int32, of process: ProcessSighting, in scan: ProcessScan) -> Bool {
    scan.descends(pid, from: process.identity.pid) || scan.browser(of: pid) == process.identity.pid
  }

  private func orphanChild(
    _ process: ProcessSighting, in scan: ProcessScan, _ evidence: [ProcessIdentity: LeakEvidence]
  ) -> Verdict {
    // Its browser may be among those that are hidden from us.
    guard !scan.isPartial else { return .kept(.unreadable) }
    // A frozen zygote may be in between.
    var top = process
    for _ in 0..<ProcessScan.longestChain {
      guard let above = scan.living(top.parent), above.role == .browser else { break }
      top = above
    }
    guard let adopter = scan.living(top.parent) else { return .kept(.unreadable) }
    let isAdopter = adopter.identity.pid == 1 || adopter.role == .reaper || known[top.identity]?.isAdopted == true
    guard isAdopter else { return .kept(.driven(by: adopter.identity.pid)) }
    // Its own namespace is its sandbox's; whoever adopted it tells where it lives. Ours is pid 1's.
    if adopter.identity.pid != 1 {
      guard let its = evidence[adopter.identity] else { return .open([adopter.identity]) }
      guard its.isInOurNamespace else { return .kept(.container) }
    }
    var proof = Proof()
    proof.adopter = adopter.identity.pid
    return .leaked(.orphanChild, proof)
  }

  /// A page of a browser that is in use: abandoned where it is old and rests.
  private func page(
    _ process: ProcessSighting, of root: Int32, in scan: ProcessScan, _ evidence: [ProcessIdentity: LeakEvidence],
    at now: Instant
  ) -> Verdict {
    guard policy.abandoned != .off, let browser = scan[root], let details = scan.browsers[root], details.isAutomated,
      policy.users.contains(details.user), scan.browsers[process.identity.pid]?.isOwnPage == false
    else { return .kept(.browserLives(root)) }
    guard process.age >= policy.abandonedAge else { return .kept(.tooYoung) }
    guard let rest = known[process.identity].map({ now - $0.restsSince }), rest >= policy.abandonedRest else {
      return .kept(.notRestingYet)
    }
    let pages = scan.members(of: root).filter { isPage($0.identity.pid, in: scan) }
    guard pages.contains(process) else { return .kept(.browserLives(root)) }
    // The two youngest stay. The youngest may be the spare one that Chromium keeps ready for the next page and that
    // nothing tells from others; the last of the real ones is the second then.
    let youngest = pages.sorted { ($0.age, $1.identity.pid) < ($1.age, $0.identity.pid) }.prefix(2)
    guard !youngest.contains(process) else { return .kept(.lastPage) }
    // What is leaked itself goes as a whole, and what a verdict protects, its pages share.
    switch orphan(browser, .orphanBrowser, in: scan, evidence) {
    case .kept(.driven), .kept(.connected), .kept(.connectedToSomebody), .kept(.proxyInUse): break
    case .open(let questions): return .open(questions)
    case .kept, .leaked: return .kept(.browserLives(root))
    }
    guard let its = evidence[browser.identity] else { return .open([browser.identity]) }
    if let reason = standing(its, of: browser, climb(from: browser, in: scan).between) { return .kept(reason) }
    var proof = Proof()
    proof.rest = rest
    return .leaked(.abandoned, proof)
  }

  private func isPage(_ pid: Int32, in scan: ProcessScan) -> Bool {
    scan.browsers[pid].map { $0.part == .renderer && !$0.isOwnPage } == true
  }

  // MARK: a whole pass

  /// Whom the verdicts of one pass wait for.
  func questions(about scan: ProcessScan, at now: Instant) -> [ProcessIdentity] {
    var asked: Set<ProcessIdentity> = []
    for pid in candidates(in: scan) {
      // The answer to one question may raise the next one, never a third.
      if case .open(let questions) = verdict(on: pid, in: scan, [:], at: now) { asked.formUnion(questions) }
    }
    return asked.sorted { $0.pid < $1.pid }
  }

  /// The leaks of one pass: pages last, of each kind the oldest first.
  func leaks(in scan: ProcessScan, _ evidence: [ProcessIdentity: LeakEvidence], at now: Instant) -> [Leak] {
    var leaks: [(age: TimeSpan, leak: Leak)] = []
    for pid in candidates(in: scan) {
      guard case .leaked(let kind, let proof) = verdict(on: pid, in: scan, evidence, at: now),
        policy.treatment(of: kind) != .off, let process = scan[pid]
      else { continue }
      let members = kind == .orphanBrowser ? members(of: process, proof, in: scan) : []
      let tree = kind == .orphanChild ? process.group : scan.browser(of: pid) ?? pid
      leaks.append(
        (process.age, Leak(kind: kind, root: process.identity, members: members, tree: tree, proof: proof, found: .zero)))
    }
    leaks.sort { a, b in
      let pages = (a.leak.kind == .abandoned, b.leak.kind == .abandoned)
      return pages.0 != pages.1 ? pages.1 : a.age > b.age
    }
    return leaks.map(\.leak)
  }

  private func candidates(in scan: ProcessScan) -> [Int32] {
    (Array(scan.browsers.keys) + Array(scan.helpers.keys)).sorted()
  }

  private func members(of browser: ProcessSighting, _ proof: Proof, in scan: ProcessScan) -> [ProcessIdentity] {
    let own = scan.members(of: browser.identity.pid).filter { member in
      guard member.identity.pid > 1, let details = scan.browsers[member.identity.pid], details.program != nil
      else { return false }
      return details.part != .other && policy.users.contains(details.user)
    }
    // The dead driver's proxy has nothing to do any more; it goes last.
    let proxies = proof.between.compactMap { scan[$0] }.filter { process in
      process.role == .proxy && scan.browsers[process.identity.pid] == nil
    }
    return (own + proxies).map(\.identity)
  }
}
