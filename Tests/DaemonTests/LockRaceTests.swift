import Foundation
import TestSupport
import Testing

/// What others do to a lock while it is being reaped (I1): the daemon is stopped within, at a system call of
/// its own, and goes on when the other is done.
@Suite(.enabled(if: Programs.isRoot && Programs.has("strace", "setpriv", "flock"), "Debian: strace util-linux"))
struct LockRaceTests {
  enum Moment: Sendable {
    /// Its placeholder is made; the last look is yet to come.
    case beforeTheLastLook
    /// Looked at for the last time before it is exchanged.
    case beforeTheExchange
    /// Exchanged and written down; what bears its name is looked at before it is removed.
    case beforeTheEnd

    /// While the lock itself is still there to be taken.
    static let beforeItIsTaken = [beforeTheLastLook, beforeTheExchange]

    /// strace(1): the call behind which it is stopped.
    func injection() async throws -> [String] {
      switch self {
      case .beforeTheLastLook: ["-e", "trace=fchownat,renameat2", "-e", "inject=fchownat:signal=STOP:when=1"]
      case .beforeTheExchange: try await Self.looks(1)
      case .beforeTheEnd: try await Self.looks(2)
      }
    }

    private static func looks(_ number: Int) async throws -> [String] {
      let last = try await looksBeforeTheExchange.value
      return ofTheLock + ["-e", "inject=statx:signal=STOP:when=\(last + number - 1)"]
    }

    private static let ofTheLock = ["-P", "a.lock", "-e", "trace=statx,renameat2"]

    /// Counted once for all.
    private static let looksBeforeTheExchange = Task { try await countLooksBeforeTheExchange() }

    /// How often it looks at the lock's name until it exchanges it, in a run without a stop.
    private static func countLooksBeforeTheExchange() async throws -> Int {
      let pipeline = try Pipeline()
      try pipeline.write("tasks/a.lock", "old")
      try pipeline.date("tasks/a.lock", secondsAgo: 7200)
      let calls = try await pipeline.callsOfReaping(ofTheLock)
      guard let exchange = calls.firstIndex(where: { $0.line.contains("RENAME_EXCHANGE") }) else {
        throw NotReaped(output: pipeline.trace)
      }
      return calls[..<exchange].count { $0.name == "statx" }
    }
  }

  /// Stopped within a reaping.
  private struct Stopped {
    let pipeline: Pipeline
    let daemon: RunningDaemon
    let pid: Int32

    /// Lets it go on until `condition` holds.
    func goOn(until condition: () -> Bool) async -> Bool {
      await eventually {
        kill(pid, SIGCONT)
        return condition()
      }
    }

    /// Lets it go on until the lock is spared or reaped.
    func goOnToTheEnd() async {
      let isOver = await goOn { ["spared", "reaped", "refused"].contains { !pipeline.journal($0).isEmpty } }
      #expect(isOver, "\(daemon.output)")
    }

    /// How often the lock was exchanged for something else, or was to be.
    var exchanges: Int { pipeline.calls().count { $0.line.contains(#""a.lock", RENAME_EXCHANGE"#) } }

    func end() async {
      kill(pid, SIGTERM)
      #expect(await goOn { !daemon.isRunning })
      #expect(pipeline.strays() == [])
    }
  }

  /// Starts the daemon on a stale lock, and waits until it has stopped at this moment.
  private func stop(_ pipeline: Pipeline, _ moment: Moment) async throws -> Stopped {
    let injection = try await moment.injection()
    try pipeline.write("tasks/a.lock", "old")
    try pipeline.date("tasks/a.lock", secondsAgo: 7200)
    let lock = try inode("a.lock", in: pipeline)
    let daemon = try RunningDaemon(
      pipeline, "locks.stale-after=1h", through: pipeline.tracing(injection), waits: false)
    // One look has to be enough: in a full run there may be seconds between two.
    try #require(
      await eventually { pipeline.trace.contains("--- stopped by SIGSTOP ---") || !daemon.isRunning },
      "\(daemon.output)")
    let pid = try #require(
      pipeline.read(".midwatch/state/lock").flatMap { Int32($0.trimmingCharacters(in: .newlines)) })
    let stopped = Stopped(pipeline: pipeline, daemon: daemon, pid: pid)
    // It is the moment that was meant.
    let stray = try #require(pipeline.strays().first)
    switch moment {
    case .beforeTheLastLook: try #require(stray.hasPrefix(".midwatch-new-"))
    case .beforeTheExchange: try #require(stray.hasPrefix(".midwatch-lock-"))
    case .beforeTheEnd: try #require(inode(stray, in: pipeline) == lock)
    }
    try #require((stopped.exchanges == 1) == (moment == .beforeTheEnd))
    try #require((inode("a.lock", in: pipeline) == lock) == (moment != .beforeTheEnd))
    return stopped
  }

  @Test(arguments: Moment.beforeItIsTaken)
  func aLockThatIsTakenInTheKernelMeanwhileIsPutBack(_ moment: Moment) async throws {
    let pipeline = try Pipeline()
    let stopped = try await stop(pipeline, moment)
    let inode = try inode("a.lock", in: pipeline)
    let holder = try Holder(
      sh: #"exec 9>>"$1"; flock 9; : >"$2"; exec sleep 600"#, pipeline.path("tasks/a.lock"), pipeline.path("ready"))
    try #require(await eventually { pipeline.exists("ready") || holder.hasEnded })
    await stopped.goOnToTheEnd()
    #expect(pipeline.journal("spared").count == 1)
    #expect((pipeline.journal("spared").first?["say"] as? String)?.hasSuffix("a process holds it") == true)
    #expect(try self.inode("a.lock", in: pipeline) == inode)
    #expect(pipeline.read("tasks/a.lock") == "old")
    #expect(stopped.exchanges == 2)
    #expect(pipeline.journal("reaped").isEmpty)
    await stopped.end()
  }

  @Test(arguments: Moment.beforeItIsTaken)
  func aFreshLockIsNeverTakenForTheStaleOne(_ moment: Moment) async throws {
    let pipeline = try Pipeline()
    let stopped = try await stop(pipeline, moment)
    try pipeline.remove("tasks/a.lock")
    try pipeline.write("tasks/a.lock", "fresh")
    let inode = try inode("a.lock", in: pipeline)
    await stopped.goOnToTheEnd()
    #expect(pipeline.journal("spared").count == 1)
    #expect(try self.inode("a.lock", in: pipeline) == inode)
    #expect(pipeline.read("tasks/a.lock") == "fresh")
    // What is seen to be another is not taken even for a moment.
    #expect(stopped.exchanges == (moment == .beforeTheLastLook ? 0 : 2))
    #expect(pipeline.journal("reaped").isEmpty)
    await stopped.end()
  }

  @Test(arguments: Moment.beforeItIsTaken)
  func aLockThatIsRefreshedMeanwhileStays(_ moment: Moment) async throws {
    let pipeline = try Pipeline()
    let stopped = try await stop(pipeline, moment)
    let inode = try inode("a.lock", in: pipeline)
    try pipeline.date("tasks/a.lock", secondsAgo: 0)
    await stopped.goOnToTheEnd()
    #expect(pipeline.journal("spared").count == 1)
    #expect(try self.inode("a.lock", in: pipeline) == inode)
    #expect(stopped.exchanges == (moment == .beforeTheLastLook ? 0 : 2))
    #expect(pipeline.journal("reaped").isEmpty)
    await stopped.end()
  }

  @Test(arguments: Moment.beforeItIsTaken)
  func aLockThatIsReleasedMeanwhileStaysReleased(_ moment: Moment) async throws {
    let pipeline = try Pipeline()
    let stopped = try await stop(pipeline, moment)
    try pipeline.remove("tasks/a.lock")
    await stopped.goOnToTheEnd()
    #expect(pipeline.journal("spared").count == 1)
    #expect(pipeline.names(in: "tasks") == [])
    #expect(stopped.exchanges == (moment == .beforeTheLastLook ? 0 : 1))
    #expect(pipeline.journal("reaped").isEmpty)
    await stopped.end()
  }

  /// Between the exchange and the end nobody finds the name free, and who looks finds a living owner.
  @Test func whileItIsReapedTheLockIsTheDaemons() async throws {
    let pipeline = try Pipeline()
    let stopped = try await stop(pipeline, .beforeTheEnd)
    #expect(pipeline.read("tasks/a.lock") == "\(stopped.pid)\n")
    let contender = try Programs.run("sh", ["-c", #"set -C; : >"$0""#, pipeline.path("tasks/a.lock")])
    #expect(contender.status != 0)
    #expect(pipeline.journal("reaped").count == 1, "written before it is gone")
    #expect(await stopped.goOn { pipeline.names(in: "tasks") == [] })
    await stopped.end()
  }

  private func inode(_ name: String, in pipeline: Pipeline) throws -> UInt64 {
    var status = stat()
    guard lstat(pipeline.path("tasks/\(name)"), &status) == 0 else { throw POSIXError(.ENOENT) }
    return UInt64(status.st_ino)
  }
}
