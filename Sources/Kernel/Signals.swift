internal import CLinux
internal import Glibc

/// A signal's number, with the names this program uses.
///
/// - SeeAlso: signal(7)
public struct Signal: RawRepresentable, Hashable, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }
  public static let hangUp = Signal(rawValue: SIGHUP)
  public static let interrupt = Signal(rawValue: SIGINT)
  public static let terminate = Signal(rawValue: SIGTERM)
  public static let kill = Signal(rawValue: SIGKILL)
  public static let pipe = Signal(rawValue: SIGPIPE)
  public static let childEnded = Signal(rawValue: SIGCHLD)
  public static let stop = Signal(rawValue: SIGSTOP)
  public static let terminalStop = Signal(rawValue: SIGTSTP)
  public static let proceed = Signal(rawValue: SIGCONT)

  /// As kill(1) calls it; the number for any other.
  public var name: String {
    switch self {
    case .hangUp: "HUP"
    case .interrupt: "INT"
    case .terminate: "TERM"
    case .kill: "KILL"
    case .pipe: "PIPE"
    case .stop: "STOP"
    case .proceed: "CONT"
    default: "\(rawValue)"
    }
  }
}

/// The signals that a service is spoken to by, as a descriptor for epoll.
///
/// - SeeAlso: signalfd(2)
public struct Signals: ~Copyable {
  public let descriptor: Descriptor

  /// Blocks SIGHUP, SIGINT and SIGTERM and takes them in by descriptor from here on; ignores
  /// SIGPIPE, for a reader that went away is an error like any other.
  public init() throws(Errno) {
    _ = signal(SIGPIPE, SIG_IGN)
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for signal in [SIGHUP, SIGINT, SIGTERM] { unsafe sigaddset(&set, signal) }
    _ = unsafe sigprocmask(SIG_BLOCK, &set, nil)
    descriptor = Descriptor(
      owning: try retrying { unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC)) })
  }

  /// As every program expects to find them: for a copy of this process before it becomes another program.
  public static func release() {
    _ = signal(SIGPIPE, SIG_DFL)
    var set = sigset_t()
    unsafe sigemptyset(&set)
    _ = unsafe sigprocmask(SIG_SETMASK, &set, nil)
  }

  /// The next signal that arrived, or nil.
  public borrowing func next() -> Signal? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard unsafe Glibc.read(descriptor.number, &info, size) == size else { return nil }
    return Signal(rawValue: Int32(truncatingIfNeeded: info.ssi_signo))
  }
}
