import Foundation
import TestSupport
import Testing

/// `undo` puts a reaped lock back as it was.
@Suite struct UndoTests {
  /// The number of the line that reaped.
  private func reaped(_ pipeline: Pipeline, _ name: String) -> Int? {
    pipeline.journal("reaped").last { ($0["path"] as? String)?.hasSuffix("/\(name)") == true }?["seq"] as? Int
  }

  @Test func contentModeAndTimesComeBackAndItIsNotJudgedAgain() throws {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline, "locks.stale-after=1s")
    let content = "4194304\nsecond \"line\" \\x1b \u{1b}\n"
    try pipeline.write("new", content)
    let path = pipeline.path("new")
    let modified = Date(timeIntervalSince1970: 1_700_000_000.25)
    try FileManager.default.setAttributes([.posixPermissions: 0o640, .modificationDate: modified], ofItemAtPath: path)
    try FileManager.default.moveItem(atPath: path, toPath: pipeline.path("tasks/a.lock"))
    #expect(eventually { !pipeline.exists("tasks/a.lock") && reaped(pipeline, "a.lock") != nil })
    let sequence = try #require(reaped(pipeline, "a.lock"))
    #expect(try Programs.midwatch(pipeline, "why", "tasks/a.lock").output.contains("undo \(sequence)"))

    let undone = try Programs.midwatch(pipeline, "undo", "\(sequence)")
    #expect(undone.status == 0, "\(undone)")
    #expect(undone.output.hasPrefix("put back "))
    #expect(pipeline.read("tasks/a.lock") == content)
    let attributes = try FileManager.default.attributesOfItem(atPath: pipeline.path("tasks/a.lock"))
    #expect(attributes[.posixPermissions] as? Int == 0o640)
    #expect(attributes[.modificationDate] as? Date == modified)
    #expect(!eventually(within: 3) { !pipeline.exists("tasks/a.lock") })
    #expect(try Programs.midwatch(pipeline, "status").status == 0)
    #expect(try Programs.midwatch(pipeline, "log").output.contains("[undone]"))
    let why = try Programs.midwatch(pipeline, "why", "tasks/a.lock")
    #expect(why.output.contains("never reaped: it is put back by 'midwatch undo'"))

    let again = try Programs.midwatch(pipeline, "undo", "\(sequence)")
    #expect(again.status == 1)
    #expect(again.error.contains("stands there again"))
    // Written anew it is judged anew.
    try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: pipeline.path("tasks/a.lock"))
    #expect(eventually { !pipeline.exists("tasks/a.lock") })
    #expect(daemon.stop() == 0)
  }

  @Test func whatCannotBeUndoneSaysWhy() throws {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline)
    let noLock = try Programs.midwatch(pipeline, "undo", "1")
    #expect(noLock.status == 1)
    #expect(noLock.error == "midwatch: undo 1: line 1 of the journal is no reaped lock\n")
    let noLine = try Programs.midwatch(pipeline, "undo", "4711")
    #expect(noLine.status == 1)
    #expect(noLine.error.contains("the journal has no line 4711"))
    #expect(daemon.stop() == 0)
  }
}
