import Daemon
import Formats
import Kernel

/// One subcommand: what it is called, what it takes, and what it does.
struct Command: Sendable {
  struct Option: Sendable {
    let name: String
    let short: String?
    /// What its value is, for whoever leaves it out; nil where it takes none.
    let value: String?
  }

  enum Operands: Sendable {
    case none
    /// Exactly one; what it is called, and one to type.
    case one(String, example: String)
    case any
  }

  let name: String
  /// For the list of commands.
  let summary: String
  /// Behind the name, in its own help.
  let usage: String
  /// What it does, what its options are, how it exits.
  let details: String
  var operands = Operands.none
  var options: [Option] = []
  let run: @Sendable (Invocation) throws(Failure) -> Int32

  static let common = """
      --root DIR               the pipeline's directory, as given to midwatchd
      --config FILE            the configuration, as given to midwatchd
      --set SECTION.KEY=VALUE  set any key, as for midwatchd
      --json                   for programs
      --help
    """

  var help: String {
    "Usage: midwatch \(name)\(usage.isEmpty ? "" : " \(usage)")\n\n\(details)\n\n\(Self.common)\n"
  }

  func option(_ name: String) -> Option? { options.first { $0.name == name || $0.short == name } }

  func check(_ given: [String]) throws(Failure) {
    switch operands {
    case .any: return
    case .none:
      guard let first = given.first else { return }
      throw .misused("'\(name)' takes no arguments, and '\(escaped(Array(first.utf8)))' is one")
    case .one(let what, let example):
      if given.isEmpty { throw .misused("'\(name)' needs \(what), as in: midwatch \(name) \(example)") }
      guard given.count > 1 else { return }
      throw .misused("'\(name)' takes one argument, \(what), and '\(escaped(Array(given[1].utf8)))' is one more")
    }
  }
}

/// What `midwatch` was called with.
struct Invocation: Sendable {
  var loader = SettingsLoader()
  var wantsJSON = false
  var command = ""
  /// By their long names; empty for those without a value.
  var options: [String: String] = [:]
  var operands: [String] = []
}

/// Why a command ends without having done its work.
enum Failure: Error {
  /// The line, without "midwatch:" and without where to read more.
  case misused(String)
  /// An exit code of sysexits.h, or 1; the whole line.
  case failed(Int32, String)
  /// Nobody reads what we write; that is no failure of ours.
  case readerLeft
}

/// Standard output.
enum Output {
  static func write(_ bytes: [UInt8]) throws(Failure) {
    do throws(Errno) { try Terminal.put(bytes, to: .output) } catch {
      if error == .brokenPipe { throw .readerLeft }
      throw .failed(74, "midwatch: the output cannot be written: \(error)")
    }
  }

  static func write(_ text: String) throws(Failure) { try write(Array(text.utf8)) }
}
