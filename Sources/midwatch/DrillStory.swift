import Kernel
import Rules

/// The night as it was told: what cron starts and when, and what lay there before. Times are the story's, from
/// 03:00:00 on.
struct DrillStory: Sendable {
  /// How much faster than it was: every span is divided by it, the agents' and midwatchd's alike.
  let speed: Int64

  static let length = TimeSpan.seconds(480)
  static let speeds: ClosedRange<Int64> = 1...240
  /// What the broken retry makes of one article.
  static let variations = 47

  /// When the run began that was killed and left its lock.
  static let lockAge = TimeSpan.seconds(1735)
  /// When it beat last.
  static let beatAge = TimeSpan.seconds(870)

  struct Start: Sendable {
    let at: TimeSpan
    let agent: String
    /// What a person who looks on is told where it is not midwatch that speaks.
    var telling: String?
  }

  /// cron's table, in order.
  static let starts: [Start] = {
    var starts = [
      Start(
        at: .seconds(2), agent: "research",
        telling: "finds tasks/research.lock of 02:31, takes it for another run at work, and gives up"),
      Start(
        at: .seconds(20), agent: "scheduler",
        telling: "asks content for an article, misses that it is there, and asks again, and again"),
      Start(at: .seconds(300), agent: "research"),
    ]
    for round in 0..<12 {
      let telling = round == 0 ? "finds a new article and posts it to Discord, as each time it finds one" : nil
      starts.append(Start(at: .seconds(35 + 40 * Int64(round)), agent: "community", telling: telling))
    }
    for round in 0..<8 {
      let telling = round == 0 ? "looks up keywords; beyond two a minute the service answers 429" : nil
      starts.append(Start(at: .seconds(50 + 60 * Int64(round)), agent: "seo", telling: telling))
    }
    return starts.sorted { $0.at < $1.at }
  }()

  /// A span of the story's, in whole milliseconds of this night.
  func real(_ span: TimeSpan) -> TimeSpan { .milliseconds(max(1, span.nanoseconds / speed / 1_000_000)) }

  func told(_ real: TimeSpan) -> TimeSpan { real * speed }

  /// `03:01:09`
  static func clock(_ at: TimeSpan) -> String {
    let seconds = max(0, 3 * 3600 + at.seconds)
    return [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }

  /// `0:58`, for a table.
  static func minutes(_ span: TimeSpan) -> String {
    let seconds = max(0, span.seconds)
    return "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
  }
}
