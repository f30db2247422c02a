import Foundation
import TestSupport
import Testing

/// Every column of docs/measurements.md's table of what goes wrong: survived, journaled, and reacting again.
@Suite struct WatchedTreeTests {
  /// A lock that is made now is reaped: the watch sees what happens in `tasks`.
  private func reacts(_ pipeline: Pipeline, _ name: String = "probe-\(UUID().uuidString.prefix(6)).lock") -> Bool {
    guard (try? pipeline.write("tasks/\(name)")) != nil else { return false }
    return eventually { pipeline.exists("tasks/\(name)") == false }
  }

  private func daemon(_ pipeline: Pipeline) throws -> RunningDaemon {
    try RunningDaemon(pipeline, "locks.stale-after=300ms", "outputs.limit=100000 per 10min")
  }

  @Test func directoriesThatAreNotThereYet() throws {
    let pipeline = try Pipeline([])
    let daemon = try daemon(pipeline)
    #expect(pipeline.journal("missing").count == 3)
    try pipeline.makeDirectory("tasks")
    #expect(reacts(pipeline))
    #expect(pipeline.journal("found").count == 1)
    #expect(daemon.stop() == 0)
  }

  @Test func aRootThatIsNotThereYet() throws {
    let pipeline = try Pipeline(["elsewhere"])
    let state = ["STATE_DIRECTORY": pipeline.path("elsewhere/state"), "RUNTIME_DIRECTORY": pipeline.path("elsewhere/run")]
    let inner = pipeline.path("deep/pipeline")
    let daemon = try RunningDaemon(
      pipeline, "locks.stale-after=300ms", arguments: ["--root", inner], environment: state, waits: false)
    #expect(eventually { pipeline.exists("elsewhere/run/status.json") })
    try pipeline.makeDirectory("deep/pipeline/tasks")
    try pipeline.write("deep/pipeline/tasks/a.lock")
    #expect(eventually { !pipeline.exists("deep/pipeline/tasks/a.lock") })
    #expect(daemon.stop() == 0)
  }

  @Test func deletedAndMadeAgain() throws {
    let pipeline = try Pipeline()
    let daemon = try daemon(pipeline)
    for _ in 0..<3 {
      #expect(reacts(pipeline))
      try pipeline.remove("tasks")
      try pipeline.makeDirectory("tasks")
    }
    #expect(reacts(pipeline))
    #expect(daemon.stop() == 0)
  }

  @Test func theWholeRootDeletedAndMadeAgain() throws {
    let pipeline = try Pipeline(["p/tasks", "s"])
    let state = ["STATE_DIRECTORY": pipeline.path("s/state"), "RUNTIME_DIRECTORY": pipeline.path("s/run")]
    let daemon = try RunningDaemon(
      pipeline, "locks.stale-after=300ms", arguments: ["--root", pipeline.path("p")], environment: state, waits: false)
    #expect(eventually { pipeline.exists("s/run/status.json") })
    for round in 0..<3 {
      try pipeline.remove("p")
      try pipeline.makeDirectory("p/tasks")
      try pipeline.write("p/tasks/\(round).lock")
      #expect(eventually { !pipeline.exists("p/tasks/\(round).lock") })
    }
    #expect(daemon.stop() == 0)
  }

  @Test func renamedAwayAndMadeAgain() throws {
    let pipeline = try Pipeline()
    let daemon = try daemon(pipeline)
    try FileManager.default.moveItem(atPath: pipeline.path("tasks"), toPath: pipeline.path("tasks.old"))
    #expect(eventually { !pipeline.journal("missing").isEmpty })
    try pipeline.makeDirectory("tasks")
    #expect(reacts(pipeline))
    // What was moved away is no longer ours to judge.
    try pipeline.write("tasks.old/left.lock")
    #expect(reacts(pipeline))
    #expect(pipeline.exists("tasks.old/left.lock"))
    #expect(daemon.stop() == 0)
  }

  @Test(arguments: ["symlink", "file"]) func replacedBySomethingElse(by what: String) throws {
    let pipeline = try Pipeline()
    try pipeline.makeDirectory("outside")
    try pipeline.write("outside/theirs.lock")
    let daemon = try daemon(pipeline)
    try pipeline.remove("tasks")
    if what == "symlink" {
      try FileManager.default.createSymbolicLink(atPath: pipeline.path("tasks"), withDestinationPath: "outside")
      #expect(eventually { !pipeline.journal("symlink").isEmpty })
    } else {
      try pipeline.write("tasks")
      #expect(eventually { !pipeline.journal("not-a-directory").isEmpty })
    }
    try pipeline.remove("tasks")
    try pipeline.makeDirectory("tasks")
    #expect(reacts(pipeline))
    #expect(pipeline.exists("outside/theirs.lock"))
    #expect(daemon.stop() == 0)
  }

  /// The queue holds `fs.inotify.max_queued_events`; the daemon is stopped while more happens.
  @Test func overflow() throws {
    let pipeline = try Pipeline()
    try pipeline.makeDirectory("outputs/a")
    let daemon = try daemon(pipeline)
    let limit = Int((try String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)).dropLast()) ?? 16384
    let count = limit / 2 + 2000
    kill(daemon.pid, SIGSTOP)
    for number in 0..<count { close(open(pipeline.path("outputs/a/\(number)"), O_CREAT | O_WRONLY, 0o644)) }
    kill(daemon.pid, SIGCONT)
    #expect(eventually { !pipeline.journal("overflow").isEmpty })
    #expect(eventually { pipeline.status()["outputs_since_start"] as? Int == count })
    // Counted once: what the queue had told and what the rescan found are the same names.
    #expect(!eventually(within: 2) { pipeline.status()["outputs_since_start"] as? Int ?? 0 > count })
    #expect(reacts(pipeline))
    #expect(daemon.stop() == 0)
  }

  @Test func hangUpKeepsWatching() throws {
    let pipeline = try Pipeline()
    let daemon = try daemon(pipeline)
    for round in 1...3 {
      daemon.reload()
      #expect(eventually { pipeline.journal("reloaded").count == round })
      #expect(reacts(pipeline))
    }
    #expect(daemon.stop() == 0)
  }

  @Test func aSecondOneOnTheSameStateIsRefused() throws {
    let pipeline = try Pipeline()
    let daemon = try daemon(pipeline)
    let second = try Programs.run(Programs.built.appendingPathComponent("midwatchd").path, ["--root", pipeline.path])
    #expect(second.status == 75)
    #expect(
      second.error
        == "midwatchd: another midwatchd (pid \(daemon.pid)) holds this state directory; stop it first, or give this one another root\n"
    )
    #expect(daemon.stop() == 0)
  }

  @Test func aBurstOfAHundredThousandIsCountedWhole() throws {
    let pipeline = try Pipeline()
    try pipeline.makeDirectory("outputs/a")
    let daemon = try RunningDaemon(pipeline, "outputs.limit=200000 per 10min")
    for number in 0..<100_000 { close(open(pipeline.path("outputs/a/\(number)"), O_CREAT | O_WRONLY, 0o644)) }
    #expect(eventually { pipeline.status()["outputs_since_start"] as? Int == 100_000 })
    #expect(daemon.stop() == 0)
  }

  /// A name inside a directory that came with its files already in it, at any depth.
  @Test func aSubdirectoryMovedInIsCountedWithItsFiles() throws {
    let pipeline = try Pipeline()
    try pipeline.makeDirectory("outputs/a")
    let daemon = try RunningDaemon(pipeline, "outputs.limit=10 per 10min")
    try pipeline.makeDirectory("made/deep")
    for number in 1...6 { try pipeline.write("made/\(number)") }
    for number in 7...11 { try pipeline.write("made/deep/\(number)") }
    try FileManager.default.moveItem(atPath: pipeline.path("made"), toPath: pipeline.path("outputs/a/made"))
    #expect(eventually { pipeline.exists("HALT") })
    #expect(daemon.stop() == 0)
  }
}
