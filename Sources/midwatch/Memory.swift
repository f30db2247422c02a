import Configuration
import Daemon
import Formats
import Kernel
import Rules

/// `midwatch memory`: how much memory is in use, and by whom.
enum Memory {
  static let command = Command(
    name: "memory", summary: "how much memory is in use, and by whom", usage: "",
    details: """
      Shows how much memory is in use beside the thresholds of [memory], and who uses it, the greatest
      first: a browser with all its processes is one row, a job is one, and of the rest each
      program of each user. Sizes are real (PSS and SwapPss), so that they add up; beside them stands
      what the RSS of ps adds up to. 1 GB is 1024 MB. Touches nothing, and needs neither a midwatchd
      nor a configuration. What ~ stands before is an estimate: only root may measure the
      processes of others.

      Exit: 0 fine, 1 at or above warn, 2 at or above act, 3 unknown.
      """,
    run: run)

  static func run(_ invocation: Invocation) throws(Failure) -> Int32 {
    var invocation = invocation
    // Who has no configuration yet has memory all the same; of the defaults [memory] alone is read.
    if !invocation.loader.namesSomething { invocation.loader.root = Path("/var/lib/midwatch") }
    let report = try MemoryReport(try Site(invocation))
    try Output.write(invocation.wantsJSON ? report.json.line : Array(report.text.utf8))
    return report.state.rawValue
  }
}

/// Everything that `memory` looks at, at one moment.
struct MemoryReport {
  enum State: Int32 {
    case ok = 0
    case tight, short, unknown

    var word: String {
      switch self {
      case .ok: "OK"
      case .tight: "TIGHT"
      case .short: "SHORT"
      case .unknown: "UNKNOWN"
      }
    }

    var painted: String {
      let text = padded(word, 10)
      switch self {
      case .ok: return Ink.green(text)
      case .short: return Ink.red(text)
      case .tight, .unknown: return Ink.yellow(text)
      }
    }
  }

  let settings: MemorySettings
  /// nil where the machine does not say.
  let level: MemoryLevel?
  let ledger: MemoryLedger
  /// How many processes would have been measured and are others'.
  let refused: Int
  /// Some processes are not shown to us at all.
  let isPartial: Bool

  init(_ site: Site) throws(Failure) {
    settings = site.settings.memory
    do throws(Errno) {
      var sensor = try MemorySensor()
      level = sensor.level()
      var scanner = try ProcessScanner()
      let scan = try scanner.scan()
      isPartial = scan.isPartial
      var census = try MemoryCensus()
      // A person who asks has more time than a watch in need.
      let finding = census.take(scan, idle: IdleRenderers.known(to: site, in: scan), measuring: 99)
      ledger = finding.ledger
      refused = finding.refused
    } catch { throw .failed(71, "midwatch: /proc cannot be read: \(error); midwatch knows nothing without it") }
  }

  var state: State {
    guard let level else { return .unknown }
    guard settings.mode != .off else { return .ok }
    if let act = settings.policy.act, level.percent >= act { return .short }
    return level.percent >= settings.policy.warn ? .tight : .ok
  }
}
