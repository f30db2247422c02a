internal import Formats
public import Rules

/// Sizes and consumers of memory in words. Names stand escaped.
extension MemoryLedger {
  /// The greatest consumers, one a line, for an alert: `chromium of bob, 63 renderers: 2.0 GB (ps says 9.4)`.
  public func causes(_ count: Int = 3) -> [String] { rows.prefix(count).map(\.cause) }
}

extension MemoryLedger.Row {
  /// `chromium of bob, 63 renderers: 2.0 GB (ps says 9.4)`
  public var cause: String {
    var text = who
    let what = renderersInWords ?? (processes == 1 ? nil : "\(processes) processes")
    text += what.map { ", \($0)" } ?? " (pid \(first.pid))"
    text += ": \(isEstimated ? "about " : "")\(MemorySize.text(total))"
    if overstates { text += " (ps says \(MemorySize.text(resident, like: total)))" }
    return text
  }

  /// `chromium of bob`, `job seo-daily of bob`.
  public var who: String {
    if case .job = kind { return "job \(shownName) of \(shownUser)" }
    return "\(shownName) of \(shownUser)"
  }

  public var shownName: String { name.isEmpty ? "a process without a name" : escaped(name) }
  public var shownUser: String { escaped(Array(UserName.of(uid: user).utf8)) }

  /// `63 renderers, 31 idle > 6 h`; nil without any.
  public var renderersInWords: String? {
    guard !renderers.isEmpty else { return nil }
    let count = "\(renderers.count) renderer\(renderers.count == 1 ? "" : "s")"
    for hours in [24, 6, 1] as [Int64] {
      let idle = idleRenderers(over: .seconds(hours * 3600))
      if idle > 0 { return "\(count), \(idle) idle > \(hours) h" }
    }
    for hours in [24, 6, 1] as [Int64] {
      let old = renderers(olderThan: .seconds(hours * 3600))
      if old > 0 { return "\(count), \(old) older than \(hours) h" }
    }
    return count
  }

  /// The sum of RSS is off by more than a fifth.
  public var overstates: Bool { resident > total && resident - total > total / 5 }
}

/// 1024 bytes are 1 kB, as for the kernel, free(1) and ps(1).
public enum MemorySize {
  private static let units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"]

  /// `2.0 GB`, `734 MB`.
  public static func text(_ bytes: UInt64) -> String {
    let unit = unit(of: bytes)
    return "\(number(bytes, unit)) \(units[unit])"
  }

  /// `9.4`, if it is told in the unit of `other`; else with its own.
  static func text(_ bytes: UInt64, like other: UInt64) -> String {
    let unit = unit(of: bytes)
    return unit == self.unit(of: other) ? number(bytes, unit) : text(bytes)
  }

  /// By what is shown: 1023.9 MB are 1.0 GB.
  private static func unit(of bytes: UInt64) -> Int {
    var unit = 0
    while unit < units.count - 1, rounded(bytes, unit) >= 1024 { unit += 1 }
    return unit
  }

  private static func number(_ bytes: UInt64, _ unit: Int) -> String {
    guard unit >= 3 else { return "\(rounded(bytes, unit))" }
    let scale: UInt64 = 1 << (UInt64(unit) * 10)
    let (whole, rest) = bytes.quotientAndRemainder(dividingBy: scale)
    let tenths = (rest / (scale / 1024) * 10 + 512) / 1024
    return tenths == 10 ? "\(whole + 1).0" : "\(whole).\(tenths)"
  }

  private static func rounded(_ bytes: UInt64, _ unit: Int) -> UInt64 {
    guard unit > 0 else { return bytes }
    let shift = UInt64(unit) * 10
    return (bytes >> shift) + (bytes >> (shift - 1) & 1)
  }
}
