/// Knows how the wall clock was set while nobody aged: what a file's time is worth.
///
/// The clocks run alike but for steps, which only the wall clock makes (slewing moves both). A
/// sleep of the machine looks like a step forward, and files do not age in it. Steps divide wall
/// time into stretches that were lived through, one after the other; a step forward leaves a gap
/// between two, a step back makes them overlap.
public struct WallClock: Sendable {
  /// Wall time from `from` to `to`.
  public struct Stretch: Hashable, Sendable {
    public var from: WallTime
    public var to: WallTime
    public init(from: WallTime, to: WallTime) {
      self.from = from
      self.to = to
    }

    var length: TimeSpan { max(to - from, .zero) }
    func contains(_ t: WallTime) -> Bool { from <= t && t <= to }
  }

  /// What is to be kept on disk, so that a restart knows what this run knew.
  public struct Record: Equatable, Sendable {
    /// Whether it was written since this boot.
    public var sameBoot: Bool
    public var moment: Moment
    /// What was lived through before the last step, oldest first; at most `stretchesKept`.
    public var past: [Stretch]
    /// Where the last step led to; nil: none is known of.
    public var since: WallTime?
    /// Wall times up to here are before this boot; nil: unknown.
    public var earlierBootUntil: WallTime?
    public init(
      sameBoot: Bool, moment: Moment, past: [Stretch] = [], since: WallTime? = nil,
      earlierBootUntil: WallTime? = nil
    ) {
      self.sameBoot = sameBoot
      self.moment = moment
      self.past = past
      self.since = since
      self.earlierBootUntil = earlierBootUntil
    }
  }

  /// What is older than the oldest of so many is only as old as that: the harmless side.
  public static let stretchesKept = 32
  /// A smaller one is absorbed.
  public static let smallestStep = TimeSpan.seconds(1)

  /// How far the clock was set while nobody watched, forward or back; nil: not at all, as far as
  /// the record tells.
  public private(set) var stepWhileDown: TimeSpan?

  private var last: Moment
  private var past: [Stretch] = []
  private var since = WallTime(nanoseconds: .min)
  private var earlierBootUntil: WallTime?

  /// - Parameter record: what the run before left, in this boot or an earlier one; nil: nothing.
  public init(at now: Moment, record: Record?) {
    last = now
    guard let record else { return }
    past = Array(record.past.suffix(Self.stretchesKept))
    since = record.since ?? since
    if record.sameBoot {
      earlierBootUntil = record.earlierBootUntil
      last = record.moment
      stepWhileDown = note(now)
      return
    }
    // Monotonic time counts from boot. A clock that came up behind dates files of this boot like
    // those of the last one; they must not be taken for them.
    let boot = now.wall - TimeSpan(nanoseconds: now.instant.nanoseconds)
    earlierBootUntil = min(record.moment.wall, boot)
    if boot < record.moment.wall {
      let step = boot - record.moment.wall
      if step <= .zero - Self.smallestStep { stepWhileDown = step }
      begin(at: boot, after: record.moment.wall)
    }
  }

  /// What to keep on disk.
  public var record: Record {
    Record(
      sameBoot: true, moment: last, past: past, since: since, earlierBootUntil: earlierBootUntil)
  }

  /// Takes in a reading of both clocks. To be called before the files of a batch are judged.
  ///
  /// - Returns: how far the clock was set since the last one, if by a second or more.
  @discardableResult
  public mutating func note(_ now: Moment) -> TimeSpan? {
    defer { last = now }
    guard let step = step(to: now) else { return nil }
    begin(at: now.wall, after: now.wall - step)
    // A lock written since a step back may bear a time from before this boot.
    let earliest = now.wall - max(now.instant - last.instant, .zero)
    if step < .zero, let until = earlierBootUntil { earlierBootUntil = min(until, earliest) }
    return step
  }

  /// How long ago `t` was; zero for times to come. A step ages nothing, noted or not.
  ///
  /// A lower bound: of a time that was lived through twice it means the later, of one that was
  /// jumped over the end of the jump.
  public func age(of t: WallTime, at now: Moment) -> TimeSpan {
    brought(to: now).find(t, at: now.wall).age
  }

  /// Whether a file with this time of birth was born `age(of:at:)` ago. Otherwise the birth may as
  /// well have been long before: that time is still to come, or was lived through twice.
  public func birthIsCertain(_ t: WallTime, at now: Moment) -> Bool {
    brought(to: now).find(t, at: now.wall).isCertain
  }

  /// Whether that holds of all births in the last `span`, by the clock that does not step.
  public func birthsAreCertain(within span: TimeSpan, at now: Moment) -> Bool {
    let clock = brought(to: now)
    let lived = clock.past + [Stretch(from: clock.since, to: now.wall)]
    var left = span
    for (place, stretch) in lived.enumerated().reversed() where left > .zero {
      let part = Stretch(from: max(stretch.from, stretch.to - left), to: stretch.to)
      left = left - stretch.length
      guard part.to <= now.wall else { return false }
      for (other, elsewhere) in lived.enumerated() where other != place {
        if elsewhere.to >= part.from, elsewhere.from <= part.to { return false }
      }
    }
    return left <= .zero
  }

  /// The same for a window that begins `last.wall - t` ago, at the moment last noted.
  public func birthsAreCertain(since t: WallTime) -> Bool {
    birthsAreCertain(within: last.wall - t, at: last)
  }

  /// Whether a file of that time was certainly written before this boot.
  public func isFromEarlierBoot(_ t: WallTime) -> Bool {
    earlierBootUntil.map { t <= $0 } ?? false
  }

  private func find(_ t: WallTime, at now: WallTime) -> (age: TimeSpan, isCertain: Bool) {
    guard t <= now else { return (.zero, false) }
    if t >= since { return (now - t, !past.contains { $0.contains(t) }) }
    var age = max(now - since, .zero)
    for (place, stretch) in past.enumerated().reversed() {
      if t < stretch.from {
        age = age + stretch.length
      } else if t <= stretch.to {
        return (age + (stretch.to - t), !past[..<place].contains { $0.contains(t) })
      } else {
        // In a gap, or lived through only before a step back that went further.
        return (age, false)
      }
    }
    return (age, false)
  }

  private mutating func begin(at start: WallTime, after end: WallTime) {
    past.append(Stretch(from: since, to: end))
    if past.count > Self.stretchesKept { past.removeFirst() }
    since = start
  }

  private func brought(to now: Moment) -> WallClock {
    guard step(to: now) != nil else { return self }
    var clock = self
    clock.note(now)
    return clock
  }

  private func step(to now: Moment) -> TimeSpan? {
    let step = (now.wall - last.wall) - (now.instant - last.instant)
    return step >= Self.smallestStep || step <= .zero - Self.smallestStep ? step : nil
  }
}
