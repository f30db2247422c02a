import Configuration
import Daemon
import Formats
import Kernel
import Rules

/// `midwatch why`: what midwatch makes of one file or agent, and what it did about it.
enum Why {
  static let command = Command(
    name: "why", summary: "what becomes of a file, an agent or a process, and why", usage: "PATH|AGENT|PID",
    details: """
      Says which rule a path concerns, what it is now and what becomes of it: for a lock the whole
      ladder, for a heartbeat and an agent its silence, for an output the count, for a process whose
      it is and whether it is leaked. Then the journal's lines about it, the newest first. Touches
      nothing.

      A relative PATH counts from the working directory, then from the pipeline's root. Names that
      midwatch showed with \\xNN are understood as they were shown.

      Exit: 0; 1 where it is of no concern to midwatch.
      """,
    operands: .one("a path, an agent's name or a pid", example: "tasks/build.lock"), run: run)

  static func run(_ invocation: Invocation) throws(Failure) -> Int32 {
    let site = try Site(invocation)
    let explanation = Inquiry(site, invocation.operands[0]).explanation()
    try Output.write(invocation.wantsJSON ? explanation.json.line : Array(explanation.text.utf8))
    return explanation.isOfConcern ? 0 : 1
  }
}

/// An answer, for people and for programs alike.
struct Explanation {
  struct Fact {
    /// nil where it is for programs alone.
    let label: String?
    let text: String
    let key: String
    let value: JSON
  }

  struct Rung {
    let name: String
    let answer: String
    let isIt: Bool
  }

  let subject: String
  var isOfConcern = true
  var facts: [Fact] = []
  var ladder: [Rung] = []
  var journal: [JournalLine] = []
  var undone: Set<Int64> = []
  var types: [String] = []

  init(_ subject: String) { self.subject = subject }

  /// A fact for people and for programs.
  mutating func add(_ label: String, _ text: String, _ key: String, _ value: JSON? = nil) {
    facts.append(Fact(label: label, text: text, key: key, value: value ?? .string(text)))
  }

  /// A fact for programs alone: for people it stands in another's words.
  mutating func note(_ key: String, _ value: JSON) {
    facts.append(Fact(label: nil, text: "", key: key, value: value))
  }

  var text: String {
    var lines = [Ink.bold(subject)]
    func row(_ label: String, _ text: String) { lines.append("  \(padded(label, 11))\(text)") }
    for fact in facts { if let label = fact.label { row(label, fact.text) } }
    for (number, rung) in ladder.enumerated() {
      let line = "\(rung.isIt ? ">" : " ") \(number + 1) \(padded(rung.name, 24))\(rung.answer)"
      row(number == 0 ? "ladder" : "", rung.isIt ? Ink.bold(line) : line)
    }
    let now = Clock.wall()
    if isOfConcern, journal.isEmpty { row("journal", "nothing was decided about it") }
    for (number, line) in journal.enumerated() {
      let day = line.time.map { $0.day == now.day ? "" : "\($0.day) " } ?? ""
      row(number == 0 ? "journal" : "", day + line.sentence(undone: undone.contains(line.sequence)))
    }
    for (number, type) in types.enumerated() { row(number == 0 ? "to type" : "", Ink.bold(type)) }
    return lines.joined(separator: "\n") + "\n"
  }

  var json: JSON {
    var members: [JSON.Member] = [
      .init(key: "v", value: .integer(1)), .init(key: "subject", value: .string(subject)),
      .init(key: "of_concern", value: .bool(isOfConcern)),
    ]
    members += facts.map { .init(key: $0.key, value: $0.value) }
    if !ladder.isEmpty {
      let rungs = ladder.map {
        JSON.fields(["rung": .string($0.name), "answer": .string($0.answer), "matches": .bool($0.isIt)])
      }
      members.append(.init(key: "ladder", value: .array(rungs)))
    }
    members.append(.init(key: "journal", value: .array(journal.map(\.json))))
    members.append(.init(key: "type", value: .array(types.map { .string($0) })))
    return .object(members)
  }
}
