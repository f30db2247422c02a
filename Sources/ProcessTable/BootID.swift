/// Which boot this is: `/proc/sys/kernel/random/boot_id`, random(4), as a number of 128 bits.
public struct BootID: Hashable, Sendable {
  public let high: UInt64
  public let low: UInt64
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` of either case, with a line's end or none; nil
  /// for anything else.
  public init?(_ bytes: RawSpan) {
    var high: UInt64 = 0
    var low: UInt64 = 0
    var offset = 0
    while offset < 36 {
      guard let byte = bytes.byte(at: offset) else { return nil }
      switch offset {
      case 8, 13, 18, 23:
        guard byte == 0x2D else { return nil }
      default:
        guard let digit = byte.digit else { return nil }
        high = high << 4 | low >> 60
        low = low << 4 | UInt64(digit)
      }
      offset &+= 1
    }
    guard bytes.byteCount == 36 || bytes.byteCount == 37 && bytes.byte(at: 36) == 0x0A else { return nil }
    self.init(high: high, low: low)
  }
}

/// When this boot was, in seconds since 1970: the `btime` line of `/proc/stat`, proc_stat(5). It
/// moves with the wall clock when somebody sets that.
///
/// nil where the line is missing or cut short.
public func bootTime(stat: RawSpan) -> Int64? {
  var lines = FieldReader(stat)
  while let line = lines.line() {
    var fields = FieldReader(line)
    guard fields.take("btime ") else { continue }
    guard stat.byte(at: lines.offset &- 1) == 0x0A, let seconds = fields.number(), fields.isAtEnd
    else { return nil }
    return Int64(exactly: seconds)
  }
  return nil
}
