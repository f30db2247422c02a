/// What a process is called inside: the `NSpid` line of `/proc/PID/status`, proc_pid_status(5).
public struct NamespacePid: Equatable, Sendable {
  /// The pid that the process itself sees and writes into its locks.
  public let innermost: Int32
  /// Pid namespaces from ours down to its own: 1 for a process of our own namespace.
  public let depth: Int

  public init(innermost: Int32, depth: Int) {
    self.innermost = innermost
    self.depth = depth
  }

  /// nil where the line is missing, cut short or holds anything but pids.
  public init?(status: RawSpan) {
    var lines = FieldReader(status)
    while let line = lines.line() {
      var fields = FieldReader(line)
      guard fields.take("NSpid:") else { continue }
      // The line must have its end, or the last pid may lack digits.
      guard status.byte(at: lines.offset &- 1) == 0x0A else { return nil }
      var innermost: Int32?
      var depth = 0
      while let field = fields.field() {
        var digits = FieldReader(field)
        guard let number = digits.number(), digits.isAtEnd, let pid = Int32(exactly: number), pid > 0
        else { return nil }
        innermost = pid
        depth &+= 1
      }
      guard let innermost else { return nil }
      self.init(innermost: innermost, depth: depth)
      return
    }
    return nil
  }
}
