public import Rules

/// The time that a heartbeat file says itself: `source = content` and `source = json:KEY.KEY`.
///
/// nil means that the content is no time, and the file's own counts: also for a time before
/// September 2001, which is a counter or a clock that was never set, not a sign of life.
public enum Beat {
  /// From the first line: RFC 3339, or seconds or milliseconds since 1970.
  public static func written(in content: RawSpan) -> WallTime? {
    var reader = ByteReader(content)
    guard let line = reader.line() else { return nil }
    return WallTime(text: line).flatMap { believed($0) }
  }

  /// From the JSON document that the content is: a string of the same kinds, or a number.
  /// - Parameter path: the keys to go down by.
  public static func written(in content: RawSpan, at path: [String]) -> WallTime? {
    let time: WallTime? =
      switch JSON(content)?.path(path) {
      case .string(let text): WallTime(text: text)
      case .integer(let number): WallTime(epoch: number)
      case .number(let number): WallTime(epoch: number)
      default: nil
      }
    return time.flatMap { believed($0) }
  }

  public static func written(in content: [UInt8]) -> WallTime? { unsafe written(in: content.span.bytes) }

  public static func written(in content: [UInt8], at path: [String]) -> WallTime? {
    unsafe written(in: content.span.bytes, at: path)
  }

  private static func believed(_ time: WallTime) -> WallTime? {
    time.seconds >= 1_000_000_000 ? time : nil
  }
}
