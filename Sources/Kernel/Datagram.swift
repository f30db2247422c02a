internal import Glibc

/// A socket of this machine's that one-way messages are sent to.
///
/// - SeeAlso: unix(7)
struct Datagram: ~Copyable {
  private let descriptor: Descriptor
  private let address: sockaddr_un
  private let length: socklen_t

  /// - Parameter name: a path, or an abstract name after an `@`.
  /// - Returns: nil where it can be no socket's address, or no socket is to be had.
  init?(to name: [UInt8]) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = name
    guard let first = bytes.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@") else { return nil }
    if first == UInt8(ascii: "@") { bytes[0] = 0 }
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return nil }
    descriptor = Descriptor(owning: socket)
    self.address = address
    length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
  }

  /// Sends without waiting. That nobody takes it is ignored.
  borrowing func send(_ bytes: [UInt8]) {
    var address = address
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

/// The system's log, for a program that may print nothing.
///
/// - SeeAlso: syslog(3), RFC 3164
public enum SystemLog {
  public enum Level: Int, Sendable {
    case warning = 4
    case notice = 5
  }

  /// One line, in the facility that cron's own lines have. What comes from outside has been escaped.
  public static func say(_ level: Level, _ text: String, as program: String) {
    let cron = 9
    Datagram(to: Array("/dev/log".utf8))?.send(Array("<\(cron * 8 + level.rawValue)>\(program)[\(Own.pid)]: \(text)".utf8))
  }
}
