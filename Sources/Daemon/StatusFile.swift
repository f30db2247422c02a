internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

/// When `run/status.json` is written: on change, at most once a second.
struct StatusFile {
  static let name = Path("status.json")

  var isDirty = true {
    didSet {
      if isDirty, !oldValue { due = max(due ?? writtenAt + .seconds(1), writtenAt + .seconds(1)) }
    }
  }
  private(set) var due: Instant? = Instant(nanoseconds: 0)
  private var writtenAt = Instant(nanoseconds: -1_000_000_000)
  private var births = 0

  mutating func note(_ births: Int) {
    guard births != self.births else { return }
    self.births = births
    isDirty = true
  }

  func isDue(at now: Instant) -> Bool { due.map { $0 <= now } ?? false }

  mutating func wrote(at now: Instant) {
    writtenAt = now
    isDirty = false
    due = nil
  }
}

extension Watch {
  func writeStatus(at now: Moment) {
    statusFile.wrote(at: now.instant)
    var writer = JSONWriter(reserving: 2048)
    writer.beginObject()
    writer.field("v", 1)
    writer.field("pid", Own.pid)
    writer.field("at", now.wall)
    writer.field("pipeline", settings.pipeline.name)
    writer.field("root", escaping: root.bytes)
    writer.field("mode", settings.pipeline.mode.rawValue)
    writer.field("state", breakerState.rawValue)
    if let incident = journal.incident { writer.field("incident", incident) }
    writer.field("watching", tree.pace == nil ? "all by inotify" : "part of it by rescans")
    writer.field("starved", tree.isStarved)
    writer.field("journal_seq", journal.sequence)
    writer.field("alerts_waiting", spool.waiting)
    writer.field("outputs_since_start", intake.births)
    putAgents(into: &writer, at: now)
    writer.field("lock_stale_after_s", settings.locks.policy.staleAfter.seconds)
    putLocks(into: &writer, at: now)
    putLeaks(into: &writer, at: now)
    putResting(into: &writer, at: now)
    putMemory(into: &writer)
    writer.endObject()
    writer.endLine()
    do throws(Errno) {
      try state.run.replace(StatusFile.name, with: writer.bytes, mode: 0o644)
    } catch {
      if said.insert("status").inserted {
        log.say(.warning, "status.json cannot be written: \(error)")
      }
    }
    manager?.tell("STATUS=\(statusLine)")
  }

  private var breakerState: BreakerRule.State {
    breakerMode == .off && halt == .none ? .off : intake.breaker.state
  }

  private var statusLine: String {
    let locks = looks.count
    return
      "\(breakerState.rawValue); \(locks) lock\(locks == 1 ? "" : "s"), \(intake.births) outputs seen"
  }

  private func putAgents(into writer: inout JSONWriter, at now: Moment) {
    writer.beginArray("agents")
    for agent in tree.names.all { put(agent, into: &writer, at: now) }
    writer.endArray()
  }

  private func put(_ agent: Agent, into writer: inout JSONWriter, at now: Moment) {
    let bytes = tree.names.bytes(of: agent)
    let beat = heartbeatRule.status(of: agent, at: now.instant)
    let count = intake.breaker.count(of: agent, at: now.instant)
    guard beat != nil || count.total > 0 || settings.agent(bytes) != nil else { return }
    writer.beginObject()
    writer.field("name", escaping: bytes)
    if let beat {
      writer.field("silent", beat.isSilent)
      if let last = beat.lastBeat { writer.field("last_beat", last) }
      if let age = beat.age { writer.field("beat_age_s", age.seconds) }
    }
    writer.field("outputs_in_window", count.inWindow)
    writer.field("outputs", count.total)
    if let limit = settings.outputs(for: bytes).policy.limit {
      writer.field("limit", limit.count)
      writer.field("window_s", limit.span.seconds)
    }
    writer.endObject()
  }

  private func putLeaks(into writer: inout JSONWriter, at now: Moment) {
    writer.beginArray("leaks")
    for leak in leakRule.outlooks.prefix(1000) {
      writer.beginObject()
      writer.field("pid", leak.process.pid)
      writer.field("start_ticks", leak.process.startTicks)
      writer.field("kind", leak.kind.rawValue)
      writer.field("found_s", (now.instant - leak.since).seconds)
      if let due = leak.due { writer.field("due_s", max(0, (due - now.instant).seconds)) }
      writer.endObject()
    }
    writer.endArray()
  }

  /// What nobody can know who has not watched; `midwatch memory` reads it.
  private func putResting(into writer: inout JSONWriter, at now: Moment) {
    writer.beginArray("resting")
    for (process, span) in leakRule.rests(at: now.instant).sorted(by: { $0.key.pid < $1.key.pid }).prefix(1000) {
      guard span > .zero, let cpu = leakRule.cpu(of: process) else { continue }
      writer.beginObject()
      writer.field("pid", process.pid)
      writer.field("start_ticks", process.startTicks)
      writer.field("idle_s", span.seconds)
      writer.field("cpu_ms", cpu.nanoseconds / 1_000_000)
      writer.endObject()
    }
    writer.endArray()
  }

  private func putMemory(into writer: inout JSONWriter) {
    guard let percent = memoryRule.level else { return }
    writer.beginObject("memory")
    writer.field("percent", percent)
    writer.field("state", memoryRule.isShort ? "short" : memoryRule.isTight ? "tight" : "fine")
    writer.endObject()
  }

  private func putLocks(into writer: inout JSONWriter, at now: Moment) {
    writer.beginArray("locks")
    for id in looks.keys.sorted(by: { $0.index < $1.index }).prefix(1000) {
      if let look = looks[id], let path = intake.locks.path(of: id) {
        put(look, id, path, into: &writer, at: now)
      }
    }
    writer.endArray()
  }

  private func put(
    _ look: LockLook, _ id: LockID, _ path: Path, into writer: inout JSONWriter, at now: Moment
  ) {
    writer.beginObject()
    writer.field("path", escaping: [UInt8(ascii: "/")] + path.bytes)
    writer.field("modified", look.sighting.modified)
    if let owner = look.owner { writer.field("pid", owner.pid) }
    if let why = look.sighting.unreapable { writer.field("unreapable", why.rawValue) }
    if let judgement = lockRule.judge(id, at: now.instant) {
      writer.field("age_s", judgement.age.seconds)
      writer.field("rung", judgement.rung.rawValue)
      writer.field("verdict", judgement.verdict.rawValue)
      if let due = judgement.due { writer.field("due_s", max(0, (due - now.instant).seconds)) }
    }
    writer.endObject()
  }
}
