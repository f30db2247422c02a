import TestSupport
import Testing

/// One situation in which a browser, a part of it or a helper is a leak, or only looks like one.
struct LeakSpecimen: CustomTestStringConvertible, Sendable {
  typealias Step = @Sendable (Cage) async throws -> Void

  let testDescription: String
  var programs = ["chromium", "chromium-headless-shell"]
  var user: UInt32 = 0
  /// Starts it; all is well afterwards.
  let begin: Step
  /// Makes it what its name says; at an innocent, what only looks like a leak.
  var turn: Step = { _ in }
  /// Whether it has become what its name says.
  let proof: @Sendable (Scene) -> Bool
  /// The roles that midwatchd is to end, and what the journal calls that; none at an innocent.
  var goes: [String] = []
  var kind = "orphan-browser"
  /// Whether it becomes a leak only while midwatchd looks on.
  var isLate = false

  var isThere: Bool { programs.allSatisfy { Programs.has($0) } }

  /// Users that Debian always has: one whose processes midwatchd is told to look after, and one of no concern.
  static let agents: UInt32 = 65534
  static let games: UInt32 = 5
  /// Has a pipeline, and a midwatchd, of its own.
  static let webUser: UInt32 = 33

  /// What most are made of, for it starts with a fifth of the work: Chromium without a window, and without
  /// handlers of crashes. The script is Debian's, which waits for it.
  static let shell = "/usr/lib/chromium/chromium-headless-shell"
  static let script = "/usr/bin/chromium-headless-shell"
}
