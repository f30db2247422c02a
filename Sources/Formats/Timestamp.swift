public import Rules

/// Wall times as people and programs write them: RFC 3339 and seconds since 1970.
extension WallTime {
  /// RFC 3339 in UTC with milliseconds, rounded down: `2026-11-21T03:02:11.123Z`.
  public var timestamp: String {
    var text: [UInt8] = []
    appendTimestamp(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// The second alone, without separators, as identifiers carry it: `20261121T030211`.
  public var compactStamp: String {
    let (date, second, _) = civil
    var text: [UInt8] = []
    text.reserveCapacity(15)
    appendDecimal(UInt64(date.year), width: 4, to: &text)
    appendDecimal(UInt64(date.month), width: 2, to: &text)
    appendDecimal(UInt64(date.day), width: 2, to: &text)
    text.append(0x54)
    appendDecimal(UInt64(second / 3600), width: 2, to: &text)
    appendDecimal(UInt64(second / 60 % 60), width: 2, to: &text)
    appendDecimal(UInt64(second % 60), width: 2, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends the bytes of `timestamp`.
  public func appendTimestamp(to text: inout [UInt8]) {
    let (date, second, nanosecond) = civil
    appendDecimal(UInt64(date.year), width: 4, to: &text)
    text.append(.minus)
    appendDecimal(UInt64(date.month), width: 2, to: &text)
    text.append(.minus)
    appendDecimal(UInt64(date.day), width: 2, to: &text)
    text.append(0x54)
    appendDecimal(UInt64(second / 3600), width: 2, to: &text)
    text.append(.colon)
    appendDecimal(UInt64(second / 60 % 60), width: 2, to: &text)
    text.append(.colon)
    appendDecimal(UInt64(second % 60), width: 2, to: &text)
    text.append(.dot)
    appendDecimal(UInt64(nanosecond / 1_000_000), width: 3, to: &text)
    text.append(0x5A)
  }

  /// A time as a file says it, with space around it or none: RFC 3339 with an offset, or a number
  /// of seconds since 1970, with a fraction or none.
  ///
  /// A whole or broken number too large for seconds before the year 5138 is one of milliseconds,
  /// and in the same way of microseconds or nanoseconds. nil for anything else, for a time without
  /// an offset (nobody knows whose noon it is), and before 1678 or after 2261.
  public init?(text: RawSpan) {
    let text = text.trimmed()
    if text.byte(at: 4) == .minus {
      self.init(rfc3339: text)
    } else {
      self.init(epoch: text)
    }
  }

  /// A time as a file says it.
  public init?(text: String) {
    let bytes = Array(text.utf8)
    unsafe self.init(text: bytes.span.bytes)
  }

  /// Seconds since 1970, or milliseconds and so on where they are too large for seconds.
  public init?(epoch value: Double) {
    guard let whole = value.wholePart else { return nil }
    let unit = Self.nanosecondsPerUnit(of: whole)
    let fraction = ((value - Double(whole)) * Double(unit)).wholePart ?? 0
    self.init(whole, unit: unit, fraction: fraction)
  }

  /// Seconds since 1970, or milliseconds and so on where they are too large for seconds.
  public init?(epoch value: Int64) { self.init(value, unit: Self.nanosecondsPerUnit(of: value), fraction: 0) }

  private init?(epoch text: RawSpan) {
    var reader = ByteReader(text)
    let isNegative = reader.take(.minus)
    guard let magnitude = reader.decimal(), let whole = Int64(exactly: magnitude) else { return nil }
    let unit = Self.nanosecondsPerUnit(of: whole)
    var fraction: Int64 = 0
    if reader.take(.dot) {
      guard let digits = reader.fraction(of: unit) else { return nil }
      fraction = digits
    }
    guard reader.isAtEnd else { return nil }
    self.init(isNegative ? -whole : whole, unit: unit, fraction: isNegative ? -fraction : fraction)
  }

  private init?(_ whole: Int64, unit: Int64, fraction: Int64) {
    let (product, over) = whole.multipliedReportingOverflow(by: unit)
    let (sum, overAgain) = product.addingReportingOverflow(fraction)
    guard !over, !overAgain else { return nil }
    self.init(nanoseconds: sum)
  }

  private static func nanosecondsPerUnit(of value: Int64) -> Int64 {
    switch value.magnitude {
    case ..<100_000_000_000: 1_000_000_000
    case ..<100_000_000_000_000: 1_000_000
    case ..<100_000_000_000_000_000: 1_000
    default: 1
    }
  }

  private init?(rfc3339 text: RawSpan) {
    var reader = ByteReader(text)
    guard let year = reader.decimal(digits: 4), reader.take(.minus),
      let month = reader.decimal(digits: 2), reader.take(.minus),
      let day = reader.decimal(digits: 2),
      let date = CivilDate(year: year, month: month, day: day)
    else { return nil }
    guard reader.take(0x54) || reader.take(0x74) || reader.take(.space) else { return nil }
    guard let hour = reader.decimal(digits: 2), hour < 24, reader.take(.colon),
      let minute = reader.decimal(digits: 2), minute < 60, reader.take(.colon),
      // A leap second is the first one of the next minute.
      let second = reader.decimal(digits: 2), second <= 60
    else { return nil }
    var nanoseconds: Int64 = 0
    if reader.take(.dot) {
      guard let fraction = reader.fraction(of: 1_000_000_000) else { return nil }
      nanoseconds = fraction
    }
    guard let offset = reader.offsetFromUTC(), reader.isAtEnd else { return nil }
    let seconds = date.daysSince1970 &* 86_400 &+ hour &* 3_600 &+ minute &* 60 &+ second &- offset
    self.init(Int64(seconds), unit: 1_000_000_000, fraction: nanoseconds)
  }

  /// The day, the second of the day and the nanosecond of the second, all rounded down.
  private var civil: (date: CivilDate, second: Int, nanosecond: Int) {
    let perSecond: Int64 = 1_000_000_000
    let second = nanoseconds.floorDivided(by: perSecond)
    let day = second.floorDivided(by: 86_400)
    return (
      CivilDate(daysSince1970: Int(day)), Int(second &- day &* 86_400), Int(nanoseconds &- second &* perSecond)
    )
  }
}

extension ByteReader {
  /// Reads the digits behind a point: how many of `unit` they are, what is finer dropped.
  @_lifetime(self: copy self)
  fileprivate mutating func fraction(of unit: Int64) -> Int64? {
    guard current?.digit != nil else { return nil }
    var value: Int64 = 0
    var place = unit
    while let digit = current?.digit {
      place /= 10
      value = value &+ Int64(digit) &* place
      advance()
    }
    return value
  }

  /// Reads `Z`, `+01:00` or `+0100`; the result is in seconds.
  @_lifetime(self: copy self)
  fileprivate mutating func offsetFromUTC() -> Int? {
    if take(0x5A) || take(0x7A) { return 0 }
    let isWest = take(.minus)
    guard isWest || take(0x2B), let hours = decimal(digits: 2), hours < 24 else { return nil }
    _ = take(.colon)
    guard let minutes = decimal(digits: 2), minutes < 60 else { return nil }
    let seconds = hours &* 3_600 &+ minutes &* 60
    return isWest ? 0 &- seconds : seconds
  }
}

extension Int64 {
  fileprivate func floorDivided(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient &- 1 : quotient
  }
}
