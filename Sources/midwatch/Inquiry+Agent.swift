import Configuration
import Daemon
import Formats
import Kernel
import Rules

/// An agent, its beat, its markers and its outputs.
extension Inquiry {
  func agent(_ name: [UInt8], _ path: Path?, _ concern: Concern?) -> Explanation {
    var explanation = Explanation(path.map { escaped($0.bytes) } ?? "agent \(escaped(name))")
    let heartbeats = site.settings.heartbeats(for: name)
    if let concern {
      var meaning = "the heartbeat of the agent \(escaped(name))"
      if case .marker = concern.kind { meaning = "where midwatch marks the agent \(escaped(name))" }
      addRule(concern, meaning, heartbeats.mode, to: &explanation)
    }
    explanation.note("agent", .string(escaped(name)))
    addBeat(name, heartbeats, to: &explanation)
    addNeeds(name, to: &explanation)
    addMarkers(name, to: &explanation)
    addCount(name, to: &explanation)
    addWatch(to: &explanation)
    take(journal(aboutAgent: escaped(name), path), into: &explanation)
    return explanation
  }

  private func addBeat(_ name: [UInt8], _ heartbeats: HeartbeatSettings, to explanation: inout Explanation) {
    let known = snapshot?.agents.first { $0.name == escaped(name) }
    let limit = "stale after \(heartbeats.staleAfter.text)"
    explanation.note("stale_after_s", .integer(heartbeats.staleAfter.seconds))
    guard let (place, written) = lastBeat(of: name, heartbeats) else {
      let place = beatPlaces(of: name).first.map { "; it would be \(escaped($0.bytes))" } ?? ""
      let verdict = known?.isSilent == true ? "SILENT: never heard" : "no heartbeat is there"
      let matters =
        heartbeatMatters(name) ? limit : "an agent without one is not judged, unless expect or needs names it"
      explanation.add("beat", "\(verdict)\(place); \(matters)", "silent", .bool(known?.isSilent == true))
      return
    }
    let age = max(now - written, .zero)
    let isSilent = known?.isSilent ?? (age >= heartbeats.staleAfter)
    explanation.add(
      "beat", "\(isSilent ? "SILENT: " : "")last heard \(spoken(age)) ago (\(written.spoken(at: now))); \(limit)",
      "silent", .bool(isSilent))
    explanation.add("file", escaped(place.bytes), "heartbeat")
    explanation.note("last_beat", .string(written.timestamp))
    explanation.note("age_s", .integer(age.seconds))
    if heartbeats.outputsCount { explanation.add("also", "an output counts as a beat", "outputs_count", .bool(true)) }
  }

  private func heartbeatMatters(_ name: [UInt8]) -> Bool {
    site.settings.expectedAgents.contains(name) || site.settings.agents.contains { $0.needs.contains(name) }
  }

  private func addNeeds(_ name: [UInt8], to explanation: inout Explanation) {
    let needs = (site.settings.agent(name)?.needs ?? []).map { escaped($0) }
    let needed = site.settings.agents.filter { $0.needs.contains(name) }.map { escaped($0.name) }
    if !needs.isEmpty {
      explanation.add(
        "needs", "\(needs.joined(separator: ", ")): it runs standalone while one of them is silent", "needs",
        .array(needs.map { .string($0) }))
    }
    if !needed.isEmpty {
      explanation.add("needed by", "\(needed.joined(separator: ", "))", "needed_by", .array(needed.map { .string($0) }))
    }
  }

  private func addMarkers(_ name: [UInt8], to explanation: inout Explanation) {
    var found: [JSON] = []
    var texts: [String] = []
    for place in beatPlaces(of: name) {
      guard let directory = try? Directory(place.split.parent) else { continue }
      for word in ["degraded", "standalone"] {
        guard let file = Path(bytes: name + Array(".\(word)".utf8)) else { continue }
        switch OwnFile.bearer(of: file, in: directory) {
        case .nobody: continue
        case .somebodyElse: texts.append("\(escaped(file.bytes)), which is not midwatch's and is left alone")
        case .ours(let json):
          let since = json["since"]?.string.flatMap { WallTime(text: $0) }
          texts.append("\(escaped(file.bytes))\(since.map { " since \($0.spokenWithAge(at: now))" } ?? "")")
        }
        found.append(.string(escaped(file.bytes)))
      }
    }
    explanation.add("markers", texts.isEmpty ? "none" : texts.joined(separator: "; "), "markers", .array(found))
  }

  func addCount(_ name: [UInt8], to explanation: inout Explanation) {
    let policy = site.settings.outputs(for: name).policy
    let known = snapshot?.agents.first { $0.name == escaped(name) }
    // The running watch may go by older settings than those on disk.
    let count = known?.limit ?? policy.limit?.count
    let span = known?.window ?? policy.limit?.span
    let limit = count.flatMap { count in span.map { "the limit is \(count) in \($0.text)" } } ?? "there is no limit"
    let now = snapshot == nil ? "not counted now" : "\(known?.inWindow ?? 0) in the window"
    explanation.add(
      "outputs", "\(now); \(limit)", "outputs_in_window",
      snapshot == nil ? .null : .integer(Int64(known?.inWindow ?? 0)))
    explanation.note("limit", .number(count) ?? .null)
  }

  func output(_ path: Path, _ agent: [UInt8], _ concern: Concern) -> Explanation {
    var explanation = Explanation(escaped(path.bytes))
    let outputs = site.settings.outputs(for: agent)
    addRule(concern, "an output of the agent \(escaped(agent))", outputs.mode, to: &explanation)
    explanation.note("agent", .string(escaped(agent)))
    let (parent, file) = path.split
    let status = try? Directory(parent).status(of: file)
    explanation.add(
      "now", now(status, concern), "counts", .bool(concern.ignoredBy == nil && status?.kind != .directory))
    addCount(agent, to: &explanation)
    if let similar = outputs.policy.similar {
      explanation.add(
        "similar", "\(similar.count) nearly identical texts in \(similar.span.text) halt it too", "similar_limit",
        .integer(Int64(similar.count)))
    }
    if let halt = StandingHalt.find(site, watched: holder != .nobody) {
      explanation.add("halt", "the pipeline is halted: \(halt.words(at: now))", "halted", .bool(true))
      explanation.types = [site.typed("resume")]
    }
    addWatch(to: &explanation)
    take(journal(aboutAgent: escaped(agent), path), into: &explanation)
    return explanation
  }

  private func now(_ status: FileStatus?, _ concern: Concern) -> String {
    guard let status else { return "nothing bears that name now" }
    let born = status.born.map { ", born \($0.spokenWithAge(at: now))" } ?? ""
    let counts = concern.ignoredBy == nil ? "; its birth counts" : "; its birth does not count"
    return switch status.kind {
    case .file: "a file of \(status.size) bytes\(born)\(counts)"
    case .symlink: "a symlink\(born)\(counts)"
    case .directory: "a directory, which never counts; what is in it does"
    case .other: "a special file, which never counts"
    }
  }

  // MARK: where things are

  /// Where an agent's beat is by its templates, those with other wildcards aside.
  func beatPlaces(of agent: [UInt8]) -> [Path] {
    site.settings.heartbeatWatches.compactMap { watch in
      if let owner = watch.agent, owner != agent { return nil }
      guard !watch.template.isHome, let text = filled(Array(watch.template.text.utf8), agent),
        let path = Path(bytes: text)
      else { return nil }
      return watch.template.isAbsolute ? path : site.resolvedRoot.appending(path)
    }
  }

  /// The template with the agent's name in it; nil where that does not make a path of it.
  private func filled(_ template: [UInt8], _ agent: [UInt8]) -> [UInt8]? {
    var path: [UInt8] = []
    var rest = template[...]
    let mark = Array("{agent}".utf8)
    while let byte = rest.first {
      if rest.starts(with: mark) {
        path += agent
        rest = rest.dropFirst(mark.count)
      } else {
        if byte == UInt8(ascii: "*") || byte == UInt8(ascii: "{") { return nil }
        path.append(byte)
        rest = rest.dropFirst()
      }
    }
    return path
  }

  private func lastBeat(of agent: [UInt8], _ heartbeats: HeartbeatSettings) -> (Path, WallTime)? {
    var newest: (path: Path, written: WallTime)?
    for place in beatPlaces(of: agent) {
      let (parent, name) = place.split
      guard let directory = try? Directory(parent), let status = try? directory.status(of: name), status.kind == .file
      else { continue }
      let bytes = heartbeats.source == .modificationTime ? [] : directory.contents(of: name) ?? []
      let said: WallTime? =
        switch heartbeats.source {
        case .modificationTime: nil
        case .content: Beat.written(in: bytes)
        case .json(let keys): Beat.written(in: bytes, at: keys)
        }
      let written = said ?? status.modified
      if newest.map({ $0.written < written }) ?? true { newest = (place, written) }
    }
    return newest
  }

  private func journal(aboutAgent name: String, _ path: Path?) -> [JournalLine] {
    let shownPath = path.map { escaped($0.bytes) }
    return journal { line in
      line.json["agent"]?.string == name || line.words.hasPrefix("\(name) ")
        || (shownPath.map { line.words.contains($0) } ?? false)
    }
  }
}
