import Foundation
import TestSupport
import Testing

/// `log` across rotated files, through torn lines, and as it is written.
@Suite struct LogTests {
  private let pipeline: Pipeline

  init() throws {
    pipeline = try Pipeline()
    try pipeline.makeDirectory(".midwatch/state")
  }

  private func line(_ number: Int, _ rule: String = "watch", at time: String = "2026-11-20T03:02:11.123Z") -> String {
    #"{"v":1,"seq":\#(number),"at":"\#(time)","state":"closed","rule":"\#(rule)","what":"said","say":"line \#(number)"}"#
      + "\n"
  }

  private func append(_ text: String, to name: String = "journal.jsonl") throws {
    let path = pipeline.path(".midwatch/state/\(name)")
    if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data(text.utf8))
    try file.close()
  }

  @Test func theOldestComesFirstAcrossFilesAndWhatIsTornIsSkipped() throws {
    try append(line(1) + line(2, "locks"), to: "journal.2.jsonl")
    try append(line(3) + "{\"seq\":4,\"at\"\n" + "not ours\n", to: "journal.1.jsonl")
    try append(line(5, "locks", at: "2026-11-21T04:05:06.000Z") + "{\"v\":1,\"se")
    let all = try Programs.midwatch(pipeline, "log")
    #expect(all.status == 0)
    #expect(
      all.output == """
        -- 2026-11-20, times are UTC
        03:02:11 watch      line 1
        03:02:11 locks      line 2
        03:02:11 watch      line 3
        -- 2026-11-21, times are UTC
        04:05:06 locks      line 5

        """)
    #expect(
      try Programs.midwatch(pipeline, "log", "-n2", "--json").output == line(3)
        + line(5, "locks", at: "2026-11-21T04:05:06.000Z"))
    let locks = try Programs.midwatch(pipeline, "log", "--rule", "locks", "--json")
    #expect(locks.output == line(2, "locks") + line(5, "locks", at: "2026-11-21T04:05:06.000Z"))
  }

  @Test func sinceLooksAtTheTime() throws {
    let now = ISO8601DateFormatter().string(from: Date())
    try append(line(1) + line(2, at: now))
    #expect(try Programs.midwatch(pipeline, "log", "--since", "1h", "--json").output == line(2, at: now))
  }

  @Test func anEmptyJournalSaysSo() throws {
    try append("")
    #expect(try Programs.midwatch(pipeline, "log").output == "nothing was decided\n")
    #expect(try Programs.midwatch(pipeline, "log", "--json").output == "")
    #expect(
      try Programs.midwatch(pipeline, "log", "--rule", "locks", "--since", "2h").output
        == "nothing of the rule 'locks' was decided in the last 2h\n")
  }

  @Test func followingGoesOnAcrossRotation() throws {
    try append(line(1))
    let process = Process()
    let output = pipeline.path("followed")
    try pipeline.write("followed")
    process.executableURL = Programs.built.appendingPathComponent("midwatch")
    process.arguments = ["--root", pipeline.path, "log", "-f", "--json"]
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    try process.run()
    // Not SIGTERM, which a test's threads block, and their children with them.
    defer { kill(process.processIdentifier, SIGKILL) }
    #expect(eventually { pipeline.read("followed") == line(1) })
    try append(line(2))
    #expect(eventually { pipeline.read("followed") == line(1) + line(2) })
    // Written and rotated away at once, and half a line first in the new one.
    try append(line(3))
    let state = pipeline.path(".midwatch/state")
    try FileManager.default.moveItem(atPath: "\(state)/journal.jsonl", toPath: "\(state)/journal.1.jsonl")
    let next = line(4)
    try append(String(next.prefix(20)))
    try append(String(next.dropFirst(20)))
    #expect(eventually { pipeline.read("followed") == line(1) + line(2) + line(3) + line(4) })
    try FileManager.default.removeItem(atPath: state)
    #expect(eventually { !process.isRunning })
  }

  /// What stands in a journal that somebody wrote by hand does not reach the terminal either.
  @Test func aJournalThatLiesIsShownEscaped() throws {
    let evil =
      #"{"v":1,"seq":1,"at":"2026-11-20T03:02:11.123Z","rule":"wa\u001b[31m","what":"said","say":"a\u001b]0;x\u0007\nb"}"#
    try append(evil + "\n")
    for words in [["log"], ["status"]] {
      let outcome = try midwatch(["--root", pipeline.path] + words)
      #expect(!outcome.output.contains("\u{1b}"))
      #expect(outcome.output.contains(#"a\x1b]0;x\x07\x0ab"#))
    }
  }
}
