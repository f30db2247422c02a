import Configuration
import Daemon
import Formats
import Kernel
import Rules

/// `midwatch replay`: what other limits would have made of what happened.
enum Replay {
  static let command = Command(
    name: "replay", summary: "what other limits would have made of what happened", usage: "[DIR | JOURNAL]",
    details: """
      Feeds the circuit breaker of [outputs] with what happened and tells where it would have
      tripped under the limits that are given, as in --set "outputs.limit=5 per 10min". Touches nothing.

        DIR        a pipeline: every output that lies there now, at its birth. Its journal, if
                   there is one, tells when it was really halted and resumed. Without an
                   operand: the pipeline of the configuration.
        JOURNAL    a journal.jsonl: the outputs in the window of each trip in it.

      Of a directory nobody can know what was deleted or moved away since, and what was written
      anew counts at its last birth. A journal tells only of the agent that tripped, and nothing of
      what lay before the window or came after the trip: it is for lower limits. Neither tells of
      texts as they were when they were written: similar is judged by what is in them now.

      Exit: 0 it would not have tripped, 1 it would have, 66 there is nothing to replay.
      """,
    operands: .any, run: run)

  static func run(_ invocation: Invocation) throws(Failure) -> Int32 {
    if let more = invocation.operands.dropFirst().first {
      throw .misused(
        "'replay' takes one argument, a directory or a journal, and '\(escaped(Array(more.utf8)))' is one more")
    }
    guard let operand = invocation.operands.first else {
      let site = try Site(invocation)
      return try show(DirectoryReplay(site, journal: site.places.state), invocation)
    }
    let path = try absolute(operand)
    guard (try? Directory(path)) == nil else { return try show(replay(of: path, invocation), invocation) }
    var invocation = invocation
    // Of the defaults only the limits are read.
    if !invocation.loader.namesSomething { invocation.loader.root = Path("/var/lib/midwatch") }
    return try show(JournalReplay(path, try Site(invocation).settings), invocation)
  }

  /// A pipeline's own settings count for it; for any other directory those that are given, else the defaults.
  private static func replay(of directory: Path, _ invocation: Invocation) throws(Failure) -> DirectoryReplay {
    if invocation.loader.namesSomething {
      let site = try Site(invocation)
      if site.resolvedRoot == ((try? realPath(directory)) ?? directory) {
        return try DirectoryReplay(site, journal: site.places.state)
      }
    }
    var invocation = invocation
    invocation.loader.root = directory
    return try DirectoryReplay(try Site(invocation), journal: directory.appending(".midwatch/state"))
  }

  private static func absolute(_ operand: String) throws(Failure) -> Path {
    let path = Path(operand)
    guard path.bytes.first != UInt8(ascii: "/") else { return path }
    guard let here = try? realPath(Path(".")) else {
      throw .failed(66, "midwatch: the working directory is gone; write the path in full")
    }
    return here.appending(path)
  }

  private static func show(_ replay: some Replayed, _ invocation: Invocation) throws(Failure) -> Int32 {
    try Output.write(invocation.wantsJSON ? replay.json.line : Array(replay.text.utf8))
    return replay.trips.isEmpty ? 0 : 1
  }
}

/// What a replay found.
protocol Replayed {
  var trips: [ReplayedTrip] { get }
  var text: String { get }
  var json: JSON { get }
}

/// Where the breaker would have tripped, beside what really happened.
struct ReplayedTrip {
  let at: WallTime
  /// Escaped.
  let agent: String
  let cause: BreakerRule.Trip.Cause
  /// Outputs after it that are known of, up to the next resume.
  let after: Int
  /// The halt that came, and how many outputs came before it and after this trip.
  var real: (line: JournalLine, at: WallTime, earlier: Int)?

  /// The key that trips, and its value.
  var limit: (key: String, value: String, counted: Int) {
    switch cause {
    case .tooMany(let limit, let counted): ("limit", Units.limitText(limit), counted)
    case .pipelineTooMany(let limit, let counted): ("pipeline-limit", Units.limitText(limit), counted)
    case .similar(let limit, let counted): ("similar", Units.limitText(limit), counted)
    case .probes(let allowed): ("probes", "\(allowed)", allowed + 1)
    }
  }

  private var words: String {
    switch cause {
    case .tooMany(let limit, let counted): "\(agent) made \(counted) outputs within \(spoken(limit.span))"
    case .pipelineTooMany(let limit, let counted):
      "the pipeline made \(counted) outputs within \(spoken(limit.span)), the last by \(agent)"
    case .similar(let limit, let counted): "\(agent) wrote \(counted) nearly identical texts within \(spoken(limit.span))"
    case .probes: "\(agent) ran away again"
    }
  }

  var text: String {
    let (key, value, _) = limit
    let earlier = real.map { ", \(counted($0.earlier, "output")) earlier" } ?? ""
    var text = Ink.red("would have tripped at \(at.day) \(at.clock) UTC\(earlier)") + "\n"
    text += "  \(words) (\(key) = \(value)); \(counted(after, "output")) came after it\n"
    if let (line, time, _) = real { text += "  really: \(time.day) \(time.clock) UTC, \(shown(line.words))\n" }
    return text
  }

  var json: JSON {
    .fields([
      "at": .time(at), "agent": .string(agent), "key": .string("outputs.\(limit.key)"), "value": .string(limit.value),
      "counted": .number(limit.counted), "outputs_after": .number(after), "really_at": .time(real?.at),
      "really": .text(real.map { shown($0.line.words) }), "outputs_earlier": .number(real?.earlier),
    ])
  }
}
