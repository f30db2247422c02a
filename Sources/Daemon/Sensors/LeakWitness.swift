public import Configuration
public import Kernel
internal import ProcessTable
public import Rules

/// Finds out who still has a line to a suspect: its debug port, its debug pipe, its standard streams.
///
/// Costs a look at every descriptor of every process, however many the suspects; so ask for all at once.
public struct LeakWitness: ~Copyable {
  let proc: Directory
  var text = ReadBuffer(capacity: 65_536)
  var entries = ReadBuffer(capacity: 32_768)
  private let namespaces: Namespaces

  /// - Throws: what keeps /proc, or this process's own namespaces, from being looked at.
  public init() throws(Errno) {
    let proc = try Directory(Path("/proc"))
    // By the path alone: /proc/self is a symlink, which `directory(_:)` refuses.
    namespaces = Namespaces(
      processes: try proc.linkText(Path("self/ns/pid")), network: try proc.linkText(Path("self/ns/net")))
    self.proc = proc
  }

  /// What can be said for each of these processes, in their order.
  ///
  /// - Parameter allow: compared with the unit, the profile directory and the debug port.
  /// - Returns: nil for one of which not everything could be read, or which is another one by now: nothing
  ///   is proved against it.
  /// - SeeAlso: proc_pid_fd(5); proc_pid_net(5); sock_diag(7)
  public mutating func evidence(on suspects: [ProcessIdentity], allow: [Glob] = []) -> [LeakEvidence?] {
    var found = suspects.map { look(at: $0, allow: allow) }
    let sockets = Set(found.flatMap { $0?.sockets.map(\.inode) ?? [] })
    // Before the holders are looked for: who closes his end in between is not found, and so unknown.
    let peers = sockets.isEmpty ? [:] : try? SocketPeers.of(sockets)
    for index in found.indices { found[index]?.connect(peers) }
    let wanted = Set(found.flatMap { $0?.lines.map(\.end) ?? [] })
    let holders = wanted.isEmpty ? LineHolders() : try? LineHolders(of: wanted, in: proc, &entries, &text)
    return found.map { suspect in
      guard let suspect, let holders, isThere(suspect.identity) else { return nil }
      var evidence = suspect.evidence(holders)
      evidence.peers.removeAll { $0.line == .stream && isCollector($0.pid) }
      return evidence
    }
  }

  /// Reads what anybody prints, and drives nobody: cron waits for a job's output for as long as a browser
  /// that the job left behind holds it open.
  private mutating func isCollector(_ pid: Int32) -> Bool {
    guard (try? proc.readLink(ShortPath(pid, "exe"), into: &text)) != nil else { return false }
    let program = lastComponent(withoutDeleted(text.bytes))
    return ["cron", "crond", "logger", "rsyslogd", "syslog-ng", "systemd-journald"].contains { equal(program, $0) }
  }

  /// The same by process; what cannot be said is missing.
  public mutating func evidence(by suspects: [ProcessIdentity], allow: [Glob]) -> [ProcessIdentity: LeakEvidence] {
    var known: [ProcessIdentity: LeakEvidence] = [:]
    for (suspect, evidence) in zip(suspects, evidence(on: suspects, allow: allow)) { known[suspect] = evidence }
    return known
  }

  private mutating func look(at identity: ProcessIdentity, allow: [Glob]) -> Suspect? {
    guard isThere(identity) else { return nil }
    do throws(Unreadable) {
      return try suspect(identity, in: namespaces, allow: allow)
    } catch {
      return nil
    }
  }

  private mutating func isThere(_ identity: ProcessIdentity) -> Bool {
    guard (try? proc.read(ShortPath(identity.pid, "stat"), into: &text)) != nil,
      let stat = ProcessStat(text.bytes)
    else { return false }
    return stat.pid == identity.pid && stat.startTicks == identity.startTicks && !stat.isZombie
  }
}

/// Where this process is, as links below `/proc/PID/ns` name it. - SeeAlso: namespaces(7)
struct Namespaces: Sendable {
  let processes: [UInt8]
  let network: [UInt8]
}

/// Something about a suspect could not be read.
struct Unreadable: Error {}
