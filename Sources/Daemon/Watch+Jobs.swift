internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

extension Watch {
  var jobMode: Mode { settings.jobs.mode.capped(by: settings.pipeline.mode) }

  /// Where the gate leaves its notes; made before anybody looks for it.
  func openJobs() {
    jobRule.policy = JobRule.Policy(
      failures: settings.jobs.failures, runs: settings.jobs.runs, maxDuration: settings.jobs.maxDuration)
    guard jobMode != .off else { return }
    do throws(Errno) {
      do throws(Errno) { try state.run.makeDirectory(JobDesk.directoryName, mode: 0o700) } catch {
        if error != .exists { throw error }
      }
      try state.run.setMode(ofDirectory: JobDesk.directoryName, to: JobDesk.directoryMode)
    } catch {
      let place = escaped(state.places.run.appending(JobDesk.directoryName).bytes)
      log.say(.warning, "\(place) cannot be made: \(error); what cron's jobs do is not known")
    }
  }

  func lookAtJobs(at now: Moment) {
    guard jobMode != .off else { return }
    if let before = jobs.closedAt {
      if before != closedAt { tellJobs(.resumed, at: now) }
    } else {
      // What was noted while nobody watched counts, but for what a resume forgave.
      jobRule.countsSince = now.instant - max(.zero, now.wall - closedAt)
    }
    jobs.closedAt = closedAt
    if intake.notesAreDirty { readNotes(at: now) }
    if let deadline = jobRule.deadline, deadline <= now.instant { tellJobs(.woke, at: now) }
  }

  /// The ids of alerts about jobs end in what they are about.
  func adoptJobIncidents() {
    for incident in spool.firing(.job) {
      let parts = incident.id.split(separator: "-", maxSplits: 2)
      guard parts.count == 3, parts[2].hasPrefix("job-") else { continue }
      jobs.incidents["-\(parts[2])"] = incident.id
    }
  }

  // MARK: notes

  private func readNotes(at now: Moment) {
    takeNotes(at: now)
    // Who is gone may have left its note since the directory was listed.
    guard !jobs.gone.isEmpty else { return }
    let gone = jobs.gone
    jobs.gone.removeAll()
    takeNotes(at: now)
    for gate in gone { endedWithoutNote(gate, at: now) }
    // Whoever keeps writing notes does not keep the watch.
    intake.notesAreDirty = !jobs.gone.isEmpty
  }

  private func takeNotes(at now: Moment) {
    intake.notesAreDirty = false
    guard let directory = try? state.run.directory(JobDesk.directoryName), let names = try? directory.namesInOrder() else {
      return
    }
    var ends: [(note: JobNote.End, owner: UInt32, name: Path)] = []
    for name in names where name.bytes.first == UInt8(ascii: ".") { removeTorn(name, in: directory, at: now) }
    for name in names where name.bytes.first != UInt8(ascii: ".") {
      guard let status = try? directory.status(of: name), status.kind == .file, status.size <= JobNote.sizeLimit,
        let note = directory.contents(of: name).flatMap({ JobNote($0) }), name == Path(note.name)
      else {
        // Nobody of ours writes such a file, and it would be read again and again.
        try? directory.unlink(name)
        continue
      }
      switch note {
      case .started(let start): began(start, status.owner, at: now)
      case .ended(let end): ends.append((end, status.owner, name))
      }
    }
    for (end, owner, name) in ends {
      // Nobody ends another's job.
      if jobs.running[end.gate]?.key.user == owner {
        if let run = jobs.ended(end.gate) { ended(run, end, at: now) }
        try? directory.unlink(Path("\(end.gate.pid)-\(end.gate.startTicks).start"))
      }
      try? directory.unlink(name)
    }
  }

  /// What a gate that died in the midst of a note left of it.
  private func removeTorn(_ name: Path, in directory: borrowing Directory, at now: Moment) {
    guard name.bytes.starts(with: JobNote.hiddenPrefix.utf8), let status = try? directory.status(of: name),
      now.wall - status.modified > .seconds(60)
    else { return }
    try? directory.unlink(name)
  }

  private func began(_ start: JobNote.Start, _ user: UInt32, at now: Moment) {
    guard jobs.running[start.gate] == nil else { return }
    let key = JobDesk.Key(user: user, command: start.command)
    let job = jobs.job(key, remembering: { jobRule.remembers($0) })
    guard jobs.began(.init(key: key, job: job, mark: start.mark), start.gate) else { return }
    // By the kernel's clock where it still lives: the note's is anybody's.
    let isLiving = processes.living(start.gate.pid) == start.gate && processes.user(of: start.gate.pid) == user
    let age = isLiving ? processes.age(start.gate) : .zero
    tellJobs(.started(job, start.gate, at: now.instant - max(.zero, age)), at: now)
    statusFile.isDirty = true
    if isLiving { follow(start.gate, at: now) } else { jobs.gone.append(start.gate) }
  }

  private func ended(_ run: JobDesk.Run, _ end: JobNote.End, at now: Moment) {
    let outcome: JobRule.Outcome
    switch end.outcome {
    case .exited(let code): outcome = .exited(code: code)
    case .killed(let signal): outcome = .killed(signal: signal)
    }
    jobs.left(end.left, by: run.key)
    tellJobs(.ended(run.job, end.gate, outcome), at: now)
    statusFile.isDirty = true
    guard outcome == .exited(code: 0) else { return }
    // One that an earlier run told of: the rule has counted from its own start.
    over(Self.ending(run.key, "failures"), "\(run.key.text) ended well again")
  }

  /// A process that was followed has ended: a gate among them leaves its note before it does.
  func gateEnded(_ process: ProcessIdentity, at now: Moment) {
    guard jobs.running[process] != nil else { return }
    // Read at the end of this round, and not from here: this may be in the midst of reading.
    jobs.gone.append(process)
    intake.notesAreDirty = true
  }

  private func endedWithoutNote(_ process: ProcessIdentity, at now: Moment) {
    guard let run = jobs.ended(process) else { return }
    if let directory = try? state.run.directory(JobDesk.directoryName) {
      try? directory.unlink(Path("\(process.pid)-\(process.startTicks).start"))
    }
    tellJobs(.ended(run.job, process, .unknown), at: now)
    statusFile.isDirty = true
  }

  /// After the first look at the notes: what an earlier run told of, and what the rule, which counts from its
  /// own start, will not tell the end of.
  func endStaleJobIncidents() {
    let running = Set(jobs.running.keys.map { "-too-long-\($0.pid)" })
    for ending in jobs.incidents.keys.sorted() {
      if ending.hasSuffix("-runs") { over(ending, "midwatchd was started anew; starts count from here") }
      if isOfRun(ending), !running.contains(where: { ending.hasSuffix($0) }) { over(ending, "the run has ended") }
    }
  }

  /// `-job-HASH-too-long-PID`.
  private func isOfRun(_ ending: String) -> Bool { ending.split(separator: "-").dropFirst(2).starts(with: ["too", "long"]) }

  // MARK: troubles

  private func tellJobs(_ observation: JobRule.Observation, at now: Moment) {
    var actions: [JobRule.Action] = []
    jobRule.handle(observation, at: now.instant, into: &actions)
    for action in actions {
      statusFile.isDirty = true
      switch action {
      case .began(let trouble): began(trouble, at: now)
      case .ended(let trouble): ended(trouble)
      }
    }
  }

  private func began(_ trouble: JobRule.Trouble, at now: Moment) {
    guard let key = jobs.key(of: trouble.job) else { return }
    let words = TroubleWords(trouble, key, at: now)
    let ending = Self.ending(key, TroubleWords.topic(of: trouble.cause))
    // Told of before a restart.
    guard jobs.incidents[ending] == nil else { return }
    guard halt == .none else {
      // What is stopped neither ends nor fails by itself; the halt is what is told of.
      journal.line("jobs", words.kind, say: "while halted: \(words.summary)", in: state.directory) {
        $0.field("command", escaping: key.command)
      }
      return
    }
    let incident = Incident(
      id: Incident.id(at: now.wall, unsafe Hash.of(key.command.span.bytes)) + ending, kind: .job, severity: .warning,
      pipeline: settings.pipeline.name, agent: agent(of: key), since: now.wall, summary: words.summary, cause: [words.summary],
      stopped: [], type: "\(operatorCommand("log --rule jobs"))   (to stop everything: \(operatorCommand("halt")))")
    let halts = settings.jobs.then == .halt && jobMode == .on
    journal.line("jobs", jobMode == .on ? words.kind : "would-alert", say: words.summary, in: state.directory) {
      $0.field("command", escaping: key.command)
      $0.field("uid", UInt64(key.user))
      $0.field("halts", halts)
    }
    if halts {
      let agent = incident.agent.flatMap { unescaped($0) }.map { tree.agent(named: $0) }
      halt(for: incident, against: agent, rule: "jobs", at: now) {
        $0.field("command", escaping: key.command)
      }
      // The breaker stands open like after a trip of its own.
      intake.tell(.haltStands(mine: true), at: now.instant)
    } else {
      jobs.incidents[ending] = incident.id
      fire(incident, mode: jobMode)
    }
  }

  private func ended(_ trouble: JobRule.Trouble) {
    guard let key = jobs.key(of: trouble.job) else { return }
    let kind = TroubleWords.kind(of: trouble.cause)
    let say = "\(key.text) is well again (\(TroubleWords.over(trouble.cause)))"
    journal.line("jobs", "\(kind)-over", say: say, in: state.directory) { $0.field("command", escaping: key.command) }
    over(Self.ending(key, TroubleWords.topic(of: trouble.cause)), say)
  }

  private func over(_ ending: String, _ say: String) {
    guard let id = jobs.incidents.removeValue(forKey: ending) else { return }
    end(id, say)
  }

  private static func ending(_ key: JobDesk.Key, _ kind: String) -> String { "-job-\(key.hash)-\(kind)" }

  /// The first agent whose section knows the command, escaped.
  func agent(of key: JobDesk.Key) -> String? {
    settings.agents.first { agent in agent.match.contains { unsafe $0.matches(key.command.span.bytes) } }
      .map { escaped($0.name) }
  }
}

/// What is wrong with a job, in words.
struct TroubleWords {
  let kind: String
  let summary: String

  init(_ trouble: JobRule.Trouble, _ key: JobDesk.Key, at now: Moment) {
    kind = Self.kind(of: trouble.cause)
    let job = "the job '\(key.text)' of \(escaped(Array(UserName.of(uid: key.user).utf8)))"
    switch trouble.cause {
    case .failures(let count, let last, let since):
      let first = now.wall - (now.instant - since)
      summary = "\(job) failed \(count) times in a row, since \(Self.text(first)), the last time by \(Self.text(last))"
    case .runs(let limit, let count):
      summary = "\(job) was started \(count) times within \(limit.span.text) (limit \(limit.count))"
    case .tooLong(let run, let limit, let duration):
      summary = "\(job) runs for \(TimeSpan.seconds(duration.seconds).text) (limit \(limit.text)), behind pid \(run.pid)"
    }
  }

  static func kind(of cause: JobRule.Trouble.Cause) -> String {
    switch cause {
    case .failures: "failures"
    case .runs: "runs"
    case .tooLong: "too-long"
    }
  }

  /// What there is one alert of at a time: two runs can be too long.
  static func topic(of cause: JobRule.Trouble.Cause) -> String {
    if case .tooLong(let run, _, _) = cause { return "too-long-\(run.pid)" }
    return kind(of: cause)
  }

  static func over(_ cause: JobRule.Trouble.Cause) -> String {
    switch cause {
    case .failures: "it succeeded, or counting began anew"
    case .runs(let limit, _): "no more than \(limit.count) starts within \(limit.span.text)"
    case .tooLong: "the run has ended"
    }
  }

  private static func text(_ time: WallTime) -> String {
    let stamp = time.timestamp
    return "\(stamp.prefix(10)) \(stamp.dropFirst(11).prefix(8)) UTC"
  }

  private static func text(_ outcome: JobRule.Outcome) -> String {
    switch outcome {
    case .exited(let code): "exit \(code)"
    case .killed(let signal): "signal \(Signal(rawValue: signal).name)"
    case .unknown: "an unknown end"
    }
  }
}
