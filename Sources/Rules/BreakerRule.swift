/// Decides when the pipeline writes too much: a true sliding log per agent and for the pipeline,
/// near-duplicates, and the states of a circuit breaker. The HALT file is the state; this rule is
/// told whether it stands and asks for it to be written or removed.
public struct BreakerRule: Sendable {
  /// "N per SPAN".
  public struct Limit: Hashable, Sendable {
    public var count: Int
    public var span: TimeSpan
    public init(count: Int, span: TimeSpan) {
      self.count = count
      self.span = span
    }
  }

  public struct Policy: Equatable, Sendable {
    /// nil is off.
    public var limit: Limit?
    /// Near-duplicates; nil is off. Trips at the `count`-th.
    public var similar: Limit?
    public init(
      limit: Limit? = Limit(count: 10, span: .seconds(600)),
      similar: Limit? = Limit(count: 5, span: .seconds(1800))
    ) {
      self.limit = limit
      self.similar = similar
    }
  }

  public struct PipelinePolicy: Equatable, Sendable {
    /// nil is off.
    public var limit: Limit?
    /// nil: open until a person resumes.
    public var coolDown: TimeSpan?
    /// Outputs allowed in one window while half-open.
    public var probes: Int
    public init(limit: Limit? = nil, coolDown: TimeSpan? = nil, probes: Int = 1) {
      self.limit = limit
      self.coolDown = coolDown
      self.probes = probes
    }
  }

  /// The raw value is what the journal and the status say.
  public enum State: String, Equatable, Sendable {
    case closed
    case open
    case halfOpen = "half-open"
    /// A person's HALT.
    case forcedOpen = "forced-open"
    case off
  }

  public struct Trip: Equatable, Sendable {
    public enum Cause: Equatable, Sendable {
      /// More than `limit` outputs; `counted` of them within `limit.span`.
      case tooMany(limit: Limit, counted: Int)
      /// The same over all agents.
      case pipelineTooMany(limit: Limit, counted: Int)
      /// `counted` texts that say nearly the same within `limit.span`.
      case similar(limit: Limit, counted: Int)
      /// More than `probes` outputs while half-open.
      case probes(allowed: Int)
    }
    /// Who made the output that tripped it.
    public var agent: Agent
    public var cause: Cause
    public init(agent: Agent, cause: Cause) {
      self.agent = agent
      self.cause = cause
    }
  }

  public enum Observation: Equatable, Sendable {
    /// A HALT stands. `mine`: it was written by the rule's own trip (now or before a restart).
    case haltStands(mine: Bool)
    /// HALT is gone: a person resumed, or the rule's own cool-down removed it.
    case haltGone
    case woke
  }

  public enum Action: Equatable, Sendable {
    /// Write HALT, journal, alert.
    case trip(Trip)
    /// A further reason while halted: to the journal only. Once per agent and halt.
    case alsoTripped(Trip)
    /// The cool-down is over: remove HALT.
    case probe
    /// Half-open went well.
    case close
  }

  /// A limit above it is held at it: it bounds what a window remembers.
  public static let greatestLimit = 1_000_000

  /// For agents that no `setPolicy` named.
  public var defaultPolicy = Policy()

  public var pipeline: PipelinePolicy

  /// `mode = off`: nothing is counted, nothing is asked for. HALT is still kept track of.
  public var isOff = false {
    didSet { if isOff != oldValue { startAnew() } }
  }

  /// Births and texts before it do not count: the last closing, or the very first start.
  public var countsSince = Instant(nanoseconds: .min)

  enum Phase: Equatable {
    case closed
    /// The rule's own halt. `isProbing`: it has asked for HALT to be removed.
    case open(since: Instant, isProbing: Bool)
    case halfOpen(until: Instant, used: Int)
    case forcedOpen
  }

  /// What is counted of one agent.
  struct Tally: Sendable {
    /// nil: the default's.
    var policy: Policy?
    var log = SlidingLog()
    /// Births since the last closing.
    var total = 0
    /// It was named as a reason of the halt that stands.
    var isNamed = false
  }

  var phase = Phase.closed
  /// How often in a row half-open went wrong.
  var doublings = 0
  /// The window of what tripped it: how long half-open lasts.
  var trippedSpan: TimeSpan?

  var tallies: [Tally] = []
  var places: [Agent: Int] = [:]
  /// The names in the windows of all agents.
  var names = NameTable()
  var pipelineLog = SlidingLog()
  var pipelineNames = NameTable()
  var texts = RecentTexts()

  public init(pipeline: PipelinePolicy) { self.pipeline = pipeline }

  public mutating func setPolicy(_ policy: Policy, for agent: Agent) {
    let place = place(of: agent)
    tallies[place].policy = policy
  }

  /// Takes back what `setPolicy` said; for a reload, which then says it anew. Counts are kept.
  public mutating func removePolicies() {
    for place in tallies.indices { tallies[place].policy = nil }
  }

  public var state: State {
    guard !isOff else { return .off }
    switch phase {
    case .closed: return .closed
    case .open: return .open
    case .halfOpen: return .halfOpen
    case .forcedOpen: return .forcedOpen
    }
  }

  /// Births of an agent: within its window (or ten minutes where it has no limit), and since the
  /// last closing.
  public func count(of agent: Agent, at now: Instant) -> (inWindow: Int, total: Int) {
    guard let place = places[agent] else { return (0, 0) }
    let span = window(of: place).span
    return (tallies[place].log.count(after: now - span), tallies[place].total)
  }

  /// How long before `now` each birth was that stands in an agent's window, the earliest first; of too many the
  /// last. For the journal.
  public func births(of agent: Agent, at now: Instant, atMost most: Int) -> [TimeSpan] {
    guard let place = places[agent] else { return [] }
    let start = now - window(of: place).span
    return tallies[place].log.moments.suffix(max(0, most)).filter { $0 > start }.map { max(now - $0, .zero) }
  }

  /// Whether the name is remembered: its birth was counted, and it has not gone since. Perhaps
  /// its window is over, which only the next birth of its agent finds out.
  public func knows(_ key: NameKey) -> Bool {
    names.contains(key) || pipelineNames.contains(key)
  }

  /// Whether the name is in a window now: a birth under it would not count.
  public func knows(_ key: NameKey, at now: Instant) -> Bool {
    names.contains(key, at: now) || pipelineNames.contains(key, at: now)
  }

  mutating func place(of agent: Agent) -> Int {
    if let place = places[agent] { return place }
    places[agent] = tallies.count
    tallies.append(Tally())
    return tallies.count - 1
  }

  func policy(at place: Int) -> Policy { tallies[place].policy ?? defaultPolicy }

  /// What an agent's log keeps. Without a limit it still tells new names from known ones.
  func window(of place: Int) -> Limit {
    policy(at: place).limit ?? Limit(count: 255, span: .seconds(600))
  }
}
