extension LockOwner {
  /// Reads the owner out of a lock file's content; nil where it names none.
  public init?(contents: RawSpan) {
    let owner =
      contents.trimmed().byte(at: 0) == 0x7B
      ? Self.json(contents)
      : Self.softFileLock(contents) ?? Self.barePid(contents) ?? Self.keyValue(contents)
    guard let owner else { return nil }
    self = owner
  }

  /// Reads the owner out of a lock file's content; nil where it names none.
  public init?(contents: [UInt8]) { unsafe self.init(contents: contents.span.bytes) }

  private static func barePid(_ contents: RawSpan) -> LockOwner? {
    var reader = ByteReader(contents)
    guard let first = reader.line(), let pid = pid(first.trimmed()) else { return nil }
    return LockOwner(pid: pid, format: .barePid)
  }

  /// Three whole lines: without its end the token may be cut short, and a token cut short names
  /// another process. Two lines may be anybody's, and are read as a bare pid.
  private static func softFileLock(_ contents: RawSpan) -> LockOwner? {
    guard contents.byte(at: contents.byteCount &- 1) == .newline else { return nil }
    var reader = ByteReader(contents)
    guard let first = reader.line(), let second = reader.line(), let third = reader.line(), reader.isAtEnd,
      let pid = pid(first), let host = host(second), let token = StartToken(third)
    else { return nil }
    guard let bootID = token.bootID else {
      guard let ticks = plausibleTicks(token.startTicks) else { return nil }
      return LockOwner(pid: pid, format: .softFileLock, host: host, startTicks: ticks)
    }
    return LockOwner(pid: pid, format: .softFileLock, host: host, startTicks: token.startTicks, bootID: bootID)
  }

  private static func json(_ contents: RawSpan) -> LockOwner? {
    guard let document = JSON(contents),
      let number = document["pid"]?.integer ?? document["pid"]?.string.flatMap({ decimal($0) }),
      let magnitude = UInt64(exactly: number), let pid = pid(magnitude)
    else { return nil }
    let ticks = document["starttime"]?.integer.flatMap { UInt64(exactly: $0) }.flatMap { plausibleTicks($0) }
    let isDated =
      switch document["createdAt"] {
      case nil, .null: false
      default: true
      }
    let host = document["hostname"]?.string ?? document["host"]?.string
    return LockOwner(
      pid: pid, format: isDated || ticks != nil ? .openClaw : .json, host: host.flatMap { Self.host($0) },
      startTicks: ticks)
  }

  /// The last `pid=` counts, as it would in a shell that sourced the lines.
  private static func keyValue(_ contents: RawSpan) -> LockOwner? {
    var reader = ByteReader(contents)
    var pid: Int32?
    var host: String?
    while let line = reader.line() {
      guard let equals = line.firstOffset(of: .equals) else { continue }
      let key = line.before(equals).trimmed()
      let value = line.from(equals &+ 1).trimmed().unquoted()
      if key.equalsIgnoringCase("pid") {
        pid = Self.pid(value)
      } else if key.equalsIgnoringCase("host") || key.equalsIgnoringCase("hostname") {
        host = Self.host(value)
      }
    }
    return pid.map { LockOwner(pid: $0, format: .keyValue, host: host) }
  }

  private static func decimal(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    return unsafe bytes.span.bytes.decimal().flatMap { Int64(exactly: $0) }
  }

  private static func host(_ text: String) -> String? {
    let bytes = Array(text.utf8)
    return unsafe host(bytes.span.bytes)
  }
}

extension RawSpan {
  /// Without one pair of quotes around it.
  @_lifetime(copy self)
  fileprivate func unquoted() -> RawSpan {
    guard byteCount >= 2, let mark = byte(at: 0), mark == .quote || mark == 0x27,
      byte(at: byteCount &- 1) == mark
    else { return self }
    return extracting(1..<(byteCount &- 1))
  }
}
