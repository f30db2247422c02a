import Daemon
import Formats
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

  static func parse(_ words: [String]) -> DaemonArguments {
    var arguments = Arguments(words)
    var loader = SettingsLoader()
    loader.isService = true
    do throws(Arguments.Misuse) {
      while let word = try arguments.next() {
        switch word {
        case .option("--help"), .option("-h"): return .show(help)
        case .option("--version"): return .show("midwatchd \(Version.text)\n")
        case .option("--observe"): loader.observesOnly = true
        case .option(let name):
          if try !loader.take(name, of: &arguments) { return .misused("'\(escaped(Array(name.utf8)))' is not understood") }
        case .operand(let word): return .misused("'\(escaped(Array(word.utf8)))' is not understood")
        }
      }
      return .watch(loader)
    } catch { return .misused(error.description) }
  }
}
