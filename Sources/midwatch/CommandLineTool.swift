import Configuration
import Daemon
import Formats
import Kernel

/// The operator's command line as a whole: finds the subcommand, reads the options, and turns every
/// failure into one line and an exit code.
enum CommandLineTool {
  static let commands = [
    Status.command, Why.command, LogCommand.command, Memory.command, CheckConfig.command, Replay.command, Halt.command,
    Resume.command, GateCommand.command, Undo.command, NotifyTest.command, Drill.command,
  ]

  static var help: String {
    """
    Usage: midwatch [--root DIR | --config FILE] COMMAND [OPTION]...

    Looks after a pipeline that midwatchd guards.

    \(commands.map { "  \(padded($0.name, 14))\($0.summary)\n" }.joined())
    \(Command.common)
      --version

    'midwatch COMMAND --help' tells more. Exit: 0 done, 1 it could not be done, 64 bad usage,
    69 no midwatchd runs there, 74 the output cannot be written, 77 not yours to look at,
    78 bad configuration; 'midwatch status' and 'midwatch memory' exit with 0 to 3, 'replay' with 1
    where it would have tripped.

    """
  }

  /// The words after the program's name. What is not UTF-8 is escaped: the kernel has the bytes.
  static func words() -> [String] {
    guard let bytes = try? File(reading: Path("/proc/self/cmdline")).contents(upTo: 4 << 20), !bytes.isEmpty else {
      return Array(CommandLine.arguments.dropFirst())
    }
    return bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false).dropFirst().map { word in
      String(validating: word, as: UTF8.self) ?? escaped(Array(word))
    }
  }

  static func run(_ words: [String]) -> Int32 {
    var place = "midwatch"
    do throws(Failure) {
      var invocation = Invocation()
      guard let command = try parse(words, into: &invocation, &place) else { return 0 }
      return try command.run(invocation)
    } catch {
      switch error {
      case .misused(let line):
        let see = line.hasSuffix("?") ? " See" : "; see"
        Terminal.write(Array("midwatch: \(line)\(see) \(place) --help\n".utf8), to: .error)
        return 64
      case .failed(let code, let line):
        Terminal.write(Array("\(line)\n".utf8), to: .error)
        return code
      case .readerLeft: return 0
      }
    }
  }

  /// - Returns: nil where only help or the version was asked for, which then stands on the screen.
  private static func parse(
    _ words: [String], into invocation: inout Invocation, _ place: inout String
  ) throws(Failure) -> Command? {
    var arguments = Arguments(words)
    var command: Command?
    var wantsHelp = false
    var wantsVersion = false
    do throws(Arguments.Misuse) {
      while let word = try arguments.next() {
        switch word {
        case .option("--help"), .option("-h"): wantsHelp = true
        case .option("--version"): wantsVersion = true
        case .option("--json"): invocation.wantsJSON = true
        case .option(let name):
          if try invocation.loader.take(name, of: &arguments) { continue }
          guard let option = command?.option(name) else { throw Arguments.Misuse(unknown(name, of: command)) }
          invocation.options[option.name] =
            try option.value.map { (what) throws(Arguments.Misuse) in try arguments.value(what) } ?? ""
        case .operand("help") where command == nil: wantsHelp = true
        case .operand(let word):
          if command != nil {
            invocation.operands.append(word)
          } else {
            command = try find(word)
            place = "midwatch \(word)"
          }
        }
      }
    } catch { throw .misused(error.description) }
    if wantsHelp || wantsVersion {
      try Output.write(wantsHelp ? command?.help ?? help : "midwatch \(Version.text)\n")
      return nil
    }
    guard let command else {
      throw .misused("no command is given; there are \(alternatives(commands.map(\.name), "and"))")
    }
    invocation.command = command.name
    try command.check(invocation.operands)
    return command
  }

  private static func find(_ word: String) throws(Arguments.Misuse) -> Command {
    if let command = commands.first(where: { $0.name == word }) { return command }
    let shown = escaped(Array(word.utf8))
    if let near = Suggestion.nearest(to: Array(word.utf8), among: commands.map(\.name)) {
      throw Arguments.Misuse("there is no command '\(shown)'; did you mean '\(near)'?")
    }
    throw Arguments.Misuse("there is no command '\(shown)'; there are \(alternatives(commands.map(\.name), "and"))")
  }

  private static func unknown(_ name: String, of command: Command?) -> String {
    let shown = escaped(Array(name.utf8))
    if command == nil, commands.contains(where: { $0.option(name) != nil }) { return "\(shown) goes after its command" }
    let known = ["--help", "--json", "--root", "--config", "--set", "--version"] + (command?.options.map(\.name) ?? [])
    guard name.hasPrefix("--"), let near = Suggestion.nearest(to: Array(name.utf8), among: known) else {
      return "there is no option \(shown)"
    }
    return "there is no option \(shown); did you mean \(near)?"
  }
}
