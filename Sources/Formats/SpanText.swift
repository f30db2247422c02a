public import Rules

extension TimeSpan {
  /// In systemd's units, the largest first: `30min`, `1h 30min`, `12s`, `450ms`, `1w 2d`; `0s` for
  /// nothing. What is finer than a microsecond is dropped.
  public var text: String { text(parts: .max) }

  /// The same, of the largest units only; the rest is dropped: 28 h 31 min 7 s in two parts is
  /// `1d 4h`.
  /// - Parameter parts: at least 1.
  public func text(parts: Int) -> String {
    var rest = nanoseconds.magnitude / 1_000
    guard rest > 0 else { return "0s" }
    var text: [UInt8] = nanoseconds < 0 ? [.minus] : []
    var left = max(parts, 1)
    var isFirst = true
    func append(_ unit: String, of microseconds: UInt64) {
      let count = rest / microseconds
      rest %= microseconds
      // A gap counts as a part: "1d" is nearer than "1d 12s".
      guard left > 0, count > 0 || !isFirst else { return }
      left -= 1
      guard count > 0 else { return }
      if !isFirst { text.append(.space) }
      isFirst = false
      appendDecimal(count, to: &text)
      text.append(contentsOf: unit.utf8)
    }
    append("w", of: 604_800_000_000)
    append("d", of: 86_400_000_000)
    append("h", of: 3_600_000_000)
    append("min", of: 60_000_000)
    append("s", of: 1_000_000)
    append("ms", of: 1_000)
    append("us", of: 1)
    return String(decoding: text, as: UTF8.self)
  }
}
