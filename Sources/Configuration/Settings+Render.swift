extension Settings {
  /// Every key with its value as it would be written, for `midwatch check-config`.
  ///
  /// Read in again, the lines give the same settings. Of an agent's section: what differs from
  /// the general one. A list that takes one entry to a line has a line for each.
  public func render() -> [(section: String, key: String, value: String)] {
    var rendered: [(section: String, key: String, value: String)] = []
    for key in KeyTable.general {
      for line in key.lines(self) { rendered.append((key.section, key.name, line)) }
    }
    for agent in agents {
      // As an agent without a word of its own would be.
      var plain = AgentSettings(name: agent.name)
      plain.heartbeats = heartbeats
      plain.outputs = outputs
      for key in KeyTable.agent
      where isEmptyByItself(key, plain) || key.lines(agent) != key.lines(plain) || isOwnWatch(key, of: agent) {
        for line in key.lines(agent) {
          rendered.append(("agent " + agent.name.string, KeyTable.agentName(of: key), line))
        }
      }
    }
    return rendered
  }

  /// Every key that can be written, with its default and what it does; those of `[agent NAME]`
  /// that are its own come last.
  public static var reference: [(section: String, key: String, value: String, doc: String)] {
    let defaults = Settings()
    let agent = AgentSettings(name: [])
    return KeyTable.general.map { ($0.section, $0.name, $0.lines(defaults).joined(), $0.doc) }
      + KeyTable.agent.filter { $0.section == "agent" }.map { ($0.section, $0.name, $0.lines(agent).joined(), $0.doc) }
  }

  /// Named though nobody said it, so that an agent without a word of its own is not lost.
  private func isEmptyByItself(_ key: Key<AgentSettings>, _ plain: AgentSettings) -> Bool {
    key.section == "agent" && key.lines(plain) == [""]
  }

  /// The same template said for one agent is not the same: its files are this agent's.
  private func isOwnWatch(_ key: Key<AgentSettings>, of agent: AgentSettings) -> Bool {
    key.name == "watch" && (key.section == "heartbeats" ? agent.hasOwnHeartbeats : agent.hasOwnOutputs)
  }
}
