import Formats
import Kernel
import Rules

/// What a running watch shows of itself: `run/status.json`, brought forward to now.
struct Snapshot {
  struct Agent {
    /// Escaped.
    let name: String
    let isSilent: Bool?
    let beatAge: TimeSpan?
    let inWindow: Int
    let limit: Int?
    let window: TimeSpan?
  }

  struct Lock {
    /// Escaped, from "/".
    let path: String
    let age: TimeSpan
    let rung: String
    let verdict: LockRule.Judgement.Verdict?
    let due: TimeSpan?
    let unreapable: String?
    let pid: Int64?
  }

  /// A process that was found leaked.
  struct Suspect {
    let process: ProcessIdentity
    let kind: String
    let found: TimeSpan
    /// nil: not as things stand.
    let due: TimeSpan?
  }

  struct Memory {
    /// In use.
    let percent: Int
    /// `fine`, `tight` or `short`.
    let state: String
  }

  let json: JSON
  let pid: Int64
  let written: WallTime
  let mode: String
  let state: String
  let isAllByInotify: Bool
  let isStarved: Bool
  let alertsWaiting: Int
  /// As the watch goes by, whatever the configuration says by now.
  let lockStaleAfter: TimeSpan?
  let agents: [Agent]
  /// The oldest first.
  let locks: [Lock]
  let suspects: [Suspect]
  let memory: Memory?

  init?(_ file: Path, at now: WallTime) {
    guard let bytes = try? File(reading: file).contents(upTo: 16 << 20), let json = JSON(bytes),
      let pid = json["pid"]?.integer, let written = json["at"]?.string.flatMap({ WallTime(text: $0) })
    else { return nil }
    self.json = json
    self.pid = pid
    self.written = written
    let since = max(now - written, .zero)
    mode = json["mode"]?.string ?? "on"
    state = json["state"]?.string ?? "closed"
    isAllByInotify = json["watching"]?.string == "all by inotify"
    isStarved = json["starved"]?.bool ?? false
    alertsWaiting = Int(json["alerts_waiting"]?.integer ?? 0)
    lockStaleAfter = json["lock_stale_after_s"]?.integer.map { .seconds($0) }
    agents = (json["agents"]?.array ?? []).compactMap { Agent($0, since) }
    suspects = (json["leaks"]?.array ?? []).compactMap { Suspect($0, since) }
    memory = json["memory"].flatMap { Memory($0) }
    locks = (json["locks"]?.array ?? []).compactMap { Lock($0, since) }.sorted { $0.age > $1.age }
  }
}

extension Snapshot.Agent {
  fileprivate init?(_ json: JSON, _ since: TimeSpan) {
    guard let name = json["name"]?.string else { return nil }
    self.name = shown(name)
    isSilent = json["silent"]?.bool
    beatAge = json["beat_age_s"]?.integer.map { .seconds($0) + since }
    limit = json["limit"]?.integer.map { Int($0) }
    window = json["window_s"]?.integer.map { .seconds($0) }
    // What was in the window then has left it by now.
    inWindow = window.map { since > $0 } ?? false ? 0 : Int(json["outputs_in_window"]?.integer ?? 0)
  }
}

extension Snapshot.Suspect {
  fileprivate init?(_ json: JSON, _ since: TimeSpan) {
    guard let pid = json["pid"]?.integer.flatMap({ Int32(exactly: $0) }),
      let start = json["start_ticks"]?.integer.flatMap({ UInt64(exactly: $0) })
    else { return nil }
    process = ProcessIdentity(pid: pid, startTicks: start)
    kind = shown(json["kind"]?.string ?? "leak")
    found = .seconds(json["found_s"]?.integer ?? 0) + since
    due = json["due_s"]?.integer.map { max(.seconds($0) - since, .zero) }
  }
}

extension Snapshot.Memory {
  fileprivate init?(_ json: JSON) {
    guard let percent = json["percent"]?.integer.flatMap({ Int(exactly: $0) }) else { return nil }
    self.percent = percent
    state = shown(json["state"]?.string ?? "fine")
  }
}

extension Snapshot.Lock {
  fileprivate init?(_ json: JSON, _ since: TimeSpan) {
    guard let path = json["path"]?.string else { return nil }
    self.path = shown(path)
    age = .seconds(json["age_s"]?.integer ?? 0) + since
    rung = shown(json["rung"]?.string ?? "not judged yet")
    verdict = json["verdict"]?.string.flatMap(LockRule.Judgement.Verdict.init(rawValue:))
    due = json["due_s"]?.integer.map { max(.seconds($0) - since, .zero) }
    unreapable = json["unreapable"]?.string.map { shown($0) }
    pid = json["pid"]?.integer
  }
}
