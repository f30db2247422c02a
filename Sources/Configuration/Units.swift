public import Rules

/// Reads and writes quantities as systemd.time(7) and systemd's size settings do.
public enum Units {
  /// A span of time: numbers with units, added up; a number without a unit is seconds.
  ///
  /// What is longer than a TimeSpan can hold becomes the longest one.
  public static func span(_ text: [UInt8]) throws(Fault) -> TimeSpan {
    var total = TimeSpan.zero
    var at = skipBlanks(text, from: 0)
    if at == text.count { throw notASpan(text, at: 0) }
    while at < text.count {
      let (whole, end) = number(text, from: at)
      let hasWhole = end > at
      var next = end
      var fraction: Range<Int>?
      if next < text.count, text[next] == ASCII.dot {
        let (_, end) = number(text, from: next + 1)
        guard end > next + 1 else { throw notASpan(text, at: at) }
        fraction = (next + 1)..<end
        next = end
      }
      guard hasWhole || fraction != nil else { throw notASpan(text, at: at) }
      next = skipBlanks(text, from: next)
      let unit = try unit(text, at: &next)
      total = total + TimeSpan(nanoseconds: unit) * whole
      if let fraction {
        var place = unit / 10
        for digit in text[fraction] {
          total = total + TimeSpan(nanoseconds: place * value(of: digit))
          place /= 10
        }
      }
      at = skipBlanks(text, from: next)
    }
    return total
  }

  public static func span(_ text: String) throws(Fault) -> TimeSpan { try span(Array(text.utf8)) }

  /// A span in the fewest units, `1h 30min`; `span(_:)` reads exactly the same one back.
  public static func spanText(_ span: TimeSpan) -> String {
    var rest = max(0, span.nanoseconds)
    var text = ""
    for (name, length) in printed {
      let count = rest / length
      guard count > 0 else { continue }
      if !text.isEmpty { text += " " }
      text += "\(count)\(name)"
      rest -= count * length
    }
    return text.isEmpty ? "0s" : text
  }

  /// Bytes: a whole number, alone or with K, M, G or T to the base of 1024.
  public static func size(_ text: [UInt8]) throws(Fault) -> Int64 {
    let range = text.trimmed(0..<text.count)
    let (count, end) = number(text, from: range.lowerBound)
    let factor: Int64?
    if end == range.upperBound {
      factor = 1
    } else if end == range.upperBound - 1 {
      switch text[end] {
      case UInt8(ascii: "K"): factor = 1 << 10
      case UInt8(ascii: "M"): factor = 1 << 20
      case UInt8(ascii: "G"): factor = 1 << 30
      case UInt8(ascii: "T"): factor = 1 << 40
      default: factor = nil
      }
    } else {
      factor = nil
    }
    guard end > range.lowerBound, let factor else {
      throw Fault("\(quoted(text)) is not a size; write a number of bytes, or one with K, M, G or T, as in 512M")
    }
    let product = count.multipliedReportingOverflow(by: factor)
    return product.overflow ? .max : product.partialValue
  }

  /// Whole percent, 1 to 100.
  public static func percent(_ text: [UInt8]) throws(Fault) -> Int {
    let (count, end) = number(text, from: 0)
    guard end > 0, end == text.count - 1, text[end] == ASCII.percent, (1...100).contains(count) else {
      throw Fault("\(quoted(text)) is not a percentage; write a whole number from 1% to 100%, as in 80%")
    }
    return Int(count)
  }

  /// The most that any count may be: it bounds the memory that counting takes.
  public static let mostOfAnything = 1_000_000

  /// A whole number from 1 to a million.
  public static func count(_ text: [UInt8]) throws(Fault) -> Int {
    let (count, end) = number(text, from: 0)
    guard end > 0, end == text.count, (1...Int64(mostOfAnything)).contains(count) else {
      throw Fault("\(quoted(text)) is not a count; write a whole number from 1 to 1000000")
    }
    return Int(count)
  }

  /// "N per SPAN"; a unit alone is one of it, as in `10 per hour`.
  public static func limit(_ text: [UInt8]) throws(Fault) -> BreakerRule.Limit {
    let usage = "\(quoted(text)) is not a limit; write a count and a span of time, as in 10 per 10min"
    let (_, end) = number(text, from: 0)
    let start = try per(text, after: end, usage)
    let count = try count(Array(text[..<end]))
    return BreakerRule.Limit(count: count, span: try perSpan(text, from: start, usage))
  }

  /// "SIZE per SPAN", as in `50M per 10min`.
  public static func growth(_ text: [UInt8]) throws(Fault) -> GrowthRule.Limit {
    let usage = "\(quoted(text)) is not a growth; write a size and a span of time, as in 50M per 10min"
    var end = number(text, from: 0).end
    while end > 0, end < text.count, !text[end].isBlank { end += 1 }
    let start = try per(text, after: end, usage)
    let bytes = try size(Array(text[..<end]))
    guard bytes > 0 else { throw Fault("\(quoted(text)) allows no growth at all; write a size of at least 1") }
    return GrowthRule.Limit(bytes: bytes, span: try perSpan(text, from: start, usage))
  }

  /// Where the span begins in what reads "... per SPAN".
  private static func per(_ text: [UInt8], after end: Int, _ usage: String) throws(Fault) -> Int {
    let per = skipBlanks(text, from: end)
    let start = skipBlanks(text, from: per + 3)
    guard end > 0, per > end, start > per + 3, start < text.count,
      text[per..<(per + 3)].elementsEqual("per".utf8)
    else { throw Fault(usage) }
    return start
  }

  private static func perSpan(_ text: [UInt8], from start: Int, _ usage: String) throws(Fault) -> TimeSpan {
    var next = start
    let span: TimeSpan
    if !text[start].isDigit, text[start] != ASCII.dot {
      do throws(Fault) {
        span = TimeSpan(nanoseconds: try unit(text, at: &next))
      } catch { throw Fault(at: start, error.sentence) }
      guard next == text.count else { throw Fault(usage) }
    } else {
      do throws(Fault) { span = try self.span(Array(text[start...])) } catch { throw error.shifted(by: start) }
    }
    guard span > .zero else { throw Fault(at: start, "a limit over no time at all counts nothing; write a span longer than 0") }
    return span
  }

  public static func limitText(_ limit: BreakerRule.Limit) -> String {
    "\(limit.count) per \(spanText(limit.span))"
  }

  public static func growthText(_ limit: GrowthRule.Limit) -> String {
    "\(sizeText(limit.bytes)) per \(spanText(limit.span))"
  }

  /// A size in the greatest unit that it is whole in; `size(_:)` reads exactly the same one back.
  public static func sizeText(_ bytes: Int64) -> String {
    let units: [(String, Int64)] = [("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)]
    for (name, worth) in units where bytes >= worth && bytes % worth == 0 { return "\(bytes / worth)\(name)" }
    return "\(max(0, bytes))"
  }

  // MARK: Pieces

  private static let second: Int64 = 1_000_000_000

  private static let printed: [(String, Int64)] = [
    ("d", 86_400 * second), ("h", 3600 * second), ("min", 60 * second), ("s", second),
    ("ms", 1_000_000), ("us", 1000), ("ns", 1),
  ]

  /// What a unit is worth in nanoseconds; months and years are the mean ones of systemd.time(7).
  private static func worth(of unit: String) -> Int64? {
    switch unit {
    case "ns", "nsec": 1
    case "us", "usec", "\u{B5}s", "\u{3BC}s": 1000
    case "ms", "msec": 1_000_000
    case "", "s", "sec", "second", "seconds": second
    case "m", "min", "minute", "minutes": 60 * second
    case "h", "hr", "hour", "hours": 3600 * second
    case "d", "day", "days": 86_400 * second
    case "w", "week", "weeks": 7 * 86_400 * second
    case "M", "month", "months": 2_629_800 * second
    case "y", "year", "years": 31_557_600 * second
    default: nil
    }
  }

  private static func unit(_ text: [UInt8], at offset: inout Int) throws(Fault) -> Int64 {
    let start = offset
    while offset < text.count, !text[offset].isBlank, !text[offset].isDigit, text[offset] != ASCII.dot { offset += 1 }
    let name = Array(text[start..<offset])
    guard let worth = worth(of: name.string) else {
      throw Fault(
        at: start,
        "\(quoted(name)) is not a unit of time; the units are us, ms, s, min, h, d, w, month and y, as in 30s or 1h 30min")
    }
    return worth
  }

  /// Decimal digits from `start` on; saturates. No digit: `end` is `start`.
  private static func number(_ text: [UInt8], from start: Int) -> (value: Int64, end: Int) {
    var total: Int64 = 0
    var at = start
    while at < text.count, text[at].isDigit {
      let (tens, tensOverflow) = total.multipliedReportingOverflow(by: 10)
      let (sum, sumOverflow) = tens.addingReportingOverflow(value(of: text[at]))
      total = tensOverflow || sumOverflow ? .max : sum
      at += 1
    }
    return (total, at)
  }

  private static func value(of digit: UInt8) -> Int64 { Int64(digit) - 48 }

  private static func skipBlanks(_ text: [UInt8], from start: Int) -> Int {
    var at = start
    while at < text.count, text[at].isBlank { at += 1 }
    return at
  }

  private static func notASpan(_ text: [UInt8], at offset: Int) -> Fault {
    Fault(at: offset, "\(quoted(text)) is not a span of time; write a number and a unit, as in 30s, 5min or 1h 30min")
  }
}
