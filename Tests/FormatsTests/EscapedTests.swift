import Formats
import TestSupport
import Testing

@Suite struct EscapedTests {
  @Test(
    arguments: [
      ([], ""),
      (Array("tâche-β 日本 🦀.lock".utf8), "tâche-β 日本 🦀.lock"),
      (Array("a\\b".utf8), #"a\x5cb"#),
      (Array("\u{1B}[31mred\u{7F}\n".utf8), #"\x1b[31mred\x7f\x0a"#),
      (Array("gpj\u{202E}exe".utf8), #"gpj\xe2\x80\xaeexe"#),
      (Array("a\u{200B}b\u{2066}c\u{FEFF}d\u{2028}".utf8), #"a\xe2\x80\x8bb\xe2\x81\xa6c\xef\xbb\xbfd\xe2\x80\xa8"#),
      (Array("\u{85}\u{9B}31m".utf8), #"\xc2\x85\xc2\x9b31m"#),
      (Array("\u{E0041}".utf8), #"\xf3\xa0\x81\x81"#),
      ([0x61, 0xFF, 0x62], #"a\xffb"#),
      ([0xC0, 0xAF], #"\xc0\xaf"#),
      ([0xED, 0xA0, 0x80], #"\xed\xa0\x80"#),
      ([0xF4, 0x90, 0x80, 0x80], #"\xf4\x90\x80\x80"#),
      ([0xE2, 0x82], #"\xe2\x82"#),
      ([0x00], #"\x00"#),
    ] as [([UInt8], String)])
  func namesAreShownAs(bytes: [UInt8], text: String) {
    #expect(escaped(bytes) == text)
    #expect(unescaped(text) == bytes)
  }

  @Test(arguments: [#"\"#, #"\x"#, #"\x4"#, #"\xg0"#, #"\x5C"#, #"\n"#, #"a\\b"#, #"\é00"#])
  func malformedTextHasNoBytes(text: String) { #expect(unescaped(text) == nil) }

  @Test func whatNeedNotBeEscapedMayBe() { #expect(unescaped(#"\x61b"#) == Array("ab".utf8)) }

  @Test func anyBytesComeBack() {
    var random = Seeded(1)
    for _ in 0..<5_000 {
      let alphabet: [UInt8] = [0x5C, 0x78, 0x61, 0xE2, 0x80, 0x8B, 0xC2, 0x9F, 0xF0, 0x9F, 0xA6, 0x80, 0xFF, 0x0A, 0x20]
      let bytes = (0..<Int.random(in: 0..<24, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
      let text = escaped(bytes)
      #expect(unescaped(text) == bytes)
      #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
    }
  }
}
