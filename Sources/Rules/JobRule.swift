/// Decides when a job fails too often in a row, starts too often, or runs too long. What follows, an alert or
/// a halt, is not its concern.
public struct JobRule: Sendable {
  public typealias Limit = BreakerRule.Limit

  /// One run of a job: its gate.
  public typealias Run = ProcessIdentity

  public struct Policy: Equatable, Sendable {
    /// So many failures in a row are too many; nil is off.
    public var failures: Int?
    /// Starts of one job: one more within the span is too many; nil is off.
    public var runs: Limit?
    /// nil is off.
    public var maxDuration: TimeSpan?
    public init(failures: Int? = 5, runs: Limit? = nil, maxDuration: TimeSpan? = nil) {
      self.failures = failures
      self.runs = runs
      self.maxDuration = maxDuration
    }
  }

  /// How a run ended.
  public enum Outcome: Equatable, Sendable {
    case exited(code: Int32)
    case killed(signal: Int32)
    /// Nobody was left to tell, as when the gate was killed: neither a success nor a failure.
    case unknown
  }

  /// A job that the gate skipped was not started.
  public enum Observation: Equatable, Sendable {
    /// Told again of a run that is known, it says nothing. `at` is when it began where that is not now.
    case started(Job, Run, at: Instant? = nil)
    /// Once for each run, also for one whose start was not seen.
    case ended(Job, Run, Outcome)
    /// A halt was ended: failures and starts before it do not count again. What runs is still watched.
    case resumed
    case woke
  }

  public struct Trouble: Equatable, Sendable {
    public enum Cause: Equatable, Sendable {
      /// `count` failures in a row, the first of them at `since`. Over with the first success.
      case failures(count: Int, last: Outcome, since: Instant)
      /// `count` starts within `limit.span`; at its end, all starts that made up the trouble.
      case runs(limit: Limit, count: Int)
      /// Over when the run ends.
      case tooLong(Run, limit: TimeSpan, duration: TimeSpan)
    }
    public var job: Job
    public var cause: Cause
    public init(job: Job, cause: Cause) {
      self.job = job
      self.cause = cause
    }
  }

  /// Of a job and a kind of cause (and a run, where one is too long) there is one trouble at a time. Its
  /// numbers are those of the moment, its limit the one that was broken.
  public enum Action: Equatable, Sendable {
    case began(Trouble)
    /// It is over: things are better, a person resumed, or the limit was turned off.
    case ended(Trouble)
  }

  /// Jobs that are remembered. A user can make up any number of them.
  public static let mostJobs = 1024
  /// Runs that are watched for their end.
  public static let mostRuns = 4096

  /// After a change the rule wants to be woken at once. A limit on starts that is raised takes a span to know
  /// them all.
  public var policy: Policy {
    didSet { if policy != oldValue { isReloaded = !jobs.isEmpty || !runs.isEmpty } }
  }

  /// Starts before it do not count: the last resume.
  public var countsSince = Instant(nanoseconds: .min)

  /// Starts that were not watched, as there were too many jobs or runs.
  public internal(set) var missed = 0

  /// What is known of one job.
  struct Standing: Sendable {
    /// In a row.
    var failures = 0
    var lastFailure = Outcome.unknown
    var failingSince: Instant
    var isFailureTold = false
    /// The last of its starts within the span: one more than the limit at most.
    var starts = SlidingLog()
    /// While it starts too often: the limit that was broken, and all the starts since.
    var crowd: (limit: Limit, starts: Int)?
    var running = 0
    var lastSeen: Instant

    init(at now: Instant) {
      failingSince = now
      lastSeen = now
    }
  }

  struct Running: Sendable {
    var run: Run
    var job: Job
    var began: Instant
    /// The limit it was told to have broken.
    var told: TimeSpan?
  }

  var jobs: [Job: Standing] = [:]
  /// By the number under which `durations` knows them.
  var runs: [Int: Running] = [:]
  var numbers: [Run: Int] = [:]
  private var nextNumber = 0
  /// When runs become too long.
  var durations = DeadlineQueue()
  /// When jobs that started too often have no longer done so, by `Job.index`.
  var windows = DeadlineQueue()
  private var isReloaded = false
  private var lastHandled = Instant(nanoseconds: .min)
  private var sweepAt = 64

  public init(policy: Policy) { self.policy = policy }

  /// The earliest moment at which the rule wants `.woke`, perhaps one that is past; nil: only when something is
  /// observed.
  public var deadline: Instant? {
    if isReloaded { return lastHandled }
    guard let duration = durations.first, let window = windows.first else { return durations.first ?? windows.first }
    return min(duration, window)
  }

  /// Whether anything of the job still matters: a run, a failure, a start within the span.
  public func remembers(_ job: Job) -> Bool { jobs[job] != nil }

  /// Takes in one observation and appends what follows from it to `actions`.
  ///
  /// - Parameter now: when it was made; never earlier than in the call before.
  public mutating func handle(_ observation: Observation, at now: Instant, into actions: inout [Action]) {
    lastHandled = now
    // First, so that a run that has ended is not told to run too long.
    if case .ended(_, let run, _) = observation { stopWatching(run, at: now, into: &actions) }
    if isReloaded {
      isReloaded = false
      judgeAll(at: now, into: &actions)
    }
    wake(at: now, into: &actions)
    switch observation {
    case .started(let job, let run, let when): start(run, of: job, at: min(when ?? now, now), now: now, into: &actions)
    case .ended(let job, _, let outcome): count(outcome, of: job, at: now, into: &actions)
    case .resumed: startAnew(at: now, into: &actions)
    case .woke: break
    }
  }

  private mutating func start(_ run: Run, of job: Job, at when: Instant, now: Instant, into actions: inout [Action]) {
    guard numbers[run] == nil else { return }
    guard runs.count < Self.mostRuns, admit(job, at: now) else {
      missed &+= 1
      return
    }
    watch(run, of: job, since: when)
    countStart(of: job, at: when, now: now, into: &actions)
  }

  private mutating func watch(_ run: Run, of job: Job, since when: Instant) {
    numbers[run] = nextNumber
    runs[nextNumber] = Running(run: run, job: job, began: when)
    jobs[job]?.running += 1
    durations.set(policy.maxDuration.flatMap { when.after($0) }, for: nextNumber)
    nextNumber &+= 1
  }

  /// Makes room for a job; false when there is none.
  mutating func admit(_ job: Job, at now: Instant) -> Bool {
    guard jobs[job] == nil else {
      jobs[job]?.lastSeen = now
      return true
    }
    if jobs.count >= min(sweepAt, Self.mostJobs) {
      forgetIdle(at: now)
      // Again when they have doubled, so that a new job costs little.
      sweepAt = max(64, 2 * jobs.count)
    }
    if jobs.count >= Self.mostJobs { forgetOldest() }
    guard jobs.count < Self.mostJobs else { return false }
    jobs[job] = Standing(at: now)
    return true
  }

  /// What it forgets would not be missed: nothing runs, nothing failed, and all starts have left the span.
  private mutating func forgetIdle(at now: Instant) {
    let start = now - (policy.runs?.span ?? .zero)
    jobs = jobs.filter { $1.running > 0 || $1.failures > 0 || $1.crowd != nil || $1.lastSeen > start }
  }

  /// For want of room: the failures and starts of the one longest idle, unless they were told.
  private mutating func forgetOldest() {
    let idle = jobs.filter { $1.running == 0 && !$1.isFailureTold && $1.crowd == nil }
    let oldest = idle.min { ($0.value.lastSeen, $0.key.index) < ($1.value.lastSeen, $1.key.index) }
    if let oldest { jobs[oldest.key] = nil }
  }
}
