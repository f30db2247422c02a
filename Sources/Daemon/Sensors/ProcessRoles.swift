internal import Kernel
internal import ProcessTable
internal import Rules

/// What programs are, by their names.
///
/// A process is first judged by its name, which costs nothing and which it may have chosen itself; where
/// something depends on it, by its program.
struct ProcessRoles: Sendable {
  /// A program as a list of names knows it: the last component of its path.
  private struct Programs: Sendable {
    private var hashes: Set<UInt64> = []
    init(_ names: [String]) { for name in names { hashes.insert(Hash.of(bytes: Array(name.utf8))) } }
    func contains(_ program: RawSpan) -> Bool { hashes.contains(Hash.of(program)) }
  }

  private var roles: [ProcessName: ProcessSighting.Role] = [:]
  private let browsers: Programs
  private let headless = Programs(headlessShells)
  private let proxies = Programs(proxyNames)
  private let wrappers = Programs(wrapperNames + otherWrapperPrograms)
  private let interpreters = Programs(interpreterNames)
  private let reapers = Programs(reaperNames)

  /// - Parameter executables: names or paths of further browsers.
  init(executables: [String]) {
    let own = executables.map { String($0.split(separator: "/").last ?? "") }.filter { !$0.isEmpty }
    browsers = Programs(browserNames + headlessShells + own)
    for (names, role) in [
      (reaperNames, ProcessSighting.Role.reaper), (wrapperNames, .wrapper), (proxyNames, .proxy),
      (browserNames + headlessShells + own, .browser),
    ] {
      for name in names { roles[ProcessName(ofProgram: name)] = role }
    }
  }

  func role(_ name: ProcessName) -> ProcessSighting.Role { roles[name] ?? .other }

  func isBrowser(_ program: RawSpan) -> Bool { browsers.contains(program) }
  func isHeadlessShell(_ program: RawSpan) -> Bool { headless.contains(program) }
  /// Runs scripts, whatever its version.
  func isInterpreter(_ program: RawSpan) -> Bool {
    var count = program.byteCount
    while count > 0, versionBytes.contains(program.load(UInt8.self, at: count - 1)) { count -= 1 }
    return interpreters.contains(program.extracting(first: count))
  }

  func isWrapper(_ program: RawSpan) -> Bool { wrappers.contains(program) }

  /// Whether a process that is so by its name is so by its program too. An agent's script may be called
  /// `init` or `time` as well, and its interpreter is neither.
  func confirms(_ role: ProcessSighting.Role, _ program: RawSpan) -> Bool {
    switch role {
    case .wrapper: wrappers.contains(program)
    case .proxy: proxies.contains(program)
    case .reaper: reapers.contains(program)
    case .browser: browsers.contains(program)
    case .other: true
    }
  }
}

// Not chrome_crashpad_handler, which has a reaper for its parent from birth; not Electron's programs and not
// QtWebEngineProcess, which are somebody's application.
private let browserNames = ["chromium", "chrome", "chromium-browse", "chromium-browser"]
private let headlessShells = ["chrome-headless", "chrome-headless-shell", "chromium-headless-shell", "headless_shell"]
private let proxyNames = ["chromedriver"]
private let wrapperNames = [
  "sh", "dash", "bash", "zsh", "ksh", "ash", "busybox", "timeout", "env", "nice", "ionice", "flock", "setsid", "nohup",
  "xvfb-run", "stdbuf", "su", "sudo", "runuser", "setpriv", "chrt", "taskset", "time", "script", "unshare", "nsenter",
  "midwatch-sh", "midwatchd",
  // Below a supervisor they run one program for it; where they are pid 1 they adopt by that.
  "tini", "dumb-init", "docker-init", "catatonit",
]
/// Programs that go by many names.
private let otherWrapperPrograms = ["coreutils", "ksh93", "lksh", "midwatch", "mksh", "tini-static", "toybox", "zsh5"]
// Besides pid 1. Whoever else adopts is known by it once a process has been seen under two parents.
private let reaperNames = ["systemd"]
private let interpreterNames = ["bash", "bun", "dash", "deno", "node", "nodejs", "perl", "python", "ruby", "sh"]
private let versionBytes = Set("0123456789.".utf8)
