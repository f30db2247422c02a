import Configuration
import Testing

/// Whatever stands in a file: never a trap, and every error has a place in it.
@Suite struct FuzzTests {
  static let pieces: [[UInt8]] =
    [
      "=", "[", "]", "\n", "\\\n", ",", "{agent}", "{task}", "**", "*", "/", "..", "~", "#", ";", "'", "\"", " ", "\t", "\r\n",
      "per",
      "off", "99999999999999999999", "%", "min", ".", "json:", "@/x", "\\x", "[agent x]", "[locks]\n", "heartbeats.watch = ",
      "\u{E9}", "-",
    ].map { Array($0.utf8) } + [[0], [0xFF], [0xC3], [0xE2, 0x80], [0x1B]]

  /// Every key of config/midwatch.conf, and those with an empty default again with a value; few
  /// comments, so that mutations reach the values.
  static let seed: [UInt8] = Array(
    (ConfigurationFileTests.uncommented.filter { !$0.hasPrefix("#") && !$0.isEmpty }
      .joined(separator: "\n") + """

        # a comment

        [heartbeats]
        expect = a, b
        source = json:x.y
        [outputs]
        cool-down = 1h 30min
        pipeline-limit = 30 per hour
        [halt]
        units = a.service
        exec = /bin/sh -c 'a \\x41 "b"'
        [alert]
        exec = /bin/a \\
          b
        webhook = slack https://x/y
        ping = @/etc/x
        mail = root
        [agent a]
        needs = b
        heartbeats.watch = x/{agent}
        [agent b]
        needs = c

        """).utf8)

  static func mutated(_ dice: inout Dice) -> [UInt8] {
    var bytes = seed
    for _ in 0..<Int.random(in: 1...6, using: &dice) {
      let at = Int.random(in: 0...bytes.count, using: &dice)
      switch Int.random(in: 0..<6, using: &dice) {
      case 0 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &dice)
      case 1 where at < bytes.count: bytes.remove(at: at)
      case 2: bytes.insert(contentsOf: pieces.randomElement(using: &dice)!, at: at)
      case 3: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 0...40, using: &dice)))
      case 4:
        let from = Int.random(in: 0...bytes.count, using: &dice)
        bytes.insert(contentsOf: Array(bytes[from..<min(bytes.count, from + 60)]), at: at)
      default: if Int.random(in: 0..<20, using: &dice) == 0 { bytes.removeSubrange(at...) }
      }
    }
    return bytes
  }

  @Test(arguments: 0..<8) func aMutatedFileIsTakenOrRefusedInItsPlace(seed: UInt64) throws {
    var dice = Dice(seed + 1)
    var taken = 0
    for _ in 0..<500 {
      let bytes = Self.mutated(&dice)
      let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
      var builder = SettingsBuilder()
      do throws(ConfigurationError) {
        try builder.read(bytes, file: "f")
        let settings = try builder.finish()
        taken += 1
        // What was taken can be printed and read again.
        var text = ""
        for (section, key, value) in settings.render() { text += "[\(section)]\n\(key) = \(value)\n" }
        var again = SettingsBuilder()
        try again.read(Array(text.utf8), file: "rendered")
        #expect(try again.finish() == settings)
      } catch {
        #expect(error.file == "f", "\(error)")
        #expect((1...lines.count).contains(error.line), "\(error)")
        if error.line <= lines.count { #expect((1...(lines[error.line - 1].count + 1)).contains(error.column), "\(error)") }
        #expect(error.description.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "\(error)")
      }
    }
    #expect(taken > 20)
  }

  @Test(arguments: 0..<8) func anySetIsTakenOrRefused(seed: UInt64) {
    var dice = Dice(seed + 1)
    for _ in 0..<1000 {
      let words = (0..<Int.random(in: 1...8, using: &dice)).flatMap { _ in
        ([Array("agent.x.".utf8), Array("locks.watch=".utf8), Array("alert.exec=/".utf8), Array("outputs.limit=1".utf8)]
          + Self.pieces).randomElement(using: &dice)!
      }
      var builder = SettingsBuilder()
      do throws(ConfigurationError) {
        try builder.set(String(decoding: words, as: UTF8.self))
      } catch {
        #expect(error.file == "--set" && error.line == 1 && error.column >= 1 && error.column <= words.count + 1)
      }
    }
  }

  @Test(arguments: 0..<8) func anyValueIsTakenOrRefused(seed: UInt64) {
    var dice = Dice(seed + 1)
    for _ in 0..<2000 {
      let bytes = (0..<Int.random(in: 0...6, using: &dice)).flatMap { _ in Self.pieces.randomElement(using: &dice)! }
      for index in 0..<8 {
        do throws(Fault) { try Self.read(bytes, as: index) } catch {
          #expect(error.offset >= 0 && error.offset <= bytes.count)
        }
      }
    }
  }

  static func read(_ bytes: [UInt8], as index: Int) throws(Fault) {
    switch index {
    case 0: _ = try Units.span(bytes)
    case 1: _ = try Units.limit(bytes)
    case 2: _ = try Units.growth(bytes)
    case 3: _ = try PathTemplate(bytes)
    case 4: _ = try IgnorePattern(bytes)
    case 5: _ = try ShellWords.split(bytes)
    case 6: _ = try Command(bytes)
    default: _ = try Webhook(bytes)
    }
  }
}
