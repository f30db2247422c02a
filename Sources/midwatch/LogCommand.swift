import Configuration
import Daemon
import Formats
import Kernel
import Rules

/// `midwatch log`: what was decided, the oldest first.
enum LogCommand {
  static let command = Command(
    name: "log", summary: "what was decided, and why",
    usage: "[-n COUNT] [--since SPAN] [--rule NAME] [-f]",
    details: """
      Shows the journal's lines, the oldest first, across all files that are kept. Times are UTC.

        -n, --lines COUNT        the last COUNT lines (default 50; with --since all of them)
            --since SPAN         not older than that, as in --since 2h
            --rule NAME          of one rule: \(rules.joined(separator: ", "))
        -f, --follow             go on with what is decided from now on, until ctrl-c

      With --json the lines are the journal's own.
      Exit: 0, also where there is nothing to show; 1 no journal is there.
      """,
    options: [
      .init(name: "--lines", short: "-n", value: "a number of lines"),
      .init(name: "--since", short: nil, value: "a span of time, as in --since 2h"),
      .init(name: "--rule", short: nil, value: "a rule's name"),
      .init(name: "--follow", short: "-f", value: nil),
    ],
    run: run)

  static let rules = ["watch", "locks", "heartbeats", "outputs", "jobs", "halt", "memory", "leaks", "alert"]

  static func run(_ invocation: Invocation) throws(Failure) -> Int32 {
    let filter = try LogFilter(invocation)
    let site = try Site(invocation)
    let follower: JournalFollower?
    let past: [JournalLine]
    var undone: Set<Int64> = []
    do throws(Errno) {
      // Before the past is read, so that nothing falls in between.
      follower = invocation.options["--follow"] == nil ? nil : try JournalFollower(in: site.places.state)
      past = try filter.past(in: Directory(site.places.state), &undone)
    } catch { throw site.unreadable(error) }
    var screen = LogScreen(isRaw: invocation.wantsJSON, undone: undone)
    for line in past { try screen.show(line) }
    if past.isEmpty, !invocation.wantsJSON { try Output.write("\(filter.nothing(follower != nil))\n") }
    var last = past.last?.sequence ?? 0
    while let follower {
      for line in try next(follower, site) where line.sequence > last && filter.lets(line) {
        last = line.sequence
        try screen.show(line)
      }
    }
    return 0
  }

  private static func next(_ follower: JournalFollower, _ site: Site) throws(Failure) -> [JournalLine] {
    do throws(Errno) { return try follower.lines(before: nil) } catch { throw site.unreadable(error) }
  }
}

/// Which lines are asked for.
struct LogFilter {
  let count: Int
  let since: WallTime?
  let sinceText: String
  let rule: String?

  init(_ invocation: Invocation) throws(Failure) {
    var count = 50
    var since: WallTime?
    sinceText = invocation.options["--since"] ?? ""
    if !sinceText.isEmpty || invocation.options["--since"] != nil {
      do throws(Fault) { since = Clock.wall() - (try Units.span(sinceText)) } catch {
        throw .misused("--since: \(error)")
      }
      count = .max
    }
    if let text = invocation.options["--lines"] {
      guard let number = Int(text), number > 0 else {
        throw .misused("--lines: '\(escaped(Array(text.utf8)))' is not a number of lines; write one such as -n 20")
      }
      count = number
    }
    rule = invocation.options["--rule"]
    if let rule, !LogCommand.rules.contains(rule) {
      let near = Suggestion.nearest(to: Array(rule.utf8), among: LogCommand.rules)
      throw .misused(
        "--rule: there is no rule '\(escaped(Array(rule.utf8)))'; "
          + (near.map { "did you mean '\($0)'?" } ?? "there are \(alternatives(LogCommand.rules, "and"))"))
    }
    self.count = count
    self.since = since
  }

  func lets(_ line: JournalLine) -> Bool { rule.map { $0 == line.rule } ?? true }

  /// The lines that stand there already, the oldest first.
  func past(in directory: borrowing Directory, _ undone: inout Set<Int64>) throws(Errno) -> [JournalLine] {
    var lines: [JournalLine] = []
    var taken: Set<Int64> = []
    try JournalReader.newestFirst(in: directory) { line in
      if let since, let time = line.time, time < since { return false }
      if line.what == "undone", let sequence = line.json["undoes"]?.integer { taken.insert(sequence) }
      if lets(line) { lines.append(line) }
      return lines.count < count
    }
    undone = taken
    return lines.reversed()
  }

  func nothing(_ follows: Bool) -> String {
    let which = rule.map { " of the rule '\($0)'" } ?? ""
    let when = since == nil ? "" : " in the last \(sinceText)"
    return "nothing\(which) was decided\(when)\(follows ? "; waiting for more" : "")"
  }
}

/// Lines for people: the day once, then one line each.
struct LogScreen {
  let isRaw: Bool
  /// Reaped locks that were put back.
  let undone: Set<Int64>
  private var day = ""

  init(isRaw: Bool, undone: Set<Int64>) {
    self.isRaw = isRaw
    self.undone = undone
  }

  mutating func show(_ line: JournalLine) throws(Failure) {
    if isRaw { return try Output.write(line.bytes + [0x0a]) }
    let time = line.time
    if let time, time.day != day {
      day = time.day
      try Output.write(Ink.dim("-- \(day), times are UTC") + "\n")
    }
    try Output.write("\(line.sentence(undone: undone.contains(line.sequence)))\n")
  }
}

extension JournalLine {
  /// `03:02:11 locks      reaped /srv/x.lock: ... [undo 12]`
  func sentence(undone: Bool) -> String {
    let undo = canBeUndone ? (undone ? " [undone]" : " [undo \(sequence)]") : ""
    let words = shown(words)
    return "\(time?.clock ?? "--:--:--") \(padded(shown(rule), 10)) \(isGrave ? Ink.red(words) : words)\(Ink.dim(undo))"
  }

  private var isGrave: Bool { ["halted", "forced-open", "still-halted", "not-writable", "starved"].contains(what) }
}
