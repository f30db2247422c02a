/// What counts, and when it is too much. Nothing here allocates once the windows have their size.
extension BreakerRule {
  /// A name was born: created, linked, or moved in from outside.
  ///
  /// - Parameters:
  ///   - when: when that was; before `now` for what a rescan found.
  ///   - now: never earlier than in the call before.
  public mutating func born(
    _ key: NameKey, by agent: Agent, at when: Instant, now: Instant, into actions: inout [Action]
  ) {
    endHalfOpen(at: now, into: &actions)
    guard !isOff, min(when, now) >= countsSince else { return }
    let when = min(when, now)
    let place = place(of: agent)
    let limit = policy(at: place).limit
    let window = window(of: place)
    var trip: (cause: Trip.Cause, span: TimeSpan)?

    let isNew = Self.enter(
      key, at: when, now: now, window: window, log: &tallies[place].log, names: &names)
    if isNew {
      tallies[place].total &+= 1
      let counted = tallies[place].log.count
      if let limit, counted > Self.held(limit) {
        trip = (.tooMany(limit: limit, counted: counted), limit.span)
      }
    }
    if let limit = pipeline.limit,
      Self.enter(
        key, at: when, now: now, window: limit, log: &pipelineLog, names: &pipelineNames),
      trip == nil, pipelineLog.count > Self.held(limit)
    {
      trip = (.pipelineTooMany(limit: limit, counted: pipelineLog.count), limit.span)
    }
    if isNew, case .halfOpen(let until, let used) = phase {
      phase = .halfOpen(until: until, used: used + 1)
      // The window that closes is the one of the first trip, however often this fails.
      if used >= pipeline.probes {
        trip = (.probes(allowed: pipeline.probes), trippedSpan ?? window.span)
      }
    }
    if let trip {
      self.trip(Trip(agent: agent, cause: trip.cause), span: trip.span, place, at: now, &actions)
    }
  }

  /// A name was deleted or moved out: its birth stays counted, and it counts again when reborn.
  public mutating func gone(_ key: NameKey) {
    names.lose(key)
    pipelineNames.lose(key)
    texts.lose(key)
  }

  /// A name was renamed within the tree: no birth.
  public mutating func moved(from key: NameKey, to new: NameKey) {
    names.move(key, to: new)
    pipelineNames.move(key, to: new)
    texts.move(key, to: new)
  }

  /// A text was written; `fingerprint` is its SimHash. Only the last 256 of the pipeline are
  /// compared, so that a `similar` of more than 256 never trips.
  public mutating func text(
    _ fingerprint: UInt64, name: NameKey, by agent: Agent, at when: Instant, now: Instant,
    into actions: inout [Action]
  ) {
    endHalfOpen(at: now, into: &actions)
    guard !isOff, min(when, now) >= countsSince else { return }
    let place = place(of: agent)
    // Kept even where the agent has no limit: another's texts may be compared with it.
    let limit = policy(at: place).similar
    let counted = texts.add(
      fingerprint, name: name, at: min(when, now), span: limit?.span ?? .zero)
    guard let limit, counted > 0, counted >= limit.count else { return }
    let cause = Trip.Cause.similar(limit: limit, counted: counted)
    trip(Trip(agent: agent, cause: cause), span: limit.span, place, at: now, &actions)
  }

  /// A full scan begins. Whatever name in a window it does not see is gone at its end.
  public mutating func beginScan() {
    names.beginScan()
    pipelineNames.beginScan()
    texts.beginScan()
  }

  public mutating func sawInScan(_ key: NameKey) {
    names.sawInScan(key)
    pipelineNames.sawInScan(key)
    texts.sawInScan(key)
  }

  public mutating func endScan() {
    names.endScan()
    pipelineNames.endScan()
    texts.endScan()
  }

  private static func held(_ limit: Limit) -> Int { max(0, min(limit.count, greatestLimit)) }

  /// Enters a birth in a log, unless its name is in the window or it is older than that.
  private static func enter(
    _ key: NameKey, at when: Instant, now: Instant, window: Limit, log: inout SlidingLog,
    names: inout NameTable
  ) -> Bool {
    let start = now - window.span
    while let oldest = log.oldest, oldest.when <= start { release(&log, &names) }
    guard when > start, !names.confirms(key, at: now) else { return false }
    // One more than the limit is all that a verdict needs.
    while log.count > held(window) { release(&log, &names) }
    log.insert(SlidingLog.Birth(when: when, slot: names.add(key, expires: when + window.span)))
    return true
  }

  private static func release(_ log: inout SlidingLog, _ names: inout NameTable) {
    if let birth = log.removeOldest() { names.release(birth.slot) }
  }

  /// Forgets all that was counted.
  mutating func startAnew() {
    for place in tallies.indices {
      tallies[place].log.removeAll()
      tallies[place].total = 0
      tallies[place].isNamed = false
    }
    names.removeAll()
    pipelineLog.removeAll()
    pipelineNames.removeAll()
    texts.removeAll()
  }
}
