/// Walks over bytes from somewhere else: past the end there is nil, never a trap.
struct ByteReader: ~Escapable {
  let bytes: RawSpan
  private(set) var offset = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { self.bytes = bytes }

  /// The byte to be read next; nil at the end.
  var current: UInt8? { bytes.byte(at: offset) }

  var isAtEnd: Bool { offset >= bytes.byteCount }

  @_lifetime(self: copy self)
  mutating func advance(by count: Int = 1) {
    offset = min(offset &+ max(count, 0), bytes.byteCount)
  }

  /// Reads `byte` if it comes next.
  @_lifetime(self: copy self)
  mutating func take(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    offset &+= 1
    return true
  }

  /// Reads these bytes if they come next, all or nothing.
  @_lifetime(self: copy self)
  mutating func take(_ word: String) -> Bool {
    var end = offset
    for byte in word.utf8 {
      guard bytes.byte(at: end) == byte else { return false }
      end &+= 1
    }
    offset = end
    return true
  }

  /// Reads over spaces, tabs, CR and LF.
  @_lifetime(self: copy self)
  mutating func skipSpace() {
    while let byte = current, byte.isSpace { offset &+= 1 }
  }

  /// Reads all digits that come next; nil, with nothing read, where there is none or the number is
  /// larger than 64 bits hold.
  @_lifetime(self: copy self)
  mutating func decimal() -> UInt64? {
    var value: UInt64 = 0
    var end = offset
    while let digit = bytes.byte(at: end)?.digit {
      let (tenfold, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, overAgain) = tenfold.addingReportingOverflow(UInt64(digit))
      guard !over, !overAgain else { return nil }
      value = sum
      end &+= 1
    }
    guard end > offset else { return nil }
    offset = end
    return value
  }

  /// Reads exactly `count` digits.
  @_lifetime(self: copy self)
  mutating func decimal(digits count: Int) -> Int? {
    var value = 0
    for index in 0..<count {
      guard let digit = bytes.byte(at: offset &+ index)?.digit else { return nil }
      value = value &* 10 &+ Int(digit)
    }
    offset &+= count
    return value
  }

  /// Reads one line and its end, LF or CR LF; nil at the end. The last line need not have one.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func line() -> RawSpan? {
    guard !isAtEnd else { return nil }
    let end = bytes.firstOffset(of: .newline, from: offset) ?? bytes.byteCount
    let line = bytes.extracting(offset..<end)
    offset = min(end &+ 1, bytes.byteCount)
    guard line.byte(at: line.byteCount &- 1) == .carriageReturn else { return line }
    return line.extracting(first: line.byteCount &- 1)
  }
}
