import Daemon
import Rules
import Testing

@Suite struct MemoryTextTests {
  static let mega: UInt64 = 1 << 20

  @Test(
    arguments: [
      (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 kB"), (1535, "1 kB"), (1536, "2 kB"), (734 << 20, "734 MB"),
      (1023 << 10, "1023 kB"), ((1 << 20) - 1, "1 MB"), ((1 << 30) - 1, "1.0 GB"), (1 << 30, "1.0 GB"),
      ((2048 + 51) << 20, "2.0 GB"), ((2048 + 52) << 20, "2.1 GB"), (1023 << 30, "1023.0 GB"),
      (1 << 40, "1.0 TB"),
      (.max, "16.0 EB"),
    ] as [(UInt64, String)])
  func sizes(_ bytes: UInt64, _ text: String) { #expect(MemorySize.text(bytes) == text) }

  private func consumer(
    _ pid: Int32, _ name: String, _ pss: UInt64, rss: UInt64? = nil, browser: Int32? = nil, isRenderer: Bool = false,
    age: Int64 = 0, idle: Int64? = nil, job: String? = nil, isEstimated: Bool = false
  ) -> MemoryConsumer {
    MemoryConsumer(
      ProcessIdentity(pid: pid, startTicks: 1), name: Array(name.utf8), user: 4_000_000_000,
      proportional: pss * Self.mega, resident: (rss ?? pss) * Self.mega, isEstimated: isEstimated,
      age: .seconds(age), browser: browser, isRenderer: isRenderer, idle: idle.map { .seconds($0) },
      job: job.map { Array($0.utf8) })
  }

  @Test func theThreeGreatestAreTold() {
    var consumers = [consumer(10, "chromium", 600, rss: 1200, browser: 10)]
    for pid in 20..<83 as Range<Int32> {
      consumers.append(
        consumer(
          pid, "chromium", 23, rss: 133, browser: 10, isRenderer: true, age: 30_000, idle: pid < 51 ? 7 * 3600 : 60))
    }
    consumers.append(consumer(100, "python3", 900))
    consumers.append(consumer(101, "postgres", 200, isEstimated: true))
    consumers.append(consumer(102, "postgres", 200, isEstimated: true))
    consumers.append(consumer(103, "sh", 1))
    consumers.append(consumer(104, "node", 300, job: "seo-daily"))
    #expect(
      MemoryLedger(consumers).causes(4) == [
        "chromium of uid 4000000000, 63 renderers, 31 idle > 6 h: 2.0 GB (ps says 9.4)",
        "python3 of uid 4000000000 (pid 100): 900 MB",
        "postgres of uid 4000000000, 2 processes: about 400 MB",
        "job seo-daily of uid 4000000000 (pid 104): 300 MB",
      ])
    #expect(MemoryLedger(consumers).causes().count == 3)
    #expect(MemoryLedger([]).causes().isEmpty)
  }

  @Test func withoutAWatchTheAgeOfRenderersIsTold() {
    let row = MemoryLedger([
      consumer(1, "chromium", 900, rss: 1300, browser: 1),
      consumer(2, "chromium", 100, rss: 200, browser: 1, isRenderer: true, age: 8000),
    ]).rows.first
    #expect(row?.cause == "chromium of uid 4000000000, 1 renderer, 1 older than 1 h: 1000 MB (ps says 1.5 GB)")
  }

  /// I10: names reach no terminal, log or chat message unescaped.
  @Test func hostileNamesStandEscaped() {
    let hostile = consumer(7, "ev\nil\u{1b}[31m\u{202e}\\", 5)
    #expect(MemoryLedger([hostile]).causes() == [#"ev\x0ail\x1b[31m\xe2\x80\xae\x5c of uid 4000000000 (pid 7): 5 MB"#])
    let mark = consumer(7, "sh", 5, job: "a\r\u{7}b")
    #expect(MemoryLedger([mark]).causes() == [#"job a\x0d\x07b of uid 4000000000 (pid 7): 5 MB"#])
    #expect(MemoryLedger([consumer(7, "", 5)]).causes() == ["a process without a name of uid 4000000000 (pid 7): 5 MB"])
  }
}
