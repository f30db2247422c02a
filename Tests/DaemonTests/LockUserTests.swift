import Foundation
import TestSupport
import Testing

/// midwatchd as an ordinary user: his own locks, in directories that only he can write.
@Suite(.enabled(if: Programs.isRoot && Programs.has("setpriv"), "to become another user takes root and util-linux"))
struct LockUserTests {
  private static let user: UInt32 = 65534
  private static let wrapper = [
    "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "env", "HOME=/nonexistent",
  ]

  private func own(_ pipeline: Pipeline, _ names: String..., by user: UInt32 = user) {
    for name in names { lchown(pipeline.path(name), user, user) }
  }

  @Test func heJudgesHisOwnLocksAndReportsOthers() async throws {
    let pipeline = try Pipeline(["tasks", "shared", "sticky", "status", "outputs"])
    own(pipeline, ".", "tasks", "shared", "status", "outputs")
    chmod(pipeline.path("shared"), 0o775)
    chmod(pipeline.path("sticky"), 0o1777)
    try pipeline.write("tasks/own.lock", "content")
    try pipeline.link("tasks/link.lock", to: "nowhere-4000000")
    try pipeline.makeDirectory("tasks/directory.lock")
    try pipeline.write("tasks/roots.lock")
    try pipeline.write("shared/own.lock")
    try pipeline.write("sticky/own.lock")
    own(pipeline, "tasks/own.lock", "tasks/link.lock", "tasks/directory.lock", "shared/own.lock", "sticky/own.lock")
    for name in ["tasks/own", "tasks/link", "tasks/directory", "tasks/roots", "shared/own", "sticky/own"] {
      try pipeline.date("\(name).lock", secondsAgo: 7200)
    }
    let daemon = try await RunningDaemon.start(
      pipeline, "locks.stale-after=1s", "locks.watch=tasks/{task}.lock, shared/{task}.lock, sticky/{task}.lock",
      through: Self.wrapper)
    #expect(daemon.isWatching, "\(daemon.output)")
    #expect(await eventually { pipeline.names(in: "tasks") == ["roots.lock"] })
    #expect(await eventually { pipeline.journal("kept").count == 3 })
    #expect(await !eventually(within: 3) { pipeline.names(in: "tasks") != ["roots.lock"] })
    #expect(pipeline.names(in: "shared") + pipeline.names(in: "sticky") == ["own.lock", "own.lock"])
    let kept = pipeline.journal("kept")
    #expect(kept.count == 3)
    #expect(
      kept.allSatisfy {
        ($0["say"] as? String)?.hasSuffix("not ours: another user's, or in a directory that others may write") == true
      })
    // He can put back what was his.
    let line = try #require(
      pipeline.journal("reaped").first { ($0["path"] as? String)?.hasSuffix("tasks/own.lock") == true })
    try pipeline.request("undo-\(try #require(line["seq"] as? Int))")
    #expect(await eventually { pipeline.read("tasks/own.lock") == "content" })
    #expect(daemon.stop() == 0)
  }

  @Test func hisOwnLivingHoldersAreSeen() async throws {
    let pipeline = try Pipeline()
    own(pipeline, ".", "tasks", "status", "outputs")
    let holder = try Holder(
      "setpriv",
      [
        "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", #"exec 9>"$1"; exec sleep 600"#, "sh",
        pipeline.path("tasks/a.lock"),
      ])
    try #require(await eventually { pipeline.exists("tasks/a.lock") })
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=2s", through: Self.wrapper)
    #expect(await eventually { pipeline.journal("kept").first?["rung"] as? String == "open in a process" })
    #expect(await !eventually(within: 6) { !pipeline.exists("tasks/a.lock") })
    holder.kill()
    #expect(await eventually { !pipeline.exists("tasks/a.lock") })
    #expect(daemon.stop() == 0)
  }

  /// Where /proc shows him only his own processes, the others are not dead.
  @Test(
    .enabled(if: Programs.has("unshare"), "Debian: util-linux"), arguments: ["hidepid=1", "hidepid=2", "subset=pid"])
  func whoIsHiddenFromHimIsNotDead(option: String) async throws {
    let pipeline = try Pipeline()
    own(pipeline, ".", "tasks", "status", "outputs")
    let others = try Holder("sleep", ["600"])
    try pipeline.write("tasks/a.lock", #"{"pid":\#(others.pid),"createdAt":1}"#)
    own(pipeline, "tasks/a.lock")
    // The very processes of this namespace, on a /proc of its own.
    let mount = #"mount -t proc -o "$0" proc /proc && exec "$@""#
    let daemon = try await RunningDaemon.start(
      pipeline, "locks.stale-after=1h", "locks.dead-owner-grace=1s",
      through: ["unshare", "--mount", "sh", "-c", mount, option] + Self.wrapper)
    #expect(daemon.isWatching, "\(daemon.output)")
    #expect(await !eventually(within: 4) { !pipeline.exists("tasks/a.lock") })
    #expect(!others.hasEnded)
    #expect(daemon.stop() == 0)
  }
}
