internal import Glibc
public import Rules

/// - SeeAlso: clock_gettime(2)
public enum Clock {
  public static func now() -> Moment { Moment(instant: instant(), wall: wall()) }

  public static func instant() -> Instant {
    let time = read(CLOCK_MONOTONIC)
    return Instant(nanoseconds: WallTime(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec)).nanoseconds)
  }

  public static func wall() -> WallTime {
    let time = read(CLOCK_REALTIME)
    return WallTime(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
  }

  /// Since boot, sleep included: what `/proc/PID/stat` field 22 counts on.
  public static func sinceBoot() -> TimeSpan {
    let time = read(CLOCK_BOOTTIME)
    return TimeSpan.seconds(Int64(time.tv_sec)) + TimeSpan(nanoseconds: Int64(time.tv_nsec))
  }

  /// The unit of `/proc/PID/stat` times. - SeeAlso: sysconf(3), _SC_CLK_TCK
  public static let ticksPerSecond: Int64 = max(1, Int64(sysconf(Int32(_SC_CLK_TCK))))

  /// So many ticks as a length of time.
  public static func span(ofTicks ticks: UInt64) -> TimeSpan {
    let (seconds, rest) = ticks.quotientAndRemainder(dividingBy: UInt64(ticksPerSecond))
    return TimeSpan.seconds(Int64(clamping: seconds)) + TimeSpan(nanoseconds: Int64(rest) * (1_000_000_000 / ticksPerSecond))
  }

  /// Sleeps for `span`; a signal does not cut it short by more than itself.
  public static func rest(_ span: TimeSpan) {
    guard span > .zero else { return }
    var time = timespec(tv_sec: Int(span.seconds), tv_nsec: Int(span.nanoseconds % 1_000_000_000))
    _ = unsafe nanosleep(&time, nil)
  }

  private static func read(_ clock: clockid_t) -> timespec {
    var time = timespec()
    _ = unsafe clock_gettime(clock, &time)
    return time
  }
}
