/// Decides when a lock is stale: the ladder of docs/rules.md, first match wins.
public struct LockRule: Sendable {
  public struct Policy: Equatable, Sendable {
    public var staleAfter: TimeSpan
    public var deadOwnerGrace: TimeSpan
    public init(staleAfter: TimeSpan = .seconds(1800), deadOwnerGrace: TimeSpan = .seconds(60)) {
      self.staleAfter = staleAfter
      self.deadOwnerGrace = deadOwnerGrace
    }
  }

  /// The ladder's rungs; the raw value is the reason in the journal.
  public enum Rung: String, Equatable, Sendable {
    case ignored = "listed under ignore"
    case kernelHeld = "held in the kernel"
    case ownerLives = "its owner lives"
    case ownerGone = "its owner is gone"
    case open = "open in a process"
    case earlierBoot = "from an earlier boot"
    case age = "older than stale-after"
  }

  public enum Observation: Equatable, Sendable {
    case seen(LockID, LockSighting)
    case absent(LockID)
    /// A process that `.follow` asked about has ended.
    case ended(ProcessIdentity)
    /// The reaping that `.reap` asked for did not take place: somebody holds or changed the lock.
    case spared(LockID)
    /// It did, or would have in observe mode: the lock is settled until it changes.
    case settled(LockID)
    /// A deadline may have passed.
    case woke
  }

  public enum Action: Equatable, Sendable {
    /// Look again, holders included, and say `.seen`.
    case examine(LockID)
    /// Say `.ended` when this process has ended.
    case follow(ProcessIdentity)
    /// Reap, if it still is what was judged.
    case reap(LockID, LockSighting, because: Rung)
    /// Tell once that this lock is old and kept, and why.
    case report(LockID, LockSighting, because: Rung)
  }

  /// Locks kept track of. Beyond it a lock is left alone: not judged, not reaped, not reported;
  /// `refused` says that it happened.
  public static let capacity = 65_536

  /// May be changed at any time; what is waited for is reckoned anew.
  public var policy: Policy {
    didSet { for (id, lock) in tracked { queue.set(nextLook(at: lock), for: id.index) } }
  }

  /// Sightings of locks that were left alone because `capacity` was reached.
  public private(set) var refused = 0

  var tracked: [LockID: Tracked] = [:]
  var queue = DeadlineQueue()
  /// The locks that wait for a process to end. `.follow` is asked for the first of them.
  var dependents: [ProcessIdentity: Set<LockID>] = [:]

  public init(policy: Policy) { self.policy = policy }

  /// The earliest moment at which the rule wants `.woke`; nil: only when something is seen.
  public var deadline: Instant? { queue.first }

  /// Takes in one observation and appends what follows from it to `actions`.
  ///
  /// - Parameter now: when it was made; never earlier than in the call before.
  public mutating func handle(
    _ observation: Observation, at now: Instant, into actions: inout [Action]
  ) {
    switch observation {
    case .seen(let id, let sighting): see(id, sighting, at: now, into: &actions)
    case .absent(let id): forget(id)
    case .ended(let process): end(process, at: now, into: &actions)
    case .spared(let id):
      tracked[id]?.lookedAt = now
      schedule(id)
    case .settled(let id):
      guard var lock = tracked[id] else { return }
      release(lock.follows, for: id)
      lock.follows = []
      lock.isSettled = true
      tracked[id] = lock
      schedule(id)
    case .woke:
      // Each look moves its lock's next one into the future; the count only bounds the loop.
      for _ in 0..<tracked.count {
        guard let index = queue.popFirst(dueBy: now) else { break }
        consider(LockID(index: index), at: now, into: &actions)
      }
    }
  }

  private mutating func see(
    _ id: LockID, _ sighting: LockSighting, at now: Instant, into actions: inout [Action]
  ) {
    let known = tracked[id]
    guard known != nil || tracked.count < Self.capacity else {
      refused &+= 1
      return
    }
    var lock: Tracked
    var isFresh = false
    if let known, known.isSame(as: sighting) {
      lock = known
      lock.sighting = sighting
      isFresh = sighting.hasHolders
      if !isFresh {
        // Still worth waiting for and telling, but nothing is reaped on it.
        lock.sighting.lockedBy = known.sighting.lockedBy
        lock.sighting.openedBy = known.sighting.openedBy
      }
    } else {
      lock = Tracked(sighting, at: now)
      isFresh = sighting.hasHolders
    }
    lock.noteOwner(at: now)
    follow(lock.processesToFollow, for: id, &lock, formerly: known?.follows ?? [], into: &actions)
    tracked[id] = lock
    consider(id, at: now, isFresh: isFresh, into: &actions)
  }

  private mutating func end(
    _ process: ProcessIdentity, at now: Instant, into actions: inout [Action]
  ) {
    guard let ids = dependents.removeValue(forKey: process) else { return }
    for id in ids.sorted(by: { $0.index < $1.index }) {
      guard var lock = tracked[id] else { continue }
      lock.follows.removeAll { $0 == process }
      lock.noteEnd(of: process, at: now)
      // What was seen of holders is out of date.
      lock.lookedAt = nil
      tracked[id] = lock
      consider(id, at: now, into: &actions)
    }
  }

  private mutating func forget(_ id: LockID) {
    guard let lock = tracked.removeValue(forKey: id) else { return }
    release(lock.follows, for: id)
    queue.set(nil, for: id.index)
  }

  private mutating func follow(
    _ wanted: [ProcessIdentity], for id: LockID, _ lock: inout Tracked,
    formerly: [ProcessIdentity], into actions: inout [Action]
  ) {
    for process in wanted {
      if dependents[process] == nil { actions.append(.follow(process)) }
      dependents[process, default: []].insert(id)
    }
    // After the new ones: an owner that stays the same is not asked for again.
    release(formerly.filter { !wanted.contains($0) }, for: id)
    lock.follows = wanted
  }

  private mutating func release(_ processes: [ProcessIdentity], for id: LockID) {
    for process in processes {
      dependents[process]?.remove(id)
      if dependents[process]?.isEmpty == true { dependents[process] = nil }
    }
  }
}
