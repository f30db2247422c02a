/// One code point of UTF-8 at `offset`, and how many bytes it takes; nil where the bytes are none.
///
/// Strict: no overlong form, no surrogate, nothing above U+10FFFF.
func scalar(in bytes: [UInt8], at offset: Int) -> (value: UInt32, length: Int)? {
  let first = bytes[offset]
  if first < 0x80 { return (UInt32(first), 1) }
  let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
  guard first >= 0xC2, first <= 0xF4, length <= bytes.count - offset else { return nil }
  var value = UInt32(first) & (0x7F >> UInt32(length))
  for next in bytes[(offset + 1)..<(offset + length)] {
    guard next & 0xC0 == 0x80 else { return nil }
    value = value << 6 | UInt32(next & 0x3F)
  }
  let least: UInt32 = length == 4 ? 0x1_0000 : length == 3 ? 0x800 : 0x80
  guard value >= least, value <= 0x10_FFFF, !(0xD800...0xDFFF).contains(value) else { return nil }
  return (value, length)
}

/// C0, DEL and C1: what a terminal obeys instead of showing.
func isControl(_ value: UInt32) -> Bool { value < 0x20 || (0x7F...0x9F).contains(value) }

/// `bytes` as they may stand in a message: control characters, what is invisible or turns the
/// direction of writing, and bytes that are not UTF-8 appear as escapes; long text is cut.
func printable(_ bytes: [UInt8], limit: Int = 80) -> String {
  var text = ""
  var offset = 0
  var shown = 0
  while offset < bytes.count {
    guard shown < limit else { return text + "..." }
    shown += 1
    guard let (value, length) = scalar(in: bytes, at: offset) else {
      text += "\\x" + String(bytes[offset], radix: 16)
      offset += 1
      continue
    }
    if isControl(value) || isDeceptive(value) {
      text += "\\u{" + String(value, radix: 16) + "}"
    } else {
      text += bytes[offset..<(offset + length)].map { $0 }.string
    }
    offset += length
  }
  return text
}

/// The same between quotation marks.
func quoted(_ bytes: [UInt8]) -> String { "'" + printable(bytes) + "'" }

private func isDeceptive(_ value: UInt32) -> Bool {
  switch value {
  case 0xAD, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF: true
  default: false
  }
}
