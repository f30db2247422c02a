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

  @Test(.enabled(if: Programs.isRoot && Programs.has("unshare"), "only root makes namespaces"))
  func aLeakThatWasOnlyObservedGoesOnceModeIsOn() throws {
    let (pipeline, pretender) = (try Pipeline(), try Pretender())
    try configure(pipeline, "observe")
    let holder = try inNamespace(
      pipeline, pretender, browser: "sleep 1000; :", then: "until [ -e reload ]; do sleep 0.05; done; kill -HUP $!")
    try #require(eventually { !pipeline.journal("would-kill").isEmpty || holder.hasEnded })
    try configure(pipeline, "on")
    try pipeline.write("reload")
    #expect(eventually { !pipeline.journal("killed").isEmpty }, "\(pipeline.read("log") ?? "")")
    #expect(pipeline.journal("would-kill").count == 1)
  }

  /// midwatchd is held up until both are due: the new settings, and the signal that nobody outlives.
  @Test(.enabled(if: Programs.isRoot && Programs.has("unshare"), "only root makes namespaces"))
  func aKillingEndsWhereModeIsOnNoMore() throws {
    let (pipeline, pretender) = (try Pipeline(), try Pretender())
    try configure(pipeline, "on")
    try pipeline.write("observe", configuration(pipeline, "observe"))
    let holder = try inNamespace(
      pipeline, pretender, browser: "trap ': > asked' HUP; while :; do sleep 0.05; done",
      then: "until [ -e asked ]; do sleep 0.02; done; kill -STOP $!; mv observe conf; kill -HUP $!; sleep 3; kill -CONT $!")
    try #require(eventually { !pipeline.journal("spared").isEmpty || !pipeline.journal("killed").isEmpty || holder.hasEnded })
    #expect(pipeline.journal("spared").count == 1)
    // It is still there to be told of.
    #expect(eventually { !pipeline.journal("would-kill").isEmpty })
    #expect(pipeline.journal("killed").isEmpty)
  }

  /// In a pid namespace, for this midwatchd would end whatever other tests leave.
  ///
  /// - Parameters:
  ///   - browser: what the only leak there runs.
  ///   - then: a script in the pipeline; `$!` is midwatchd.
  private func inNamespace(
    _ pipeline: Pipeline, _ pretender: Pretender, browser: String, then: String
  ) throws -> Holder {
    try Holder(
      "unshare",
      [
        "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
        #"""
        cd "$1"; "$2" -c "$4" sh --headless=new 2>/dev/null &
        STATE_DIRECTORY=$1/.midwatch/state RUNTIME_DIRECTORY=$1/.midwatch/run "$3" --config conf 2>log &
        eval "$5"
        wait
        """#, "sh", pipeline.path, try pretender.program("chromium"),
        Programs.built.appendingPathComponent("midwatchd").path, browser, then,
      ])
  }

  private func configuration(_ pipeline: Pipeline, _ mode: String) -> String {
    let spans = ["grace", "confirm", "scan"].map { "\($0) = 100ms\n" }.joined()
    return "[pipeline]\nroot = \(pipeline.path)\nmode = \(mode)\n[leaks]\n\(spans)"
  }

  private func configure(_ pipeline: Pipeline, _ mode: String) throws {
    try pipeline.write("conf", configuration(pipeline, mode))
  }
}
