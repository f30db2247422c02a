import ProcessTable
import Testing

/// nil for nil.
func string(_ bytes: RawSpan?) -> String? {
  guard let bytes else { return nil }
  return String(
    decoding: (0..<bytes.byteCount).map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }, as: UTF8.self)
}

@Suite struct CommandWordsTests {
  /// What is asked of a line, as text.
  struct Reading: Equatable {
    var type: String?
    var profile: String?
    var port: String?
    var isHeadless = false
    var isTitle = false
  }

  func read(_ bytes: [UInt8]) -> Reading {
    let words = CommandWords(bytes.span.bytes)
    return Reading(
      type: string(words.type), profile: string(words.value(of: "user-data-dir")),
      port: string(words.value(of: "remote-debugging-port")), isHeadless: words.has("headless"),
      isTitle: words.isTitle)
  }

  func read(_ words: String...) -> Reading { read(Array(words.joined(separator: "\0").utf8) + [0]) }

  @Test func aBrowserSeparatesByNULs() {
    #expect(
      read(
        "/usr/lib/chromium/chromium", "--show-component", "--headless=new", "--user-data-dir=/tmp/a b --c",
        "--remote-debugging-port=0")
        == Reading(profile: "/tmp/a b --c", port: "0", isHeadless: true))
    #expect(read("chromium", "about:blank") == Reading())
    #expect(read("chromium", "-headless", "-remote-debugging-port=9222") == Reading(port: "9222", isHeadless: true))
    // Chromium takes the last.
    #expect(read("chromium", "--user-data-dir=/a", "--user-data-dir=/b") == Reading(profile: "/b"))
    #expect(read("chromium", "--user-data-dir=") == Reading(profile: ""))
  }

  @Test func aRendererHasATitle() {
    let title =
      "/usr/lib/chromium/chromium --type=renderer --top-chrome-webui --enable-crash-reporter=,built on Debian GNU/Linux 12 (bookworm)"
      + " --user-data-dir=/tmp/my profile --change-stack-guard-on-fork=enable"
    let wanted = Reading(type: "renderer", profile: "/tmp/my profile", isTitle: true)
    #expect(read(Array(title.utf8) + [0]) == wanted)
    // Older kernels: the rest of the memory.
    #expect(read(Array(title.utf8) + [UInt8](repeating: 0, count: 700)) == wanted)
    #expect(read(Array(title.utf8)) == wanted)
    #expect(read("chromium --type=renderer --user-data-dir=/tmp/my profile").profile == "/tmp/my profile")
    let bytes = Array(title.utf8)
    let words = CommandWords(bytes.span.bytes)
    let (whole, part) = (words.has("top-chrome-webui"), words.has("top-chrome"))
    #expect(whole && !part)
  }

  @Test func anotherOptionsValueIsNoOption() {
    #expect(read("chromium", "--user-agent=Mozilla --type=renderer --headless") == Reading())
    #expect(read("--type=renderer", "x") == Reading())
    #expect(read("chromium", "--headlessness", "--type", "--nottype=renderer", "type=renderer", "---type=x") == Reading())
    #expect(read("chromium", "--", "--headless", "--user-data-dir=/x").isHeadless == false)
    #expect(read("chromium", "--", "--headless", "--user-data-dir=/x").profile == nil)
  }

  @Test func theKindIsTheFirstAndOneWord() {
    #expect(read("chromium", "--type=utility --x", "--type=renderer").type == "utility")
    #expect(read("QtWebEngineProcess", "--type=zygote", "--no-sandbox") == Reading(type: "zygote"))
    #expect(read("chromium --type=").type == "")
  }

  @Test func theFirstWords() {
    func word(_ text: String, _ number: Int) -> String? {
      let bytes = Array(text.utf8)
      return string(CommandWords(bytes.span.bytes).word(number))
    }
    #expect(word("node\0/opt/chroma-mcp\0--x\0", 0) == "node")
    #expect(word("node\0/opt/chroma-mcp\0--x\0", 1) == "/opt/chroma-mcp")
    #expect(word("node\0\0--x\0", 1) == "")
    #expect(word("npm exec chroma-mcp", 1) == "exec")
    #expect(word("node\0", 1) == nil)
    #expect(word("", 0) == nil)
    #expect(word("\0\0", 0) == nil)
    #expect(word("a\0b", -1) == nil)
  }

  @Test func emptyOrOnlyNULs() {
    for count in 0..<4 { #expect(read([UInt8](repeating: 0, count: count)) == Reading(isTitle: true)) }
  }

  @Test func damagedLinesAreNeverFatal() {
    var random = Seeded(11)
    let lines = [
      "chromium\0--headless=new\0--user-data-dir=/tmp/a b\0--remote-debugging-port=0\0--\0--type=x\0",
      "chromium --type=renderer --user-data-dir=/tmp/my profile --x\0\0\0",
    ]
    for _ in 0..<4_000 {
      for line in lines {
        let bytes = mutated(Array(line.utf8), with: &random)
        let found = read(bytes)
        #expect(found.profile?.utf8.contains(0) != true)
        #expect(found.type?.utf8.contains(0) != true)
      }
    }
  }
}
