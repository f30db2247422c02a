/// What an agent makes that has lost its way: one article over and over, its paragraphs in another
/// order, words exchanged for others of the same sense, another title, another date, other numbers.
public struct ArticleVariations {
  private var random: Seeded
  /// How often a word that has synonyms is exchanged.
  public let exchanged: Double

  public init(seed: UInt64, exchanged: Double = 0.5) {
    random = Seeded(seed)
    self.exchanged = exchanged
  }

  /// The next variation, about 600 words of Markdown.
  public mutating func next() -> String {
    let title = oneOf(Self.titles)
    let day = Int.random(in: 1...28, using: &random)
    let month = oneOf(Self.months)
    var text = "# \(title)\n\n*Published on \(day) \(month) 2026, edition \(number(1...900))*\n"
    for paragraph in Self.paragraphs.shuffled(using: &random) {
      text += "\n"
      for word in paragraph.split(separator: " ") { text += varied(word) + " " }
      text += "\n"
    }
    return text
  }

  private mutating func oneOf(_ words: [String]) -> String { words[Int.random(in: 0..<words.count, using: &random)] }

  private mutating func number(_ range: ClosedRange<Int>) -> String { "\(Int.random(in: range, using: &random))" }

  /// A word with the punctuation behind it.
  private mutating func varied(_ word: Substring) -> String {
    let bare = word.prefix { $0 != "." && $0 != "," && $0 != ";" }
    let rest = word[bare.endIndex...]
    if bare == "NUMBER" { return number(2...99) + rest }
    guard let others = Self.synonyms[String(bare)], Double.random(in: 0..<1, using: &random) < exchanged
    else { return String(word) }
    return oneOf(others) + rest
  }

  private static let titles = [
    "Why small teams are moving their night jobs to one box", "The quiet return of the cron table",
    "Ten lessons from a month of unattended agents", "What we learned when nobody was watching",
    "Night shift: how agents share a single server", "A practical guide to running agents on a budget",
    "The case for boring infrastructure", "One server, five agents, no sleep",
  ]

  private static let months = ["January", "March", "May", "June", "August", "September", "November"]

  private static let synonyms: [String: [String]] = [
    "small": ["little", "tiny"], "cheap": ["inexpensive", "low-cost"], "quickly": ["fast", "rapidly"],
    "shows": ["reveals", "demonstrates"], "important": ["significant", "vital"], "large": ["big", "huge"],
    "problem": ["issue", "difficulty"], "teams": ["groups", "crews"], "often": ["frequently", "commonly"],
    "begins": ["starts", "commences"], "usually": ["normally", "generally"], "simple": ["plain", "easy"],
    "careful": ["cautious", "prudent"], "failure": ["breakdown", "fault"], "hidden": ["concealed", "unseen"],
    "help": ["assist", "support"], "buy": ["purchase", "acquire"], "answer": ["response", "reply"],
    "difficult": ["hard", "tricky"], "entire": ["whole", "complete"], "notice": ["see", "observe"],
    "fix": ["repair", "correct"], "error": ["mistake", "fault"], "good": ["fine", "decent"],
    "reason": ["cause", "explanation"], "however": ["nevertheless", "still"], "costs": ["expenses", "charges"],
    "work": ["labour", "effort"], "result": ["outcome", "consequence"], "careless": ["sloppy", "negligent"],
    "modern": ["current", "contemporary"], "everyone": ["everybody", "all people"], "silent": ["quiet", "mute"],
  ]

  private static let paragraphs = [
    """
    A server with NUMBER gigabytes of memory is cheap enough that most small teams buy one without a second \
    thought. It begins with a single script that fetches the news at dawn and writes a short summary for the \
    people who arrive at the office a few hours later. Then somebody adds an agent that answers mail, and \
    another that drafts the weekly report, and before long the entire week depends on a machine in a corner.
    """,
    """
    The first problem is usually memory. A browser that an agent opens to read one page keeps that page, and the \
    next one, and the one after that, until the kernel has to choose a victim. The choice shows up in the log as \
    a line that nobody reads until the morning, when the report is missing and everyone wants to know the reason. \
    By then the browser is gone and so is the evidence of what it had been doing all night.
    """,
    """
    The second problem is the lock. A task writes a file to say that it is busy, and when the task dies the file \
    stays where it was. Every later run sees the file, believes that work is going on and leaves politely. \
    Nothing fails, nothing is printed, and the pipeline stays silent for NUMBER hours. It is a failure without \
    an error, which is the most difficult kind to notice and the most expensive kind to explain to a customer.
    """,
    """
    The third problem is the opposite of silence. An agent that has lost its place will write the same article \
    again and again, with the paragraphs in another order and a fresh title on top. In one case that we looked \
    at there were NUMBER of them before breakfast, each of them good enough to be published and none of them \
    worth the paper. The costs of the tokens alone were more than the rent of the server for the month.
    """,
    """
    What should a careful operator do about all this? The modern answer is often a large platform with queues, \
    workers and a dashboard for every part. For a team of NUMBER people that is rather like buying a fire engine \
    to light a candle. A simple rule that is applied at once is better than a clever one that nobody on the team \
    can explain at three in the morning, when the telephone rings and the coffee has gone cold.
    """,
    """
    Start with what the kernel already knows. It knows which process holds which file, when that process began, \
    and whether it is still alive. It knows how long tasks have had to wait for memory, and it will tell whoever \
    asks. None of this has to be guessed from the age of a file or the length of a name; however, a surprising \
    number of tools do exactly that, and the result is a lock that is taken away from its living owner.
    """,
    """
    Next, write down what a normal night looks like. If an agent usually writes NUMBER files an hour, then ten \
    times as many is not a sign of diligence. A limit that is set with a generous margin will never be felt on a \
    good day, and on a bad one it stops the harm quickly. It is important that the limit stops the entire \
    pipeline and not just one part of it, because the careless part is seldom the one that pays the bill.
    """,
    """
    Then make sure that every action leaves a trace that a tired person can read. A line that says what was \
    done, to which file, on what evidence and how to take it back is worth more than a colourful graph. People \
    forgive a tool that was wrong once and said so; they do not forgive one that was hidden behind a wall of \
    charts while the help they needed was a single plain sentence about a single file in a single directory.
    """,
    """
    Finally, test the bad night before it comes. Kill the process that holds the lock, fill the disk, set the \
    clock back by an hour, and watch what happens. It takes NUMBER minutes and it will fix more than a month of \
    reading. Teams that do this once a quarter sleep better than teams that do not, and the reason is not that \
    their servers fail less; they have merely met the failure before, in daylight, with a sandwich in one hand.
    """,
  ]
}
