import Daemon
import Formats
import Kernel
import Rules

/// `midwatch undo`: puts a reaped lock back.
enum Undo {
  static let command = Command(
    name: "undo", summary: "put a reaped lock back", usage: "SEQ",
    details: """
      Puts back the lock that line SEQ of the journal reaped: content, mode, owner and times. It is
      not judged again until it is written anew. 'midwatch log' shows the numbers, as [undo 12].

      Exit: 0 it stands again; 1 it does not, and why; 69 no midwatchd runs there.
      """,
    operands: .one("a line's number", example: "12"), run: run)

  static func run(_ invocation: Invocation) throws(Failure) -> Int32 {
    let word = invocation.operands[0]
    guard let sequence = Int64(word), sequence > 0 else {
      throw .misused(
        "'\(escaped(Array(word.utf8)))' is not a line's number; 'midwatch log' shows them, as in [undo 12]")
    }
    let site = try Site(invocation)
    if site.holder == .nobody {
      throw .failed(69, "midwatch: no midwatchd runs here to put it back; start it: \(site.start)")
    }
    let directory = try site.state()
    guard JournalReader.entry(sequence, in: directory) != nil else {
      throw .failed(1, "midwatch: the journal has no line \(sequence); to see the lines: \(site.typed("log"))")
    }
    let answer = try Answer(site)
    try answer.request("undo-\(sequence)")
    let line = try answer.wait { line in
      ["undone", "undo-refused"].contains(line.what) && line.json["undoes"]?.integer == sequence
    }
    guard let line else {
      throw .failed(1, "midwatch: midwatchd did not answer within 5 s; look at its log, and at \(site.typed("log"))")
    }
    let isDone = line.what == "undone"
    if invocation.wantsJSON {
      try Output.write(line.bytes + [0x0a])
    } else if isDone {
      try Output.write("\(shown(line.words))\n")
    }
    if !isDone { throw .failed(1, "midwatch: \(shown(line.words))") }
    return 0
  }
}

/// A request to the watch, and its line in the journal.
struct Answer {
  private let site: Site
  private let follower: JournalFollower

  /// Listens first, so that the answer cannot be missed.
  init(_ site: Site) throws(Failure) {
    self.site = site
    do throws(Errno) { follower = try JournalFollower(in: site.places.state) } catch { throw site.unreadable(error) }
  }

  func request(_ text: String) throws(Failure) {
    do throws(Errno) { try Requests.submit(text, to: site.places) } catch { throw site.unreadable(error) }
  }

  /// nil where it did not come within five seconds.
  func wait(for isIt: (JournalLine) -> Bool) throws(Failure) -> JournalLine? {
    var found: JournalLine?
    try follow(for: .seconds(5)) { line in
      if isIt(line) { found = line }
      return found != nil
    }
    return found
  }

  /// Hears every line until one is the last, or the time is over.
  func follow(for span: TimeSpan, _ isLast: (JournalLine) -> Bool) throws(Failure) {
    let deadline = Clock.instant() + span
    while true {
      let lines: [JournalLine]
      do throws(Errno) { lines = try follower.lines(before: deadline) } catch { throw site.unreadable(error) }
      if lines.isEmpty || lines.contains(where: isLast) { return }
    }
  }
}
