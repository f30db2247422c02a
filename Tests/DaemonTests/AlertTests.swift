import Foundation
import TestSupport
import Testing

/// One incident, one message, whatever becomes of midwatchd and of the program that takes it.
@Suite struct AlertTests {
  /// A pipeline with a program that writes down what it is told, and then does what `then` says.
  private func pipeline(then: String = "") throws -> (Pipeline, hook: String) {
    let pipeline = try Pipeline()
    let hook = pipeline.path("hook")
    try pipeline.write("hook", "#!/bin/sh\ncat >> '\(pipeline.path("told"))'\n\(then)\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: hook)
    return (pipeline, hook)
  }

  private func runAway(in pipeline: Pipeline) throws {
    try pipeline.makeDirectory("outputs/content")
    for number in 1...2 { try pipeline.write("outputs/content/\(number).md") }
  }

  private func messages(in pipeline: Pipeline) -> [[String: Any]] {
    (pipeline.read("told") ?? "").split(separator: "\n").compactMap {
      (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
    }
  }

  @Test func aHaltIsToldOfOnceAndOnceThatItIsOver() throws {
    let (pipeline, hook) = try pipeline()
    let daemon = try RunningDaemon(pipeline, "outputs.limit=1 per 1h", "alert.exec=\(hook)")
    try runAway(in: pipeline)
    #expect(eventually { pipeline.journal("delivered").count == 1 })
    try pipeline.remove("HALT")
    #expect(eventually { pipeline.journal("delivered").count == 2 })
    #expect(daemon.stop() == 0)
    let told = messages(in: pipeline)
    #expect(told.map { $0["state"] as? String } == ["firing", "over"])
    #expect(Set(told.map { $0["id"] as? String }).count == 1)
    #expect(try pipeline.names(".midwatch/state/alerts/open") == [])
  }

  @Test func aMessageInTheProgramsHandsIsRepeatedAfterACrash() throws {
    let (pipeline, hook) = try pipeline(then: "sleep 1")
    let settings = ["outputs.limit=1 per 1h", "alert.exec=\(hook)"]
    let arguments = settings.flatMap { ["--set", $0] }
    do {
      let daemon = try RunningDaemon(pipeline, arguments: arguments)
      try runAway(in: pipeline)
      #expect(eventually { messages(in: pipeline).count == 1 })
      daemon.kill()
    }
    let daemon = try RunningDaemon(pipeline, arguments: arguments)
    #expect(eventually { pipeline.journal("delivered").count == 1 })
    #expect(daemon.stop() == 0)
    let told = messages(in: pipeline)
    #expect(told.count == 2)
    #expect(told.map { $0["repeat"] as? Bool } == [nil, true])
    #expect(Set(told.map { $0["id"] as? String }).count == 1)
  }

  @Test func aMessageThatWaitsOutlivesARestart() throws {
    let (pipeline, hook) = try pipeline(then: "exit 3")
    let settings = ["outputs.limit=1 per 1h", "alert.exec=\(hook)"]
    let arguments = settings.flatMap { ["--set", $0] }
    do {
      let daemon = try RunningDaemon(pipeline, arguments: arguments)
      try runAway(in: pipeline)
      #expect(eventually { !pipeline.journal("failed").isEmpty })
      #expect(daemon.stop() == 0)
    }
    try pipeline.write("hook", "#!/bin/sh\ncat >> '\(pipeline.path("told"))'\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: hook)
    let daemon = try RunningDaemon(pipeline, arguments: arguments)
    #expect(eventually { pipeline.journal("delivered").count == 1 })
    #expect(daemon.stop() == 0)
    #expect(messages(in: pipeline).allSatisfy { $0["repeat"] == nil })
  }

  @Test func aProgramThatOthersMayWriteIsRefused() throws {
    let (pipeline, hook) = try pipeline()
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: hook)
    let daemon = try RunningDaemon(pipeline, "alert.exec=\(hook)")
    #expect(daemon.wait() == 78)
    #expect(daemon.output == "--set:1:12: \(hook) may be written by others (mode 777); chmod go-w \(hook)\n")
  }
}
