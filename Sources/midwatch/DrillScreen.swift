import Kernel
import Rules

/// What somebody sees who looks on.
struct DrillScreen {
  /// With --json nothing is told but the score.
  let isQuiet: Bool
  private let isLive = Terminal.isTerminal(.output)
  private var hasProgress = false
  private var minute: Int64 = 0

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  mutating func write(_ text: String) throws(Failure) {
    guard !isQuiet else { return }
    try Output.write((hasProgress ? "\r\u{1b}[K" : "") + text)
    hasProgress = false
  }

  /// `03:00:30  midwatch   research is silent`
  mutating func say(_ at: TimeSpan, _ who: String, _ text: String) throws(Failure) {
    try write("\(DrillStory.clock(at))  \(padded(who, 10)) \(text)\n")
  }

  /// A message that came in at that time.
  mutating func quote(_ at: TimeSpan, _ who: String, _ subject: String, _ text: [String]) throws(Failure) {
    try say(at, who, Ink.bold(subject))
    let margin = String(repeating: " ", count: 21)
    try write(text.map { "\(margin)| \($0)\n" }.joined())
  }

  /// One line that is written over on a terminal, and one each minute of the story elsewhere.
  mutating func progress(_ at: TimeSpan, _ text: String) throws(Failure) {
    guard !isQuiet else { return }
    if isLive {
      // Within 80 columns: what is wrapped is not written over.
      try Output.write("\r\u{1b}[K\(Ink.dim("\(DrillStory.clock(at))  \(text)"))")
      hasProgress = true
    } else if at.seconds / 60 > minute {
      minute = at.seconds / 60
      try say(at, "so far", text)
    }
  }
}
