internal import Glibc

/// A line drawn in the kernel's account of stalls for want of memory: its descriptor becomes ready, with
/// priority, each time that it is crossed, at most once a window.
///
/// - SeeAlso: Documentation/accounting/psi.rst of Linux 5.2 and later
public struct Pressure: ~Copyable {
  private let file: File

  /// Programs that waited 150 ms within 2 s. A window of 2 s is the only one that the kernel gives
  /// to everybody, since Linux 6.4; before that root alone may draw a line.
  public static var someStall: String { "some 150000 2000000" }

  /// - Parameters:
  ///   - trigger: `some` or `full`, microseconds of stall, and microseconds of window.
  ///   - path: the account; a control group has one of its own, `memory.pressure`.
  /// - Throws: `ENOENT` before Linux 4.20, without CONFIG_PSI and with `psi=0`; `EOPNOTSUPP` where it was
  ///   built in and switched off; `EACCES`, `EPERM` where this user may draw no line; `EINVAL` where he may
  ///   not draw this one, and for a trigger that is none; `ENOMEM`.
  public init(_ trigger: String = Pressure.someStall, of path: Path = Path("/proc/pressure/memory")) throws(Errno) {
    let flags = O_RDWR | O_NONBLOCK | O_CLOEXEC
    let number = try retrying { unsafe path.withCString { unsafe open($0, flags) } }
    let file = File(owning: Descriptor(owning: number))
    // One write: the line holds from then on for as long as the file is open.
    try file.write(Array(trigger.utf8) + [0])
    self.file = file
  }

  /// Nothing is to be read when it is ready; it is ready once for each crossing.
  public borrowing func register(with epoll: borrowing Epoll, key: UInt64) throws(Errno) {
    try epoll.add(file.descriptor, key: key, for: .priority)
  }
}
