internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

/// What the watch keeps of growth besides its rule and its sensor.
struct GrowthStanding {
  /// The incidents of troubles that last, by agent.
  var incidents: [Agent: String] = [:]
  /// The resume that the rule was last told of.
  var closedAt: WallTime?
}

extension Watch {
  private var growthMode: Mode { settings.jobs.mode.capped(by: settings.pipeline.mode) }

  /// An alert of growth is known by the end of its id, also after a restart.
  private static var mark: String { "-growth" }

  var growthDue: Instant? {
    guard let due = transcripts?.due, let deadline = growthRule.deadline else {
      return transcripts?.due ?? growthRule.deadline
    }
    return min(due, deadline)
  }

  /// Begins anew with what the settings say: at the start and after a reload.
  func openTranscripts(at now: Moment) {
    let watched = growthMode == .off ? [] : settings.agents.filter { $0.growth != nil }
    var limits: [Agent: GrowthRule.Limit] = [:]
    for agent in watched { limits[tree.agent(named: agent.name)] = agent.growth }
    var actions: [GrowthRule.Action] = []
    growthRule.setLimits(limits, at: now, into: &actions)
    obeyGrowth(actions, [], at: now)
    transcripts = nil
    guard !limits.isEmpty else { return }
    var names = tree.names
    let plan = WatchPlan(settings, root: Self.resolved(root), places: state.places, names: &names)
    do throws(Errno) {
      let sensor = try TranscriptSensor(
        plan.transcripts, paces: limits.mapValues(\.pace), crossesMounts: settings.pipeline.crossMounts, at: now.instant)
      try sensor.register(with: sources.epoll, key: EventSources.Key.transcripts)
      transcripts = consume sensor
    } catch {
      log.say(.warning, "transcripts cannot be watched: \(error); how fast they grow is not known")
    }
  }

  /// What an earlier run told of: how large the files were then is not known any more.
  func endStaleGrowth() {
    for incident in spool.firing(.job) where incident.id.hasSuffix(Self.mark) {
      end(incident.id, "midwatchd was started anew; growth counts from here")
    }
  }

  func lookAtGrowth(at now: Moment) {
    guard transcripts != nil else { return }
    if growth.closedAt != closedAt {
      growth.closedAt = closedAt
      tellGrowth(.resumed, at: now)
    }
    while let agent = transcripts?.nextDue(by: now.instant), let look = transcripts?.look(at: agent, now: now.instant) {
      warn(of: look, agent)
      tellGrowth(.looked(agent, look.files.map(\.sighting)), look.files, at: now)
    }
    if let deadline = growthRule.deadline, deadline <= now.instant { tellGrowth(.woke, at: now) }
  }

  private func tellGrowth(
    _ observation: GrowthRule.Observation, _ files: [(path: Path, sighting: GrowthRule.Sighting)] = [], at now: Moment
  ) {
    var actions: [GrowthRule.Action] = []
    growthRule.handle(observation, at: now, into: &actions)
    obeyGrowth(actions, files, at: now)
  }

  private func obeyGrowth(
    _ actions: [GrowthRule.Action], _ files: [(path: Path, sighting: GrowthRule.Sighting)], at now: Moment
  ) {
    for action in actions {
      statusFile.isDirty = true
      switch action {
      case .began(let trouble):
        began(trouble, files.first { $0.sighting.file == trouble.fastest }?.path, at: now)
      case .ended(let trouble): ended(trouble)
      }
    }
  }

  private func began(_ trouble: GrowthRule.Trouble, _ fastest: Path?, at now: Moment) {
    let agent = name(of: trouble.agent)
    let file = fastest.map { escaped(Path("/").appending($0).bytes) }
    let (span, limit) = (trouble.limit.span.text, size(trouble.limit.bytes))
    let summary = "the transcripts of \(agent) grew by \(size(trouble.bytes)) within \(span) (limit \(limit))"
    let cause = [summary] + (file.map { ["fastest: \($0)"] } ?? [])
    let incident = Incident(
      id: Incident.id(at: now.wall, 0x6772_6f77 &+ UInt64(trouble.agent.index)) + Self.mark, kind: .job, severity: .warning,
      pipeline: settings.pipeline.name, agent: agent, since: now.wall,
      summary: file.map { "\(summary), fastest \($0)" } ?? summary, cause: cause, stopped: [],
      type: "\(operatorCommand("halt"))   (stops the pipeline)")
    journal.line("jobs", growthMode == .on ? "growing" : "would-alert", say: incident.summary, in: state.directory) {
      $0.field("agent", agent)
      $0.field("grown_bytes", trouble.bytes)
      $0.field("limit_bytes", trouble.limit.bytes)
      $0.field("span_s", trouble.limit.span.seconds)
      if let file { $0.field("path", file) }
    }
    guard halt == .none else { return }
    if settings.jobs.then == .halt, growthMode == .on {
      halt(for: incident, against: trouble.agent, rule: "jobs", at: now) { $0.field("grown_bytes", trouble.bytes) }
      intake.tell(.haltStands(mine: true), at: now.instant)
    } else {
      growth.incidents[trouble.agent] = incident.id
      fire(incident, mode: growthMode)
    }
  }

  private func ended(_ trouble: GrowthRule.Trouble) {
    let agent = name(of: trouble.agent)
    let growth = "\(size(trouble.bytes)) within \(trouble.limit.span.text)"
    let say = "the transcripts of \(agent) do not grow too fast any more: \(growth)"
    journal.line("jobs", "growth-over", say: say, in: state.directory) {
      $0.field("agent", agent)
      $0.field("grown_bytes", trouble.bytes)
    }
    log.say(.notice, say)
    if let id = self.growth.incidents.removeValue(forKey: trouble.agent) { end(id, say) }
  }

  private func warn(of look: TranscriptSensor.Look, _ agent: Agent) {
    if look.isCut, said.insert("growth-cut \(agent.index)").inserted {
      log.say(
        .warning,
        "\(name(of: agent)) has more transcripts than are looked at (\(GrowthRule.mostFiles) files, \(TranscriptSensor.mostNames) names); name fewer in transcripts ="
      )
    }
    if look.isBlind, said.insert("growth-blind \(agent.index)").inserted {
      log.say(
        .warning,
        "no inotify watch is left for the transcripts of \(name(of: agent)); they are looked at ten times in their span instead. Raise fs.inotify.max_user_watches or max_user_instances"
      )
    }
  }

  private func size(_ bytes: Int64) -> String { MemorySize.text(UInt64(max(0, bytes))) }
}
