import Configuration
import Daemon
import Formats
import Kernel
import Rules

/// One question of `why`: finds out what was meant, and asks whoever knows.
struct Inquiry {
  let site: Site
  /// As it was typed.
  let word: String
  let now = Clock.wall()
  let holder: StateDirectory.Holder
  let snapshot: Snapshot?
  let concerns: Concerns

  init(_ site: Site, _ word: String) {
    self.site = site
    self.word = word
    holder = site.holder
    snapshot = holder == .nobody ? nil : Snapshot(site.places.statusFile, at: now)
    concerns = Concerns(site)
  }

  func explanation() -> Explanation {
    if let (path, concern) = place() {
      switch concern.kind {
      case .lock: return lock(path, concern)
      case .heartbeat(let agent), .marker(let agent): return self.agent(agent, path, concern)
      case .output(let agent): return output(path, agent, concern)
      case .halt: return halt(path)
      }
    }
    if let pid = knownProcess() { return process(pid) }
    if let agent = knownAgent() { return self.agent(agent, nil, nil) }
    return nothing()
  }

  // MARK: what was meant

  /// The words that may have been meant: as typed, and with what midwatch escaped undone.
  private var readings: [[UInt8]] {
    let typed = Array(word.utf8)
    guard let raw = unescaped(word), raw != typed else { return [typed] }
    return [typed, raw]
  }

  /// From the working directory, then from the root. One that exists comes first, then one that the
  /// journal tells of.
  private func place() -> (Path, Concern)? {
    var found: [(path: Path, concern: Concern)] = []
    for bytes in readings {
      guard let path = Path(bytes: bytes), !path.isEmpty else { continue }
      let isAbsolute = bytes.first == UInt8(ascii: "/")
      let candidates = isAbsolute ? [path] : [Path(absolute(".")).appending(path), site.resolvedRoot.appending(path)]
      for candidate in candidates {
        let path = settled(candidate)
        if let concern = concerns.of(path) { found.append((path, concern)) }
      }
    }
    if let there = found.first(where: { exists($0.path) }) { return there }
    if found.count > 1, let told = found.first(where: { !journal(about: $0.path).isEmpty }) { return told }
    return found.first
  }

  private func exists(_ path: Path) -> Bool {
    let (parent, name) = path.split
    return (try? Directory(parent).status(of: name)) != nil
  }

  /// Symlinks on the way resolved, never the last component: that may be the lock itself.
  private func settled(_ path: Path) -> Path {
    var parts: [ArraySlice<UInt8>] = []
    for part in path.bytes.split(separator: UInt8(ascii: "/")) where part != [UInt8(ascii: ".")] {
      if part.elementsEqual("..".utf8) { _ = parts.popLast() } else { parts.append(part) }
    }
    guard let last = parts.popLast(), let name = Path(bytes: Array(last)) else { return Path("/") }
    let parent = Path(bytes: [UInt8(ascii: "/")] + Array(parts.joined(separator: [UInt8(ascii: "/")]))) ?? Path("/")
    return ((try? realPath(parent)) ?? parent).appending(name)
  }

  /// A bare name, or one with the ending of a heartbeat or a marker, of an agent that anybody knows.
  private func knownAgent() -> [UInt8]? {
    for bytes in readings where !bytes.contains(UInt8(ascii: "/")) {
      guard let path = Path(bytes: bytes) else { continue }
      for suffix in ["", ".heartbeat", ".degraded", ".standalone"] {
        if let name = suffix.isEmpty ? bytes : agentName(of: path, suffix), isKnown(name) { return name }
      }
    }
    return nil
  }

  private func isKnown(_ agent: [UInt8]) -> Bool {
    let shown = escaped(agent)
    let settings = site.settings
    return settings.agent(agent) != nil || settings.expectedAgents.contains(agent)
      || settings.agents.contains { $0.needs.contains(agent) }
      || snapshot?.agents.contains { $0.name == shown } ?? false
      || beatPlaces(of: agent).contains { exists($0) }
  }

  // MARK: answers

  private func nothing() -> Explanation {
    let meant = readings[0].first == UInt8(ascii: "/") ? word : "\(word), from here and from \(site.shownRoot),"
    var explanation = Explanation(shown(word))
    explanation.isOfConcern = false
    explanation.add(
      "rule", "none: \(shown(meant)) is of no concern to midwatch, and no agent is called so", "rule", .null)
    explanation.add("locks", templates(site.settings.locks.watch), "locks_watch")
    explanation.add("heartbeats", templates(site.settings.heartbeatWatches.map(\.template)), "heartbeats_watch")
    explanation.add("outputs", templates(site.settings.outputWatches.map(\.template)), "outputs_watch")
    explanation.types = [site.typed("check-config")]
    return explanation
  }

  private func templates(_ templates: [PathTemplate]) -> String {
    templates.isEmpty ? "nothing is watched" : templates.map { shown($0.text) }.joined(separator: ", ")
  }

  private func halt(_ path: Path) -> Explanation {
    var explanation = Explanation(escaped(path.bytes))
    explanation.add(
      "rule", "halt: while this file stands, the pipeline is halted, whoever wrote it", "rule", .string("halt"))
    if let halt = StandingHalt.find(site, watched: false) {
      explanation.add("now", "HALTED: \(halt.why ?? "it does not say why")", "why", .text(halt.why) ?? .null)
      explanation.add("since", halt.since.spokenWithAge(at: now), "since", .time(halt.since))
      explanation.add("by", halt.by, "by")
      explanation.types = [site.typed("resume")]
    } else {
      explanation.add("now", "not there: the pipeline is not halted", "why", .null)
    }
    take(
      journal { line in
        ["halted", "still-halted", "also-tripped", "closed", "would-halt"].contains(line.what) || line.rule == "halt"
      }, into: &explanation)
    return explanation
  }

  /// What every answer says of the rule.
  func addRule(_ concern: Concern, _ meaning: String, _ mode: Mode, to explanation: inout Explanation) {
    let manner =
      switch mode {
      case .on: ""
      case .observe: " (observe: nothing is touched)"
      case .off: " (off: nobody looks)"
      }
    explanation.add(
      "rule", "\(concern.rule): it matches \(shown(concern.template)), so it is \(meaning)\(manner)", "rule",
      .string(concern.rule))
    explanation.note("template", .string(shown(concern.template)))
    explanation.note("mode", .string(mode.rawValue))
    guard let pattern = concern.ignoredBy else { return }
    explanation.add(
      "ignored", "yes, by the pattern \(shown(pattern)) under ignore in [\(concern.rule)]", "ignored_by",
      .string(shown(pattern)))
  }

  /// The line where the rule cannot act because nobody watches.
  func addWatch(to explanation: inout Explanation) {
    guard holder == .nobody else { return }
    explanation.add(
      "watch", "no midwatchd runs here, so nothing becomes of it; to start it: \(site.start)", "watched", .bool(false))
  }

  // MARK: the journal

  func journal(about path: Path) -> [JournalLine] {
    let name = escaped(path.bytes)
    return journal { line in line.json["path"]?.string == name || mentions(line.words, name) }
  }

  /// At most five, the newest first.
  func journal(_ isIt: (JournalLine) -> Bool) -> [JournalLine] {
    var lines: [JournalLine] = []
    _ = try? JournalReader.newestFirst(in: Directory(site.places.state)) { line in
      if isIt(line) { lines.append(line) }
      return lines.count < 5
    }
    return lines
  }

  func take(_ lines: [JournalLine], into explanation: inout Explanation) {
    explanation.journal = lines
    for line in lines where line.what == "undone" {
      if let sequence = line.json["undoes"]?.integer { explanation.undone.insert(sequence) }
    }
  }

  /// Whether a sentence names a path, and not only a longer one that begins alike.
  private func mentions(_ words: String, _ path: String) -> Bool {
    let (text, name) = (Array(words.utf8), Array(path.utf8))
    guard !name.isEmpty, text.count >= name.count else { return false }
    for start in 0...(text.count - name.count) where text[start] == name[0] {
      let end = start + name.count
      guard text[start..<end].elementsEqual(name) else { continue }
      if end == text.count || Array(" :;,".utf8).contains(text[end]) { return true }
    }
    return false
  }
}
