import CBench
import Kernel
import ProcessTable

/// What a pass over all processes takes, beside the same calls in C that keep nothing.
///
/// Made of the parts that a pass is made of; the place for the leak rule's own pass, once that can be called.
enum ProcessPass {
  static let figure = Figure(
    name: "process-pass-cpu",
    meaning: "CPU for a process of a pass over /proc that reads its stat; to the same calls in C", measure: measure)

  private static func measure() throws -> Measurement {
    let proc = try Directory(Path("/proc"))
    var entries = ReadBuffer(capacity: 32_768)
    var text = ReadBuffer(capacity: 4096)
    var (ours, reference) = (Pace(), Pace())
    for _ in 0..<100 {
      var start = bench_cpu()
      let seen = try pass(over: proc, &entries, &text)
      ours.note(nanoseconds: bench_cpu() - start, for: seen)
      start = bench_cpu()
      let listed = bench_scan_processes()
      reference.note(nanoseconds: bench_cpu() - start, for: listed)
    }
    return Measurement(ours, to: reference, unit: "a process")
  }

  private static func pass(
    over proc: borrowing Directory, _ entries: inout ReadBuffer, _ text: inout ReadBuffer
  ) throws -> Int {
    let listing = try DirectoryListing(proc)
    var seen = 0
    while try listing.read(into: &entries) {
      var cursor = DirectoryEntries(entries.bytes)
      while let entry = cursor.next() {
        guard let pid = entry.number, (try? proc.read(ShortPath(pid, "stat"), into: &text)) != nil,
          ProcessStat(text.bytes) != nil
        else { continue }
        seen += 1
      }
    }
    return seen
  }
}
