/// Walks over a text of /proc: lines of fields with spaces and tabs between them. Past the end
/// there is nil, never a trap: what a read cut short is read as far as it goes.
struct FieldReader: ~Escapable {
  private let bytes: RawSpan
  private(set) var offset = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { self.bytes = bytes }

  var current: UInt8? { bytes.byte(at: offset) }

  var isAtEnd: Bool { offset >= bytes.byteCount }

  @_lifetime(self: copy self)
  mutating func skipBlanks() {
    while current == 0x20 || current == 0x09 { offset &+= 1 }
  }

  @_lifetime(self: copy self)
  mutating func take(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    offset &+= 1
    return true
  }

  /// Reads over the blanks and these bytes if they come next; otherwise over nothing.
  @_lifetime(self: copy self)
  mutating func take(_ word: String) -> Bool {
    let here = self
    skipBlanks()
    for byte in word.utf8 {
      guard take(byte) else {
        self = here
        return false
      }
    }
    return true
  }

  /// The next run of anything but blanks and line ends; nil where the line ends.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func field() -> RawSpan? {
    skipBlanks()
    let start = offset
    while let byte = current, byte != 0x20, byte != 0x09, byte != 0x0A { offset &+= 1 }
    return offset > start ? bytes.extracting(start..<offset) : nil
  }

  /// Reads over that many fields.
  @_lifetime(self: copy self)
  mutating func skipFields(_ count: Int) -> Bool {
    for _ in 0..<count {
      guard field() != nil else { return false }
    }
    return true
  }

  /// The number that the next digits are; nil for none and past 64 bits.
  @_lifetime(self: copy self)
  mutating func number(radix: UInt64 = 10) -> UInt64? {
    var value: UInt64 = 0
    var digits = 0
    while let digit = current?.digit, UInt64(digit) < radix {
      let (product, over) = value.multipliedReportingOverflow(by: radix)
      let (sum, overAgain) = product.addingReportingOverflow(UInt64(digit))
      guard !over, !overAgain else { return nil }
      value = sum
      offset &+= 1
      digits &+= 1
    }
    return digits > 0 ? value : nil
  }

  /// The next field as a number, with its end in sight: a number that a short read cut off is no
  /// number.
  @_lifetime(self: copy self)
  mutating func wholeNumber() -> UInt64? {
    skipBlanks()
    guard let value = number(), let end = current, end == 0x20 || end == 0x09 || end == 0x0A else { return nil }
    return value
  }

  /// The same for a pid, which may stand as -1 or 0 for "none of ours".
  @_lifetime(self: copy self)
  mutating func wholePid() -> Int32? {
    skipBlanks()
    let isNegative = take(0x2D)
    guard let value = wholeNumber(), let pid = Int32(exactly: value) else { return nil }
    return isNegative ? -pid : pid
  }

  /// The rest of the line, without its end, which is read over; nil at the end of the text.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func line() -> RawSpan? {
    guard !isAtEnd else { return nil }
    let start = offset
    while let byte = current, byte != 0x0A { offset &+= 1 }
    let line = bytes.extracting(start..<offset)
    _ = take(0x0A)
    return line
  }
}

extension RawSpan {
  /// nil outside.
  @inline(always)
  func byte(at offset: Int) -> UInt8? {
    guard offset >= 0, offset < byteCount else { return nil }
    return unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }

  func equals(_ text: String) -> Bool {
    guard byteCount == text.utf8.count else { return false }
    var offset = 0
    for byte in text.utf8 {
      guard self.byte(at: offset) == byte else { return false }
      offset &+= 1
    }
    return true
  }
}

extension UInt8 {
  /// 0...15 for a digit, also a hexadecimal one of either case.
  var digit: UInt8? {
    switch self {
    case 0x30...0x39: self &- 0x30
    case 0x41...0x46: self &- 0x37
    case 0x61...0x66: self &- 0x57
    default: nil
    }
  }
}
