extension RawSpan {
  /// nil outside.
  @inline(always)
  func byte(at offset: Int) -> UInt8? {
    guard offset >= 0, offset < byteCount else { return nil }
    return unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }

  func firstOffset(of byte: UInt8, from start: Int = 0) -> Int? {
    var offset = max(start, 0)
    while let found = self.byte(at: offset) {
      if found == byte { return offset }
      offset &+= 1
    }
    return nil
  }

  func lastOffset(of byte: UInt8) -> Int? {
    var offset = byteCount &- 1
    while let found = self.byte(at: offset) {
      if found == byte { return offset }
      offset &-= 1
    }
    return nil
  }

  /// Without the spaces, tabs, CRs and LFs at both ends.
  @_lifetime(copy self)
  func trimmed() -> RawSpan {
    var start = 0
    var end = byteCount
    while start < end, let byte = byte(at: start), byte.isSpace { start &+= 1 }
    while end > start, let byte = byte(at: end &- 1), byte.isSpace { end &-= 1 }
    return extracting(start..<end)
  }

  /// What stands before `offset`, clamped.
  @_lifetime(copy self)
  func before(_ offset: Int) -> RawSpan { extracting(first: min(max(offset, 0), byteCount)) }

  /// What stands from `offset` on, clamped.
  @_lifetime(copy self)
  func from(_ offset: Int) -> RawSpan { extracting(min(max(offset, 0), byteCount)...) }

  /// The whole of it as a decimal number; nil for anything but digits, and past 64 bits.
  func decimal() -> UInt64? {
    var reader = ByteReader(self)
    guard let value = reader.decimal(), reader.isAtEnd else { return nil }
    return value
  }

  func equalsIgnoringCase(_ lowerCased: String) -> Bool {
    guard byteCount == lowerCased.utf8.count else { return false }
    var offset = 0
    for byte in lowerCased.utf8 {
      guard self.byte(at: offset)?.asciiLowerCased == byte else { return false }
      offset &+= 1
    }
    return true
  }
}

extension UInt8 {
  static var newline: UInt8 { 0x0A }
  static var carriageReturn: UInt8 { 0x0D }
  static var space: UInt8 { 0x20 }
  static var quote: UInt8 { 0x22 }
  static var comma: UInt8 { 0x2C }
  static var minus: UInt8 { 0x2D }
  static var dot: UInt8 { 0x2E }
  static var slash: UInt8 { 0x2F }
  static var zero: UInt8 { 0x30 }
  static var colon: UInt8 { 0x3A }
  static var equals: UInt8 { 0x3D }
  static var at: UInt8 { 0x40 }
  static var backslash: UInt8 { 0x5C }

  var isSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }

  /// 0...9 for an ASCII digit.
  var digit: UInt8? { self >= 0x30 && self <= 0x39 ? self &- 0x30 : nil }

  /// 0...15 for a hexadecimal digit of either case.
  var hexDigit: UInt8? {
    switch self {
    case 0x30...0x39: self &- 0x30
    case 0x41...0x46: self &- 0x37
    case 0x61...0x66: self &- 0x57
    default: nil
    }
  }

  var asciiLowerCased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }

  /// The lower-case digit of the low four bits.
  var lowHexDigit: UInt8 {
    let nibble = self & 15
    return nibble < 10 ? nibble &+ 0x30 : nibble &+ 0x57
  }
}

/// Appends `value` in decimal, with zeros before it up to `width` digits.
func appendDecimal(_ value: UInt64, width: Int = 1, to bytes: inout [UInt8]) {
  let start = bytes.count
  var rest = value
  var digits = 0
  while rest > 0 || digits < width {
    bytes.append(.zero &+ UInt8(truncatingIfNeeded: rest % 10))
    rest /= 10
    digits &+= 1
  }
  bytes[start...].reverse()
}
