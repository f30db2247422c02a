import Foundation
import TestSupport
import Testing

/// An agent that writes one article over and over, and agents that write different things.
@Suite struct SimilarTests {
  /// No number of outputs halts anything here, only likeness does.
  static let settings = [
    "outputs.limit=100000 per 30min", "outputs.similar=5 per 30min", "locks.stale-after=100ms",
  ]
  static let agents = ["research", "seo", "content"]

  enum Manner: CaseIterable, Sendable { case inPlace, movedIn, linked, linkedFromNoName, linkedAndGone }

  /// As agents save.
  private func save(_ text: String, _ number: Int, _ manner: Manner, in pipeline: Pipeline) throws {
    let directory = "outputs/\(Self.agents[number % Self.agents.count])"
    let name = "\(directory)/article-\(number).md"
    let outside = "elsewhere/\(number)"
    switch manner {
    case .inPlace: try pipeline.write(name, text)
    case .movedIn:
      try pipeline.write(outside, text)
      try pipeline.rename(outside, to: name)
    case .linked:
      try pipeline.write(outside, text)
      try pipeline.hardLink(outside, as: name)
    case .linkedAndGone:
      try pipeline.write(outside, text)
      pipeline.waitForTheClock()
      try pipeline.hardLink(outside, as: name)
      try pipeline.remove(outside)
    case .linkedFromNoName: try pipeline.saveUnnamed(text, in: directory, thenLinkAs: name)
    }
  }

  /// Each in another manner.
  private func save(_ text: String, _ number: Int, in pipeline: Pipeline) throws {
    try save(text, number, Manner.allCases[number % Manner.allCases.count], in: pipeline)
  }

  /// All that was done before lies behind the watch when a lock that is made after it is gone.
  private func hasSeenAll(_ pipeline: Pipeline) async throws -> Bool {
    try pipeline.write("tasks/after.lock")
    return await eventually { !pipeline.exists("tasks/after.lock") }
  }

  private func pipeline() throws -> Pipeline {
    try Pipeline(["tasks", "status", "elsewhere"] + Self.agents.map { "outputs/\($0)" })
  }

  @Test(arguments: [11, 12, 13, 14], [0.5, 1.0])
  func fortySevenVariationsOfOneArticleHaltByTheTenth(seed: UInt64, exchanged: Double) async throws {
    let pipeline = try pipeline()
    let daemon = try await RunningDaemon.start(pipeline, Self.settings)
    var article = ArticleVariations(seed: seed, exchanged: exchanged)
    for number in 0..<4 { try save(article.next(), number, in: pipeline) }
    #expect(try await hasSeenAll(pipeline))
    #expect(!pipeline.exists("HALT"), "four are not five")
    for number in 4..<10 { try save(article.next(), number, in: pipeline) }
    #expect(await eventually { pipeline.exists("HALT") })
    #expect(pipeline.read("HALT")?.contains("nearly identical texts within 30min (limit 5)") == true)
    for number in 10..<47 { try save(article.next(), number, in: pipeline) }
    #expect(try await hasSeenAll(pipeline))
    #expect(daemon.stop() == 0)
    #expect(pipeline.journal("halted").count == 1)
  }

  /// However it is saved, a text is read.
  @Test(arguments: Manner.allCases) func eachMannerOfSavingTellsOfTheText(manner: Manner) async throws {
    let pipeline = try pipeline()
    let daemon = try await RunningDaemon.start(pipeline, Self.settings)
    var article = ArticleVariations(seed: 15)
    for number in 0..<10 { try save(article.next(), number, manner, in: pipeline) }
    #expect(await eventually { pipeline.exists("HALT") })
    #expect(daemon.stop() == 0)
  }

  @Test(.enabled(if: RealDocuments.canBeRead, "needs nroff, zcat and dpkg"))
  func twoHundredDifferentDocumentsDoNotHalt() async throws {
    let pipeline = try pipeline()
    let daemon = try await RunningDaemon.start(pipeline, Self.settings)
    #expect(RealDocuments.found.count >= 200, "man pages and READMEs of this machine")
    for (number, document) in RealDocuments.found.enumerated() {
      try save(String(decoding: document.text, as: UTF8.self), number, in: pipeline)
    }
    #expect(try await hasSeenAll(pipeline))
    #expect(pipeline.journal("halted").isEmpty, "\(pipeline.read("HALT") ?? "")")
    // It did read them, and can tell likeness.
    for copy in 1...5 {
      try save(String(decoding: RealDocuments.found[0].text, as: UTF8.self), copy * 1000, in: pipeline)
    }
    #expect(await eventually { pipeline.exists("HALT") })
    #expect(daemon.stop() == 0)
  }
}
