import Configuration
import Daemon
import Formats
import Kernel
import Rules

/// The screen.
extension MemoryReport {
  var text: String {
    var lines = [state.painted + headline, ""]
    if ledger.rows.isEmpty {
      lines.append("  no process is to be seen")
    } else {
      lines.append(columns("real", "ps says", "processes", ""))
    }
    let shown = rows
    lines += shown.map { row in
      columns(
        (row.isEstimated ? "~" : "") + MemorySize.text(row.total), MemorySize.text(row.resident), "\(row.processes)",
        words(row))
    }
    if let rest = rest(after: shown.count) { lines.append(rest) }
    if ledger.rows.count > 1 {
      lines.append(
        columns(
          MemorySize.text(ledger.total), MemorySize.text(ledger.resident), "\(ledger.processes)",
          Ink.bold("altogether; what else is in use is the kernel's and the cache's")))
    }
    if !notes.isEmpty { lines.append("") }
    return (lines + notes.map { "  \($0)" }).joined(separator: "\n") + "\n"
  }

  private var headline: String {
    guard let level else { return "the machine does not tell how much memory is in use" }
    let whole = "\(MemorySize.text(level.total))\(level.isContainers ? " that this container may use" : "")"
    return
      "\(level.percent) % of \(whole) in use, \(MemorySize.text(level.total - level.used)) to be had (\(thresholds))"
  }

  private var thresholds: String {
    let act = settings.policy.act.map { "act at \($0) %" } ?? "act off"
    switch settings.mode {
    case .on: return "warn at \(settings.policy.warn) %, \(act)"
    case .observe: return "warn at \(settings.policy.warn) %, \(act), mode observe"
    case .off: return "not watched: mode off"
    }
  }

  /// As many as fit on a screen with the rest; no row for what nobody would miss.
  private var rows: [MemoryLedger.Row] {
    Array(ledger.rows.prefix(12).enumerated().prefix { $0.offset < 3 || $0.element.total >= ledger.total / 200 }.map(\.element))
  }

  private func rest(after count: Int) -> String? {
    let rest = ledger.rows.dropFirst(count)
    guard !rest.isEmpty else { return nil }
    // The sums are of the same sizes that the ledger has added up without a trap.
    let total = rest.reduce(0) { $0 &+ $1.total }
    let resident = rest.reduce(0) { $0 &+ $1.resident }
    return columns(
      MemorySize.text(total), MemorySize.text(resident), "\(rest.reduce(0) { $0 + $1.processes })",
      "\(rest.count) more: midwatch memory --json")
  }

  private func words(_ row: MemoryLedger.Row) -> String {
    var text = row.who
    if case .browser(let pid) = row.kind {
      text += " (pid \(pid))"
    } else if row.processes == 1 {
      text += " (pid \(row.first.pid))"
    }
    if let renderers = row.renderersInWords { text += ", \(renderers)" }
    if let job = row.job, case .browser = row.kind { text += ", of job \(escaped(job))" }
    if row.swap > row.total / 20 { text += ", \(MemorySize.text(row.swap)) of it swapped out" }
    return text
  }

  private func columns(_ real: String, _ resident: String, _ processes: String, _ who: String) -> String {
    let line = "  \(padded(left: real, 9))  \(padded(left: resident, 9))  \(padded(left: processes, 9))"
    return who.isEmpty ? line : "\(line)  \(who)"
  }

  /// What could not be seen.
  private var notes: [String] {
    var notes: [String] = []
    if refused > 0 {
      let who = counted(refused, "process", plural: "processes")
      notes.append(
        Own.uid == 0
          ? "~ \(who) could only be estimated: not even root may look into them here"
          : "~ \(who) of others could only be estimated; to measure them: \(Ink.bold("sudo midwatch memory"))")
    }
    if isPartial { notes.append("the processes of others are hidden from this user (hidepid), so that some are missing") }
    return notes
  }
}

private func padded(left text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.unicodeScalars.count)) + text
}

private func counted(_ count: Int, _ thing: String, plural: String) -> String { "\(count) \(count == 1 ? thing : plural)" }

extension MemoryReport {
  var json: JSON {
    .fields([
      "v": .integer(1),
      "status": .string(state.word.lowercased()),
      "percent": .number(level?.percent),
      "total": .bytes(level?.total),
      "used": .bytes(level?.used),
      "of": .text(level.map { $0.isContainers ? "container" : "machine" }),
      "mode": .string(settings.mode.rawValue),
      "warn": .number(settings.policy.warn),
      "act": .number(settings.policy.act),
      "consumers": .array(ledger.rows.map(\.json)),
      "real": .bytes(ledger.total),
      "rss": .bytes(ledger.resident),
      "processes": .number(ledger.processes),
      "refused": .number(refused),
      "hidden": .bool(isPartial),
    ])
  }
}

extension MemoryLedger.Row {
  fileprivate var json: JSON {
    var kind = "program"
    var job = job
    switch self.kind {
    case .browser: kind = "browser"
    case .job(let mark, _):
      kind = "job"
      job = mark
    case .program: break
    }
    return .fields([
      "kind": .string(kind),
      "name": .string(shownName),
      "user": .string(shownUser),
      "uid": .integer(Int64(user)),
      "pid": .integer(Int64(first.pid)),
      "processes": .number(processes),
      "real": .bytes(total),
      "swapped": .bytes(swap),
      "rss": .bytes(resident),
      "estimated": .bool(isEstimated),
      "job": .text(job.map { escaped($0) }),
      "renderers": renderers.isEmpty
        ? nil : .array(renderers.map { .fields(["age_s": .seconds($0.age), "idle_s": .seconds($0.idle)]) }),
    ])
  }
}

extension JSON {
  fileprivate static func bytes(_ count: UInt64?) -> JSON? { count.map { .integer(Int64(clamping: $0)) } }
}
