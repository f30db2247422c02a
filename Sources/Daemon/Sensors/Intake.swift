public import Kernel
public import Rules

/// Takes in what the tree sees: counts births at once, for their order matters, and notes which locks, beats
/// and requests are to be looked at when the queue is empty.
///
/// Allocates nothing for a name it has met before.
public struct Intake: WatchSink, ~Copyable {
  public var breaker: BreakerRule
  /// What the breaker asks for; the watch carries it out after each record.
  public var breakerActions: [BreakerRule.Action] = []
  public var notices: [WatchNotice] = []
  public var leftovers: [(directory: Path, name: Path)] = []
  public var locks = LockTable()
  public var beats = BeatTable()
  /// Agents that made an output since this was emptied.
  public var producers: Set<Agent> = []
  /// The same, for the proof that a halt holds.
  public var writers: [Agent: Int] = [:]
  public var texts = TextQueue()
  public var haltIsDirty = false
  public var requestsAreDirty = false
  public var notesAreDirty = false
  /// Births since the start, for the status.
  public private(set) var births = 0
  /// Set by the watch before each batch.
  public var now: Moment
  public var clock: WallClock
  private var moves = MovePairs()
  private var path = Path("")

  public init(breaker: BreakerRule, clock: WallClock, now: Moment) {
    self.breaker = breaker
    self.clock = clock
    self.now = now
    breakerActions.reserveCapacity(8)
    producers.reserveCapacity(16)
    writers.reserveCapacity(16)
  }

  public mutating func saw(_ entry: borrowing WatchedEntry, in tree: borrowing WatchTree) {
    switch entry.purpose {
    case .lock:
      locks.note(entry, in: tree)
    case .heartbeat:
      // A marker of ours beside the beats is none, whatever the template says.
      let isMarker = entry.name.ends(with: ".degraded") || entry.name.ends(with: ".standalone")
      if let agent = entry.agent, !entry.isDirectory, !isMarker { beats.note(entry, of: agent, in: tree) }
    case .halt:
      haltIsDirty = true
    case .request:
      requestsAreDirty = true
    case .note:
      if entry.what.isArrival { notesAreDirty = true }
    case .output:
      if let agent = entry.agent, !entry.isDirectory { sawOutput(entry, by: agent, in: tree) }
    }
  }

  private mutating func sawOutput(_ entry: borrowing WatchedEntry, by agent: Agent, in tree: borrowing WatchTree) {
    let key = NameKey(directory: entry.directory, name: Hash.of(entry.name))
    switch entry.what {
    case .created:
      release(key)
      tree.put(entry.name, in: entry.node, into: &path)
      switch tree.kind(of: path) {
      case .other, .directory: return
      case .link: texts.put(path, key, agent)
      case .file, .gone: break
      }
      born(key, by: agent, at: now.instant)
    case .movedTo(let cookie):
      if let from = moves.take(cookie) {
        breaker.moved(from: from, to: key)
      } else {
        release(key)
        tree.put(entry.name, in: entry.node, into: &path)
        if tree.kind(of: path) == .other { return }
        born(key, by: agent, at: now.instant)
      }
      tree.put(entry.name, in: entry.node, into: &path)
      texts.put(path, key, agent)
    case .movedFrom(let cookie):
      if let forgotten = moves.put(cookie, key) { breaker.gone(forgotten) }
    case .deleted:
      breaker.gone(key)
    case .closed:
      tree.put(entry.name, in: entry.node, into: &path)
      texts.put(path, key, agent)
    case .changed: break
    case .found(let birth):
      breaker.sawInScan(key)
      guard let birth else { return }
      // A listing finds what was born since this batch began; by that moment's clock it would lie ahead.
      now = Clock.now()
      // One that the clock passed twice may be of the earlier pass: it is not counted.
      guard !breaker.knows(key, at: now.instant), clock.birthIsCertain(birth, at: now) else { return }
      born(key, by: agent, at: now.instant - clock.age(of: birth, at: now))
      tree.put(entry.name, in: entry.node, into: &path)
      texts.put(path, key, agent)
    }
  }

  private mutating func born(_ key: NameKey, by agent: Agent, at when: Instant) {
    // A rescan may have found what the queue still tells of.
    if !breaker.knows(key, at: now.instant) {
      births += 1
      writers[agent, default: 0] += 1
    }
    producers.insert(agent)
    breaker.born(key, by: agent, at: when, now: now.instant, into: &breakerActions)
  }

  /// A name that is made anew was moved out for good.
  private mutating func release(_ key: NameKey) {
    if moves.forget(key) { breaker.gone(key) }
  }

  public mutating func sawUnborn(_ count: Int, by agent: Agent?) {
    guard let agent else { return }
    for number in 0..<min(count, 1 << 20) {
      // Names without a birth time have no identity to know them by again.
      born(NameKey(directory: UInt64(births), name: UInt64(number)), by: agent, at: now.instant)
    }
  }

  public mutating func sawLeftover(_ name: RawSpan, in directory: [UInt8]) {
    guard let directory = Path(bytes: directory) else { return }
    leftovers.append((directory, Path(name)))
  }

  public mutating func notice(_ notice: WatchNotice) { notices.append(notice) }

  /// Tells the breaker something besides names and texts.
  public mutating func tell(_ observation: BreakerRule.Observation, at now: Instant) {
    breaker.handle(observation, at: now, into: &breakerActions)
  }

  /// Tells the breaker of a text that was read.
  public mutating func compare(_ fingerprint: UInt64, of text: TextQueue.Text, at now: Instant) {
    breaker.text(fingerprint, name: text.key, by: text.agent, at: now, now: now, into: &breakerActions)
  }

  /// Called when the queue is empty: halves of renames that stayed alone for two rounds moved out.
  public mutating func endRound() {
    while let lone = moves.expire() { breaker.gone(lone) }
  }
}

/// Ties IN_MOVED_FROM to IN_MOVED_TO by cookie; a few at a time are ever under way.
struct MovePairs {
  private var pending = InlineArray<16, (cookie: UInt32, key: NameKey, round: UInt32)?>(repeating: nil)
  private var round: UInt32 = 0
  private var next = 0

  /// - Returns: the key that had to make room.
  mutating func put(_ cookie: UInt32, _ key: NameKey) -> NameKey? {
    let slot = next
    next = (next + 1) % pending.count
    let old = pending[slot]?.key
    pending[slot] = (cookie, key, round)
    return old
  }

  mutating func take(_ cookie: UInt32) -> NameKey? {
    for i in pending.indices {
      guard let move = pending[i], move.cookie == cookie else { continue }
      pending[i] = nil
      return move.key
    }
    return nil
  }

  mutating func forget(_ key: NameKey) -> Bool {
    for i in pending.indices where pending[i]?.key == key {
      pending[i] = nil
      return true
    }
    return false
  }

  /// One that has waited for a whole round; the round ends when there is none left.
  mutating func expire() -> NameKey? {
    for i in pending.indices {
      guard let move = pending[i], move.round != round else { continue }
      pending[i] = nil
      return move.key
    }
    round &+= 1
    return nil
  }
}

extension WatchTree {
  enum NameKind { case file, link, directory, other, gone }

  /// What bears a name right now, without following a symlink anywhere on the way.
  func kind(of path: Path) -> NameKind {
    do throws(Errno) {
      let status = try slash.peek(path)
      return switch status.kind {
      // One that was linked from a name outside, or from none, comes with its text: nobody will close it. Writing
      // sets both times, linking only the one.
      case .file: status.links > 1 || status.changed > status.modified ? .link : .file
      case .symlink: .file
      case .directory: .directory
      case .other: .other
      }
    } catch {
      // The last component is a symlink, which counts.
      return error == .loop ? .file : .gone
    }
  }
}
