import Rules
import Testing

@Suite struct MemoryLevelTests {
  static let giga: UInt64 = 1 << 30

  @Test(
    arguments: [
      // total, available, percent
      (4 * giga, 4 * giga, 0), (4 * giga, 0, 100), (100, 13, 87), (1000, 131, 86), (1000, 130, 87),
      // What the kernel cannot mean.
      (0, 0, 100), (0, giga, 100), (giga, 2 * giga, 0), (.max, 0, 100), (.max, .max, 0), (.max, .max / 2, 50), (1, 0, 100),
    ] as [(UInt64, UInt64, Int)])
  func ofTheMachine(_ total: UInt64, _ available: UInt64, _ percent: Int) {
    let level = MemoryLevel(total: total, available: available)
    #expect(level.percent == percent)
    #expect(level.used <= level.total)
    #expect(!level.isContainers)
  }

  @Test func theContainersLimitCountsWhereItIsSmaller() {
    func level(limit: UInt64, current: UInt64, inactive: UInt64) -> MemoryLevel {
      MemoryLevel(
        total: 1000, available: 900, container: .init(limit: limit, current: current, inactiveFile: inactive))
    }
    #expect(level(limit: 200, current: 150, inactive: 50).percent == 50)
    #expect(level(limit: 200, current: 150, inactive: 50).total == 200)
    #expect(level(limit: 200, current: 150, inactive: 50).isContainers)
    // Two files, read one after the other, need not fit.
    #expect(level(limit: 200, current: 50, inactive: 150).percent == 0)
    #expect(level(limit: 200, current: 300, inactive: 0).percent == 100)
    #expect(level(limit: 0, current: 0, inactive: 0).percent == 100)
    // "No limit", as version 1 of control groups writes it.
    #expect(level(limit: 9_223_372_036_854_771_712, current: 999, inactive: 0).percent == 10)
    #expect(!level(limit: 1000, current: 999, inactive: 0).isContainers)
  }

  @Test func itIsExactOverManyTotals() {
    var dice = Dice(seed: 3)
    for _ in 0..<20_000 {
      let total = 1 + UInt64(dice.roll(1 << 40))
      let available = UInt64(dice.roll(Int(total) + 1))
      let level = MemoryLevel(total: total, available: available)
      insist(UInt64(level.percent) == (total - available) * 100 / total)
    }
  }
}
