public import Kernel
public import Rules

/// The locks that were met, by their paths, and which of them are to be looked at.
public struct LockTable: Sendable {
  private var ids: [UInt64: LockID] = [:]
  private var entries: [Int: (hash: UInt64, path: Path)] = [:]
  private var dirty: Set<LockID> = []
  private var next = 0

  public init() { dirty.reserveCapacity(8) }

  mutating func note(_ entry: borrowing WatchedEntry, in tree: borrowing WatchTree) {
    if let known = ids[entry.pathHash] {
      dirty.insert(known)
      return
    }
    let id = LockID(index: next)
    next += 1
    var path = Path.empty
    tree.put(entry.name, in: entry.node, into: &path)
    ids[entry.pathHash] = id
    entries[id.index] = (entry.pathHash, path)
    dirty.insert(id)
  }

  /// From "/", without the first slash.
  public func path(of id: LockID) -> Path? { entries[id.index]?.path }

  public mutating func forget(_ id: LockID) {
    guard let entry = entries.removeValue(forKey: id.index) else { return }
    ids[entry.hash] = nil
  }

  public var count: Int { entries.count }
  public var all: [LockID] { entries.keys.sorted().map(LockID.init(index:)) }

  public mutating func markAll() { for index in entries.keys { dirty.insert(LockID(index: index)) } }

  public mutating func popDirty() -> LockID? { dirty.popFirst() }
}

/// Where each agent's beat was met, and which are to be looked at.
public struct BeatTable: Sendable {
  private var places: [UInt64: (agent: Agent, path: Path)] = [:]
  private var dirty: Set<UInt64> = []

  public init() { dirty.reserveCapacity(8) }

  mutating func note(_ entry: borrowing WatchedEntry, of agent: Agent, in tree: borrowing WatchTree) {
    if places[entry.pathHash] == nil {
      var path = Path.empty
      tree.put(entry.name, in: entry.node, into: &path)
      places[entry.pathHash] = (agent, path)
    }
    dirty.insert(entry.pathHash)
  }

  public func paths(of agent: Agent) -> [Path] { places.values.filter { $0.agent == agent }.map(\.path) }

  public mutating func markAll() { for hash in places.keys { dirty.insert(hash) } }

  public mutating func popDirty() -> (agent: Agent, path: Path)? {
    guard let hash = dirty.popFirst() else { return nil }
    return places[hash]
  }
}

/// The newest texts that wait to be read. More than the breaker compares with are never kept.
public struct TextQueue: Sendable {
  public struct Text: Sendable {
    public var path = Path.empty
    public var key = NameKey(directory: 0, name: 0)
    public var agent = Agent(index: 0)
  }

  static let capacity = 256

  private var slots: [Text] = []
  private var first = 0
  private var count = 0
  public var isOff = false

  /// Memory is taken when a slot is used for the first time, and kept.
  mutating func put(_ path: Path, _ key: NameKey, _ agent: Agent) {
    if isOff { return }
    if count == Self.capacity {
      first = (first + 1) % Self.capacity
      count -= 1
    }
    let slot = (first + count) % Self.capacity
    if slot == slots.count { slots.append(Text()) }
    slots[slot].path.removeAll()
    slots[slot].path.append(path.span)
    slots[slot].key = key
    slots[slot].agent = agent
    count += 1
  }

  public var isEmpty: Bool { count == 0 }

  public mutating func pop() -> Text? {
    guard count > 0 else { return nil }
    let text = slots[first]
    first = (first + 1) % Self.capacity
    count -= 1
    return text
  }
}
