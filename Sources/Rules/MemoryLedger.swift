/// One process and what it takes of the machine's memory.
public struct MemoryConsumer: Equatable, Sendable {
  public var identity: ProcessIdentity
  /// Its program's name, in no encoding and not to be trusted.
  public var name: [UInt8]
  /// The real user.
  public var user: UInt32
  /// In bytes, each shared page divided among those who share it (PSS).
  public var proportional: UInt64
  /// The same of what was swapped out.
  public var swap: UInt64
  /// In bytes, each shared page counted in full: what ps calls RSS.
  public var resident: UInt64
  /// `proportional` and `swap` could not be read, or were not worth it.
  public var isEstimated: Bool
  public var age: TimeSpan
  /// The browser that it is a process of, by its pid.
  public var browser: Int32?
  public var isRenderer: Bool
  /// For how long it has used no CPU; nil where nobody watched.
  public var idle: TimeSpan?
  /// The mark of the job that it belongs to, not to be trusted.
  public var job: [UInt8]?

  public init(
    _ identity: ProcessIdentity, name: [UInt8], user: UInt32, proportional: UInt64, swap: UInt64 = 0, resident: UInt64,
    isEstimated: Bool = false, age: TimeSpan = .zero, browser: Int32? = nil, isRenderer: Bool = false,
    idle: TimeSpan? = nil, job: [UInt8]? = nil
  ) {
    self.identity = identity
    self.name = name
    self.user = user
    self.proportional = proportional
    self.swap = swap
    self.resident = resident
    self.isEstimated = isEstimated
    self.age = age
    self.browser = browser
    self.isRenderer = isRenderer
    self.idle = idle
    self.job = job
  }
}

/// Who takes the memory, the greatest first: a browser with all its processes is one, a job is one, and
/// of the rest each program of each user.
///
/// By PSS and SwapPss, whose sum over processes is what they take together. Summed RSS counts what they
/// share once for each: four to six times too much for a browser.
public struct MemoryLedger: Equatable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// By the browser's pid.
    case browser(Int32)
    /// By its mark. Whoever uses another's mark is another job.
    case job([UInt8], user: UInt32)
    case program([UInt8], user: UInt32)
  }

  public struct Renderer: Equatable, Sendable {
    public var age: TimeSpan
    public var idle: TimeSpan?
  }

  public struct Row: Equatable, Sendable {
    public let kind: Kind
    /// The browser's program's, the job's mark, the program's.
    public internal(set) var name: [UInt8]
    public internal(set) var user: UInt32
    /// The browser itself, else the process that takes the most.
    public internal(set) var first: ProcessIdentity
    public internal(set) var processes = 0
    /// In bytes.
    public internal(set) var proportional: UInt64 = 0
    public internal(set) var swap: UInt64 = 0
    /// In bytes, as ps would add it up.
    public internal(set) var resident: UInt64 = 0
    /// How much of `total` was estimated.
    public internal(set) var estimated: UInt64 = 0
    public internal(set) var renderers: [Renderer] = []
    /// The job that a browser belongs to.
    public internal(set) var job: [UInt8]?
    /// What the process takes that `first` names; the browser itself counts as more than any.
    var firstTakes: UInt64 = 0

    /// In bytes: what it takes of memory and swap.
    public var total: UInt64 { proportional.adding(swap) }

    /// So much of it that the total is no measurement.
    public var isEstimated: Bool { estimated > total / 20 }

    /// How many renderers have used no CPU for longer than that.
    public func idleRenderers(over span: TimeSpan) -> Int { renderers.count { $0.idle.map { $0 > span } ?? false } }

    /// How many renderers are older than that.
    public func renderers(olderThan span: TimeSpan) -> Int { renderers.count { $0.age > span } }
  }

  public let rows: [Row]
  /// In bytes, over all rows.
  public let total: UInt64
  public let resident: UInt64
  public let processes: Int

  public init(_ consumers: [MemoryConsumer]) {
    var places: [Kind: Int] = [:]
    var rows: [Row] = []
    for consumer in consumers {
      let kind = consumer.kind
      let place = places[kind] ?? rows.count
      if place == rows.count {
        places[kind] = place
        rows.append(Row(kind, consumer))
      }
      rows[place].add(consumer)
    }
    rows.sort { $0.precedes($1) }
    self.rows = rows
    total = rows.reduce(0) { $0.adding($1.total) }
    resident = rows.reduce(0) { $0.adding($1.resident) }
    processes = consumers.count
  }
}

extension MemoryConsumer {
  fileprivate var kind: MemoryLedger.Kind {
    if let browser { return .browser(browser) }
    if let job { return .job(job, user: user) }
    return .program(name, user: user)
  }

  fileprivate var total: UInt64 { proportional.adding(swap) }
}

extension MemoryLedger.Row {
  fileprivate init(_ kind: MemoryLedger.Kind, _ consumer: MemoryConsumer) {
    self.kind = kind
    name = consumer.name
    if case .job(let mark, _) = kind { name = mark }
    user = consumer.user
    first = consumer.identity
  }

  fileprivate mutating func add(_ consumer: MemoryConsumer) {
    processes += 1
    proportional = proportional.adding(consumer.proportional)
    swap = swap.adding(consumer.swap)
    resident = resident.adding(consumer.resident)
    if consumer.isEstimated { estimated = estimated.adding(consumer.total) }
    if consumer.isRenderer {
      renderers.append(.init(age: consumer.age, idle: consumer.idle))
    }
    if case .browser(consumer.identity.pid) = kind {
      (name, user, job) = (consumer.name, consumer.user, consumer.job)
      (first, firstTakes) = (consumer.identity, .max)
    } else if consumer.total > firstTakes {
      (first, firstTakes) = (consumer.identity, consumer.total)
    }
  }

  /// The order never depends on that of the processes.
  fileprivate func precedes(_ other: Self) -> Bool {
    if total != other.total { return total > other.total }
    if resident != other.resident { return resident > other.resident }
    if name != other.name { return name.lexicographicallyPrecedes(other.name) }
    if user != other.user { return user < other.user }
    return first.pid < other.first.pid
  }
}

extension UInt64 {
  /// Sizes come from outside.
  fileprivate func adding(_ other: UInt64) -> UInt64 {
    let (sum, over) = addingReportingOverflow(other)
    return over ? .max : sum
  }
}
