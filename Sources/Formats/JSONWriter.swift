public import Rules

/// Writes one line of JSON into a buffer that is kept from line to line.
///
/// It minds the commas and the escapes (RFC 8259); that every `begin` has its `end` and every
/// value in an object its key is the caller's part. What does not print is written as `\uNNNN`, so
/// that a line may be shown on a terminal as it is.
///
///     writer.beginObject()
///     writer.field("kind", "reap")
///     writer.field("path", escaping: name)
///     writer.endObject()
///     writer.endLine()
public struct JSONWriter: Sendable {
  public private(set) var bytes: [UInt8]
  /// Something stands before the next key or value.
  private var needsComma = false

  /// - Parameter capacity: bytes to set aside at once.
  public init(reserving capacity: Int = 1024) {
    bytes = []
    bytes.reserveCapacity(max(capacity, 0))
  }

  /// Forgets what was written and keeps the memory.
  public mutating func reset() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
  }

  /// Ends the line; what comes next is another document.
  public mutating func endLine() {
    bytes.append(.newline)
    needsComma = false
  }

  public mutating func beginObject() { open(0x7B) }
  public mutating func endObject() { close(0x7D) }
  public mutating func beginArray() { open(0x5B) }
  public mutating func endArray() { close(0x5D) }

  public mutating func key(_ name: String) {
    separate()
    appendQuoted(name)
    bytes.append(.colon)
    needsComma = false
  }

  public mutating func string(_ value: String) {
    separate()
    appendQuoted(value)
  }

  /// A string of bytes from outside, such as a file's name, reversibly: `escaped(_:)` says how.
  public mutating func string(escaping value: RawSpan) {
    separate()
    bytes.append(.quote)
    var pieces = Pieces(value)
    while let piece = pieces.next() {
      if piece.isPrintable {
        if value.byte(at: piece.offset) == .quote { bytes.append(.backslash) }
        piece.append(to: &bytes, from: value)
      } else {
        // The backslash of `\xNN` is a sign of JSON's own and stands twice.
        bytes.append(.backslash)
        bytes.append(.backslash)
        piece.appendHex(to: &bytes, from: value)
      }
    }
    bytes.append(.quote)
  }

  public mutating func string(escaping value: [UInt8]) { unsafe string(escaping: value.span.bytes) }

  public mutating func integer(_ value: Int64) {
    separate()
    if value < 0 { bytes.append(.minus) }
    appendDecimal(value.magnitude, to: &bytes)
  }

  public mutating func integer(_ value: UInt64) {
    separate()
    appendDecimal(value, to: &bytes)
  }

  public mutating func boolean(_ value: Bool) {
    separate()
    append(value ? "true" : "false")
  }

  public mutating func null() {
    separate()
    append("null")
  }

  /// RFC 3339 in UTC, with milliseconds.
  public mutating func time(_ value: WallTime) {
    separate()
    bytes.append(.quote)
    value.appendTimestamp(to: &bytes)
    bytes.append(.quote)
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(.comma) }
    needsComma = true
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func appendQuoted(_ text: String) {
    bytes.append(.quote)
    for scalar in text.unicodeScalars { append(scalar) }
    bytes.append(.quote)
  }

  private mutating func append(_ scalar: Unicode.Scalar) {
    switch scalar.value {
    case 0x22, 0x5C:
      bytes.append(.backslash)
      bytes.append(UInt8(truncatingIfNeeded: scalar.value))
    case 0x0A: append(#"\n"#)
    case 0x0D: append(#"\r"#)
    case 0x09: append(#"\t"#)
    case 0x20...0x7E: bytes.append(UInt8(truncatingIfNeeded: scalar.value))
    default:
      if Scalar.isPrintable(scalar.value) {
        bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      } else {
        for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { appendEscape(unit) }
      }
    }
  }

  private mutating func appendEscape(_ unit: UInt16) {
    append(#"\u"#)
    var shift: UInt16 = 16
    while shift > 0 {
      shift &-= 4
      bytes.append(UInt8(truncatingIfNeeded: unit >> shift).lowHexDigit)
    }
  }
}

/// A key and its value in one call.
extension JSONWriter {
  public mutating func field(_ name: String, _ value: String) {
    key(name)
    string(value)
  }
  public mutating func field(_ name: String, _ value: Bool) {
    key(name)
    boolean(value)
  }
  public mutating func field(_ name: String, _ value: Int) {
    key(name)
    integer(Int64(value))
  }
  public mutating func field(_ name: String, _ value: Int32) {
    key(name)
    integer(Int64(value))
  }
  public mutating func field(_ name: String, _ value: Int64) {
    key(name)
    integer(value)
  }
  public mutating func field(_ name: String, _ value: UInt64) {
    key(name)
    integer(value)
  }
  public mutating func field(_ name: String, _ value: WallTime) {
    key(name)
    time(value)
  }

  /// Bytes from outside, as `string(escaping:)` writes them.
  public mutating func field(_ name: String, escaping value: RawSpan) {
    key(name)
    string(escaping: value)
  }
  public mutating func field(_ name: String, escaping value: [UInt8]) {
    key(name)
    string(escaping: value)
  }

  public mutating func nullField(_ name: String) {
    key(name)
    null()
  }
  public mutating func beginObject(_ name: String) {
    key(name)
    beginObject()
  }
  public mutating func beginArray(_ name: String) {
    key(name)
    beginArray()
  }
}
