/// Decides when an agent's transcripts or logs grow too fast: a loop that burns tokens and writes no output.
///
/// What it knows is looks at the files, at most one for each tenth of a span or so. Growth is put down to the look
/// that found it and kept in ten buckets for each agent, however large the files are and however often they grow.
public struct GrowthRule: Sendable {
  /// "SIZE per SPAN": more is too fast.
  public struct Limit: Hashable, Sendable {
    public var bytes: Int64
    public var span: TimeSpan
    public init(bytes: Int64, span: TimeSpan) {
      self.bytes = bytes
      self.span = span
    }

    /// How far apart looks at the files are while they grow.
    public var pace: TimeSpan { max(TimeSpan(nanoseconds: bucket), .seconds(1)) }

    /// Nanoseconds.
    var bucket: Int64 { max(1, span.nanoseconds / Int64(GrowthRule.buckets)) }
  }

  public struct Sighting: Equatable, Sendable {
    public var file: FileIdentity
    public var size: Int64
    /// nil where the filesystem keeps no birth time. Such a file counts from when it was first seen.
    public var born: WallTime?
    public init(file: FileIdentity, size: Int64, born: WallTime?) {
      self.file = file
      self.size = size
      self.born = born
    }
  }

  public enum Observation: Equatable, Sendable {
    /// All files of the agent, as they are now. One that is missing here is forgotten.
    case looked(Agent, [Sighting])
    /// A halt was ended: nothing that grew before it counts.
    case resumed
    case woke
  }

  public struct Trouble: Equatable, Sendable {
    public var agent: Agent
    public var limit: Limit
    /// Growth within the span.
    public var bytes: Int64
    /// The file that grew most in the look that found it too much.
    public var fastest: FileIdentity?
    public init(agent: Agent, limit: Limit, bytes: Int64, fastest: FileIdentity?) {
      self.agent = agent
      self.limit = limit
      self.bytes = bytes
      self.fastest = fastest
    }
  }

  /// One trouble of an agent at a time.
  public enum Action: Equatable, Sendable {
    case began(Trouble)
    /// Growth fell under half of the limit, a person resumed, or the limit was turned off.
    case ended(Trouble)
  }

  /// Of one agent so many files are kept in mind.
  public static let mostFiles = 4096

  static let buckets = 10

  struct Known: Sendable {
    var size: Int64
    var born: WallTime?
  }

  struct Standing: Sendable {
    var limit: Limit
    /// A file born later is new, and all that is in it has grown.
    var watchedSince: WallTime
    var files: [FileIdentity: Known] = [:]
    /// What grew, by the number of the bucket: that of its nanoseconds.
    var grown: [(number: Int64, bytes: Int64)] = []
    var fastest: FileIdentity?
    var isTold = false

    init(limit: Limit, watchedSince: WallTime) {
      self.limit = limit
      self.watchedSince = watchedSince
    }
  }

  private var agents: [Agent: Standing] = [:]

  public init() {}

  /// The earliest moment at which the rule wants `.woke`; nil: only when something is observed.
  public var deadline: Instant? { agents.values.compactMap { $0.deadline }.min() }

  /// Sets whose files are looked at, and takes back what was set before. What is known of an agent that stays is
  /// kept; files of one that is new count from the next look.
  public mutating func setLimits(_ limits: [Agent: Limit], at now: Moment, into actions: inout [Action]) {
    for agent in order where limits[agent] == nil {
      if let trouble = agents[agent]?.tellOver(agent) { actions.append(trouble) }
      agents[agent] = nil
    }
    for (agent, limit) in limits {
      if agents[agent] == nil { agents[agent] = Standing(limit: limit, watchedSince: now.wall) }
      agents[agent]?.change(to: limit)
    }
    judgeAll(at: now.instant, into: &actions)
  }

  /// Growth of an agent within its span; nil where it has no limit.
  public func growth(of agent: Agent, at now: Instant) -> Int64? { agents[agent]?.sum(at: now) }

  /// Takes in one observation and appends what follows from it to `actions`.
  ///
  /// - Parameter now: when it was made; never earlier than in the call before.
  public mutating func handle(_ observation: Observation, at now: Moment, into actions: inout [Action]) {
    switch observation {
    case .looked(let agent, let sightings): agents[agent]?.take(sightings, at: now)
    case .resumed:
      for agent in order { agents[agent]?.grown.removeAll() }
    case .woke: break
    }
    judgeAll(at: now.instant, into: &actions)
  }

  private var order: [Agent] { agents.keys.sorted { $0.index < $1.index } }

  private mutating func judgeAll(at now: Instant, into actions: inout [Action]) {
    for agent in order { if let news = agents[agent]?.judge(agent, at: now) { actions.append(news) } }
  }
}

extension GrowthRule.Standing {
  private typealias Rule = GrowthRule

  private func number(_ now: Instant) -> Int64 {
    let (quotient, rest) = now.nanoseconds.quotientAndRemainder(dividingBy: limit.bucket)
    return rest < 0 ? quotient - 1 : quotient
  }

  /// The last bucket that has left the span that ends at `now`.
  private func gone(at now: Instant) -> Int64 {
    let (gone, overflow) = number(now).subtractingReportingOverflow(Int64(Rule.buckets))
    return overflow ? .min : gone
  }

  func sum(at now: Instant) -> Int64 {
    let gone = gone(at: now)
    return grown.reduce(0) { $1.number > gone ? Rule.sum($0, $1.bytes) : $0 }
  }

  /// When the oldest growth leaves the span, while there is a trouble to be over.
  var deadline: Instant? {
    guard isTold, let oldest = grown.first else { return nil }
    let (end, overflow) = oldest.number.addingReportingOverflow(Int64(Rule.buckets))
    let due = Instant(nanoseconds: 0) + TimeSpan(nanoseconds: limit.bucket) * end
    return overflow || due.isNever ? nil : due
  }

  mutating func take(_ sightings: [GrowthRule.Sighting], at now: Moment) {
    var seen: [FileIdentity: GrowthRule.Known] = [:]
    var (all, most): (Int64, Int64) = (0, 0)
    for sighting in sightings.prefix(Rule.mostFiles) where seen[sighting.file] == nil {
      let growth = growth(of: sighting, at: now)
      seen[sighting.file] = .init(size: sighting.size, born: sighting.born)
      all = Rule.sum(all, growth)
      if growth > most { (most, fastest) = (growth, sighting.file) }
    }
    files = seen
    if all > 0 { add(all, at: number(now.instant)) }
  }

  private func growth(of sighting: GrowthRule.Sighting, at now: Moment) -> Int64 {
    let size = max(0, sighting.size)
    // The same inode with another birth is another file.
    if let known = files[sighting.file], known.born == sighting.born {
      // Cut off, it begins anew from there.
      return size > max(0, known.size) ? size - max(0, known.size) : 0
    }
    guard let born = sighting.born, born > watchedSince, now.wall - born < limit.span else { return 0 }
    return size
  }

  private mutating func add(_ bytes: Int64, at number: Int64) {
    if let last = grown.indices.last, grown[last].number == number {
      grown[last].bytes = Rule.sum(grown[last].bytes, bytes)
    } else {
      grown.append((number, bytes))
    }
  }

  /// What was counted is put into buckets of the new width.
  mutating func change(to new: GrowthRule.Limit) {
    guard new != limit else { return }
    let old = (grown, limit.bucket)
    limit = new
    grown = []
    for (bucket, bytes) in old.0 {
      add(bytes, at: number(Instant(nanoseconds: 0) + TimeSpan(nanoseconds: old.1) * bucket))
    }
  }

  mutating func judge(_ agent: Agent, at now: Instant) -> GrowthRule.Action? {
    let gone = gone(at: now)
    grown.removeAll { $0.number <= gone }
    let bytes = sum(at: now)
    if !isTold, bytes > limit.bytes {
      isTold = true
      return .began(trouble(agent, bytes))
    }
    // Well below, so that growth that hovers is told once. Nothing at all is below any limit.
    return isTold && (bytes == 0 || bytes < limit.bytes / 2) ? tellOver(agent) : nil
  }

  mutating func tellOver(_ agent: Agent) -> GrowthRule.Action? {
    guard isTold else { return nil }
    isTold = false
    return .ended(trouble(agent, grown.reduce(0) { Rule.sum($0, $1.bytes) }))
  }

  private func trouble(_ agent: Agent, _ bytes: Int64) -> GrowthRule.Trouble {
    .init(agent: agent, limit: limit, bytes: bytes, fastest: fastest)
  }
}

extension GrowthRule {
  /// Sizes come from files, and a sparse one may claim anything.
  static func sum(_ a: Int64, _ b: Int64) -> Int64 {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
  }
}
