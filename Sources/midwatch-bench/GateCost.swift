import CBench
import Daemon
import Kernel

/// What the cron gate adds to a job, beside the shell that cron would start itself.
enum GateCost {
  static let start = Figure(
    name: "gate-cpu", meaning: "CPU of `midwatch-sh -c :`, with its verdict and its shell; to `/bin/sh -c :`",
    measure: measureStart)
  static let memory = Figure(
    name: "gate-memory", meaning: "private memory of the gate while its job waits; to that of the job's shell",
    measure: measureMemory)

  private static let shell = "/bin/sh"

  private static func measureStart() throws -> Measurement {
    let bench = try GatePlace()
    var (ours, reference) = (Pace(), Pace())
    for _ in 0..<100 {
      ours.note(nanoseconds: bench_shell_cpu(bench.gate, bench.configuration), for: 1)
      reference.note(nanoseconds: bench_shell_cpu(shell, bench.configuration), for: 1)
    }
    guard ours.best > 0, reference.best > 0 else { throw NoFigure("a job that does nothing failed") }
    return Measurement(ours, to: reference, unit: "a job")
  }

  private static func measureMemory() throws -> Measurement {
    let bench = try GatePlace()
    let ours = bench_shell_memory(bench.gate, bench.configuration)
    let reference = bench_shell_memory(shell, bench.configuration)
    guard ours > 0, reference > 0 else { throw NoFigure("/proc/PID/smaps_rollup cannot be read") }
    return Measurement(Double(ours * 100 / reference) / 100, "\(ours) KiB, \(shell) \(reference) KiB")
  }
}

/// A configured pipeline, and midwatchd under the gate's name.
private final class GatePlace {
  private let place: Place
  let gate: String
  let configuration: String

  init() throws {
    place = try Place()
    gate = place.outside + "/" + Gate.programName
    configuration = place.outside + "/midwatch.conf"
    let directory = try Directory(Path(place.outside))
    let own = try realPath(Path("/proc/self/exe")).split.parent.appending("midwatchd")
    guard (try? File(reading: own)) != nil else {
      throw NoFigure("midwatchd is not built beside midwatch-bench; build it the same way: --product midwatchd")
    }
    try directory.makeSymlink(Path(Gate.programName), to: own.bytes)
    try directory.makeFile(Path("midwatch.conf"), mode: 0o600).write(Array("[pipeline]\nroot = \(place.root)\n".utf8))
  }

  deinit {
    _ = bench_unlink_one(place.outside, Gate.programName)
    _ = bench_unlink_one(place.outside, "midwatch.conf")
  }
}
