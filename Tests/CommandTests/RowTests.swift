import Foundation
import TestSupport
import Testing

/// One call of the command line: arguments, exit code, what standard output and standard error hold.
struct Row: CustomTestStringConvertible, Sendable {
  let arguments: String
  let status: Int32
  var output = ""
  var error = ""

  init(_ arguments: String, _ status: Int32, output: String = "", error: String = "") {
    self.arguments = arguments
    self.status = status
    self.output = output
    self.error = error
  }

  var testDescription: String { "midwatch \(arguments)" }
  var words: [String] { arguments.split(separator: " ").map(String.init) }
}

func midwatch(_ arguments: [String], environment: [String: String] = [:]) throws -> Programs.Outcome {
  try Programs.run(Programs.built.appendingPathComponent("midwatch").path, arguments, environment: environment)
}

@Suite struct RowTests {
  static let commands = [
    "status", "log", "why", "memory", "check-config", "replay", "halt", "resume", "gate", "undo", "notify-test", "drill",
  ]

  /// One specific line on standard error, nothing on standard output.
  @Test(arguments: [
    Row(
      "", 64,
      error: "no command is given; there are status, why, log, memory, check-config, replay, halt, resume, gate, undo"
    ),
    Row("statsu", 64, error: "there is no command 'statsu'; did you mean 'status'? See midwatch --help"),
    Row("xyzzy", 64, error: "there is no command 'xyzzy'; there are status, why"),
    Row("--follow log", 64, error: "--follow goes after its command; see midwatch --help"),
    Row("--nonsense", 64, error: "there is no option --nonsense; see midwatch --help"),
    Row("status extra", 64, error: "'status' takes no arguments, and 'extra' is one; see midwatch status --help"),
    Row("status --jsn", 64, error: "there is no option --jsn; did you mean --json? See midwatch status --help"),
    Row("status --json=yes", 64, error: "--json takes no value; see midwatch status --help"),
    Row("status --root", 64, error: "--root needs a directory; see midwatch status --help"),
    Row("--config", 64, error: "--config needs a file; see midwatch --help"),
    Row("log extra", 64, error: "'log' takes no arguments"),
    Row("log -n", 64, error: "-n needs a number of lines; see midwatch log --help"),
    Row("log -n many", 64, error: "'many' is not a number of lines; write one such as -n 20; see midwatch log --help"),
    Row("log -n0", 64, error: "'0' is not a number of lines"),
    Row("log --since", 64, error: "--since needs a span of time, as in --since 2h"),
    Row("log --since 2q", 64, error: "'q' is not a unit of time"),
    Row("log --rule lcoks", 64, error: "there is no rule 'lcoks'; did you mean 'locks'? See midwatch log --help"),
    Row("log -x", 64, error: "there is no option -x; see midwatch log --help"),
    Row("why", 64, error: "'why' needs a path, an agent's name or a pid, as in: midwatch why tasks/build.lock"),
    Row("why a b", 64, error: "'why' takes one argument, a path, an agent's name or a pid, and 'b' is one more"),
    Row("memory all", 64, error: "'memory' takes no arguments, and 'all' is one; see midwatch memory --help"),
    Row("check-config x", 64, error: "'check-config' takes no arguments"),
    Row("replay a b", 64, error: "'replay' takes one argument, a directory or a journal, and 'b' is one more"),
    Row("halt --reason x", 64, error: "there is no option --reason; see midwatch halt --help"),
    Row("resume now", 64, error: "'resume' takes no arguments, and 'now' is one"),
    Row("gate true", 64, error: "'gate' takes a command behind two dashes, as in: midwatch gate -- true; see"),
    Row("undo", 64, error: "'undo' needs a line's number, as in: midwatch undo 12"),
    Row("undo 1 2", 64, error: "'undo' takes one argument, a line's number, and '2' is one more"),
    Row("undo twelve", 64, error: "'twelve' is not a line's number"),
    Row("undo -- -3", 64, error: "'-3' is not a line's number"),
  ])
  func misuseIsOneLine(_ row: Row) throws {
    let outcome = try midwatch(row.words)
    #expect(outcome.status == row.status)
    #expect(outcome.output == "")
    #expect(outcome.error.hasPrefix("midwatch: "))
    #expect(outcome.error.contains(row.error), "\(outcome.error)")
    #expect(outcome.error.split(separator: "\n").count == 1)
    #expect(outcome.error.lowercased().contains("see midwatch"))
  }

  @Test(arguments: commands)
  func helpGoesToStandardOutput(_ command: String) throws {
    for words in [
      [command, "--help"], ["-h", command], ["help", command], ["--root", "/nowhere", command, "--help"],
    ] {
      let outcome = try midwatch(words)
      #expect(outcome.status == 0)
      #expect(outcome.error == "")
      #expect(outcome.output.hasPrefix("Usage: midwatch \(command)"))
      #expect(outcome.output.contains("Exit: "))
      #expect(outcome.output.contains("--json"))
    }
  }

  @Test func helpNamesEveryCommand() throws {
    let outcome = try midwatch(["--help"])
    #expect(outcome.status == 0)
    for command in Self.commands { #expect(outcome.output.contains("\n  \(command) ")) }
    #expect(try midwatch(["--version"]).output.hasPrefix("midwatch 0."))
    #expect(try midwatch(["status", "--version"]).status == 0)
  }

  /// On a pipeline that nobody guards, and where nothing ever happened.
  @Test(arguments: [
    Row("status", 3, output: "no midwatchd guards"),
    Row("status --json", 3, output: "\"status\":\"unknown\""),
    Row("log", 1, error: "there is no journal in"),
    Row("why HALT", 0, output: "not there: the pipeline is not halted"),
    Row("why tasks/x.lock", 0, output: "nothing bears that name now"),
    Row("why tasks/x.txt", 1, output: "of no concern to midwatch"),
    Row("why tasks/x.txt --json", 1, output: "\"of_concern\":false"),
    Row("why outputs/content/draft.tmp", 0, output: "yes, by the pattern *.tmp under ignore in [outputs]"),
    Row("why outputs/content/.git/x", 0, output: "yes, by the pattern .* under ignore in [outputs]"),
    Row("memory --set memory.warn=100% --set memory.act=off", 0, output: "(warn at 100 %, act off)"),
    Row("memory --set memory.warn=1% --set memory.act=1%", 2, output: "SHORT     "),
    Row("memory --set memory.warn=1% --set memory.act=off", 1, output: "TIGHT     "),
    Row("memory --set memory.warn=1% --set memory.mode=off", 0, output: "not watched: mode off"),
    Row("memory --set memory.warn=1% --set memory.act=1% --json", 2, output: "\"status\":\"short\""),
    Row("check-config", 0, output: "* root = "),
    Row(
      "check-config --json", 0,
      output: "\"section\":\"locks\",\"key\":\"stale-after\",\"value\":\"30min\",\"default\":true"),
    Row("check-config --set locks.stale-after=10s", 0, output: "* stale-after = 10s"),
    Row("check-config --set locks.stael=10s", 78, error: "--set:1:7: there is no key 'stael' in [locks]"),
    Row("status --set locks.stael=10s", 78, error: "--set:1:7: "),
    Row("replay", 0, output: "would not have tripped"),
    Row("replay --json", 0, output: "\"trips\":[]"),
    Row("replay /nowhere", 66, error: "midwatch: /nowhere cannot be read: "),
    Row("replay /etc/passwd", 66, error: "midwatch: /etc/passwd is no journal of midwatchd's; name a pipeline's root"),
    Row("replay --set outputs.limti=1", 78, error: "there is no key 'limti' in [outputs]; did you mean 'limit'?"),
    Row("resume", 0, output: "is not halted"),
    Row("resume --json", 0, output: "\"halted\":false,\"resumed\":false"),
    Row("undo 12", 69, error: "no midwatchd runs here to put it back; start it: midwatchd --root "),
    Row("notify-test", 69, error: "no midwatchd runs here to send it; start it: midwatchd --root "),
  ])
  func anUnguardedPipeline(_ row: Row) throws {
    let pipeline = try Pipeline()
    // The options that say where may stand before the command and after it.
    for words in [["--root", pipeline.path] + row.words, row.words + ["--root=\(pipeline.path)"]] {
      let outcome = try midwatch(words)
      #expect(outcome.status == row.status, "\(outcome)")
      #expect(row.output.isEmpty ? outcome.output.isEmpty : outcome.output.contains(row.output), "\(outcome)")
      #expect(row.error.isEmpty ? outcome.error.isEmpty : outcome.error.contains(row.error), "\(outcome)")
    }
  }

  @Test func aConfigurationIsReadAndItsErrorIsTheLine() throws {
    let pipeline = try Pipeline()
    let file = pipeline.path("midwatch.conf")
    try pipeline.write("midwatch.conf", "[pipeline]\nroot = \(pipeline.path)\n[locks]\nstale-after = 5min\n")
    let good = try midwatch(["check-config", "--config", file])
    #expect(good.status == 0)
    #expect(good.output.contains("Read: \(file)"))
    #expect(good.output.contains("* stale-after = 5min"))
    #expect(good.output.contains("(\(file):4:15)"))
    try pipeline.write("midwatch.conf", "[pipeline]\nroot = \(pipeline.path)\n[locks]\nstale-after = soon\n")
    let bad = try midwatch(["check-config", "--config", file])
    #expect(bad.status == 78)
    #expect(bad.output == "")
    #expect(bad.error.hasPrefix("\(file):4:15: "))
    #expect(bad.error.split(separator: "\n").count == 1)
    #expect(try midwatch(["check-config", "--config", "/nowhere/x.conf"]).status == 78)
  }

  @Test func everyJSONIsOneDocument() throws {
    let pipeline = try Pipeline()
    for words in [
      ["status"], ["why", "tasks/x.lock"], ["why", "HALT"], ["why", "nobody"], ["check-config"], ["halt"], ["resume"],
      ["memory"],
    ] {
      let outcome = try midwatch(["--root", pipeline.path, "--json"] + words)
      let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
      #expect(json?["v"] as? Int == 1, "\(words)")
      #expect(outcome.output.split(separator: "\n").count == 1)
    }
  }

  @Test func aReaderThatLeavesIsNoFailure() throws {
    let pipeline = try Pipeline()
    let tool = Programs.built.appendingPathComponent("midwatch").path
    let script =
      "trap '' PIPE; { sleep 0.2; \"\(tool)\" --root \"\(pipeline.path)\" check-config; echo \"exit $?\" >&2; } | :"
    let outcome = try Programs.run("sh", ["-c", script])
    #expect(outcome.error == "exit 0\n")
    let full = try Programs.run("sh", ["-c", "\"\(tool)\" --version > /dev/full"])
    #expect(full.status == 74)
    #expect(full.error == "midwatch: the output cannot be written: ENOSPC\n")
  }
}
