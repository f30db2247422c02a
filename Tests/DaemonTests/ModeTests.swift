import Foundation
import TestSupport
import Testing

/// What `mode` says for all, for one rule and for one agent.
@Suite struct ModeTests {
  private func provoke(_ settings: String...) throws -> (pipeline: Pipeline, whats: Set<String>) {
    let pipeline = try Pipeline()
    let quick = ["locks.stale-after=1s", "heartbeats.every=1s", "heartbeats.stale-after=1s", "outputs.limit=1 per 1h"]
    let daemon = try RunningDaemon(pipeline, arguments: (quick + settings).flatMap { ["--set", $0] })
    try pipeline.write("tasks/old.lock")
    try pipeline.write("status/content.heartbeat")
    try pipeline.makeDirectory("outputs/content")
    for number in 1...2 { try pipeline.write("outputs/content/\(number).md") }
    _ = eventually(within: 2.5) { false }
    #expect(daemon.stop() == 0)
    // What the watch says of itself, of mounts and the like, is nobody's mode.
    let decisions = pipeline.journal().filter { $0["rule"] as? String != "watch" }
    return (pipeline, Set(decisions.compactMap { $0["what"] as? String }))
  }

  @Test func whatIsOffSaysNothing() throws {
    #expect(try provoke("pipeline.mode=off").whats == [])
    #expect(try provoke("locks.mode=off", "heartbeats.mode=off", "outputs.mode=off").whats == [])
  }

  @Test func whatIsObservedTouchesNothing() throws {
    let (pipeline, whats) = try provoke("pipeline.mode=observe")
    #expect(whats == ["would-reap", "would-degrade", "would-halt"])
    #expect(try pipeline.names(".") == [".midwatch", "outputs", "status", "tasks"])
    #expect(try pipeline.names("status") == ["content.heartbeat"])
    #expect(try pipeline.names("tasks") == ["old.lock"])
  }

  @Test func anAgentHasAModeOfItsOwn() throws {
    let whats = try provoke("agent.content.outputs.mode=observe", "agent.content.heartbeats.mode=off").whats
    #expect(whats == ["reaped", "would-halt"])
    #expect(try provoke("agent.content.outputs.mode=off").whats == ["reaped", "degraded"])
  }

  /// In a pid namespace, for its midwatchd would end whatever other tests leave.
  @Test(.enabled(if: Programs.isRoot && Programs.has("unshare"), "only root makes namespaces"))
  func aLeakThatWasOnlyObservedGoesOnceModeIsOn() throws {
    let (pipeline, pretender) = (try Pipeline(), try Pretender())
    func configure(_ mode: String) throws {
      let spans = ["grace", "confirm", "scan"].map { "\($0) = 100ms\n" }.joined()
      try pipeline.write("conf", "[pipeline]\nroot = \(pipeline.path)\nmode = \(mode)\n[leaks]\n\(spans)")
    }
    try configure("observe")
    let holder = try Holder(
      "unshare",
      [
        "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
        #"""
        cd "$1"; "$2" -c 'sleep 1000; :' sh --headless=new 2>/dev/null &
        STATE_DIRECTORY=$1/.midwatch/state RUNTIME_DIRECTORY=$1/.midwatch/run "$3" --config conf 2>log &
        until [ -e reload ]; do sleep 0.05; done
        kill -HUP $!
        wait
        """#, "sh", pipeline.path, try pretender.program("chromium"),
        Programs.built.appendingPathComponent("midwatchd").path,
      ])
    try #require(eventually { !pipeline.journal("would-kill").isEmpty || holder.hasEnded })
    try configure("on")
    try pipeline.write("reload")
    #expect(eventually { !pipeline.journal("killed").isEmpty }, "\(pipeline.read("log") ?? "")")
    #expect(pipeline.journal("would-kill").count == 1)
  }
}
