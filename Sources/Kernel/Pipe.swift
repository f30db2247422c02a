internal import Glibc

/// A pipe from a child of this process's to itself, for what it holds (64 KiB): whoever writes more waits.
///
/// - SeeAlso: pipe(7)
public struct Pipe: ~Copyable {
  private let reading: Descriptor
  let writing: Descriptor

  /// Away from the standard descriptors, which may be closed and are not ours to take.
  ///
  /// - Throws: `EMFILE`, `ENFILE`.
  public static func open() throws(Errno) -> Pipe {
    var ends: [Int32] = [-1, -1]
    try retrying { unsafe pipe(&ends) }
    let out = Descriptor(owning: ends[0])
    let into = Descriptor(owning: ends[1])
    let reading = try moved(out)
    let writing = try moved(into)
    let number = reading.number
    // Not the other end: a program takes EAGAIN for a failure.
    try retrying { fcntl(number, F_SETFL, O_NONBLOCK) }
    return Pipe(reading: reading, writing: writing)
  }

  private init(reading: consuming Descriptor, writing: consuming Descriptor) {
    self.reading = reading
    self.writing = writing
  }

  private static func moved(_ end: borrowing Descriptor) throws(Errno) -> Descriptor {
    let number = end.number
    return Descriptor(owning: try retrying { fcntl(number, F_DUPFD_CLOEXEC, 3) })
  }

  public borrowing func write(_ bytes: [UInt8]) {
    let number = writing.number
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
  }

  /// What was written up to now; a grandchild that still holds the other end is not waited for.
  public borrowing func contents() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let number = reading.number
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(number, $0.baseAddress, $0.count) }
    return Array(bytes.prefix(max(0, count)))
  }
}
