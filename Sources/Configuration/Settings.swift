public import Rules

/// Everything midwatch.conf can say, typed. The values below are the defaults; `KeyTable` says how
/// each key is called, read and printed.
public struct Settings: Equatable, Sendable {
  public var pipeline = PipelineSettings()
  public var locks = LockSettings()
  public var heartbeats = HeartbeatSettings()
  public var outputs = OutputSettings()
  public var jobs = JobSettings()
  public var halt = HaltSettings()
  public var memory = MemorySettings()
  public var leaks = LeakSettings()
  public var alert = AlertSettings()
  /// Those with an `[agent NAME]` section, in the order in which they were first met.
  public var agents: [AgentSettings] = []

  public init() {}
}

public struct PipelineSettings: Equatable, Sendable {
  /// Absolute, without a slash at the end; empty only in settings that no builder finished.
  public var root = ""
  /// The last component of the root unless given.
  public var name = ""
  /// Caps the mode of every rule; a finished `Settings` has the caps applied.
  public var mode = Mode.on
  public var crossMounts = false
  public init() {}
}

public struct LockSettings: Equatable, Sendable {
  public var mode = Mode.on
  public var watch = [PathTemplate](fixed: "tasks/{task}.lock")
  public var policy = LockRule.Policy(staleAfter: .seconds(1800), deadOwnerGrace: .seconds(60))
  public var ignore: [IgnorePattern] = []
  public init() {}
}

public struct HeartbeatSettings: Equatable, Sendable {
  /// Where the time of a beat is read.
  public enum Source: Equatable, Sendable {
    case modificationTime
    /// The file's text is a time.
    case content
    /// The file is JSON; the keys lead to a time.
    case json([String])
  }

  /// What else counts as a beat.
  public enum Also: String, Equatable, Sendable, CaseIterable { case outputs }

  public var mode = Mode.on
  public var watch = [PathTemplate](fixed: "status/{agent}.heartbeat")
  public var every = TimeSpan.seconds(300)
  public var staleAfter = TimeSpan.seconds(900)
  public var source = Source.modificationTime
  public var also: [Also] = []
  /// Agents that must exist. In an agent's own section: that agent, or nobody.
  public var expect: [[UInt8]] = []
  public init() {}

  public var outputsCount: Bool { also.contains(.outputs) }
}

public struct OutputSettings: Equatable, Sendable {
  public var mode = Mode.on
  public var watch = [PathTemplate](fixed: "outputs/{agent}/**")
  /// `limit` and `similar`, each agent by itself.
  public var policy = BreakerRule.Policy(
    limit: BreakerRule.Limit(count: 10, span: .seconds(600)),
    similar: BreakerRule.Limit(count: 5, span: .seconds(1800)))
  /// `pipeline-limit`, `cool-down` and `probes`: one for all agents together.
  public var pipeline = BreakerRule.PipelinePolicy(limit: nil, coolDown: nil, probes: 1)
  public var ignore = [IgnorePattern](
    fixed: ".*", "*.tmp", "*.part", "*.swp", "*~", "node_modules", "__pycache__")
  public init() {}
}

public struct JobSettings: Equatable, Sendable {
  /// What the gate makes of a command that the same user starts while it still runs.
  public enum Overlap: String, Equatable, Sendable, CaseIterable { case skip, allow }
  /// What a job that breaks a limit leads to.
  public enum Consequence: String, Equatable, Sendable, CaseIterable { case alert, halt }

  public var mode = Mode.on
  public var overlap = Overlap.allow
  /// Failures in a row; nil is off.
  public var failures: Int? = 5
  /// Starts of one job; nil is off.
  public var runs: BreakerRule.Limit?
  /// nil is off.
  public var maxDuration: TimeSpan?
  public var then = Consequence.alert
  public init() {}
}

public struct HaltSettings: Equatable, Sendable {
  /// In the order in which they are pulled.
  public enum Lever: String, Equatable, Sendable, CaseIterable {
    case halt, gate, pause, terminate, stop, freeze, exec
  }
  public enum Scope: String, Equatable, Sendable, CaseIterable { case pipeline, offender }

  /// In a finished `Settings`: in the order of `Lever`, with `.stop` where `units` are named and
  /// no lever for them is, and with `.exec` where there is one.
  public var levers: [Lever] = [.halt, .gate, .pause]
  public var scope = Scope.pipeline
  public var verifyAfter = TimeSpan.seconds(60)
  public var units: [String] = []
  public var exec: Command?
  /// Compared with a job's whole command line.
  public var exempt: [Glob] = []
  public var keep = false
  public init() {}
}

public struct MemorySettings: Equatable, Sendable {
  public var mode = Mode.on
  public var policy = MemoryRule.Policy(warn: 80, act: 87)
  public init() {}
}

public struct LeakSettings: Equatable, Sendable {
  public var mode = Mode.on
  /// Without `users`, which names are to be looked up by whoever can.
  public var policy = LeakRule.Policy()
  /// Where browsers' programs lie besides the known places.
  public var browsers: [PathTemplate] = []
  /// Names of helpers; none named is off.
  public var helpers: [Glob] = []
  /// `.report` or `.off`: directories are never removed.
  public var leftovers = LeakRule.Policy.Treatment.report
  /// User names or numbers besides root's owner.
  public var users: [String] = []
  /// Compared with the unit, the profile directory and the debug port of a browser.
  public var allow: [Glob] = []
  public init() {}
}

public struct AlertSettings: Equatable, Sendable {
  public var exec: Command?
  public var mail: [String] = []
  public var webhook: [Webhook] = []
  public var ping: Endpoint?
  public var pingEvery = TimeSpan.seconds(300)
  /// The first wait after a failure; it doubles up to 120 times this.
  public var retry = TimeSpan.seconds(5)
  /// At most a minute.
  public var timeout = TimeSpan.seconds(60)
  public init() {}
}

extension [PathTemplate] {
  /// Templates of our own; the tests prove that each one parses.
  init(fixed texts: String...) { self = texts.compactMap { try? PathTemplate($0) } }
}

extension [IgnorePattern] {
  fileprivate init(fixed texts: String...) { self = texts.compactMap { try? IgnorePattern($0) } }
}
