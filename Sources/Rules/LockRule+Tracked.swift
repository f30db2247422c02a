extension LockRule {
  /// What the rule remembers of one lock.
  struct Tracked: Sendable {
    var sighting: LockSighting
    /// When it was last written, on the clock that does not step.
    let writtenAt: Instant
    /// When its owner was first known to be dead.
    var diedAt: Instant?
    /// The owner was alive long enough after the lock was written to be no passing shell.
    var isProved = false
    /// When holders were last asked for, or a reaping was tried.
    var lookedAt: Instant?
    /// Processes whose end changes the verdict.
    var follows: [ProcessIdentity] = []
    var isReported = false
    var isSettled = false

    init(_ sighting: LockSighting, at now: Instant) {
      self.sighting = sighting
      // Whatever the sensor made of a date in the future, nothing is written later than now.
      self.writtenAt = now - max(sighting.age, .zero)
    }

    /// Whether it is the same lock, not written to since. What else changes of it keeps its age.
    func isSame(as other: LockSighting) -> Bool {
      sighting.identity == other.identity && sighting.modified == other.modified
    }

    mutating func noteOwner(at now: Instant) {
      switch sighting.owner {
      case .alive:
        diedAt = nil
        if now - writtenAt >= LockRule.proof { isProved = true }
      case .gone: diedAt = diedAt ?? now
      case .unnamed, .unknowable: diedAt = nil
      }
    }

    mutating func noteEnd(of process: ProcessIdentity, at now: Instant) {
      guard sighting.owner == .alive(process) else { return }
      diedAt = diedAt ?? now
      if now - writtenAt >= LockRule.proof { isProved = true }
    }

    /// Its living owner, and whoever was found to hold it.
    var processesToFollow: [ProcessIdentity] {
      guard !sighting.ignored, !isSettled else { return [] }
      var processes: [ProcessIdentity] = []
      if case .alive(let process) = sighting.owner { processes.append(process) }
      for holders in [sighting.lockedBy, sighting.openedBy] {
        for process in holders?.named ?? [] where !processes.contains(process) {
          processes.append(process)
        }
      }
      return processes
    }
  }

  /// How long after writing the lock its owner must have lived to be believed: a shell that an
  /// agent writes `echo $$` from is gone at once.
  static let proof = TimeSpan.seconds(10)

  /// How often a lock that should go but is kept is looked at again.
  var pace: TimeSpan { max(min(policy.staleAfter, .seconds(300)), .seconds(1)) }
}

extension LockSighting {
  /// Whether this look was one that asked for holders.
  var hasHolders: Bool { lockedBy != nil || openedBy != nil }
}

extension LockSighting.Holders {
  /// The holders, some of whom could perhaps not be named; nil where there are none or nobody knows.
  var named: [ProcessIdentity]? {
    if case .some(let processes) = self { processes } else { nil }
  }
}
