/// When an agent is silent, who is told, and when it is over.
extension HeartbeatRule {
  /// When the agent is or was to be called silent; nil is never.
  func staleAt(_ agent: Agent) -> Instant? {
    guard let state = agents[agent] else { return nil }
    let since = state.heard ?? (isRequired(agent) ? state.waitedFor : nil)
    return since?.after(policy(of: agent).staleAfter)
  }

  func isSilent(_ agent: Agent) -> Bool { agents[agent]?.isSilent ?? false }

  /// Takes in that the agent has a beat, fresh or stale. Good news is acted on at once.
  mutating func noteBeat(of agent: Agent, at now: Instant, into actions: inout [Action]) {
    guard let state = agents[agent] else { return }
    if standalone[agent] == nil { pending.insert(agent) }
    if !isStale(agent, at: now) {
      if state.isSilent {
        recover(agent, at: now, into: &actions)
      } else if !state.isMarkerKnown {
        agents[agent]?.isMarkerKnown = true
        actions.append(.recover(agent))
        pending.formUnion(graph.dependents(of: agent))
      }
    }
    schedule(agent, at: now)
  }

  mutating func wake(at now: Instant, into actions: inout [Action]) {
    var batch = pending
    pending.removeAll(keepingCapacity: true)
    while let index = queue.popFirst(dueBy: now) { batch.insert(Agent(index: index)) }
    let inOrder = batch.sorted { $0.index < $1.index }

    // Silence first, of all, since who is the root depends on it.
    var touched = batch
    for agent in inOrder {
      guard let state = agents[agent] else { continue }
      if state.heard == nil, !isRequired(agent) {
        forget(agent, into: &actions)
      } else if isStale(agent, at: now), !state.isSilent {
        agents[agent]?.isSilent = true
        agents[agent]?.isMarkerKnown = true
        actions.append(.degrade(agent, lastBeat: state.lastBeat))
      } else if !isStale(agent, at: now), state.isSilent {
        recover(agent, at: now, into: &actions)
      }
      touched.formUnion(graph.dependents(of: agent))
    }
    for agent in touched.sorted(by: { $0.index < $1.index }) {
      tellUpstreams(of: agent, into: &actions)
    }
    for agent in inOrder {
      alertIfRoot(agent, at: now, into: &actions)
      schedule(agent, at: now)
    }
  }

  private func isStale(_ agent: Agent, at now: Instant) -> Bool {
    staleAt(agent).map { $0 <= now } ?? false
  }

  private mutating func recover(_ agent: Agent, at now: Instant, into actions: inout [Action]) {
    let wasAlerted = agents[agent]?.isAlerted ?? false
    agents[agent]?.isSilent = false
    agents[agent]?.isAlerted = false
    agents[agent]?.excusedUntil = nil
    actions.append(.recover(agent))
    for dependent in graph.dependents(of: agent) { tellUpstreams(of: dependent, into: &actions) }
    if wasAlerted { actions.append(.over(agent)) }
    // Whoever fell silent because of it is given the time to come back, too.
    for dependent in graph.downstream(of: agent) where isSilent(dependent) {
      guard agents[dependent]?.isAlerted == false else { continue }
      let excusedUntil = now + policy(of: dependent).staleAfter
      agents[dependent]?.excusedUntil = excusedUntil
      schedule(dependent, at: now)
    }
  }

  /// Drops an agent that nobody waits for. Its last word is that it has no marker.
  mutating func forget(_ agent: Agent, into actions: inout [Action]) {
    let state = agents.removeValue(forKey: agent)
    queue.set(nil, for: agent.index)
    actions.append(.recover(agent))
    if state?.isAlerted == true { actions.append(.over(agent)) }
  }

  /// Says which of its direct upstreams are silent, where that has changed.
  private mutating func tellUpstreams(of agent: Agent, into actions: inout [Action]) {
    let needs = graph.needs(of: agent)
    let silent = needs.filter { isSilent($0) }
    let told = standalone[agent]
    guard silent != told else { return }
    if silent.isEmpty, told == nil {
      // The first word, which removes what a crash left, waits until there is something to know.
      let isKnown =
        agents[agent]?.heard != nil
        || !needs.isEmpty && needs.allSatisfy { agents[$0]?.heard != nil }
      guard isKnown else { return }
    }
    standalone[agent] = silent
    actions.append(silent.isEmpty ? .rejoin(agent) : .standAlone(agent, without: silent))
  }

  private mutating func alertIfRoot(
    _ agent: Agent, at now: Instant, into actions: inout [Action]
  ) {
    guard let state = agents[agent], state.isSilent, !state.isAlerted, !isHalted,
      quietUntil(agent).map({ $0 <= now }) ?? true, !isExplained(agent)
    else { return }
    agents[agent]?.isAlerted = true
    actions.append(
      .alert(
        Outage(root: agent, lastBeat: state.lastBeat, standalone: graph.downstream(of: agent))))
  }

  /// Whether a silent upstream explains the agent's silence. In a cycle everybody is everybody's
  /// upstream; there the first that is alerted is the root.
  private func isExplained(_ agent: Agent) -> Bool {
    for upstream in graph.upstream(of: agent) where isSilent(upstream) {
      let isCycle = graph.upstream(of: upstream).contains(agent)
      if !isCycle || agents[upstream]?.isAlerted == true { return true }
    }
    return false
  }

  /// Before then the agent's silence is marked but not alerted: a halt, or an upstream that has
  /// just come back, is its cause.
  private func quietUntil(_ agent: Agent) -> Instant? {
    let afterHalt = haltEnded.map { $0 + policy(of: agent).staleAfter }
    let excuse = agents[agent]?.excusedUntil
    guard let afterHalt, let excuse else { return afterHalt ?? excuse }
    return max(afterHalt, excuse)
  }

  mutating func schedule(_ agent: Agent, at now: Instant) {
    var due: Instant?
    if !isSilent(agent) {
      due = staleAt(agent)
    } else if agents[agent]?.isAlerted == false, !isHalted, let quiet = quietUntil(agent),
      quiet > now
    {
      due = quiet
    }
    queue.set(due, for: agent.index)
  }

  /// A halt began or ended: what waits for an alert waits anew.
  mutating func scheduleSilent(at now: Instant) {
    for (agent, state) in agents where state.isSilent && !state.isAlerted {
      schedule(agent, at: now)
    }
  }
}
