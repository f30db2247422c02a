import CBench
import Daemon

/// What it takes to read and count a burst of new files, beside a loop in C that only reads the records.
enum Burst {
  static let figure = Figure(
    name: "burst-cpu",
    meaning: "CPU for an event of a burst of new files; to a loop in C that reads and decodes only", measure: measure)

  private static let files: Int32 = 2000

  private static func measure() throws -> Measurement {
    let place = try Place()
    let sensors = try place.sensors()
    sensors.visit()
    let queue = bench_watch(place.outside)
    guard queue >= 0 else { throw NoFigure("there is no inotify queue to be had") }
    defer { bench_close(queue) }
    var (ours, reference) = (Pace(), Pace())
    for _ in 0..<8 {
      // In turn, so that a slow moment of the machine meets both.
      try burst(in: place.outputs, &ours) { try sensors.drain() }
      try burst(in: place.outside, &reference) { bench_drain(queue) }
    }
    return Measurement(ours, to: reference, unit: "an event")
  }

  private static func burst(in directory: String, _ pace: inout Pace, drain: () throws -> Int) throws {
    var events = 0
    var spent = 0
    func timed() throws {
      let start = bench_cpu()
      events += try drain()
      spent += bench_cpu() - start
    }
    try check(bench_create(directory, "burst", 0, files))
    try timed()
    try check(bench_unlink(directory, "burst", 0, files))
    try timed()
    guard events == Int(files) * 3 else { throw NoFigure("\(events) events came where \(files * 3) were due") }
    pace.note(nanoseconds: spent, for: events)
  }
}
