internal import Kernel
internal import ProcessTable
internal import Rules

/// Looks at single processes for a pass, through one buffer.
struct ProcessLook: ~Copyable {
  let proc: Directory
  let roles: ProcessRoles
  var text = ReadBuffer(capacity: 65_536)
  /// Somebody's process may not be looked at.
  private(set) var wasRefused = false
  private var now = TimeSpan.zero

  init(_ proc: consuming Directory, _ roles: ProcessRoles) {
    self.proc = proc
    self.roles = roles
  }

  mutating func begin() {
    wasRefused = false
    now = Clock.sinceBoot()
  }

  /// What became of a read.
  enum Answer: Equatable {
    case read
    /// The process has ended.
    case gone
    case refused
  }

  /// - Throws: what would not be the process's fault.
  mutating func read(_ pid: Int32, _ file: String) throws(Errno) -> Answer {
    do throws(Errno) {
      try proc.read(ShortPath(pid, file), into: &text)
      return .read
    } catch {
      return try answer(error)
    }
  }

  /// The same for a symlink.
  mutating func readLink(_ pid: Int32, _ file: String) throws(Errno) -> Answer {
    do throws(Errno) {
      try proc.readLink(ShortPath(pid, file), into: &text)
      return .read
    } catch {
      return try answer(error)
    }
  }

  private func answer(_ error: Errno) throws(Errno) -> Answer {
    switch error {
    case .noEntry, .noProcess: return .gone
    case .accessDenied, .notPermitted: return .refused
    default: throw error
    }
  }

  mutating func add(_ pid: Int32, to scan: inout ProcessScan) throws(Errno) {
    let answer = try read(pid, "stat")
    guard answer == .read else {
      if answer == .refused { wasRefused = true }
      return
    }
    guard let stat = ProcessStat(text.bytes), stat.pid == pid else { return }
    var role = pid == 1 ? .reaper : roles.role(stat.name)
    if role == .browser {
      var details: BrowserProcess?
      // A zombie shows nothing more.
      role = stat.isZombie ? .other : try look(pid, into: &details)
      if let details {
        scan.add(sighting(stat, .browser), browser: details)
        return
      }
    }
    scan.add(sighting(stat, role))
  }

  private func sighting(_ stat: ProcessStat, _ role: ProcessSighting.Role) -> ProcessSighting {
    // It may have started since the pass began.
    let age = max(.zero, now - Clock.span(ofTicks: stat.startTicks))
    return ProcessSighting(
      ProcessIdentity(pid: stat.pid, startTicks: stat.startTicks), parent: stat.parent, group: stat.group,
      session: stat.session, state: .init(stat), role: role, cpu: Clock.span(ofTicks: stat.cpuTicks), age: age)
  }
}

extension ProcessSighting.State {
  init(_ stat: ProcessStat) {
    self =
      if stat.isZombie {
        .ended
      } else if stat.isStopped {
        .stopped
      } else if stat.state == UInt8(ascii: "D") {
        .blocked
      } else {
        .running
      }
  }
}
