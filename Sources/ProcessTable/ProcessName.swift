/// What a process is called by `/proc/PID/comm`, proc_pid_comm(5): its program's name cut to 15 bytes, or
/// whatever it called itself since. Compared without making memory.
public struct ProcessName: Hashable, Sendable {
  private let first: UInt64
  private let second: UInt64

  /// The first 16 bytes of `bytes`: a name of 16 or more, as kernel threads have, is none that was cut to 15.
  public init(_ bytes: RawSpan) {
    var (first, second): (UInt64, UInt64) = (0, 0)
    var offset = 0
    while offset < 16, let byte = bytes.byte(at: offset) {
      let shift = UInt64(offset & 7) &* 8
      if offset < 8 { first |= UInt64(byte) &<< shift } else { second |= UInt64(byte) &<< shift }
      offset &+= 1
    }
    self.first = first
    self.second = second
  }

  /// As the kernel would call a program of this name.
  public init(ofProgram name: String) {
    let bytes = Array(name.utf8.prefix(15))
    unsafe self.init(bytes.span.bytes)
  }

  /// For people: at most 16 bytes, in no encoding.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    for word in [first, second] {
      for place in 0..<8 as Range<UInt64> {
        let byte = UInt8(truncatingIfNeeded: word &>> (place &* 8))
        if byte == 0 { return bytes }
        bytes.append(byte)
      }
    }
    return bytes
  }
}
