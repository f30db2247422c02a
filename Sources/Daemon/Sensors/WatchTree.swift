public import Configuration
public import Kernel
public import Rules

/// Keeps inotify watches on every directory that can hold a name some template matches, now and later.
///
/// The tree starts at "/". A node is a directory with the templates' states in it: how far along
/// which template its path has come. Directories on a template's fixed part are *fixed* nodes: they stay in
/// the tree while they are missing, and the nearest living one is watched for their return.
/// First start, overflow, reload and a recreated directory are all `visit`.
public struct WatchTree: ~Copyable {
  /// How far a path has come along one template: the next component to match.
  struct State: Equatable {
    var template: Int
    var position: Int
    var agent: Agent?
  }

  /// A template that a name completed.
  struct Match: Equatable {
    var purpose: Purpose
    var agent: Agent?
  }

  struct Node {
    var parent: Int
    var name: Path
    var states: [State]
    var children: [Int] = []
    /// -1: none.
    var watch: Int32 = -1
    var mask: Inotify.Mask = []
    /// nil while the directory is not there.
    var identity: FileIdentity?
    var directoryHash: UInt64 = 0
    var pathHash: UInt64
    /// Inotify does not see everything here: rescan in turn.
    var isPolled = false
    var isRemote = false
    var notice: WatchNotice?
    /// Counted names, where the filesystem keeps no birth times.
    var knownNames: Int?
    var visited: UInt32 = 0
    var isFree = false
  }

  let slash: Directory
  var inotify: Inotify?
  let templates: [WatchedTemplate]
  /// `ignore` of agents with a list of their own.
  let ignoreOfAgent: [Agent: [IgnorePattern]]
  let ownWatches: Set<OwnWatch>
  let crossesMounts: Bool
  /// Else it only ever looks.
  let watches: Bool
  var names: Names
  var nodes: [Node] = []
  private var free: [Int] = []
  var nodeOfWatch: [Int32: Int] = [:]
  /// Numbers the visits, so that what a listing no longer shows is told from what it shows.
  var visitCount: UInt32 = 0
  var states: [State] = []
  var matches: [Match] = []
  /// A watch could not be had.
  public internal(set) var isStarved = false

  /// - Throws: what keeps "/" from being opened.
  public init(
    _ templates: [WatchedTemplate], ignoreOfAgent: [Agent: [IgnorePattern]] = [:],
    ownWatches: Set<OwnWatch> = [], crossesMounts: Bool = false, names: Names, watches: Bool = true
  ) throws(Errno) {
    slash = try Directory(Path("/"))
    self.templates = templates
    self.ignoreOfAgent = ignoreOfAgent
    self.ownWatches = ownWatches
    self.crossesMounts = crossesMounts
    self.watches = watches
    self.names = names
    inotify = nil
    nodes.append(
      Node(
        parent: 0, name: Path(""),
        states: templates.indices.map { State(template: $0, position: 0, agent: templates[$0].agent) },
        pathHash: Hash.start))
    states.reserveCapacity(16)
    matches.reserveCapacity(16)
  }

  /// The directory's path from "/" without the first slash, as `Directory` takes it.
  func path(of node: Int) -> Path {
    var path = Path("")
    append(node, to: &path)
    return path
  }

  /// The same with the slash, for people.
  public func fullPath(of node: Int) -> [UInt8] { [UInt8(ascii: "/")] + path(of: node).bytes }

  /// Puts the path of a name in a directory into `path`, whose memory is used again.
  public func put(_ name: RawSpan, in node: Int, into path: inout Path) {
    path.removeAll()
    append(node, to: &path)
    path.append(name)
  }

  /// - Returns: how deep the node lies.
  @discardableResult
  private func append(_ node: Int, to path: inout Path, skipping skipped: Int = 0) -> Int {
    guard node != 0 else { return 0 }
    let depth = append(nodes[node].parent, to: &path, skipping: skipped)
    let name = nodes[node].name
    if depth >= skipped { path.append(name.span) }
    return depth + 1
  }

  // MARK: nodes

  func child(of node: Int, named name: RawSpan) -> Int? {
    for child in nodes[node].children where nodes[child].name.isEqual(to: name) { return child }
    return nil
  }

  mutating func makeChild(of node: Int, named name: RawSpan, states: [State]) -> Int {
    let made = Node(
      // A copy of its own: the scratch array's room for more is not wanted in every node.
      parent: node, name: Path(name), states: states.map { $0 }, pathHash: Hash.descending(name, from: nodes[node].pathHash))
    let index: Int
    if let reused = free.popLast() {
      index = reused
      nodes[index] = made
    } else {
      index = nodes.count
      nodes.append(made)
    }
    nodes[node].children.append(index)
    return index
  }

  /// Takes a directory and all below it out of the tree; fixed nodes stay, as missing.
  mutating func drop(_ node: Int) {
    var work = [node]
    while let next = work.popLast() {
      work.append(contentsOf: nodes[next].children)
      unwatch(next)
      nodes[next].identity = nil
      guard !isFixed(next) else { continue }
      let parent = nodes[next].parent
      nodes[parent].children.removeAll { $0 == next }
      nodes[next].isFree = true
      nodes[next].children = []
      free.append(next)
    }
  }

  /// On the fixed part of some template: the template asks for this very path.
  func isFixed(_ node: Int) -> Bool {
    nodes[node].states.contains { $0.position <= templates[$0.template].fixedCount }
  }

  /// Every state asks for one more literal directory: nothing in here matters but those.
  func isPassage(_ node: Int) -> Bool {
    nodes[node].states.allSatisfy { state in
      let template = templates[state.template]
      guard case .literal = template.components[state.position] else { return false }
      return state.position + 1 < template.components.count
    }
  }

  /// Some state asks for names that only a listing can tell; a fixed part is gone to by its name.
  func needsListing(_ node: Int) -> Bool {
    nodes[node].states.contains { state in
      let template = templates[state.template]
      guard case .literal = template.components[state.position] else { return true }
      return state.position >= template.fixedCount
    }
  }

  // MARK: matching

  /// The states below `node` in a directory called `name`, into `states`.
  mutating func descend(from node: Int, into name: RawSpan) {
    states.removeAll(keepingCapacity: true)
    for i in nodes[node].states.indices { step(nodes[node].states[i], name, in: node) }
  }

  private mutating func step(_ state: State, _ name: RawSpan, in node: Int) {
    guard state.position < templates[state.template].components.count, !ignores(state, name, in: node) else { return }
    switch templates[state.template].components[state.position] {
    case .anyDepth:
      note(state)
      step(State(template: state.template, position: state.position + 1, agent: state.agent), name, in: node)
    case .literal(let bytes):
      if unsafe name.isEqual(to: bytes.span.bytes) { advance(state, agent: state.agent) }
    case .pattern(let pattern):
      guard let captures = pattern.match(name) else { return }
      advance(state, agent: state.agent ?? agent(captures, in: name))
    }
  }

  private mutating func advance(_ state: State, agent: Agent?) {
    guard state.position + 1 < templates[state.template].components.count else { return }
    note(State(template: state.template, position: state.position + 1, agent: agent))
  }

  private mutating func note(_ state: State) {
    if !states.contains(state) { states.append(state) }
  }

  private mutating func agent(_ captures: NamePattern.Captures, in name: RawSpan) -> Agent? {
    guard let range = captures.agent else { return nil }
    return names.agent(name.extracting(range))
  }

  /// The templates that `name` in `node` completes, into `matches`.
  mutating func match(_ name: RawSpan, in node: Int) {
    matches.removeAll(keepingCapacity: true)
    for i in nodes[node].states.indices { complete(nodes[node].states[i], name, in: node) }
  }

  private mutating func complete(_ state: State, _ name: RawSpan, in node: Int) {
    let last = templates[state.template].components.count - 1
    guard state.position <= last, !ignores(state, name, in: node) else { return }
    switch templates[state.template].components[state.position] {
    case .anyDepth:
      if state.position == last { return found(state.template, state.agent) }
      complete(State(template: state.template, position: state.position + 1, agent: state.agent), name, in: node)
    case .literal(let bytes):
      if state.position == last, unsafe name.isEqual(to: bytes.span.bytes) { found(state.template, state.agent) }
    case .pattern(let pattern):
      guard state.position == last, let captures = pattern.match(name) else { return }
      found(state.template, state.agent ?? agent(captures, in: name))
    }
  }

  private mutating func found(_ template: Int, _ agent: Agent?) {
    let purpose = templates[template].purpose
    if templates[template].agent == nil, let agent, !ownWatches.isEmpty,
      ownWatches.contains(OwnWatch(purpose: purpose, agent: agent))
    {
      return
    }
    let match = Match(purpose: purpose, agent: agent)
    if !matches.contains(match) { matches.append(match) }
  }

  /// Whether `name` in a directory of this state is on the template's ignore list, or is a hidden
  /// file of ours.
  private func ignores(_ state: State, _ name: RawSpan, in node: Int) -> Bool {
    guard state.position >= templates[state.template].fixedCount else { return false }
    if name.starts(with: ownPrefix) { return true }
    if let agent = state.agent, let own = ignoreOfAgent[agent], templates[state.template].purpose == .output {
      return ignores(own, state.template, name, in: node)
    }
    return ignores(templates[state.template].ignore, state.template, name, in: node)
  }

  private func ignores(_ patterns: [IgnorePattern], _ template: Int, _ name: RawSpan, in node: Int) -> Bool {
    for pattern in patterns {
      switch pattern {
      case .name(let glob):
        if glob.matches(name) { return true }
      case .path(let place):
        var path = Path("")
        let skipped = place.isAbsolute ? 0 : templates[template].base
        append(node, to: &path, skipping: skipped)
        path.append(name)
        if pattern.matches(path.span, below: 0) { return true }
      }
    }
    return false
  }
}

/// What the hidden files of ours begin with: placeholders and files that are not yet whole.
let ownPrefix: StaticString = ".midwatch-"

extension Path {
  func isEqual(to name: RawSpan) -> Bool { span.isEqual(to: name) }
}

extension RawSpan {
  func isEqual(to other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    for i in 0..<byteCount where load(UInt8.self, at: i) != other.load(UInt8.self, at: i) { return false }
    return true
  }

  func ends(with suffix: StaticString) -> Bool {
    let count = suffix.utf8CodeUnitCount
    return byteCount >= count && extracting(last: count).starts(with: suffix)
  }

  func starts(with prefix: StaticString) -> Bool {
    let count = prefix.utf8CodeUnitCount
    guard byteCount >= count else { return false }
    for i in 0..<count where unsafe load(UInt8.self, at: i) != prefix.utf8Start[i] { return false }
    return true
  }
}

extension WatchTree {
  /// The number of the agent of this name.
  public mutating func agent(named name: [UInt8]) -> Agent { names.agent(bytes: name) }

  /// The directory that the first template of a purpose leads to by its literal part.
  func fixedPart(of purpose: Purpose, agent: Agent?) -> Path? {
    let candidates = templates.filter { $0.purpose == purpose }
    guard let template = candidates.first(where: { $0.agent == agent }) ?? candidates.first else { return nil }
    var path = Path.empty
    // Of a template that is literal to its end, the directory that its last name is in.
    for component in template.components.prefix(min(template.fixedCount, template.components.count - 1)) {
      guard case .literal(let bytes) = component else { break }
      unsafe path.append(bytes.span.bytes)
    }
    return path
  }
}
