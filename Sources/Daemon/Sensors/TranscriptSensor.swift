internal import Configuration
internal import Kernel
internal import Rules

/// Tells how large an agent's transcripts are, while they grow.
///
/// Nothing is opened and nothing is polled. The directories of an agent are watched for one event each; the first
/// one says that it is worth a look, a tenth of its span later. While a look finds change the next one follows at the
/// same pace and no event is asked for; after a look that finds none the watches are put back. So a file that
/// grows without a pause costs one waking a tenth, and one that does not grow costs none.
struct TranscriptSensor: ~Copyable {
  /// A template laid out from "/", with the agent's name in it.
  typealias Template = [PathTemplate.Component]

  struct Look {
    /// Without the first slash.
    var files: [(path: Path, sighting: GrowthRule.Sighting)] = []
    /// There are more directories or names than are looked at.
    var isCut = false
    /// No watch could be had: looks go on without being asked for.
    var isBlind = false
  }

  struct Standing {
    var templates: [Template]
    var pace: TimeSpan
    /// When to look; nil: when something happens.
    var due: Instant?
    /// Of the last look.
    var digest: UInt64?
  }

  static let mostDirectories = 1024
  static let mostNames = 65_536

  let slash: Directory
  let inotify: Inotify?
  let crossesMounts: Bool
  var agents: [Agent: Standing] = [:]
  private var agentsOfWatch: [Int32: Set<Agent>] = [:]
  private var events = ReadBuffer(capacity: 4096)
  var entries = ReadBuffer(capacity: 32_768)

  /// Everybody is due at once.
  ///
  /// - Throws: what keeps "/" from being opened. Without an inotify instance it looks at its pace.
  init(_ templates: [Agent: [Template]], paces: [Agent: TimeSpan], crossesMounts: Bool, at now: Instant) throws(Errno) {
    slash = try Directory(Path("/"))
    inotify = try? Inotify()
    self.crossesMounts = crossesMounts
    for (agent, pace) in paces { agents[agent] = Standing(templates: templates[agent] ?? [], pace: pace, due: now) }
  }

  func register(with epoll: borrowing Epoll, key: UInt64) throws(Errno) {
    if inotify != nil { try inotify?.register(with: epoll, key: key) }
  }

  /// When the next look is due; nil: when something happens.
  var due: Instant? { agents.values.compactMap(\.due).min() }

  /// Takes in what was told: whose directories have seen something are looked at a tenth of a span later.
  mutating func drain(at now: Instant) {
    while (try? inotify?.read(into: &events)) == true {
      var watches: [Int32] = []
      var isOverflown = false
      var cursor = InotifyEvents(events.bytes)
      while let event = cursor.next() {
        watches.append(event.watch)
        isOverflown = isOverflown || event.mask.contains(.overflow)
      }
      var stirred = isOverflown ? Set(agents.keys) : []
      // A watch is gone with its event.
      for watch in watches { stirred.formUnion(agentsOfWatch.removeValue(forKey: watch) ?? []) }
      for agent in stirred { stir(agent, at: now) }
    }
  }

  private mutating func stir(_ agent: Agent, at now: Instant) {
    guard let standing = agents[agent], standing.due == nil else { return }
    agents[agent]?.due = now + standing.pace
  }

  func nextDue(by now: Instant) -> Agent? {
    agents.filter { $0.value.due.map { $0 <= now } ?? false }.keys.min { $0.index < $1.index }
  }

  /// Looks at an agent's files, and says when to look again.
  mutating func look(at agent: Agent, now: Instant) -> Look {
    var look = walk(agent, watching: false)
    var isSame = isSame(look, for: agent)
    if isSame {
      // Watched first and looked at second, so that nothing in between is missed.
      look = walk(agent, watching: true)
      isSame = self.isSame(look, for: agent)
    }
    let pace = agents[agent]?.pace ?? .zero
    agents[agent]?.due = isSame && !look.isBlind ? nil : now + pace
    return look
  }

  /// Whether nothing has changed since the look before.
  private mutating func isSame(_ look: Look, for agent: Agent) -> Bool {
    var digest: UInt64 = 0
    for (_, file) in look.files {
      digest &+= Hash.of(file.file) &* (UInt64(bitPattern: file.size) &* 2 &+ 1)
    }
    defer { agents[agent]?.digest = digest }
    return agents[agent]?.digest == digest
  }

  /// Puts a watch on a directory.
  mutating func watch(_ directory: borrowing Directory, for agent: Agent, _ look: inout Look) {
    // Never more than one event each: whoever writes without a pause is heard once.
    let mask: Inotify.Mask = [.modify, .create, .movedTo, .deleteSelf, .moveSelf, .once]
    guard agentsOfWatch.count < Self.mostDirectories, let watch = try? inotify?.watch(directory, for: mask) else {
      look.isBlind = true
      return
    }
    agentsOfWatch[watch, default: []].insert(agent)
  }
}
