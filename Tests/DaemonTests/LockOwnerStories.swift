import Foundation
import TestSupport
import Testing

/// Owners that are dead, recycled, inside a container, or not the holder; and holders that nobody named.
@Suite struct LockOwnerStories {
  /// clone3(2) with set_tid: a process with the pid that a lock names.
  private static let reincarnation = """
    import ctypes, os, signal, struct, sys
    libc = ctypes.CDLL(None, use_errno=True)
    tid = (ctypes.c_int32 * 1)(int(sys.argv[1]))
    arguments = ctypes.create_string_buffer(
        struct.pack('11Q', 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, ctypes.addressof(tid), 1, 0))
    pid = libc.syscall(435, arguments, 88)
    if pid == 0:
        os.execvp('sleep', ['sleep', '600'])
    if pid < 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    open(sys.argv[2], 'w').close()
    os.waitpid(pid, 0)
    """

  /// A pid that nobody has, from the end where new ones come last.
  private func freePid() throws -> Int32 {
    let limit =
      Int32(
        try String(contentsOfFile: "/proc/sys/kernel/pid_max", encoding: .utf8).trimmingCharacters(
          in: .whitespacesAndNewlines)) ?? 32768
    for _ in 0..<1000 {
      let pid = limit - Int32.random(in: 10..<2000)
      if !FileManager.default.fileExists(atPath: "/proc/\(pid)") { return pid }
    }
    throw POSIXError(.ESRCH)
  }

  private func startTicks(_ pid: Int32) throws -> String {
    let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
    return String(stat.split(separator: ")").last?.split(separator: " ")[19] ?? "")
  }

  @Test(.enabled(if: Programs.isRoot, "set_tid is for root"))
  func aProcessThatTookOverThePidIsNotTheOwner() async throws {
    let pipeline = try Pipeline()
    let pid = try freePid()
    try pipeline.write("tasks/dated.lock", #"{"pid":\#(pid),"createdAt":"2026-01-01T00:00:00Z"}"#)
    try pipeline.write("tasks/bare.lock", "\(pid)\n")
    // More than the second by which start times may be off.
    #expect(await !eventually(within: 2.5) { !pipeline.exists("tasks/dated.lock") })
    let other = try Holder(python: Self.reincarnation, "\(pid)", pipeline.path("ready"))
    try #require(await eventually { pipeline.exists("ready") || other.hasEnded })
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1h", "locks.dead-owner-grace=1s")
    #expect(await eventually { !pipeline.exists("tasks/dated.lock") })
    #expect(await eventually { pipeline.journal("reaped").first?["rung"] as? String == "its owner is gone" })
    #expect(pipeline.journal("reaped").first?["owner_is"] as? String == "gone, its pid is another process's now")
    // That the writer of a bare pid was the holder is not proved by its end.
    #expect(await !eventually(within: 3) { !pipeline.exists("tasks/bare.lock") })
    #expect(!other.hasEnded)
    #expect(daemon.stop() == 0)
  }

  @Test func aStartTimeThatIsAnothersIsProofEnough() async throws {
    let pipeline = try Pipeline()
    let other = try Holder("sleep", ["600"])
    let ticks = try #require(UInt64(try startTicks(other.pid)))
    try pipeline.write("tasks/other.lock", #"{"pid":\#(other.pid),"starttime":\#(ticks - 1)}"#)
    try pipeline.write("tasks/own.lock", #"{"pid":\#(other.pid),"starttime":\#(ticks)}"#)
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1h", "locks.dead-owner-grace=1s")
    #expect(await eventually { !pipeline.exists("tasks/other.lock") })
    #expect(await !eventually(within: 3) { !pipeline.exists("tasks/own.lock") })
    #expect(!other.hasEnded)
    #expect(daemon.stop() == 0)
  }

  @Test func aZombieIsDead() async throws {
    let pipeline = try Pipeline()
    let parent = try Holder(
      sh: #"""
        sh -c 'printf "{\"pid\":%s,\"createdAt\":1}" $$ >"$1"' sh "$1" &
        exec sleep 600
        """#, pipeline.path("tasks/a.lock"))
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1h", "locks.dead-owner-grace=1s")
    #expect(await eventually { pipeline.journal("reaped").first?["rung"] as? String == "its owner is gone" })
    #expect(!parent.hasEnded)
    #expect(daemon.stop() == 0)
  }

  @Test func aDeadOwnersLockThatIsOpenElsewhereIsKept() async throws {
    let pipeline = try Pipeline()
    let dead = try Holder("true", [])
    try #require(await eventually { dead.hasEnded })
    try pipeline.write("tasks/a.lock", #"{"pid":\#(dead.pid),"createdAt":1}"#)
    let reader = try Holder(
      sh: #"exec 9<"$1"; : >"$2"; exec sleep 600"#, pipeline.path("tasks/a.lock"), pipeline.path("ready"))
    try #require(await eventually { pipeline.exists("ready") })
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=2s", "locks.dead-owner-grace=1s")
    #expect(await eventually { !pipeline.journal("kept").isEmpty })
    #expect(await !eventually(within: 6) { !pipeline.exists("tasks/a.lock") })
    let kept = pipeline.journal("kept")
    #expect(kept.count == 1)
    #expect(kept.first?["rung"] as? String == "open in a process")
    #expect(kept.first?["held_by"] as? [String] == ["sleep (pid \(reader.pid))"])
    reader.kill()
    #expect(await eventually { pipeline.journal("reaped").first?["rung"] as? String == "its owner is gone" })
    #expect(daemon.stop() == 0)
  }

  /// A job started a server, which has the job's lock in its hands ever since.
  @Test(.enabled(if: Programs.has("flock"), "Debian: util-linux"))
  func aLockThatAChildInheritedIsHeld() async throws {
    let pipeline = try Pipeline()
    let owner = try Holder(
      sh: #"""
        exec 9>"$1"; flock 9; echo $$ >&9
        sleep 600 & echo $! >"$2.new"; mv "$2.new" "$2"
        """#, pipeline.path("tasks/a.lock"), pipeline.path("child"))
    try #require(await eventually { owner.hasEnded && pipeline.exists("child") })
    let child = try #require(pipeline.read("child").flatMap { Int32($0.trimmingCharacters(in: .newlines)) })
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=2s", "locks.dead-owner-grace=1s")
    #expect(await eventually { !pipeline.journal("kept").isEmpty })
    #expect(await !eventually(within: 6) { !pipeline.exists("tasks/a.lock") })
    #expect(pipeline.journal("kept").count == 1)
    #expect(pipeline.journal("kept").first?["rung"] as? String == "held in the kernel")
    #expect(pipeline.journal("kept").first?["held_by"] as? [String] == ["sleep (pid \(child))"])
    kill(child, SIGKILL)
    #expect(await eventually { pipeline.journal("reaped").first?["rung"] as? String == "older than stale-after" })
    #expect(daemon.stop() == 0)
  }

  /// A container's agent writes the pid that it has inside.
  @Test(.enabled(if: Programs.isRoot && Programs.has("unshare"), "unshare --pid is for root"))
  func aPidInsideAnotherNamespaceIsFound() async throws {
    let pipeline = try Pipeline()
    let pid = try freePid()
    let container = try Holder(
      "unshare",
      [
        "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c",
        #"""
        echo \#(pid - 1) >/proc/sys/kernel/ns_last_pid
        sh -c 'printf "{\"pid\":%s,\"createdAt\":1}" $$ >"$1"; exec sleep 600' sh "$1" &
        wait
        """#, "sh", pipeline.path("tasks/a.lock"),
      ])
    try #require(await eventually { pipeline.read("tasks/a.lock")?.hasSuffix("}") == true || container.hasEnded })
    #expect(pipeline.read("tasks/a.lock")?.contains("\(pid)") == true)
    #expect(!FileManager.default.fileExists(atPath: "/proc/\(pid)"))
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=2s", "locks.dead-owner-grace=1s")
    #expect(await eventually { !pipeline.journal("kept").isEmpty })
    #expect(await !eventually(within: 6) { !pipeline.exists("tasks/a.lock") })
    #expect(pipeline.journal("kept").first?["rung"] as? String == "its owner lives")
    container.kill()
    #expect(await eventually { pipeline.journal("reaped").first?["rung"] as? String == "its owner is gone" })
    #expect(daemon.stop() == 0)
  }

  /// In a container nobody outside can be seen, and nobody outside is dead for that.
  @Test(.enabled(if: Programs.isRoot && Programs.has("unshare", "flock"), "unshare --pid is for root"))
  func insideANamespaceOfItsOwnItTakesNobodyForDead() async throws {
    let pipeline = try Pipeline()
    let owner = try Holder(
      sh: #"printf '{"pid":%s,"createdAt":1}' $$ >"$1"; exec sleep 600"#, pipeline.path("tasks/owned.lock"))
    let holder = try Holder(
      sh: #"exec 9>"$1"; flock 9; : >"$2"; exec sleep 600"#, pipeline.path("tasks/held.lock"), pipeline.path("ready"))
    try #require(
      await eventually { pipeline.exists("ready") && pipeline.read("tasks/owned.lock")?.hasSuffix("}") == true })
    try pipeline.write("tasks/old.lock")
    for name in ["held", "old"] { try pipeline.date("tasks/\(name).lock", secondsAgo: 7200) }
    let daemon = try RunningDaemon(
      pipeline, "locks.stale-after=1h", "locks.dead-owner-grace=1s",
      through: ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"], waits: false)
    #expect(await eventually { !pipeline.exists("tasks/old.lock") })
    #expect(
      await !eventually(within: 4) { !pipeline.exists("tasks/owned.lock") || !pipeline.exists("tasks/held.lock") })
    #expect(pipeline.journal("kept").count == 1)
    #expect(pipeline.journal("kept").first?["rung"] as? String == "held in the kernel")
    #expect(!owner.hasEnded && !holder.hasEnded)
    daemon.kill()
  }

  @Test func anotherHostsOwnerCannotBeJudgedFromHere() async throws {
    let pipeline = try Pipeline()
    try pipeline.link("tasks/a.lock", to: "another-host-4000000")
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1h", "locks.dead-owner-grace=1s")
    #expect(await !eventually(within: 3) { !pipeline.exists("tasks/a.lock") })
    try pipeline.date("tasks/a.lock", secondsAgo: 7200)
    #expect(await eventually { pipeline.journal("reaped").first?["rung"] as? String == "older than stale-after" })
    #expect(daemon.stop() == 0)
  }
}
