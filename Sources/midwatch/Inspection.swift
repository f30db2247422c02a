import Configuration
import Daemon
import Formats
import Kernel
import ProcessTable
import Rules

/// One process as the leak rule sees it, looked at once.
struct Inspection {
  let process: ProcessSighting
  let scan: ProcessScan
  let verdict: LeakRule.Verdict
  private let rule: LeakRule
  private let names: [Int32: String]
  private let memory: UInt64?
  private let user: UInt32
  private let unit: String?
  private let job: String?

  /// - Returns: nil where it has ended.
  init?(of pid: Int32, _ settings: Settings, root: Path) throws(Errno) {
    let leaks = settings.leaks
    var scanner = try ProcessScanner(executables: leaks.programs, helpers: leaks.helpers)
    scan = try scanner.scan()
    guard let process = scan[pid] else { return nil }
    self.process = process
    var rule = LeakRule(policy: leaks.policy)
    rule.policy.users = leaks.owners(root: root)
    let now = Clock.instant()
    var verdict = rule.verdict(on: pid, in: scan, [:], at: now)
    if case .open(let questions) = verdict {
      var witness = try LeakWitness()
      verdict = rule.verdict(on: pid, in: scan, witness.evidence(by: questions, allow: leaks.allow), at: now)
    }
    self.verdict = verdict
    self.rule = rule
    let processes = try Processes()
    let above = scan.ancestors(of: process)
    names = Dictionary(uniqueKeysWithValues: ([pid] + above).map { ($0, processes.name(of: $0)) })
    memory = processes.memory(of: pid)?.total
    user = processes.user(of: pid) ?? .max
    unit = processes.unit(of: pid)
    job = processes.job(of: pid)
  }

  func treatment(of kind: LeakRule.Kind) -> LeakRule.Policy.Treatment { rule.policy.treatment(of: kind) }

  /// `renderer of chromium, sleeping, 2h old, 512 MB`
  var description: String {
    let pid = process.identity.pid
    let name = name(pid)
    let part = scan.browsers[pid].map { $0.part == .browser ? "the browser " : "\($0.part.rawValue) of " } ?? ""
    let state =
      switch process.state {
      case .running: ""
      case .stopped: ", stopped"
      case .blocked: ", in the kernel or frozen"
      case .ended: ", dead, and not yet waited for"
      }
    let size = memory.map { ", \(MemorySize.text($0))" } ?? ""
    return "\(part)\(name)\(state), \(spoken(process.age)) old, \(spoken(process.cpu)) of CPU\(size)"
  }

  /// From the parent up.
  var parents: String {
    let above = scan.ancestors(of: process).map { "\(name($0)) (\($0))" }
    return above.isEmpty ? "the kernel" : above.joined(separator: " < ")
  }

  var owner: String {
    let user = escaped(Array(UserName.of(uid: user).utf8))
    return user + (unit.map { ", \($0)" } ?? "") + (job.map { ", job \($0)" } ?? "")
  }

  private func name(_ pid: Int32) -> String { names[pid].flatMap { $0.isEmpty ? nil : $0 } ?? "?" }

  var proof: String {
    guard case .leaked(let kind, let proof) = verdict else { return "" }
    if let rest = proof.rest { return "no CPU used for \(spoken(rest))" }
    let adopter = "\(name(proof.adopter)) (\(proof.adopter)) took it over"
    return kind == .orphanChild
      ? "its browser is dead, \(adopter)" : "whoever started it is dead, \(adopter), and nobody is connected to it"
  }

  func words(for reason: LeakRule.Reason) -> String {
    switch reason {
    case .notOurs: "no browser's process and no helper"
    case .anotherUser: "another user's: [leaks] users names whose may be killed besides the pipeline's owner's"
    case .notAutomated: "a person's browser: nothing on its command line says that a program drives it"
    case .unreadable: "not all that would prove a leak can be read"
    case .container: "it lives in a container, and is its business"
    case .allowed(let pattern): "allowed by \(shown(pattern)) under [leaks] allow"
    case .service(let main): "it belongs to a service of systemd's, whose main process is \(main)"
    case .driven(let by): "\(name(by)) (\(by)), which started it, lives"
    case .connected(let peer): "pid \(peer.pid) is connected to its \(peer.line.rawValue)"
    case .connectedToSomebody: "somebody who cannot be named from here is connected to it"
    case .proxyInUse(let proxy): "its chromedriver (\(proxy)) has a client"
    case .browserLives(let browser): "its browser (\(browser)) lives"
    case .notRestingYet:
      "a page that was busy within the last \(rule.policy.abandonedRest.text), or that nobody has watched for so long"
    case .tooYoung: "a page younger than \(rule.policy.abandonedAge.text)"
    case .ownPage: "one of the browser's own pages"
    case .lastPage: "one of its browser's two youngest pages, of which one may be a spare"
    }
  }
}
