internal import Kernel
internal import ProcessTable
internal import Rules

extension ProcessLook {
  /// Looks closer at a process that is named like a browser.
  ///
  /// - Parameter details: set where it is one.
  /// - Returns: what it is instead: a wrapper where a shell runs a script of that name, as Debian's
  ///   chromium-headless-shell does for as long as the browser runs.
  mutating func look(_ pid: Int32, into details: inout BrowserProcess?) throws(Errno) -> ProcessSighting.Role {
    var program: UInt64?
    var isHeadlessShell = false
    switch try readLink(pid, "exe") {
    case .gone: return .other
    // A sandbox that is set-uid hides its processes from everybody but root.
    case .refused: break
    case .read:
      let path = withoutDeleted(text.bytes)
      let name = lastComponent(path)
      guard roles.isBrowser(name) else { return roles.isWrapper(name) ? .wrapper : .other }
      program = Hash.of(path)
      isHeadlessShell = roles.isHeadlessShell(name)
    }
    guard try read(pid, "cmdline") == .read, var found = browser(text.bytes) else { return .other }
    found.program = program
    found.isAutomated = found.isAutomated || isHeadlessShell
    guard try read(pid, "status") == .read, let user = realUser(status: text.bytes) else { return .other }
    found.user = user
    details = found
    return .browser
  }
}

/// As far as the command line tells; nil for an empty one, which a process has that is about to end.
private func browser(_ line: RawSpan) -> BrowserProcess? {
  let words = CommandWords(line)
  guard words.word(0) != nil else { return nil }
  var profile: UInt64?
  if let path = words.value(of: "user-data-dir") { profile = Hash.of(path) }
  return BrowserProcess(
    part(words.type), user: .max, program: nil, profile: profile, isAutomated: isAutomated(words),
    isOwnPage: words.has("top-chrome-webui"))
}

private func part(_ type: RawSpan?) -> BrowserProcess.Part {
  guard let type else { return .browser }
  for (name, part) in parts where equal(type, name) { return part }
  return .other
}

private let parts: [(String, BrowserProcess.Part)] = [
  ("renderer", .renderer), ("gpu-process", .gpu), ("utility", .utility), ("zygote", .zygote),
]

/// A debug port alone does not count: people have one open too.
private func isAutomated(_ words: borrowing CommandWords) -> Bool {
  for flag in automationFlags where words.has(flag) { return true }
  guard let test = words.value(of: "test-type") else { return false }
  return equal(test, "webdriver")
}

private let automationFlags = [
  "headless", "enable-automation", "remote-debugging-pipe", "dump-dom", "screenshot", "print-to-pdf",
]
