import Foundation
import TestSupport

/// A configured pipeline and the cron gate under its own name.
struct GateBench {
  let pipeline: Pipeline
  /// `midwatch-sh`.
  let gate: String
  let configuration: String
  let environment: [String: String]

  /// - Parameter text: what follows the root in the configuration.
  init(_ text: String = "", notes: Bool = true) throws {
    pipeline = try Pipeline(["tasks", "status", "outputs", "elsewhere"])
    gate = pipeline.path("elsewhere/midwatch-sh")
    configuration = pipeline.path("elsewhere/midwatch.conf")
    try FileManager.default.createSymbolicLink(
      atPath: gate, withDestinationPath: Programs.built.appendingPathComponent("midwatchd").path)
    environment = [
      "PATH": pipeline.path("elsewhere/bin") + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"),
      "MIDWATCH_CONFIG": configuration, "XDG_RUNTIME_DIR": pipeline.path("elsewhere/run"),
      "XDG_STATE_HOME": pipeline.path("elsewhere/state"), "SHELL": "/bin/sh", "SWIFT_BACKTRACE": "enable=no",
    ]
    try configure(text)
    if notes { try pipeline.makeDirectory("elsewhere/run/midwatch/jobs") }
  }

  /// A helper's name that no other test's watch looks for: each sees the whole machine.
  var helper: String { "\(pipeline.root.lastPathComponent)-mcp" }

  func configure(_ text: String) throws {
    try pipeline.write("elsewhere/midwatch.conf", "[pipeline]\nroot = \(pipeline.path)\n\(text)")
  }

  /// The tests beside it must not keep a verdict waiting for its second.
  private var priority: [String] { Programs.isRoot ? ["nice", "-n", "-15"] : [] }

  /// Runs a job as cron does.
  func job(
    _ command: String, environment other: [String: String] = [:], through wrapper: [String] = []
  ) throws -> Programs.Outcome {
    let words = priority + wrapper + [gate, "-c", command]
    return try Programs.run(words[0], Array(words.dropFirst()), environment: environment.merging(other) { $1 })
  }

  /// The same without waiting for it.
  func start(_ command: String) throws -> Holder {
    try Holder("/usr/bin/env", environment.map { "\($0)=\($1)" } + priority + [gate, "-c", command])
  }

  /// What a job wrote into the file `pid`, once it has.
  var pid: Int32? {
    guard eventually({ (pipeline.read("pid") ?? "").hasSuffix("\n") }) else { return nil }
    return Int32((pipeline.read("pid") ?? "").trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// Starts midwatchd over it, as an operator's unit does, and waits until it has looked at everything once.
  ///
  /// - Parameter wrapper: a program and its arguments that runs it.
  func watch(_ settings: String..., through wrapper: [String] = []) throws -> Holder {
    let isOfProcesses = settings.contains { $0.hasPrefix("leaks.") || $0.hasPrefix("memory.") }
    let assignments = settings + (isOfProcesses ? [] : ["leaks.mode=off", "memory.mode=off"])
    let words =
      wrapper + [Programs.built.appendingPathComponent("midwatchd").path, "--config", configuration]
      + assignments.flatMap { ["--set", $0] }
    let watch = try Holder("/usr/bin/env", environment.map { "\($0)=\($1)" } + words)
    let before = journal("started").count
    _ = eventually { journal("started").count > before && pipeline.exists("elsewhere/run/midwatch/status.json") }
    return watch
  }

  /// Asks the running watch, or does without it.
  func midwatch(_ words: String...) throws -> Programs.Outcome {
    try Programs.run(
      Programs.built.appendingPathComponent("midwatch").path, ["--config", configuration] + words, environment: environment)
  }

  func journal(_ what: String) -> [[String: Any]] {
    (pipeline.read("elsewhere/state/midwatch/journal.jsonl") ?? "").split(separator: "\n").compactMap {
      (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
    }.filter { $0["what"] as? String == what }
  }

  /// What stands in the spool as firing.
  var firing: [[String: Any]] {
    let directory = "elsewhere/state/midwatch/alerts/open"
    return ((try? pipeline.names(directory)) ?? []).compactMap {
      (try? JSONSerialization.jsonObject(with: Data((pipeline.read("\(directory)/\($0)") ?? "").utf8))) as? [String: Any]
    }
  }

  /// The notes of one kind, parsed.
  func notes(_ ending: String) -> [[String: Any]] {
    let directory = "elsewhere/run/midwatch/jobs"
    return ((try? pipeline.names(directory)) ?? []).filter { $0.hasSuffix(ending) }.compactMap {
      (try? JSONSerialization.jsonObject(with: Data((pipeline.read("\(directory)/\($0)") ?? "").utf8))) as? [String: Any]
    }
  }
}
