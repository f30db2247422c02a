/// A length of time in nanoseconds.
///
/// Arithmetic saturates instead of trapping: lengths come from file times and configuration, and
/// a file dated to the end of time must not stop the watch.
public struct TimeSpan: Hashable, Comparable, Sendable {
  public let nanoseconds: Int64
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static let zero = TimeSpan(nanoseconds: 0)

  public static func milliseconds(_ count: Int64) -> TimeSpan {
    TimeSpan(nanoseconds: saturating(count.multipliedReportingOverflow(by: 1_000_000), count))
  }

  public static func seconds(_ count: Int64) -> TimeSpan {
    TimeSpan(nanoseconds: saturating(count.multipliedReportingOverflow(by: 1_000_000_000), count))
  }

  /// Whole seconds, rounded down.
  public var seconds: Int64 { nanoseconds / 1_000_000_000 }

  public static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.nanoseconds < b.nanoseconds }
  public static func + (a: TimeSpan, b: TimeSpan) -> TimeSpan {
    TimeSpan(nanoseconds: adding(a.nanoseconds, b.nanoseconds))
  }
  public static func - (a: TimeSpan, b: TimeSpan) -> TimeSpan {
    TimeSpan(nanoseconds: subtracting(a.nanoseconds, b.nanoseconds))
  }
  public static func * (a: TimeSpan, factor: Int64) -> TimeSpan {
    let product = a.nanoseconds.multipliedReportingOverflow(by: factor)
    let sign: Int64 = (a.nanoseconds < 0) == (factor < 0) ? 1 : -1
    return TimeSpan(nanoseconds: saturating(product, sign))
  }
}

/// A point on CLOCK_MONOTONIC, in nanoseconds: what deadlines and ages are measured on.
public struct Instant: Hashable, Comparable, Sendable {
  public let nanoseconds: Int64
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
  public static func + (a: Instant, b: TimeSpan) -> Instant {
    Instant(nanoseconds: adding(a.nanoseconds, b.nanoseconds))
  }
  public static func - (a: Instant, b: TimeSpan) -> Instant {
    Instant(nanoseconds: subtracting(a.nanoseconds, b.nanoseconds))
  }
  public static func - (a: Instant, b: Instant) -> TimeSpan {
    TimeSpan(nanoseconds: subtracting(a.nanoseconds, b.nanoseconds))
  }
}

/// A point on CLOCK_REALTIME, in nanoseconds since 1970: what files are dated with and people read.
///
/// It steps when somebody sets the clock, so no deadline is ever kept on it.
public struct WallTime: Hashable, Comparable, Sendable {
  public let nanoseconds: Int64
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// From a `timespec`; a time out of range becomes the nearest one in it.
  public init(seconds: Int64, nanoseconds: Int64) {
    self.nanoseconds = adding(TimeSpan.seconds(seconds).nanoseconds, nanoseconds)
  }

  /// Whole seconds since 1970, rounded toward it.
  public var seconds: Int64 { nanoseconds / 1_000_000_000 }

  public static func < (a: WallTime, b: WallTime) -> Bool { a.nanoseconds < b.nanoseconds }
  public static func + (a: WallTime, b: TimeSpan) -> WallTime {
    WallTime(nanoseconds: adding(a.nanoseconds, b.nanoseconds))
  }
  public static func - (a: WallTime, b: TimeSpan) -> WallTime {
    WallTime(nanoseconds: subtracting(a.nanoseconds, b.nanoseconds))
  }
  public static func - (a: WallTime, b: WallTime) -> TimeSpan {
    TimeSpan(nanoseconds: subtracting(a.nanoseconds, b.nanoseconds))
  }
}

/// One reading of both clocks, taken together.
public struct Moment: Hashable, Sendable {
  public let instant: Instant
  public let wall: WallTime
  public init(instant: Instant, wall: WallTime) {
    self.instant = instant
    self.wall = wall
  }
}

private func saturating(_ result: (partialValue: Int64, overflow: Bool), _ sign: Int64) -> Int64 {
  guard result.overflow else { return result.partialValue }
  return sign < 0 ? .min : .max
}

private func adding(_ a: Int64, _ b: Int64) -> Int64 { saturating(a.addingReportingOverflow(b), b) }

private func subtracting(_ a: Int64, _ b: Int64) -> Int64 {
  saturating(a.subtractingReportingOverflow(b), b < 0 ? 1 : -1)
}
