internal import Glibc
public import Rules

/// Tells the service manager how this service is doing.
///
/// - SeeAlso: sd_notify(3); systemd.service(5), Type=notify
public struct ServiceManager: ~Copyable {
  private let descriptor: Descriptor
  private let address: sockaddr_un
  private let length: socklen_t

  /// nil where nobody listens: `NOTIFY_SOCKET` is unset, or names what is no socket's address.
  public init?() {
    guard let path = environment("NOTIFY_SOCKET"), let first = path.utf8.first,
      first == UInt8(ascii: "/") || first == UInt8(ascii: "@")
    else { return nil }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    if first == UInt8(ascii: "@") { bytes[0] = 0 }
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard bytes.count < room else { return nil }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return nil }
    descriptor = Descriptor(owning: socket)
    self.address = address
    length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
  }

  /// Sends assignments such as `READY=1`, one a line. That nobody takes them is ignored: a
  /// service goes on without its manager.
  public borrowing func tell(_ assignments: String) {
    var address = address
    let bytes = Array(assignments.utf8)
    let (number, length) = (descriptor.number, length)
    _ = unsafe bytes.withUnsafeBytes { message in
      unsafe withUnsafePointer(to: &address) { pointer in
        unsafe sendto(
          number, message.baseAddress, message.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT),
          UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), length)
      }
    }
  }
}

/// A variable of this process's environment, nil where it is unset or not UTF-8.
///
/// - SeeAlso: getenv(3)
public func environment(_ name: String) -> String? {
  guard let value = unsafe getenv(name) else { return nil }
  return unsafe String(validatingCString: value)
}

extension ServiceManager {
  /// How often the manager wants a sign of life at the latest; nil where it wants none.
  ///
  /// - SeeAlso: sd_watchdog_enabled(3)
  public static var watchdogPeriod: TimeSpan? {
    guard let text = environment("WATCHDOG_USEC"), let microseconds = Int64(text), microseconds > 0 else { return nil }
    if let pid = environment("WATCHDOG_PID"), pid != "\(getpid())" { return nil }
    return TimeSpan(nanoseconds: 1000) * microseconds
  }
}
