internal import CLinux
internal import Glibc
public import Rules

/// A copy of this process that was not waited for yet: until it is, its number is nobody else's.
///
/// Only for a process with a single thread.
public struct ForkedChild: Sendable {
  public let pid: Int32

  /// Which of the two a process is.
  public enum Side: Sendable {
    case parent(of: ForkedChild)
    case child
  }

  /// - Throws: `EAGAIN` where no more processes are allowed; `ENOMEM`.
  /// - SeeAlso: fork(2)
  public static func fork() throws(Errno) -> Side {
    let pid = Glibc.fork()
    if pid < 0 { throw .last }
    return pid == 0 ? .child : .parent(of: ForkedChild(pid: pid))
  }

  /// The same, and the parent has let go of every descriptor before the child returns: what it inherited, a
  /// lock among it, is the child's alone from the first moment on.
  ///
  /// - SeeAlso: fork(2); pipe(7), whose end tells
  public static func forkLettingGo() throws(Errno) -> Side {
    var ends: [Int32] = [-1, -1]
    _ = unsafe pipe(&ends)
    let side = try fork()
    switch side {
    case .parent: Own.letGoOfEverything()
    case .child:
      close(ends[1])
      // Readable at its end; without a pipe nobody is waited for.
      var waited = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
      if ends[0] >= 0 { while unsafe poll(&waited, 1, -1) == -1, Errno.last == .interrupted {} }
      close(ends[0])
    }
    return side
  }

  /// - SeeAlso: kill(2)
  public func send(_ signal: Signal) { _ = kill(pid, signal.rawValue) }

  /// How it ended, if it does so within `span`; it was waited for then. SIGCHLD must be blocked.
  ///
  /// - SeeAlso: waitpid(2), sigtimedwait(2)
  public func ending(within span: TimeSpan) -> Child.Ending? {
    let deadline = Clock.instant() + span
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, SIGCHLD)
    while true {
      var status: Int32 = 0
      if unsafe waitpid(pid, &status, WNOHANG) == pid { return Child.Ending(status: status) }
      let left = deadline - Clock.instant()
      guard left > .zero else { return nil }
      var time = timespec(tv_sec: Int(left.seconds), tv_nsec: Int(left.nanoseconds % 1_000_000_000))
      _ = unsafe sigtimedwait(&set, nil, &time)
    }
  }
}

/// A child, or an orphan that was adopted, that has ended and is waited for with this.
public struct Reaped: Equatable, Sendable {
  public let pid: Int32
  public let ending: Child.Ending
  /// The most memory that one process of it had resident at a time.
  public let peakBytes: UInt64

  /// The next one that has ended, without waiting; nil where none has.
  ///
  /// - SeeAlso: wait4(2), getrusage(2)
  public static func next() -> Reaped? {
    var status: Int32 = 0
    var usage = rusage()
    let pid = unsafe wait4(-1, &status, WNOHANG, &usage)
    guard pid > 0 else { return nil }
    return Reaped(
      pid: pid, ending: Child.Ending(status: status),
      peakBytes: UInt64(clamping: usage.ru_maxrss).multipliedReportingOverflow(by: 1024).partialValue)
  }
}

extension Child.Ending {
  /// - Parameter status: as waitpid(2) gives it of a process that has ended.
  init(status: Int32) {
    let signal = status & 0x7f
    self = signal == 0 ? .exited(status >> 8 & 0xff) : .killed(by: signal)
  }
}
