import Formats
import TestSupport
import Testing

@Suite struct SimHashTests {
  func hash(_ text: String) -> SimHash? { SimHash(Array(text.utf8)) }

  @Test func fewerThanFiftyWordsSayTooLittle() {
    let words = (1...60).map { "word\($0)" }
    #expect(hash(words.prefix(49).joined(separator: " ")) == nil)
    #expect(hash(words.prefix(50).joined(separator: " ")) != nil)
    #expect(hash("") == nil)
    #expect(hash(String(repeating: " .,;\n", count: 500)) == nil)
  }

  @Test func caseAndPunctuationDoNotCount() throws {
    var article = ArticleVariations(seed: 1)
    let text = article.next()
    let plain = try #require(hash(text))
    #expect(hash(text.uppercased()) == plain)
    #expect(hash(text.replacing(",", with: " ;\t")) == plain)
    #expect(plain.distance(to: plain) == 0)
  }

  @Test func wordsOfEveryScriptCount() {
    let greek = Array(repeating: "φύλαξ νυκτός", count: 25).joined(separator: " ")
    #expect(hash(greek) != nil)
    #expect(SimHash((0..<200).map { $0 % 3 == 0 ? 0x20 : UInt8(truncatingIfNeeded: 0x80 + $0) }) != nil)
  }

  /// The story of the 47 variations: when the tenth is there, some text has four earlier ones near
  /// it, which makes five. (Measured: the fifth or the sixth trips.)
  @Test(arguments: 0..<30, [0.3, 0.5, 1.0])
  func variationsOfOneArticleAreFoundByTheTenth(seed: UInt64, exchanged: Double) throws {
    var article = ArticleVariations(seed: seed, exchanged: exchanged)
    var earlier: [SimHash] = []
    var trippedAt: Int?
    while trippedAt == nil, earlier.count < 47 {
      let text = article.next()
      let new = try #require(hash(text))
      let near = earlier.count { $0.distance(to: new) <= SimHash.nearest }
      earlier.append(new)
      if near >= 4 { trippedAt = earlier.count }
    }
    #expect(try #require(trippedAt) <= 10)
  }

  /// Different documents: no text has four others near it.
  @Test(.enabled(if: RealDocuments.canBeRead, "needs nroff, zcat and dpkg"))
  func twoHundredDifferentDocumentsAreNotTakenForVariations() {
    #expect(RealDocuments.found.count >= 200, "man pages and READMEs of this machine")
    let documents = RealDocuments.found.compactMap { document in
      SimHash(document.text).map { (name: document.name, hash: $0) }
    }
    #expect(documents.count >= 200)
    for one in documents {
      let near = documents.filter { $0.name != one.name && $0.hash.distance(to: one.hash) <= SimHash.nearest }
      #expect(near.count < 4, "\(one.name) and \(near.map(\.name))")
    }
  }

  @Test func anyBytesHaveAHashOrNone() {
    var random = Seeded(7)
    for _ in 0..<2_000 {
      let bytes = (0..<Int.random(in: 0...800, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = SimHash(bytes)
    }
  }
}
