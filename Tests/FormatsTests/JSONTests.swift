import Formats
import Rules
import TestSupport
import Testing

@Suite struct JSONTests {
  func read(_ text: String) -> JSON? { JSON(Array(text.utf8)) }

  @Test func aDocumentIsReadAsItStands() {
    let document = read(#" {"a":{"b":[1,-2.5,"x\u00e9\ud83e\udd80\n",true,null]},"n":9223372036854775807} "#)
    #expect(document?.path(["a", "b"])?.array == [.integer(1), .number(-2.5), .string("xé🦀\n"), .bool(true), .null])
    #expect(document?["n"]?.integer == .max)
    #expect(document?.path(["a", "c"]) == nil)
    #expect(document?.path([]) == document)
  }

  @Test(
    arguments: [
      ("0", .integer(0)), ("-0", .integer(0)), ("-9223372036854775808", .integer(.min)),
      ("9223372036854775808", .number(9_223_372_036_854_775_808)),
      ("123456789012345678901234567890", .number(1.2345678901234568e29)),
      ("1e3", .number(1000)), ("1E-2", .number(0.01)), ("1.5e+1", .number(15)), ("\"\\/\\b\\f\"", .string("/\u{8}\u{C}")),
      (#""\ud800""#, .string("\u{FFFD}")), (#""\ud800\u0041""#, .string("\u{FFFD}A")), (#""\udc80x""#, .string("\u{FFFD}x")),
      ("[]", .array([])), ("{ }", .object([])), ("\t\r\n null ", .null),
    ] as [(String, JSON)])
  func valuesOfEveryKind(text: String, value: JSON) { #expect(read(text) == value) }

  @Test(arguments: [
    "", " ", "{", "[", "[1", "[1,", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}", "01", "-", "+1",
    "1.", ".5", "1e", "1e+", "0x1", "NaN", "Infinity", "tru", "nulll", "true false", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"",
    "\"\\u12g4\"", "\"a\nb\"", "\"\t\"", "[1 2]", "{\"a\" 1}", "\u{FEFF}1", "// c\n1", "[1]]",
  ])
  func whatRFC8259DoesNotAllow(text: String) { #expect(read(text) == nil) }

  @Test func bytesThatAreNotUTF8() {
    for bad in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] as [[UInt8]] {
      #expect(JSON([0x22] + bad + [0x22]) == nil)
    }
  }

  @Test func theLastOfTwoKeysCounts() { #expect(read(#"{"a":1,"a":2}"#)?["a"] == .integer(2)) }

  @Test func tooDeepIsRefusedAndNotFollowed() {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(read(nested(64)) != nil)
    #expect(read(nested(65)) == nil)
    #expect(read(String(repeating: "{\"a\":[", count: 100_000)) == nil)
  }

  @Test func aNumberWithAFractionIsNoInteger() {
    #expect(read("7.0")?.integer == 7)
    #expect(read("7.5")?.integer == nil)
    #expect(read("1e400")?.integer == nil)
    #expect(read("1e30")?.integer == nil)
  }

  @Test func damagedDocumentsAreNeverFatal() {
    let seed = Array(#"{"pid":4242,"createdAt":"2026-11-21T03:02:11.123Z","x":[1.5e3,"\ud83e\udd80é",{"y":null}]}"#.utf8)
    var random = Seeded(2)
    for _ in 0..<5_000 { _ = JSON(mutated(seed, with: &random)) }
    for count in 0..<seed.count { #expect(JSON(Array(seed[..<count])) == nil) }
  }
}

@Suite struct JSONWriterTests {
  func line(_ write: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    write(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test func commasStandWhereTheyMust() {
    #expect(
      line { w in
        w.beginObject()
        w.field("agent", "seo")
        w.field("seq", 7)
        w.field("ours", true)
        w.beginArray("levers")
        w.string("halt")
        w.beginObject()
        w.endObject()
        w.beginArray()
        w.endArray()
        w.null()
        w.endArray()
        w.nullField("cause")
        w.field("at", WallTime(nanoseconds: 1_123_000_000))
        w.endObject()
        w.endLine()
      } == #"{"agent":"seo","seq":7,"ours":true,"levers":["halt",{},[],null],"cause":null,"at":"1970-01-01T00:00:01.123Z"}"#
        + "\n")
  }

  @Test func stringsAreEscapedAndStayOnOneLine() {
    #expect(
      line { $0.string("a\"b\\c\n\t\r\u{1}é🦀\u{7F}\u{2028}\u{E0041}") } == #""a\"b\\c\n\t\r\u0001é🦀\u007f\u2028\udb40\udc41""#)
  }

  @Test func namesGoInReversibly() {
    let name: [UInt8] = Array("a\"b\\".utf8) + [0x1B, 0xFF]
    let text = line { $0.string(escaping: name) }
    #expect(text == #""a\"b\\x5c\\x1b\\xff""#)
    #expect(JSON(Array(text.utf8))?.string.flatMap(unescaped) == name)
  }

  @Test func integersAreWholeToTheLastDigit() {
    #expect(line { $0.integer(Int64.min) } == "-9223372036854775808")
    #expect(line { $0.integer(UInt64.max) } == "18446744073709551615")
    #expect(line { $0.integer(Int64(0)) } == "0")
  }

  @Test func aResetWriterBeginsAnew() {
    var writer = JSONWriter(reserving: 16)
    writer.beginObject()
    writer.field("a", 1)
    writer.reset()
    writer.boolean(false)
    #expect(writer.bytes == Array("false".utf8))
  }

  @Test func anyBytesMakeADocument() {
    var random = Seeded(3)
    for _ in 0..<2_000 {
      let bytes = (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) }
      let text = String(decoding: bytes, as: UTF8.self)
      let document = JSON(
        Array(
          line { w in
            w.beginObject()
            w.field(text, text)
            w.field("b", escaping: bytes)
            w.endObject()
          }.utf8))
      #expect(document?["b"]?.string.flatMap(unescaped) == bytes)
      #expect(document?[text]?.string == text)
    }
  }
}
