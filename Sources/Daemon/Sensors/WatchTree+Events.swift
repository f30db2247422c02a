public import Kernel
public import Rules

extension WatchTree {
  /// Drains the queue once into `buffer`.
  ///
  /// - Returns: false where it was empty.
  public mutating func read(into buffer: inout ReadBuffer) throws(Errno) -> Bool {
    guard inotify != nil else { return false }
    return try inotify?.read(into: &buffer) ?? false
  }

  /// What epoll waits for; nil while no inotify instance is to be had.
  public func register(with epoll: borrowing Epoll, key: UInt64) throws(Errno) {
    guard inotify != nil else { return }
    try inotify?.register(with: epoll, key: key)
  }

  public var hasQueue: Bool { inotify != nil }

  /// Takes one record in and tells the sink what it means.
  ///
  /// - Parameter since: as for `visit`, where the record leads to a directory that is new.
  public mutating func handle(
    _ event: borrowing InotifyEvent, bornSince since: WallTime, telling sink: inout some WatchSink & ~Copyable
  ) {
    if event.mask.contains(.overflow) {
      sink.notice(.overflow)
      return
    }
    guard let node = nodeOfWatch[event.watch] else { return }
    if event.mask.contains(.ignored) {
      nodeOfWatch[event.watch] = nil
      if nodes[node].watch == event.watch { nodes[node].watch = -1 }
      return
    }
    if !event.mask.isDisjoint(with: [.deleteSelf, .moveSelf, .unmount]) {
      lost(node, event.mask, since, telling: &sink)
      return
    }
    let isDirectory = event.mask.contains(.isDirectory)
    if let child = child(of: node, named: event.name), isFixed(child) {
      // Come, gone, or replaced by something that is no directory: a look tells.
      if !event.mask.isDisjoint(with: [.delete, .movedFrom]) { drop(child) }
      if !event.mask.isDisjoint(with: [.create, .movedTo, .delete, .movedFrom]) {
        visit(child, bornSince: since, telling: &sink)
      }
    } else if isDirectory {
      handleDirectory(event, in: node, since, telling: &sink)
    }
    guard let what = WatchedEntry.What(event) else { return }
    tell(event.name, in: node, what, isDirectory: isDirectory, telling: &sink)
  }

  private mutating func handleDirectory(
    _ event: borrowing InotifyEvent, in node: Int, _ since: WallTime, telling sink: inout some WatchSink & ~Copyable
  ) {
    if !event.mask.isDisjoint(with: [.create, .movedTo]) {
      descend(from: node, into: event.name)
      guard !states.isEmpty else { return }
      visit(
        child(of: node, named: event.name) ?? makeChild(of: node, named: event.name, states: states), bornSince: since,
        telling: &sink)
    } else if !event.mask.isDisjoint(with: [.delete, .movedFrom]), let child = child(of: node, named: event.name) {
      drop(child)
    }
  }

  /// The directory itself was deleted, moved or unmounted.
  private mutating func lost(
    _ node: Int, _ mask: Inotify.Mask, _ since: WallTime, telling sink: inout some WatchSink & ~Copyable
  ) {
    // Its parent tells of a directory below the fixed part.
    guard isFixed(node) else {
      if mask.contains(.deleteSelf) || mask.contains(.unmount) { drop(node) }
      return
    }
    drop(node)
    settleMask(nodes[node].parent)
    visit(node, bornSince: since, telling: &sink)
  }

  // MARK: what inotify does not see

  public enum Pace: Equatable, Sendable {
    /// A watch or an instance is wanting: try again soon.
    case starved
    /// A filesystem that inotify sees only a part of.
    case remote
  }

  /// Whether some directory has to be looked at in turn.
  public var pace: Pace? {
    if isStarved || inotify == nil { return .starved }
    return nodes.contains { $0.isRemote && !$0.isFree && $0.identity != nil } ? .remote : nil
  }

  /// Tries to get the watches that are wanting, cheaply: one directory, one call.
  ///
  /// - Returns: true where there is room again, and everything should be visited.
  public mutating func tryToFeed(telling sink: inout some WatchSink & ~Copyable) -> Bool {
    if inotify == nil {
      guard let instance = try? Inotify() else { return false }
      inotify = consume instance
    }
    for node in nodes.indices where nodes[node].isPolled && !nodes[node].isFree && nodes[node].identity != nil {
      guard let directory = try? slash.directory(path(of: node)) else { continue }
      do throws(Errno) {
        guard let number = try inotify?.watch(directory, for: [.deleteSelf]) else { return false }
        inotify?.unwatch(number)
      } catch {
        if error == .noSpace { return false }
        continue
      }
      break
    }
    for node in nodes.indices { nodes[node].isPolled = false }
    isStarved = false
    sink.notice(.fed)
    return true
  }

  /// Visits every directory that inotify does not see all of.
  public mutating func poll(bornSince since: WallTime, telling sink: inout some WatchSink & ~Copyable) {
    for node in nodes.indices where (nodes[node].isPolled || nodes[node].isRemote) && !nodes[node].isFree {
      let parent = nodes[nodes[node].parent]
      if node != 0, parent.isPolled || parent.isRemote { continue }
      visit(node, bornSince: since, telling: &sink)
    }
  }
}

extension WatchedEntry.What {
  init?(_ event: borrowing InotifyEvent) {
    if event.mask.contains(.create) {
      self = .created
    } else if event.mask.contains(.movedTo) {
      self = .movedTo(cookie: event.cookie)
    } else if event.mask.contains(.movedFrom) {
      self = .movedFrom(cookie: event.cookie)
    } else if event.mask.contains(.delete) {
      self = .deleted
    } else if event.mask.contains(.closeWrite) {
      self = .closed
    } else if !event.mask.isDisjoint(with: [.modify, .attributes]) {
      self = .changed
    } else {
      return nil
    }
  }
}
