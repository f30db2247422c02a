internal import Configuration
internal import Kernel
internal import ProcessTable
internal import Rules

extension ProcessLook {
  /// Asks those for their program who stand above a browser and are passed over by their name alone: whoever
  /// is called like a wrapper and is none may be the driver.
  mutating func confirmRoles(in scan: inout ProcessScan) throws(Errno) {
    var asked: Set<Int32> = []
    for pid in scan.browsers.keys {
      var next = scan[pid]?.parent
      while let pid = next, pid > 1, asked.insert(pid).inserted, let process = scan.living(pid) {
        next = nil
        switch process.role {
        case .other, .browser: break
        case .reaper: _ = try confirm(process, in: &scan)
        case .wrapper, .proxy: if try confirm(process, in: &scan) { next = process.parent }
        }
      }
    }
  }

  /// - Returns: whether it is what its name says.
  private mutating func confirm(_ process: ProcessSighting, in scan: inout ProcessScan) throws(Errno) -> Bool {
    let pid = process.identity.pid
    switch try readLink(pid, "exe") {
    case .gone: return true
    case .refused:
      // systemd --user has a capability more than its user's other processes, and is hidden from them.
      if process.role == .reaper { return true }
    case .read: if roles.confirms(process.role, lastComponent(withoutDeleted(text.bytes))) { return true }
    }
    scan.correct(pid, to: .other)
    return false
  }

  /// Looks for helpers among those whom a reaper has adopted.
  mutating func findHelpers(_ helpers: [Glob], in scan: inout ProcessScan) throws(Errno) {
    for process in scan.processes where process.role == .other && process.state != .ended {
      guard process.parent > 0, let parent = scan.living(process.parent), parent.role == .reaper else { continue }
      guard try isHelper(process.identity.pid, helpers) else { continue }
      if parent.identity.pid != 1 {
        guard try confirm(parent, in: &scan) else { continue }
      }
      guard try read(process.identity.pid, "status") == .read, let user = realUser(status: text.bytes)
      else { continue }
      scan.note(helper: process.identity.pid, of: user)
    }
  }

  private mutating func isHelper(_ pid: Int32, _ helpers: [Glob]) throws(Errno) -> Bool {
    guard try readLink(pid, "exe") == .read else { return false }
    if fits(lastComponent(withoutDeleted(text.bytes)), helpers) { return true }
    let runsScripts = roles.isInterpreter(lastComponent(withoutDeleted(text.bytes)))
    guard try read(pid, "cmdline") == .read else { return false }
    let words = CommandWords(text.bytes)
    if let first = words.word(0), fits(lastComponent(first), helpers) { return true }
    // A script; not an option, and not a file that something else has been given.
    guard runsScripts, let script = words.word(1), script.byteCount > 0,
      script.load(UInt8.self, at: 0) != UInt8(ascii: "-")
    else { return false }
    return fits(lastComponent(script), helpers)
  }

  private func fits(_ name: RawSpan, _ helpers: [Glob]) -> Bool {
    for helper in helpers where helper.matches(name) { return true }
    return false
  }
}
