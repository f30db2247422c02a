/// A process as one pass over /proc saw it: what all show for the price of one read.
public struct ProcessSighting: Equatable, Sendable {
  public enum State: UInt8, Sendable {
    case running
    /// By a signal or a tracer; SIGKILL alone reaches it.
    case stopped
    /// In uninterruptible sleep: on a disk, or frozen.
    case blocked
    /// A zombie: dead, and not yet waited for.
    case ended
  }

  /// What a process is by the name of its program, as far as others are judged by it.
  public enum Role: UInt8, Sendable {
    case other
    /// Runs another program and waits for it: a shell, timeout, xvfb-run, the gate.
    case wrapper
    /// Stands between a driver and a browser, and outlives the driver: chromedriver.
    case proxy
    /// Adopts what others leave behind: pid 1, `systemd --user`, tini.
    case reaper
    /// One of a browser's processes; `ProcessScan.browsers` says which.
    case browser
  }

  public var identity: ProcessIdentity
  /// 0 where the parent is outside our pid namespace.
  public var parent: Int32
  public var group: Int32
  public var session: Int32
  public var state: State
  public var role: Role
  /// User and system time used so far.
  public var cpu: TimeSpan
  public var age: TimeSpan

  public init(
    _ identity: ProcessIdentity, parent: Int32, group: Int32, session: Int32, state: State = .running,
    role: Role = .other, cpu: TimeSpan = .zero, age: TimeSpan = .zero
  ) {
    self.identity = identity
    self.parent = parent
    self.group = group
    self.session = session
    self.state = state
    self.role = role
    self.cpu = cpu
    self.age = age
  }
}

/// What one of a browser's processes shows besides.
public struct BrowserProcess: Equatable, Sendable {
  /// By `--type=`; the browser itself has none.
  public enum Part: String, Sendable {
    case browser, renderer, gpu, utility, zygote
    /// A kind that nothing is known of, and that is left alone.
    case other
  }

  public var part: Part
  /// The real user.
  public var user: UInt32
  /// The program's path, as a hash; nil where it may not be read: such a process is never killed.
  public var program: UInt64?
  /// `--user-data-dir=`, as a hash; nil where it is not given.
  public var profile: UInt64?
  /// Started by a program and not by a person, by its command line.
  public var isAutomated: Bool
  /// A renderer of the browser's own pages (`--top-chrome-webui`).
  public var isOwnPage: Bool

  public init(
    _ part: Part, user: UInt32, program: UInt64?, profile: UInt64? = nil, isAutomated: Bool = false,
    isOwnPage: Bool = false
  ) {
    self.part = part
    self.user = user
    self.program = program
    self.profile = profile
    self.isAutomated = isAutomated
    self.isOwnPage = isOwnPage
  }
}

/// One pass over /proc. A process that came or went meanwhile may be missing.
public struct ProcessScan: Equatable, Sendable {
  /// By pid, ascending.
  public private(set) var processes: [ProcessSighting] = []
  /// The details of those whose role is `.browser`, by pid.
  public private(set) var browsers: [Int32: BrowserProcess] = [:]
  /// Programs of `helpers` that the operator named, by pid, with their real users.
  public private(set) var helpers: [Int32: UInt32] = [:]
  /// Some processes are hidden from us: that one is missing proves nothing.
  public var isPartial = false

  public init() {}

  public mutating func reserve(_ count: Int) { processes.reserveCapacity(count) }

  /// - Parameter process: the pid is higher than 0 and than those of all before it, as /proc lists them; one
  ///   that is not is passed over.
  public mutating func add(_ process: ProcessSighting) { _ = append(process) }

  private mutating func append(_ process: ProcessSighting) -> Bool {
    guard process.identity.pid > processes.last?.identity.pid ?? 0 else { return false }
    processes.append(process)
    return true
  }

  public mutating func add(_ process: ProcessSighting, browser: BrowserProcess) {
    if append(process) { browsers[process.identity.pid] = browser }
  }

  public mutating func add(_ process: ProcessSighting, helperOf user: UInt32) {
    if append(process) { helpers[process.identity.pid] = user }
  }

  /// A process that was added before turns out to be a helper of that user's.
  public mutating func note(helper pid: Int32, of user: UInt32) {
    if index(of: pid) != nil { helpers[pid] = user }
  }

  /// What a process that was added before turns out to be, its program being known now.
  public mutating func correct(_ pid: Int32, to role: ProcessSighting.Role) {
    if let index = index(of: pid) { processes[index].role = role }
  }

  public subscript(pid: Int32) -> ProcessSighting? { index(of: pid).map { processes[$0] } }

  private func index(of pid: Int32) -> Int? {
    var low = 0
    var high = processes.count
    while low < high {
      let middle = low + (high - low) / 2
      let found = processes[middle].identity.pid
      if found == pid { return middle }
      if found < pid { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  /// nil where no process has that pid, or only a zombie.
  public func living(_ pid: Int32) -> ProcessSighting? {
    guard let process = self[pid], process.state != .ended else { return nil }
    return process
  }
}

/// What was found out about one process at the price of looking for all who talk to it.
public struct LeakEvidence: Equatable, Sendable {
  /// A living process at the other end.
  public struct Peer: Hashable, Sendable {
    public enum Line: String, Sendable {
      case port = "debug port"
      case pipe = "debug pipe"
      case stream = "standard stream"
    }
    public var pid: Int32
    public var line: Line
    public init(pid: Int32, line: Line) {
      self.pid = pid
      self.line = line
    }
  }

  /// In midwatchd's own pid namespace; a container's browser is the container's business.
  public var isInOurNamespace: Bool
  /// The main process of the service that it was started in (`SYSTEMD_EXEC_PID`); nil outside of any.
  public var serviceMain: Int32?
  /// The pattern under `allow` that matches it.
  public var allowedBy: String?
  public var peers: [Peer]
  /// Someone at the other end who cannot be named: remote, in another network namespace, not ours to look at.
  public var hasUnknownPeer: Bool

  public init(
    isInOurNamespace: Bool = true, serviceMain: Int32? = nil, allowedBy: String? = nil, peers: [Peer] = [],
    hasUnknownPeer: Bool = false
  ) {
    self.isInOurNamespace = isInOurNamespace
    self.serviceMain = serviceMain
    self.allowedBy = allowedBy
    self.peers = peers
    self.hasUnknownPeer = hasUnknownPeer
  }
}
