public import Rules

/// What holds for one agent: the general settings with its own section laid over them.
public struct AgentSettings: Equatable, Sendable {
  public let name: [UInt8]
  /// The agents this one depends on.
  public var needs: [[UInt8]] = []
  /// Compared with the whole command line of a process.
  public var match: [Glob] = []
  /// How fast its transcripts may grow; nil is off.
  public var growth: GrowthRule.Limit?
  /// What grows while it works, with its name in the place of `{agent}`.
  public var transcripts: [PathTemplate]
  public var heartbeats = HeartbeatSettings()
  public var outputs = OutputSettings()
  /// Its section has a `heartbeats.watch`: those files are this agent's, and none else is.
  public var hasOwnHeartbeats = false
  /// Its section has an `outputs.watch`: those files are this agent's, and none else is.
  public var hasOwnOutputs = false

  public init(name: [UInt8]) {
    self.name = name
    transcripts = [PathTemplate](fixed: "logs/{agent}.log", "logs/{agent}/**").map { $0.naming(agent: name) }
  }
}

/// One template to watch and whose files it finds.
public struct AgentWatch: Equatable, Sendable {
  public var template: PathTemplate
  /// From the agent's own section; nil: `{agent}` tells.
  public var agent: [UInt8]?
  public init(template: PathTemplate, agent: [UInt8]? = nil) {
    self.template = template
    self.agent = agent
  }
}

extension Settings {
  /// The agent's section; nil where it has none.
  public func agent(_ name: [UInt8]) -> AgentSettings? { agents.first { $0.name == name } }

  public func heartbeats(for agent: [UInt8]) -> HeartbeatSettings { self.agent(agent)?.heartbeats ?? heartbeats }
  public func heartbeats(for agent: String) -> HeartbeatSettings { heartbeats(for: Array(agent.utf8)) }

  public func outputs(for agent: [UInt8]) -> OutputSettings { self.agent(agent)?.outputs ?? outputs }
  public func outputs(for agent: String) -> OutputSettings { outputs(for: Array(agent.utf8)) }

  /// Every heartbeat template. A file that a general one finds for an agent with
  /// `hasOwnHeartbeats` is not its heartbeat.
  public var heartbeatWatches: [AgentWatch] {
    heartbeats.watch.map { AgentWatch(template: $0) }
      + agents.filter(\.hasOwnHeartbeats).flatMap { agent in
        agent.heartbeats.watch.map { AgentWatch(template: $0, agent: agent.name) }
      }
  }

  /// Every output template. A file that a general one finds for an agent with `hasOwnOutputs` is
  /// not counted.
  public var outputWatches: [AgentWatch] {
    outputs.watch.map { AgentWatch(template: $0) }
      + agents.filter(\.hasOwnOutputs).flatMap { agent in
        agent.outputs.watch.map { AgentWatch(template: $0, agent: agent.name) }
      }
  }

  /// The agents that must exist, in the order in which they are named.
  public var expectedAgents: [[UInt8]] {
    heartbeats.expect.filter { name in agent(name)?.heartbeats.expect.contains(name) ?? true }
      + agents.filter { $0.heartbeats.expect.contains($0.name) && !heartbeats.expect.contains($0.name) }.map(\.name)
  }
}
