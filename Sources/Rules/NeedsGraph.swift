/// Who needs whom. The configuration forbids cycles; here they only must not do harm.
struct NeedsGraph: Sendable {
  private var needs: [Agent: [Agent]] = [:]
  private var neededBy: [Agent: [Agent]] = [:]

  /// Names the direct upstreams of an agent. Itself and repetitions are dropped.
  mutating func set(needs list: [Agent], of agent: Agent) {
    for upstream in needs(of: agent) { neededBy[upstream]?.removeAll { $0 == agent } }
    var kept: [Agent] = []
    for upstream in list where upstream != agent && !kept.contains(upstream) {
      kept.append(upstream)
      neededBy[upstream, default: []].append(agent)
    }
    needs[agent] = kept.isEmpty ? nil : kept
  }

  /// The direct upstreams, in the order in which they were named.
  func needs(of agent: Agent) -> [Agent] { needs[agent] ?? [] }

  /// The direct downstreams.
  func dependents(of agent: Agent) -> [Agent] { neededBy[agent] ?? [] }

  /// All that the agent depends on, directly or through others.
  func upstream(of agent: Agent) -> Set<Agent> { reach(from: agent, needs) }

  /// All that depend on the agent, directly or through others, in order of their number.
  func downstream(of agent: Agent) -> [Agent] {
    reach(from: agent, neededBy).sorted { $0.index < $1.index }
  }

  /// Without the agent itself, even in a cycle.
  private func reach(from agent: Agent, _ edges: [Agent: [Agent]]) -> Set<Agent> {
    var found: Set<Agent> = []
    var open = edges[agent] ?? []
    while let next = open.popLast() {
      guard next != agent, found.insert(next).inserted else { continue }
      open += edges[next] ?? []
    }
    return found
  }
}
