import Daemon
import Formats
import Kernel

/// `midwatch gate`: the cron gate for whatever is not cron.
enum GateCommand {
  static let command = Command(
    name: "gate", summary: "say whether a job may run, or run it", usage: "[-- COMMAND [ARGUMENT]...]",
    details: """
      Without a command: tells by its exit code whether the pipeline is halted, as systemd's
      ExecCondition= takes it. With one: runs it as midwatch-sh does a line of a crontab, skips it
      while the pipeline is halted, and exits as it does. On any doubt the job runs.

      Exit: 0 it may run, 75 it is halted; with a command the command's, or 75.
      """,
    operands: .any, run: run)

  static func run(_ invocation: Invocation) throws(Failure) -> Int32 {
    var loader = invocation.loader
    loader.prefersHome = true
    if loader.file == nil, loader.root == nil { loader.file = environment("MIDWATCH_CONFIG").map { Path($0) } }
    // As the bytes they are: a command is no text.
    let arguments = Own.arguments
    let command = Array(arguments.suffix(invocation.operands.count))
    guard command.isEmpty else {
      guard arguments.dropLast(command.count).last == Array("--".utf8) else {
        throw .misused("'gate' takes a command behind two dashes, as in: midwatch gate -- \(invocation.operands[0])")
      }
      // The shell looks for the program as everybody is used to.
      let shell = ["-c", "exec \"$@\"", "midwatch gate"].map { Array($0.utf8) }
      Gate(shellArguments: shell + command, command: Array(command.joined(separator: [0x20])), loader: loader).run()
    }
    let verdict: GateVerdict
    do throws(SettingsLoader.Refusal) { verdict = try GateKeeper(loader, command: []).verdict() } catch {
      verdict = .doubt(error.description)
    }
    let (word, why) = words(verdict)
    if invocation.wantsJSON {
      try Output.write(JSON.fields(["v": .integer(1), "verdict": .string(word), "why": .text(why)]).line)
    } else if let why {
      try Output.write("\(word): \(why)\n")
    }
    if case .skip = verdict { return Gate.skipped }
    return 0
  }

  private static func words(_ verdict: GateVerdict) -> (String, why: String?) {
    switch verdict {
    case .run: ("run", nil)
    case .skip(let why): ("skip", why)
    case .doubt(let why): ("run", "in doubt: \(why)")
    }
  }
}
