public import Configuration
public import Rules

/// What a matching name means to the watch.
public enum Purpose: Equatable, Sendable { case lock, heartbeat, output, halt, request, note }

/// An agent whose own section says where to look: the general templates do not find it.
public struct OwnWatch: Hashable, Sendable {
  public let purpose: Purpose
  public let agent: Agent
}

/// A path template laid out from "/", as the tree walks it.
public struct WatchedTemplate: Sendable {
  public let purpose: Purpose
  public let components: [PathTemplate.Component]
  /// How many leading components are literal. Mounts may be crossed within them.
  public let fixedCount: Int
  /// The agent whose section the template stands in; nil where the path names the agent.
  public let agent: Agent?
  /// How many leading components are the root's: where relative patterns are counted from.
  public let base: Int
  /// What is passed over below the fixed part.
  public let ignore: [IgnorePattern]

  public init(
    _ purpose: Purpose, components: [PathTemplate.Component], agent: Agent? = nil, ignore: [IgnorePattern] = [], base: Int = 0
  ) {
    self.purpose = purpose
    self.components = components
    var fixed = 0
    while fixed < components.count, case .literal = components[fixed] { fixed += 1 }
    fixedCount = fixed
    self.agent = agent
    self.ignore = ignore
    self.base = base
  }
}
