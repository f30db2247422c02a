internal import CLinux
internal import Glibc
public import Rules

/// A deadline that epoll can wait for.
///
/// - SeeAlso: timerfd_create(2)
public struct Timer: ~Copyable {
  public let descriptor: Descriptor

  /// On CLOCK_MONOTONIC.
  public init() throws(Errno) {
    descriptor = Descriptor(
      owning: try retrying { timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK | TFD_CLOEXEC)) })
  }

  /// Becomes readable at `instant`; nil disarms it.
  public borrowing func arm(at instant: Instant?) throws(Errno) {
    var spec = itimerspec()
    if let instant {
      // All zero would disarm it; the past is as good as now.
      let nanoseconds = max(1, instant.nanoseconds)
      spec.it_value = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
    let number = descriptor.number
    try retrying { unsafe timerfd_settime(number, Int32(TFD_TIMER_ABSTIME), &spec, nil) }
  }

  /// Takes the expiry in, so that the descriptor is no longer readable.
  public borrowing func acknowledge() {
    var count: UInt64 = 0
    _ = unsafe Glibc.read(descriptor.number, &count, 8)
  }
}

/// Becomes readable when somebody sets the wall clock.
///
/// - SeeAlso: timerfd_create(2), TFD_TIMER_CANCEL_ON_SET
public struct ClockWatch: ~Copyable {
  public let descriptor: Descriptor

  public init() throws(Errno) {
    let timer = Descriptor(
      owning: try retrying { timerfd_create(CLOCK_REALTIME, Int32(TFD_NONBLOCK | TFD_CLOEXEC)) })
    try Self.arm(timer)
    descriptor = timer
  }

  private static func arm(_ timer: borrowing Descriptor) throws(Errno) {
    var spec = itimerspec()
    spec.it_value = timespec(tv_sec: Int(Int32.max) * 4, tv_nsec: 0)  // in the year 2242: only a step matters
    let flags = Int32(TFD_TIMER_ABSTIME) | Int32(TFD_TIMER_CANCEL_ON_SET)
    let number = timer.number
    try retrying { unsafe timerfd_settime(number, flags, &spec, nil) }
  }

  /// Takes the step in and waits for the next one.
  public borrowing func acknowledge() throws(Errno) {
    var count: UInt64 = 0
    _ = unsafe Glibc.read(descriptor.number, &count, 8)  // ECANCELED is the message itself
    try Self.arm(descriptor)
  }
}
