internal import CLinux
internal import Glibc

/// What a started program writes, until it has ended: as much as a pipe holds, and whoever writes more
/// waits.
///
/// - SeeAlso: pipe(7)
public struct OutputPipe: ~Copyable {
  private let reading: Descriptor
  let writing: Descriptor

  /// - Throws: `EMFILE`, `ENFILE`.
  public static func open() throws(Errno) -> OutputPipe {
    var ends: [Int32] = [-1, -1]
    try retrying { unsafe midwatch_pipe(&ends) }
    let number = ends[0]
    let pipe = OutputPipe(reading: Descriptor(owning: number), writing: Descriptor(owning: ends[1]))
    // The writing end waits: a program takes EAGAIN for a failure.
    try retrying { midwatch_set_nonblocking(number) }
    return pipe
  }

  private init(reading: consuming Descriptor, writing: consuming Descriptor) {
    self.reading = reading
    self.writing = writing
  }

  /// What stands in it now; a grandchild that still holds the other end is not waited for.
  public borrowing func contents() -> [UInt8] {
    var bytes: [UInt8] = []
    let number = reading.number
    var count = 1
    while count > 0, bytes.count < 1 << 16 {
      try? bytes.append(addingCapacity: 4096) { memory throws(Errno) in
        try unsafe memory.withUnsafeMutableBufferPointer { free, filled throws(Errno) in
          count = 0
          count = try retrying { unsafe read(number, free.baseAddress, 4096) }
          filled = count
        }
      }
    }
    return bytes
  }
}
