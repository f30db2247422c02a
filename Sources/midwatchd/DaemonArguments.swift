import Daemon
import Kernel

/// What `midwatchd` was called with.
enum DaemonArguments {
  case watch(SettingsLoader)
  case show(String)
  case misused(String)

  static let help = """
    Usage: midwatchd [--config FILE] [--root DIR] [--set SECTION.KEY=VALUE]... [--observe]

    Guards a pipeline of agents: reaps stale locks, marks silent agents, halts a runaway one.
    Runs in the foreground until SIGTERM; SIGHUP reads the configuration anew.

      --config FILE            read this file instead of /etc/midwatch/midwatch.conf
      --root DIR               guard this directory with built-in defaults; everything midwatchd
                               keeps goes to DIR/.midwatch
      --set SECTION.KEY=VALUE  set any key, as in --set locks.stale-after=10s
      --observe                decide and journal, but touch nothing
      --help, --version

    Exit: 0 stopped, 64 bad usage, 71 the kernel refused something, 73 no state directory,
    75 another midwatchd is at work there, 78 bad configuration.

    """

  static func parse(_ arguments: [String]) -> DaemonArguments {
    var loader = SettingsLoader()
    var rest = arguments[...]
    while let word = rest.popFirst() {
      let (name, attached) = split(word)
      func value(_ what: String) -> String? { attached ?? rest.popFirst() }
      switch name {
      case "--help", "-h": return .show(help)
      case "--version": return .show("midwatchd \(Version.text)\n")
      case "--observe":
        if attached != nil { return .misused("--observe takes no value") }
        loader.observesOnly = true
      case "--config":
        guard let file = value(name) else { return .misused("--config needs a file") }
        loader.file = Path(absolute(file))
      case "--root":
        guard let root = value(name) else { return .misused("--root needs a directory") }
        loader.root = Path(absolute(root))
      case "--set":
        guard let assignment = value(name) else { return .misused("--set needs SECTION.KEY=VALUE") }
        loader.assignments.append(assignment)
      default: return .misused("'\(word)' is not understood")
      }
    }
    return .watch(loader)
  }

  private static func split(_ word: String) -> (name: String, value: String?) {
    guard word.hasPrefix("--"), let equals = word.firstIndex(of: "=") else { return (word, nil) }
    return (String(word[..<equals]), String(word[word.index(after: equals)...]))
  }
}
