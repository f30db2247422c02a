import Formats
import Rules
import TestSupport
import Testing

@Suite struct TimestampTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000Z", "19700101T000000"),
      (1_795_230_131_123_999_999, "2026-11-21T03:02:11.123Z", "20261121T030211"),
      (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z", "20000229T000000"),
      (-1, "1969-12-31T23:59:59.999Z", "19691231T235959"),
      (.max, "2262-04-11T23:47:16.854Z", "22620411T234716"),
      (.min, "1677-09-21T00:12:43.145Z", "16770921T001243"),
    ] as [(Int64, String, String)])
  func timesReadAs(nanoseconds: Int64, timestamp: String, stamp: String) {
    let time = WallTime(nanoseconds: nanoseconds)
    #expect(time.timestamp == timestamp)
    #expect(time.compactStamp == stamp)
  }

  @Test(arguments: [
    "2026-11-21T03:02:11.123Z", "2026-11-21t03:02:11.123z", "2026-11-21 03:02:11.123000Z", "2026-11-21T04:02:11.123+01:00",
    "2026-11-20T22:32:11.1239-0430", " 2026-11-21T03:02:11.12300000000000000000000000000Z\n",
    "1795230131.123", "1795230131123", "1795230131123000", "1795230131123000000", "\t1795230131123.9\r\n",
  ])
  func oneTimeWrittenInManyWays(text: String) {
    #expect(WallTime(text: text)?.timestamp == "2026-11-21T03:02:11.123Z")
  }

  @Test func aLeapSecondIsTheNextMinutesFirst() {
    #expect(WallTime(text: "2016-12-31T23:59:60Z") == WallTime(text: "2017-01-01T00:00:00Z"))
  }

  @Test(arguments: [
    "", " ", "now", "-", "1.", ".5", "1e9", "0x10", "17 63", "99999999999999999999", "2026-11-21", "2026-11-21T03:02:11",
    "2026-11-21T03:02Z", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-21T24:00:00Z",
    "2026-11-21T03:60:00Z", "2026-11-21T03:02:61Z", "2026-11-21T03:02:11.Z", "2026-11-21T03:02:11+1:00",
    "2026-11-21T03:02:11+24:00", "2026-11-21T03:02:11Zx", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
    "2026-11-21T03:02:11,1Z",
  ])
  func whatIsNoTime(text: String) { #expect(WallTime(text: text) == nil) }

  @Test func epochNumbers() {
    #expect(WallTime(epoch: 1_763_694_131.5)?.nanoseconds == 1_763_694_131_500_000_000)
    #expect(WallTime(text: "-1.5")?.nanoseconds == -1_500_000_000)
    for number in [Double.nan, .infinity, -.infinity, 1e19, -1e300] { #expect(WallTime(epoch: number) == nil) }
    #expect(WallTime(epoch: Int64.min)?.nanoseconds == .min)
  }

  @Test func everyDayThereAndBack() {
    var second: Int64 = -9_223_300_000
    while second < 9_223_300_000 {
      let time = WallTime(seconds: second, nanoseconds: 0)
      #expect(WallTime(text: time.timestamp) == time)
      second += 86_400 * 13 + 4_321
    }
  }

  @Test func damagedTimesAreNeverFatal() {
    var random = Seeded(4)
    for _ in 0..<5_000 {
      let bytes = mutated(Array("2026-11-21T03:02:11.123+01:00".utf8), with: &random)
      _ = WallTime(text: String(decoding: bytes, as: UTF8.self))
    }
  }

  @Test(
    arguments: [
      (0, "0s"), (450_000_000, "450ms"), (12_000_000_000, "12s"), (1_800_000_000_000, "30min"), (5_400_000_000_000, "1h 30min"),
      (999, "0s"), (1_000, "1us"), (777_600_000_000_000, "1w 2d"), (1_500_000_000, "1s 500ms"), (-60_000_000_000, "-1min"),
      (.max, "15250w 1d 23h 47min 16s 854ms 775us"), (.min, "-15250w 1d 23h 47min 16s 854ms 775us"),
    ] as [(Int64, String)])
  func spansReadAs(nanoseconds: Int64, text: String) { #expect(TimeSpan(nanoseconds: nanoseconds).text == text) }

  @Test func aPersonWantsTheLargestUnits() {
    let span = TimeSpan.seconds(28 * 3600 + 31 * 60 + 7)
    #expect(span.text(parts: 2) == "1d 4h")
    #expect(span.text(parts: 1) == "1d")
    #expect(span.text(parts: 0) == "1d")
    #expect(TimeSpan.seconds(86_412).text(parts: 2) == "1d")
  }
}

@Suite struct BeatTests {
  let time = WallTime(seconds: 1_795_230_131, nanoseconds: 0)

  @Test(arguments: ["1795230131", "1795230131000\n", "2026-11-21T03:02:11Z\nall well\n", "  1795230131.0  \r\nx"])
  func theFirstLineIsATime(text: String) { #expect(Beat.written(in: Array(text.utf8)) == time) }

  @Test(arguments: ["", "\n", "alive", "42", "{}", "2026-11-21T03:02:11", "\n1795230131"])
  func anythingElseIsNone(text: String) { #expect(Beat.written(in: Array(text.utf8)) == nil) }

  @Test(arguments: [#"1795230131"#, #"1795230131000"#, #"1795230131.0"#, #""2026-11-21T04:02:11+01:00""#, #""1795230131""#])
  func aKeyHoldsATime(value: String) {
    let text = Array(#"{"status":{"last_beat":\#(value)},"pid":7}"#.utf8)
    #expect(Beat.written(in: text, at: ["status", "last_beat"]) == time)
    #expect(Beat.written(in: text, at: ["status"]) == nil)
    #expect(Beat.written(in: text, at: ["pid"]) == nil)
    #expect(Beat.written(in: text, at: []) == nil)
    #expect(Beat.written(in: Array(text.dropLast()), at: ["status", "last_beat"]) == nil)
  }
}
