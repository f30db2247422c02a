import CBench
import Daemon

/// How often an inotify event asks the heap for memory once the windows have their size: never, so that
/// nothing grows in a burst of a million files.
enum Allocations {
  static let figure = Figure(
    name: "allocations-per-event",
    meaning: "heap allocations for an inotify event of a new name; in a static release build", measure: measure)

  private static func measure() throws -> Measurement {
    try checkCounter()
    let place = try Place()
    try place.beat()
    let sensors = try place.sensors()
    sensors.visit()
    // All names have one length: that a path outgrows all before it is the one thing that may cost memory.
    var next: Int32 = 100_000
    for _ in 0..<10 { _ = try batch(&next, in: place, sensors) }
    var events = 0
    var allocations = 0
    for _ in 0..<20 {
      let one = try batch(&next, in: place, sensors)
      events += one.events
      allocations += one.allocations
    }
    guard events >= 10_000 else { throw NoFigure("only \(events) events came") }
    return Measurement(Double(allocations) / Double(events), "\(allocations) in \(events) events")
  }

  /// A hundred files made, renamed within, moved out, moved in again and deleted; a beat.
  private static func batch(
    _ next: inout Int32, in place: Place, _ sensors: SensorBench
  ) throws -> (events: Int, allocations: Int) {
    let count: Int32 = 100
    let (outputs, outside) = (place.outputs, place.outside)
    try check(bench_create(outputs, "made", next, count))
    try check(bench_rename(outputs, "made", outputs, "kept", next, count))
    try check(bench_rename(outputs, "kept", outside, "gone", next, count))
    try check(bench_rename(outside, "gone", outputs, "back", next, count))
    try place.beat()
    // The others are still there when their events are read.
    try check(bench_unlink(outputs, "back", next, count / 2))
    let first = try drain(sensors)
    try check(bench_unlink(outputs, "back", next + count / 2, count / 2))
    let second = try drain(sensors)
    next += count
    return (first.events + second.events, first.allocations + second.allocations)
  }

  private static func drain(_ sensors: SensorBench) throws -> (events: Int, allocations: Int) {
    let before = bench_allocations()
    let events = try sensors.drain()
    return (events, Int(bench_allocations() - before))
  }

  /// A counter that sees nothing would make any figure a good one.
  private static func checkCounter() throws {
    let before = bench_allocations()
    let made = (0..<Int.random(in: 64..<128)).map { [$0] }
    guard bench_allocations() - before >= UInt(made.count) else {
      throw NoFigure("this build cannot count the Swift runtime's allocations; build it as the release is built, static")
    }
  }
}
