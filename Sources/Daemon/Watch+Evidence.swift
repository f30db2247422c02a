internal import Kernel
internal import Rules

extension Watch {
  /// So many births stand in the line of a trip: 4 KiB or so.
  static var mostBirths: Int { 512 }

  /// Carries out what the breaker asks for, with the births that made it ask in the journal's lines.
  func obeyTrips(at now: Moment) {
    guard !intake.breakerActions.isEmpty else { return }
    // All at once: carrying out the first may start all windows anew.
    let actions = intake.breakerActions.map { ($0, births(behind: $0, at: now.instant)) }
    intake.breakerActions.removeAll(keepingCapacity: true)
    for (action, births) in actions {
      intake.breakerActions.append(action)
      journal.births = births
      obeyBreaker(at: now)
    }
    journal.births = []
  }

  private func births(behind action: BreakerRule.Action, at now: Instant) -> [Int64] {
    switch action {
    case .trip(let trip), .alsoTripped(let trip):
      intake.breaker.births(of: trip.agent, at: now, atMost: Self.mostBirths).map { $0.nanoseconds / 1_000_000 }
    case .probe, .close: []
    }
  }
}
