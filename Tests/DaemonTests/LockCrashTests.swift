import Foundation
import Kernel
import Rules
import TestSupport
import Testing

/// What a kill -9 in the midst of a reaping leaves, and what the next start makes of it (I6).
@Suite struct LockCrashTests {
  enum Kind: CaseIterable, Sendable { case file, symlink, directory }

  private func make(_ kind: Kind, _ name: String, _ content: String, in pipeline: Pipeline) throws {
    switch kind {
    case .file: try pipeline.write(name, content)
    case .symlink: try pipeline.link(name, to: content)
    case .directory: try pipeline.makeDirectory(name)
    }
  }

  private func inode(_ name: String, in pipeline: Pipeline) throws -> UInt64 {
    try Directory(Path(pipeline.path("tasks"))).status(of: Path(name)).identity.inode
  }

  /// Makes a placeholder and gives it the name that it has before the exchange.
  private func placeholder(_ kind: Kind, in pipeline: Pipeline) throws -> String {
    try make(kind, "tasks/.midwatch-new-7-1", "vm-7", in: pipeline)
    let status = try Directory(Path(pipeline.path("tasks"))).status(of: Path(".midwatch-new-7-1"))
    let name = ".midwatch-lock-\(status.identity.inode)-\(try #require(status.born).nanoseconds)"
    try pipeline.move("tasks/.midwatch-new-7-1", to: "tasks/\(name)")
    return name
  }

  private func exchange(_ a: String, _ b: String, in pipeline: Pipeline) throws {
    try Directory(Path(pipeline.path("tasks"))).exchange(Path(a), Path(b))
  }

  private func settled(_ pipeline: Pipeline) -> [String] {
    pipeline.journal("settled").compactMap { ($0["say"] as? String)?.split(separator: ": ").last.map(String.init) }
  }

  /// Starts the daemon, which has no reason to reap anything, and stops it when nothing is stray any more.
  private func startAndStop(_ pipeline: Pipeline) async throws {
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1000d")
    #expect(await eventually { pipeline.strays() == [] }, "\(pipeline.names(in: "tasks"))")
    #expect(daemon.stop() == 0)
    #expect(pipeline.strays() == [])
  }

  @Test(arguments: Kind.allCases)
  func anUnfinishedPlaceholderIsRemoved(_ kind: Kind) async throws {
    let pipeline = try Pipeline()
    try make(kind, "tasks/a.lock", "held", in: pipeline)
    try make(kind, "tasks/.midwatch-new-7-1", "vm-7", in: pipeline)
    let lock = try inode("a.lock", in: pipeline)
    try await startAndStop(pipeline)
    #expect(try inode("a.lock", in: pipeline) == lock)
    #expect(settled(pipeline) == ["an unfinished file was removed"])
  }

  @Test(arguments: Kind.allCases)
  func aPlaceholderThatWasNotUsedIsRemoved(_ kind: Kind) async throws {
    let pipeline = try Pipeline()
    try make(kind, "tasks/a.lock", "held", in: pipeline)
    _ = try placeholder(kind, in: pipeline)
    let lock = try inode("a.lock", in: pipeline)
    try await startAndStop(pipeline)
    #expect(try inode("a.lock", in: pipeline) == lock)
    #expect(settled(pipeline) == ["a placeholder that was not used was removed"])
  }

  @Test(arguments: Kind.allCases)
  func aCapturedLockIsPutBack(_ kind: Kind) async throws {
    let pipeline = try Pipeline()
    try make(kind, "tasks/a.lock", "held", in: pipeline)
    try make(kind, "tasks/b.lock", "another", in: pipeline)
    let (lock, other) = (try inode("a.lock", in: pipeline), try inode("b.lock", in: pipeline))
    try exchange(try placeholder(kind, in: pipeline), "a.lock", in: pipeline)
    #expect(try inode("a.lock", in: pipeline) != lock)
    try await startAndStop(pipeline)
    #expect(try inode("a.lock", in: pipeline) == lock)
    #expect(try inode("b.lock", in: pipeline) == other)
    #expect(settled(pipeline) == ["the lock a.lock was put back in place of its placeholder"])
  }

  @Test(arguments: Kind.allCases)
  func aCapturedLockIsDroppedWhereANewerOneStands(_ kind: Kind) async throws {
    let pipeline = try Pipeline()
    try make(kind, "tasks/a.lock", "old", in: pipeline)
    try exchange(try placeholder(kind, in: pipeline), "a.lock", in: pipeline)
    try pipeline.remove("tasks/a.lock")
    try make(kind, "tasks/a.lock", "new", in: pipeline)
    let newer = try inode("a.lock", in: pipeline)
    try await startAndStop(pipeline)
    #expect(pipeline.names(in: "tasks") == ["a.lock"])
    #expect(try inode("a.lock", in: pipeline) == newer)
    #expect(settled(pipeline) == ["a reaped lock was removed for good"])
  }

  @Test(arguments: Kind.allCases)
  func aReapingThatWasAlmostDoneIsFinished(_ kind: Kind) async throws {
    let pipeline = try Pipeline()
    try make(kind, "tasks/a.lock", "old", in: pipeline)
    try exchange(try placeholder(kind, in: pipeline), "a.lock", in: pipeline)
    try pipeline.remove("tasks/a.lock")
    try await startAndStop(pipeline)
    #expect(pipeline.names(in: "tasks") == [])
  }

  /// Somebody put something into a lock directory while it was captured.
  @Test func aCapturedDirectoryThatWasFilledIsPutBackWhole() async throws {
    let pipeline = try Pipeline()
    try make(.directory, "tasks/a.lock", "", in: pipeline)
    let captured = try placeholder(.directory, in: pipeline)
    try exchange(captured, "a.lock", in: pipeline)
    try pipeline.write("tasks/\(captured)/owner", "1")
    try await startAndStop(pipeline)
    #expect(pipeline.read("tasks/a.lock/owner") == "1")
  }

  /// In a directory that all may write, a name is no proof: it must not cost another user his lock.
  @Test(.enabled(if: Programs.isRoot, "chown is for root"))
  func aForgedLeftoverCostsNobodyHisLock() async throws {
    let pipeline = try Pipeline()
    chmod(pipeline.path("tasks"), 0o1777)
    try pipeline.write("tasks/a.lock", "held")
    let status = try Directory(Path(pipeline.path("tasks"))).status(of: Path("a.lock"))
    let forged = ".midwatch-lock-\(status.identity.inode)-\(try #require(status.born).nanoseconds)"
    try pipeline.write("tasks/\(forged)", "forged")
    chown(pipeline.path("tasks/\(forged)"), 65534, 65534)
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1000d")
    #expect(await !eventually(within: 1) { pipeline.read("tasks/a.lock") != "held" })
    #expect(try inode("a.lock", in: pipeline) == status.identity.inode)
    #expect(daemon.stop() == 0)
  }

  /// A lock of each kind, old enough.
  private static func makeLocks(in pipeline: Pipeline) throws {
    try pipeline.write("tasks/a.lock", "content")
    try pipeline.link("tasks/b.lock", to: "host-4194304")
    try pipeline.makeDirectory("tasks/c.lock")
    for name in ["a", "b", "c"] { try pipeline.date("tasks/\(name).lock", secondsAgo: 7200) }
  }

  private static let tracesChanges = ["-e", "trace=renameat2,unlinkat,fchownat"]

  /// Every change that it makes to a directory from its start until the last of three locks is gone, seen in
  /// a run in which nobody kills it.
  private static func changes() async throws -> [Call] {
    guard Programs.has("strace", "setpriv") else { return [] }
    let pipeline = try Pipeline()
    try makeLocks(in: pipeline)
    let calls = try await pipeline.callsOfReaping(tracesChanges)
    guard let last = calls.lastIndex(where: { $0.name == "unlinkat" && $0.line.contains(#"".midwatch-lock-"#) }) else {
      throw NotReaped(output: pipeline.trace)
    }
    return Array(calls[...last])
  }

  /// Killed before each of these changes, one after the other; every lock is whole or gone.
  @Test(.enabled(if: Programs.has("strace", "setpriv"), "Debian: strace util-linux"), arguments: try await changes())
  func killedAtEachStepItLeavesEachLockWholeOrGone(step: Call) async throws {
    let pipeline = try Pipeline()
    try Self.makeLocks(in: pipeline)
    let kinds = Dictionary(
      uniqueKeysWithValues: try ["a", "b", "c"].map { ($0, try inode("\($0).lock", in: pipeline)) })
    let daemon = try RunningDaemon(
      pipeline, "locks.stale-after=1h",
      through: pipeline.tracing(
        Self.tracesChanges + ["-e", "inject=\(step.name):signal=KILL:when=\(step.number)"]), waits: false)
    // status.json is written when the last lock is gone: a daemon that comes to it was not killed.
    #expect(await eventually { !daemon.isRunning || !pipeline.status().isEmpty })
    try #require(!daemon.isRunning)
    #expect(daemon.wait() == 256 + SIGKILL)
    try await startAndStop(pipeline)
    let gone = Set(
      pipeline.journal("reaped").compactMap { ($0["path"] as? String)?.split(separator: "/").last.map(String.init) })
    for (name, inode) in kinds where pipeline.exists("tasks/\(name).lock") {
      #expect(try self.inode("\(name).lock", in: pipeline) == inode, "\(name).lock is another file now")
    }
    for name in kinds.keys where !pipeline.exists("tasks/\(name).lock") {
      #expect(gone.contains("\(name).lock"), "\(name).lock is gone without a line in the journal")
    }
    #expect(
      pipeline.strays(in: ".") + pipeline.strays(in: ".midwatch/state") + pipeline.strays(in: ".midwatch/run") == [])
  }
}
