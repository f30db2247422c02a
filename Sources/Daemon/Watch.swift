public import Configuration
internal import Formats
public import Kernel
internal import ProcessTable
internal import Rules

/// The standing watch over one pipeline: the loop that ties sensors, rules and actuators together.
///
/// Single-threaded. Data walks one way: kernel, sensors, rules, actuators, journal; what an
/// actuator did comes back to its rule as an observation.
public final class Watch {
  /// How the settings are read anew at SIGHUP; the error is the line the user sees.
  public typealias Reload = () -> Reloaded
  public enum Reloaded: Sendable {
    case settings(Settings)
    case refused(String)
  }

  // What it was told.
  var settings: Settings
  /// The pipeline root as it was named.
  let root: Path
  /// The configuration that a person has to name for this watch; nil where it is found without.
  let configuration: Path?
  let reload: Reload

  // Where it keeps things.
  let state: StateDirectory
  var journal: Journal
  let log: Log
  let spool: AlertSpool
  let alertDesk: AlertDesk
  var statusFile = StatusFile()

  // What it sees by.
  var sources: EventSources
  var tree: WatchTree
  var intake: Intake
  var processes: Processes
  var lockSensor: LockSensor
  var followed: [UInt64: Followed] = [:]
  var nextKey = EventSources.Key.firstProcess
  var browserPrograms: BrowserPrograms?
  var memorySensor: MemorySensor?
  var pressure: Pressure?
  var transcripts: TranscriptSensor?

  // What it decides by. The breaker lives in the intake, which counts as it reads.
  var lockRule: LockRule
  var heartbeatRule: HeartbeatRule
  var lockActions: [LockRule.Action] = []
  var beatActions: [HeartbeatRule.Action] = []
  var leakRule: LeakRule
  var leftoverRule = LeftoverRule()
  var leftoversDue = Instant(nanoseconds: 0)
  var memoryRule: MemoryRule
  var jobRule = JobRule(policy: .init())
  var jobs = JobDesk()
  var growthRule = GrowthRule()
  var growth = GrowthStanding()

  // What it acts by.
  var reaper: LockReaper
  var pauser: JobPauser
  let levers: LeverDesk
  var proof: HaltProof?
  /// The one agent that a halt is for, where [halt] scope says so.
  var haltedAgent: Agent?
  /// Where HALT goes; opened anew where the root was missing.
  var markers: [Agent: Markers] = [:]
  var halt = HaltStand.none
  var looks: [LockID: LockLook] = [:]
  var executions: [Execution] = []
  /// The incident of the shortage that lasts.
  var shortage: String?

  // The loop's own.
  let manager: ServiceManager?
  let watchdogPeriod: TimeSpan?
  var watchdogDue: Instant?
  var pollDue: Instant?
  var rescanDue = Instant(nanoseconds: 0)
  var ownBeatDue: Instant?
  var armed: Instant?
  var drainedAt = Instant(nanoseconds: 0)
  /// No output before it counts.
  var closedAt: WallTime
  var isStopping = false
  /// A start, a reload or a pass over /proc left memory behind that is not needed again for half a minute.
  var hasDoneMuch = true
  var needsFullVisit = false
  /// What is said once.
  var said: Set<String> = []

  /// Why a watch cannot stand; `description` is the one line the user sees.
  public enum Failure: Error, CustomStringConvertible, Sendable {
    case state(StateDirectory.Refusal)
    case kernel(String, Errno)

    public var description: String {
      switch self {
      case .state(.taken(let pid)):
        "another midwatchd\(pid.map { " (pid \($0))" } ?? "") holds this state directory; stop it first, or give this one another root"
      case .state(.cannotMake(let path, let error)):
        "\(escaped(path.bytes)): \(error); midwatchd keeps its journal there, so make it writable for uid \(Own.uid)"
      case .kernel(let what, let error): "\(what): \(error)"
      }
    }

    /// sysexits.h: EX_TEMPFAIL, EX_CANTCREAT, EX_OSERR.
    public var exitCode: Int32 {
      switch self {
      case .state(.taken): 75
      case .state(.cannotMake): 73
      case .kernel: 71
      }
    }
  }

  /// Takes the state directory and opens everything; watches nothing yet.
  public static func stand(
    _ settings: Settings, root: Path, configuration: Path?, places: Places, log: Log, reload: @escaping Reload
  ) throws(Failure) -> Watch {
    let now = Clock.now()
    let state: StateDirectory
    do throws(StateDirectory.Refusal) { state = try StateDirectory.open(places) } catch { throw .state(error) }
    var step = "/proc"
    do throws(Errno) {
      let processes = try Processes()
      step = "the journal in \(escaped(places.state.bytes))"
      let last = Journal.last(in: state.directory)
      let journal = try Journal(in: state.directory, last: last)
      step = "the alert spool in \(escaped(places.state.bytes))"
      let spool = try AlertSpool.open(in: state.directory, sinks: Sink.all(of: settings.alert).map(\.name))
      step = "requests in \(escaped(places.state.bytes))"
      do throws(Errno) { try state.directory.makeDirectory(Requests.name, mode: 0o700) } catch {
        if error != .exists { throw error }
      }
      step = "epoll, timers and signals"
      let sources = try EventSources.open()
      step = "/"
      let sensor = try LockSensor()
      let clock = WallClock(at: now, record: ClockRecord.read(in: state.directory, boot: processes.bootID))
      var names = Names()
      let plan = WatchPlan(settings, root: Self.resolved(root), places: places, names: &names)
      let tree = try WatchTree(
        plan.templates, ignoreOfAgent: plan.ignoreOfAgent, ownWatches: plan.ownWatches,
        crossesMounts: settings.pipeline.crossMounts, names: names)
      return Watch(
        settings, root, configuration, reload, state, journal, log, spool, sources, tree, processes, sensor, clock, now)
    } catch { throw .kernel(step, error) }
  }

  private init(
    _ settings: Settings, _ root: Path, _ configuration: Path?, _ reload: @escaping Reload, _ state: consuming StateDirectory,
    _ journal: consuming Journal, _ log: Log, _ spool: consuming AlertSpool, _ sources: consuming EventSources,
    _ tree: consuming WatchTree, _ processes: consuming Processes, _ sensor: consuming LockSensor, _ clock: WallClock,
    _ now: Moment
  ) {
    self.settings = settings
    self.root = root
    self.configuration = configuration
    self.reload = reload
    // What is there at the very first start is not news.
    closedAt = ClosedAt.read(in: state.directory) ?? now.wall
    let own = processes.stat(Own.pid)
    reaper = LockReaper(
      as: PlaceholderContent(
        pid: Own.pid, startTicks: own?.startTicks ?? 0, host: String(decoding: hostName(), as: UTF8.self),
        bootID: processes.bootID.map { LockOwner.BootID(high: $0.high, low: $0.low) }))
    shortage = spool.firing(.memory).first?.id
    memoryRule = MemoryRule(startedAt: now.instant, isShort: shortage != nil)
    pauser = JobPauser(in: state.directory)
    levers = LeverDesk(in: state.directory)
    self.state = state
    self.journal = journal
    self.log = log
    self.spool = spool
    self.sources = sources
    self.tree = tree
    self.processes = processes
    lockSensor = sensor
    alertDesk = AlertDesk(settings.alert, at: now.instant)
    intake = Intake(breaker: BreakerRule(pipeline: settings.outputs.pipeline), clock: clock, now: now)
    lockRule = LockRule(policy: settings.locks.policy)
    heartbeatRule = HeartbeatRule(startedAt: now.instant)
    leakRule = LeakRule(policy: settings.leaks.policy)
    manager = ServiceManager()
    watchdogPeriod = ServiceManager.watchdogPeriod
  }

  /// The root with its symlinks resolved; as it was named where it is not there yet.
  static func resolved(_ root: Path) -> Path { (try? realPath(root)) ?? root }
}
