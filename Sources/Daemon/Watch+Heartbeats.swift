internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

/// The markers that an agent's state asks for; nil where none should stand.
struct Markers {
  var degraded: [UInt8]?
  var standalone: [UInt8]?
}

extension Watch {
  func lookAtBeats(at now: Moment) {
    while let (agent, path) = intake.beats.popDirty() {
      guard agent != watcher else { continue }
      lookAtBeat(of: agent, path, now)
    }
    while let producer = intake.producers.popFirst() {
      heartbeatRule.handle(.output(producer), at: now.instant, into: &beatActions)
    }
    heartbeatRule.handle(.woke, at: now.instant, into: &beatActions)
    obeyBeats(at: now)
  }

  /// midwatch's own beat, for others to watch; it is not judged by itself.
  private var watcher: Agent { tree.agent(named: Array("midwatch".utf8)) }

  private func lookAtBeat(of agent: Agent, _ path: Path, _ now: Moment) {
    guard let written = beatTime(of: agent, path) else {
      let others = intake.beats.paths(of: agent).contains { (try? lockSensor.slash.peek($0)) != nil }
      if !others { heartbeatRule.handle(.noBeat(agent), at: now.instant, into: &beatActions) }
      return
    }
    heartbeatRule.handle(
      .beat(agent, written: written, age: intake.clock.age(of: written, at: now)), at: now.instant, into: &beatActions)
    statusFile.isDirty = true
  }

  /// When an agent beat last, by its file's time or by what it wrote; nil where there is no file.
  private func beatTime(of agent: Agent, _ path: Path) -> WallTime? {
    guard let status = try? lockSensor.slash.peek(path), status.kind == .file else { return nil }
    let source = settings.heartbeats(for: tree.names.bytes(of: agent)).source
    if source == .modificationTime { return status.modified }
    let bytes = lockSensor.slash.contents(of: path) ?? []
    let written: WallTime? =
      switch source {
      case .modificationTime: nil
      case .content: Beat.written(in: bytes)
      case .json(let keys): Beat.written(in: bytes, at: keys)
      }
    if let written { return written }
    if said.insert("beat \(agent.index)").inserted {
      let say = "/\(escaped(path.bytes)) holds no time that can be read; its modification time counts"
      log.say(.warning, say)
      journal.line("heartbeats", "unreadable", say: say, in: state.directory)
    }
    return status.modified
  }

  func obeyBeats(at now: Moment) {
    while !beatActions.isEmpty {
      statusFile.isDirty = true
      switch beatActions.removeFirst() {
      case .degrade(let agent, let lastBeat): degrade(agent, lastBeat, at: now)
      case .recover(let agent): setMarker(of: agent, .degraded, to: nil)
      case .standAlone(let agent, let upstreams): standAlone(agent, upstreams, at: now)
      case .rejoin(let agent): setMarker(of: agent, .standalone, to: nil)
      case .alert(let outage): alert(outage, at: now)
      case .over(let root): endOutage(of: root)
      }
    }
  }

  func name(of agent: Agent) -> String { escaped(tree.names.bytes(of: agent)) }

  private func degrade(_ agent: Agent, _ lastBeat: WallTime?, at now: Moment) {
    let name = name(of: agent)
    let staleAfter = settings.heartbeats(for: tree.names.bytes(of: agent)).staleAfter
    var writer = JSONWriter(reserving: 256)
    writer.beginObject()
    writer.field("agent", name)
    writer.field("state", "degraded")
    writer.field("since", now.wall)
    if let lastBeat { writer.field("last_beat", lastBeat) } else { writer.nullField("last_beat") }
    writer.field("stale_after_s", staleAfter.seconds)
    writer.field("by", "midwatch")
    writer.endObject()
    writer.endLine()
    let heard = lastBeat.map { "last heard \($0.timestamp)" } ?? "never heard"
    let say = "\(name) is silent: \(heard), stale after \(staleAfter.text)"
    log.say(.warning, say)
    journal.line("heartbeats", beatMode(of: agent) == .on ? "degraded" : "would-degrade", say: say, in: state.directory) {
      $0.field("agent", name)
      if let lastBeat { $0.field("last_beat", lastBeat) }
      $0.field("stale_after_s", staleAfter.seconds)
    }
    setMarker(of: agent, .degraded, to: writer.bytes)
  }

  private func standAlone(_ agent: Agent, _ upstreams: [Agent], at now: Moment) {
    let name = name(of: agent)
    let silent = upstreams.map { self.name(of: $0) }
    var writer = JSONWriter(reserving: 256)
    writer.beginObject()
    writer.field("agent", name)
    writer.field("state", "standalone")
    writer.field("since", now.wall)
    writer.beginArray("without")
    for upstream in silent { writer.string(upstream) }
    writer.endArray()
    writer.field("by", "midwatch")
    writer.endObject()
    writer.endLine()
    let say = "\(name) runs standalone: \(silent.joined(separator: ", ")) silent"
    log.say(.notice, say)
    journal.line("heartbeats", beatMode(of: agent) == .on ? "standalone" : "would-stand-alone", say: say, in: state.directory) {
      $0.field("agent", name)
    }
    setMarker(of: agent, .standalone, to: writer.bytes)
  }

  func beatMode(of agent: Agent) -> Mode {
    settings.heartbeats(for: tree.names.bytes(of: agent)).mode.capped(by: settings.pipeline.mode)
  }

  // MARK: markers

  enum MarkerKind: String { case degraded, standalone }

  private func setMarker(of agent: Agent, _ kind: MarkerKind, to bytes: [UInt8]?) {
    switch kind {
    case .degraded: markers[agent, default: Markers()].degraded = bytes
    case .standalone: markers[agent, default: Markers()].standalone = bytes
    }
    guard beatMode(of: agent) == .on else { return }
    putMarker(of: agent, kind, bytes)
  }

  private func putMarker(of agent: Agent, _ kind: MarkerKind, _ bytes: [UInt8]?) {
    guard let place = markerDirectory(of: agent),
      let file = Path(bytes: tree.names.bytes(of: agent) + Array(".\(kind.rawValue)".utf8)),
      let directory = try? lockSensor.slash.directory(place)
    else { return }
    let shown = "/\(escaped(place.appending(file).bytes))"
    do throws(Errno) {
      guard let bytes else {
        guard case .ours = OwnFile.bearer(of: file, in: directory) else { return }
        if try OwnFile.remove(file, from: directory) {
          let say = "\(name(of: agent)) is back; removed \(shown)"
          log.say(.notice, say)
          journal.line("heartbeats", "unmarked", say: say, in: state.directory)
        }
        return
      }
      // One that stands since before a restart keeps the time it bears.
      if kind == .degraded, case .ours = OwnFile.bearer(of: file, in: directory) { return }
      if try !OwnFile.update(bytes, as: file, in: directory) {
        let say = "\(shown) is somebody else's file and is left as it is"
        if said.insert(say).inserted { log.say(.warning, say) }
        journal.line("heartbeats", "not-ours", say: say, in: state.directory)
      }
    } catch {
      let say = "\(shown) cannot be written: \(error)"
      if said.insert(say).inserted { log.say(.warning, say) }
      journal.line("heartbeats", "refused", say: say, in: state.directory)
    }
  }

  /// Puts what should stand and does not: a directory was made anew.
  func markersMayBeMissing() {
    for (agent, wanted) in markers where beatMode(of: agent) == .on {
      if let bytes = wanted.degraded { putMarker(of: agent, .degraded, bytes) }
      if let bytes = wanted.standalone { putMarker(of: agent, .standalone, bytes) }
    }
  }

  /// Where the agent's beat is, or would be: from "/", without the first slash.
  private func markerDirectory(of agent: Agent) -> Path? {
    if let beat = intake.beats.paths(of: agent).first { return beat.split.parent }
    return tree.fixedPart(of: .heartbeat, agent: agent)
  }

  /// A marker of ours whose agent nobody knows any more was left by an earlier run.
  func removeForgottenMarkers() {
    guard let place = tree.fixedPart(of: .heartbeat, agent: nil), let directory = try? lockSensor.slash.directory(place),
      let names = try? directory.namesInOrder()
    else { return }
    for name in names {
      for kind in [MarkerKind.degraded, .standalone] {
        let suffix = Array(".\(kind.rawValue)".utf8)
        guard name.count > suffix.count, name.bytes.suffix(suffix.count).elementsEqual(suffix) else { continue }
        let agent = tree.agent(named: Array(name.bytes.dropLast(suffix.count)))
        let wanted = kind == .degraded ? markers[agent]?.degraded : markers[agent]?.standalone
        if wanted == nil, beatMode(of: agent) == .on { putMarker(of: agent, kind, nil) }
      }
    }
  }

  // MARK: alerts

  private func alert(_ outage: HeartbeatRule.Outage, at now: Moment) {
    let root = name(of: outage.root)
    let standalone = outage.standalone.map { name(of: $0) }
    let heard = outage.lastBeat.map { "last heard \($0.timestamp)" } ?? "never heard since midwatchd began"
    let rest =
      switch standalone.count {
      case 0: ""
      case 1: "; \(standalone[0]) runs standalone"
      default: "; \(standalone.dropLast().joined(separator: ", ")) and \(standalone[standalone.count - 1]) run standalone"
      }
    // The same outage has the same id in every run: it begins with the last beat.
    let since = outage.lastBeat ?? closedAt
    fire(
      Incident(
        id: Incident.id(at: since, Hash.of(bytes: tree.names.bytes(of: outage.root))), kind: .heartbeat, severity: .warning,
        pipeline: settings.pipeline.name, agent: root, since: since, summary: "\(root) is silent\(rest)",
        cause: ["\(root): \(heard)"] + standalone.map { "\($0) needs \(root)" }, stopped: [],
        type: operatorCommand("why \(shellQuoted(tree.names.bytes(of: outage.root)))")),
      mode: beatMode(of: outage.root))
  }

  private func endOutage(of root: Agent) {
    let name = name(of: root)
    for incident in spool.firing(.heartbeat) where incident.agent == name { end(incident.id, "\(name) beats again") }
    log.say(.notice, "\(name) beats again")
  }

  /// The watch's own beat, where `expect = midwatch` asks for it.
  func writeOwnBeat(at now: Moment) {
    guard settings.heartbeats.expect.contains(Array("midwatch".utf8)), settings.pipeline.mode == .on,
      ownBeatDue.map({ $0 <= now.instant }) ?? true
    else { return }
    ownBeatDue = now.instant + settings.heartbeats.every
    guard let place = tree.fixedPart(of: .heartbeat, agent: nil), let directory = try? lockSensor.slash.directory(place) else {
      return
    }
    try? directory.replace(Path("midwatch.heartbeat"), with: Array("\(now.wall.timestamp)\n".utf8), mode: 0o644)
  }
}
