/// The ladder itself. Whoever wants to change what counts as stale reads from here.
extension LockRule {
  /// What the ladder says of one lock: for `midwatch why`.
  public struct Judgement: Equatable, Sendable {
    public enum Verdict: String, Equatable, Sendable {
      case kept
      /// To be reaped at `due`.
      case waiting
      /// Its moment has come; only holders are still to be asked for, or the outcome is awaited.
      case due
      /// Reaped, or would have been in observe mode: nothing more until it changes.
      case settled
    }
    public var rung: Rung
    public var verdict: Verdict
    /// When it is reaped if nothing changes, or, of a lock that is kept, looked at again.
    public var due: Instant?
    public var age: TimeSpan
    public init(rung: Rung, verdict: Verdict, due: Instant?, age: TimeSpan) {
      self.rung = rung
      self.verdict = verdict
      self.due = due
      self.age = age
    }
  }

  /// Where a lock stands on the rungs that need no holders.
  enum Standing: Equatable {
    case ignored
    case ownerLives
    /// Stale from that moment on, unless somebody holds it; nil is never.
    case stale(Rung, from: Instant?)
  }

  /// What the last sighting says of holders.
  enum Holding: Equatable {
    case notAsked
    case held(Rung)
    case unknown
    case free
  }

  /// The last judgement of a lock the rule knows, brought forward to `now`; nil for any other.
  public func judge(_ id: LockID, at now: Instant) -> Judgement? {
    guard let lock = tracked[id] else { return nil }
    let age = max(now - lock.writtenAt, .zero)
    func judgement(_ rung: Rung, _ verdict: Judgement.Verdict, due: Instant?) -> Judgement {
      Judgement(rung: rung, verdict: lock.isSettled ? .settled : verdict, due: due, age: age)
    }
    let next = nextLook(at: lock)
    let standing = standing(of: lock)
    if standing == .ignored { return judgement(.ignored, .kept, due: nil) }
    let holding = holding(of: lock)
    if holding == .held(.kernelHeld) { return judgement(.kernelHeld, .kept, due: next) }
    switch (standing, holding) {
    case (.ignored, _): return judgement(.ignored, .kept, due: nil)
    case (.ownerLives, _): return judgement(.ownerLives, .kept, due: next)
    case (.stale(_, _), .held(let rung)): return judgement(rung, .kept, due: next)
    case (.stale(let rung, _), .unknown): return judgement(rung, .kept, due: next)
    case (.stale(let rung, let from), .free), (.stale(let rung, let from), .notAsked):
      guard lock.sighting.unreapable == nil, let from else {
        return judgement(rung, .kept, due: next)
      }
      return judgement(rung, from <= now ? .due : .waiting, due: lock.isSettled ? nil : from)
    }
  }

  func standing(of lock: Tracked) -> Standing {
    let sighting = lock.sighting
    if sighting.ignored { return .ignored }
    if case .alive = sighting.owner, lock.diedAt == nil { return .ownerLives }
    // `diedAt` is set only while the sighting names an owner that can be known to be dead.
    if let diedAt = lock.diedAt, lock.isProved || sighting.writerIsHolder,
      let due = diedAt.after(policy.deadOwnerGrace)
    {
      return .stale(.ownerGone, from: due)
    }
    if sighting.earlierBoot { return .stale(.earlierBoot, from: lock.writtenAt) }
    return .stale(.age, from: staleAt(lock))
  }

  func holding(of lock: Tracked) -> Holding {
    let (locked, opened) = (lock.sighting.lockedBy, lock.sighting.openedBy)
    if locked?.named != nil { return .held(.kernelHeld) }
    if opened?.named != nil { return .held(.open) }
    guard let locked, let opened else { return .notAsked }
    return locked == .unknown || opened == .unknown ? .unknown : .free
  }

  func staleAt(_ lock: Tracked) -> Instant? { lock.writtenAt.after(policy.staleAfter) }

  /// When the lock wants attention; nil when only an event can change anything.
  func nextLook(at lock: Tracked) -> Instant? {
    guard !lock.isSettled else { return nil }
    switch standing(of: lock) {
    case .ignored: return nil
    case .ownerLives: return lock.isReported ? nil : staleAt(lock)
    case .stale(_, let from):
      guard let from, !(lock.sighting.unreapable != nil && lock.isReported) else { return nil }
      guard let looked = lock.lookedAt else { return from }
      var again = looked + pace
      // A lock that is held is to be reported when it gets too old, not up to a pace later.
      if !lock.isReported, let stale = staleAt(lock), looked < stale { again = min(again, stale) }
      return max(from, again)
    }
  }

  /// Does what is due for a lock, and schedules the next look.
  ///
  /// - Parameter isFresh: its sighting was made just now, so that its holders can be relied on.
  mutating func consider(
    _ id: LockID, at now: Instant, isFresh: Bool = false, into actions: inout [Action]
  ) {
    defer { schedule(id) }
    guard var lock = tracked[id], !lock.isSettled else { return }
    let holding = holding(of: lock)
    switch standing(of: lock) {
    case .ignored: return
    case .ownerLives:
      let rung = holding == .held(.kernelHeld) ? Rung.kernelHeld : .ownerLives
      reportIfOld(id, &lock, rung, at: now, into: &actions)
    case .stale(let rung, let from):
      guard let from, from <= now else { return }
      if !isFresh || holding == .notAsked {
        guard let look = nextLook(at: lock), look <= now else { return }
        lock.lookedAt = now
        actions.append(.examine(id))
      } else {
        lock.lookedAt = now
        switch holding {
        case .held(let rung): reportIfOld(id, &lock, rung, at: now, into: &actions)
        case .unknown: report(id, &lock, rung, into: &actions)
        case .free where lock.sighting.unreapable != nil: report(id, &lock, rung, into: &actions)
        case .free: actions.append(.reap(id, lock.sighting, because: rung))
        case .notAsked: break
        }
      }
    }
    tracked[id] = lock
  }

  private func reportIfOld(
    _ id: LockID, _ lock: inout Tracked, _ rung: Rung, at now: Instant, into actions: inout [Action]
  ) {
    guard let stale = staleAt(lock), stale <= now else { return }
    report(id, &lock, rung, into: &actions)
  }

  private func report(
    _ id: LockID, _ lock: inout Tracked, _ rung: Rung, into actions: inout [Action]
  ) {
    guard !lock.isReported else { return }
    lock.isReported = true
    actions.append(.report(id, lock.sighting, because: rung))
  }

  mutating func schedule(_ id: LockID) {
    queue.set(tracked[id].flatMap { nextLook(at: $0) }, for: id.index)
  }
}
