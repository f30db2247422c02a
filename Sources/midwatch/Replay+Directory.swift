import Configuration
import Daemon
import Formats
import Kernel
import Rules

/// A pipeline's directory, played through the breaker from its first output to its last.
struct DirectoryReplay: Replayed {
  private let scan: BirthScan
  private let root: String
  private var hasJournal = false
  private(set) var trips: [ReplayedTrip] = []

  /// What the journal says of halts.
  private enum Turn {
    case halted(JournalLine, WallTime)
    case resumed(WallTime)
  }

  /// - Parameter journal: the state directory that holds it, perhaps.
  init(_ site: Site, journal: Path) throws(Failure) {
    root = site.shownRoot
    guard (try? Directory(site.root)) != nil else {
      throw .failed(66, "midwatch: \(root) is no directory that can be entered; name a pipeline's root, or a journal.jsonl")
    }
    do throws(Errno) { scan = try BirthScan(site.settings, root: site.resolvedRoot) } catch {
      throw .failed(71, "midwatch: / cannot be opened: \(error)")
    }
    let turns = turns(in: journal)
    hasJournal = turns != nil
    play(ReplayRule.make(site.settings, scan.names), turns ?? [])
  }

  /// nil where no journal can be read.
  private func turns(in state: Path) -> [Turn]? {
    var turns: [Turn] = []
    do throws(Errno) {
      try JournalReader.newestFirst(in: Directory(state)) { line in
        guard let time = line.time else { return true }
        switch (line.rule, line.what) {
        case ("outputs", "halted"), ("outputs", "would-halt"), ("halt", "forced-open"): turns.append(.halted(line, time))
        case ("halt", "resumed"): turns.append(.resumed(time))
        default: break
        }
        return true
      }
    } catch { return nil }
    return turns.reversed()
  }

  private enum Event {
    case born(BirthScan.Output)
    case written(BirthScan.Output, UInt64)
    case resumed
  }

  /// Each thing at its time. Clocks of filesystems are coarse, and many births share a moment: there each text follows
  /// its birth, and a resume comes first.
  private func events(_ turns: [Turn]) -> [(at: WallTime, event: Event)] {
    var events: [(at: WallTime, rank: Int, event: Event)] = []
    for (number, output) in scan.outputs.enumerated() {
      events.append((output.born, 2 * number, .born(output)))
      guard let text = output.text else { continue }
      events.append((max(text.written, output.born), 2 * number + 1, .written(output, text.fingerprint)))
    }
    for case .resumed(let time) in turns { events.append((time, -1, .resumed)) }
    return events.sorted { ($0.at, $0.rank) < ($1.at, $1.rank) }.map { ($0.at, $0.event) }
  }

  private mutating func play(_ rule: BreakerRule, _ turns: [Turn]) {
    var rule = rule
    var played = 0
    for (at, event) in events(turns) {
      var actions: [BreakerRule.Action] = []
      let now = Instant(at)
      switch event {
      case .born(let output):
        played += 1
        rule.born(output.key, by: output.agent, at: now, now: now, into: &actions)
      case .written(let output, let text):
        rule.text(text, name: output.key, by: output.agent, at: now, now: now, into: &actions)
      case .resumed:
        // Counting starts anew, whether these limits would have halted or not.
        rule.handle(.haltStands(mine: false), at: now, into: &actions)
        rule.handle(.haltGone, at: now, into: &actions)
      }
      for case .trip(let trip) in actions { note(trip, at: at, after: played, turns) }
    }
  }

  private mutating func note(_ trip: BreakerRule.Trip, at: WallTime, after played: Int, _ turns: [Turn]) {
    var real: (line: JournalLine, at: WallTime)?
    var end = WallTime(nanoseconds: .max)
    for turn in turns {
      switch turn {
      case .halted(let line, let time): if real == nil, time >= at { real = (line, time) }
      case .resumed(let time):
        guard time > at else { continue }
        end = time
      }
      if end.nanoseconds < .max { break }
    }
    let later = scan.outputs.dropFirst(played).filter { $0.born < end }
    let earlier = real.map { halt in later.count { $0.born <= halt.at } }
    trips.append(
      ReplayedTrip(
        at: at, agent: escaped(scan.names.bytes(of: trip.agent)), cause: trip.cause, after: later.count,
        real: real.flatMap { halt in earlier.map { (halt.line, halt.at, $0) } }))
  }

  private var agents: Int { Set(scan.outputs.map(\.agent)).count }

  var text: String {
    var text = "\(root): \(counted(scan.outputs.count, "output"))"
    if let first = scan.outputs.first?.born, let last = scan.outputs.last?.born {
      text += " of \(counted(agents, "agent")), \(first.day) \(first.clock) to \(last.day) \(last.clock) UTC"
    }
    text += "\n" + trips.map(\.text).joined()
    if trips.isEmpty { text += "would not have tripped\n" }
    if scan.undated > 0 {
      text += "\(counted(scan.undated, "output")) left out: the filesystem keeps no birth times\n"
    }
    if !hasJournal { text += "no journal can be read here: what really happened is not known\n" }
    return text + "what was deleted, moved away or written anew since is not known\n"
  }

  var json: JSON {
    .fields([
      "v": .integer(1), "source": .string("directory"), "root": .string(root), "outputs": .number(scan.outputs.count),
      "agents": .number(agents), "first": .time(scan.outputs.first?.born), "last": .time(scan.outputs.last?.born),
      "undated": .number(scan.undated), "journal": .bool(hasJournal), "trips": .array(trips.map(\.json)),
    ])
  }
}

/// The breaker as the settings would have it, and never in the way of its own replay.
enum ReplayRule {
  static func make(_ settings: Settings, _ names: Names) -> BreakerRule {
    var names = names
    // A cool-down would end halts that nobody ended.
    var rule = BreakerRule(
      pipeline: .init(limit: settings.outputs.mode == .off ? nil : settings.outputs.pipeline.limit))
    rule.defaultPolicy = policy(settings.outputs)
    for agent in settings.agents { rule.setPolicy(policy(agent.outputs), for: names.agent(bytes: agent.name)) }
    return rule
  }

  private static func policy(_ outputs: OutputSettings) -> BreakerRule.Policy {
    outputs.mode == .off ? .init(limit: nil, similar: nil) : outputs.policy
  }
}

extension Instant {
  /// Births are dated on the wall, and a replay has no other clock.
  init(_ wall: WallTime) { self.init(nanoseconds: wall.nanoseconds) }
}
