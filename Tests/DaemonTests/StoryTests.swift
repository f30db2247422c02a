import TestSupport
import Testing

/// The main job on a real directory, one story for each rule.
@Suite struct StoryTests {
  @Test func aStaleLockIsReapedAndAYoungOneIsLeft() throws {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline, "locks.stale-after=2s")
    try pipeline.write("tasks/old.lock")
    #expect(eventually { !pipeline.exists("tasks/old.lock") })
    #expect(pipeline.journal("reaped").first?["rung"] as? String == "older than stale-after")
    try pipeline.write("tasks/young.lock")
    #expect(daemon.stop() == 0)
    #expect(pipeline.exists("tasks/young.lock"))
  }

  @Test func theEleventhOutputHaltsAndDeletingHaltResumes() throws {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline)
    try pipeline.makeDirectory("outputs/content")
    for number in 1...10 { try pipeline.write("outputs/content/\(number).md") }
    #expect(!eventually(within: 1) { pipeline.exists("HALT") })
    try pipeline.write("outputs/content/11.md")
    #expect(eventually { pipeline.exists("HALT") })
    try pipeline.remove("HALT")
    #expect(eventually { pipeline.journal("resumed").count == 1 })
    for number in 12...21 { try pipeline.write("outputs/content/\(number).md") }
    #expect(!eventually(within: 1) { pipeline.exists("HALT") })
    #expect(daemon.stop() == 0)
  }

  @Test func aSilentAgentIsMarkedUntilItBeats() throws {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline, "heartbeats.every=1s", "heartbeats.stale-after=1s")
    try pipeline.write("status/research.heartbeat")
    #expect(eventually { pipeline.exists("status/research.degraded") })
    try pipeline.write("status/research.heartbeat", "again")
    #expect(eventually { !pipeline.journal("unmarked").isEmpty })
    #expect(daemon.stop() == 0)
  }
}
