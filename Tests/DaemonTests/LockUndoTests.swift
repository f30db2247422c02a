import Foundation
import TestSupport
import Testing

/// `midwatch undo SEQ`, as the daemon serves it.
@Suite struct LockUndoTests {
  enum Kind: String, CaseIterable, Sendable { case file, symlink, directory }

  private func make(_ kind: Kind, _ name: String, in pipeline: Pipeline) throws {
    switch kind {
    case .file:
      try Data([0x61, 0x0a, 0x00, 0xff, 0x5c, 0x22, 0x0a]).write(to: URL(fileURLWithPath: pipeline.path(name)))
      chmod(pipeline.path(name), 0o640)
    case .symlink: try pipeline.link(name, to: "no\u{1}where \\ \"there\"")
    case .directory:
      try pipeline.makeDirectory(name)
      chmod(pipeline.path(name), 0o1750)
    }
    if geteuid() == 0 { lchown(pipeline.path(name), 65534, 4321) }
    let times = [timespec(tv_sec: 1_234_567_890, tv_nsec: 987_654_321), timespec(tv_sec: 1_300_000_000, tv_nsec: 1)]
    utimensat(AT_FDCWD, pipeline.path(name), times, AT_SYMLINK_NOFOLLOW)
  }

  /// All that an undo has to bring back. The inode is a new one; the access time of a link and of a directory
  /// changes by looking at them.
  private func looks(_ name: String, in pipeline: Pipeline) throws -> String {
    let status = try Programs.run(
      "find",
      [pipeline.path(name), "-maxdepth", "0", "-printf", "%y %m %U %G %s %T@ %l", "-type", "f", "-printf", "%A@"])
    return status.output
      + ((try? Data(contentsOf: URL(fileURLWithPath: pipeline.path(name)))).map { " \(Array($0))" } ?? "")
  }

  @Test(arguments: Kind.allCases)
  func whatWasReapedIsPutBackAsItWas(_ kind: Kind) async throws {
    let pipeline = try Pipeline()
    try make(kind, "tasks/a.lock", in: pipeline)
    // Reading a file touches its access time, which is looked at first.
    let before = try looks("tasks/a.lock", in: pipeline)
    try make(kind, "tasks/a.lock.new", in: pipeline)
    try pipeline.remove("tasks/a.lock")
    try pipeline.move("tasks/a.lock.new", to: "tasks/a.lock")
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1s")
    #expect(await eventually { !pipeline.exists("tasks/a.lock") && pipeline.strays() == [] })
    let sequence = try #require(pipeline.journal("reaped").first?["seq"] as? Int)
    try pipeline.request("undo-\(sequence)")
    #expect(await eventually { pipeline.exists("tasks/a.lock") })
    #expect(try looks("tasks/a.lock", in: pipeline) == before)
    #expect(await eventually { pipeline.journal("undone").first?["undoes"] as? Int == sequence })
    // However old it is, it is not judged again.
    #expect(await !eventually(within: 3) { !pipeline.exists("tasks/a.lock") })
    #expect(daemon.stop() == 0)
    let next = try await RunningDaemon.start(pipeline, "locks.stale-after=1s")
    #expect(await !eventually(within: 3) { !pipeline.exists("tasks/a.lock") })
    // Until somebody touches it.
    try pipeline.date("tasks/a.lock", secondsAgo: 60)
    #expect(await eventually { !pipeline.exists("tasks/a.lock") })
    #expect(pipeline.journal("reaped").count == 2)
    #expect(await eventually { pipeline.strays() == [] })
    #expect(next.stop() == 0)
  }

  @Test func aLockThatWasTakenMeanwhileIsLeft() async throws {
    let pipeline = try Pipeline()
    try pipeline.write("tasks/a.lock", "old")
    try pipeline.date("tasks/a.lock", secondsAgo: 7200)
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1h")
    #expect(await eventually { !pipeline.exists("tasks/a.lock") })
    try pipeline.write("tasks/a.lock", "new")
    try pipeline.request("undo-\(try #require(pipeline.journal("reaped").first?["seq"] as? Int))")
    #expect(await eventually { pipeline.journal("undo-refused").count == 1 })
    #expect((pipeline.journal("undo-refused").first?["say"] as? String)?.contains("somebody took it meanwhile") == true)
    #expect(pipeline.read("tasks/a.lock") == "new")
    #expect(pipeline.strays() == [])
    #expect(daemon.stop() == 0)
  }

  @Test(arguments: ["undo-1", "undo-99", "undo-0", "undo--1", "undo-x", "undo-99999999999999999999", "nonsense"])
  func aRequestThatNamesNoReapedLockChangesNothing(request: String) async throws {
    let pipeline = try Pipeline()
    try pipeline.makeDirectory(".midwatch")
    let before = try pipeline.everything()
    let daemon = try await RunningDaemon.start(pipeline)
    try pipeline.request(request)
    #expect(await eventually { pipeline.names(in: ".midwatch/state/requests") == [] })
    #expect(daemon.stop() == 0)
    #expect(try pipeline.everything() == before)
  }
}
