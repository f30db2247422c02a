/// What `/proc/PID/stat` says of a process, proc_pid_stat(5), as far as the watch asks.
public struct ProcessStat: Equatable, Sendable {
  public let pid: Int32
  public let name: ProcessName
  /// `R`, `S`, `D`, `T`, `t`, `Z`, `X` and so on, as a byte.
  public let state: UInt8
  /// 0 for pid 1, for kernel threads' parent and for a parent outside our pid namespace.
  public let parent: Int32
  public let group: Int32
  public let session: Int32
  /// Field 22: when it started, in clock ticks after boot.
  public let startTicks: UInt64
  /// User and system time together, in clock ticks.
  public let cpuTicks: UInt64

  /// Ended, and not yet waited for.
  public var isZombie: Bool { state == 0x5A || state == 0x58 || state == 0x78 }

  /// Stopped by a signal or by a tracer.
  public var isStopped: Bool { state == 0x54 || state == 0x74 }

  public init(
    pid: Int32, name: ProcessName, state: UInt8, parent: Int32, group: Int32, session: Int32, startTicks: UInt64,
    cpuTicks: UInt64
  ) {
    self.pid = pid
    self.name = name
    self.state = state
    self.parent = parent
    self.group = group
    self.session = session
    self.startTicks = startTicks
    self.cpuTicks = cpuTicks
  }

  /// Reads the one line of the file; nil where it is cut short or is no such line.
  public init?(_ bytes: RawSpan) {
    var start = FieldReader(bytes)
    // The name may hold anything, blanks and parentheses too: the fields begin behind the last one.
    guard let number = start.number(), let pid = Int32(exactly: number), pid > 0, start.take("("),
      let nameEnd = bytes.lastParenthesis(from: start.offset)
    else { return nil }
    var fields = FieldReader(bytes.extracting((nameEnd &+ 1)...))
    guard let state = fields.field(), state.byteCount == 1, let letter = state.byte(at: 0),
      let parent = fields.wholePid(), let group = fields.wholePid(), let session = fields.wholePid(),
      // tty_nr, tpgid, flags, minflt, cminflt, majflt, cmajflt
      fields.skipFields(7),
      let userTicks = fields.wholeNumber(), let systemTicks = fields.wholeNumber(),
      // cutime, cstime, priority, nice, num_threads, itrealvalue
      fields.skipFields(6),
      let startTicks = fields.wholeNumber()
    else { return nil }
    self.init(
      pid: pid, name: ProcessName(bytes.extracting(start.offset..<nameEnd)), state: letter, parent: parent, group: group,
      session: session, startTicks: startTicks,
      cpuTicks: userTicks &+ systemTicks)
  }
}

extension RawSpan {
  /// The last one behind `start`. The kernel cuts names to 63 bytes, and behind the name are numbers.
  fileprivate func lastParenthesis(from start: Int) -> Int? {
    var offset = Swift.min(start &+ 64, byteCount &- 1)
    while offset >= start {
      if byte(at: offset) == 0x29 { return offset }
      offset &-= 1
    }
    return nil
  }
}
