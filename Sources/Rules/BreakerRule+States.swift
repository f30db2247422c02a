/// The states of the breaker, which follow the HALT file.
extension BreakerRule {
  /// The longest that doubling makes a cool-down; one that is set longer stays as it is.
  static let longestCoolDown = TimeSpan.seconds(8 * 3600)

  /// The earliest moment at which the rule wants `.woke`; nil: only when something happens.
  public var deadline: Instant? {
    guard !isOff else { return nil }
    switch phase {
    case .closed, .forcedOpen: return nil
    case .open(let since, _): return coolDown.flatMap { since.after($0) }
    case .halfOpen(let until, _): return until
    }
  }

  /// Takes in one observation and appends what follows from it to `actions`.
  ///
  /// `.haltGone` is for a HALT that stood and is gone, or a person's resume; it is not for every
  /// look that finds none. What it says is believed, even of a HALT never confirmed.
  public mutating func handle(
    _ observation: Observation, at now: Instant, into actions: inout [Action]
  ) {
    switch observation {
    case .haltStands(mine: true): ownHaltStands(at: now)
    case .haltStands(mine: false): phase = .forcedOpen
    case .haltGone: haltGone(at: now)
    case .woke:
      endHalfOpen(at: now, into: &actions)
      probe(at: now, into: &actions)
    }
  }

  private mutating func ownHaltStands(at now: Instant) {
    switch phase {
    // Standing after it was to be removed: that did not work, and is asked for again later.
    case .open(let since, isProbing: _): phase = .open(since: since, isProbing: false)
    case .closed, .halfOpen, .forcedOpen: phase = .open(since: now, isProbing: false)
    }
  }

  private mutating func haltGone(at now: Instant) {
    switch phase {
    case .closed, .halfOpen: return
    case .open(_, isProbing: true):
      let span = trippedSpan ?? defaultPolicy.limit?.span ?? .seconds(600)
      phase = .halfOpen(until: now + span, used: 0)
    case .open(_, isProbing: false), .forcedOpen:
      phase = .closed
      doublings = 0
    }
    countsSince = max(countsSince, now)
    startAnew()
  }

  private mutating func probe(at now: Instant, into actions: inout [Action]) {
    guard !isOff, case .open = phase, let due = deadline, due <= now else { return }
    // If HALT stays all the same, removing it is tried again after another cool-down.
    phase = .open(since: now, isProbing: true)
    actions.append(.probe)
  }

  /// Closes when a window went well. Births ask, too: one after the window is none of its probes.
  mutating func endHalfOpen(at now: Instant, into actions: inout [Action]) {
    guard !isOff, case .halfOpen(let until, _) = phase, until <= now else { return }
    // What was counted stays: a burst across this boundary must not escape.
    phase = .closed
    doublings = 0
    actions.append(.close)
  }

  mutating func trip(
    _ trip: Trip, span: TimeSpan, _ place: Int, at now: Instant, _ actions: inout [Action]
  ) {
    switch phase {
    case .open, .forcedOpen:
      guard !tallies[place].isNamed else { return }
      actions.append(.alsoTripped(trip))
    case .closed, .halfOpen:
      if phase != .closed { doublings += 1 }
      phase = .open(since: now, isProbing: false)
      trippedSpan = span
      actions.append(.trip(trip))
    }
    tallies[place].isNamed = true
  }

  private var coolDown: TimeSpan? {
    guard let set = pipeline.coolDown, !set.isForever else { return nil }
    // At least a second, so that a mistaken zero does not keep the loop awake.
    let base = max(set, .seconds(1))
    return min(base * (1 << Int64(min(doublings, 20))), max(base, Self.longestCoolDown))
  }
}
