import Foundation
import TestSupport
import Testing

/// I3 for sinks over the network: real curl, a real server on the loopback, real deaths of midwatchd.
@Suite(.enabled(if: Programs.has("curl", "python3"), "Debian: curl python3")) struct SinkOutageTests {
  /// With waits of 10 ms instead of 5 s an hour has as many attempts: 5, 10, 20 ... 600, 600 s.
  static let attemptsInAnHour = 12

  private func runAway(_ agent: String, in pipeline: Pipeline) throws {
    try pipeline.makeDirectory("outputs/\(agent)")
    for number in 1...2 { try pipeline.write("outputs/\(agent)/\(number).md") }
  }

  private func words(_ json: [String: Any]) -> String {
    "\(json["agent"] as? String ?? "-") \(json["state"] as? String ?? "-")\(json["late"] as? Bool == true ? " late" : "")"
  }

  private func failures(_ pipeline: Pipeline) -> [[String: Any]] {
    pipeline.journal("failed").filter { ($0["sink"] as? String)?.hasPrefix("json-") == true }
  }

  @Test(arguments: ["refuse", "hang", "429:1", "500"])
  func anHourAwayThenAllOfItInOrderOnce(mode: String) async throws {
    let server = try SinkServer(mode)
    let pipeline = try Pipeline()
    let settings = [
      "outputs.limit=1 per 1h", "alert.exec=/usr/bin/tee -a \(pipeline.path("told"))", "alert.webhook=json \(server.url("x"))",
      "alert.retry=10ms", "alert.timeout=\(mode == "hang" ? "200ms" : "10s")",
    ]
    var daemon = try await RunningDaemon.start(pipeline, settings)
    try runAway("first", in: pipeline)
    #expect(await eventually { failures(pipeline).count >= 3 })
    daemon.kill()
    daemon = try await RunningDaemon.start(pipeline, settings)
    try pipeline.remove("HALT")
    #expect(await eventually { pipeline.journal("resumed").count == 1 })
    try runAway("second", in: pipeline)
    #expect(await eventually { pipeline.exists("HALT") })
    if mode == "429:1" {
      // A second, where its own patience would have been ten milliseconds.
      #expect(
        await eventually {
          failures(pipeline).contains { ($0["say"] as? String)?.hasSuffix("(HTTP 429); again in 1s") == true }
        })
      try server.turn("429")
    }
    #expect(await eventually { failures(pipeline).count >= Self.attemptsInAnHour })
    daemon.kill()
    // Longer than any answer takes: what the server took and was too slow to say so would come again.
    daemon = try await RunningDaemon.start(pipeline, settings + ["alert.timeout=1min"])
    // The other sink never waited for this one.
    let told = try #require(pipeline.read("told")).split(separator: "\n")
      .compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
    #expect(told.filter { $0["repeat"] == nil }.map(words) == ["first firing", "first over", "second firing"])
    #expect(server.taken.isEmpty)

    try server.turn("ok")
    #expect(await eventually { server.taken.count >= 2 })
    try pipeline.remove("HALT")
    #expect(await eventually { server.taken.contains { words($0.json) == "second over" } })
    #expect(
      await eventually {
        ["new", "cur", "tmp", "open"].allSatisfy { (try? pipeline.names(".midwatch/state/alerts/\($0)")) == [] }
      })
    #expect(daemon.stop() == 0)
    let taken = server.taken.map(\.json)
    #expect(taken.map(words) == ["first over late", "second firing", "second over"])
    #expect(taken[1]["id"] as? String == taken[2]["id"] as? String)
    #expect(taken[0]["id"] as? String == told.first?["id"] as? String)
    #expect(taken[1]["id"] as? String == told.last?["id"] as? String)
  }

  @Test func whatDoesNotMendItselfIsSaidOnceAndTriedSlowly() async throws {
    let server = try SinkServer("404")
    let pipeline = try Pipeline()
    let daemon = try await RunningDaemon.start(
      pipeline, "outputs.limit=1 per 1h", "alert.retry=10ms", "alert.webhook=slack \(server.url("T0/B0/secret"))")
    try runAway("a", in: pipeline)
    #expect(await eventually { pipeline.journal("failed").count >= 3 })
    // Every one 120 times as long as the first of the others.
    #expect(
      pipeline.journal("failed").allSatisfy {
        ($0["say"] as? String)?.hasSuffix("there is no such address); again in 1s 200ms") == true
      })
    let warnings = daemon.output.split(separator: "\n").filter { $0.contains("HTTP 404") }
    #expect(warnings.count == 1)
    #expect(warnings.first?.contains("to slack 127.0.0.1:\(server.port) (HTTP 404") == true)
    try server.turn("ok")
    #expect(await eventually { pipeline.journal("delivered").count == 1 })
    #expect(server.taken.count == 1)
    #expect(daemon.stop() == 0)
  }

  @Test func aSinkThatIsNoMoreKeepsNothing() async throws {
    let server = try SinkServer()
    let pipeline = try Pipeline()
    let gone = "alert.webhook=json http://127.0.0.1:1/"
    var daemon = try await RunningDaemon.start(pipeline, "outputs.limit=1 per 1h", gone)
    try runAway("a", in: pipeline)
    #expect(await eventually { pipeline.journal("failed").count >= 1 })
    #expect(daemon.stop() == 0)
    #expect(try pipeline.names(".midwatch/state/alerts/new").count == 1)
    daemon = try await RunningDaemon.start(pipeline, "outputs.limit=1 per 1h", "alert.webhook=json \(server.url("x"))")
    #expect(await eventually { pipeline.journal("dropped").count == 1 })
    #expect(try pipeline.names(".midwatch/state/alerts/new") == [])
    try pipeline.remove("HALT")
    #expect(await eventually { server.taken.map { words($0.json) } == ["a over"] })
    #expect(daemon.stop() == 0)
  }

  @Test func aProgramThatHangsHoldsUpNothing() async throws {
    let server = try SinkServer()
    let pipeline = try Pipeline()
    try pipeline.write("hook", "#!/bin/sh\necho $$ > '\(pipeline.path("hook.pid"))'\nexec sleep 1000\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: pipeline.path("hook"))
    let daemon = try await RunningDaemon.start(
      pipeline, "outputs.limit=1 per 1h", "alert.exec=\(pipeline.path("hook"))", "alert.webhook=json \(server.url("x"))")
    try runAway("a", in: pipeline)
    #expect(await eventually { pipeline.exists("hook.pid") && server.taken.count == 1 })
    try pipeline.remove("HALT")
    #expect(await eventually { server.taken.count == 2 })
    try runAway("b", in: pipeline)
    #expect(await eventually { pipeline.exists("HALT") && server.taken.count == 3 })
    let pid = try #require(pipeline.read("hook.pid").flatMap { Int32($0.dropLast()) })
    // It had a minute, and all of that happened meanwhile.
    #expect(kill(pid, 0) == 0)
    #expect(pipeline.journal("failed").isEmpty)
    // It outlives the daemon, and a process that is waited for must have left nobody behind.
    kill(pid, SIGKILL)
    #expect(daemon.stop() == 0)
  }

  @Test func aProgramThatHangsIsKilledWithWhatItStarted() async throws {
    let pipeline = try Pipeline()
    try pipeline.write(
      "hook", "#!/bin/sh\nsleep 1000 &\necho $$ $! >> '\(pipeline.path("pids"))'\nwait\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: pipeline.path("hook"))
    let daemon = try await RunningDaemon.start(
      pipeline, "outputs.limit=1 per 1h", "alert.exec=\(pipeline.path("hook"))", "alert.timeout=1s", "alert.retry=1h")
    try runAway("a", in: pipeline)
    #expect(await eventually { pipeline.journal("failed").count == 1 })
    #expect((pipeline.journal("failed").first?["why"] as? String) == "it took longer than 1s and was killed")
    let pids = try #require(pipeline.read("pids")).split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
    #expect(pids.count == 2)
    // The group as a whole since Linux 6.9, the program alone before.
    let isWhole = kernelIsAtLeast(6, 9)
    #expect(await eventually { isGone(pids[0]) && (!isWhole || isGone(pids[1])) })
    for pid in pids { kill(pid, SIGKILL) }
    #expect(daemon.stop() == 0)
  }

  /// What a program has in its hands when its line is taken out is still its own, and the last. Keeps its thread: a test that is
  /// kept waiting for a minute would see the program killed for its own slowness.
  @Test func aReloadTakesNothingOutOfAProgramsHands() throws {
    let pipeline = try Pipeline()
    try pipeline.write(
      "hook", "#!/bin/sh\ncat >> '\(pipeline.path("told"))'\nwhile [ ! -e '\(pipeline.path("go"))' ]; do sleep 0.05; done\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: pipeline.path("hook"))
    func configure(_ exec: String) throws {
      try pipeline.write(
        "conf", "[pipeline]\nroot = \(pipeline.path)\n[outputs]\nlimit = 1 per 1h\n[alert]\n\(exec)\nretry = 10ms\n")
    }
    try configure("exec = \(pipeline.path("hook"))")
    let daemon = try RunningDaemon(
      pipeline, arguments: ["--config", pipeline.path("conf")],
      environment: ["STATE_DIRECTORY": pipeline.path(".midwatch/state"), "RUNTIME_DIRECTORY": pipeline.path(".midwatch/run")])
    try runAway("a", in: pipeline)
    #expect(eventually { pipeline.exists("told") })
    try pipeline.remove("HALT")
    #expect(eventually { pipeline.journal("resumed").count == 1 })
    try configure("")
    daemon.reload()
    // The end had waited behind it, and now has nobody.
    #expect(eventually { pipeline.journal("dropped").count == 1 })
    #expect(try pipeline.names(".midwatch/state/alerts/cur").count == 1)
    try pipeline.write("go")
    #expect(eventually { pipeline.journal("delivered").count == 1 })
    for directory in ["new", "cur", "open"] { #expect(try pipeline.names(".midwatch/state/alerts/\(directory)") == []) }
    #expect(pipeline.read("told")?.split(separator: "\n").count == 1)
    // No zombie either.
    let children = try String(contentsOfFile: "/proc/\(daemon.pid)/task/\(daemon.pid)/children", encoding: .utf8)
    #expect(children == "")
    #expect(daemon.stop() == 0)
  }

  /// Dead, or dead and not waited for.
  private func isGone(_ pid: Int32) -> Bool {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
    return stat.contains(") Z ")
  }

  private func kernelIsAtLeast(_ major: Int, _ minor: Int) -> Bool {
    let version = ProcessInfo.processInfo.operatingSystemVersion
    return (version.majorVersion, version.minorVersion) >= (major, minor)
  }
}
