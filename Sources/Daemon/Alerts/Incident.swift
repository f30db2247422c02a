public import Formats
internal import Kernel
public import Rules

/// What a person is told of once, in the format of docs/formats.md: one JSON line.
public struct Incident: Equatable, Sendable {
  public enum Kind: String, Equatable, Sendable { case breaker, heartbeat, lock, job, memory, leak, `self` }
  public enum Severity: String, Equatable, Sendable { case halt, warning, info }
  public enum State: String, Equatable, Sendable { case firing, over, test }

  public var id: String
  public var kind: Kind
  public var severity: Severity
  public var pipeline: String
  /// Escaped; nil where no one agent is at the root of it.
  public var agent: String?
  public var since: WallTime
  /// One sentence, the cause first.
  public var summary: String
  /// The chain, root first.
  public var cause: [String]
  /// What was stopped, and how.
  public var stopped: [String]
  /// What to type.
  public var type: String

  /// Every text is made sure of once more: some come back from files that others may have written.
  public init(
    id: String, kind: Kind, severity: Severity, pipeline: String, agent: String?, since: WallTime, summary: String,
    cause: [String], stopped: [String], type: String
  ) {
    self.id = id
    self.kind = kind
    self.severity = severity
    self.pipeline = Self.printable(pipeline)
    self.agent = agent.map { Self.printable($0) }
    self.since = since
    self.summary = Self.printable(summary)
    self.cause = cause.map { Self.printable($0) }
    self.stopped = stopped.map { Self.printable($0) }
    self.type = Self.printable(type)
  }

  /// Begins with the time, so that names sort by it; ends in what tells two of one second apart.
  public static func id(at time: WallTime, _ seed: UInt64) -> String {
    let hash = Hash.of(FileIdentity(device: seed, inode: UInt64(bitPattern: time.nanoseconds)))
    let digits = String(hash & 0xffff, radix: 16)
    return "\(time.compactStamp)-\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)"
  }

  /// What is escaped stays as it is.
  private static func printable(_ text: String) -> String {
    text.utf8.split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: false)
      .map { escaped(Array($0)) }.joined(separator: "\\")
  }

  /// - Parameters:
  ///   - repeated: midwatchd died while a sink had the message.
  ///   - late: the beginning could not be told before the end came; this stands for both.
  public func line(_ state: State, repeated: Bool = false, late: Bool = false) -> [UInt8] {
    var writer = JSONWriter(reserving: 512)
    writer.beginObject()
    writer.field("v", 1)
    writer.field("id", id)
    writer.field("kind", kind.rawValue)
    writer.field("state", state.rawValue)
    writer.field("severity", severity.rawValue)
    writer.field("pipeline", pipeline)
    if let agent { writer.field("agent", agent) } else { writer.nullField("agent") }
    writer.field("since", since)
    writer.field("summary", summary)
    writer.beginArray("cause")
    for part in cause { writer.string(part) }
    writer.endArray()
    writer.beginArray("stopped")
    for part in stopped { writer.string(part) }
    writer.endArray()
    writer.field("type", type)
    if late { writer.field("late", true) }
    if repeated { writer.field("repeat", true) }
    writer.endObject()
    writer.endLine()
    return writer.bytes
  }

  public init?(_ json: JSON) {
    guard let id = json["id"]?.string, Self.isID(id), let kind = json["kind"]?.string.flatMap(Kind.init(rawValue:)),
      let severity = json["severity"]?.string.flatMap(Severity.init(rawValue:)),
      let since = json["since"]?.string.flatMap({ WallTime(text: $0) })
    else { return nil }
    self.init(
      id: id, kind: kind, severity: severity, pipeline: json["pipeline"]?.string ?? "", agent: json["agent"]?.string,
      since: since, summary: json["summary"]?.string ?? "", cause: json["cause"]?.array?.compactMap(\.string) ?? [],
      stopped: json["stopped"]?.array?.compactMap(\.string) ?? [], type: json["type"]?.string ?? "")
  }

  /// An id becomes a file's name.
  static func isID(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 64
      && text.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x2d
      }
  }
}

/// An incident as one message tells of it.
struct Alert: Equatable, Sendable {
  let incident: Incident
  let state: Incident.State
  /// It may have arrived before.
  var isRepeated = false
  /// It stands for the beginning too.
  var isLate = false

  init(_ incident: Incident, _ state: Incident.State) {
    self.incident = incident
    self.state = state
  }

  /// - Parameter line: as `Incident.line` writes it.
  init?(_ line: [UInt8]) {
    guard let json = JSON(line), let incident = Incident(json),
      let state = json["state"]?.string.flatMap(Incident.State.init(rawValue:))
    else { return nil }
    self.init(incident, state)
    isRepeated = json["repeat"] == .bool(true)
    isLate = json["late"] == .bool(true)
  }

  var line: [UInt8] { incident.line(state, repeated: isRepeated, late: isLate) }
}
