import Foundation
import TestSupport
import Testing

/// `why` and `status` on a pipeline that lives.
@Suite struct WhyTests {
  private func json(_ pipeline: Pipeline, _ words: String...) throws -> [String: Any] {
    let outcome = try midwatch(["--root", pipeline.path, "--json"] + words)
    return try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any] ?? [:]
  }

  /// The rung of the ladder that matches.
  private func rung(_ pipeline: Pipeline, _ path: String) throws -> String? {
    let ladder = try json(pipeline, "why", path)["ladder"] as? [[String: Any]]
    #expect(ladder?.count == 7)
    #expect(ladder?.filter { $0["matches"] as? Bool == true }.count == 1)
    return ladder?.first { $0["matches"] as? Bool == true }?["rung"] as? String
  }

  @Test func theLadderNamesTheRung() throws {
    let pipeline = try Pipeline()
    try pipeline.write("tasks/plain.lock")
    #expect(try rung(pipeline, "tasks/plain.lock") == "older than stale-after")
    #expect(try rung(pipeline, pipeline.path("tasks/plain.lock")) == "older than stale-after")

    try pipeline.write("tasks/mine.lock", "\(ProcessInfo.processInfo.processIdentifier)\n")
    if try json(pipeline, "why", "tasks/mine.lock")["owner"] as? String != nil {
      let mine = try Programs.midwatch(pipeline, "why", "tasks/mine.lock")
      // From a pid namespace of our own no owner can be judged.
      #expect(mine.output.contains("which lives") || mine.output.contains("cannot be known from here"))
    }
    let ignored = try midwatch(["--root", pipeline.path, "--set", "locks.ignore=p*.lock", "why", "tasks/plain.lock"])
    #expect(ignored.output.contains("never reaped: it is ignored"))
    #expect(ignored.output.contains("by the pattern p*.lock under ignore in [locks]"))
    #expect(ignored.output.contains("> 1 listed under ignore"))
  }

  @Test func aHeldLockNamesItsHolder() throws {
    let pipeline = try Pipeline()
    try pipeline.write("tasks/held.lock")
    let holder = Process()
    holder.executableURL = URL(fileURLWithPath: try #require(Programs.find("flock")))
    holder.arguments = [
      "-x", pipeline.path("tasks/held.lock"), "-c", "echo > \(pipeline.path("ready")); exec sleep 60",
    ]
    try holder.run()
    defer { kill(holder.processIdentifier, SIGKILL) }
    #expect(eventually { pipeline.exists("ready") })
    #expect(try rung(pipeline, "tasks/held.lock") == "held in the kernel")
    let text = try Programs.midwatch(pipeline, "why", "tasks/held.lock").output
    #expect(text.contains("kept for as long as the kernel lock is on it"))
    #expect(text.contains("(pid \(holder.processIdentifier))"))
  }

  @Test func aLockThatWillGoSaysWhen() throws {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline, "locks.stale-after=1h")
    try pipeline.write("tasks/young.lock")
    #expect(eventually { (pipeline.status()["locks"] as? [Any])?.count == 1 })
    let why = try Programs.midwatch(pipeline, "why", "tasks/young.lock")
    #expect(why.output.contains("reaped in 59min"), "\(why.output)")
    let status = try Programs.midwatch(pipeline, "status")
    #expect(status.status == 0)
    #expect(status.output.contains("tasks/young.lock   reaped in 59min"), "\(status.output)")
    #expect(daemon.stop() == 0)
  }

  @Test func aLockThatIsKeptIsAWarning() throws {
    let pipeline = try Pipeline()
    try pipeline.makeDirectory("tasks/full.lock/inside")
    let daemon = try RunningDaemon(pipeline, "locks.stale-after=1s")
    #expect(eventually { !pipeline.journal("kept").isEmpty })
    #expect(eventually { (try? Programs.midwatch(pipeline, "status").status) == 1 })
    let status = try Programs.midwatch(pipeline, "status")
    #expect(status.output.hasPrefix("WARNING"))
    #expect(status.output.contains("a directory that is not empty"))
    #expect(status.output.contains("midwatch --root \(pipeline.path) why"))
    #expect(daemon.stop() == 0)
    #expect(try Programs.midwatch(pipeline, "status").status == 3)
  }

  @Test func aSilentAgentIsExplained() throws {
    let pipeline = try Pipeline()
    let settings = ["heartbeats.every=1s", "heartbeats.stale-after=1s", "agent.content.needs=research"]
    let daemon = try RunningDaemon(pipeline, settings[0], settings[1], settings[2])
    try pipeline.write("status/research.heartbeat")
    #expect(eventually { pipeline.exists("status/content.standalone") })
    #expect(eventually { (try? Programs.midwatch(pipeline, "status").status) == 1 })
    let given = settings.flatMap { ["--set", $0] }
    for words in ["research", "status/research.heartbeat", "status/research.degraded", "research.heartbeat"] {
      let why = try midwatch(["--root", pipeline.path, "why", words] + given)
      #expect(why.status == 0)
      #expect(why.output.contains("SILENT: last heard"), "\(why.output)")
      #expect(why.output.contains("needed by  content"))
      #expect(why.output.contains("research.degraded since"))
      #expect(why.output.contains("research is silent"))
    }
    let content = try midwatch(["--root", pipeline.path, "why", "content"] + given)
    #expect(content.output.contains("needs      research"))
    #expect(content.output.contains("content.standalone"))
    #expect(daemon.stop() == 0)
  }

  @Test func anOutputIsCounted() throws {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline)
    try pipeline.makeDirectory("outputs/content/deep")
    try pipeline.write("outputs/content/deep/1.md", "words")
    #expect(eventually { pipeline.status()["outputs_since_start"] as? Int == 1 })
    let why = try json(pipeline, "why", "outputs/content/deep/1.md")
    #expect(why["rule"] as? String == "outputs")
    #expect(why["agent"] as? String == "content")
    #expect(why["counts"] as? Bool == true)
    #expect(why["outputs_in_window"] as? Int == 1)
    #expect(daemon.stop() == 0)
  }

  /// I10: names reach no terminal unescaped, and what was shown can be typed.
  @Test func hostileNamesAppearEscaped() throws {
    let pipeline = try Pipeline()
    let name = "ev\nil\u{1b}[31m\u{202e}"
    let shown = #"ev\x0ail\x1b[31m\xe2\x80\xae"#
    let daemon = try RunningDaemon(pipeline, "locks.stale-after=1s", "heartbeats.stale-after=1s", "heartbeats.every=1s")
    try pipeline.makeDirectory("tasks/\(name).lock/x")
    try pipeline.write("status/\(name).heartbeat")
    try pipeline.makeDirectory("outputs/\(name)")
    try pipeline.write("outputs/\(name)/1.md")
    #expect(eventually { !pipeline.journal("kept").isEmpty && !pipeline.journal("degraded").isEmpty })
    #expect(eventually { (pipeline.status()["agents"] as? [Any])?.isEmpty == false })
    #expect(eventually { (pipeline.status()["locks"] as? [Any])?.isEmpty == false })
    for words in [
      ["status"], ["log"], ["why", "tasks/\(name).lock"], ["why", "tasks/\(shown).lock"], ["why", name],
      ["why", shown],
      ["why", "outputs/\(name)/1.md"], ["why", "no\(name)"],
    ] {
      for json in [[], ["--json"]] {
        let outcome = try midwatch(["--root", pipeline.path] + words + json)
        let all = outcome.output + outcome.error
        #expect(!all.contains("\u{1b}") && !all.contains("\u{202e}"), "\(words)")
        #expect(
          all.contains(json.isEmpty ? shown : shown.replacingOccurrences(of: "\\", with: #"\\"#)), "\(words): \(all)")
      }
    }
    #expect(try json(pipeline, "why", "tasks/\(shown).lock")["kind"] as? String == "directory")
    #expect(daemon.stop() == 0)
  }

  /// A name that is not even UTF-8, as a shell would complete it.
  @Test func namesThatAreNoTextAreFound() throws {
    let pipeline = try Pipeline()
    let tool = Programs.built.appendingPathComponent("midwatch").path
    let script =
      "cd \"\(pipeline.path)\" && f=$(printf 'tasks/\\377.lock') && : > \"$f\" && \"\(tool)\" --root . why \"$f\""
    let outcome = try Programs.run("sh", ["-c", script])
    #expect(outcome.status == 0)
    #expect(outcome.output.hasPrefix(pipeline.path + #"/tasks/\xff.lock"#))
    #expect(outcome.output.contains("an empty file"))
  }
}
