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
      "MIDWATCH_CONFIG": configuration, "XDG_RUNTIME_DIR": pipeline.path("elsewhere/run"),
      "XDG_STATE_HOME": pipeline.path("elsewhere/state"), "SHELL": "/bin/sh", "SWIFT_BACKTRACE": "enable=no",
    ]
    try pipeline.write("elsewhere/midwatch.conf", "[pipeline]\nroot = \(pipeline.path)\n\(text)")
    if notes { try pipeline.makeDirectory("elsewhere/run/midwatch/jobs") }
  }

  /// Runs a job as cron does.
  func job(
    _ command: String, environment other: [String: String] = [:], through wrapper: [String] = []
  ) throws -> Programs.Outcome {
    let words = wrapper + [gate, "-c", command]
    return try Programs.run(words[0], Array(words.dropFirst()), environment: environment.merging(other) { $1 })
  }

  /// The same without waiting for it.
  func start(_ command: String) throws -> Holder {
    try Holder("/usr/bin/env", environment.map { "\($0)=\($1)" } + [gate, "-c", command])
  }

  /// What a job wrote into the file `pid`, once it has.
  var pid: Int32? {
    guard eventually({ (pipeline.read("pid") ?? "").hasSuffix("\n") }) else { return nil }
    return Int32((pipeline.read("pid") ?? "").trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// The notes of one kind, parsed.
  func notes(_ ending: String) -> [[String: Any]] {
    let directory = "elsewhere/run/midwatch/jobs"
    return ((try? pipeline.names(directory)) ?? []).filter { $0.hasSuffix(ending) }.compactMap {
      (try? JSONSerialization.jsonObject(with: Data((pipeline.read("\(directory)/\($0)") ?? "").utf8))) as? [String: Any]
    }
  }
}
