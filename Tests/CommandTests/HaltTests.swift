import Foundation
import TestSupport
import Testing

/// `halt` and `resume`, with and without a watch.
@Suite struct HaltTests {
  @Test func aHaltHoldsWithoutAWatch() throws {
    let pipeline = try Pipeline()
    let halted = try Programs.midwatch(pipeline, "halt", "deploy", "went", "wrong")
    #expect(halted.status == 0)
    #expect(halted.output.contains("deploy went wrong"))
    #expect(halted.output.contains("midwatch --root \(pipeline.path) resume"))
    let json = try JSONSerialization.jsonObject(with: Data((pipeline.read("HALT") ?? "").utf8)) as? [String: Any]
    #expect(json?["state"] as? String == "forced-open")
    #expect(json?["why"] as? String == "deploy went wrong")
    #expect((json?["by"] as? String)?.hasSuffix(" via midwatch halt") == true)
    let mode = try FileManager.default.attributesOfItem(atPath: pipeline.path("HALT"))[.posixPermissions] as? Int
    #expect(mode == 0o644)
    let again = try Programs.midwatch(pipeline, "halt", "another reason")
    #expect(again.status == 0)
    #expect(again.output.contains("is halted already: deploy went wrong"))
    let status = try Programs.midwatch(pipeline, "status")
    #expect(status.status == 2)
    #expect(status.output.hasPrefix("HALTED"))
    #expect(status.output.contains("no midwatchd guards"))
    let resumed = try Programs.midwatch(pipeline, "resume")
    #expect(resumed.status == 0)
    #expect(resumed.output.hasPrefix("RESUMED"))
    #expect(resumed.output.contains("it was: deploy went wrong"))
    #expect(!pipeline.exists("HALT"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: pipeline.path).sorted() == ["outputs", "status", "tasks"])
  }

  /// Whoever wrote it, and however.
  @Test(arguments: ["file", "empty", "symlink", "directory"])
  func everyHaltCountsAndGoes(_ kind: String) throws {
    let pipeline = try Pipeline()
    switch kind {
    case "file": try pipeline.write("HALT", "stop\u{1b}[31m it\nnow")
    case "empty": try pipeline.write("HALT")
    case "symlink":
      try FileManager.default.createSymbolicLink(atPath: pipeline.path("HALT"), withDestinationPath: "the disk is full")
    default: try pipeline.makeDirectory("HALT")
    }
    let status = try Programs.midwatch(pipeline, "status")
    #expect(status.status == 2)
    #expect(!status.output.contains("\u{1b}"))
    if kind == "file" { #expect(status.output.contains(#"stop\x1b[31m it"#)) }
    if kind == "symlink" { #expect(status.output.contains("the disk is full")) }
    #expect(try Programs.midwatch(pipeline, "halt", "me too").output.contains("halted already"))
    #expect(try Programs.midwatch(pipeline, "resume").status == 0)
    #expect(!pipeline.exists("HALT"))
  }

  @Test func aHaltUnderAWatchAndItsEnd() throws {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline)
    #expect(try Programs.midwatch(pipeline, "status").status == 0)
    #expect(try Programs.midwatch(pipeline, "halt", "maintenance").status == 0)
    #expect(eventually { !pipeline.journal("forced-open").isEmpty })
    let status = try Programs.midwatch(pipeline, "status")
    #expect(status.status == 2)
    #expect(status.output.contains("maintenance"))
    #expect(try Programs.midwatch(pipeline, "resume").status == 0)
    #expect(!pipeline.exists("HALT"))
    #expect(pipeline.journal("resumed").count == 1)
    #expect(daemon.stop() == 0)
  }

  /// `keep = yes` puts a HALT back that was deleted by hand, and never one that was resumed.
  @Test func resumeEndsAHaltThatIsKept() throws {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline, "halt.keep=yes", "outputs.limit=3 per 10min")
    try pipeline.makeDirectory("outputs/content")
    for number in 1...4 { try pipeline.write("outputs/content/\(number).md") }
    #expect(eventually { pipeline.exists("HALT") })
    try pipeline.remove("HALT")
    #expect(eventually { !pipeline.journal("kept").isEmpty })
    #expect(eventually { pipeline.exists("HALT") })
    let status = try Programs.midwatch(pipeline, "status")
    #expect(status.status == 2)
    #expect(status.output.contains("content made 4 outputs within 10min (limit 3)"))
    let resumed = try Programs.midwatch(pipeline, "resume")
    #expect(resumed.status == 0)
    #expect(resumed.output.contains("midwatch's breaker"))
    #expect(!pipeline.exists("HALT"))
    #expect(
      pipeline.journal("resumed").first?["say"] as? String
        == "over: 'midwatch resume' was typed; all counters start anew")
    #expect(!eventually(within: 1) { pipeline.exists("HALT") })
    #expect(daemon.stop() == 0)
  }
}
