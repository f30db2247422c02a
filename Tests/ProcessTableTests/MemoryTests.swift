import ProcessTable
import Testing

@Suite struct MemoryTests {
  static let info = """
    MemTotal:       16283160 kB
    MemFree:          210444 kB
    MemAvailable:    9300100 kB
    SwapCached:            0 kB
    SwapTotal:       2097148 kB
    SwapFree:        2097000 kB
    HugePages_Total:       0

    """
  static let rollup = """
    558900000000-7ffd00000000 ---p 00000000 00:00 0                          [rollup]
    Rss:              156476 kB
    Pss:               50512 kB
    Pss_Dirty:         37000 kB
    Shared_Clean:     100000 kB
    Private_Clean:      2048 kB
    Private_Dirty:     35000 kB
    Private_Hugetlb:       1 kB
    Swap:                 44 kB
    SwapPss:              40 kB
    Locked:                0 kB

    """

  func info(_ bytes: [UInt8]) -> MemoryInfo? { MemoryInfo(bytes.span.bytes) }
  func rollup(_ bytes: [UInt8]) -> MemoryRollup? { MemoryRollup(bytes.span.bytes) }

  @Test func whatTheMachineHas() {
    let wanted = MemoryInfo(
      total: 16_283_160 << 10, available: 9_300_100 << 10, swapTotal: 2_097_148 << 10, swapFree: 2_097_000 << 10)
    #expect(info(Array(Self.info.utf8)) == wanted)
    #expect(info(Array("MemTotal: 4 kB\nMemAvailable: 2 kB\n".utf8))?.swapTotal == 0)
  }

  @Test(arguments: [
    "", "MemTotal: 4 kB\n", "MemAvailable: 4 kB\n", "MemTotal: 0 kB\nMemAvailable: 0 kB\n",
    "MemTotal: 4 MB\nMemAvailable: 2 kB\n",
    "MemTotal: 99999999999999999999 kB\nMemAvailable: 2 kB\n", "MemTotal: 18446744073709551615 kB\nMemAvailable: 2 kB\n",
    "MemTotal: 4 kB\nMemAvailable: 2 kB",
  ])
  func whatSaysNothing(text: String) { #expect(info(Array(text.utf8)) == nil) }

  @Test func whatAProcessHas() {
    let found = rollup(Array(Self.rollup.utf8))
    #expect(
      found
        == MemoryRollup(
          resident: 156_476 << 10, proportional: 50_512 << 10, proportionalSwap: 40 << 10, exclusive: 37_049 << 10))
    #expect(found?.total == 50_552 << 10)
    // Of a zombie.
    #expect(rollup([]) == nil)
  }

  @Test func cutShortTheySayNothingFalse() {
    let bytes = Array(Self.info.utf8)
    for count in 0..<bytes.count {
      let cut = info(Array(bytes[..<count]))
      #expect(cut == nil || cut?.available == 9_300_100 << 10)
    }
  }

  @Test func damagedTextIsNeverFatal() {
    var random = Seeded(13)
    for _ in 0..<3_000 {
      _ = info(mutated(Array(Self.info.utf8), with: &random))
      _ = rollup(mutated(Array(Self.rollup.utf8), with: &random))
    }
  }
}
