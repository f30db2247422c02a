import Foundation
import TestSupport
import Testing

/// I3, I4 and I6: killed at random moments under load, midwatchd leaves everything whole, and goes on as if
/// nothing had been.
@Suite struct SuddenDeathTests {
  @Test func killedTwoHundredTimes() async throws {
    let pipeline = try Pipeline(["tasks", "status", "outputs/a"])
    let inbox = pipeline.path("inbox")
    var dice = SystemRandomNumberGenerator()
    func start() throws -> RunningDaemon {
      try RunningDaemon(
        pipeline, "locks.stale-after=1h", "heartbeats.every=1s", "heartbeats.stale-after=1s",
        "alert.exec=/usr/bin/tee -a \(inbox)",
        waits: false)
    }
    var made = 0
    var haltID: String?
    for round in 0..<200 {
      let daemon = try start()
      // A stale lock, a silent agent and, in the first half, one more output each time.
      try pipeline.write("tasks/\(round % 7).lock")
      try pipeline.date("tasks/\(round % 7).lock", secondsAgo: 7200)
      try pipeline.write("status/b.heartbeat", "\(round)")
      if round < 100 {
        made += 1
        try pipeline.write("outputs/a/\(made)")
      }
      try await Task.sleep(for: .milliseconds(Int.random(in: 0..<150, using: &dice)))
      daemon.kill()
      try expectWhole(pipeline)
      if round < 100 {
        // Once halted, halted: with the same id.
        let id = self.haltID(pipeline)
        #expect(haltID == nil || id == haltID)
        haltID = id
      } else if round == 100 {
        #expect(pipeline.exists("HALT"), "\(made) outputs, limit 10")
        try pipeline.remove("HALT")
      } else {
        #expect(!pipeline.exists("HALT"), "a resume holds")
      }
    }
    let daemon = try start()
    #expect(await eventually { daemon.isWatching })
    #expect(await eventually { (0..<7).allSatisfy { !pipeline.exists("tasks/\($0).lock") } })
    #expect(await eventually { pipeline.exists("status/b.degraded") })
    #expect(await eventually { pipeline.strays() == [] })
    #expect(await eventually { (try? pipeline.names(".midwatch/state/alerts/new").isEmpty) ?? false })
    #expect(daemon.stop() == 0)
    try expectOneAlertEach(inbox, pipeline)
  }

  private func haltID(_ pipeline: Pipeline) -> String? {
    guard let text = pipeline.read("HALT"),
      let json = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any]
    else { return nil }
    return json["id"] as? String
  }

  /// Each file of ours is whole or absent; of the journal only the last line may be torn.
  private func expectWhole(_ pipeline: Pipeline) throws {
    for name in ["HALT", "status/b.degraded", ".midwatch/run/status.json", ".midwatch/state/clock"] where pipeline.exists(name)
    {
      let text = pipeline.read(name) ?? ""
      #expect((try? JSONSerialization.jsonObject(with: Data(text.utf8))) != nil, "\(name): \(text)")
    }
    let lines = (pipeline.read(".midwatch/state/journal.jsonl") ?? "").split(separator: "\n", omittingEmptySubsequences: false)
    for line in lines.dropLast() where !line.isEmpty {
      #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil, "\(line)")
    }
    let sequence = pipeline.journal().compactMap { $0["seq"] as? Int }
    #expect(sequence == Array(1...max(1, sequence.count)).prefix(sequence.count).map { $0 })
  }

  /// One message for each incident's beginning, unless it says that it is a repetition.
  private func expectOneAlertEach(_ inbox: String, _ pipeline: Pipeline) throws {
    let text = (try? String(contentsOfFile: inbox, encoding: .utf8)) ?? ""
    let alerts = text.split(separator: "\n").compactMap {
      (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
    }
    let firing = alerts.filter { $0["state"] as? String == "firing" && $0["kind"] as? String == "breaker" }
    #expect(Set(firing.compactMap { $0["id"] as? String }).count == 1)
    #expect(firing.filter { $0["repeat"] == nil }.count <= 1)
  }
}
