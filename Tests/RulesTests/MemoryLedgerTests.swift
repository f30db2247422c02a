import Rules
import Testing

@Suite struct MemoryLedgerTests {
  static let mega: UInt64 = 1 << 20

  /// Sizes in MB.
  func process(
    _ pid: Int32, _ name: String, user: UInt32 = 1000, pss: UInt64, swap: UInt64 = 0, rss: UInt64? = nil,
    browser: Int32? = nil, isRenderer: Bool = false, idle: TimeSpan? = nil, age: TimeSpan = .zero, job: String? = nil,
    isEstimated: Bool = false
  ) -> MemoryConsumer {
    MemoryConsumer(
      ProcessIdentity(pid: pid, startTicks: UInt64(pid)), name: Array(name.utf8), user: user,
      proportional: pss * Self.mega, swap: swap * Self.mega, resident: (rss ?? pss) * Self.mega,
      isEstimated: isEstimated, age: age, browser: browser, isRenderer: isRenderer, idle: idle,
      job: job.map { Array($0.utf8) })
  }

  func name(_ row: MemoryLedger.Row) -> String { String(decoding: row.name, as: UTF8.self) }

  @Test func nothingIsAnEmptyLedger() {
    let ledger = MemoryLedger([])
    #expect(ledger.rows.isEmpty)
    #expect(ledger.total == 0 && ledger.resident == 0 && ledger.processes == 0)
  }

  @Test func aBrowserWithAllItsProcessesIsOneRow() throws {
    var consumers = [
      process(7, "chromium", pss: 20, rss: 130, browser: 10),
      process(10, "chromium", pss: 360, rss: 472, browser: 10, job: "seo"),
    ]
    for pid in 20..<83 as Range<Int32> {
      consumers.append(process(pid, "chromium", pss: 23, rss: 133, browser: 10, isRenderer: true))
    }
    consumers.append(process(99, "node", pss: 900, rss: 950))
    let ledger = MemoryLedger(consumers)
    #expect(ledger.rows.count == 2)
    let browser = try #require(ledger.rows.first)
    #expect(browser.kind == .browser(10))
    #expect(browser.first.pid == 10)
    #expect(browser.processes == 65)
    #expect(browser.renderers.count == 63)
    #expect(browser.total == (20 + 360 + 63 * 23) * Self.mega)
    #expect(browser.resident == (130 + 472 + 63 * 133) * Self.mega)
    #expect(browser.job == Array("seo".utf8))
    #expect(!browser.isEstimated)
    #expect(ledger.total == browser.total + 900 * Self.mega)
    #expect(ledger.processes == 66)
  }

  @Test func twoBrowsersOfOneUserAreTwoRows() {
    let ledger = MemoryLedger([
      process(10, "chromium", pss: 100, browser: 10), process(11, "chromium", pss: 50, browser: 10),
      process(20, "chromium", pss: 200, browser: 20),
      // Of a browser that is gone.
      process(31, "chromium", pss: 70, isRenderer: true),
    ])
    #expect(ledger.rows.map(\.kind) == [.browser(20), .browser(10), .program(Array("chromium".utf8), user: 1000)])
  }

  @Test func aJobIsOneRowAndItsBrowserAnother() {
    let ledger = MemoryLedger([
      process(1, "sh", pss: 1, job: "seo"), process(2, "python3", pss: 80, job: "seo"),
      process(3, "chromium", pss: 300, browser: 3, job: "seo"),
      process(4, "python3", pss: 20),
      // Another's process that gives itself the same mark takes no place in the job's row.
      process(5, "python3", user: 1001, pss: 500, job: "seo"),
    ])
    #expect(
      ledger.rows.map { "\(name($0)) \($0.user) \($0.processes) \($0.total / Self.mega) \($0.first.pid)" } == [
        "seo 1001 1 500 5", "chromium 1000 1 300 3", "seo 1000 2 81 2", "python3 1000 1 20 4",
      ])
  }

  @Test func programsAreGroupedByNameAndUser() {
    let ledger = MemoryLedger([
      process(1, "node", pss: 10), process(2, "node", user: 0, pss: 30), process(3, "node", pss: 15),
      process(4, "python3", pss: 1, swap: 40),
    ])
    #expect(
      ledger.rows.map { "\(name($0)) \($0.user) \($0.total / Self.mega)" } == ["python3 1000 41", "node 0 30", "node 1000 25"])
    #expect(ledger.rows.map(\.first.pid) == [4, 2, 3])
    #expect(ledger.rows.first?.swap == 40 * Self.mega)
  }

  @Test func aRowIsAnEstimateWhenMoreThanATwentiethIs() {
    let rows = MemoryLedger([
      process(1, "a", pss: 95), process(2, "a", pss: 5, isEstimated: true),
      process(3, "b", pss: 40), process(4, "b", pss: 40, isEstimated: true),
    ]).rows
    #expect(rows.map(\.isEstimated) == [false, true])
  }

  @Test func idleAndOldRenderersAreCounted() throws {
    let hour = TimeSpan.seconds(3600)
    let row = try #require(
      MemoryLedger([
        process(1, "chromium", pss: 1, browser: 1, idle: hour * 9, age: hour * 9),
        process(2, "chromium", pss: 1, browser: 1, isRenderer: true, idle: hour * 7, age: hour * 9),
        process(3, "chromium", pss: 1, browser: 1, isRenderer: true, idle: hour, age: hour * 8),
        process(4, "chromium", pss: 1, browser: 1, isRenderer: true, age: hour),
      ]).rows.first)
    #expect(row.idleRenderers(over: hour * 6) == 1)
    #expect(row.idleRenderers(over: hour) == 1)
    #expect(row.idleRenderers(over: .zero) == 2)
    #expect(row.renderers(olderThan: hour * 6) == 2)
  }

  @Test func theOrderOfTheProcessesDoesNotMatter() {
    var dice = Dice(seed: 9)
    var consumers = (1...200 as ClosedRange<Int32>).map { pid in
      process(
        pid, ["node", "sh", "chromium"][dice.roll(3)], user: UInt32(dice.roll(2)), pss: UInt64(dice.roll(4)),
        browser: dice.roll(3) == 0 ? Int32(1 + dice.roll(20)) : nil, job: dice.roll(4) == 0 ? "j\(dice.roll(3))" : nil)
    }
    // Which process a tie names is the one thing that may differ.
    func shape(_ ledger: MemoryLedger) -> [String] {
      ledger.rows.map { "\($0.kind) \($0.total) \($0.processes) \($0.resident)" }.sorted()
    }
    let first = MemoryLedger(consumers)
    for _ in 0..<20 {
      consumers = consumers.map { (dice.bits(), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
      let again = MemoryLedger(consumers)
      #expect(shape(again) == shape(first))
      #expect(again.rows.map(\.total) == first.rows.map(\.total))
      #expect(again.rows.reduce(0) { $0 + $1.processes } == consumers.count)
    }
  }

  @Test func absurdSizesDoNotTrap() {
    let huge = MemoryConsumer(
      ProcessIdentity(pid: 1, startTicks: 1), name: [], user: 0, proportional: .max, swap: .max, resident: .max,
      isEstimated: true)
    let ledger = MemoryLedger([huge, huge])
    #expect(ledger.total == .max)
    #expect(ledger.rows.first?.total == .max)
  }
}
