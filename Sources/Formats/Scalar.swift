/// One Unicode scalar as it stands in UTF-8.
struct Scalar {
  let value: UInt32
  /// Bytes it takes, 1...4.
  let length: Int

  /// Reads the scalar at `offset`; nil at the end and where the bytes are not UTF-8: cut short,
  /// overlong, a surrogate or past U+10FFFF.
  init?(in bytes: RawSpan, at offset: Int) {
    guard let first = bytes.byte(at: offset) else { return nil }
    if first < 0x80 {
      self.init(value: UInt32(first), length: 1)
      return
    }
    guard let second = bytes.byte(at: offset &+ 1) else { return nil }
    let (length, secondRange): (Int, ClosedRange<UInt8>) =
      switch first {
      case 0xC2...0xDF: (2, 0x80...0xBF)
      case 0xE0: (3, 0xA0...0xBF)
      case 0xED: (3, 0x80...0x9F)
      case 0xE1...0xEF: (3, 0x80...0xBF)
      case 0xF0: (4, 0x90...0xBF)
      case 0xF1...0xF3: (4, 0x80...0xBF)
      case 0xF4: (4, 0x80...0x8F)
      default: (0, 0...0)
      }
    guard length > 0, secondRange.contains(second) else { return nil }
    var value = UInt32(first & (0x7F >> UInt8(truncatingIfNeeded: length))) << 6 | UInt32(second & 0x3F)
    var index = 2
    while index < length {
      guard let next = bytes.byte(at: offset &+ index), next & 0xC0 == 0x80 else { return nil }
      value = value << 6 | UInt32(next & 0x3F)
      index &+= 1
    }
    self.init(value: value, length: length)
  }

  private init(value: UInt32, length: Int) {
    self.value = value
    self.length = length
  }

  /// Shows as itself and changes nothing around it: no control, no direction mark, no line
  /// separator, nothing that is invisible (Unicode's default ignorables, but for the variation
  /// selectors that emoji need), no noncharacter.
  var isPrintable: Bool { Self.isPrintable(value) }

  static func isPrintable(_ value: UInt32) -> Bool {
    switch value {
    case 0x20...0x7E: true
    case 0...0x1F, 0x7F...0x9F, 0xAD, 0x034F, 0x061C, 0x115F...0x1160, 0x17B4...0x17B5, 0x180B...0x180F: false
    case 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0x3164, 0xFEFF, 0xFFA0, 0xFFF0...0xFFFB: false
    case 0xFDD0...0xFDEF, 0x1BCA0...0x1BCA3, 0x1D173...0x1D17A, 0xE0000...0xE0FFF: false
    default: value & 0xFFFE != 0xFFFE
    }
  }
}
