public import Kernel
internal import ProcessTable
public import Rules

/// Who takes the memory, asked of /proc when somebody wants to know.
///
/// A browser's exact size costs the kernel milliseconds for each process, and memory is short when it is
/// asked for. So all are ranked by what is cheap to read, and only those at the top are measured.
public struct MemoryCensus: ~Copyable {
  public struct Finding: Sendable {
    public var ledger: MemoryLedger
    /// Processes that were large enough to be measured, and are others' to look into.
    public var refused = 0
  }

  private let proc: Directory
  private var buffer = ReadBuffer(capacity: 131_072)

  /// - Throws: what keeps /proc from being opened.
  public init() throws(Errno) { proc = try Directory(Path("/proc")) }

  private struct Candidate {
    var consumer: MemoryConsumer
    var weight: UInt64
  }

  /// - Parameters:
  ///   - scan: the processes, and which of them are a browser's. One that has ended since is left out.
  ///   - idle: for how long those that somebody watched have used no CPU.
  ///   - share: percent of what all of them use; who uses the rest, many small ones, is not measured.
  ///   - limit: how many to measure at most.
  public mutating func take(
    _ scan: ProcessScan, idle: [ProcessIdentity: TimeSpan] = [:], measuring share: UInt64 = 95, atMost limit: Int = 200
  ) -> Finding {
    var candidates: [Candidate] = []
    candidates.reserveCapacity(scan.processes.count)
    var weight: UInt64 = 0
    for process in scan.processes where process.state != .ended {
      guard var candidate = estimate(process, scan) else { continue }
      candidate.consumer.idle = idle[process.identity]
      weight &+= candidate.weight
      candidates.append(candidate)
    }
    candidates.sort { $0.weight > $1.weight }
    var refused = 0
    var consumers: [MemoryConsumer] = []
    consumers.reserveCapacity(candidates.count)
    var covered: UInt64 = 0
    for (number, candidate) in candidates.enumerated() {
      guard number < limit, covered < weight / 100 &* share else {
        consumers.append(candidate.consumer)
        continue
      }
      covered &+= candidate.weight
      if let consumer = measured(candidate.consumer, &refused) { consumers.append(consumer) }
    }
    return Finding(ledger: MemoryLedger(consumers), refused: refused)
  }

  /// nil for a kernel's thread, and where it has ended.
  private mutating func estimate(_ process: ProcessSighting, _ scan: ProcessScan) -> Candidate? {
    let pid = process.identity.pid
    guard (try? proc.read(ShortPath(pid, "status"), into: &buffer)) != nil,
      let memory = ProcessMemory(status: buffer.bytes), let user = realUser(status: buffer.bytes)
    else { return nil }
    var consumer = MemoryConsumer(
      process.identity, name: processName(status: buffer.bytes), user: user, proportional: memory.estimate,
      swap: memory.swapped, resident: memory.resident, isEstimated: true, age: process.age)
    consumer.browser = scan.browser(of: pid)
    // The browser's own pages are nobody's to close.
    if let process = scan.browsers[pid] { consumer.isRenderer = process.part == .renderer && !process.isOwnPage }
    return Candidate(consumer: consumer, weight: memory.estimate &+ memory.swapped)
  }

  /// nil where it has ended.
  private mutating func measured(_ consumer: MemoryConsumer, _ refused: inout Int) -> MemoryConsumer? {
    var consumer = consumer
    let pid = consumer.identity.pid
    do throws(Errno) {
      try proc.read(ShortPath(pid, "smaps_rollup"), into: &buffer)
      if let rollup = MemoryRollup(buffer.bytes) {
        consumer.proportional = rollup.proportional
        consumer.swap = rollup.proportionalSwap
        consumer.resident = rollup.resident
        consumer.isEstimated = false
      }
    } catch {
      if error == .noEntry || error == .noProcess { return nil }
      refused += 1
    }
    consumer.job = job(of: pid)
    return consumer
  }

  private mutating func job(of pid: Int32) -> [UInt8]? {
    guard (try? proc.read(ShortPath(pid, "environ"), into: &buffer)) != nil,
      let mark = Environment(buffer.bytes).value(of: "MIDWATCH_JOB"), (1...256).contains(mark.byteCount)
    else { return nil }
    return Path(mark).bytes
  }
}
