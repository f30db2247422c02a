internal import Formats
public import Kernel
public import ProcessTable
public import Rules

/// What lets a restart notice a step of the clock or a boot that came between: `state/clock`.
public enum ClockRecord {
  static let name = Path("clock")

  public static func read(in directory: borrowing Directory, boot: BootID?) -> WallClock.Record? {
    guard let json = directory.contents(of: name).flatMap({ JSON($0) }), let wall = json["wall_ns"]?.integer,
      let monotonic = json["monotonic_ns"]?.integer
    else { return nil }
    return WallClock.Record(
      sameBoot: json["boot"]?.string == text(boot),
      moment: Moment(instant: Instant(nanoseconds: monotonic), wall: WallTime(nanoseconds: wall)),
      past: stretches(json["past"]), since: json["since_ns"]?.integer.map { WallTime(nanoseconds: $0) },
      earlierBootUntil: json["earlier_boot_until_ns"]?.integer.map { WallTime(nanoseconds: $0) })
  }

  /// Not worth stopping for: without it, the next start knows less and does less.
  public static func write(_ clock: WallClock, in directory: borrowing Directory, boot: BootID?) {
    let record = clock.record
    var writer = JSONWriter(reserving: 256)
    writer.beginObject()
    writer.field("boot", text(boot))
    writer.field("wall", record.moment.wall)
    writer.field("wall_ns", record.moment.wall.nanoseconds)
    writer.field("monotonic_ns", record.moment.instant.nanoseconds)
    put(record.past, as: "past", into: &writer)
    if let since = record.since { writer.field("since_ns", since.nanoseconds) }
    if let until = record.earlierBootUntil { writer.field("earlier_boot_until_ns", until.nanoseconds) }
    writer.endObject()
    writer.endLine()
    try? directory.replace(name, with: writer.bytes)
  }

  private static func stretches(_ json: JSON?) -> [WallClock.Stretch] {
    (json?.array ?? []).compactMap { pair in
      guard let ends = pair.array, ends.count == 2, let from = ends[0].integer, let to = ends[1].integer else { return nil }
      return WallClock.Stretch(from: WallTime(nanoseconds: from), to: WallTime(nanoseconds: to))
    }
  }

  private static func put(_ stretches: [WallClock.Stretch], as name: String, into writer: inout JSONWriter) {
    writer.beginArray(name)
    for stretch in stretches {
      writer.beginArray()
      writer.integer(stretch.from.nanoseconds)
      writer.integer(stretch.to.nanoseconds)
      writer.endArray()
    }
    writer.endArray()
  }

  private static func text(_ boot: BootID?) -> String {
    boot.map { "\(String($0.high, radix: 16))-\(String($0.low, radix: 16))" } ?? "unknown"
  }
}

/// When the breaker was closed last: no output before it counts again. `state/closed-at`.
public enum ClosedAt {
  static let name = Path("closed-at")

  /// nil at the very first start.
  public static func read(in directory: borrowing Directory) -> WallTime? {
    guard let bytes = directory.contents(of: name, upTo: 64) else { return nil }
    return unsafe WallTime(text: bytes.span.bytes)
  }

  public static func write(_ time: WallTime, in directory: borrowing Directory) throws(Errno) {
    try directory.replace(name, with: Array("\(time.timestamp)\n".utf8))
  }
}
