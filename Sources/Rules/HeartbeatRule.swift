/// Decides when an agent is silent, who then stands alone, and what is worth an alert.
public struct HeartbeatRule: Sendable {
  public struct Policy: Equatable, Sendable {
    public var staleAfter: TimeSpan
    /// Named in `expect`: silence from the start counts.
    public var isExpected: Bool
    /// `also = outputs`: a new output is a beat.
    public var outputsCount: Bool
    /// The agents this one depends on.
    public var needs: [Agent]
    public init(
      staleAfter: TimeSpan = .seconds(900), isExpected: Bool = false, outputsCount: Bool = false,
      needs: [Agent] = []
    ) {
      self.staleAfter = staleAfter
      self.isExpected = isExpected
      self.outputsCount = outputsCount
      self.needs = needs
    }
  }

  public enum Observation: Equatable, Sendable {
    /// The agent's beat was found to be `age` old. `written` is the time it bears.
    case beat(Agent, written: WallTime, age: TimeSpan)
    /// The agent has no heartbeat file (any more).
    case noBeat(Agent)
    /// The agent made an output.
    case output(Agent)
    case haltBegan
    case haltEnded
    case woke
  }

  /// An agent whose silence no silent upstream explains, and those that depend on it.
  public struct Outage: Equatable, Sendable {
    public var root: Agent
    /// When the root was last heard; nil when never.
    public var lastBeat: WallTime?
    /// Downstream of it, directly or through others, in order of their number.
    public var standalone: [Agent]
    public init(root: Agent, lastBeat: WallTime?, standalone: [Agent]) {
      self.root = root
      self.lastBeat = lastBeat
      self.standalone = standalone
    }
  }

  public enum Action: Equatable, Sendable {
    /// Put the agent's `.degraded` marker.
    case degrade(Agent, lastBeat: WallTime?)
    /// Remove it, if it is ours.
    case recover(Agent)
    /// Put or bring up to date the `.standalone` marker: which direct upstreams are silent.
    case standAlone(Agent, without: [Agent])
    /// Remove it, if it is ours.
    case rejoin(Agent)
    /// One alert for the whole outage.
    case alert(Outage)
    /// The root beats again.
    case over(Agent)
  }

  /// For agents that no `setPolicy` named. Its `needs` are not used.
  public var defaultPolicy = Policy() {
    didSet { lookAtAll() }
  }

  /// What the rule remembers of one agent.
  struct State: Sendable {
    /// The heartbeat file: the time it bears, and when that was on the clock that does not step.
    var file: (written: WallTime, instant: Instant)?
    /// The last output, if outputs count. Its wall time is nil where `handle` was not told it.
    var output: (written: WallTime?, instant: Instant)?
    /// Since when an agent that was never heard has been waited for.
    var waitedFor: Instant
    var isSilent = false
    /// An alert that named it as the root is out.
    var isAlerted = false
    /// Its marker was dealt with since the start, so that none is left over from a crash.
    var isMarkerKnown = false
    /// Until then its silence is put down to an upstream that has just come back.
    var excusedUntil: Instant?

    var heard: Instant? {
      guard let file, let output else { return file?.instant ?? output?.instant }
      return max(file.instant, output.instant)
    }

    var lastBeat: WallTime? {
      guard let output, let written = output.written,
        file.map({ $0.instant <= output.instant }) ?? true
      else { return file?.written }
      return written
    }
  }

  var agents: [Agent: State] = [:]
  var graph = NeedsGraph()
  private var policies: [Agent: Policy] = [:]
  var queue = DeadlineQueue()
  /// Agents to be looked at on the next `.woke` whatever the time. Silence is only ever found
  /// there, when all that was read at once is known: else the order of reading made the root.
  var pending: Set<Agent> = []
  /// What the `.standalone` marker was last said to name; empty: that there is none.
  var standalone: [Agent: [Agent]] = [:]
  var isHalted = false
  var haltEnded: Instant?
  private var lastHandled: Instant

  /// - Parameter startedAt: from when an expected agent that never beats is waited for.
  public init(startedAt: Instant) { lastHandled = startedAt }

  /// The earliest moment at which the rule wants `.woke`, perhaps one that is past; nil: only when
  /// something is observed. To be read after all of a batch was handled.
  public var deadline: Instant? {
    guard !pending.isEmpty else { return queue.first }
    return min(queue.first ?? lastHandled, lastHandled)
  }

  public mutating func setPolicy(_ policy: Policy, for agent: Agent) {
    policies[agent] = policy
    graph.set(needs: policy.needs, of: agent)
    if policy.isExpected, agents[agent] == nil {
      agents[agent] = State(waitedFor: lastHandled)
    }
    lookAtAll()
  }

  /// Takes back what `setPolicy` said; for a reload, which then says it anew.
  public mutating func removePolicies() {
    policies.removeAll()
    graph = NeedsGraph()
    lookAtAll()
  }

  /// What is known of an agent; nil when nothing is. `age` is that of the last beat.
  public func status(
    of agent: Agent, at now: Instant
  ) -> (isSilent: Bool, lastBeat: WallTime?, age: TimeSpan?)? {
    guard let state = agents[agent] else { return nil }
    return (state.isSilent, state.lastBeat, state.heard.map { max(now - $0, .zero) })
  }

  /// As below; `now.wall` dates outputs, so that markers and alerts can tell of them.
  public mutating func handle(
    _ observation: Observation, at now: Moment, into actions: inout [Action]
  ) {
    handle(observation, at: now.instant, wall: now.wall, into: &actions)
  }

  /// Takes in one observation and appends what follows from it to `actions`.
  ///
  /// - Parameter now: when it was made; never earlier than in the call before.
  public mutating func handle(
    _ observation: Observation, at now: Instant, into actions: inout [Action]
  ) {
    handle(observation, at: now, wall: nil, into: &actions)
  }

  private mutating func handle(
    _ observation: Observation, at now: Instant, wall: WallTime?, into actions: inout [Action]
  ) {
    lastHandled = now
    switch observation {
    case .beat(let agent, let written, let age):
      // The same write seen again keeps its moment: no step of the clock makes it older.
      if agents[agent]?.file?.written != written {
        agents[agent, default: State(waitedFor: now)].file = (written, now - max(age, .zero))
      }
      noteBeat(of: agent, at: now, into: &actions)
    case .output(let agent):
      guard policy(of: agent).outputsCount else { return }
      agents[agent, default: State(waitedFor: now)].output = (wall, now)
      noteBeat(of: agent, at: now, into: &actions)
    case .noBeat(let agent):
      if !isRequired(agent) {
        forget(agent, into: &actions)
      } else if agents[agent] == nil {
        agents[agent] = State(waitedFor: now)
        schedule(agent, at: now)
      }
      pending.formUnion(graph.dependents(of: agent))
    case .haltBegan:
      isHalted = true
      scheduleSilent(at: now)
    case .haltEnded:
      guard isHalted else { return }
      isHalted = false
      haltEnded = now
      scheduleSilent(at: now)
    case .woke: wake(at: now, into: &actions)
    }
  }

  func policy(of agent: Agent) -> Policy { policies[agent] ?? defaultPolicy }

  func isRequired(_ agent: Agent) -> Bool {
    policies[agent]?.isExpected == true || !graph.dependents(of: agent).isEmpty
  }

  private mutating func lookAtAll() {
    pending.formUnion(agents.keys)
    pending.formUnion(policies.keys)
    pending.formUnion(standalone.keys)
  }
}
