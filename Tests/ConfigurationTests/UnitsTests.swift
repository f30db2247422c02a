import Configuration
import Rules
import Testing

@Suite struct UnitsTests {
  @Test(
    arguments: [
      ("30min", 1800), ("5m", 300), ("1h 30min", 5400), ("1h30min", 5400), ("1.5h", 5400), (".5min", 30), ("90", 90),
      ("1h 30", 3630), ("2 days 3 hours", 183_600), ("1w", 604_800), ("1M", 2_629_800), ("1 month", 2_629_800),
      ("1y", 31_557_600), ("  7s\t", 7), ("5 seconds", 5), ("1hr", 3600), ("3 sec 2 second", 5), ("0", 0),
    ] as [(String, Int64)])
  func aSpanIsReadAsSystemdReadsIt(text: String, seconds: Int64) throws {
    #expect(try Units.span(text) == .seconds(seconds))
  }

  @Test(
    arguments: [
      ("250ms", 250_000_000), ("1.25ms", 1_250_000), ("3us", 3000), ("3\u{B5}s", 3000), ("3\u{3BC}s", 3000), ("7ns", 7),
      ("0.000000001s", 1), ("0.0000000019s", 1), ("1s 1msec 1usec 1nsec", 1_001_001_001),
      ("99999999999999999999y", .max), ("9223372036854775807ns", .max), ("300y 300y", .max),
    ] as [(String, Int64)])
  func aSpanIsExactAndSaturates(text: String, nanoseconds: Int64) throws {
    #expect(try Units.span(text) == TimeSpan(nanoseconds: nanoseconds))
  }

  @Test(arguments: ["", "  ", "x", "-5s", "5.s", ".", "1..5s", "min", "+3s", "5m,", "1e3"])
  func whatIsNoSpanIsRefused(text: String) {
    #expect(refusal { () throws(Fault) in try Units.span(text) } != nil)
  }

  @Test func aRefusedSpanSaysWhatIsAccepted() {
    #expect(
      refusal { () throws(Fault) in try Units.span("soon") }
        == "'soon' is not a span of time; write a number and a unit, as in 30s, 5min or 1h 30min")
    #expect(
      refusal { () throws(Fault) in try Units.span("3 parsecs") }
        == "'parsecs' is not a unit of time; the units are us, ms, s, min, h, d, w, month and y, as in 30s or 1h 30min")
  }

  @Test func aPrintedSpanIsReadBackExactly() throws {
    var dice = Dice(1)
    for _ in 0..<2000 {
      let most = Int64.max >> Int64.random(in: 0...62, using: &dice)
      let span = TimeSpan(nanoseconds: Int64.random(in: 0...most, using: &dice))
      #expect(try Units.span(Units.spanText(span)) == span)
    }
  }

  @Test func spansArePrintedInTheFewestUnits() {
    #expect(Units.spanText(.seconds(5400)) == "1h 30min")
    #expect(Units.spanText(.zero) == "0s")
    #expect(Units.spanText(.seconds(-1)) == "0s")
    #expect(Units.spanText(.milliseconds(86_400_250)) == "1d 250ms")
  }

  @Test(
    arguments: [
      ("512M", 536_870_912), ("4096", 4096), ("1K", 1024), ("2G", 2_147_483_648), ("1T", 1_099_511_627_776), (" 3K ", 3072),
      ("9999999999999T", .max),
    ] as [(String, Int64)])
  func sizes(text: String, bytes: Int64) throws {
    #expect(try Units.size(Array(text.utf8)) == bytes)
  }

  @Test(arguments: ["", "M", "5MB", "5 M", "-1", "0x10", "5m", "1.5G"]) func whatIsNoSizeIsRefused(text: String) {
    #expect(
      refusal { () throws(Fault) in try Units.size(Array(text.utf8)) }
        == "'\(text)' is not a size; write a number of bytes, or one with K, M, G or T, as in 512M")
  }

  @Test(arguments: ["0%", "101%", "80", "%", "8 %", "87.5%", "-1%"]) func whatIsNoPercentageIsRefused(text: String) {
    #expect(
      refusal { () throws(Fault) in try Units.percent(Array(text.utf8)) }
        == "'\(text)' is not a percentage; write a whole number from 1% to 100%, as in 80%")
  }

  @Test(
    arguments: [
      ("10 per 10min", 10, 600), ("1 per hour", 1, 3600), ("5\tper  1h 30min", 5, 5400), ("1000000 per 1s", 1_000_000, 1),
    ] as [(String, Int, Int64)])
  func limits(text: String, count: Int, seconds: Int64) throws {
    #expect(try Units.limit(Array(text.utf8)) == BreakerRule.Limit(count: count, span: .seconds(seconds)))
  }

  @Test(
    arguments: [
      ("50M per 10min", 50 << 20, 600), ("1 per hour", 1, 3600), ("1536K per 1h 30s", 1536 << 10, 3630),
      ("2T  per d", 2 << 40, 86400),
    ] as [(String, Int64, Int64)])
  func growths(text: String, bytes: Int64, seconds: Int64) throws {
    let growth = GrowthRule.Limit(bytes: bytes, span: .seconds(seconds))
    #expect(try Units.growth(Array(text.utf8)) == growth)
    #expect(try Units.growth(Array(Units.growthText(growth).utf8)) == growth)
  }

  @Test(arguments: [
    ("much per hour", "'much per hour' is not a growth; write a size and a span of time, as in 50M per 10min"),
    ("5M", "'5M' is not a growth; write a size and a span of time, as in 50M per 10min"),
    ("5M each 1h", "'5M each 1h' is not a growth; write a size and a span of time, as in 50M per 10min"),
    ("5MB per 1h", "'5MB' is not a size; write a number of bytes, or one with K, M, G or T, as in 512M"),
    ("0M per 1h", "'0M per 1h' allows no growth at all; write a size of at least 1"),
    ("5M per 0s", "a limit over no time at all counts nothing; write a span longer than 0"),
  ])
  func noGrowths(text: String, sentence: String) {
    #expect(refusal { () throws(Fault) in try Units.growth(Array(text.utf8)) } == sentence)
  }

  @Test(arguments: [
    ("ten per hour", "'ten per hour' is not a limit; write a count and a span of time, as in 10 per 10min"),
    ("10", "'10' is not a limit; write a count and a span of time, as in 10 per 10min"),
    ("10per 5s", "'10per 5s' is not a limit; write a count and a span of time, as in 10 per 10min"),
    ("10 per", "'10 per' is not a limit; write a count and a span of time, as in 10 per 10min"),
    ("10 / 5s", "'10 / 5s' is not a limit; write a count and a span of time, as in 10 per 10min"),
    ("0 per 5s", "'0' is not a count; write a whole number from 1 to 1000000"),
    ("1000001 per 5s", "'1000001' is not a count; write a whole number from 1 to 1000000"),
    ("5 per 0s", "a limit over no time at all counts nothing; write a span longer than 0"),
    ("5 per hour 2s", "'5 per hour 2s' is not a limit; write a count and a span of time, as in 10 per 10min"),
    ("5 per 3x", "'x' is not a unit of time; the units are us, ms, s, min, h, d, w, month and y, as in 30s or 1h 30min"),
  ])
  func whatIsNoLimitIsRefused(text: String, sentence: String) {
    #expect(refusal { () throws(Fault) in try Units.limit(Array(text.utf8)) } == sentence)
  }
}
