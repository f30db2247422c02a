/// Reads RFC 8259, rule by rule; each function stands before its rule and reads all of it, or
/// gives nil and with it the document up.
struct JSONParser: ~Escapable {
  private var reader: ByteReader
  private var depth = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { reader = ByteReader(bytes) }

  @_lifetime(self: copy self)
  mutating func document() -> JSON? {
    reader.skipSpace()
    guard let value = value() else { return nil }
    reader.skipSpace()
    return reader.isAtEnd ? value : nil
  }

  @_lifetime(self: copy self)
  private mutating func value() -> JSON? {
    switch reader.current {
    case 0x7B: nested { parser in parser.object() }
    case 0x5B: nested { parser in parser.array() }
    case .quote: string().map { .string($0) }
    case 0x74: reader.take("true") ? .bool(true) : nil
    case 0x66: reader.take("false") ? .bool(false) : nil
    case 0x6E: reader.take("null") ? .null : nil
    default: number()
    }
  }

  @_lifetime(self: copy self)
  private mutating func nested(_ read: (inout JSONParser) -> JSON?) -> JSON? {
    guard depth < JSON.depthLimit else { return nil }
    depth &+= 1
    let value = read(&self)
    depth &-= 1
    return value
  }

  @_lifetime(self: copy self)
  private mutating func object() -> JSON? {
    guard reader.take(0x7B) else { return nil }
    reader.skipSpace()
    var members: [JSON.Member] = []
    if reader.take(0x7D) { return .object(members) }
    while true {
      reader.skipSpace()
      guard let key = string() else { return nil }
      reader.skipSpace()
      guard reader.take(.colon) else { return nil }
      reader.skipSpace()
      guard let value = value() else { return nil }
      members.append(JSON.Member(key: key, value: value))
      reader.skipSpace()
      if reader.take(0x7D) { return .object(members) }
      guard reader.take(.comma) else { return nil }
    }
  }

  @_lifetime(self: copy self)
  private mutating func array() -> JSON? {
    guard reader.take(0x5B) else { return nil }
    reader.skipSpace()
    var values: [JSON] = []
    if reader.take(0x5D) { return .array(values) }
    while true {
      reader.skipSpace()
      guard let value = value() else { return nil }
      values.append(value)
      reader.skipSpace()
      if reader.take(0x5D) { return .array(values) }
      guard reader.take(.comma) else { return nil }
    }
  }

  @_lifetime(self: copy self)
  private mutating func string() -> String? {
    guard reader.take(.quote) else { return nil }
    var text: [UInt8] = []
    while let byte = reader.current {
      switch byte {
      case .quote:
        reader.advance()
        return String(decoding: text, as: UTF8.self)
      case .backslash:
        reader.advance()
        guard let scalar = escape() else { return nil }
        text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      case 0..<0x20: return nil
      default:
        guard let scalar = Scalar(in: reader.bytes, at: reader.offset) else { return nil }
        for _ in 0..<scalar.length {
          guard let next = reader.current else { return nil }
          text.append(next)
          reader.advance()
        }
      }
    }
    return nil
  }

  /// What stands behind a backslash.
  @_lifetime(self: copy self)
  private mutating func escape() -> Unicode.Scalar? {
    let sign = reader.current
    reader.advance()
    switch sign {
    case .quote: return "\""
    case .backslash: return "\\"
    case .slash: return "/"
    case 0x62: return "\u{8}"
    case 0x66: return "\u{C}"
    case 0x6E: return "\n"
    case 0x72: return "\r"
    case 0x74: return "\t"
    case 0x75: break
    default: return nil
    }
    guard let unit = fourHexDigits() else { return nil }
    guard (0xD800...0xDBFF).contains(unit) else { return Unicode.Scalar(unit) ?? "\u{FFFD}" }
    // The low half may follow; if it is anything else, that is read in its own right.
    let here = reader
    guard reader.take(#"\u"#), let low = fourHexDigits(), (0xDC00...0xDFFF).contains(low) else {
      reader = here
      return "\u{FFFD}"
    }
    return Unicode.Scalar(0x10000 &+ (unit &- 0xD800) << 10 &+ (low &- 0xDC00))
  }

  @_lifetime(self: copy self)
  private mutating func fourHexDigits() -> UInt32? {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = reader.current?.hexDigit else { return nil }
      value = value << 4 | UInt32(digit)
      reader.advance()
    }
    return value
  }

  @_lifetime(self: copy self)
  private mutating func number() -> JSON? {
    let start = reader.offset
    let isNegative = reader.take(.minus)
    guard reader.current?.digit != nil else { return nil }
    let digits = reader.offset
    if !reader.take(.zero) { skipDigits() }
    let magnitude = reader.bytes.extracting(digits..<reader.offset).decimal()
    var isWhole = true
    if reader.take(.dot) {
      isWhole = false
      guard reader.current?.digit != nil else { return nil }
      skipDigits()
    }
    if reader.current == 0x65 || reader.current == 0x45 {
      isWhole = false
      reader.advance()
      if !reader.take(.minus) { _ = reader.take(0x2B) }
      guard reader.current?.digit != nil else { return nil }
      skipDigits()
    }
    if isWhole, let magnitude {
      if !isNegative, let value = Int64(exactly: magnitude) { return .integer(value) }
      if isNegative, magnitude <= Int64.min.magnitude { return .integer(Int64(truncatingIfNeeded: 0 &- magnitude)) }
    }
    return double(start..<reader.offset).map { .number($0) }
  }

  @_lifetime(self: copy self)
  private mutating func skipDigits() {
    while reader.current?.digit != nil { reader.advance() }
  }

  private func double(_ range: Range<Int>) -> Double? {
    var text: [UInt8] = []
    for offset in range {
      guard let byte = reader.bytes.byte(at: offset) else { return nil }
      text.append(byte)
    }
    return Double(String(decoding: text, as: UTF8.self))
  }
}
