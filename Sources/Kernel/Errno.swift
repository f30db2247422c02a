internal import CLinux
internal import Glibc

/// Why the kernel refused a call: the number it left in `errno`, and nothing else.
public struct Errno: Error, RawRepresentable, Hashable, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// What the last failed call on this thread left; read it before anything else runs.
  static var last: Errno { Errno(rawValue: Glibc.errno) }
}

extension Errno {
  public static var accessDenied: Errno { Errno(rawValue: EACCES) }
  public static var argumentsTooLong: Errno { Errno(rawValue: E2BIG) }
  public static var badAddress: Errno { Errno(rawValue: EFAULT) }
  public static var badDescriptor: Errno { Errno(rawValue: EBADF) }
  public static var brokenPipe: Errno { Errno(rawValue: EPIPE) }
  public static var crossesDevice: Errno { Errno(rawValue: EXDEV) }
  public static var exists: Errno { Errno(rawValue: EEXIST) }
  public static var interrupted: Errno { Errno(rawValue: EINTR) }
  public static var invalid: Errno { Errno(rawValue: EINVAL) }
  public static var isDirectory: Errno { Errno(rawValue: EISDIR) }
  public static var loop: Errno { Errno(rawValue: ELOOP) }
  public static var noEntry: Errno { Errno(rawValue: ENOENT) }
  public static var noProcess: Errno { Errno(rawValue: ESRCH) }
  public static var noSpace: Errno { Errno(rawValue: ENOSPC) }
  public static var notDirectory: Errno { Errno(rawValue: ENOTDIR) }
  public static var notEmpty: Errno { Errno(rawValue: ENOTEMPTY) }
  public static var notImplemented: Errno { Errno(rawValue: ENOSYS) }
  public static var notPermitted: Errno { Errno(rawValue: EPERM) }
  public static var tooManyFiles: Errno { Errno(rawValue: EMFILE) }
  public static var wouldBlock: Errno { Errno(rawValue: EAGAIN) }
}

extension Errno: CustomStringConvertible {
  /// `ENOSPC`; `errno 4095` where the C library has no name for it.
  public var description: String {
    guard let name = unsafe midwatch_errno_name(rawValue) else { return "errno \(rawValue)" }
    return unsafe String(cString: name)
  }
}
