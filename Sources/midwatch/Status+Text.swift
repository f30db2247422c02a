import Daemon
import Formats
import Kernel
import Rules

/// The screen.
extension Scene {
  var text: String {
    var lines = ["\(level.painted)\(site.name): \(headline)"]
    func row(_ label: String, _ text: String) { lines.append("  \(padded(label, 10))\(text)") }
    if let halt {
      row("since", "\(halt.since.spokenWithAge(at: now)), by \(halt.by)")
      row("to go on", Ink.bold(site.typed("resume")))
    }
    if let blindness {
      if halt != nil { row("watch", blindness.what) }
      if let type = blindness.type { row(holder == .nobody ? "to start" : "to type", Ink.bold(type)) }
    }
    if level == .warning, concerns.count == 1, let type = concerns[0].type {
      row("to type", Ink.bold(type))
    } else {
      for concern in concerns.prefix(8) {
        row("look", concern.what)
        if let type = concern.type { row("", Ink.bold(type)) }
      }
    }
    if concerns.count > 8 { row("", "and \(concerns.count - 8) more: \(site.typed("status --json"))") }
    if let snapshot {
      lines.append("")
      row("watch", watch(snapshot))
      table(
        "agents",
        snapshot.agents.sorted { ($0.isSilent == true ? 0 : 1, $0.name) < ($1.isSilent == true ? 0 : 1, $1.name) }, row,
        words)
      table("locks", snapshot.locks, row) { "\(padded(spoken($0.age), 10))\(shorten($0.path))   \($0.fate)" }
      if !snapshot.suspects.isEmpty { table("leaks", snapshot.suspects, row, words) }
      if let memory = snapshot.memory { row("memory", "\(memory.percent) % in use") }
    }
    lines.append("")
    if let journalError { row("journal", "cannot be read: \(journalError)") }
    table("journal", Array(journal.reversed()), row, stamped)
    return lines.joined(separator: "\n") + "\n"
  }

  private var headline: String {
    if let halt { return "the pipeline is halted: \(halt.why ?? "HALT does not say why")" }
    if let blindness { return blindness.what }
    if concerns.count > 1 { return "\(concerns.count) things to look after" }
    if let only = concerns.first { return only.what }
    guard let snapshot else { return "" }
    let silent = snapshot.agents.isEmpty ? "no agent yet" : counted(snapshot.agents.count, "agent")
    return "\(silent), \(counted(snapshot.locks.count, "lock")), nothing to do"
  }

  private func watch(_ snapshot: Snapshot) -> String {
    let mode = snapshot.mode == "on" ? "" : ", mode \(shown(snapshot.mode)): nothing is touched"
    let breaker = ["half-open", "off"].contains(snapshot.state) ? "; the breaker is \(snapshot.state)" : ""
    let eyes = snapshot.isAllByInotify ? "" : "; part of it by rescans"
    return "midwatchd (pid \(snapshot.pid)) guards \(site.shownRoot)\(mode)\(eyes)\(breaker)"
  }

  /// At most ten rows, and what to say where there are none.
  private func table<Row>(_ label: String, _ rows: [Row], _ row: (String, String) -> Void, _ words: (Row) -> String) {
    if rows.isEmpty, label != "journal" || journalError == nil { row(label, "none") }
    for (index, one) in rows.prefix(10).enumerated() { row(index == 0 ? label : "", words(one)) }
    if rows.count > 10 { row("", "and \(rows.count - 10) more: \(site.typed("status --json"))") }
  }

  private func words(_ agent: Snapshot.Agent) -> String {
    let beat =
      agent.beatAge.map { "beat \(spoken($0)) ago" } ?? (agent.isSilent == nil ? "no heartbeat" : "never heard")
    var outputs = "\(agent.inWindow)\(agent.limit.map { " of \($0)" } ?? "") outputs"
    if let window = agent.window { outputs += " in \(window.text)" }
    return "\(padded(agent.name, 16)) \(padded(agent.isSilent == true ? "SILENT, \(beat)" : beat, 24)) \(outputs)"
  }

  private func words(_ leak: Snapshot.Suspect) -> String {
    let fate = leak.due.map { "dealt with in \(spoken($0)) if it is found so again" } ?? "left as it is"
    return "\(padded("pid \(leak.process.pid)", 16)) \(leak.kind), found \(spoken(leak.found)) ago, \(fate)"
  }

  private func stamped(_ line: JournalLine) -> String {
    let day = line.time.map { $0.day == now.day ? "" : "\($0.day) " } ?? ""
    return day + line.sentence(undone: undone.contains(line.sequence))
  }

  /// Without the root, for the eye.
  private func shorten(_ path: String) -> String {
    let prefix = escaped(site.resolvedRoot.bytes) + "/"
    return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
  }
}

extension Scene {
  var json: JSON {
    .fields([
      "v": .integer(1),
      "status": .string(level.word.lowercased()),
      "summary": .string(headline),
      "pipeline": .string(site.name),
      "root": .string(site.shownRoot),
      "watched": .bool(snapshot != nil),
      "halt": halt.map { halt in
        .fields([
          "why": .text(halt.why), "by": .string(halt.by), "since": .time(halt.since),
          "age_s": .seconds(now - halt.since),
          "type": .string(site.typed("resume")),
        ])
      },
      "look": .array(
        (concerns + [blindness].compactMap { $0 }).map { .fields(["what": .string($0.what), "type": .text($0.type)]) }),
      "midwatchd": snapshot?.json,
      "journal": .array(journal.reversed().map(\.json)),
    ])
  }
}
