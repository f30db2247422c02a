/// When a process started, as Python's SoftFileLock writes it: the decimal of
/// `boot id << 64 | field 22 of /proc/PID/stat`, a number of up to 192 bits.
struct StartToken: Equatable, Sendable {
  /// nil: the writer could not read it.
  var bootID: LockOwner.BootID?
  /// Clock ticks after boot.
  var startTicks: UInt64

  init(bootID: LockOwner.BootID?, startTicks: UInt64) {
    self.bootID = bootID
    self.startTicks = startTicks
  }

  /// nil for anything but digits, and past 192 bits.
  init?(_ text: RawSpan) {
    guard text.byteCount > 0 else { return nil }
    var high: UInt64 = 0
    var middle: UInt64 = 0
    var low: UInt64 = 0
    var offset = 0
    while let byte = text.byte(at: offset) {
      guard let digit = byte.digit else { return nil }
      var carry = UInt64(digit)
      low = Self.tenfold(low, &carry)
      middle = Self.tenfold(middle, &carry)
      high = Self.tenfold(high, &carry)
      guard carry == 0 else { return nil }
      offset &+= 1
    }
    bootID = high == 0 && middle == 0 ? nil : LockOwner.BootID(high: high, low: middle)
    startTicks = low
  }

  func append(to text: inout [UInt8]) {
    var high = bootID?.high ?? 0
    var middle = bootID?.low ?? 0
    var low = startTicks
    let start = text.count
    repeat {
      var remainder: UInt64 = 0
      high = Self.tenth(high, &remainder)
      middle = Self.tenth(middle, &remainder)
      low = Self.tenth(low, &remainder)
      text.append(.zero &+ UInt8(truncatingIfNeeded: remainder))
    } while high > 0 || middle > 0 || low > 0
    text[start...].reverse()
  }

  /// `limb * 10 + carry`; the carry becomes what does not fit.
  private static func tenfold(_ limb: UInt64, _ carry: inout UInt64) -> UInt64 {
    let product = limb.multipliedFullWidth(by: 10)
    let (sum, over) = product.low.addingReportingOverflow(carry)
    carry = product.high &+ (over ? 1 : 0)
    return sum
  }

  /// `(remainder << 64 | limb) / 10`; the remainder becomes the new one, 0...9 before and after,
  /// which is what keeps the quotient within 64 bits.
  private static func tenth(_ limb: UInt64, _ remainder: inout UInt64) -> UInt64 {
    let (quotient, rest) = (10 as UInt64).dividingFullWidth((high: remainder, low: limb))
    remainder = rest
    return quotient
  }
}
