import Configuration
import Foundation
import Kernel
import Rules
import TestSupport
import Testing

@testable import Daemon

/// One pass over the /proc of this machine, with processes in it that a test put there.
@Suite struct ProcessScannerTests {
  private func scan(_ executables: [String] = [], helpers: [String] = []) throws -> ProcessScan {
    var scanner = try ProcessScanner(executables: executables, helpers: try helpers.map { try Glob($0) })
    return try scanner.scan()
  }

  /// Scans until the process has become what it is to become: exec takes its time.
  private func scan(
    _ executables: [String] = [], helpers: [String] = [], until holds: (ProcessScan) -> Bool
  ) throws -> ProcessScan {
    var found = try scan(executables, helpers: helpers)
    _ = eventually(within: 30) {
      if holds(found) { return true }
      usleep(50_000)
      found = (try? scan(executables, helpers: helpers)) ?? found
      return false
    }
    return found
  }

  @Test func thisProcessIsInIt() throws {
    let scan = try scan()
    let own = try #require(scan[getpid()])
    #expect(own.parent == getppid())
    #expect(own.group == getpgrp())
    #expect(own.session == getsid(0))
    #expect(own.state == .running)
    #expect(own.role == .other)
    #expect(own.cpu > .zero)
    #expect(own.age > .zero && own.age < Clock.sinceBoot())
    #expect(own.identity == (try Processes().living(getpid())))
    #expect(scan[1]?.role == .reaper)
    #expect(scan.isPartial == false)
    #expect(scan.processes.map(\.identity.pid) == scan.processes.map(\.identity.pid).sorted())
  }

  @Test func stoppedAndEndedOnes() throws {
    let stopped = try Holder(sh: "kill -STOP $$")
    let ended = try Holder(sh: "exit")
    let found = try scan { $0[stopped.pid]?.state == .stopped && $0[ended.pid]?.state == .ended }
    #expect(found[stopped.pid]?.state == .stopped)
    #expect(found[ended.pid]?.state == .ended)
    #expect(found.living(ended.pid) == nil)
  }

  static let hasRoom: Bool = {
    var limit = rlimit()
    // RLIMIT_NPROC, which Foundation leaves out.
    getrlimit(__rlimit_resource_t(6), &limit)
    return Programs.isCI || limit.rlim_cur > 10_000 && ProcessInfo.processInfo.physicalMemory > 4 << 30
  }()

  @Test(.enabled(if: hasRoom, "this machine has no room for 5,000 processes")) func noneOfFiveThousandIsMissed() throws {
    let place = try Pipeline([])
    let holder = try Holder(
      python: """
        import os, sys, time
        pids = []
        for _ in range(5000):
            pid = os.fork()
            if pid == 0:
                while True: time.sleep(1000)
            pids.append(pid)
        with open(sys.argv[1] + ".new", "w") as file: file.write("\\n".join(map(str, pids)))
        os.rename(sys.argv[1] + ".new", sys.argv[1])
        time.sleep(1000)
        """, place.path("pids"))
    try #require(eventually(within: 240) { place.exists("pids") || holder.hasEnded })
    let pids = try #require(place.read("pids")).split(separator: "\n").compactMap { Int32($0) }
    try #require(pids.count == 5000)
    var scanner = try ProcessScanner()
    for _ in 0..<3 {
      let scan = try scanner.scan()
      let missed = pids.filter { scan[$0]?.parent != holder.pid || scan[$0]?.group != holder.pid }
      #expect(missed == [])
    }
  }

  @Test func namesMayBeAnything() throws {
    let place = try Pipeline([])
    let pretender = try Pretender()
    let holder = try Holder(
      python: """
        import ctypes, os, sys, time
        pids = []
        for name in [b"a) R 1 1 1 0 (", b")", b"((((", b"\\n\\n", b"\\xff" * 15, b" ", b") Z 0 0 0", b"chromium", b"chrome"]:
            pid = os.fork()
            if pid == 0:
                ctypes.CDLL(None).prctl(15, name, 0, 0, 0)
                while True: time.sleep(1000)
            pids.append(pid)
        for word in [b"\\xff\\x01 \\n" * 60, b"--type=renderer", b" ", b"x"]:
            pid = os.fork()
            if pid == 0: os.execv(sys.argv[2], [word, b"-c", b"sleep 1000; :"])
            pids.append(pid)
        with open(sys.argv[1] + ".new", "w") as file: file.write("\\n".join(map(str, pids)))
        os.rename(sys.argv[1] + ".new", sys.argv[1])
        time.sleep(1000)
        """, place.path("pids"), try pretender.program("chromium"))
    try #require(eventually { place.exists("pids") || holder.hasEnded })
    let pids = try #require(place.read("pids")).split(separator: "\n").compactMap { Int32($0) }
    let found = try scan { scan in pids.suffix(4).allSatisfy { scan.browsers[$0] != nil } }
    for pid in pids {
      #expect(found[pid]?.parent == holder.pid)
      #expect(found[pid]?.group == holder.pid)
    }
    // Python, whatever it calls itself.
    for pid in pids.prefix(9) { #expect(found[pid]?.role == .other) }
    // A browser's program, whatever its first word says.
    for pid in pids.suffix(4) { #expect(found.browsers[pid]?.part == .browser) }
  }

  @Test func aBrowsersCommandLineTellsWhoStartedIt() throws {
    let pretender = try Pretender()
    let lines: [(words: [String], isAutomated: Bool)] = [
      (["--headless"], true), (["--headless=new"], true), (["--enable-automation"], true), (["--test-type=webdriver"], true),
      (["--remote-debugging-pipe"], true), (["--screenshot=/x.png"], true), (["--dump-dom", "about:blank"], true),
      (["--print-to-pdf"], true), ([], false), (["--remote-debugging-port=9222"], false), (["--test-type"], false),
      (["--user-agent=x --headless"], false), (["--", "--headless"], false),
    ]
    let holders = try lines.map { try pretender.start("chrome", $0.words) }
    let found = try scan { scan in holders.allSatisfy { scan.browsers[$0.pid] != nil } }
    for (line, holder) in zip(lines, holders) {
      #expect(found.browsers[holder.pid]?.isAutomated == line.isAutomated, "\(line.words)")
      #expect(found.browsers[holder.pid]?.user == getuid())
      #expect(found.browsers[holder.pid]?.program == Hash.of(bytes: Array(try pretender.program("chrome").utf8)))
    }
  }

  @Test func profilesArePathsWithBlanksInThem() throws {
    let pretender = try Pretender()
    let one = try pretender.start("chromium-browser", ["--user-data-dir=/tmp/a b --c"])
    let other = try pretender.start("chromium-browser", ["--user-data-dir=/tmp/a"])
    let none = try pretender.start("chromium-browser")
    let found = try scan { scan in [one, other, none].allSatisfy { scan.browsers[$0.pid] != nil } }
    #expect(found.browsers[one.pid]?.profile == Hash.of(bytes: Array("/tmp/a b --c".utf8)))
    #expect(found.browsers[other.pid]?.profile == Hash.of(bytes: Array("/tmp/a".utf8)))
    #expect(found.browsers[none.pid]?.profile == .some(.none))
  }

  @Test func aHeadlessShellIsAlwaysAutomated() throws {
    let pretender = try Pretender()
    for name in ["chrome-headless-shell", "chromium-headless-shell", "headless_shell"] {
      let holder = try pretender.start(name)
      #expect(try scan { $0.browsers[holder.pid] != nil }.browsers[holder.pid]?.isAutomated == true)
    }
  }

  @Test func whatIsNoBrowser() throws {
    let pretender = try Pretender()
    for name in ["chrome_crashpad_handler", "code", "electron", "QtWebEngineProcess", "chrome-sandbox", "chromiums"] {
      let holder = try pretender.start(name, ["--type=renderer"])
      let found = try scan { $0[holder.pid] != nil }
      #expect(found[holder.pid]?.role == .other)
      #expect(found.browsers[holder.pid] == nil)
    }
    let own = try pretender.start("my-very-own-browser")
    #expect(try scan()[own.pid]?.role == .other)
    #expect(try scan(["/opt/x/my-very-own-browser"]) { $0.browsers[own.pid] != nil }[own.pid]?.role == .browser)
  }

  @Test func aProgramThatWasReplacedIsStillTheSame() throws {
    let pretender = try Pretender()
    let holder = try pretender.start("chromium")
    let before = try scan { $0.browsers[holder.pid] != nil }.browsers[holder.pid]
    try pretender.place.remove("chromium")
    let after = try scan().browsers[holder.pid]
    #expect(before != nil)
    #expect(after == before)
  }

  @Test func aZombieIsNoBrowser() throws {
    let holder = try Pretender().start("chromium", script: "exit")
    let found = try scan { $0[holder.pid]?.state == .ended }
    #expect(found[holder.pid]?.role == .other)
    #expect(found.browsers[holder.pid] == nil)
  }

  /// The chain of parents from a browser that `script` starts as `$1`.
  private func roles(above script: String, in shell: String) throws -> [ProcessSighting.Role] {
    let pretender = try Pretender()
    let program = try pretender.program("chromium")
    let holder =
      shell.hasSuffix("python3")
      ? try Holder(shell, ["-c", script, program]) : try Holder(shell, ["-c", script, "sh", program])
    func chain(_ scan: ProcessScan) -> [ProcessSighting.Role]? {
      for pid in scan.browsers.keys {
        var roles: [ProcessSighting.Role] = []
        var next = scan[pid]?.parent
        while let parent = next, let process = scan[parent] {
          roles.append(process.role)
          if parent == holder.pid { return roles }
          next = process.parent
        }
      }
      return nil
    }
    let found = try scan { chain($0) != nil }
    return chain(found) ?? []
  }

  @Test func wrappersStandAboveABrowser() throws {
    #expect(try roles(above: "\"$1\" -c 'sleep 1000; :'; :", in: "sh") == [.wrapper])
    #expect(
      try roles(above: "timeout --foreground 1000 env nice \"$1\" -c 'sleep 1000; :'; :", in: "bash") == [.wrapper, .wrapper])
  }

  @Test func aDriverThatIsCalledLikeAWrapperIsNone() throws {
    let script = """
      import ctypes, subprocess, sys
      ctypes.CDLL(None).prctl(15, b"NAME", 0, 0, 0)
      subprocess.run([sys.argv[1], "-c", "sleep 1000; :"])
      """
    for name in ["sh", "time", "init", "systemd", "chromedriver", "script"] {
      #expect(try roles(above: script.replacing("NAME", with: name), in: "python3") == [.other])
    }
  }

  @Test func aScriptThatIsCalledLikeABrowserWaitsForIt() throws {
    let pretender = try Pretender()
    let program = try pretender.program("chromium")
    // As Debian's chromium-headless-shell does.
    try pretender.place.write("chromium-headless-shell", "#!/bin/sh\n'\(program)' -c 'sleep 1000; :'\n:\n")
    #expect(chmod(pretender.place.path("chromium-headless-shell"), 0o755) == 0)
    let holder = try Holder(pretender.place.path("chromium-headless-shell"), [])
    let found = try scan { scan in scan.processes.contains { $0.parent == holder.pid && $0.role == .browser } }
    #expect(found[holder.pid]?.role == .wrapper)
    #expect(found.browsers[holder.pid] == nil)
  }

  @Test func whatAReaperAdoptedIsAHelper() throws {
    let pretender = try Pretender()
    let place = pretender.place
    try place.write("chroma-mcp", "import time, os, sys; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(1000)")
    let start = "python3 '\(place.path("chroma-mcp"))' "
    let owned = try Holder(sh: start + "'\(place.path("owned"))'; :")
    let left = try Holder(sh: start + "'\(place.path("left"))' & exit")
    try #require(eventually { ["owned", "left"].allSatisfy { Int32(place.read($0) ?? "") != nil } && left.hasEnded })
    let pids = try ["owned", "left"].map { try #require(Int32(place.read($0) ?? "")) }
    let found = try scan(helpers: ["chroma-*"]) { $0.helpers[pids[1]] != nil }
    #expect(found.helpers[pids[0]] == nil)
    #expect(found.helpers[pids[1]] == getuid())
    #expect(try scan(helpers: ["chroma", "python*x"]).helpers.isEmpty)
    #expect(try scan().helpers.isEmpty)
    _ = owned
  }
}

/// A real Chromium with a driver.
@Suite(.enabled(if: Programs.has("chromium"), "there is no chromium"), .serialized) struct ChromiumScanTests {
  @Test(arguments: [DrivenBrowser.Line.port, .pipe])
  func itsProcessesAreKnownForWhatTheyAre(line: DrivenBrowser.Line) throws {
    let driven = try DrivenBrowser(by: line)
    try #require(eventually { driven.browser != nil || driven.driver.hasEnded })
    let pid = try #require(driven.browser)
    var scanner = try ProcessScanner()
    var scan = try scanner.scan()
    func parts() -> [Int32: BrowserProcess.Part] {
      scan.browsers.filter { scan[$0.key]?.session == pid }.mapValues(\.part)
    }
    let wanted: Set<BrowserProcess.Part> = [.browser, .zygote, .gpu, .utility, .renderer]
    _ = eventually {
      if wanted.isSubset(of: parts().values) { return true }
      usleep(50_000)
      scan = (try? scanner.scan()) ?? scan
      return false
    }
    let found = parts()
    #expect(Set(found.values) == wanted)
    #expect(found.filter { $0.value == .browser }.keys.elementsEqual([pid]))
    let browser = try #require(scan.browsers[pid])
    #expect(browser.isAutomated)
    #expect(browser.profile == Hash.of(bytes: Array(driven.place.path("my profile").utf8)))
    for child in found.keys {
      #expect(scan.browsers[child]?.program == browser.program)
      #expect(scan.browsers[child]?.user == getuid())
      if found[child] == .renderer { #expect(scan.browsers[child]?.profile == browser.profile) }
    }
    #expect(scan[pid]?.parent == driven.driver.pid)
    #expect(scan[driven.driver.pid]?.role == .other)
  }
}
