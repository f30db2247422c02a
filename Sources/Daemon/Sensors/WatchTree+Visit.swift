internal import Configuration
internal import Kernel
public import Rules

extension WatchTree {
  /// Brings the tree and the sink up to date with the disk, from `node` down: watches first,
  /// lists second, so that nothing made in between is missed.
  ///
  /// - Parameter since: births before it are told as "earlier" and cost no statx in a directory
  ///   that has not changed since then.
  public mutating func visit(_ node: Int = 0, bornSince since: WallTime, telling sink: inout some WatchSink & ~Copyable) {
    if inotify == nil, watches { openInotify(telling: &sink) }
    visitCount &+= 1
    var entries = ReadBuffer(capacity: 32_768)
    var work = [node]
    var passages: [Int] = []
    while let next = work.popLast() {
      // A directory that was dropped while it waited here.
      if nodes[next].isFree { continue }
      visitOne(next, since, &work, &entries, &sink)
      if nodes[next].identity != nil, isPassage(next) { passages.append(next) }
    }
    for passage in passages.reversed() { settleMask(passage) }
    if node != 0 { settleMask(nodes[node].parent) }
  }

  private mutating func openInotify(telling sink: inout some WatchSink & ~Copyable) {
    do throws(Errno) {
      inotify = try Inotify()
      if isStarved { sink.notice(.fed) }
      isStarved = false
    } catch {
      starve("fs.inotify.max_user_instances", telling: &sink)
    }
  }

  private mutating func starve(_ limit: String, telling sink: inout some WatchSink & ~Copyable) {
    if !isStarved { sink.notice(.starved(limit: limit)) }
    isStarved = true
  }

  private mutating func visitOne(
    _ node: Int, _ since: WallTime, _ work: inout [Int], _ entries: inout ReadBuffer,
    _ sink: inout some WatchSink & ~Copyable
  ) {
    do throws(Errno) {
      let directory = try slash.directory(path(of: node))
      let status = try directory.status()
      take(node, directory, status, since, &work, &entries, &sink)
    } catch {
      lose(node, because: error, telling: &sink)
    }
  }

  /// A directory that is there.
  private mutating func take(
    _ node: Int, _ directory: borrowing Directory, _ status: FileStatus, _ since: WallTime, _ work: inout [Int],
    _ entries: inout ReadBuffer, _ sink: inout some WatchSink & ~Copyable
  ) {
    if nodes[node].identity != status.identity {
      for child in nodes[node].children { drop(child) }
      unwatch(node)
      nodes[node].identity = status.identity
      nodes[node].directoryHash = Hash.of(status.identity)
      nodes[node].knownNames = nil
    }
    if !isFixed(node), !crossesMounts, leavesMount(node, status) {
      sink.notice(.mountNotCrossed(fullPath(of: node)))
      drop(node)
      return
    }
    if nodes[node].notice != nil {
      nodes[node].notice = nil
      sink.notice(.found(fullPath(of: node)))
    }
    askFilesystem(node, directory, telling: &sink)
    watch(node, directory, telling: &sink)
    visitLiterals(node, directory, &work, &sink)
    if needsListing(node) { list(node, directory, status, since, &work, &entries, &sink) }
  }

  private func leavesMount(_ node: Int, _ status: FileStatus) -> Bool {
    if let isRoot = status.isMountRoot { return isRoot }
    return nodes[nodes[node].parent].identity.map { $0.device != status.identity.device } ?? false
  }

  /// Takes the news that a directory cannot be entered; a fixed one is told of, once a change.
  private mutating func lose(_ node: Int, because error: Errno, telling sink: inout some WatchSink & ~Copyable) {
    let wasThere = nodes[node].identity != nil
    let isFixed = isFixed(node)
    let path = fullPath(of: node)
    drop(node)
    let notice: WatchNotice? =
      switch error {
      case .noEntry: isFixed ? .missing(path) : nil
      case .loop: isFixed ? .symlink(path) : nil
      case .notDirectory: isFixed ? (isSymlink(node) ? .symlink(path) : .notADirectory(path)) : nil
      default: .unreadable(path, code: error.rawValue)
      }
    guard let notice else { return }
    if isFixed {
      guard wasThere || nodes[node].notice != notice else { return }
      nodes[node].notice = notice
      // A missing directory below a missing one says nothing new.
      if notice == .missing(path), nodes[nodes[node].parent].identity == nil { return }
    }
    sink.notice(notice)
  }

  private func isSymlink(_ node: Int) -> Bool {
    (try? slash.directory(path(of: nodes[node].parent)).status(of: nodes[node].name).kind) == .symlink
  }

  private mutating func askFilesystem(
    _ node: Int, _ directory: borrowing Directory, telling sink: inout some WatchSink & ~Copyable
  ) {
    guard !isPassage(node) else { return }
    guard let name = try? FileSystem(of: directory).remoteName else {
      nodes[node].isRemote = false
      return
    }
    if !nodes[node].isRemote, !nodes[nodes[node].parent].isRemote {
      sink.notice(.remote(fullPath(of: node), filesystem: name))
    }
    nodes[node].isRemote = true
  }

  // MARK: watches

  /// Everything that can matter in this directory, or only what makes a passage fail.
  private func wantedMask(of node: Int) -> Inotify.Mask {
    var mask: Inotify.Mask = [.deleteSelf, .moveSelf]
    if isPassage(node) {
      let complete = nodes[node].states.allSatisfy { state in
        guard case .literal(let name) = templates[state.template].components[state.position] else { return true }
        guard let next = unsafe child(of: node, named: name.span.bytes) else { return false }
        return nodes[next].identity != nil
      }
      return complete ? mask : mask.union([.create, .movedTo])
    }
    mask.formUnion([.create, .movedTo, .delete, .movedFrom])
    // Of a template that only passes through here, writing to a file is no business.
    for state in nodes[node].states where canComplete(state) {
      switch templates[state.template].purpose {
      case .lock: mask.formUnion([.closeWrite, .attributes])
      case .heartbeat: mask.formUnion([.closeWrite, .attributes, .modify])
      case .output, .halt: mask.formUnion(.closeWrite)
      case .request, .note: break
      }
    }
    return mask
  }

  private func canComplete(_ state: State) -> Bool {
    let components = templates[state.template].components
    return components[state.position...].dropLast().allSatisfy { $0 == .anyDepth }
  }

  private mutating func watch(
    _ node: Int, _ directory: borrowing Directory, telling sink: inout some WatchSink & ~Copyable
  ) {
    var mask = wantedMask(of: node)
    // What is missing is looked for after this, so until then everything may be.
    if isPassage(node) { mask.formUnion([.create, .movedTo]) }
    guard inotify != nil else {
      nodes[node].isPolled = true
      return
    }
    if nodes[node].watch >= 0, nodes[node].mask == mask { return }
    do throws(Errno) {
      guard let number = try inotify?.watch(directory, for: mask) else { return }
      if nodes[node].watch != number {
        if nodes[node].watch >= 0 { nodeOfWatch[nodes[node].watch] = nil }
        nodeOfWatch[number] = node
      }
      nodes[node].watch = number
      nodes[node].mask = mask
      nodes[node].isPolled = false
    } catch {
      nodes[node].isPolled = true
      if error == .noSpace {
        starve("fs.inotify.max_user_watches", telling: &sink)
      } else if !isPassage(node) {
        // An ancestor that an ordinary user may not read is no news: it is not his to move.
        sink.notice(.unreadable(fullPath(of: node), code: error.rawValue))
      } else {
        nodes[node].isPolled = false
      }
    }
  }

  mutating func unwatch(_ node: Int) {
    guard nodes[node].watch >= 0 else { return }
    nodeOfWatch[nodes[node].watch] = nil
    inotify?.unwatch(nodes[node].watch)
    nodes[node].watch = -1
    nodes[node].mask = []
  }

  /// Watches a passage for its missing parts only as long as one is missing: what else happens in
  /// /home or /tmp must not wake the watch.
  mutating func settleMask(_ node: Int) {
    let mask = wantedMask(of: node)
    guard nodes[node].watch >= 0, nodes[node].mask != mask else { return }
    guard let directory = try? slash.directory(path(of: node)),
      (try? directory.status().identity) == nodes[node].identity,
      let number = try? inotify?.watch(directory, for: mask)
    else { return }
    nodes[node].mask = mask
    guard number != nodes[node].watch else { return }
    nodeOfWatch[nodes[node].watch] = nil
    nodes[node].watch = number
    nodeOfWatch[number] = node
  }

  // MARK: listing

  /// Goes to the directories, and tells of the names, that are asked for literally.
  private mutating func visitLiterals(
    _ node: Int, _ directory: borrowing Directory, _ work: inout [Int], _ sink: inout some WatchSink & ~Copyable
  ) {
    for i in nodes[node].states.indices {
      let state = nodes[node].states[i]
      let components = templates[state.template].components
      guard state.position < components.count, case .literal(let bytes) = components[state.position] else { continue }
      let name = Path(unsafe bytes.span.bytes)
      if state.position + 1 < components.count {
        // Below the fixed part a listing finds it.
        if state.position < templates[state.template].fixedCount { enter(name.span, of: node, &work) }
      } else if let status = try? directory.status(of: name) {
        tell(name.span, in: node, .found(born: nil), isDirectory: status.kind == .directory, telling: &sink)
      }
    }
  }

  /// Puts the directory called `name` on the list of those to visit, if some template leads into it.
  mutating func enter(_ name: RawSpan, of node: Int, _ work: inout [Int]) {
    descend(from: node, into: name)
    guard !states.isEmpty else { return }
    let child = child(of: node, named: name) ?? makeChild(of: node, named: name, states: states)
    guard nodes[child].visited != visitCount else { return }
    nodes[child].visited = visitCount
    work.append(child)
  }

  private mutating func list(
    _ node: Int, _ directory: borrowing Directory, _ status: FileStatus, _ since: WallTime, _ work: inout [Int],
    _ entries: inout ReadBuffer, _ sink: inout some WatchSink & ~Copyable
  ) {
    // A name cannot be older than its directory, and none came to be after the directory's last change.
    let births = BirthSearch(since: since, directory: status)
    var outputs = 0
    do throws(Errno) {
      let listing = try DirectoryListing(directory)
      while try listing.read(into: &entries) {
        outputs += take(entries.bytes, of: node, directory, births, &work, &sink)
      }
    } catch {
      if error != .noEntry { sink.notice(.unreadable(fullPath(of: node), code: error.rawValue)) }
    }
    for child in nodes[node].children where nodes[child].visited != visitCount && !isFixed(child) { drop(child) }
    if !births.areKept { countUnborn(outputs, in: node, telling: &sink) }
  }

  /// Which births a listing asks for.
  struct BirthSearch {
    let since: WallTime
    let directory: FileStatus

    /// Whether the filesystem keeps birth times at all.
    var areKept: Bool { directory.born != nil }
    /// Whether a name in here can have been born since then.
    var isWorthwhile: Bool { areKept && directory.changed >= since }

    /// When a name came to be at the earliest; nil where that is too long ago.
    func birth(of name: RawSpan, in place: borrowing Directory) -> WallTime? {
      guard isWorthwhile, let own = try? place.status(of: Path(name)).born else { return nil }
      let earliest = max(own, directory.born ?? own)
      return earliest >= since ? earliest : nil
    }
  }

  /// Takes in one piece of a listing.
  ///
  /// - Returns: how many outputs it held.
  private mutating func take(
    _ records: RawSpan, of node: Int, _ directory: borrowing Directory, _ births: BirthSearch, _ work: inout [Int],
    _ sink: inout some WatchSink & ~Copyable
  ) -> Int {
    var outputs = 0
    var cursor = DirectoryEntries(records)
    while let entry = cursor.next() {
      if entry.name.starts(with: ownPrefix) {
        sink.sawLeftover(entry.name, in: fullPath(of: node))
      } else {
        outputs += take(entry, of: node, directory, births, &work, &sink)
      }
    }
    return outputs
  }

  private mutating func take(
    _ entry: borrowing DirectoryEntry, of node: Int, _ directory: borrowing Directory, _ births: BirthSearch,
    _ work: inout [Int], _ sink: inout some WatchSink & ~Copyable
  ) -> Int {
    var kind = entry.kind
    if kind == .unknown, let status = try? directory.status(of: Path(entry.name)) { kind = .init(status.kind) }
    if kind == .directory { enter(entry.name, of: node, &work) }
    match(entry.name, in: node)
    var outputs = 0
    for match in matches {
      switch match.purpose {
      // A name that is asked for literally was told of already.
      case .halt: continue
      case .output:
        guard kind == .file || kind == .symlink else { continue }
        outputs += 1
        let birth = births.birth(of: entry.name, in: directory)
        tell(match, entry.name, in: node, .found(born: birth), isDirectory: false, telling: &sink)
      case .lock, .heartbeat, .request, .note:
        tell(match, entry.name, in: node, .found(born: nil), isDirectory: kind == .directory, telling: &sink)
      }
    }
    return outputs
  }

  /// Without birth times only the number of names tells that some are new.
  private mutating func countUnborn(_ outputs: Int, in node: Int, telling sink: inout some WatchSink & ~Copyable) {
    guard outputs > 0 || nodes[node].knownNames != nil else { return }
    let more = outputs - (nodes[node].knownNames ?? outputs)
    if more > 0 { sink.sawUnborn(more, by: nodes[node].states.first { templates[$0.template].purpose == .output }?.agent) }
    nodes[node].knownNames = outputs
  }

  // MARK: telling

  /// Tells the sink of `name` once for every template it completes.
  mutating func tell(
    _ name: RawSpan, in node: Int, _ what: WatchedEntry.What, isDirectory: Bool,
    telling sink: inout some WatchSink & ~Copyable
  ) {
    match(name, in: node)
    for i in matches.indices { tell(matches[i], name, in: node, what, isDirectory: isDirectory, telling: &sink) }
  }

  private func tell(
    _ match: Match, _ name: RawSpan, in node: Int, _ what: WatchedEntry.What, isDirectory: Bool,
    telling sink: inout some WatchSink & ~Copyable
  ) {
    sink.saw(
      WatchedEntry(
        purpose: match.purpose, agent: match.agent, what: what, isDirectory: isDirectory,
        directory: nodes[node].directoryHash, pathHash: Hash.descending(name, from: nodes[node].pathHash), node: node,
        name: name), in: self)
  }
}

extension DirectoryEntry.Kind {
  init(_ kind: FileStatus.Kind) {
    self =
      switch kind {
      case .file: .file
      case .directory: .directory
      case .symlink: .symlink
      case .other: .other
      }
  }
}
