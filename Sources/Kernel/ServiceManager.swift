internal import Glibc
public import Rules

/// Tells the service manager how this service is doing.
///
/// - SeeAlso: sd_notify(3); systemd.service(5), Type=notify
public struct ServiceManager: ~Copyable {
  private let socket: Datagram

  /// nil where nobody listens: `NOTIFY_SOCKET` is unset, or names what is no socket's address.
  public init?() {
    guard let path = environment("NOTIFY_SOCKET"), let socket = Datagram(to: Array(path.utf8)) else { return nil }
    self.socket = socket
  }

  /// Sends assignments such as `READY=1`, one a line. That nobody takes them is ignored: a
  /// service goes on without its manager.
  public borrowing func tell(_ assignments: String) { socket.send(Array(assignments.utf8)) }
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
