/// How much memory the machine has left, `/proc/meminfo`, proc_meminfo(5). In bytes.
public struct MemoryInfo: Equatable, Sendable {
  public let total: UInt64
  /// What programs could get without anything being swapped out; the kernel's own estimate.
  public let available: UInt64
  public let swapTotal: UInt64
  public let swapFree: UInt64

  public init(total: UInt64, available: UInt64, swapTotal: UInt64, swapFree: UInt64) {
    self.total = total
    self.available = available
    self.swapTotal = swapTotal
    self.swapFree = swapFree
  }

  /// nil where total or available is missing, as before Linux 3.14, or where the total is 0. A kernel without
  /// swap has none to tell of.
  public init?(_ bytes: RawSpan) {
    var total: UInt64?
    var available: UInt64?
    var (swapTotal, swapFree): (UInt64, UInt64) = (0, 0)
    var lines = KibibyteLines(bytes)
    while let line = lines.next() {
      if line.name.equals("MemTotal") {
        total = line.value
      } else if line.name.equals("MemAvailable") {
        available = line.value
      } else if line.name.equals("SwapTotal") {
        swapTotal = line.value
      } else if line.name.equals("SwapFree") {
        swapFree = line.value
      }
    }
    guard let total, let available, total > 0 else { return nil }
    self.init(total: total, available: available, swapTotal: swapTotal, swapFree: swapFree)
  }
}

/// How much memory one process has, `/proc/PID/smaps_rollup`, proc_pid_smaps(5). In bytes.
///
/// To read it costs the kernel a walk over all the process's pages: milliseconds for a browser.
public struct MemoryRollup: Equatable, Sendable {
  /// All that is mapped and resident, shared pages counted in full.
  public let resident: UInt64
  /// Shared pages divided among those who share them.
  public let proportional: UInt64
  public let proportionalSwap: UInt64
  /// What would be free if this process alone ended.
  public let exclusive: UInt64

  /// What it takes from the machine.
  public var total: UInt64 { proportional &+ proportionalSwap }

  public init(resident: UInt64, proportional: UInt64, proportionalSwap: UInt64, exclusive: UInt64) {
    self.resident = resident
    self.proportional = proportional
    self.proportionalSwap = proportionalSwap
    self.exclusive = exclusive
  }

  /// nil where Rss or Pss is missing: the file of a process that has ended is empty.
  public init?(_ bytes: RawSpan) {
    var resident: UInt64?
    var proportional: UInt64?
    var (swap, exclusive): (UInt64, UInt64) = (0, 0)
    var lines = KibibyteLines(bytes)
    while let line = lines.next() {
      if line.name.equals("Rss") {
        resident = line.value
      } else if line.name.equals("Pss") {
        proportional = line.value
      } else if line.name.equals("SwapPss") {
        swap = line.value
      } else if line.name.equals("Private_Clean") || line.name.equals("Private_Dirty")
        || line.name.equals("Private_Hugetlb")
      {
        exclusive = exclusive.addingReportingOverflow(line.value).overflow ? .max : exclusive &+ line.value
      }
    }
    guard let resident, let proportional else { return nil }
    self.init(resident: resident, proportional: proportional, proportionalSwap: swap, exclusive: exclusive)
  }
}

/// Lines such as `MemTotal:  16283160 kB`; others, and one without its end, are passed over.
struct KibibyteLines: ~Escapable {
  struct Line: ~Escapable {
    let name: RawSpan
    /// In bytes.
    let value: UInt64

    @_lifetime(copy name)
    init(name: RawSpan, value: UInt64) {
      self.name = name
      self.value = value
    }
  }

  private let bytes: RawSpan
  private var lines: FieldReader

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) {
    self.bytes = bytes
    lines = FieldReader(bytes)
  }

  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func next() -> Line? {
    while let line = lines.line() {
      guard bytes.byte(at: lines.offset &- 1) == 0x0A else { return nil }
      var fields = FieldReader(line)
      guard let field = fields.field(), field.byte(at: field.byteCount &- 1) == 0x3A,
        let kibibytes = fields.wholeNumber(), fields.take("kB"), fields.isAtEnd
      else { continue }
      let (value, over) = kibibytes.multipliedReportingOverflow(by: 1024)
      guard !over else { continue }
      return Line(name: field.extracting(first: field.byteCount &- 1), value: value)
    }
    return nil
  }
}
