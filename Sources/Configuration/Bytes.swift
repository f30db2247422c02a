/// The bytes that mean something in a configuration.
enum ASCII {
  static let tab = UInt8(ascii: "\t")
  static let newline = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
  static let space = UInt8(ascii: " ")
  static let star = UInt8(ascii: "*")
  static let slash = UInt8(ascii: "/")
  static let backslash = UInt8(ascii: "\\")
  static let comma = UInt8(ascii: ",")
  static let dot = UInt8(ascii: ".")
  static let equals = UInt8(ascii: "=")
  static let hash = UInt8(ascii: "#")
  static let semicolon = UInt8(ascii: ";")
  static let openBracket = UInt8(ascii: "[")
  static let closeBracket = UInt8(ascii: "]")
  static let openBrace = UInt8(ascii: "{")
  static let closeBrace = UInt8(ascii: "}")
  static let quote = UInt8(ascii: "'")
  static let doubleQuote = UInt8(ascii: "\"")
  static let tilde = UInt8(ascii: "~")
  static let at = UInt8(ascii: "@")
  static let percent = UInt8(ascii: "%")
  static let minus = UInt8(ascii: "-")
}

extension UInt8 {
  var isBlank: Bool { self == ASCII.space || self == ASCII.tab }
  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
  var lowercased: UInt8 {
    self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self
  }
  var isAlphanumeric: Bool {
    isDigit || (lowercased >= UInt8(ascii: "a") && lowercased <= UInt8(ascii: "z"))
  }
}

extension RawSpan {
  /// Bounds-checked; the only unsafe expression of this module.
  @inline(always)
  func byte(at offset: Int) -> UInt8 {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self)
  }
}

extension [UInt8] {
  /// The part of `range` that is left without blanks at either end.
  func trimmed(_ range: Range<Int>) -> Range<Int> {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high, self[low].isBlank { low += 1 }
    while low < high, self[high - 1].isBlank { high -= 1 }
    return low..<high
  }

  /// The text between commas, without blanks around it, and where each piece begins.
  func commaSeparated() -> [(offset: Int, bytes: [UInt8])] {
    var pieces: [(offset: Int, bytes: [UInt8])] = []
    var start = 0
    for index in 0...count where index == count || self[index] == ASCII.comma {
      let range = trimmed(start..<index)
      pieces.append((range.lowerBound, Array(self[range])))
      start = index + 1
    }
    return pieces
  }

  func has(prefix: String) -> Bool { starts(with: prefix.utf8) }

  /// Only for text that was checked to be UTF-8, which all text of a configuration is.
  var string: String { String(decoding: self, as: UTF8.self) }
}
