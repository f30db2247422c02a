import Foundation
import TestSupport
import Testing

/// What others do to a lock while it is being reaped (I1): the daemon is stopped within, at a system call of
/// its own, and goes on when the other is done.
@Suite(.enabled(if: Programs.isRoot && Programs.has("strace", "setpriv", "flock"), "Debian: strace util-linux"))
struct LockRaceTests {
  enum Moment: String, CaseIterable, Sendable {
    /// Its placeholder is made; the last look is yet to come.
    case beforeTheLastLook
    /// Looked at for the last time before it is exchanged.
    case beforeTheExchange

    /// strace(1): the call behind which it is stopped. It looks at the lock's name twice before it reaps, and
    /// once more before it exchanges.
    var injection: [String] {
      switch self {
      case .beforeTheLastLook: ["-e", "inject=fchownat:signal=STOP:when=1"]
      case .beforeTheExchange: ["-P", "a.lock", "-e", "inject=statx:signal=STOP:when=3"]
      }
    }
  }

  /// Starts the daemon on a stale lock, and waits until it has stopped within the reaping.
  private func stopped(_ pipeline: Pipeline, _ injection: [String]) async throws -> (daemon: RunningDaemon, pid: Int32) {
    try pipeline.write("tasks/a.lock", "old")
    try pipeline.date("tasks/a.lock", secondsAgo: 7200)
    let daemon = try RunningDaemon(
      pipeline, "locks.stale-after=1h",
      through: ["strace", "-qq", "-o", "/dev/null"] + injection + ["setpriv", "--pdeathsig", "KILL"], waits: false)
    func pid() -> Int32? {
      pipeline.read(".midwatch/state/lock").flatMap { Int32($0.trimmingCharacters(in: .newlines)) }
    }
    // Traced as it is, it stops for a moment at every call; only this stop lasts.
    var stops = 0
    let isStopped = {
      let stat = pid().flatMap { try? String(contentsOfFile: "/proc/\($0)/stat", encoding: .utf8) } ?? ""
      stops = !pipeline.strays().isEmpty && stat.contains(") t ") ? stops + 1 : 0
      return stops == 10
    }
    #expect(await eventually(isStopped), "\(daemon.output)")
    return (daemon, try #require(pid()))
  }

  /// Lets it go on until `condition` holds.
  private func goOn(_ pid: Int32, until condition: () -> Bool) async -> Bool {
    await eventually {
      kill(pid, SIGCONT)
      return condition()
    }
  }

  private func end(_ stopped: (daemon: RunningDaemon, pid: Int32), _ pipeline: Pipeline) async {
    kill(stopped.pid, SIGTERM)
    #expect(await goOn(stopped.pid) { !stopped.daemon.isRunning })
    #expect(pipeline.strays() == [])
  }

  @Test(arguments: Moment.allCases)
  func aLockThatIsTakenInTheKernelMeanwhileIsPutBack(_ moment: Moment) async throws {
    let pipeline = try Pipeline()
    let daemon = try await stopped(pipeline, moment.injection)
    let inode = try inode("a.lock", in: pipeline)
    let holder = try Holder(
      sh: #"exec 9>>"$1"; flock 9; : >"$2"; exec sleep 600"#, pipeline.path("tasks/a.lock"), pipeline.path("ready"))
    try #require(await eventually { pipeline.exists("ready") || holder.hasEnded })
    #expect(await goOn(daemon.pid) { pipeline.journal("spared").count == 1 })
    #expect((pipeline.journal("spared").first?["say"] as? String)?.hasSuffix("a process holds it") == true)
    #expect(try self.inode("a.lock", in: pipeline) == inode)
    #expect(pipeline.read("tasks/a.lock") == "old")
    #expect(pipeline.journal("reaped").isEmpty)
    await end(daemon, pipeline)
  }

  @Test(arguments: Moment.allCases)
  func aFreshLockIsNeverTakenForTheStaleOne(_ moment: Moment) async throws {
    let pipeline = try Pipeline()
    let daemon = try await stopped(pipeline, moment.injection)
    try pipeline.remove("tasks/a.lock")
    try pipeline.write("tasks/a.lock", "fresh")
    let inode = try inode("a.lock", in: pipeline)
    #expect(await goOn(daemon.pid) { pipeline.journal("spared").count == 1 })
    #expect(try self.inode("a.lock", in: pipeline) == inode)
    #expect(pipeline.read("tasks/a.lock") == "fresh")
    #expect(pipeline.journal("reaped").isEmpty)
    await end(daemon, pipeline)
  }

  @Test(arguments: Moment.allCases)
  func aLockThatIsRefreshedMeanwhileStays(_ moment: Moment) async throws {
    let pipeline = try Pipeline()
    let daemon = try await stopped(pipeline, moment.injection)
    let inode = try inode("a.lock", in: pipeline)
    try pipeline.date("tasks/a.lock", secondsAgo: 0)
    #expect(await goOn(daemon.pid) { pipeline.journal("spared").count == 1 })
    #expect(try self.inode("a.lock", in: pipeline) == inode)
    #expect(pipeline.journal("reaped").isEmpty)
    await end(daemon, pipeline)
  }

  @Test(arguments: Moment.allCases)
  func aLockThatIsReleasedMeanwhileStaysReleased(_ moment: Moment) async throws {
    let pipeline = try Pipeline()
    let daemon = try await stopped(pipeline, moment.injection)
    try pipeline.remove("tasks/a.lock")
    #expect(await goOn(daemon.pid) { pipeline.journal("spared").count == 1 })
    #expect(pipeline.names(in: "tasks") == [])
    #expect(pipeline.journal("reaped").isEmpty)
    await end(daemon, pipeline)
  }

  /// Between the exchange and the end nobody finds the name free, and who looks finds a living owner.
  @Test func whileItIsReapedTheLockIsTheDaemons() async throws {
    let pipeline = try Pipeline()
    let daemon = try await stopped(pipeline, ["-P", "a.lock", "-e", "inject=statx:signal=STOP:when=4"])
    #expect(pipeline.read("tasks/a.lock") == "\(daemon.pid)\n")
    let contender = try Programs.run("sh", ["-c", #"set -C; : >"$0""#, pipeline.path("tasks/a.lock")])
    #expect(contender.status != 0)
    #expect(pipeline.journal("reaped").count == 1, "written before it is gone")
    #expect(await goOn(daemon.pid) { pipeline.names(in: "tasks") == [] })
    await end(daemon, pipeline)
  }

  private func inode(_ name: String, in pipeline: Pipeline) throws -> UInt64 {
    var status = stat()
    guard lstat(pipeline.path("tasks/\(name)"), &status) == 0 else { throw POSIXError(.ENOENT) }
    return UInt64(status.st_ino)
  }
}
