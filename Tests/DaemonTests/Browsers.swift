import Foundation
import TestSupport
import Testing

/// Programs that only look like browsers: a shell under another name, so that a test can have it bear any
/// command line at no cost.
final class Pretender: Sendable {
  let place: Pipeline

  init() throws { place = try Pipeline([]) }

  /// A copy of the shell, of that name.
  func program(_ name: String) throws -> String {
    let path = place.path(name)
    if !place.exists(name) {
      let shell = try #require(Programs.find("dash"), "there is no dash")
      try FileManager.default.copyItem(atPath: shell, toPath: path)
    }
    return path
  }

  /// Starts one that waits until it is killed.
  func start(_ name: String, _ arguments: [String] = [], script: String = "sleep 1000; :") throws -> Holder {
    try Holder(try program(name), ["-c", script] + arguments)
  }
}

/// A real Chromium that a Python script drives; both are gone when the test lets go of it.
final class DrivenBrowser: Sendable {
  let place: Pipeline
  let driver: Holder

  enum Line: String { case port, pipe }

  /// - Parameter profile: the name of its directory.
  init(by line: Line, profile: String = "my profile", arguments: [String] = []) throws {
    place = try Pipeline([])
    driver = try Holder(
      python: Self.script, line.rawValue, place.path(profile), place.path("pid"), place.path("go"),
      arguments.joined(separator: "\n"))
  }

  deinit {
    // It may have outlived its driver; it is no child of ours.
    if let pid = browser { kill(pid, SIGKILL) }
  }

  /// nil before it was started.
  var browser: Int32? { place.read("pid").flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) } }

  static let program = "/usr/lib/chromium/chromium"

  /// As puppeteer and playwright start it: in a session of its own, socket pairs for its streams; then one
  /// connection that stays.
  private static let script = """
    import os, socket, sys, time
    line, profile, pid, go, more = sys.argv[1:6]
    words = ["chromium", "--headless=new", "--no-sandbox", "--user-data-dir=" + profile, "about:blank"] + more.split()
    pairs = [socket.socketpair() for _ in range(3)]
    ours, theirs = socket.socketpair()
    if line == "port": words.append("--remote-debugging-port=0")
    else: words.append("--remote-debugging-pipe")
    browser = os.fork()
    if browser == 0:
        os.setsid()
        kept = os.dup2(theirs.fileno(), 100)
        for number in range(3): os.dup2(pairs[number][1].fileno(), number)
        if line == "pipe": os.dup2(kept, 3); os.dup2(kept, 4)
        os.closerange(5 if line == "pipe" else 3, 256)
        os.execvp(words[0], words)
    for pair in pairs: pair[1].close()
    theirs.close()
    if line == "port":
        while True:
            try: port = int(open(profile + "/DevToolsActivePort").readline()); break
            except (OSError, ValueError): time.sleep(0.05)
        connection = socket.create_connection(("127.0.0.1", port))
    with open(pid + ".new", "w") as file: file.write(str(browser))
    os.rename(pid + ".new", pid)
    while True: time.sleep(1000)
    """
}
