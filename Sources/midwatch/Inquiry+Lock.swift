import Configuration
import Daemon
import Formats
import Kernel
import Rules

/// What becomes of a lock. The ladder itself is `LockRule`'s: a fresh one is told what is seen now.
extension Inquiry {
  func lock(_ path: Path, _ concern: Concern) -> Explanation {
    var explanation = Explanation(escaped(path.bytes))
    addRule(concern, "a lock", site.settings.locks.mode, to: &explanation)
    do throws(Errno) {
      if let look = try Look(path, site, policy, isIgnored: concern.ignoredBy != nil) {
        add(look, path, to: &explanation)
      } else {
        explanation.add("now", "nothing bears that name now", "exists", .bool(false))
      }
    } catch { explanation.add("now", "it cannot be looked at: \(error); type: sudo \(site.typed("why ..."))", "error") }
    addWatch(to: &explanation)
    take(journal(about: path), into: &explanation)
    let undoable = explanation.journal.first { $0.canBeUndone && !explanation.undone.contains($0.sequence) }
    if let undoable, !explanation.facts.contains(where: { $0.key == "kind" }) {
      explanation.types = [site.typed("undo \(undoable.sequence)")]
    }
    return explanation
  }

  /// As the running watch goes by.
  private var policy: LockRule.Policy {
    var policy = site.settings.locks.policy
    if let running = snapshot?.lockStaleAfter { policy.staleAfter = running }
    return policy
  }

  private func add(_ look: Look, _ path: Path, to explanation: inout Explanation) {
    let sighting = look.seen.sighting
    let content = look.seen.owner.map { ", written as \($0.format.rawValue)" } ?? ""
    let age = look.judgement.age
    explanation.add("so", fate(look, path), "verdict")
    explanation.add(
      "now", "\(look.kind), \(spoken(age)) old (written \(sighting.modified.spoken(at: now)))\(content)", "kind",
      .string(look.seen.status.kind.name))
    explanation.note("age_s", .integer(age.seconds))
    explanation.note("modified", .string(sighting.modified.timestamp))
    explanation.add("owner", look.owner, "owner")
    explanation.note("pid", look.seen.owner.map { .integer(Int64($0.pid)) } ?? .null)
    explanation.add("held by", look.names(sighting.lockedBy, none: "no kernel lock is on it"), "locked_by")
    explanation.add("open in", look.names(sighting.openedBy, none: "no process"), "open_in")
    explanation.ladder = look.rungs(policy)
    explanation.note("rung", .string(look.judgement.rung.rawValue))
  }

  /// What becomes of it and when.
  private func fate(_ look: Look, _ path: Path) -> String {
    let judgement = look.judgement
    let mode = site.settings.locks.mode
    if mode == .off { return "nothing: [locks] mode = off" }
    let would = mode == .observe ? "would be " : ""
    switch judgement.rung {
    case .ignored: return "never reaped: it is ignored"
    case .kernelHeld: return "kept for as long as the kernel lock is on it, however old"
    case .ownerLives: return "kept for as long as its owner lives, however old"
    case .open: return "kept for as long as a process has it open, however old"
    case .ownerGone, .earlierBoot, .age: break
    }
    if case .unknown = holder {
      return
        "midwatchd decides, who is another user and sees more: sudo \(site.typed("why \(shellQuoted(path.bytes))"))"
    }
    if let why = look.seen.sighting.unreapable { return "never reaped: it is \(why.rawValue)" }
    if judgement.verdict == .kept { return "kept: the kernel does not let us see who holds it" }
    // The watch has known it for longer: it saw its owner alive, and when that one died.
    let known = snapshot?.locks.first { $0.path == escaped(path.bytes) }
    if let known, known.verdict == .settled { return "left as it is: the watch has dealt with it (\(known.rung))" }
    if let known, known.verdict == .waiting, let due = known.due {
      return "\(would)reaped in \(spoken(due)), at \((now + due).spoken(at: now)): \(known.rung)"
    }
    guard judgement.verdict == .waiting, let due = judgement.due else {
      return holder == .nobody ? "\(would)reaped as soon as a midwatchd runs" : "\(would)reaped now"
    }
    let left = due - look.instant
    return "\(would)reaped in \(spoken(left)), at \((now + left).spoken(at: now)), if nobody holds it then"
  }
}

extension FileStatus.Kind {
  fileprivate var name: String {
    switch self {
    case .file: "file"
    case .directory: "directory"
    case .symlink: "symlink"
    case .other: "other"
    }
  }
}

/// One look at a lock with everything that the ladder asks for.
final class Look {
  let seen: LockLook
  let judgement: LockRule.Judgement
  let instant: Instant
  private var processes: Processes

  /// - Returns: nil where nothing bears that name.
  init?(_ path: Path, _ site: Site, _ policy: LockRule.Policy, isIgnored: Bool) throws(Errno) {
    var processes = try Processes()
    var sensor = try LockSensor()
    let now = Clock.now()
    var clock = WallClock(at: now, record: nil)
    if let state = try? Directory(site.places.state) {
      sensor.readUndone(in: state)
      clock = WallClock(at: now, record: ClockRecord.read(in: state, boot: processes.bootID))
    }
    let below = Path(bytes: Array(path.bytes.dropFirst())) ?? .empty
    guard var seen = sensor.look(at: below, holders: true, clock: clock, processes: &processes) else { return nil }
    seen.sighting.ignored = isIgnored
    self.seen = seen
    var rule = LockRule(policy: policy)
    var actions: [LockRule.Action] = []
    let id = LockID(index: 0)
    rule.handle(.seen(id, seen.sighting), at: now.instant, into: &actions)
    guard let judgement = rule.judge(id, at: now.instant) else { return nil }
    self.judgement = judgement
    instant = now.instant
    self.processes = processes
  }

  var kind: String {
    switch seen.sighting.kind {
    case .file: seen.status.size == 0 ? "an empty file" : "a file of \(seen.status.size) bytes"
    case .directory: "a directory"
    case .symlink: "a symlink"
    case .other: "a special file"
    }
  }

  var owner: String {
    guard let owner = seen.owner else { return "it names nobody" }
    let host = owner.host.map { " on \(escaped(Array($0.utf8)))" } ?? ""
    let pid = "pid \(owner.pid)\(host)"
    return switch seen.sighting.owner {
    case .alive(let process): "\(pid), which lives: \(named(process))"
    case .gone(recycled: false): "\(pid), which is gone"
    case .gone(recycled: true):
      "\(pid), which is gone; the number is another process's now (\(processes.name(of: owner.pid)))"
    case .unknowable, .unnamed: "\(pid); whether it lives cannot be known from here"
    }
  }

  private func named(_ process: ProcessIdentity) -> String {
    let name = processes.name(of: process.pid)
    return "\(name.isEmpty ? "a process that has ended" : name) (pid \(process.pid))"
  }

  func names(_ holders: LockSighting.Holders?, none: String) -> String {
    switch holders {
    case nil: "not asked"
    case .some(.none): none
    case .some(.unknown): "the kernel does not let us see"
    case .some(.some(let processes)):
      processes.isEmpty ? "somebody whom the kernel does not name" : processes.map { named($0) }.joined(separator: ", ")
    }
  }

  /// What was seen on each rung; which one it stands on is the rule's word.
  func rungs(_ policy: LockRule.Policy) -> [Explanation.Rung] {
    let sighting = seen.sighting
    func rung(_ rung: LockRule.Rung, _ answer: String) -> Explanation.Rung {
      .init(name: rung.rawValue, answer: answer, isIt: rung == judgement.rung)
    }
    let lives: String
    let gone: String
    switch sighting.owner {
    case .unnamed: (lives, gone) = ("no: it names nobody", "no: it names nobody")
    case .alive(let process): (lives, gone) = ("yes: \(named(process))", "no")
    case .unknowable: (lives, gone) = ("not to be known from here", "not to be known from here")
    case .gone:
      lives = "no"
      gone =
        sighting.writerIsHolder
        ? "yes, and its writer is its holder: \(policy.deadOwnerGrace.text) after the death"
        : "gone, but a bare pid may be a passing shell's: only if midwatchd saw it live 10s"
    }
    return [
      rung(.ignored, sighting.ignored ? "yes" : "no"), rung(.kernelHeld, yes(sighting.lockedBy)),
      rung(.ownerLives, lives),
      rung(.ownerGone, gone), rung(.open, yes(sighting.openedBy)),
      rung(.earlierBoot, sighting.earlierBoot ? "yes" : "no"),
      rung(
        .age,
        "\(judgement.age >= policy.staleAfter ? "yes" : "not yet"): \(spoken(judgement.age)) of \(policy.staleAfter.text)"
      ),
    ]
  }

  private func yes(_ holders: LockSighting.Holders?) -> String {
    if case .some(.some) = holders { return "yes: \(names(holders, none: ""))" }
    return holders == LockSighting.Holders.none ? "no" : "not to be known"
  }
}
