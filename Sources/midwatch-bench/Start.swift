import CBench
import Daemon

/// What a start takes where many outputs are there already, beside a loop in C that only lists them.
enum Start {
  static let figure = Figure(
    name: "start-cpu",
    meaning: "CPU for each of 20,000 outputs that a start finds; to a loop in C that lists them", measure: measure)

  private static let files: Int32 = 20_000

  private static func measure() throws -> Measurement {
    let place = try Place()
    defer { _ = bench_unlink(place.outputs, "old", 0, files) }
    try check(bench_create(place.outputs, "old", 0, files))
    var (ours, reference) = (Pace(), Pace())
    for _ in 0..<5 {
      var start = bench_cpu()
      let sensors = try place.sensors()
      sensors.visit()
      ours.note(nanoseconds: bench_cpu() - start, for: Int(files))
      start = bench_cpu()
      guard bench_list(place.outputs) == Int(files) else { throw NoFigure("the listing is not whole") }
      reference.note(nanoseconds: bench_cpu() - start, for: Int(files))
    }
    return Measurement(ours, to: reference, unit: "an output")
  }
}
