import Rules

/// A machine's processes as `ps` would list them, and what the kernel does when one of them ends.
struct Machine {
  static let user: UInt32 = 1000
  static let chromium: UInt64 = 7

  struct Entry {
    var sighting: ProcessSighting
    var browser: BrowserProcess?
    var helperOf: UInt32?
    /// In seconds of the story.
    var started: Int64
  }

  private(set) var entries: [Int32: Entry] = [:]
  /// Those who called `prctl(PR_SET_CHILD_SUBREAPER)`.
  var subreapers: Set<Int32> = []
  var now: Int64 = 0

  /// Pid 1 adopts, whatever it is called.
  init() {
    entries[1] = Entry(
      sighting: ProcessSighting(ProcessIdentity(pid: 1, startTicks: 1), parent: 0, group: 1, session: 1),
      started: -1_000_000)
  }

  /// - Parameter group: its process group; its parent's without one.
  mutating func start(
    _ pid: Int32, under parent: Int32 = 1, _ role: ProcessSighting.Role = .other, group: Int32? = nil,
    session: Int32? = nil
  ) {
    let above = entries[parent]?.sighting
    let sighting = ProcessSighting(
      ProcessIdentity(pid: pid, startTicks: UInt64(1_000_000_000 + now * 100) + UInt64(pid)), parent: parent,
      group: group ?? above?.group ?? pid, session: session ?? above?.session ?? pid, role: role)
    entries[pid] = Entry(sighting: sighting, started: now)
  }

  /// - Parameter detached: in a group and session of its own, as puppeteer and playwright start it.
  mutating func browser(
    _ pid: Int32, under parent: Int32 = 1, detached: Bool = true, automated: Bool = true, user: UInt32 = user,
    program: UInt64? = chromium, profile: UInt64? = nil
  ) {
    start(pid, under: parent, .browser, group: detached ? pid : nil, session: detached ? pid : nil)
    entries[pid]?.browser = BrowserProcess(
      .browser, user: user, program: program, profile: profile, isAutomated: automated)
  }

  mutating func part(
    _ pid: Int32, _ part: BrowserProcess.Part, under parent: Int32, ownPage: Bool = false, user: UInt32 = user,
    program: UInt64? = chromium, profile: UInt64? = nil
  ) {
    start(pid, under: parent, .browser)
    entries[pid]?.browser = BrowserProcess(
      part, user: user, program: program, profile: profile, isOwnPage: ownPage)
  }

  mutating func helper(_ pid: Int32, under parent: Int32, user: UInt32 = user) {
    start(pid, under: parent)
    entries[pid]?.helperOf = user
  }

  /// What a browser consists of: two zygotes, GPU, network and storage, its own page and `pages` more,
  /// numbered from the browser's pid upward; the crash handlers are pid 1's from birth.
  mutating func tree(_ pid: Int32, pages: Int32 = 2, profile: UInt64? = nil) {
    for crash in [pid + 1, pid + 2] { start(crash, group: crash, session: crash) }
    part(pid + 3, .zygote, under: pid, profile: profile)
    part(pid + 4, .zygote, under: pid, profile: profile)
    part(pid + 5, .gpu, under: pid + 3, profile: profile)
    part(pid + 6, .utility, under: pid, profile: profile)
    part(pid + 7, .utility, under: pid + 4, profile: profile)
    part(pid + 8, .renderer, under: pid + 4, ownPage: true, profile: profile)
    for page in 0..<pages { part(pid + 9 + page, .renderer, under: pid + 4, profile: profile) }
  }

  /// The family that `tree` makes, the browser and its crash handlers left out.
  static func family(_ pid: Int32, pages: Int32 = 2) -> [Int32] { Array(pid + 3..<pid + 9 + pages) }

  /// SIGKILL: their children go to the nearest subreaper, or to pid 1.
  mutating func kill(_ pids: Int32...) {
    for pid in pids {
      var heir = entries[pid]?.sighting.parent ?? 1
      while heir > 1, !subreapers.contains(heir) { heir = entries[heir]?.sighting.parent ?? 1 }
      entries[pid] = nil
      for child in entries.keys where entries[child]?.sighting.parent == pid {
        entries[child]?.sighting.parent = max(heir, 1)
      }
    }
  }

  mutating func change(_ pid: Int32, _ change: (inout ProcessSighting) -> Void) {
    guard var entry = entries[pid] else { return }
    change(&entry.sighting)
    entries[pid] = entry
  }

  mutating func details(_ pid: Int32, _ change: (inout BrowserProcess) -> Void) {
    guard var details = entries[pid]?.browser else { return }
    change(&details)
    entries[pid]?.browser = details
  }

  /// Some of the processes are hidden from whoever looks.
  var isHiding = false

  var scan: ProcessScan {
    var scan = ProcessScan()
    scan.isPartial = isHiding
    for (_, entry) in entries.sorted(by: { $0.key < $1.key }) {
      var sighting = entry.sighting
      sighting.age = .seconds(now - entry.started)
      if let browser = entry.browser {
        scan.add(sighting, browser: browser)
      } else if let user = entry.helperOf {
        scan.add(sighting, helperOf: user)
      } else {
        scan.add(sighting)
      }
    }
    return scan
  }
}

/// A machine, who talks to whom on it, and a rule that looks at it.
struct LeakStory {
  /// What the rule did, when.
  struct Deed: Equatable, CustomStringConvertible {
    var second: Int64
    var isReport = false
    var kind: LeakRule.Kind
    var root: Int32
    var members: [Int32] = []
    var description: String { "\(second)s \(isReport ? "report" : "kill") \(kind) \(root) \(members)" }
  }

  var machine = Machine()
  var rule: LeakRule
  /// What is found out about whoever is asked for; nobody is connected to those who are not in it.
  var answers: [Int32: LeakEvidence] = [:]
  var unreadable: Set<Int32> = []

  init(policy: (inout LeakRule.Policy) -> Void = { _ in }) {
    var rules = LeakRule.Policy()
    rules.users = [Machine.user]
    policy(&rules)
    rule = LeakRule(policy: rules)
  }

  mutating func connect(_ peer: Int32, to pid: Int32, by line: LeakEvidence.Peer.Line) {
    answers[pid, default: LeakEvidence()].peers.append(.init(pid: peer, line: line))
  }

  func evidence(for asked: [ProcessIdentity]) -> [ProcessIdentity: LeakEvidence] {
    var found: [ProcessIdentity: LeakEvidence] = [:]
    for process in asked where !unreadable.contains(process.pid) {
      found[process] = answers[process.pid] ?? LeakEvidence()
    }
    return found
  }

  /// One pass, with the answer to what the rule asks in it.
  mutating func pass(_ second: Int64) -> [LeakRule.Action] {
    machine.now = second
    var actions: [LeakRule.Action] = []
    rule.handle(.scanned(machine.scan), at: at(second), into: &actions)
    for case .examine(let asked) in actions {
      rule.handle(.examined(evidence(for: asked)), at: at(second), into: &actions)
    }
    return actions
  }

  mutating func look(_ second: Int64) -> [Deed] {
    pass(second).compactMap { action in
      switch action {
      case .kill(let leak): deed(second, false, leak)
      case .report(let leak): deed(second, true, leak)
      case .examine, .follow: nil
      }
    }
  }

  private func deed(_ second: Int64, _ isReport: Bool, _ leak: LeakRule.Leak) -> Deed {
    Deed(second: second, isReport: isReport, kind: leak.kind, root: leak.root.pid, members: leak.members.map(\.pid))
  }

  /// A pass every 30 s, both ends included.
  mutating func look(from first: Int64, to last: Int64) -> [Deed] {
    var deeds: [Deed] = []
    for second in stride(from: first, through: last, by: 30) { deeds += look(second) }
    return deeds
  }

  func outlook(of pid: Int32) -> LeakRule.Outlook? { rule.outlooks.first { $0.process.pid == pid } }

  func verdict(on pid: Int32) -> LeakRule.Verdict {
    let scan = machine.scan
    return rule.verdict(on: pid, in: scan, evidence(for: scan.processes.map(\.identity)), at: at(machine.now))
  }
}
