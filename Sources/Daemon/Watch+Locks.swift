internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

extension Watch {
  /// Looks at every lock that was noted, and carries out what the rule makes of it.
  func lookAtLocks(at now: Moment) {
    while let id = intake.locks.popDirty() {
      look(at: id, holders: false, now)
      obeyLocks(at: now)
    }
    lockRule.handle(.woke, at: now.instant, into: &lockActions)
    obeyLocks(at: now)
  }

  private func look(at id: LockID, holders: Bool, _ now: Moment) {
    statusFile.isDirty = true
    guard let path = intake.locks.path(of: id),
      let look = lockSensor.look(at: path, holders: holders, clock: intake.clock, processes: &processes)
    else {
      looks[id] = nil
      lockRule.handle(.absent(id), at: now.instant, into: &lockActions)
      if intake.locks.count > 4096 { intake.locks.forget(id) }
      return
    }
    looks[id] = look
    lockRule.handle(.seen(id, look.sighting), at: now.instant, into: &lockActions)
  }

  private func obeyLocks(at now: Moment) {
    while !lockActions.isEmpty {
      switch lockActions.removeFirst() {
      case .examine(let id): look(at: id, holders: true, now)
      case .follow(let process): follow(process, at: now)
      case .reap(let id, let sighting, let rung): reap(id, sighting, because: rung, at: now)
      case .report(let id, let sighting, let rung): report(id, sighting, because: rung, at: now)
      }
    }
  }

  private var lockMode: Mode { settings.locks.mode.capped(by: settings.pipeline.mode) }

  private func reap(_ id: LockID, _ sighting: LockSighting, because rung: LockRule.Rung, at now: Moment) {
    guard let path = intake.locks.path(of: id), let judged = looks[id] else { return }
    let (parent, name) = path.split
    if lockMode != .on {
      let line = LockLine(path, judged, rung, age: age(of: id, judged, at: now))
      journal.line("locks", "would-reap", say: "would have reaped \(line.words)", in: state.directory) { line.put(in: &$0) }
      log.say(.notice, "observe: would have reaped \(line.words)")
      lockRule.handle(.settled(id), at: now.instant, into: &lockActions)
      return
    }
    guard let directory = try? lockSensor.slash.directory(parent == Path(".") ? .empty : parent) else {
      lockRule.handle(.absent(id), at: now.instant, into: &lockActions)
      return
    }
    let outcome: LockReaper.Outcome
    switch reaper.capture(name, in: directory, judged: judged) {
    case .ended(let ended): outcome = ended
    case .captured(let captured):
      if isHeld(captured.status) {
        outcome = reaper.putBack(captured, as: name, in: directory, because: "a process holds it")
      } else {
        let line = LockLine(path, judged, rung, age: age(of: id, judged, at: now), captured: captured)
        let written = journal.line("locks", "reaped", say: "reaped \(line.words)", in: state.directory) { line.put(in: &$0) }
        // Without its line nobody could ever put it back.
        outcome =
          written == nil
          ? reaper.putBack(captured, as: name, in: directory, because: "the journal cannot be written")
          : reaper.remove(captured, as: name, in: directory)
        if outcome == .reaped, let written {
          log.say(.notice, "reaped \(line.words); to put it back: \(operatorCommand("undo \(written)"))")
        }
      }
    }
    conclude(id, path, outcome, at: now)
    recordClock(at: now)
  }

  private func isHeld(_ status: FileStatus) -> Bool {
    processes.lockHolders(of: status) != .none || processes.openers(of: status.identity) != .none
  }

  private func conclude(_ id: LockID, _ path: Path, _ outcome: LockReaper.Outcome, at now: Moment) {
    statusFile.isDirty = true
    switch outcome {
    case .reaped:
      lockRule.handle(.absent(id), at: now.instant, into: &lockActions)
      looks[id] = nil
    case .spared(let why):
      journal.line("locks", "spared", say: "left /\(escaped(path.bytes)) alone: \(why)", in: state.directory) {
        $0.field("path", escaping: [UInt8(ascii: "/")] + path.bytes)
      }
      lockRule.handle(.spared(id), at: now.instant, into: &lockActions)
    case .refused(let why):
      let say = "cannot reap /\(escaped(path.bytes)): \(why)"
      journal.line("locks", "refused", say: say, in: state.directory) {
        $0.field("path", escaping: [UInt8(ascii: "/")] + path.bytes)
      }
      if said.insert("refused \(why)").inserted { log.say(.warning, say) }
      lockRule.handle(.settled(id), at: now.instant, into: &lockActions)
    }
  }

  /// The age that was judged: the look may be as old as the lock.
  private func age(of id: LockID, _ look: LockLook, at now: Moment) -> TimeSpan {
    lockRule.judge(id, at: now.instant)?.age ?? look.sighting.age
  }

  private func report(_ id: LockID, _ sighting: LockSighting, because rung: LockRule.Rung, at now: Moment) {
    guard let path = intake.locks.path(of: id), let look = looks[id] else { return }
    let line = LockLine(path, look, rung, age: age(of: id, look, at: now), holders: holderNames(sighting))
    journal.line("locks", "kept", say: "kept \(line.words)", in: state.directory) { line.put(in: &$0) }
    log.say(.warning, "kept \(line.words)")
    statusFile.isDirty = true
  }

  /// The people's names for whoever keeps a lock.
  private func holderNames(_ sighting: LockSighting) -> [String] {
    var found: [ProcessIdentity] = []
    if case .alive(let owner) = sighting.owner { found.append(owner) }
    for holders in [sighting.lockedBy, sighting.openedBy] {
      guard case .some(.some(let processes)) = holders else { continue }
      for process in processes where !found.contains(process) { found.append(process) }
    }
    return found.map { "\(self.processes.name(of: $0.pid)) (pid \($0.pid))" }
  }

  // MARK: processes

  func follow(_ process: ProcessIdentity, at now: Moment) {
    guard !followed.values.contains(where: { $0.process == process }) else { return }
    do throws(Errno) {
      let handle = try ProcessHandle(pid: process.pid)
      // The number may have been given away before the handle was opened, and not after.
      guard processes.living(process.pid) == process else { throw .noProcess }
      try sources.epoll.add(handle.descriptor, key: nextKey)
      followed[nextKey] = Followed(process, handle)
      nextKey += 1
    } catch {
      if error == .noProcess {
        tellOfEnd(of: process, at: now)
      } else if said.insert("follow").inserted {
        log.say(.warning, "pid \(process.pid) cannot be followed (\(error)); its end is noticed late, or not at all")
      }
    }
  }

  /// The process behind a key has ended.
  func ended(_ key: UInt64, at now: Moment) {
    guard let process = followed.removeValue(forKey: key)?.process else { return }
    tellOfEnd(of: process, at: now)
    obeyLocks(at: now)
  }

  private func tellOfEnd(of process: ProcessIdentity, at now: Moment) {
    lockRule.handle(.ended(process), at: now.instant, into: &lockActions)
    gateEnded(process, at: now)
    stir(at: now)
  }
}

/// What a lock's journal line holds.
struct LockLine {
  let path: [UInt8]
  let look: LockLook
  let rung: LockRule.Rung
  let age: TimeSpan
  let captured: LockReaper.Captured?
  let holders: [String]

  init(
    _ path: Path, _ look: LockLook, _ rung: LockRule.Rung, age: TimeSpan, captured: LockReaper.Captured? = nil,
    holders: [String] = []
  ) {
    self.path = [UInt8(ascii: "/")] + path.bytes
    self.look = look
    self.rung = rung
    self.age = age
    self.captured = captured
    self.holders = holders
  }

  var words: String {
    var text = "\(escaped(path)): \(rung.rawValue), age \(age.text(parts: 2))"
    if let why = look.sighting.unreapable { text += ", \(why.rawValue)" }
    if !holders.isEmpty { text += ", held by \(holders.joined(separator: ", "))" }
    return text
  }

  func put(in writer: inout JSONWriter) {
    let status = captured?.status ?? look.status
    writer.field("path", escaping: path)
    writer.field("rung", rung.rawValue)
    writer.field("age_s", age.seconds)
    writer.field("kind", status.kind.word)
    writer.field("device", status.identity.device)
    writer.field("inode", status.identity.inode)
    if let owner = look.owner {
      writer.beginObject("owner")
      writer.field("pid", owner.pid)
      writer.field("format", owner.format.rawValue)
      if let host = owner.host { writer.field("host", host) }
      if let start = owner.startTicks { writer.field("start_ticks", start) }
      writer.endObject()
    }
    writer.field("owner_is", look.sighting.owner.word)
    if !holders.isEmpty {
      writer.beginArray("held_by")
      for holder in holders { writer.string(holder) }
      writer.endArray()
    }
    guard let captured else { return }
    writer.field("mode", Int64(status.mode))
    writer.field("uid", Int64(status.owner))
    writer.field("gid", Int64(status.group))
    writer.field("mtime_ns", status.modified.nanoseconds)
    writer.field("atime_ns", status.accessed.nanoseconds)
    if let content = captured.content { writer.field("content", escaping: content) }
  }
}

extension FileStatus.Kind {
  var word: String {
    switch self {
    case .file: "file"
    case .directory: "directory"
    case .symlink: "symlink"
    case .other: "other"
    }
  }
}

extension LockSighting.Owner {
  var word: String {
    switch self {
    case .unnamed: "not named"
    case .alive: "alive"
    case .gone(recycled: true): "gone, its pid is another process's now"
    case .gone(recycled: false): "gone"
    case .unknowable: "not to be known from here"
    }
  }
}
