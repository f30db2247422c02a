import Configuration
import Daemon
import Formats
import Kernel
import ProcessTable
import Rules

extension Inquiry {
  /// A number that is a process's.
  func knownProcess() -> Int32? {
    guard let pid = Int32(word), pid > 0, let processes = try? Processes(), processes.stat(pid) != nil else { return nil }
    return pid
  }

  func process(_ pid: Int32) -> Explanation {
    var explanation = Explanation("pid \(pid)")
    guard let inspection = try? Inspection(of: pid, site.settings, root: site.resolvedRoot) else {
      explanation.isOfConcern = false
      explanation.add("rule", "none: it ended just now", "rule", .null)
      return explanation
    }
    explanation.add("is", inspection.description, "is")
    explanation.add("started by", inspection.parents, "parents")
    explanation.add("belongs to", inspection.owner, "owner")
    add(inspection, to: &explanation)
    addWatch(to: &explanation)
    take(journal { $0.json["pid"]?.integer == Int64(pid) && $0.rule == "leaks" }, into: &explanation)
    return explanation
  }

  private func add(_ inspection: Inspection, to explanation: inout Explanation) {
    let mode = site.settings.leaks.mode.capped(by: site.settings.pipeline.mode)
    switch inspection.verdict {
    case .leaked(let kind, _):
      let treatment = inspection.treatment(of: kind)
      explanation.add(
        "rule", "leaks: \(kind.rawValue) = \(treatment.rawValue)\(mode == .on ? "" : " (\(mode.rawValue))")", "rule",
        .string(kind.rawValue))
      explanation.add("now", "leaked: \(inspection.proof)", "verdict", .string("leaked"))
      explanation.add("then", fate(of: inspection, treatment, mode), "fate")
      explanation.types = ["kill \(inspection.process.identity.pid)   # to end it yourself"]
    case .kept(.notOurs):
      explanation.isOfConcern = false
      explanation.add("rule", "none: midwatch never signals it, whatever it does", "rule", .null)
    case .kept(let reason):
      explanation.add("rule", "leaks\(mode == .on ? "" : " (\(mode.rawValue))")", "rule", .string("leaks"))
      explanation.add("now", "kept: \(inspection.words(for: reason))", "verdict", .string("kept"))
    case .open:
      explanation.add("rule", "leaks", "rule", .string("leaks"))
      explanation.add(
        "now", "kept: not all that would prove a leak can be seen from here\(Own.uid == 0 ? "" : "; ask as root")", "verdict",
        .string("kept"))
    }
  }

  /// When it would be killed, and why not yet.
  private func fate(of inspection: Inspection, _ treatment: LeakRule.Policy.Treatment, _ mode: Mode) -> String {
    if treatment == .report || mode == .observe { return "told of, and never killed" }
    if mode == .off { return "nothing: leaks are off" }
    let suspect = snapshot?.suspects.first { $0.process == inspection.process.identity }
    guard let suspect else { return "nothing yet: midwatchd has not found it so; that takes two looks" }
    guard let due = suspect.due else { return "killed only while memory is above [memory] act" }
    return "found so for \(suspect.found.text(parts: 2)); killed in \(due.text(parts: 2)) if it is found so again"
  }
}
