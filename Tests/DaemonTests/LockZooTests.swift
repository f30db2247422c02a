import TestSupport
import Testing

/// Locks as real programs make them, against the real daemon.
@Suite struct LockZooTests {
  @Test(arguments: LockSpecimen.held.filter(\.isThere))
  func aLockIsKeptWhileItsHolderLivesAndReapedAfter(_ specimen: LockSpecimen) async throws {
    let pipeline = try Pipeline()
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=2s", "locks.dead-owner-grace=1s")
    let holder = try await specimen.make("a.lock", in: pipeline)
    try pipeline.date("tasks/a.lock", secondsAgo: 7200)
    #expect(await eventually { !pipeline.journal("kept").isEmpty })
    #expect(await !eventually(within: 6) { !pipeline.exists("tasks/a.lock") })
    // On a busy machine it may have grown stale by itself before it was dated back: another lock's story.
    let kept = pipeline.journal("kept").filter { $0["age_s"] as? Int ?? 0 >= 7200 }
    #expect(kept.count == 1, "told of once")
    #expect((kept.first?["held_by"] as? [String])?.contains { $0.hasSuffix("(pid \(holder.pid))") } == true)
    holder.kill()
    #expect(await eventually { !pipeline.exists("tasks/a.lock") })
    #expect(await eventually { pipeline.journal("reaped").count == 1 })
    #expect(pipeline.journal("reaped").first?["rung"] as? String == specimen.rung)
    #expect(await eventually { pipeline.strays() == [] })
    #expect(daemon.stop() == 0)
  }

  @Test(arguments: LockSpecimen.anonymous.filter(\.isThere))
  func aLockThatNamesNobodyIsAsOldAsItIs(_ specimen: LockSpecimen) async throws {
    let pipeline = try Pipeline()
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1h", "locks.dead-owner-grace=1s")
    _ = try await specimen.make("a.lock", in: pipeline)
    #expect(await !eventually(within: 3) { !pipeline.exists("tasks/a.lock") })
    try pipeline.date("tasks/a.lock", secondsAgo: 7200)
    #expect(await eventually { !pipeline.exists("tasks/a.lock") })
    #expect(await eventually { pipeline.journal("reaped").first?["rung"] as? String == "older than stale-after" })
    #expect(await eventually { pipeline.strays() == [] })
    #expect(daemon.stop() == 0)
  }

  /// `echo $$ >lock` names a shell that is gone at once while its task runs on.
  @Test(arguments: LockSpecimen.barePids.filter(\.isThere))
  func aPidThatNobodySawLiveOnProvesNothing(_ specimen: LockSpecimen) async throws {
    let pipeline = try Pipeline()
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1h", "locks.dead-owner-grace=1s")
    let holder = try await specimen.make("a.lock", in: pipeline)
    holder.kill()
    #expect(await !eventually(within: 4) { !pipeline.exists("tasks/a.lock") })
    try pipeline.date("tasks/a.lock", secondsAgo: 7200)
    #expect(await eventually { pipeline.journal("reaped").first?["rung"] as? String == "older than stale-after" })
    #expect(daemon.stop() == 0)
  }

  @Test(arguments: LockSpecimen.barePids.filter(\.isThere))
  func aPidThatLivedOnForTenSecondsIsTheHolders(_ specimen: LockSpecimen) async throws {
    let pipeline = try Pipeline()
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1h", "locks.dead-owner-grace=1s")
    let holder = try await specimen.make("a.lock", in: pipeline)
    #expect(await !eventually(within: 10.5) { !pipeline.exists("tasks/a.lock") })
    holder.kill()
    #expect(await eventually { pipeline.journal("reaped").first?["rung"] as? String == "its owner is gone" })
    #expect(daemon.stop() == 0)
  }

  /// What is filtered away above is at least said here.
  @Test(
    .enabled(
      if: Programs.has("flock", "lockfile-create", "dotlockfile", "lockfile"), "Debian: lockfile-progs liblockfile-bin procmail"
    ))
  func everyProgramOfTheZooIsThere() {
    for specimen in LockSpecimen.held + LockSpecimen.anonymous {
      #expect(specimen.programs.allSatisfy { Programs.find($0) != nil }, "\(specimen.testDescription)")
    }
  }

  @Test(.enabled(if: Programs.pythonHas("filelock", "portalocker", "fasteners"), "PyPI: filelock portalocker fasteners"))
  func everyModuleOfTheZooIsThere() throws {
    #expect(try Programs.run("python3", ["-c", "import filelock, portalocker, fasteners"]).status == 0)
  }
}
