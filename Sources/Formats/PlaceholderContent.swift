public import Rules

/// What stands in the placeholder that takes a stale lock's place for the moment of its reaping:
/// midwatchd as the living owner, in the lock's own format, so that whoever looks meanwhile finds
/// a held lock and waits.
public struct PlaceholderContent: Sendable {
  public var pid: Int32
  /// Field 22 of midwatchd's own `/proc/self/stat`.
  public var startTicks: UInt64
  public var host: String
  public var bootID: LockOwner.BootID?
  /// Seconds since 1970, the `btime` of `/proc/stat`; for Emacs.
  public var bootTime: Int64?

  public init(pid: Int32, startTicks: UInt64, host: String, bootID: LockOwner.BootID?, bootTime: Int64? = nil) {
    self.pid = pid
    self.startTicks = startTicks
    self.host = host
    self.bootID = bootID
    self.bootTime = bootTime
  }

  /// The content of a placeholder file.
  ///
  /// - Parameter format: how the lock named its owner; a bare pid where it named nobody.
  public func file(as format: LockOwner.Format?, at now: WallTime) -> [UInt8] {
    var text: [UInt8] = []
    switch format {
    case .softFileLock:
      appendPid(to: &text)
      text.append(.newline)
      text.append(contentsOf: host.utf8)
      text.append(.newline)
      StartToken(bootID: bootID, startTicks: startTicks).append(to: &text)
      text.append(.newline)
    case .json, .openClaw:
      var writer = JSONWriter(reserving: 128)
      writer.beginObject()
      writer.field("pid", pid)
      if format == .openClaw {
        writer.field("createdAt", now)
        writer.field("starttime", startTicks)
      }
      writer.field("by", "midwatch")
      writer.endObject()
      writer.endLine()
      text = writer.bytes
    case .keyValue:
      text.append(contentsOf: "pid=".utf8)
      appendPid(to: &text)
      text.append(contentsOf: "\nheartbeat=".utf8)
      appendDecimal(UInt64(max(now.seconds, 0)), to: &text)
      text.append(contentsOf: "\nby=midwatch\n".utf8)
    case .barePid, .singletonLink, .emacsLink, nil:
      appendPid(to: &text)
      text.append(.newline)
    }
    return text
  }

  /// The text of a placeholder symlink, symlink(2).
  ///
  /// - Parameter format: how the lock named its owner; Chromium's way where it named nobody.
  public func link(as format: LockOwner.Format?) -> [UInt8] {
    var text: [UInt8] = []
    if format == .emacsLink { text.append(contentsOf: "midwatch@".utf8) }
    text.append(contentsOf: host.utf8)
    text.append(format == .emacsLink ? .dot : .minus)
    appendPid(to: &text)
    if format == .emacsLink, let bootTime, bootTime > 0 {
      text.append(.colon)
      appendDecimal(UInt64(bootTime), to: &text)
    }
    return text
  }

  private func appendPid(to text: inout [UInt8]) { appendDecimal(UInt64(max(pid, 0)), to: &text) }
}
