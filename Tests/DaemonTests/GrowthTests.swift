import Foundation
import TestSupport
import Testing

/// Transcripts that grow, and what is made of it.
@Suite(.serialized) struct GrowthTests {
  /// More than 100 KiB within 2 s; looked at once a second while they grow.
  private let limit = "agent.research.growth=100K per 2s"

  private func pipeline() throws -> (Pipeline, hook: String) {
    let pipeline = try Pipeline(["tasks", "status", "outputs", "logs"])
    let hook = pipeline.path("hook")
    try pipeline.write("hook", "#!/bin/sh\ncat >> '\(pipeline.path("told"))'\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: hook)
    return (pipeline, hook)
  }

  private func grow(_ name: String, by kibibytes: Int, in pipeline: Pipeline) throws {
    let url = URL(fileURLWithPath: pipeline.path(name))
    if !FileManager.default.fileExists(atPath: url.path) { try pipeline.write(name) }
    let file = try FileHandle(forWritingTo: url)
    try file.seekToEnd()
    try file.write(contentsOf: Data(repeating: 0x61, count: kibibytes << 10))
    try file.close()
  }

  private func messages(in pipeline: Pipeline) -> [[String: Any]] {
    (pipeline.read("told") ?? "").split(separator: "\n").compactMap {
      (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
    }
  }

  @Test func aLogThatGrowsTooFastIsToldOnceAndOnceThatItIsOver() async throws {
    let (pipeline, hook) = try pipeline()
    // What was there before has not grown.
    try grow("logs/research.log", by: 5000, in: pipeline)
    let daemon = try await RunningDaemon.start(pipeline, limit, "alert.exec=\(hook)")
    try grow("logs/research.log", by: 200, in: pipeline)
    #expect(await eventually { pipeline.journal("growing").count == 1 })
    #expect(await eventually { pipeline.journal("growth-over").count == 1 })
    #expect(await eventually { messages(in: pipeline).count == 2 })
    #expect(daemon.stop() == 0)
    let line = try #require(pipeline.journal("growing").first)
    #expect(line["agent"] as? String == "research" && line["grown_bytes"] as? Int == 200 << 10)
    #expect(line["path"] as? String == pipeline.path("logs/research.log"))
    let told = messages(in: pipeline)
    #expect(told.map { $0["state"] as? String } == ["firing", "over"])
    #expect(told.map { $0["kind"] as? String } == ["job", "job"])
    #expect(Set(told.map { $0["id"] as? String }).count == 1)
    #expect(try pipeline.names(".midwatch/state/alerts/open") == [])
    #expect(!pipeline.exists("HALT"))
  }

  @Test func whereItIsWantedItHalts() async throws {
    let (pipeline, hook) = try pipeline()
    let daemon = try await RunningDaemon.start(pipeline, limit, "alert.exec=\(hook)", "jobs.then=halt")
    try grow("logs/research.log", by: 200, in: pipeline)
    #expect(await eventually { pipeline.exists("HALT") && messages(in: pipeline).count == 1 })
    #expect(messages(in: pipeline).first?["severity"] as? String == "halt")
    // That it grows no more does not end the halt.
    #expect(await eventually { pipeline.journal("growth-over").count == 1 })
    #expect(pipeline.exists("HALT"))
    try pipeline.remove("HALT")
    #expect(await eventually { messages(in: pipeline).count == 2 })
    #expect(messages(in: pipeline).map { $0["state"] as? String } == ["firing", "over"])
    #expect(daemon.stop() == 0)
  }

  @Test func whatIsMadeWhileItIsWatchedCountsHoweverDeepItLies() async throws {
    let pipeline = try Pipeline()
    let daemon = try await RunningDaemon.start(pipeline, "agent.research.growth=100K per 60s")
    try pipeline.makeDirectory("logs/research/sessions")
    try grow("logs/research/sessions/1.jsonl", by: 60, in: pipeline)
    try grow("logs/other.log", by: 900, in: pipeline)
    try grow("logs/research.log", by: 60, in: pipeline)
    #expect(await eventually { !pipeline.journal("growing").isEmpty })
    let line = try #require(pipeline.journal("growing").first)
    #expect(line["grown_bytes"] as? Int == 120 << 10)
    #expect(daemon.stop() == 0)
  }

  @Test func noSymlinkIsFollowed() async throws {
    let (pipeline, _) = try pipeline()
    try pipeline.makeDirectory("elsewhere")
    try pipeline.makeDirectory("logs/research")
    try grow("elsewhere/big", by: 1, in: pipeline)
    for (link, target) in [("logs/research/file", "elsewhere/big"), ("logs/research/directory", "elsewhere")] {
      try FileManager.default.createSymbolicLink(atPath: pipeline.path(link), withDestinationPath: pipeline.path(target))
    }
    let daemon = try await RunningDaemon.start(pipeline, limit)
    try grow("elsewhere/big", by: 5000, in: pipeline)
    try grow("logs/research/1.jsonl", by: 150, in: pipeline)
    #expect(await eventually { pipeline.journal("growing").count == 1 })
    #expect(pipeline.journal("growing").first?["grown_bytes"] as? Int == 150 << 10)
    #expect(daemon.stop() == 0)
  }

  @Test func whatIsObservedIsWrittenDownAndToldToNobody() async throws {
    let (pipeline, hook) = try pipeline()
    let daemon = try await RunningDaemon.start(pipeline, limit, "jobs.mode=observe", "alert.exec=\(hook)")
    try grow("logs/research.log", by: 200, in: pipeline)
    #expect(await eventually { pipeline.journal("would-alert").count == 1 })
    #expect(await eventually { pipeline.journal("growth-over").count == 1 })
    #expect(daemon.stop() == 0)
    #expect(try pipeline.names(".midwatch/state/alerts/open") == [] && messages(in: pipeline).isEmpty)
  }

  @Test func aResumeStartsAnew() async throws {
    let (pipeline, _) = try pipeline()
    let daemon = try await RunningDaemon.start(pipeline, "agent.research.growth=100K per 10s")
    try grow("logs/research.log", by: 101, in: pipeline)
    #expect(await eventually { pipeline.journal("growing").count == 1 })
    try pipeline.write("HALT", "stop\n")
    #expect(await eventually { pipeline.journal("forced-open").count == 1 })
    try pipeline.remove("HALT")
    #expect(await eventually { pipeline.journal("growth-over").count == 1 })
    #expect(pipeline.journal("growth-over").first?["grown_bytes"] as? Int == 0)
    #expect(daemon.stop() == 0)
  }

  @Test func anAlertFromBeforeARestartIsEnded() async throws {
    let (pipeline, hook) = try pipeline()
    let settings = ["agent.research.growth=100K per 10s", "alert.exec=\(hook)"]
    let daemon = try await RunningDaemon.start(pipeline, settings)
    try grow("logs/research.log", by: 101, in: pipeline)
    #expect(await eventually { messages(in: pipeline).count == 1 })
    daemon.kill()
    let next = try await RunningDaemon.start(pipeline, settings)
    #expect(await eventually { messages(in: pipeline).count == 2 })
    #expect(messages(in: pipeline).map { $0["state"] as? String } == ["firing", "over"])
    #expect(next.stop() == 0)
  }

  @Test func aFileThatGrowsWithoutAPauseWakesNobodyForEachWrite() async throws {
    let (pipeline, _) = try pipeline()
    // A look every 3 s.
    let daemon = try await RunningDaemon.start(pipeline, "agent.research.growth=1T per 30s")
    #expect(await isAsleep(daemon))
    let (before, began) = (try wakings(of: daemon), Date())
    let log = pipeline.path("logs/research.log")
    let writer = try Holder(sh: "while :; do echo >> \"$1\"; sleep 0.01; done", log)
    try await Task.sleep(for: .seconds(10))
    writer.kill()
    let writes = try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int ?? 0
    let looks = Int(Date().timeIntervalSince(began) / 3) + 1
    let woken = try wakings(of: daemon) - before
    // It is woken to look, and once besides where a watch was put back too early.
    #expect(woken >= 1 && woken <= 2 * looks + 2 && writes > 10 * looks, "\(woken) wakings, \(writes) writes, \(looks) looks")
    #expect(await isAsleep(daemon))
    #expect(daemon.stop() == 0)
  }

  private func wakings(of daemon: RunningDaemon) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(daemon.pid)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") }
    return Int(try #require(line).split(separator: "\t").last ?? "") ?? 0
  }

  /// Waits until nothing has woken it for eight seconds, twice its pace.
  private func isAsleep(_ daemon: RunningDaemon) async -> Bool {
    var last = -1
    var since = Date()
    return await eventually {
      let now = (try? wakings(of: daemon)) ?? -1
      if now != last { (last, since) = (now, Date()) }
      return now >= 0 && Date().timeIntervalSince(since) > 8
    }
  }
}
