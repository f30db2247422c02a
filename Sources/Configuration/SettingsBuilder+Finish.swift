import Rules

extension SettingsBuilder {
  /// Puts everything together and checks what no single line can show.
  ///
  /// - Throws: the first contradiction, at the assignment that makes it.
  public func finish() throws(ConfigurationError) -> Settings {
    var settings = Settings()
    try apply(generalKeys, agent: nil, to: &settings)
    if isTrial { spareLeaks(&settings.leaks.policy) }
    try settlePipeline(&settings)
    try settleLevers(&settings)
    for (index, name) in agentNames.enumerated() {
      settings.agents.append(try agent(index, name, of: settings))
    }
    try checkLimits(settings)
    try checkNeeds(settings.agents)
    cap(&settings)
    return settings
  }

  private func apply<Part>(_ keys: [Key<Part>], agent: Int?, to part: inout Part) throws(ConfigurationError) {
    for (index, key) in keys.enumerated() {
      guard let slot = slots[SlotID(key: index, agent: agent)] else { continue }
      key.clear(&part)
      for value in slot.values {
        do throws(Fault) { try key.assign(&part, value) } catch { throw slot.position.error(error.sentence) }
      }
    }
  }

  private func settlePipeline(_ settings: inout Settings) throws(ConfigurationError) {
    var place = position("pipeline", "root")
    if let rootOverride {
      place = Position(file: "--root", line: 1, column: 1)
      do throws(Fault) { settings.pipeline.root = try rootPath(Array(rootOverride.utf8)) } catch {
        throw place.error(error.sentence)
      }
    }
    if settings.pipeline.root.isEmpty {
      throw (pipelinePosition ?? place).error(
        "the pipeline has no root; write root = /its/directory below [pipeline], or give --root")
    }
    guard settings.pipeline.name.isEmpty else { return }
    let last = settings.pipeline.root.utf8.split(separator: ASCII.slash).last.map { Array($0) } ?? []
    do throws(Fault) {
      try checkPlain(last)
      if last.trimmed(0..<last.count).count < last.count { throw Fault("a blank at an end") }
      settings.pipeline.name = try Kind<String>.plainName.read(last)
    } catch {
      throw place.error(
        "\(quoted(last)), the last part of root, cannot be the pipeline's name; write name = ... below [pipeline]")
    }
  }

  private func settleLevers(_ settings: inout Settings) throws(ConfigurationError) {
    var levers = settings.halt.levers
    let place = position("halt", "levers")
    guard levers.contains(.halt) else {
      throw place.error(
        "the lever halt is missing, and the file HALT is how everybody learns of a halt; write levers = halt, ...")
    }
    for (one, other) in [(HaltSettings.Lever.pause, HaltSettings.Lever.terminate), (.stop, .freeze)]
    where levers.contains(one) && levers.contains(other) {
      throw place.error("\(one.rawValue) and \(other.rawValue) do the same thing in two ways; write one of them")
    }
    if settings.halt.units.isEmpty {
      if let lever = levers.first(where: { $0 == .stop || $0 == .freeze }) {
        throw place.error("\(lever.rawValue) has nothing to work on; name the units, as in units = openclaw-gateway.service")
      }
    } else if !levers.contains(.freeze) {
      levers.append(.stop)
    }
    if settings.halt.exec != nil {
      levers.append(.exec)
    } else if levers.contains(.exec) {
      throw place.error("exec has nothing to start; name the program, as in exec = /usr/local/bin/stop-them")
    }
    settings.halt.levers = HaltSettings.Lever.allCases.filter { levers.contains($0) }
  }

  private func agent(_ index: Int, _ name: [UInt8], of settings: Settings) throws(ConfigurationError) -> AgentSettings {
    var agent = AgentSettings(name: name)
    agent.heartbeats = settings.heartbeats
    agent.outputs = settings.outputs
    try apply(agentKeys, agent: index, to: &agent)
    if isAssigned("heartbeats", "watch", index) {
      agent.hasOwnHeartbeats = true
      agent.heartbeats.watch = agent.heartbeats.watch.map { $0.naming(agent: name) }
    }
    if isAssigned("outputs", "watch", index) {
      agent.hasOwnOutputs = true
      agent.outputs.watch = agent.outputs.watch.map { $0.naming(agent: name) }
    }
    agent.transcripts = agent.transcripts.map { $0.naming(agent: name) }
    if agent.growth != nil, agent.transcripts.isEmpty {
      throw position("agent", "growth", index).error(
        "growth has no files to look at; name what grows, as in transcripts = logs/\(printable(name)).log")
    }
    if isAssigned("heartbeats", "expect", index), let other = agent.heartbeats.expect.first(where: { $0 != name }) {
      throw position("heartbeats", "expect", index).error(
        "here only \(printable(name)) itself can be expected; write \(printable(other)) in [heartbeats]")
    }
    return agent
  }

  /// Who only tries midwatch out has not said that it may kill.
  private func spareLeaks(_ policy: inout LeakRule.Policy) {
    if slot("leaks", "orphan-browsers", nil) == nil { policy.orphanBrowsers = .report }
    if slot("leaks", "orphan-children", nil) == nil { policy.orphanChildren = .report }
    if slot("leaks", "abandoned", nil) == nil { policy.abandoned = .report }
  }

  // MARK: Checks

  private func checkLimits(_ settings: Settings) throws(ConfigurationError) {
    let memory = settings.memory.policy
    if let act = memory.act, act < memory.warn {
      throw firstAssigned([("memory", "act"), ("memory", "warn")]).error(
        "act (\(act)%) is below warn (\(memory.warn)%), so that it would act before it warns; write act of at least \(memory.warn)%"
      )
    }
    try checkAgent(settings.heartbeats, settings.outputs, nil)
    for (index, agent) in settings.agents.enumerated() { try checkAgent(agent.heartbeats, agent.outputs, index) }
  }

  private func checkAgent(_ heartbeats: HeartbeatSettings, _ outputs: OutputSettings, _ agent: Int?) throws(ConfigurationError)
  {
    if heartbeats.staleAfter < heartbeats.every {
      let (stale, every) = (Units.spanText(heartbeats.staleAfter), Units.spanText(heartbeats.every))
      throw firstAssigned([("heartbeats", "stale-after"), ("heartbeats", "every")], agent).error(
        "stale-after (\(stale)) is shorter than every (\(every)), so that each agent would be called silent between two beats; write stale-after of at least \(every)"
      )
    }
    if let similar = outputs.policy.similar, similar.count < 2 {
      throw firstAssigned([("outputs", "similar")], agent).error(
        "similar counts texts that are like each other, and one alone is like none; write a count of at least 2")
    }
  }

  /// An agent that needs itself, directly or through others, could never run alone.
  private func checkNeeds(_ agents: [AgentSettings]) throws(ConfigurationError) {
    var numbers: [[UInt8]: Int] = [:]
    for (index, agent) in agents.enumerated() { numbers[agent.name] = index }
    let needs = agents.map { agent in agent.needs.compactMap { numbers[$0] } }
    for (index, agent) in agents.enumerated() where needs[index].contains(index) {
      throw position("agent", "needs", index).error("\(printable(agent.name)) needs itself; take it away")
    }
    // Take away, again and again, whoever needs nobody that is left: what cannot be taken away
    // is, or needs, a circle.
    var left = Set(agents.indices)
    var shrinks = true
    while shrinks {
      let free = left.filter { index in !needs[index].contains { left.contains($0) } }
      left.subtract(free)
      shrinks = !free.isEmpty
    }
    guard var at = left.min() else { return }
    // Whoever is left needs somebody who is left: walking on must come back.
    var walked: [Int] = []
    while !walked.contains(at) {
      walked.append(at)
      guard let next = needs[at].first(where: { left.contains($0) }) else { return }
      at = next
    }
    let circle = walked.drop { $0 != at } + [at]
    let text = circle.map { printable(agents[$0].name) }.joined(separator: " needs ")
    throw position("agent", "needs", at).error("\(text), which is a circle; take one of them away")
  }

  private func cap(_ settings: inout Settings) {
    let most = settings.pipeline.mode.capped(by: modeCap)
    settings.pipeline.mode = most
    settings.locks.mode = settings.locks.mode.capped(by: most)
    settings.heartbeats.mode = settings.heartbeats.mode.capped(by: most)
    settings.outputs.mode = settings.outputs.mode.capped(by: most)
    settings.jobs.mode = settings.jobs.mode.capped(by: most)
    settings.memory.mode = settings.memory.mode.capped(by: most)
    settings.leaks.mode = settings.leaks.mode.capped(by: most)
    for index in settings.agents.indices {
      settings.agents[index].heartbeats.mode = settings.agents[index].heartbeats.mode.capped(by: most)
      settings.agents[index].outputs.mode = settings.agents[index].outputs.mode.capped(by: most)
    }
  }

  // MARK: Places

  private func slot(_ section: String, _ key: String, _ agent: Int?) -> Slot? {
    let index =
      agent == nil
      ? generalKeys.firstIndex { $0.section == section && $0.name == key }
      : agentKeys.firstIndex { $0.section == section && $0.name == key }
    return index.flatMap { slots[SlotID(key: $0, agent: agent)] }
  }

  private func isAssigned(_ section: String, _ key: String, _ agent: Int) -> Bool { slot(section, key, agent) != nil }

  private func position(_ section: String, _ key: String, _ agent: Int? = nil) -> Position {
    firstAssigned([(section, key)], agent)
  }

  /// The first of these keys that was written anywhere, the agent's own section first.
  private func firstAssigned(_ keys: [(section: String, key: String)], _ agent: Int? = nil) -> Position {
    if let agent {
      for (section, key) in keys { if let slot = slot(section, key, agent) { return slot.position } }
    }
    for (section, key) in keys { if let slot = slot(section, key, nil) { return slot.position } }
    return Position(file: lastFile, line: 1, column: 1)
  }
}
