internal import CLinux
internal import Glibc

/// A handle on a process that becomes readable when the process has ended, and that stays with
/// that process even when its pid is given to another.
///
/// - SeeAlso: pidfd_open(2)
public struct ProcessHandle: ~Copyable {
  public let descriptor: Descriptor

  /// Opens by number, so the caller compares the start time after opening, not before.
  ///
  /// - Parameter pid: a process id in this process's own pid namespace, 1 or more.
  /// - Throws: `ESRCH` where no process has that pid; `EINVAL` where it is no process's;
  ///   `EMFILE` where no more descriptors are to be had; `ENOSYS` before Linux 5.3.
  public init(pid: Int32) throws(Errno) {
    descriptor = Descriptor(owning: try retrying { midwatch_pidfd_open(pid) })
  }

  /// Whether the process has ended, zombies included.
  public borrowing func hasEnded() -> Bool {
    var poll = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
    return unsafe Glibc.poll(&poll, 1, 0) == 1
  }

  /// - Throws: `ESRCH` where it has ended and was waited for; `EPERM` where it is another user's.
  /// - SeeAlso: pidfd_send_signal(2)
  public borrowing func send(_ signal: Signal) throws(Errno) {
    let number = descriptor.number
    try retrying { midwatch_pidfd_send_signal(number, signal.rawValue) }
  }

  /// The same to every process of the group that this one leads; before Linux 6.9 to this one alone.
  ///
  /// - SeeAlso: pidfd_send_signal(2), PIDFD_SIGNAL_PROCESS_GROUP
  public borrowing func sendToGroup(_ signal: Signal) throws(Errno) {
    let number = descriptor.number
    do throws(Errno) { try retrying { midwatch_pidfd_send_group_signal(number, signal.rawValue) } } catch {
      guard error == .invalid else { throw error }
      try send(signal)
    }
  }
}

/// This process.
public enum Own {
  public static var pid: Int32 { getpid() }
  public static var uid: UInt32 { geteuid() }
  public static var gid: UInt32 { getegid() }
}

extension ProcessHandle {
  public borrowing func register(with epoll: borrowing Epoll, key: UInt64) throws(Errno) {
    try epoll.add(descriptor, key: key)
  }
}
