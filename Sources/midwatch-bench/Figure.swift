/// One thing that midwatch costs, beside a reference that was measured in the same run: an absolute time says
/// more of the machine than of midwatch.
struct Figure: Sendable {
  let name: String
  /// One line for `--help`.
  let meaning: String
  let measure: @Sendable () throws -> Measurement

  static let all = [Allocations.figure, Burst.figure, Start.figure, ProcessPass.figure, GateCost.start, GateCost.memory]
}

struct Measurement {
  let value: Double
  /// What the value was made of, for people.
  let detail: String

  init(_ value: Double, _ detail: String) {
    self.value = value
    self.detail = detail
  }

  /// - Parameter unit: what the two times are for, as in "an event".
  init(_ ours: Pace, to reference: Pace, unit: String) {
    self.init(
      rounded(ours.best / reference.best),
      "\(rounded(ours.best / 1000)) us \(unit), reference \(rounded(reference.best / 1000)) us")
  }
}

/// CPU time for one of many equal things: the best of several rounds, for whatever else the machine does can
/// only add to it.
struct Pace {
  private(set) var best = Double.infinity

  mutating func note(nanoseconds: Int, for count: Int) {
    if count > 0 { best = min(best, Double(nanoseconds) / Double(count)) }
  }
}

/// Why there is no figure; `description` is the one line the user sees.
struct NoFigure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
