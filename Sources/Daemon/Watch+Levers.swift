internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

/// The levers of [halt], in their order: HALT and the gate are the file itself, the running jobs are stopped
/// with it, and what is left is pulled where the pipeline goes on writing.
extension Watch {
  /// Pulls what stops at once.
  ///
  /// - Parameter offender: the agent the halt is for; nil where it is for all.
  /// - Returns: what was stopped, for the alert.
  func pullLevers(against offender: Agent?, at now: Moment) -> [String] {
    intake.writers.removeAll(keepingCapacity: true)
    proof = HaltProof(lever: .halt, pulledAt: now.instant, lastLook: now.instant)
    haltedAgent = settings.halt.scope == .offender ? offender : nil
    var stopped = ["HALT was written: cooperative jobs stop"]
    let levers = settings.halt.levers
    if levers.contains(.gate) {
      proof?.lever = .gate
      stopped.append(
        jobs.hasSeenAny
          ? "cron's jobs behind midwatch-sh are skipped"
          : "no job was seen to run through midwatch-sh: cron goes on starting jobs, unless SHELL=/usr/bin/midwatch-sh stands above them"
      )
    }
    if levers.contains(.pause) || levers.contains(.terminate) {
      proof?.lever = levers.contains(.pause) ? .pause : .terminate
      stopped.append(signalJobs(isFirst: true, at: now))
    }
    return stopped
  }

  /// Pauses, or terminates, what runs of the pipeline.
  private func signalJobs(isFirst: Bool, at now: Moment) -> String {
    let pauses = settings.halt.levers.contains(.pause)
    let belonging = pipelineProcesses
    let signalled = pauser.apply(
      pauses ? .stop : .terminate, in: state.directory, find: { belonging.find(by: &processes) },
      isStill: { belonging.holds($0, by: processes) })
    let done = pauses ? "paused" : "terminated"
    guard !signalled.isEmpty else {
      return "nothing was \(done): no process bears a job's mark or fits an agent's match"
    }
    let pids = signalled.prefix(20).map { "\($0.pid)" }.joined(separator: ", ")
    let more = signalled.count > 20 ? ", and \(signalled.count - 20) more" : ""
    let say = "\(done) \(signalled.count) process\(signalled.count == 1 ? "" : "es") (pid \(pids)\(more))"
    journal.line("halt", done, say: isFirst ? say : "\(say), started since", in: state.directory) { writer in
      writer.beginArray("processes")
      for process in signalled.prefix(256) {
        writer.beginObject()
        writer.field("pid", process.pid)
        writer.field("start_ticks", process.startTicks)
        writer.field("name", processes.name(of: process.pid))
        writer.endObject()
      }
      writer.endArray()
    }
    log.say(.notice, say)
    return say
  }

  private var pipelineProcesses: PipelineProcesses {
    let offender = haltedAgent.map { tree.names.bytes(of: $0) }
    let agents = settings.agents.filter { offender == nil || $0.name == offender }
    return PipelineProcesses(
      root: root, matches: agents.flatMap(\.match), takesAllMarked: offender == nil,
      users: settings.leaks.owners(root: Self.resolved(root)))
  }

  /// Whether the halt holds; and if it does not, the next lever.
  func lookAtLevers(at now: Moment) {
    workLevers(at: now)
    guard halt != .none, var proof else {
      intake.writers.removeAll(keepingCapacity: true)
      return
    }
    let writers = intake.writers.filter { haltedAgent == nil || $0.key == haltedAgent }
    intake.writers.removeAll(keepingCapacity: true)
    if let writer = writers.first?.key {
      proof.extra += writers.values.reduce(0, +)
      proof.lastWriter = writer
      proof.lastWrite = now.wall
      // Also when a later lever was pulled since: what is started now is as unwanted.
      proof.wantsLook = settings.halt.levers.contains { $0 == .pause || $0 == .terminate }
      self.proof = proof
      resist(by: writer, at: now)
    }
    lookAgain(at: now)
    tellProof(at: now)
  }

  private func lookAgain(at now: Moment) {
    guard let proof, proof.wantsLook, proof.lastLook + .seconds(1) <= now.instant, settings.pipeline.mode == .on else { return }
    self.proof?.wantsLook = false
    self.proof?.lastLook = now.instant
    _ = signalJobs(isFirst: false, at: now)
  }

  var leversDue: Instant? {
    let proving = proof.flatMap { $0.isTold || levers.isBusy ? nil : $0.pulledAt + settings.halt.verifyAfter }
    let looking = proof.flatMap { $0.wantsLook ? $0.lastLook + .seconds(1) : nil }
    return [proving, looking, levers.deadline].compactMap { $0 }.min()
  }

  /// Something was written though the pipeline is halted.
  private func resist(by writer: Agent, at now: Moment) {
    guard let proof, settings.pipeline.mode == .on, !levers.isBusy else { return }
    guard proof.pulledAt + settings.halt.verifyAfter <= now.instant else { return }
    let later = settings.halt.levers.drop { $0 != proof.lever }.dropFirst()
    let agent = name(of: writer)
    let verifyAfter = settings.halt.verifyAfter.text
    guard let next = later.first else {
      guard said.insert("no-lever").inserted else { return }
      let say = "\(agent) still writes \(verifyAfter) after \(proof.lever.rawValue), and no lever is left"
      journal.line("halt", "not-held", say: say, in: state.directory) { $0.field("lever", proof.lever.rawValue) }
      return alarm(say, agent, at: now)
    }
    self.proof?.lever = next
    self.proof?.pulledAt = now.instant
    self.proof?.isTold = false
    let say = "\(agent) still writes \(verifyAfter) after \(proof.lever.rawValue): now \(next.rawValue)"
    journal.line("halt", "not-held", say: say, in: state.directory) {
      $0.field("lever", proof.lever.rawValue)
      $0.field("next", next.rawValue)
    }
    pull(next, because: say, at: now)
    alarm(say, agent, at: now)
  }

  private func pull(_ lever: HaltSettings.Lever, because why: String, at now: Moment) {
    switch lever {
    case .halt, .gate: break
    case .pause, .terminate: _ = signalJobs(isFirst: true, at: now)
    case .stop, .freeze:
      levers.add(settings.halt.units.flatMap { [.ask($0), .stop($0, freeze: lever == .freeze)] })
    case .exec: runOwnLever(.firing, why, at: now)
    }
    workLevers(at: now)
  }

  /// The operator's program gets the halt's line on its standard input, and its end at the resume.
  private func runOwnLever(_ incidentState: Incident.State, _ why: String, at now: Moment) {
    guard let words = settings.halt.exec?.words else { return }
    var id = "halt"
    if case .mine(let own) = halt { id = own }
    let incident = Incident(
      id: id, kind: .breaker, severity: incidentState == .over ? .info : .halt, pipeline: settings.pipeline.name,
      agent: haltedAgent.map { name(of: $0) }, since: now.wall, summary: why, cause: [why], stopped: [],
      type: incidentState == .over ? "" : operatorCommand("resume"))
    levers.ranOwn(incidentState == .firing, in: state.directory)
    levers.add([.exec(words, incident.line(incidentState))])
  }

  private func alarm(_ say: String, _ agent: String, at now: Moment) {
    // One for the halt, however many levers do not hold; it is over with it.
    guard !spool.firing(.breaker).contains(where: { $0.id.hasSuffix("-held") }) else { return }
    var id = Incident.id(at: now.wall, 0x6c65_7665)
    if case .mine(let own) = halt { id = own }
    fire(
      Incident(
        id: "\(id)-held", kind: .breaker, severity: .halt, pipeline: settings.pipeline.name, agent: agent, since: now.wall,
        summary: "the halt does not hold: \(say)", cause: [say], stopped: [],
        type: "\(operatorCommand("log --rule halt"))   (what was tried); then stop \(agent) by hand"), mode: .on)
  }

  /// Once the time is over: that nobody writes any more, or that somebody did.
  private func tellProof(at now: Moment) {
    guard var proof, !proof.isTold, !levers.isBusy, proof.pulledAt + settings.halt.verifyAfter <= now.instant else { return }
    proof.isTold = true
    self.proof = proof
    let writes =
      proof.extra == 0
      ? "nothing was written since"
      : "\(proof.extra) output\(proof.extra == 1 ? "" : "s") since, the last by \(proof.lastWriter.map { name(of: $0) } ?? "") at \(proof.lastWrite?.timestamp ?? "")"
    let say = "\(settings.halt.verifyAfter.text) after \(proof.lever.rawValue): \(writes)"
    journal.line("halt", "proved", say: say, in: state.directory) {
      $0.field("lever", proof.lever.rawValue)
      $0.field("extra", proof.extra)
    }
    log.say(.notice, say)
  }

  private func workLevers(at now: Moment) {
    while let news = levers.work(in: state.directory, at: now.instant) {
      switch news {
      case .started:
        levers.register(with: sources.epoll, key: EventSources.Key.hook)
        return
      case .done(let step):
        if let say = step.done {
          journal.line("halt", "lever", say: say, in: state.directory)
          log.say(.notice, say)
        }
      case .failed(let step, let why):
        let say = "\(step.attempt) failed: \(why)"
        journal.line("halt", "lever-failed", say: say, in: state.directory)
        log.say(.error, say)
      }
      // A gateway may take a minute to stop, and writes until then.
      if !levers.isBusy { proof?.pulledAt = now.instant }
    }
  }

  /// Everything that a halt stopped goes on.
  func releaseLevers(_ why: String, at now: Moment) {
    let extra = proof?.extra ?? 0
    proof = nil
    said.remove("no-lever")
    let released = pauser.release(in: state.directory, isStill: { processes.living($0.pid) == $0 })
    if released > 0 {
      // While it was stopped a page used no CPU, and it is not abandoned for that.
      let isImpatient = leakRule.isImpatient
      leakRule = LeakRule(policy: leakRule.policy)
      leakRule.isImpatient = isImpatient
      journal.line("halt", "continued", say: "\(released) paused processes go on", in: state.directory) {
        $0.field("count", released)
        $0.field("extra", extra)
      }
    }
    levers.undo()
    if levers.hasRunOwn { runOwnLever(.over, why, at: now) }
    haltedAgent = nil
    for incident in spool.firing(.breaker) where incident.id.hasSuffix("-held") { end(incident.id, "over: \(why)") }
    workLevers(at: now)
  }
}

extension LeverDesk.Step {
  fileprivate var attempt: String {
    switch self {
    case .ask(let unit): "asking systemd for \(unit)"
    case .stop(let unit, let freeze): "\(freeze ? "freezing" : "stopping") \(unit)"
    case .start(let unit, let frozen): "\(frozen ? "thawing" : "starting") \(unit)"
    case .exec(let words, _): "the lever \(escaped(Array((words.first ?? "").utf8)))"
    }
  }

  /// nil for what is no news.
  fileprivate var done: String? {
    switch self {
    case .ask: nil
    case .stop(let unit, let freeze): "\(unit) was \(freeze ? "frozen" : "stopped")"
    case .start(let unit, let frozen): "\(unit) was \(frozen ? "thawed" : "started") again"
    case .exec: "\(attempt) has run"
    }
  }
}
