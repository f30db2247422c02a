internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

extension Watch {
  /// The first look at everything, then READY.
  func begin() {
    let now = Clock.now()
    if ClosedAt.read(in: state.directory) == nil { try? ClosedAt.write(closedAt, in: state.directory) }
    lockSensor.readUndone(in: state.directory)
    applyPolicies()
    openMemory()
    adoptJobIncidents()
    endStaleGrowth()
    openTranscripts(at: now)
    journal.line("watch", "started", say: "midwatchd started, pid \(Own.pid)", in: state.directory) {
      $0.field("pid", Own.pid)
    }
    if let step = intake.clock.stepWhileDown {
      let say = "the wall clock was set while midwatchd was away (\(step.seconds) s); outputs before now do not count"
      closedAt = max(closedAt, now.wall)
      journal.line("watch", "clock-step", say: say, in: state.directory)
      log.say(.notice, say)
    }
    warnOfFixedSymlinks()
    removeOwnTemporaries()
    // Before anything is counted: what a HALT stands for is not told of again, and what a resume forgave
    // does not count again.
    lookAtHalt(at: now)
    resumedWhileAway(at: now)
    visitEverything(at: now)
    probeForWriting()
    if processes.hasOwnNamespace {
      log.say(.notice, "in a pid namespace of its own: the owners that locks name cannot be judged from here, only their age")
    }
    settle(at: Clock.now())
    removeForgottenMarkers()
    endStaleOutages()
    endStaleJobIncidents()
    recordClock(at: now)
    if let watchdogPeriod { watchdogDue = now.instant + TimeSpan(nanoseconds: watchdogPeriod.nanoseconds / 3) }
    writeStatus(at: now)
    manager?.tell("READY=1\nSTATUS=watching \(escaped(root.bytes))")
  }

  func end() {
    let now = Clock.now()
    manager?.tell("STOPPING=1")
    journal.line("watch", "stopped", say: "midwatchd stopped; a HALT, if one stands, stays", in: state.directory)
    recordClock(at: now)
    writeStatus(at: now)
    log.say(.notice, "stopped; a HALT, if one stands, stays")
  }

  /// What the settings say for each rule and agent.
  func applyPolicies() {
    lockRule.policy = settings.locks.policy
    openJobs()
    memoryRule.policy = settings.memory.policy
    applyLeakPolicy()
    heartbeatRule.removePolicies()
    intake.breaker.removePolicies()
    intake.breaker.pipeline = settings.outputs.pipeline
    if settings.outputs.mode == .off { intake.breaker.pipeline.limit = nil }
    intake.breaker.defaultPolicy = policy(of: settings.outputs)
    heartbeatRule.defaultPolicy = policy(of: settings.heartbeats)
    for name in settings.expectedAgents where name != Array("midwatch".utf8) { setPolicies(of: tree.agent(named: name)) }
    for agent in settings.agents { setPolicies(of: tree.agent(named: agent.name)) }
    intake.texts.isOff = ([settings.outputs] + settings.agents.map(\.outputs)).allSatisfy { $0.policy.similar == nil }
  }

  private func setPolicies(of agent: Agent) {
    let name = tree.names.bytes(of: agent)
    var beat = policy(of: settings.heartbeats(for: name))
    beat.isExpected = settings.expectedAgents.contains(name)
    beat.needs = settings.agent(name)?.needs.map { tree.agent(named: $0) } ?? []
    heartbeatRule.setPolicy(beat, for: agent)
    intake.breaker.setPolicy(policy(of: settings.outputs(for: name)), for: agent)
  }

  private func policy(of heartbeats: HeartbeatSettings) -> HeartbeatRule.Policy {
    // What is off is never silent, and so never the cause of another's standing alone.
    let staleAfter = heartbeats.mode == .off ? TimeSpan(nanoseconds: .max) : heartbeats.staleAfter
    return HeartbeatRule.Policy(staleAfter: staleAfter, outputsCount: heartbeats.outputsCount)
  }

  private func policy(of outputs: OutputSettings) -> BreakerRule.Policy {
    outputs.mode == .off ? BreakerRule.Policy(limit: nil, similar: nil) : outputs.policy
  }

  /// SIGHUP: new settings take the place of the old ones if they are good.
  func reloadSettings() {
    let now = Clock.now()
    manager?.tell("RELOADING=1\nMONOTONIC_USEC=\(now.instant.nanoseconds / 1000)")
    defer { manager?.tell("READY=1") }
    hasDoneMuch = true
    let new: Settings
    switch reload() {
    case .settings(let settings): new = settings
    case .refused(let why):
      log.say(.error, "\(why); the old settings stay")
      journal.line("watch", "reload-refused", say: "\(why); the old settings stay", in: state.directory)
      return
    }
    guard new.pipeline.root == settings.pipeline.root else {
      let say = "the pipeline root was changed, which takes a restart; the old settings stay"
      log.say(.error, say)
      journal.line("watch", "reload-refused", say: say, in: state.directory)
      return
    }
    var names = tree.names
    let plan = WatchPlan(new, root: Self.resolved(root), places: state.places, names: &names)
    do throws(Errno) {
      tree = try WatchTree(
        plan.templates, ignoreOfAgent: plan.ignoreOfAgent, ownWatches: plan.ownWatches, crossesMounts: new.pipeline.crossMounts,
        names: names)
    } catch {
      log.say(.error, "/: \(error); the old settings stay")
      return
    }
    settings = new
    alertDesk.apply(new.alert, at: now.instant)
    applyPolicies()
    openTranscripts(at: now)
    tellLeaks(.reloaded, at: now)
    needsFullVisit = true
    journal.line("watch", "reloaded", say: "settings read anew", in: state.directory)
    log.say(.notice, "settings read anew")
    settle(at: now)
  }

  /// A fixed component that is a symlink is not followed; said at once, with the line to write.
  private func warnOfFixedSymlinks() {
    for watch in settings.locks.watch + settings.heartbeatWatches.map(\.template) + settings.outputWatches.map(\.template) {
      guard !watch.isAbsolute, !watch.isHome else { continue }
      var path = Self.resolved(root)
      for component in watch.components.prefix(watch.fixedCount) {
        guard case .literal(let bytes) = component, let name = Path(bytes: bytes) else { break }
        let (above, part) = (path, name)
        path = path.appending(name)
        guard (try? Directory(above).status(of: part).kind) == .symlink, let target = try? realPath(path) else { continue }
        let rest = watch.text.utf8.drop { _ in false }
        let tail = String(decoding: rest, as: UTF8.self).split(separator: "/").dropFirst(1).joined(separator: "/")
        log.say(
          .warning, "\(escaped(path.bytes)) is a symlink and is not followed; write: watch = \(escaped(target.bytes))/\(tail)")
      }
    }
  }

  /// What a crash may have left of files that were being made.
  private func removeOwnTemporaries() {
    if settings.pipeline.mode == .on, let directory = try? Directory(root) { removeOwnTemporaries(in: directory) }
    removeOwnTemporaries(in: state.directory)
    removeOwnTemporaries(in: state.run)
    // Agents own what lies below the root: no symlink of theirs is followed.
    if settings.pipeline.mode == .on, let place = tree.fixedPart(of: .heartbeat, agent: nil),
      let directory = try? lockSensor.slash.directory(place)
    {
      removeOwnTemporaries(in: directory)
    }
  }

  private func removeOwnTemporaries(in directory: borrowing Directory) {
    for name in (try? directory.namesInOrder()) ?? [] where name.bytes.starts(with: Array(".midwatch-new-".utf8)) {
      guard (try? directory.status(of: name).owner) == Own.uid else { continue }
      try? directory.unlink(name)
    }
  }

  /// Where midwatchd has to write, and may not: said at the start, not at 3 am.
  private func probeForWriting() {
    guard settings.pipeline.mode == .on else { return }
    var places = [Self.resolved(root)]
    for purpose in [Purpose.lock, .heartbeat] {
      if let place = tree.fixedPart(of: purpose, agent: nil) { places.append(Path("/").appending(place)) }
    }
    for place in places {
      guard let error = mayWrite(into: place), error != .noEntry else { continue }
      let shown = escaped(place.bytes)
      let remedy =
        environment("INVOCATION_ID") == nil
        ? "make it writable for uid \(Own.uid)"
        : "in midwatchd.service, ProtectSystem=full keeps it read-only: add the line ReadWritePaths=\(shown)"
      let say = "\(shown) cannot be written: \(error); \(remedy)"
      log.say(.error, say)
      journal.line("watch", "not-writable", say: say, in: state.directory)
    }
  }

  /// Outages that an earlier run told of and that are over now.
  private func endStaleOutages() {
    for incident in spool.firing(.heartbeat) {
      guard let name = incident.agent, let bytes = unescaped(name) else { continue }
      let status = heartbeatRule.status(of: tree.agent(named: bytes), at: Clock.instant())
      if status?.isSilent != true { end(incident.id, "\(name) beats again") }
    }
  }

  /// The first screen: what is watched, and what will be done.
  public func introduction() -> String {
    let mode = settings.pipeline.mode == .on ? "" : "   (\(settings.pipeline.mode.rawValue): nothing is touched)"
    var lines = ["midwatch guards \(escaped(root.bytes))\(mode)"]
    func row(_ name: String, _ mode: Mode, _ what: String, _ watch: [PathTemplate], _ other: String = "") {
      let shown = mode.capped(by: settings.pipeline.mode)
      guard shown != .off else { return lines.append("  \(name)off") }
      lines.append("  \(name)\(watch.map { escaped(Array($0.text.utf8)) }.joined(separator: ", "))\(other)")
      lines.append("              \(shown == .observe ? "would " : "")\(what)")
    }
    let locks = settings.locks
    row(
      "locks       ", locks.mode,
      "reap at \(locks.policy.staleAfter.text) of age, or \(locks.policy.deadOwnerGrace.text) after a proven owner died; never one that is held",
      locks.watch)
    row(
      "heartbeats  ", settings.heartbeats.mode,
      "mark an agent .degraded after \(settings.heartbeats.staleAfter.text) of silence",
      settings.heartbeats.watch)
    let outputs = settings.outputs
    var trips: [String] = []
    if let limit = outputs.policy.limit { trips.append("output \(limit.count + 1) of one agent within \(limit.span.text)") }
    if let similar = outputs.policy.similar {
      trips.append("\(similar.count) nearly identical texts within \(similar.span.text)")
    }
    let levers = settings.halt.levers
    let jobs = levers.contains(.pause) ? ", pause running jobs" : levers.contains(.terminate) ? ", end running jobs" : ""
    row(
      "outputs     ", outputs.mode,
      trips.isEmpty ? "count, and never halt" : "write HALT\(jobs), and alert once, at \(trips.joined(separator: " or "))",
      outputs.watch)
    let leaks = settings.leaks
    row(
      "leaks       ", leaks.mode,
      leaks.policy.orphanBrowsers == .kill
        ? "kill headless browsers \(leaks.policy.grace.text) after they were found without a driver"
        : "report headless browsers that have lost their driver",
      [], "browsers of \(leakUsers)")
    let memory = settings.memory
    row(
      "memory      ", memory.mode,
      memory.policy.act.map { "at \($0) % alert, and spare no leak any grace" } ?? "alert at no level",
      [], "warn at \(memory.policy.warn) % in use")
    lines.append("  state       \(escaped(state.places.state.bytes))")
    let stop = Terminal.isTerminal(.error) ? "      stop: ctrl-c" : ""
    lines.append("  look        \(operatorCommand("status"))\(stop)")
    return lines.joined(separator: "\n") + "\n"
  }
}
