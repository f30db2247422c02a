internal import CLinux
internal import Glibc

/// Every signal to a process that stands before another one, taken in one by one to be handed on.
///
/// - SeeAlso: signal(7); sigwaitinfo(2)
public struct JobSignals: ~Copyable {
  public struct Arrival: Equatable, Sendable {
    public let signal: Signal
    /// A terminal's, or the kernel's own: whoever else it concerns got it too.
    public let isFromKernel: Bool
  }

  private let inherited: sigset_t
  private let ignoredEndings: Bool

  /// Blocks every signal that can be blocked. What was ignored stays ignored, but for SIGCHLD, without which
  /// no child could be waited for.
  public init() {
    var all = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&all)
    _ = unsafe sigprocmask(SIG_SETMASK, &all, &before)
    inherited = before
    let handler = signal(SIGCHLD, SIG_DFL)
    ignoredEndings = unsafe unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// As they were when this process was started: for a child before it becomes another program.
  public borrowing func restore() {
    if ignoredEndings { _ = signal(SIGCHLD, SIG_IGN) }
    var set = inherited
    _ = unsafe sigprocmask(SIG_SETMASK, &set, nil)
  }

  /// Sleeps until a signal arrives.
  public borrowing func next() -> Arrival {
    var all = sigset_t()
    unsafe sigfillset(&all)
    while true {
      var info = unsafe siginfo_t()
      let number = unsafe sigwaitinfo(&all, &info)
      // SI_KERNEL, which no header of the Glibc module has.
      if number > 0 { return Arrival(signal: Signal(rawValue: number), isFromKernel: unsafe info.si_code == 0x80) }
    }
  }
}
