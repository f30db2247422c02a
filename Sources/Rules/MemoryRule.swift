/// Decides when memory is tight and when it is short, and how often its level is worth reading.
///
/// Memory is tight from `warn` on and until well below it; it is short from `act` on and until below
/// `warn`. The kernel's pressure trigger never decides anything: it only asks for the level.
public struct MemoryRule: Sendable {
  public struct Policy: Equatable, Sendable {
    /// Percent in use.
    public var warn: Int
    /// Percent in use; nil: memory is never short.
    public var act: Int?
    public init(warn: Int = 80, act: Int? = 87) {
      self.warn = warn
      self.act = act
    }
  }

  public enum Observation: Equatable, Sendable {
    /// The level as it was read now.
    case level(percent: Int)
    /// The kernel's trigger: processes wait for memory.
    case pressed
    /// Whether a watched browser or a gated job lives.
    case watched(Bool)
    case woke
  }

  public enum Action: Equatable, Sendable {
    /// Read the level and tell it.
    case read
    /// Tell that memory is getting tight. Not said where it was found short at once.
    case warn(percent: Int)
    /// Memory is short: alert.
    case short(percent: Int)
    /// It is short no more: the alert is over.
    case over(percent: Int)
    /// It is tight no more: the next warning is news.
    case eased(percent: Int)
  }

  /// How often the level is read while it matters.
  public static let pace = TimeSpan.seconds(30)
  /// The trigger's window: it asks for no more than one level in each.
  public static let window = TimeSpan.seconds(2)
  /// Points between a threshold and where it is left behind, so that a level that hovers is told once.
  public static let margin = 5

  public var policy: Policy {
    didSet { if policy != oldValue { isAsked = true } }
  }

  /// Without the trigger (no PSI, or none for us) the level is read at `pace` whatever lives.
  public var hasTrigger = true {
    didSet { if hasTrigger != oldValue { isAsked = true } }
  }

  /// Graces shrink, and abandoned renderers go.
  public private(set) var isShort: Bool
  public private(set) var isTight: Bool
  /// Percent, when it was last read.
  public private(set) var level: Int?

  private var isWatched = false
  /// A level is wanted as soon as the window allows.
  private var isAsked = true
  /// When the level was last asked for or read; nil: never.
  private var lastRead: Instant?
  private let startedAt: Instant

  /// - Parameter isShort: an alert from before a restart stands: it is ended here, and not told again.
  public init(policy: Policy = Policy(), startedAt: Instant, isShort: Bool = false) {
    self.policy = policy
    self.startedAt = startedAt
    self.isShort = isShort
    isTight = isShort
  }

  /// The earliest moment at which the rule wants `.woke`, perhaps one that is past; nil: only when
  /// something is observed.
  public var deadline: Instant? {
    guard let lastRead else { return startedAt }
    if isAsked { return lastRead + Self.window }
    let isNear = level.map { $0 >= warn - Self.margin } ?? false
    return isNear || isWatched || !hasTrigger ? lastRead + Self.pace : nil
  }

  /// Takes in one observation and appends what follows from it to `actions`.
  ///
  /// - Parameter now: when it was made; never earlier than in the call before.
  public mutating func handle(_ observation: Observation, at now: Instant, into actions: inout [Action]) {
    switch observation {
    case .level(let percent):
      note(now)
      level = percent
      judge(percent, into: &actions)
      return
    case .pressed: isAsked = true
    case .watched(let isWatched): self.isWatched = isWatched
    case .woke: break
    }
    guard let deadline, deadline <= now else { return }
    // As if it had been read: a level that nobody can tell is not asked for without a pause.
    note(now)
    actions.append(.read)
  }

  private mutating func note(_ now: Instant) {
    lastRead = now
    isAsked = false
  }

  /// Never above `act`: who warns after acting has not warned.
  private var warn: Int { min(policy.warn, policy.act ?? .max) }

  /// At least a margin below `act`, and reachable.
  private var overBelow: Int {
    guard let act = policy.act else { return .max }
    return max(1, min(warn, act - Self.margin))
  }

  private mutating func judge(_ percent: Int, into actions: inout [Action]) {
    if isShort, percent < overBelow {
      isShort = false
      actions.append(.over(percent: percent))
    } else if !isShort, let act = policy.act, percent >= act {
      isShort = true
      isTight = true
      actions.append(.short(percent: percent))
    }
    if isTight, percent < max(1, warn - Self.margin) {
      isTight = false
      actions.append(.eased(percent: percent))
    } else if !isTight, percent >= warn {
      isTight = true
      actions.append(.warn(percent: percent))
    }
  }
}
