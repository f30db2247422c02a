import ProcessTable
import Testing

@Suite struct ProcessMemoryTests {
  static let renderer = """
    Name:\tchromium
    Umask:\t0022
    State:\tS (sleeping)
    Pid:\t4711
    Uid:\t1000\t1000\t1000\t1000
    VmPeak:\t 1187000 kB
    VmRSS:\t  136000 kB
    RssAnon:\t   20000 kB
    RssFile:\t  100000 kB
    RssShmem:\t   16000 kB
    VmSwap:\t     512 kB
    HugetlbPages:\t       0 kB
    Threads:\t14

    """

  func memory(_ text: String) -> ProcessMemory? {
    let bytes = Array(text.utf8)
    return ProcessMemory(status: bytes.span.bytes)
  }

  func name(_ text: String) -> String {
    let bytes = Array(text.utf8)
    return String(decoding: processName(status: bytes.span.bytes), as: UTF8.self)
  }

  @Test func aRenderer() {
    let memory = memory(Self.renderer)
    #expect(
      memory
        == ProcessMemory(resident: 136_000 << 10, anonymous: 20_000 << 10, shared: 16_000 << 10, swapped: 512 << 10))
    #expect(memory?.estimate == 36_000 << 10)
    #expect(name(Self.renderer) == "chromium")
  }

  @Test func aKernelsThreadHasNone() {
    #expect(memory("Name:\tkworker/0:1\nState:\tI (idle)\nThreads:\t1\n") == nil)
    #expect(memory("") == nil)
  }

  @Test(
    arguments: [
      // Before Linux 4.5, and sizes that are none.
      ("VmRSS:\t 10 kB\n", 10, 0), ("VmRSS:\t 10 kB\nRssAnon:\t x kB\n", 10, 0),
      ("VmRSS:\t 10 kB\nRssAnon:\t 99999999999999999999 kB\nRssShmem:\t 1 kB\n", 10, 1),
      // What was cut off is not told.
      ("VmRSS:\t 10 kB\nRssAnon:\t 12", 10, 0),
    ] as [(String, UInt64, UInt64)])
  func whatIsMissingIsNothing(_ text: String, _ resident: UInt64, _ estimate: UInt64) {
    #expect(memory(text)?.resident == resident << 10)
    #expect(memory(text)?.estimate == estimate << 10)
  }

  @Test func absurdSizesDoNotTrap() {
    let huge = ProcessMemory(resident: .max, anonymous: .max, shared: .max, swapped: .max)
    #expect(huge.estimate == .max)
  }

  /// A name may hold anything; a line of its own that looks like another field cannot be made with it.
  @Test(arguments: [
    ("Name:\ta b\n", "a b"), ("Name:\t b\n", " b"), ("Name:\ta\\nVmRSS:\\t9 kB\n", "a\nVmRSS:\\t9 kB"),
    ("Name:\t\\\\n\n", "\\n"), ("Name:\t\\\n", "\\"), ("Name:\t\nUid:\t0\n", ""), ("Uid:\t0\n", ""), ("", ""), ("Name:", ""),
  ])
  func names(_ text: String, _ expected: String) { #expect(name(text) == expected) }

  @Test(
    arguments: [
      ("max\n", .max), ("536870912\n", 536_870_912), ("9223372036854771712\n", 9_223_372_036_854_771_712), ("0\n", 0),
      ("", nil), ("5368", nil), ("maximum\n", nil), ("-1\n", nil), ("99999999999999999999\n", nil),
    ] as [(String, UInt64?)])
  func limits(_ text: String, _ expected: UInt64?) {
    let bytes = Array(text.utf8)
    #expect(controlGroupBytes(bytes.span.bytes) == expected)
  }

  @Test(
    arguments: [
      ("anon 1\nfile 2\ninactive_anon 7\ninactive_file 3\nactive_file 4\n", 3),
      // Version 1: its own, then that of all below it.
      ("cache 1\ninactive_file 3\nhierarchical_memory_limit 9\ntotal_cache 8\ntotal_inactive_file 5\n", 5),
      ("", 0), ("inactive_file", 0), ("inactive_file x\n", 0), ("inactive_file 12", 0),
    ] as [(String, UInt64)])
  func pageCacheThatCanGo(_ text: String, _ expected: UInt64) {
    let bytes = Array(text.utf8)
    #expect(inactiveFileBytes(stat: bytes.span.bytes) == expected)
  }
}
