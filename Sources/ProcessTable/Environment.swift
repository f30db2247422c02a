/// What a process found in its environment when it was started, `/proc/PID/environ`, proc_pid_environ(5).
///
/// A process may write over it, and Chromium's children do. So it can speak for a process, never against it.
public struct Environment: ~Escapable {
  private let bytes: RawSpan

  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) { self.bytes = bytes }

  /// The value of the first variable of that name, as getenv(3) finds it; nil without one, and for one that
  /// was cut short.
  @_lifetime(copy self)
  public func value(of name: String) -> RawSpan? {
    var start = 0
    while start < bytes.byteCount {
      var offset = start
      var fits = true
      for byte in name.utf8 {
        guard bytes.byte(at: offset) == byte else {
          fits = false
          break
        }
        offset &+= 1
      }
      let value = offset &+ 1
      fits = fits && bytes.byte(at: offset) == 0x3D
      while let byte = bytes.byte(at: offset), byte != 0 { offset &+= 1 }
      if fits { return offset < bytes.byteCount ? bytes.extracting(value..<offset) : nil }
      start = offset &+ 1
    }
    return nil
  }

  /// The same as a process's number.
  public func pid(of name: String) -> Int32? {
    guard let value = value(of: name) else { return nil }
    var digits = FieldReader(value)
    guard let number = digits.number(), digits.isAtEnd, let pid = Int32(exactly: number), pid > 0 else { return nil }
    return pid
  }
}
