import Configuration
import Daemon
import Formats
import Kernel
import Rules

/// `midwatch notify-test`: whether an alert would really arrive.
enum NotifyTest {
  static let command = Command(
    name: "notify-test", summary: "send a test alert to everybody who is told", usage: "",
    details: """
      Has midwatchd send a test alert to each exec, mail and webhook of [alert], on the way that every
      alert takes, and waits for what becomes of it. What could not be handed over is tried again until
      it arrives, as any alert is. That a mailer took it does not mean that the mail arrived.

      Exit: 0 everybody took it; 1 somebody did not; 69 no midwatchd runs there; 78 [alert] names nobody.
      """,
    run: run)

  static func run(_ invocation: Invocation) throws(Failure) -> Int32 {
    let site = try Site(invocation)
    if site.holder == .nobody {
      throw .failed(69, "midwatch: no midwatchd runs here to send it; start it: \(site.start)")
    }
    let answer = try Answer(site)
    try answer.request("notify-test")
    var test = Test()
    // A little more than the slowest may take.
    try answer.follow(for: site.settings.alert.timeout + .seconds(5)) { test.hear($0) }
    guard let id = test.id else {
      throw .failed(1, "midwatch: midwatchd did not answer; look at its log, and at \(site.typed("log"))")
    }
    if invocation.wantsJSON {
      try Output.write(test.json(id).line)
    } else if !test.sinks.isEmpty {
      try Output.write(test.text)
    }
    guard !test.sinks.isEmpty else {
      throw .failed(
        78, "midwatch: only the log is told: [alert] of midwatchd's configuration has no exec, mail or webhook; \(test.say)")
    }
    return test.sinks.allSatisfy { $0.fate == .delivered } ? 0 : 1
  }

  /// What the journal says of one test.
  private struct Test {
    enum Fate: Equatable {
      case unknown
      case delivered
      case failed(String)
    }

    struct Recipient {
      let name: String
      let label: String
      var fate = Fate.unknown
    }

    var id: String?
    var say = ""
    var sinks: [Recipient] = []

    /// - Returns: whether nothing more is to come.
    mutating func hear(_ line: JournalLine) -> Bool {
      guard line.rule == "alert" else { return false }
      if line.what == "test", id == nil {
        id = line.json["id"]?.string
        say = line.words
        sinks = (line.json["sinks"]?.array ?? []).compactMap { sink in
          guard let name = sink["sink"]?.string, let label = sink["label"]?.string else { return nil }
          return Recipient(name: name, label: shown(label))
        }
      } else if id != nil, let place = sinks.firstIndex(where: { $0.name == line.json["sink"]?.string }) {
        // An older message may be before it; where that fails the test will too.
        if line.what == "failed" {
          sinks[place].fate = .failed(shown(line.json["why"]?.string ?? "it does not say why"))
        } else if line.what == "delivered", line.json["id"]?.string == id {
          sinks[place].fate = .delivered
        }
      }
      return id != nil && !sinks.contains { $0.fate == .unknown }
    }

    var text: String {
      let width = (sinks.map { $0.label.unicodeScalars.count }.max() ?? 0) + 2
      return sinks.map { sink in
        let fate =
          switch sink.fate {
          case .delivered: Ink.green("delivered")
          case .failed(let why): "\(Ink.red("failed")): \(why); it is tried again"
          case .unknown: "\(Ink.yellow("no answer yet")); it is tried again"
          }
        return "\(padded(sink.label, width))\(fate)\n"
      }.joined()
    }

    func json(_ id: String) -> JSON {
      let members = sinks.map { sink in
        var why: String?
        if case .failed(let text) = sink.fate { why = text }
        return JSON.fields([
          "sink": .string(sink.name), "label": .string(sink.label), "delivered": .bool(sink.fate == .delivered),
          "why": .text(why),
        ])
      }
      return JSON.fields(["v": .integer(1), "id": .string(id), "sinks": .array(members)])
    }
  }
}
