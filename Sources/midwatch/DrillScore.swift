import Formats
import Rules

/// What one world has to show for its night.
struct DrillTally {
  var outputs = 0
  /// Of these, of the same article.
  var articles = 0
  var posts = 0
  /// Calls that the rate limiter refused.
  var refused = 0

  var words: String { "\(counted(articles, "article")), \(counted(posts, "post"))" }

  var json: JSON {
    .fields([
      "outputs": .number(outputs), "articles": .number(articles), "posts": .number(posts), "refused": .number(refused),
    ])
  }
}

/// The end of the story: what was written before the halt, and what without midwatch. Times are the story's.
struct DrillScore {
  private(set) var haltedAt: TimeSpan?
  private(set) var before = 0
  private(set) var guarded = DrillTally()
  private(set) var alone = DrillTally()
  private(set) var length = TimeSpan.zero
  var reapedAt: TimeSpan?
  var skipped = 0
  var alerts = 0
  /// Messages that one of these is over.
  var overs = 0

  mutating func halted(_ at: TimeSpan, before count: Int) {
    haltedAt = at
    before = count
  }

  mutating func finish(_ at: TimeSpan, guarded: DrillTally, alone: DrillTally) {
    length = at
    self.guarded = guarded
    self.alone = alone
    if haltedAt == nil { before = guarded.outputs }
  }

  private var after: Int { max(0, guarded.outputs - before) }

  /// Before the night had taken its course.
  var wasStopped: Bool { haltedAt != nil && guarded.articles < alone.articles }

  func text(_ kept: String?) -> String {
    let none = "-"
    let rows: [(String, String, String)] = [
      ("outputs before the halt", "\(before)", none),
      ("outputs after the halt", haltedAt == nil ? none : "\(after)", none),
      ("outputs of the night", "\(guarded.outputs)", "\(alone.outputs)"),
      ("  of one and the same article", "\(guarded.articles)", "\(alone.articles)"),
      ("posts to Discord", "\(guarded.posts)", "\(alone.posts)"),
      ("calls that met the rate limit", "\(guarded.refused)", "\(alone.refused)"),
      (
        "minutes until it was stopped", haltedAt.map(DrillStory.minutes) ?? "never",
        "never (watched for \(DrillStory.minutes(length)))"
      ),
      ("the lock of 02:31", reapedAt.map { "reaped \(DrillStory.clock($0))" } ?? "still there", "still there"),
      ("cron's jobs held back", "\(skipped)", none),
      ("alerts", "\(alerts)\(overs > 0 ? ", and \(overs) that it is over" : "")", none),
    ]
    let table = [("", "with midwatch", "without")] + rows
    let first = table.map(\.0.utf8.count).max() ?? 0
    let second = table.map(\.1.utf8.count).max() ?? 0
    var text = "\n"
    for (number, row) in table.enumerated() {
      let line = "\(padded(row.0, first))   \(padded(row.1, second))   \(row.2)"
      text += (number == 0 ? Ink.bold(line) : line) + "\n"
    }
    text += "\nWithout midwatch is no guess: the same agents were run, at the same time, beside it.\n"
    text += wasStopped ? Ink.green("The story was stopped.") : Ink.red("The story was not stopped.")
    return text + (kept.map { " Kept: \($0)" } ?? " All of it is ended and removed.") + "\n"
  }

  func json(_ kept: String?) -> JSON {
    .fields([
      "v": .integer(1), "stopped": .bool(wasStopped), "halted_after_s": .seconds(haltedAt),
      "outputs_before_halt": .number(before), "outputs_after_halt": .number(haltedAt == nil ? nil : after),
      "with": guarded.json, "without": alone.json, "lock_reaped_after_s": .seconds(reapedAt), "skipped": .number(skipped),
      "alerts": .number(alerts), "overs": .number(overs), "story_s": .seconds(length), "kept": .text(kept),
    ])
  }
}
