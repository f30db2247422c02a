internal import Formats
internal import Kernel

/// Says what happens on standard error: with `<N>` priorities where the journal listens, coloured
/// for a person at a terminal, dated in a plain file.
public struct Log: Sendable {
  /// The raw value is the priority of syslog(3) that sd-daemon(3) takes.
  public enum Level: Int, Sendable {
    case alert = 1
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6
  }

  private enum Manner: Sendable { case journal, colour, terminal, file }
  private let manner: Manner

  public init() {
    if Terminal.errorGoesToJournal {
      manner = .journal
    } else if Terminal.isTerminal(.error) {
      manner = environment("NO_COLOR").map(\.isEmpty) ?? true ? .colour : .terminal
    } else {
      manner = .file
    }
  }

  /// One line. What comes from outside has gone through `escaped` before it stands in `text`.
  public func say(_ level: Level, _ text: String) {
    let line =
      switch manner {
      case .journal: "<\(level.rawValue)>\(text)\n"
      case .colour: "\(clock) \(level.colour)\(level.label)\(text)\u{1b}[0m\n"
      case .terminal: "\(clock) \(level.label)\(text)\n"
      case .file: "\(Clock.wall().timestamp) \(level.label)\(text)\n"
      }
    Terminal.write(Array(line.utf8), to: .error)
  }

  /// Hours, minutes and seconds are enough on a screen.
  private var clock: String { String(Clock.wall().timestamp.dropFirst(11).prefix(8)) }
}

extension Log.Level {
  var label: String {
    switch self {
    case .alert: "ALERT: "
    case .error: "error: "
    case .warning: "warning: "
    case .notice, .info: ""
    }
  }

  fileprivate var colour: String {
    switch self {
    case .alert: "\u{1b}[1;31m"
    case .error: "\u{1b}[31m"
    case .warning: "\u{1b}[33m"
    case .notice: "\u{1b}[1m"
    case .info: ""
    }
  }
}
