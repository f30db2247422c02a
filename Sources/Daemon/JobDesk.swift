internal import Formats
internal import Kernel
internal import Rules

/// The jobs that the gate told of, and the numbers that the rule knows them by.
struct JobDesk {
  static let directoryName = GateKeeper.jobsName
  /// Readable by its owner alone, writable by everybody, each for himself.
  static let directoryMode: UInt32 = 0o1733

  /// The same command of the same user is the same job.
  struct Key: Hashable {
    let user: UInt32
    let command: [UInt8]

    /// For people, on one line.
    var text: String {
      let shown = escaped(Array(command.prefix(80)))
      return command.count > 80 ? "\(shown)..." : shown
    }

    /// The same after a restart.
    var hash: String { String(unsafe Hash.of(command.span.bytes) ^ UInt64(user) &* 0x9e37_79b9_7f4a_7c15, radix: 16) }
  }

  struct Run {
    let key: Key
    let job: Job
    let mark: [UInt8]
  }

  private(set) var running: [ProcessIdentity: Run] = [:]
  /// Gates that have ended, and whose notes of that may still be read.
  var gone: [ProcessIdentity] = []
  private var numbers: [Key: Job] = [:]
  private var keys: [Job: Key] = [:]
  private var next = 0
  /// What ended jobs left behind, and whose it is.
  private var left: [ProcessIdentity: Key] = [:]
  /// The alerts that last, by how their ids end.
  var incidents: [String: String] = [:]
  /// The resume that the rule was last told of.
  var closedAt: WallTime?
  /// A gate was here since the start.
  private(set) var hasSeenAny = false

  func key(of job: Job) -> Key? { keys[job] }

  /// Names a job by a number, and forgets those that the rule has forgotten.
  mutating func job(_ key: Key, remembering isRemembered: (Job) -> Bool) -> Job {
    if let job = numbers[key] { return job }
    if numbers.count >= 2 * JobRule.mostJobs {
      numbers = numbers.filter { isRemembered($0.value) }
      keys = keys.filter { isRemembered($0.key) }
    }
    let job = Job(index: next)
    next += 1
    numbers[key] = job
    keys[job] = key
    return job
  }

  /// - Returns: false where that many run already; what is untrusted is not remembered without end.
  mutating func began(_ run: Run, _ gate: ProcessIdentity) -> Bool {
    hasSeenAny = true
    guard running.count < JobRule.mostRuns else { return false }
    running[gate] = run
    return true
  }

  mutating func ended(_ gate: ProcessIdentity) -> Run? { running.removeValue(forKey: gate) }

  mutating func left(_ processes: [ProcessIdentity], by key: Key) {
    if left.count + processes.count > 1024 { left.removeAll() }
    for process in processes { left[process] = key }
  }

  /// The job that a process belongs to, as far as anybody told: by its mark, or by what the gate saw it leave.
  func owner(of process: ProcessIdentity, mark: [UInt8]?) -> Key? {
    left[process] ?? mark.flatMap { mark in running.values.first { $0.mark == mark }?.key }
  }
}
