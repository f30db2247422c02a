public import Rules

/// What the cron gate leaves of a job for midwatchd to find: one small file when it starts, one when it has
/// ended. Anybody may write such a file, so nothing in it is believed that its owner could not do anyway.
public enum JobNote: Equatable, Sendable {
  case started(Start)
  case ended(End)

  public struct Start: Equatable, Sendable {
    /// The gate, which lives for as long as the job's shell does.
    public var gate: ProcessIdentity
    public var since: WallTime
    /// As the shell got it, up to `commandLimit` bytes.
    public var command: [UInt8]
    /// What its processes bear in MIDWATCH_JOB.
    public var mark: [UInt8]

    public init(gate: ProcessIdentity, since: WallTime, command: [UInt8], mark: [UInt8]) {
      self.gate = gate
      self.since = since
      self.command = Array(command.prefix(JobNote.commandLimit))
      self.mark = mark
    }
  }

  public struct End: Equatable, Sendable {
    public var gate: ProcessIdentity
    public var outcome: Outcome
    public var duration: TimeSpan
    /// The most memory one of its processes had resident.
    public var peakBytes: UInt64
    /// What still ran when its shell had ended.
    public var left: [ProcessIdentity]

    public init(gate: ProcessIdentity, outcome: Outcome, duration: TimeSpan, peakBytes: UInt64, left: [ProcessIdentity]) {
      self.gate = gate
      self.outcome = outcome
      self.duration = duration
      self.peakBytes = peakBytes
      self.left = Array(left.prefix(JobNote.leftLimit))
    }
  }

  public enum Outcome: Equatable, Sendable {
    case exited(Int32)
    case killed(by: Int32)
  }

  /// A crontab's line is no longer than 1,000 bytes or so.
  public static let commandLimit = 4096
  static let leftLimit = 64
  /// What the whole file may hold.
  public static let sizeLimit = 65_536

  public var gate: ProcessIdentity {
    switch self {
    case .started(let start): start.gate
    case .ended(let end): end.gate
    }
  }

  /// The name of its file.
  public var name: String {
    switch self {
    case .started(let start): "\(start.gate.pid)-\(start.gate.startTicks).start"
    case .ended(let end): "\(end.gate.pid)-\(end.gate.startTicks).end"
    }
  }

  public var bytes: [UInt8] {
    var writer = JSONWriter(reserving: 512)
    writer.beginObject()
    writer.field("v", 1)
    writer.field("pid", gate.pid)
    writer.field("start_ticks", gate.startTicks)
    switch self {
    case .started(let start):
      writer.field("since", start.since)
      writer.field("command", escaping: start.command)
      writer.field("mark", escaping: start.mark)
    case .ended(let end):
      switch end.outcome {
      case .exited(let code): writer.field("exit", code)
      case .killed(let signal): writer.field("signal", signal)
      }
      writer.field("duration_ms", end.duration.nanoseconds / 1_000_000)
      writer.field("peak_bytes", end.peakBytes)
      writer.beginArray("left")
      for process in end.left {
        writer.beginObject()
        writer.field("pid", process.pid)
        writer.field("start_ticks", process.startTicks)
        writer.endObject()
      }
      writer.endArray()
    }
    writer.endObject()
    writer.endLine()
    return writer.bytes
  }

  /// nil where it is no note.
  public init?(_ bytes: [UInt8]) {
    guard let json = JSON(bytes), let gate = ProcessIdentity(json) else { return nil }
    if let since = json["since"]?.string.flatMap({ WallTime(text: $0) }),
      let command = json["command"]?.string.flatMap({ unescaped($0) }),
      let mark = json["mark"]?.string.flatMap({ unescaped($0) })
    {
      self = .started(Start(gate: gate, since: since, command: command, mark: mark))
    } else if let milliseconds = json["duration_ms"]?.integer, (0...Int64.max / 1_000_000).contains(milliseconds),
      let peak = json["peak_bytes"]?.integer, let outcome = Outcome(json)
    {
      self = .ended(
        End(
          gate: gate, outcome: outcome, duration: .milliseconds(milliseconds), peakBytes: UInt64(clamping: peak),
          left: json["left"]?.array?.prefix(Self.leftLimit).compactMap { ProcessIdentity($0) } ?? []))
    } else {
      return nil
    }
  }
}

extension JobNote.Outcome {
  fileprivate init?(_ json: JSON) {
    if let code = json["exit"]?.integer, (0...255).contains(code) {
      self = .exited(Int32(code))
    } else if let signal = json["signal"]?.integer, (1...64).contains(signal) {
      self = .killed(by: Int32(signal))
    } else {
      return nil
    }
  }
}

extension ProcessIdentity {
  /// `{"pid":...,"start_ticks":...}`, among other fields; nil for anything else.
  public init?(_ json: JSON) {
    guard let pid = json["pid"]?.integer.flatMap({ Int32(exactly: $0) }), pid > 0, let ticks = json["start_ticks"]?.integer,
      ticks >= 0
    else { return nil }
    self.init(pid: pid, startTicks: UInt64(ticks))
  }
}
