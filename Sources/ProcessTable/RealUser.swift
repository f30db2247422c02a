/// Who runs a process: the first number of the `Uid` line of `/proc/PID/status`, proc_pid_status(5).
///
/// Not the owner of `/proc/PID`: that is the effective user, and root for a process that may not be dumped.
///
/// nil where the line is missing or cut short.
public func realUser(status: RawSpan) -> UInt32? {
  var lines = FieldReader(status)
  while let line = lines.line() {
    var fields = FieldReader(line)
    guard fields.take("Uid:") else { continue }
    return fields.wholeNumber().flatMap { UInt32(exactly: $0) }
  }
  return nil
}
