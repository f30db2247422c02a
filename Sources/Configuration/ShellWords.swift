/// Splits a command line into its words as systemd does for ExecStart=: blanks separate, both kinds
/// of quotes hold together, a backslash escapes as in C. No shell reads it: no variable, no
/// wildcard, no pipe. systemd.service(5), "Command lines"; systemd.syntax(7), "Quoting".
public enum ShellWords {
  /// - Throws: an open quote, an unknown escape, a word that only a shell would understand, or
  ///   escapes that make a NUL or something that is not UTF-8.
  public static func split(_ text: [UInt8]) throws(Fault) -> [String] {
    var words: [String] = []
    var at = 0
    while true {
      while at < text.count, text[at].isBlank { at += 1 }
      guard at < text.count else { return words }
      let start = at
      var word: [UInt8] = []
      var quote: (byte: UInt8, at: Int)?
      while at < text.count {
        let byte = text[at]
        if byte == ASCII.backslash {
          try appendEscape(text, at: &at, to: &word)
          continue
        }
        if let open = quote {
          if byte == open.byte { quote = nil } else { word.append(byte) }
        } else if byte == ASCII.quote || byte == ASCII.doubleQuote {
          quote = (byte, at)
        } else if byte.isBlank {
          break
        } else {
          word.append(byte)
        }
        at += 1
      }
      if let quote { throw Fault(at: quote.at, "a quotation mark is opened and not closed") }
      if shellOnly.contains(text[start..<at].map { $0 }.string) {
        throw Fault(
          at: start,
          "\(quoted(word)) means something to a shell only, and none is started here; put the command into a script, or write /bin/sh -c '...'"
        )
      }
      guard isText(word) else { throw Fault(at: start, "the escapes in this word make a NUL or bytes that are not UTF-8") }
      words.append(word.string)
    }
  }

  public static func split(_ text: String) throws(Fault) -> [String] { try split(Array(text.utf8)) }

  private static let shellOnly = ["|", "||", "&", "&&", ";", ">", ">>", "<", "2>&1", "2>/dev/null", ">/dev/null"]

  private static func isText(_ word: [UInt8]) -> Bool {
    var at = 0
    while at < word.count {
      guard let (value, length) = scalar(in: word, at: at), value != 0 else { return false }
      at += length
    }
    return true
  }

  /// Moves `at` behind the escape that begins there.
  private static func appendEscape(_ text: [UInt8], at: inout Int, to word: inout [UInt8]) throws(Fault) {
    let start = at
    guard at + 1 < text.count else { throw Fault(at: start, "a backslash at the end escapes nothing; write two for one") }
    let letter = text[at + 1]
    at += 2
    switch letter {
    case UInt8(ascii: "a"): word.append(0x07)
    case UInt8(ascii: "b"): word.append(0x08)
    case UInt8(ascii: "f"): word.append(0x0C)
    case UInt8(ascii: "n"): word.append(0x0A)
    case UInt8(ascii: "r"): word.append(0x0D)
    case UInt8(ascii: "t"): word.append(0x09)
    case UInt8(ascii: "v"): word.append(0x0B)
    case UInt8(ascii: "s"): word.append(ASCII.space)
    case ASCII.backslash, ASCII.quote, ASCII.doubleQuote, ASCII.space: word.append(letter)
    case UInt8(ascii: "x"):
      guard let value = digits(text, at: &at, count: 2, radix: 16) else { throw unknown(text, start) }
      word.append(UInt8(truncatingIfNeeded: value))
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      at -= 1
      guard let value = digits(text, at: &at, count: 3, radix: 8), value <= 0xFF else { throw unknown(text, start) }
      word.append(UInt8(truncatingIfNeeded: value))
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      let count = letter == UInt8(ascii: "u") ? 4 : 8
      guard let value = digits(text, at: &at, count: count, radix: 16), let scalar = Unicode.Scalar(value) else {
        throw unknown(text, start)
      }
      word.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    default: throw unknown(text, start)
    }
  }

  private static func digits(_ text: [UInt8], at: inout Int, count: Int, radix: UInt32) -> UInt32? {
    guard count <= text.count - at else { return nil }
    var value: UInt32 = 0
    for byte in text[at..<(at + count)] {
      let low = byte.lowercased
      let digit = byte.isDigit ? UInt32(byte) - 48 : low >= 97 && low <= 102 ? UInt32(low) - 87 : radix
      // At most 8 hexadecimal digits: the shift never loses one.
      guard digit < radix else { return nil }
      value = value &* radix &+ digit
    }
    at += count
    return value
  }

  private static func unknown(_ text: [UInt8], _ start: Int) -> Fault {
    let end = min(text.count, start + 2)
    return Fault(
      at: start, "\(quoted(Array(text[start..<end]))) is not an escape that systemd knows; write \\\\ for one backslash")
  }
}
