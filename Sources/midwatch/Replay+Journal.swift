import Configuration
import Daemon
import Formats
import Kernel
import Rules

/// The trips that a journal tells of, judged by other limits.
struct JournalReplay: Replayed {
  private let file: String
  /// Lines that tell of a trip.
  private var told = 0
  /// Of these, the ones that do not say when the outputs were made.
  private var bare = 0
  private(set) var trips: [ReplayedTrip] = []

  static let longest = 64 << 20

  init(_ path: Path, _ settings: Settings) throws(Failure) {
    file = escaped(path.bytes)
    let bytes: [UInt8]
    do throws(Errno) { bytes = try File(reading: path).contents(upTo: Self.longest) } catch {
      let code: Int32 = error == .accessDenied ? 77 : 66
      throw .failed(code, "midwatch: \(file) cannot be read: \(error); name a pipeline's root, or a journal.jsonl")
    }
    var lines = 0
    for bytes in bytes.split(separator: 0x0a) {
      guard let line = JournalLine(Array(bytes)) else { continue }
      lines += 1
      take(line, settings)
    }
    guard lines > 0 else {
      throw .failed(66, "midwatch: \(file) is no journal of midwatchd's; name a pipeline's root, or a journal.jsonl")
    }
  }

  private mutating func take(_ line: JournalLine, _ settings: Settings) {
    guard line.rule == "outputs", ["halted", "would-halt", "also-tripped"].contains(line.what), let time = line.time,
      let name = line.json["agent"]?.string, let bytes = unescaped(name)
    else { return }
    told += 1
    let ages = (line.json["births_ms"]?.array ?? []).compactMap(\.integer)
    guard !ages.isEmpty else {
      bare += 1
      return
    }
    var names = Names()
    let agent = names.agent(bytes: bytes)
    var rule = ReplayRule.make(settings, names)
    // The earliest first, as they were.
    let births = ages.map { time - .milliseconds(max(0, $0)) }.sorted()
    for (number, birth) in births.enumerated() {
      var actions: [BreakerRule.Action] = []
      let now = Instant(birth)
      rule.born(NameKey(directory: 0, name: UInt64(number)), by: agent, at: now, now: now, into: &actions)
      for case .trip(let trip) in actions {
        let after = births.count - number - 1
        trips.append(
          ReplayedTrip(at: birth, agent: shown(name), cause: trip.cause, after: after, real: (line, time, after)))
      }
    }
  }

  var text: String {
    var text = "\(file): \(counted(told, "trip"))\n" + trips.map(\.text).joined()
    if trips.isEmpty {
      text += told == 0 ? "nothing to replay: no limit of [outputs] was broken\n" : "would not have tripped by then\n"
    }
    if bare > 0 { text += "\(counted(bare, "trip")) left out: the line does not say when the outputs were made\n" }
    return text + "a journal tells of the tripping agent alone, and of nothing before its window or after the trip\n"
  }

  var json: JSON {
    .fields([
      "v": .integer(1), "source": .string("journal"), "journal": .string(file), "told": .number(told), "bare": .number(bare),
      "trips": .array(trips.map(\.json)),
    ])
  }
}
