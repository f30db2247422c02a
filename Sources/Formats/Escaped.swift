/// The text under which bytes of unknown origin may be shown: on a terminal, in the journal, in a
/// chat message. Printable UTF-8 stays; each byte of anything else, and of a backslash, becomes
/// `\xNN`, so that `unescaped(_:)` gives back the very bytes.
public func escaped(_ bytes: RawSpan) -> String {
  var text: [UInt8] = []
  text.reserveCapacity(bytes.byteCount)
  var pieces = Pieces(bytes)
  while let piece = pieces.next() {
    if piece.isPrintable {
      piece.append(to: &text, from: bytes)
    } else {
      text.append(.backslash)
      piece.appendHex(to: &text, from: bytes)
    }
  }
  return String(decoding: text, as: UTF8.self)
}

/// The text under which bytes of unknown origin may be shown.
public func escaped(_ bytes: [UInt8]) -> String { unsafe escaped(bytes.span.bytes) }

/// The bytes that `escaped(_:)` was given.
///
/// A byte that need not have been escaped may be: names in old journals stay readable when what
/// counts as printable changes.
/// - Returns: nil where a backslash is not followed by `x` and two lower-case hexadecimal digits.
public func unescaped(_ text: String) -> [UInt8]? {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(text.utf8.count)
  var rest = text.utf8.makeIterator()
  while let byte = rest.next() {
    guard byte == .backslash else {
      bytes.append(byte)
      continue
    }
    guard rest.next() == 0x78, let high = rest.next(), let low = rest.next(),
      !(0x41...0x46).contains(high), !(0x41...0x46).contains(low),
      let highDigit = high.hexDigit, let lowDigit = low.hexDigit
    else { return nil }
    bytes.append(highDigit << 4 | lowDigit)
  }
  return bytes
}

/// Cuts bytes into what may be shown, scalar by scalar, and what may not, byte by byte.
struct Pieces: ~Escapable {
  /// One printable scalar, or one byte of anything else.
  struct Piece {
    let offset: Int
    let length: Int
    let isPrintable: Bool

    /// Appends the piece as it is.
    func append(to text: inout [UInt8], from bytes: RawSpan) {
      var index = 0
      while index < length, let byte = bytes.byte(at: offset &+ index) {
        text.append(byte)
        index &+= 1
      }
    }

    /// Appends `xNN` for the byte.
    func appendHex(to text: inout [UInt8], from bytes: RawSpan) {
      let byte = bytes.byte(at: offset) ?? 0
      text.append(0x78)
      text.append((byte >> 4).lowHexDigit)
      text.append(byte.lowHexDigit)
    }
  }

  private let bytes: RawSpan
  private var offset = 0
  /// How many of the next bytes belong to a scalar that was found not to print.
  private var hidden = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { self.bytes = bytes }

  @_lifetime(self: copy self)
  mutating func next() -> Piece? {
    guard let byte = bytes.byte(at: offset) else { return nil }
    let start = offset
    if hidden == 0 {
      let scalar = Scalar(in: bytes, at: offset)
      if let scalar, scalar.isPrintable, byte != .backslash {
        offset &+= scalar.length
        return Piece(offset: start, length: scalar.length, isPrintable: true)
      }
      hidden = scalar?.length ?? 1
    }
    hidden &-= 1
    offset &+= 1
    return Piece(offset: start, length: 1, isPrintable: false)
  }
}
