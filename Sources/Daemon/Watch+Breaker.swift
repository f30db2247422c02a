internal import Configuration
internal import Formats
public import Kernel
internal import Rules

/// The HALT that stands, as it was last seen.
enum HaltStand: Equatable {
  case none
  /// The breaker's own.
  case mine(id: String)
  /// A person's, by `midwatch halt` or by hand.
  case person
}

extension Watch {
  public static let haltName = Path("HALT")
  /// A copy for whoever may not look into the pipeline root, and the last resort when it is full.
  public static let haltedName = Path("halted")

  var breakerMode: Mode { settings.outputs.mode.capped(by: settings.pipeline.mode) }

  /// A limit of all agents together has one mode, each agent's own has the agent's.
  private func mode(of trip: BreakerRule.Trip) -> Mode {
    if case .pipelineTooMany = trip.cause { return breakerMode }
    return settings.outputs(for: tree.names.bytes(of: trip.agent)).mode.capped(by: settings.pipeline.mode)
  }

  func obeyBreaker(at now: Moment) {
    while !intake.breakerActions.isEmpty {
      statusFile.isDirty = true
      switch intake.breakerActions.removeFirst() {
      case .trip(let trip): self.trip(trip, at: now)
      case .alsoTripped(let trip):
        let words = TripWords(trip, name(of: trip.agent))
        journal.line("outputs", "also-tripped", say: "while halted: \(words.summary)", in: state.directory) {
          words.put(in: &$0)
        }
      case .probe: probe(at: now)
      case .close:
        noteState()
        journal.line("outputs", "closed", say: "half-open went well; the breaker is closed", in: state.directory)
        log.say(.notice, "half-open went well; the breaker is closed")
      }
    }
  }

  /// What every journal line says of the breaker from now on.
  private func noteState() {
    journal.state = intake.breaker.state
    if case .mine(let id) = halt { journal.incident = id } else { journal.incident = nil }
    statusFile.isDirty = true
  }

  // MARK: tripping

  private func trip(_ trip: BreakerRule.Trip, at now: Moment) {
    let words = TripWords(trip, name(of: trip.agent))
    guard mode(of: trip) == .on else {
      let say = "would have halted: \(words.summary)"
      journal.line("outputs", "would-halt", say: say, in: state.directory) { words.put(in: &$0) }
      log.say(.warning, "observe: \(say)")
      intake.tell(.haltGone, at: now.instant)
      return
    }
    let incident = Incident(
      id: Incident.id(at: now.wall, UInt64(trip.agent.index)), kind: .breaker, severity: .halt,
      pipeline: settings.pipeline.name, agent: words.agent, since: now.wall, summary: words.summary, cause: words.cause,
      stopped: [], type: resumeCommand)
    halt(for: incident, against: trip.agent, rule: "outputs", at: now) { words.put(in: &$0) }
  }

  /// HALT first, then the levers, then the one alert, which says what they stopped.
  ///
  /// - Parameter cause: without what is said of the halt itself.
  func halt(
    for cause: Incident, against agent: Agent?, rule: String, at now: Moment, _ fields: (inout JSONWriter) -> Void
  ) {
    var incident = cause
    incident.severity = .halt
    incident.summary += "; the pipeline is halted"
    incident.type = resumeCommand
    let written = writeHalt(incident)
    halt = .mine(id: incident.id)
    noteState()
    incident.stopped = pullLevers(against: agent, at: now)
    fire(incident, mode: .on)
    journal.line(rule, "halted", say: incident.summary, in: state.directory) {
      fields(&$0)
      $0.field("halt_file", written)
    }
    heartbeatRule.handle(.haltBegan, at: now.instant, into: &beatActions)
    recordClock(at: now)
  }

  private var resumeCommand: String { operatorCommand("resume") }

  /// What to type, complete: a trial is named by its root, a system's watch needs no name.
  func operatorCommand(_ words: String) -> String {
    if let configuration { return "midwatch --config \(shellQuoted(configuration.bytes)) \(words)" }
    let isTrial = root.contains(state.places.state)
    return isTrial ? "midwatch --root \(shellQuoted(root.bytes)) \(words)" : "midwatch \(words)"
  }

  /// - Returns: where the halt stands, for the journal.
  private func writeHalt(_ incident: Incident) -> String {
    try? state.run.replace(Self.haltedName, with: document(of: incident), mode: 0o644)
    said.remove("run-only")
    do throws(Errno) {
      let directory = try Directory(root)
      do throws(Errno) {
        try OwnFile.put(document(of: incident), as: Self.haltName, in: directory, durable: true)
        return "whole"
      } catch {
        if error == .exists { return "already there" }
      }
      // A full disk: the reason as a symlink's text, or a HALT that says nothing.
      let reason = Array((incident.cause.first ?? "").utf8.prefix(1024))
      if (try? directory.makeSymlink(Self.haltName, to: reason)) != nil { return "symlink" }
      _ = try directory.makeFile(Self.haltName, mode: 0o644)
      return "empty"
    } catch {
      said.insert("run-only")
      try? state.run.replace(Self.haltedName, with: document(of: incident, standsAlone: true), mode: 0o644)
      log.say(
        .alert,
        "HALT cannot be written in \(escaped(root.bytes)): \(error); only \(escaped(state.places.run.bytes))/halted stands")
      return "only in the run directory"
    }
  }

  /// - Parameter standsAlone: there is no HALT beside it: then the gate obeys the copy.
  private func document(of incident: Incident, standsAlone: Bool = false) -> [UInt8] {
    var writer = JSONWriter(reserving: 512)
    writer.beginObject()
    writer.field("v", 1)
    writer.field("id", incident.id)
    writer.field("state", "open")
    writer.field("since", incident.since)
    writer.field("why", incident.cause.first ?? incident.summary)
    if let agent = incident.agent { writer.field("agent", agent) } else { writer.nullField("agent") }
    writer.field("by", "midwatch")
    if standsAlone { writer.field("alone", true) }
    writer.field("type", "\(resumeCommand)   (or delete this file)")
    writer.endObject()
    writer.endLine()
    return writer.bytes
  }

  // MARK: HALT seen and gone

  /// Compares the HALT on disk with the one that was seen last.
  func lookAtHalt(at now: Moment) {
    intake.haltIsDirty = false
    let seen = haltOnDisk()
    guard seen != halt else { return }
    let before = halt
    switch seen {
    case .none: haltGone(before, at: now)
    case .mine(let id):
      halt = seen
      intake.tell(.haltStands(mine: true), at: now.instant)
      noteState()
      if before == .none { standsFromBefore(id, at: now) }
    case .person:
      halt = seen
      intake.tell(.haltStands(mine: false), at: now.instant)
      noteState()
      copyHalt()
      journal.line("halt", "forced-open", say: "halted by a person: HALT was written by hand", in: state.directory)
      log.say(.notice, "halted by a person; to go on: \(resumeCommand)")
      if settings.pipeline.mode == .on { _ = pullLevers(against: nil, at: now) }
    }
    if before == .none, seen != .none { heartbeatRule.handle(.haltBegan, at: now.instant, into: &beatActions) }
  }

  private func haltOnDisk() -> HaltStand {
    if let directory = try? Directory(root) {
      switch OwnFile.bearer(of: Self.haltName, in: directory) {
      case .ours(let json): return json["id"]?.string.map { .mine(id: $0) } ?? .person
      case .somebodyElse:
        // One that a full disk left without its text is still ours.
        if case .mine = halt { return halt }
        return .person
      case .nobody: break
      }
      // Where the root could not take a HALT, the run directory's stands for it.
      if case .mine(let id) = halt, said.contains("run-only"), case .ours = OwnFile.bearer(of: Self.haltedName, in: state.run) {
        return .mine(id: id)
      }
      return .none
    }
    // A root that is gone says nothing about the halt.
    return halt
  }

  /// A HALT of ours from before a restart: the alert goes out if the crash came before it.
  private func standsFromBefore(_ id: String, at now: Moment) {
    guard let directory = try? Directory(root), case .ours(let json) = OwnFile.bearer(of: Self.haltName, in: directory) else {
      return
    }
    copyHalt()
    let summary = json["why"]?.string ?? "halted"
    let agent = json["agent"]?.string
    let offender = agent.flatMap { unescaped($0) }.map { tree.agent(named: $0) }
    let stopped = settings.pipeline.mode == .on ? pullLevers(against: offender, at: now) : []
    let isNew = fire(
      Incident(
        id: id, kind: .breaker, severity: .halt, pipeline: settings.pipeline.name, agent: agent,
        since: json["since"]?.string.flatMap { WallTime(text: $0) } ?? now.wall, summary: "\(summary); the pipeline is halted",
        cause: [summary], stopped: stopped, type: resumeCommand), mode: settings.pipeline.mode)
    let say = isNew ? "halted, found after a restart: \(summary)" : "still halted: \(summary)"
    journal.line("outputs", isNew ? "halted" : "still-halted", say: say, in: state.directory)
    log.say(.warning, "\(say); to go on: \(resumeCommand)")
  }

  /// The run directory's copy is kept equal to HALT.
  private func copyHalt() {
    let text = (try? Directory(root))?.contents(of: Self.haltName) ?? []
    try? state.run.replace(Self.haltedName, with: text, mode: 0o644)
  }

  private func haltGone(_ before: HaltStand, at now: Moment) {
    if settings.halt.keep, !said.contains("resume"), case .mine(let id) = before, breakerMode == .on {
      if let incident = spool.firing(.breaker).first(where: { $0.id == id }) {
        _ = writeHalt(incident)
        journal.line(
          "halt", "kept", say: "HALT was deleted and put back, for keep = yes; only 'midwatch resume' ends it",
          in: state.directory)
        return
      }
    }
    let why = said.remove("resume") == nil ? "HALT was deleted" : "'midwatch resume' was typed"
    resumed(why, at: now)
    if case .mine(let id) = before { end(id, "over: \(why); the pipeline runs again") }
  }

  /// Counting starts anew. The time is written first: whatever happens next, nothing before it counts.
  private func resumed(_ why: String, at now: Moment) {
    closedAt = now.wall + .milliseconds(1)
    do throws(Errno) { try ClosedAt.write(closedAt, in: state.directory) } catch {
      log.say(.error, "closed-at cannot be written (\(error)); after a restart old outputs may count again")
    }
    releaseLevers(why, at: now)
    halt = .none
    try? state.run.unlink(Self.haltedName)
    intake.tell(.haltGone, at: now.instant)
    noteState()
    journal.line("halt", "resumed", say: "over: \(why); all counters start anew", in: state.directory)
    log.say(.notice, "over: \(why); all counters start anew")
    heartbeatRule.handle(.haltEnded, at: now.instant, into: &beatActions)
  }

  /// At the start: the journal says that the pipeline was halted, and no HALT stands.
  func resumedWhileAway(at now: Moment) {
    let was = journal.state
    guard halt == .none, was == .open || was == .forcedOpen else { return }
    let id = journal.incident
    resumed("HALT was deleted while midwatchd was away", at: now)
    if let id { end(id, "over: HALT was deleted while midwatchd was away") }
  }

  private func probe(at now: Moment) {
    guard case .mine(let id) = halt, let directory = try? Directory(root) else { return }
    guard (try? OwnFile.remove(Self.haltName, from: directory)) == true else { return }
    resumed("the cool-down has passed; half-open", at: now)
    end(id, "the cool-down has passed; the pipeline runs again, half-open")
  }

  // MARK: texts

  /// Reads the newest texts for near-duplicates.
  func readTexts(at now: Moment) {
    while let text = intake.texts.pop() {
      guard let status = try? lockSensor.slash.peek(text.path), status.kind == .file, (1...(1 << 20)).contains(status.size),
        let bytes = lockSensor.slash.contents(of: text.path, upTo: 1 << 20), let hash = SimHash(bytes)
      else { continue }
      intake.compare(hash.bits, of: text, at: now.instant)
      obeyBreaker(at: now)
    }
  }
}

/// A trip in words.
struct TripWords {
  let agent: String
  let summary: String
  let cause: [String]
  let counted: Int

  init(_ trip: BreakerRule.Trip, _ agent: String) {
    self.agent = agent
    switch trip.cause {
    case .tooMany(let limit, let count):
      counted = count
      summary = "\(agent) made \(count) outputs within \(limit.span.text) (limit \(limit.count))"
    case .pipelineTooMany(let limit, let count):
      counted = count
      summary = "the pipeline made \(count) outputs within \(limit.span.text) (limit \(limit.count)), the last by \(agent)"
    case .similar(let limit, let count):
      counted = count
      summary = "\(agent) wrote \(count) nearly identical texts within \(limit.span.text) (limit \(limit.count))"
    case .probes(let allowed):
      counted = allowed + 1
      summary = "\(agent) ran away again while half-open (\(allowed) allowed)"
    }
    cause = [summary]
  }

  func put(in writer: inout JSONWriter) {
    writer.field("agent", agent)
    writer.field("counted", counted)
  }
}

/// A word that a shell takes as it is.
public func shellQuoted(_ bytes: [UInt8]) -> String {
  let text = escaped(bytes)
  let plain = text.utf8.allSatisfy {
    (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
      || [0x2d, 0x2e, 0x2f, 0x5f].contains($0)
  }
  if plain { return text }
  var quoted = "'"
  for character in text.unicodeScalars {
    if character == "'" { quoted += "'\\''" } else { quoted.unicodeScalars.append(character) }
  }
  return quoted + "'"
}
