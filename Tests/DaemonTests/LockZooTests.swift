import TestSupport
import Testing

/// Locks as real programs make them, against the real daemon; every row works on a lock of its own.
@Suite(OneDaemon("locks.stale-after=2s", "locks.dead-owner-grace=1s"))
struct LockZooTests {
  @Test(arguments: LockSpecimen.held.filter(\.isThere))
  func aLockIsKeptWhileItsHolderLivesAndReapedAfter(_ specimen: LockSpecimen) async throws {
    let zoo = try #require(OneDaemon.current)
    let lock = zoo.newName()
    let holder = try await specimen.make(lock, in: zoo.pipeline)
    try zoo.pipeline.date("tasks/\(lock)", secondsAgo: 7200)
    #expect(await eventually { !zoo.told("kept", of: lock, age: 7200).isEmpty }, "\(zoo.told(of: lock))")
    #expect(await !eventually(within: 6) { !zoo.pipeline.exists("tasks/\(lock)") }, "\(zoo.told(of: lock))")
    let kept = zoo.told("kept", of: lock, age: 7200)
    #expect(kept.count == 1, "told of once: \(zoo.told(of: lock))")
    #expect((kept.first?["held_by"] as? [String])?.contains { $0.hasSuffix("(pid \(holder.pid))") } == true)
    holder.kill()
    #expect(await eventually { zoo.reapedBecause(lock) == specimen.rung }, "\(zoo.told(of: lock))")
    #expect(await eventually { !zoo.pipeline.exists("tasks/\(lock)") })
  }

  @Test(arguments: LockSpecimen.barePids.filter(\.isThere))
  func aPidThatLivedOnForTenSecondsIsTheHolders(_ specimen: LockSpecimen) async throws {
    let zoo = try #require(OneDaemon.current)
    let lock = zoo.newName()
    let holder = try await specimen.make(lock, in: zoo.pipeline)
    // Until then it cannot be known that the daemon has looked.
    #expect(await eventually { !zoo.told("kept", of: lock, age: 0).isEmpty }, "\(zoo.told(of: lock))")
    #expect(await !eventually(within: 10.5) { !zoo.pipeline.exists("tasks/\(lock)") }, "\(zoo.told(of: lock))")
    holder.kill()
    #expect(await eventually { zoo.reapedBecause(lock) == "its owner is gone" }, "\(zoo.told(of: lock))")
  }
}

/// The same where only what is proved is reaped within the hour.
@Suite(OneDaemon("locks.stale-after=1h", "locks.dead-owner-grace=1s"))
struct LockZooProofTests {
  @Test(arguments: LockSpecimen.anonymous.filter(\.isThere))
  func aLockThatNamesNobodyIsAsOldAsItIs(_ specimen: LockSpecimen) async throws {
    let zoo = try #require(OneDaemon.current)
    let lock = zoo.newName()
    _ = try await specimen.make(lock, in: zoo.pipeline)
    #expect(await !eventually(within: 3) { !zoo.pipeline.exists("tasks/\(lock)") }, "\(zoo.told(of: lock))")
    try zoo.pipeline.date("tasks/\(lock)", secondsAgo: 7200)
    #expect(await eventually { zoo.reapedBecause(lock) == "older than stale-after" }, "\(zoo.told(of: lock))")
    #expect(await eventually { !zoo.pipeline.exists("tasks/\(lock)") })
  }

  /// `echo $$ >lock` names a shell that is gone at once while its task runs on.
  @Test(arguments: LockSpecimen.barePids.filter(\.isThere))
  func aPidThatNobodySawLiveOnProvesNothing(_ specimen: LockSpecimen) async throws {
    let zoo = try #require(OneDaemon.current)
    let lock = zoo.newName()
    var passing = specimen
    passing.script = specimen.script.replacing("exec sleep 600", with: "exit")
    _ = try await passing.make(lock, in: zoo.pipeline)
    #expect(await !eventually(within: 4) { !zoo.pipeline.exists("tasks/\(lock)") }, "\(zoo.told(of: lock))")
    try zoo.pipeline.date("tasks/\(lock)", secondsAgo: 7200)
    #expect(await eventually { zoo.reapedBecause(lock) == "older than stale-after" }, "\(zoo.told(of: lock))")
  }
}

/// What is passed over above is at least said here.
@Suite struct LockZooCompletenessTests {
  @Test(
    .enabled(
      if: Programs.has("flock", "lockfile-create", "dotlockfile", "lockfile"),
      "Debian: util-linux lockfile-progs liblockfile-bin procmail"))
  func everyProgramIsThere() {
    for specimen in LockSpecimen.held + LockSpecimen.anonymous {
      #expect(specimen.programs.allSatisfy { Programs.find($0) != nil }, "\(specimen.testDescription)")
    }
  }

  @Test(
    .enabled(if: Programs.pythonHas("filelock", "portalocker", "fasteners"), "PyPI: filelock portalocker fasteners"))
  func everyModuleIsThere() throws {
    #expect(try Programs.run("python3", ["-c", "import filelock, portalocker, fasteners"]).status == 0)
  }
}
