import Foundation
import TestSupport
import Testing

/// `notify-test` goes the way of every alert and says what became of it.
@Suite(.enabled(if: Programs.has("curl", "python3"), "Debian: curl python3")) struct NotifyTestTests {
  @Test func eachSinksFateIsSaid() throws {
    let server = try SinkServer()
    let pipeline = try Pipeline()
    let settings = ["alert.exec=/usr/bin/tee -a \(pipeline.path("told"))", "alert.webhook=ntfy \(server.url("topic"))"]
    var daemon = try RunningDaemon(pipeline, arguments: settings.flatMap { ["--set", $0] })
    let good = try Programs.midwatch(pipeline, "notify-test")
    #expect(good.status == 0, "\(good)")
    #expect(
      good.output
        == "/usr/bin/tee \(pad("/usr/bin/tee", "ntfy 127.0.0.1:\(server.port)")) delivered\nntfy 127.0.0.1:\(server.port)  delivered\n"
    )
    #expect(server.taken.map { $0.headers["title"]?.hasPrefix("TEST ") } == [true])
    let told = try #require(try JSONSerialization.jsonObject(with: Data((pipeline.read("told") ?? "").utf8)) as? [String: Any])
    #expect(told["kind"] as? String == "self" && told["state"] as? String == "test")
    #expect(daemon.stop() == 0)

    try server.turn("401")
    daemon = try RunningDaemon(pipeline, arguments: settings.flatMap { ["--set", $0] })
    let bad = try Programs.midwatch(pipeline, "notify-test", "--json")
    #expect(bad.status == 1)
    let json = try #require(try JSONSerialization.jsonObject(with: Data(bad.output.utf8)) as? [String: Any])
    #expect(json["v"] as? Int == 1)
    let sinks = try #require(json["sinks"] as? [[String: Any]])
    #expect(sinks.map { $0["delivered"] as? Bool } == [true, false])
    #expect(sinks[1]["why"] as? String == "HTTP 401: it is not allowed; look at the token in the address")
    #expect(try Programs.midwatch(pipeline, "notify-test").output.contains("failed: HTTP 401: it is not allowed"))
    #expect(daemon.stop() == 0)
    // The second one took the place of the first.
    #expect(try pipeline.names(".midwatch/state/alerts/new").count == 1)
  }

  @Test func withNobodyToTellItSaysSo() throws {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline)
    let outcome = try Programs.midwatch(pipeline, "notify-test")
    #expect(outcome.status == 78)
    #expect(outcome.error.hasPrefix("midwatch: only the log is told: [alert] of midwatchd's configuration has no exec"))
    #expect(daemon.stop() == 0)
  }

  /// The blanks that bring a label to the width of the longest.
  private func pad(_ label: String, _ longest: String) -> String {
    String(repeating: " ", count: longest.count - label.count)
  }
}
