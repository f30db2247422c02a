import Configuration
import Daemon
import Formats
import Kernel
import Rules

/// `midwatch status`: how things stand, the most urgent first, on one screen.
enum Status {
  static let command = Command(
    name: "status", summary: "how things stand, the most urgent first", usage: "",
    details: """
      Shows whether a midwatchd stands on watch, whether the pipeline is halted and what to type,
      the agents, the locks with what becomes of them, and the last decisions.

      Exit: 0 fine, 1 warning, 2 halted, 3 unknown (no midwatchd runs there), as monitoring
      plugins do. A HALT on disk counts whether or not a midwatchd runs.
      """,
    run: run)

  enum Level: Int32 {
    case ok = 0
    case warning, halted, unknown

    var word: String {
      switch self {
      case .ok: "OK"
      case .warning: "WARNING"
      case .halted: "HALTED"
      case .unknown: "UNKNOWN"
      }
    }

    var painted: String {
      let text = padded(word, 10)
      switch self {
      case .ok: return Ink.green(text)
      case .halted: return Ink.red(text)
      case .warning, .unknown: return Ink.yellow(text)
      }
    }
  }

  static func run(_ invocation: Invocation) throws(Failure) -> Int32 {
    let scene = Scene(try Site(invocation))
    try Output.write(invocation.wantsJSON ? scene.json.line : Array(scene.text.utf8))
    return scene.level.rawValue
  }
}

/// Everything that `status` looks at, at one moment.
struct Scene {
  /// Something to look after: what, and what to type.
  struct Concern {
    let what: String
    let type: String?
  }

  let site: Site
  let now = Clock.wall()
  let holder: StateDirectory.Holder
  let halt: StandingHalt?
  /// Of the watch that runs now; nil where none does, or it has only just begun.
  let snapshot: Snapshot?
  /// Why nobody knows how things stand.
  var blindness: Concern?
  var concerns: [Concern] = []
  /// The newest first.
  var journal: [JournalLine] = []
  var undone: Set<Int64> = []
  var journalError: String?

  init(_ site: Site) {
    self.site = site
    holder = site.holder
    let seen = Snapshot(site.places.statusFile, at: now)
    switch holder {
    case .nobody: snapshot = nil
    case .midwatchd(let pid): snapshot = seen.flatMap { pid == nil || pid == "\($0.pid)" ? $0 : nil }
    case .unknown: snapshot = seen.flatMap { isMidwatchd($0.pid) ? $0 : nil }
    }
    halt = StandingHalt.find(site, watched: snapshot.map { $0.state != "closed" && $0.state != "off" } ?? false)
    blindness = whyBlind()
    readJournal()
    if let snapshot { concerns = lookAfter(snapshot) }
  }

  var level: Status.Level {
    if halt != nil { return .halted }
    if snapshot == nil { return .unknown }
    return concerns.isEmpty ? .ok : .warning
  }

  private func whyBlind() -> Concern? {
    if snapshot != nil { return nil }
    if (try? Directory(site.root)) == nil, holder == .nobody {
      return Concern(what: "\(site.shownRoot) is not there, and no midwatchd runs", type: site.start)
    }
    switch holder {
    case .nobody: return Concern(what: "no midwatchd guards \(site.shownRoot)", type: site.start)
    case .midwatchd(let pid):
      return Concern(
        what: "midwatchd\(pid.map { " (pid \($0))" } ?? "") has not shown its status yet", type: site.typed("status"))
    case .unknown(let error):
      return Concern(
        what: "\(escaped(site.places.state.bytes)) cannot be looked at: \(error); it is its owner's alone",
        type: "sudo \(site.typed("status"))")
    }
  }

  private mutating func readJournal() {
    var lines: [JournalLine] = []
    var taken: Set<Int64> = []
    do throws(Errno) {
      try JournalReader.newestFirst(in: try Directory(site.places.state)) { line in
        if line.what == "undone", let sequence = line.json["undoes"]?.integer { taken.insert(sequence) }
        lines.append(line)
        return lines.count < 5
      }
    } catch { if error != .noEntry { journalError = "\(error)" } }
    journal = lines
    undone = taken
  }

  private func lookAfter(_ snapshot: Snapshot) -> [Concern] {
    var concerns: [Concern] = []
    for agent in snapshot.agents where agent.isSilent == true {
      let heard = agent.beatAge.map { "last heard \(spoken($0)) ago" } ?? "never heard"
      concerns.append(
        Concern(
          what: "\(agent.name) is silent, \(heard)", type: site.typed("why \(shellQuoted(Array(agent.name.utf8)))")))
    }
    let staleAfter = snapshot.lockStaleAfter ?? site.settings.locks.policy.staleAfter
    for lock in snapshot.locks where lock.age >= staleAfter && lock.isKept(mode: snapshot.mode) {
      let why = lock.unreapable ?? lock.rung
      concerns.append(
        Concern(
          what: "\(lock.path) is \(spoken(lock.age)) old and kept: \(why)",
          type: site.typed("why \(shellQuoted(Array(lock.path.utf8)))")))
    }
    if let memory = snapshot.memory, memory.state != "fine" {
      concerns.append(
        Concern(what: "memory is \(memory.state): \(memory.percent) % in use", type: site.typed("memory")))
    }
    if snapshot.alertsWaiting > 0 {
      concerns.append(
        Concern(
          what: "\(counted(snapshot.alertsWaiting, "alert")) could not be handed over yet",
          type: site.typed("log --rule alert")))
    }
    if snapshot.isStarved {
      concerns.append(
        Concern(
          what: "no inotify watch is left, so that everything is seen late",
          type: "sysctl -w fs.inotify.max_user_watches=524288"))
    }
    return concerns
  }
}

/// Whether a process of that pid runs midwatchd, for whoever may not ask the lock.
private func isMidwatchd(_ pid: Int64) -> Bool {
  let name = try? File(reading: Path("/proc/\(pid)/comm")).contents(upTo: 64)
  return name?.starts(with: Array("midwatchd".utf8)) ?? false
}

extension Snapshot.Lock {
  /// Stands although it is too old, and not because a person put it back.
  func isKept(mode: String) -> Bool {
    if unreapable == LockSighting.Unreapable.undone.rawValue { return false }
    return verdict == .kept || (verdict == .settled && mode == "on")
  }

  /// What becomes of it.
  var fate: String {
    if let unreapable { return "never reaped: \(unreapable)" }
    return switch verdict {
    case .kept: "kept: \(rung)\(pid.map { ", pid \($0)" } ?? "")"
    case .waiting:
      "\(rung == LockRule.Rung.age.rawValue ? "" : "\(rung), ")reaped in \(midwatch.spoken(due ?? .zero)) if nobody holds it then"
    case .due: "\(rung), being reaped"
    case .settled: "\(rung), and left"
    case nil: rung
    }
  }
}
