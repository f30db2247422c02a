import Foundation
import TestSupport
import Testing

/// `replay` on files that were really written, and on what a real midwatchd made of them.
@Suite struct ReplayTests {
  private func write(_ numbers: ClosedRange<Int>, to pipeline: Pipeline, of agent: String = "research") throws {
    try pipeline.makeDirectory("outputs/\(agent)")
    for number in numbers { try pipeline.write("outputs/\(agent)/\(number).md", "\(agent) \(number)") }
  }

  private func json(_ outcome: Programs.Outcome) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  private func trips(_ outcome: Programs.Outcome) throws -> [[String: Any]] {
    try #require(try json(outcome)["trips"] as? [[String: Any]])
  }

  private func listing(_ pipeline: Pipeline) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: pipeline.path).sorted()
  }

  /// Births are dated by the last tick of a clock: what comes now is to be dated later than what was.
  private func aTickLater() { Thread.sleep(forTimeInterval: 0.05) }

  @Test func aPipelineThatNobodyWatchedTellsWhereItWouldHaveTripped() throws {
    let pipeline = try Pipeline()
    try write(1...12, to: pipeline)
    aTickLater()
    try write(1...9, to: pipeline, of: "seo")
    // What is ignored is no output, and what a symlink leads to is not looked at.
    for number in 1...30 { try pipeline.write("outputs/seo/\(number).tmp") }
    try FileManager.default.createSymbolicLink(
      atPath: pipeline.path("outputs/other"), withDestinationPath: pipeline.path("outputs/research"))
    let before = try listing(pipeline)
    let outcome = try Programs.midwatch(pipeline, "replay", pipeline.path)
    #expect(outcome.status == 1 && outcome.error == "")
    #expect(outcome.output.hasPrefix("\(pipeline.path): 21 outputs of 2 agents, "), "\(outcome.output)")
    #expect(outcome.output.contains("research made 11 outputs within 10min (limit = 10 per 10min); 10 outputs came after it"))
    #expect(outcome.output.contains("no journal can be read here"))
    #expect(!outcome.output.contains("really:"))
    let all = try Programs.midwatch(pipeline, "replay", "--set", "outputs.limit=12 per 10min")
    #expect(all.status == 0)
    #expect(all.output.contains("would not have tripped"))
    let pipelines = try Programs.midwatch(
      pipeline, "replay", "--json", "--set", "outputs.limit=off", "--set", "outputs.pipeline-limit=15 per 1h")
    #expect(pipelines.status == 1)
    let trip = try #require(try trips(pipelines).first)
    #expect(trip["key"] as? String == "outputs.pipeline-limit" && trip["agent"] as? String == "seo")
    #expect(trip["counted"] as? Int == 16 && trip["outputs_after"] as? Int == 5)
    #expect(try listing(pipeline) == before)
  }

  @Test func anAgentsOwnLimitsAreItsOwn() throws {
    let pipeline = try Pipeline()
    try write(1...12, to: pipeline)
    try write(1...5, to: pipeline, of: "seo")
    let outcome = try Programs.midwatch(
      pipeline, "replay", "--json", "--set", "agent.research.outputs.limit=off", "--set", "agent.seo.outputs.limit=4 per 1h")
    #expect(try trips(outcome).map { $0["agent"] as? String } == ["seo"])
    #expect(try Programs.midwatch(pipeline, "replay", "--set", "outputs.mode=off").status == 0)
  }

  @Test func variationsOfOneTextTripAsTheyDid() throws {
    let pipeline = try Pipeline()
    try pipeline.makeDirectory("outputs/content")
    var articles = ArticleVariations(seed: 1)
    for number in 1...6 { try pipeline.write("outputs/content/\(number).md", articles.next()) }
    let outcome = try Programs.midwatch(pipeline, "replay", "--json")
    #expect(outcome.status == 1)
    let trip = try #require(try trips(outcome).first)
    #expect(trip["key"] as? String == "outputs.similar" && trip["counted"] as? Int == 5)
    #expect(trip["outputs_after"] as? Int == 1)
  }

  @Test func lowerLimitsAreComparedWithTheHaltThatCame() throws {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline, "outputs.limit=20 per 10min")
    try write(1...21, to: pipeline)
    #expect(eventually { pipeline.journal("halted").count == 1 })
    aTickLater()
    try write(22...30, to: pipeline)
    #expect(daemon.stop() == 0)

    let outcome = try Programs.midwatch(pipeline, "replay", pipeline.path, "--set", "outputs.limit=5 per 10min")
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("UTC, 15 outputs earlier\n"), "\(outcome.output)")
    #expect(outcome.output.contains("24 outputs came after it"))
    #expect(outcome.output.contains("research made 21 outputs within 10min (limit 20); the pipeline is halted"))
    #expect(try Programs.midwatch(pipeline, "replay", "--set", "outputs.limit=40 per 10min").status == 0)

    // The same by the journal alone.
    let journal = pipeline.path(".midwatch/state/journal.jsonl")
    let ages = try #require(pipeline.journal("halted").first?["births_ms"] as? [Int])
    #expect(ages.count == 21 && ages == ages.sorted(by: >) && ages.allSatisfy { $0 >= 0 })
    let told = try Programs.midwatch(pipeline, "replay", journal, "--set", "outputs.limit=5 per 10min")
    #expect(told.status == 1)
    #expect(told.output.hasPrefix("\(journal): 1 trip\n"), "\(told.output)")
    #expect(told.output.contains("UTC, 15 outputs earlier\n"))
    let allowed = try Programs.midwatch(pipeline, "replay", journal, "--set", "outputs.limit=40 per 10min")
    #expect(allowed.status == 0)
    #expect(allowed.output.contains("would not have tripped by then"))
    // Whether a later one would have, nobody can know from it.
    let same = try trips(try Programs.midwatch(pipeline, "replay", "--json", journal, "--set", "outputs.limit=20 per 10min"))
    #expect(same.map { $0["outputs_earlier"] as? Int } == [0])
  }

  @Test func aResumeStartsAnewAndWhatCameAfterItIsAnotherTrip() throws {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline, "outputs.limit=3 per 10min")
    try write(1...4, to: pipeline)
    #expect(eventually { pipeline.journal("halted").count == 1 })
    #expect(try Programs.midwatch(pipeline, "resume").status == 0)
    #expect(eventually { pipeline.journal("resumed").count == 1 })
    aTickLater()
    try write(5...8, to: pipeline)
    #expect(eventually { pipeline.journal("halted").count == 2 })
    #expect(daemon.stop() == 0)
    let outcome = try Programs.midwatch(pipeline, "replay", "--json", "--set", "outputs.limit=2 per 10min")
    let found = try trips(outcome)
    #expect(found.map { $0["outputs_after"] as? Int } == [1, 1])
    #expect(found.map { $0["outputs_earlier"] as? Int } == [1, 1])
    #expect(Set(found.map { $0["really_at"] as? String }).count == 2)
    // More than was made between two resumes.
    #expect(try Programs.midwatch(pipeline, "replay", "--set", "outputs.limit=4 per 10min").status == 0)
  }

  @Test func aLineOfBeforeSaysThatItCannotTell() throws {
    let pipeline = try Pipeline()
    try pipeline.write(
      "old.jsonl",
      #"{"v":1,"seq":1,"at":"2026-11-21T03:02:11.000Z","state":"open","rule":"outputs","what":"halted","say":"x","agent":"a","counted":11}"#
        + "\n{\"v\":1,\"seq\":2,\"at\":\"2026-11-21T03")
    let outcome = try Programs.midwatch(pipeline, "replay", pipeline.path("old.jsonl"))
    #expect(outcome.status == 0 && outcome.output.contains("1 trip left out"), "\(outcome)")
  }

  @Test func namesAreShownEscapedFromBothSources() throws {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline, "outputs.limit=1 per 1h")
    try write(1...2, to: pipeline, of: "a\u{1b}[31m")
    #expect(eventually { pipeline.journal("halted").count == 1 })
    #expect(daemon.stop() == 0)
    for source in [pipeline.path, pipeline.path(".midwatch/state/journal.jsonl")] {
      let outcome = try Programs.midwatch(pipeline, "replay", source, "--set", "outputs.limit=1 per 1h")
      #expect(outcome.status == 1 && outcome.output.contains(#"a\x1b[31m made 2"#), "\(outcome)")
      #expect(!outcome.output.contains("\u{1b}"))
    }
  }

  @Test func aTrialDirectoryIsNoOtherPipelinesBusiness() throws {
    let (pipeline, other) = (try Pipeline(), try Pipeline())
    try write(1...3, to: other)
    let outcome = try Programs.midwatch(pipeline, "replay", other.path, "--set", "outputs.limit=2 per 1h")
    #expect(outcome.status == 1 && outcome.output.hasPrefix("\(other.path): 3 outputs of 1 agent"))
  }
}
