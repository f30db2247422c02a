/// Decides which browsers, browser children and helpers are leaked: the procedure of docs/rules.md.
///
/// Nothing is a leak by one look: it must be found so twice, `confirm` apart, and without a break for
/// `grace`. Whatever cannot be known keeps a process alive.
public struct LeakRule: Sendable {
  public struct Policy: Equatable, Sendable {
    /// How far to go with one kind of leak.
    public enum Treatment: String, Equatable, Sendable, CaseIterable {
      case kill
      /// Kill only while memory is short.
      case act
      case report
      case off
    }

    public var orphanBrowsers = Treatment.kill
    public var orphanChildren = Treatment.kill
    public var abandoned = Treatment.act
    public var helpers = Treatment.kill
    /// From the first look that finds a leak to its end.
    public var grace = TimeSpan.seconds(120)
    /// From one look to the next one that may act on it, however short memory is.
    public var confirm = TimeSpan.seconds(30)
    public var abandonedAge = TimeSpan.seconds(1800)
    /// From pass to pass while no browser lives; while one does it is `confirm`.
    public var scan = TimeSpan.seconds(300)
    /// The users whose processes may be killed.
    public var users: Set<UInt32> = []
    public init() {}

    /// How long a page must have rested: 10 min where pages are abandoned at 30.
    public var abandonedRest: TimeSpan { TimeSpan(nanoseconds: abandonedAge.nanoseconds / 3) }

    public func treatment(of kind: Kind) -> Treatment {
      switch kind {
      case .orphanBrowser: orphanBrowsers
      case .orphanChild: orphanChildren
      case .abandoned: abandoned
      case .helper: helpers
      }
    }
  }

  public enum Kind: String, Equatable, Sendable {
    /// A browser whose driver is dead.
    case orphanBrowser = "orphan-browser"
    /// A process of a browser that is dead.
    case orphanChild = "orphan-child"
    /// A page that its living driver never closed.
    case abandoned
    case helper
  }

  /// What is to go, and in which order.
  public struct Leak: Equatable, Sendable {
    public var kind: Kind
    /// The one that is judged, and the first to go.
    public var root: ProcessIdentity
    /// What must go with it if it does not by itself.
    public var members: [ProcessIdentity]
    /// The same for the orphans of one dead browser.
    public var tree: Int32
    public var proof: Proof
    /// Since the first look that found it.
    public var found: TimeSpan
  }

  /// What is to become of one that was found leaked.
  public struct Outlook: Equatable, Sendable {
    public var process: ProcessIdentity
    public var kind: Kind
    public var since: Instant
    /// When it is killed, or told of, if it is found so again; nil: not as things stand.
    public var due: Instant?
  }

  /// Trees to be killed in one pass: a rule gone wrong does not empty a machine at once.
  public static let treesAtATime = 3

  public enum Observation: Sendable {
    case scanned(ProcessScan)
    /// The answer to `.examine`; what is missing in it could not be read.
    case examined([ProcessIdentity: LeakEvidence])
    /// A browser's program was started somewhere, or a process that `.follow` named has ended.
    case stirred
    /// What `.kill` asked for was done, or was not to be done.
    case settled(ProcessIdentity)
    /// It is still there, and another try would add nothing: it does not end by any signal, or is only observed.
    case left(ProcessIdentity)
    /// Other settings hold: who was only told of under the old ones may go under these.
    case reloaded
  }

  public enum Action: Equatable, Sendable {
    /// Say `.examined` of these, of this very moment.
    case examine([ProcessIdentity])
    /// Say `.stirred` when this process has ended.
    case follow(ProcessIdentity)
    case kill(Leak)
    /// Tell once.
    case report(Leak)
  }

  public var policy: Policy
  /// Memory is short: no grace, and abandoned pages go.
  public var isImpatient = false {
    didSet { if isImpatient, !oldValue { isStirred = true } }
  }

  var known: [ProcessIdentity: Known] = [:]
  private var suspects: [ProcessIdentity: Suspect] = [:]
  /// What was told of, as what, for as long as it lives.
  private var told: [ProcessIdentity: Kind] = [:]
  /// Leaks that were sent to their ends: it may be that what they give back lets the pages stay, or the next page.
  private var going: Set<ProcessIdentity> = []
  private var following: Set<ProcessIdentity> = []
  private var pending: ProcessScan?
  private var lastPass: Instant?
  private var isStirred = false
  /// An automated browser lives, by the last pass.
  public private(set) var hasBrowsers = false

  private struct Suspect: Sendable {
    var kind: Kind
    var since: Instant
    /// Told of, or being killed: nothing more is asked for.
    var isDealtWith = false
  }

  public init(policy: Policy) { self.policy = policy }

  /// When the next pass is due.
  public var nextPass: Instant {
    guard let lastPass else { return Instant(nanoseconds: 0) }
    var next = lastPass + (hasBrowsers ? min(policy.confirm, policy.scan) : policy.scan)
    for suspect in suspects.values where !suspect.isDealtWith {
      // What is overdue waits for its turn: at most so many at a time, and so often.
      if let due = due(suspect) { next = min(next, due > lastPass ? due : lastPass + policy.confirm) }
    }
    // A browser's start is a hundred events, and its end a hundred more.
    let soonest = lastPass + min(.seconds(2), policy.confirm)
    return isStirred ? soonest : max(next, soonest)
  }

  /// Takes in one observation and appends what follows from it to `actions`.
  ///
  /// - Parameter now: when it was made; never earlier than in the call before.
  public mutating func handle(_ observation: Observation, at now: Instant, into actions: inout [Action]) {
    switch observation {
    case .scanned(let scan): look(at: scan, now, into: &actions)
    case .examined(let evidence):
      guard let scan = pending else { return }
      pending = nil
      conclude(scan, evidence, at: now, into: &actions)
    case .stirred: isStirred = true
    case .settled(let process):
      suspects[process] = nil
      going.remove(process)
    case .left(let process): going.remove(process)
    case .reloaded:
      for process in suspects.keys where !going.contains(process) { suspects[process]?.isDealtWith = false }
    }
  }

  /// For how long each of a browser's processes has used no CPU, as far as anybody has watched.
  public func rests(at now: Instant) -> [ProcessIdentity: TimeSpan] { known.mapValues { now - $0.restsSince } }

  /// How much CPU one of them had used when it was last looked at.
  public func cpu(of process: ProcessIdentity) -> TimeSpan? { known[process]?.seen.cpu }

  /// Whether so much CPU within that time is more than a page at rest uses.
  public static func isWork(_ cpu: TimeSpan, within span: TimeSpan) -> Bool {
    // An idle page's timers tick: 1 tick in 10 s was measured.
    cpu > TimeSpan(nanoseconds: span.nanoseconds / 500) + .milliseconds(20)
  }

  /// Everything that is found leaked at present, the longest first.
  public var outlooks: [Outlook] {
    suspects.map {
      Outlook(process: $0.key, kind: $0.value.kind, since: $0.value.since, due: $0.value.isDealtWith ? nil : due($0.value))
    }
    .sorted { ($0.since, $0.process.pid) < ($1.since, $1.process.pid) }
  }

  private func due(_ suspect: Suspect) -> Instant? {
    switch policy.treatment(of: suspect.kind) {
    case .off: nil
    case .act where !isImpatient: nil
    default: suspect.since + (isImpatient ? policy.confirm : max(policy.grace, policy.confirm))
    }
  }

  // MARK: one pass

  private mutating func look(at scan: ProcessScan, _ now: Instant, into actions: inout [Action]) {
    lastPass = now
    isStirred = false
    remember(scan, at: now)
    follow(in: scan, into: &actions)
    let questions = questions(about: scan, at: now)
    guard !questions.isEmpty else { return conclude(scan, [:], at: now, into: &actions) }
    pending = scan
    actions.append(.examine(questions))
  }

  private mutating func conclude(
    _ scan: ProcessScan, _ evidence: [ProcessIdentity: LeakEvidence], at now: Instant, into actions: inout [Action]
  ) {
    var leaks = leaks(in: scan, evidence, at: now)
    let found = Set(leaks.map(\.root))
    suspects = suspects.filter { found.contains($0.key) }
    told = told.filter { scan[$0.key.pid]?.identity == $0.key }
    var trees: Set<Int32> = []
    for index in leaks.indices {
      var suspect = Suspect(kind: leaks[index].kind, since: now)
      // What was found to be another kind of leak was not found to be this one.
      if let known = suspects[leaks[index].root], known.kind == suspect.kind { suspect = known }
      leaks[index].found = now - suspect.since
      defer { suspects[leaks[index].root] = suspect }
      guard !suspect.isDealtWith, let due = due(suspect), due <= now else { continue }
      if policy.treatment(of: suspect.kind) == .report {
        suspect.isDealtWith = true
        guard told.updateValue(suspect.kind, forKey: leaks[index].root) != suspect.kind else { continue }
        report(leaks[index], into: &actions)
      } else {
        guard trees.count < Self.treesAtATime || trees.contains(leaks[index].tree) else { continue }
        // When it is known what the end of the one before gave back, and that of every other leak.
        if suspect.kind == .abandoned, !going.isEmpty { continue }
        let root = leaks[index].root
        going.insert(root)
        trees.insert(leaks[index].tree)
        leaks[index].members.removeAll { isShared($0, with: root, in: scan) }
        actions.append(.kill(leaks[index]))
        suspect.isDealtWith = true
      }
    }
  }

  /// The pages of one browser, and the orphans of one, are told of together.
  private func report(_ leak: Leak, into actions: inout [Action]) {
    for index in actions.indices {
      guard case .report(var first) = actions[index], first.kind == leak.kind, first.tree == leak.tree else { continue }
      first.members.append(leak.root)
      actions[index] = .report(first)
      return
    }
    actions.append(.report(leak))
  }

  /// Whether other browsers, which stay, hang from a member as well: a chromedriver serves several.
  private func isShared(_ member: ProcessIdentity, with root: ProcessIdentity, in scan: ProcessScan) -> Bool {
    guard scan[member.pid]?.role == .proxy else { return false }
    return scan.browsers.contains { pid, details in
      guard details.part == .browser, pid != root.pid, let other = scan.living(pid) else { return false }
      return scan.descends(pid, from: member.pid) && suspects[other.identity]?.isDealtWith != true
    }
  }

  /// The ends of browsers and of those who drive them are worth a look at once.
  private mutating func follow(in scan: ProcessScan, into actions: inout [Action]) {
    var wanted: Set<ProcessIdentity> = []
    for (pid, browser) in scan.browsers where browser.part == .browser && browser.isAutomated {
      guard let process = scan.living(pid) else { continue }
      wanted.insert(process.identity)
      if case .living(let driver) = climb(from: process, in: scan).end, let driver = scan[driver] {
        wanted.insert(driver.identity)
      }
    }
    hasBrowsers = !wanted.isEmpty
    for process in wanted.subtracting(following).sorted(by: { $0.pid < $1.pid }) { actions.append(.follow(process)) }
    following = wanted
  }

  // MARK: what earlier passes saw

  /// What is remembered of one of a browser's processes and of those above it.
  struct Known: Sendable {
    var parent: Int32
    /// The parent is not the one that it had before: whoever took it over did not start it.
    var isAdopted = false
    /// It has used next to no CPU since then.
    var restsSince: Instant
    var cpu: TimeSpan
    /// At the last look.
    var seen: (at: Instant, cpu: TimeSpan)

    init(_ process: ProcessSighting, at now: Instant) {
      parent = process.parent
      restsSince = now
      cpu = process.cpu
      seen = (now, process.cpu)
    }
  }

  private mutating func remember(_ scan: ProcessScan, at now: Instant) {
    var seen: [ProcessIdentity: Known] = [:]
    func works(_ cpu: TimeSpan, since: Instant) -> Bool { Self.isWork(cpu, within: now - since) }
    func note(_ process: ProcessSighting) {
      guard seen[process.identity] == nil else { return }
      var entry = known[process.identity] ?? Known(process, at: now)
      if entry.parent != process.parent {
        entry.parent = process.parent
        entry.isAdopted = true
      }
      // Also since the last look: an hour's rest must not make up for a second's work.
      if works(process.cpu - entry.cpu, since: entry.restsSince) || works(process.cpu - entry.seen.cpu, since: entry.seen.at) {
        entry.restsSince = now
        entry.cpu = process.cpu
      }
      entry.seen = (now, process.cpu)
      seen[process.identity] = entry
    }
    defer { known = seen }
    for pid in Array(scan.browsers.keys) + Array(scan.helpers.keys) {
      var next = scan.living(pid)
      for _ in 0..<ProcessScan.longestChain {
        guard let process = next, process.identity.pid > 1, seen[process.identity] == nil else { break }
        note(process)
        next = scan.living(process.parent)
      }
    }
    // What is paused, or whose driver is, rests by order.
    for (pid, browser) in scan.browsers where browser.part == .renderer {
      guard let page = scan.living(pid), let root = scan.browser(of: pid).flatMap({ scan[$0] }) else { continue }
      let above = [page, root] + scan.ancestors(of: root).compactMap { scan[$0] }
      if above.contains(where: { $0.state == .stopped }) {
        seen[page.identity]?.restsSince = now
        seen[page.identity]?.cpu = page.cpu
      }
    }
  }
}
