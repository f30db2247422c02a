import Configuration
import Testing

@Suite struct GlobTests {
  func matches(_ pattern: String, _ name: String) throws -> Bool {
    let bytes = Array(name.utf8)
    return try Glob(pattern).matches(bytes.span.bytes)
  }

  @Test(arguments: [
    ("*", ""), ("*", "x"), ("a", "a"), ("*.tmp", "x.tmp"), ("*.tmp", ".tmp"), (".*", ".git"), ("*~", "x~"),
    ("a*b*c", "aXbYbZc"), ("**", "abc"), ("a**b", "ab"), ("*ab", "aab"), ("a?", "a?"), ("[a]", "[a]"),
    ("*backup*", "/usr/bin/backup --all"), ("\u{E9}*", "\u{E9}t\u{E9}"),
  ])
  func fits(pattern: String, name: String) throws {
    #expect(try matches(pattern, name))
  }

  @Test(arguments: [
    ("a", ""), ("a", "ab"), ("a", "b"), ("*.tmp", "x.tmpx"), (".*", "git"), ("a?", "ab"), ("[a]", "a"), ("a*b", "acbd"),
    ("*a*b", "ba"), ("\u{E9}", "e\u{301}"),
  ])
  func doesNotFit(pattern: String, name: String) throws {
    #expect(try !matches(pattern, name))
  }

  @Test func anAwkwardPatternTakesNoLongerThanPatternTimesName() throws {
    let pattern = String(repeating: "*a", count: 100) + "*b"
    #expect(try !matches(pattern, String(repeating: "a", count: 4000)))
  }

  @Test(arguments: 0..<8) func agreesWithTheObviousRecursion(seed: UInt64) throws {
    func obvious(_ p: ArraySlice<UInt8>, _ n: ArraySlice<UInt8>) -> Bool {
      guard let first = p.first else { return n.isEmpty }
      if first == UInt8(ascii: "*") {
        return obvious(p.dropFirst(), n) || (!n.isEmpty && obvious(p, n.dropFirst()))
      }
      return n.first == first && obvious(p.dropFirst(), n.dropFirst())
    }
    var dice = Dice(seed + 1)
    for _ in 0..<1000 {
      let pattern = (0..<Int.random(in: 1...7, using: &dice)).map { _ in "ab*".utf8.randomElement(using: &dice)! }
      let name = (0..<Int.random(in: 0...9, using: &dice)).map { _ in "ab".utf8.randomElement(using: &dice)! }
      #expect(try Glob(pattern).matches(name.span.bytes) == obvious(pattern[...], name[...]))
    }
  }

  @Test func whatNoNameCanHoldIsRefused() {
    #expect(refusal { () throws(Fault) in try Glob("") } == "a pattern is empty; write a name, or * for any")
    #expect(refusal { () throws(Fault) in try Glob("a\0") } == "a pattern cannot hold a NUL, for no name does")
    #expect(
      refusal { () throws(Fault) in try Glob([UInt8](repeating: 97, count: 4097)) } == "a pattern is longer than 4096 bytes")
  }
}
