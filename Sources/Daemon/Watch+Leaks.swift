internal import Configuration
internal import Formats
internal import Kernel
internal import ProcessTable
internal import Rules

extension Watch {
  var leakMode: Mode { settings.leaks.mode.capped(by: settings.pipeline.mode) }

  /// When the next pass over /proc, or the next step of a killing, is due.
  var leaksDue: Instant? {
    guard leakMode != .off else { return nil }
    return executions.map(\.due).reduce(leakRule.nextPass, min)
  }

  func applyLeakPolicy() {
    leakRule.policy = settings.leaks.policy
    leakRule.policy.users = settings.leaks.owners(root: Self.resolved(root))
    if leakMode != .on { stopExecutions(at: Clock.now()) }
    guard leakMode != .off else {
      browserPrograms = nil
      return
    }
    guard browserPrograms == nil else { return }
    do throws(Errno) {
      let programs = try BrowserPrograms()
      try programs.inotify.register(with: sources.epoll, key: EventSources.Key.browsers)
      browserPrograms = consume programs
    } catch {
      log.say(
        .notice,
        "no inotify instance is left for browsers' programs: a new browser is noticed within \(settings.leaks.policy.scan.text)"
      )
    }
  }

  private func findBrowserPrograms() {
    let homes = leakRule.policy.users.sorted().compactMap { HomeDirectory.of(uid: $0) }
    browserPrograms?.find(settings.leaks.browsers, homes: homes)
  }

  /// For the first screen.
  var leakUsers: String {
    settings.leaks.owners(root: Self.resolved(root)).sorted().map { escaped(Array(UserName.of(uid: $0).utf8)) }.joined(
      separator: ", ")
  }

  /// A browser may have been started, or has ended.
  func stir(at now: Moment) {
    tellLeaks(.stirred, at: now)
  }

  func lookForLeaks(at now: Moment) {
    guard leakMode != .off else { return }
    advanceExecutions(at: now)
    guard leakRule.nextPass <= now.instant else { return }
    findBrowserPrograms()
    var scan = ProcessScan()
    do throws(Errno) {
      // Made anew for each pass, so that nothing is kept for the hours in which no browser lives.
      var scanner = try ProcessScanner(executables: settings.leaks.programs, helpers: settings.leaks.helpers)
      scan = try scanner.scan()
    } catch {
      // As if nobody were there: nothing is leaked, and whoever was found so before is found anew.
      if said.insert("scan").inserted { log.say(.warning, "/proc cannot be read: \(error); no leak is looked for") }
    }
    judge(scan, at: now)
    lookForLeftovers(scan, at: now)
    hasDoneMuch = true
    tellMemory(.watched(leakRule.hasBrowsers), at: now)
  }

  private func judge(_ scan: ProcessScan, at now: Moment) {
    var actions: [LeakRule.Action] = []
    leakRule.handle(.scanned(scan), at: now.instant, into: &actions)
    while !actions.isEmpty {
      switch actions.removeFirst() {
      case .examine(let processes):
        leakRule.handle(.examined(evidence(on: processes)), at: now.instant, into: &actions)
      case .follow(let process): follow(process, at: now)
      case .kill(let leak): kill(leak, scan, at: now)
      case .report(let leak): tell(of: leak, scan, "reported", "leaked, and only reported")
      }
    }
    statusFile.isDirty = statusFile.isDirty || leakRule.hasBrowsers
  }

  private func evidence(on processes: [ProcessIdentity]) -> [ProcessIdentity: LeakEvidence] {
    guard var witness = try? LeakWitness() else { return [:] }
    // Whom we stopped ourselves is no leak, whatever became of its driver.
    return witness.evidence(by: processes.filter { !pauser.paused.contains($0) }, allow: settings.leaks.allow)
  }

  /// With a pass that is made anyway, and no more often than where no browser lives.
  private func lookForLeftovers(_ scan: ProcessScan, at now: Moment) {
    guard settings.leaks.leftovers != .off, leftoversDue <= now.instant else { return }
    leftoversDue = now.instant + settings.leaks.policy.scan
    let directory = environment("TMPDIR").flatMap { Path(bytes: Array($0.utf8)) } ?? Path("/tmp")
    let profiles = Set(scan.browsers.values.compactMap(\.profile))
    let found = LeftoverSensor.look(in: directory, profiles: profiles, processes)
    let news = Set(leftoverRule.leftovers(among: found.map(\.sighting), of: leakRule.policy.users).map(\.directory))
    for leftover in found where news.contains(leftover.sighting.directory) {
      let path = escaped(leftover.path.bytes)
      let say =
        "\(path) is left of a browser that is gone, for \(leftover.sighting.age.text(parts: 1)); to remove it: rm -r \(path)"
      journal.line("leaks", "leftover", say: say, in: state.directory) {
        $0.field("path", escaping: leftover.path.bytes)
        $0.field("age_s", leftover.sighting.age.seconds)
      }
      if news.count == 1 { log.say(.info, say) }
    }
    guard news.count > 1 else { return }
    log.say(
      .info,
      "\(news.count) directories in \(escaped(directory.bytes)) are left of browsers that are gone; for their names: \(operatorCommand("log --rule leaks"))"
    )
  }

  // MARK: killing

  private func kill(_ leak: LeakRule.Leak, _ scan: ProcessScan, at now: Moment) {
    guard leakMode == .on else {
      tell(of: leak, scan, "would-kill", "observe: would have been killed")
      return tellLeaks(.left(leak.root), at: now)
    }
    let faces = faces(of: leak, scan)
    let line = line(of: leak, scan)
    let kept = Set(scan[Own.pid].map { scan.ancestors(of: $0) } ?? [])
    let execution = Execution(
      leak, line, faces, isStopped: scan[leak.root.pid]?.state == .stopped, keeping: kept, at: now.instant,
      reading: { processes.face(of: $0) })
    try? execution.register(with: sources.epoll, key: nextKey)
    nextKey += 1
    executions.append(execution)
    advanceExecutions(at: now)
  }

  /// What each is at this moment; one that is not what the scan saw is left out, and so is not signalled.
  private func faces(of leak: LeakRule.Leak, _ scan: ProcessScan) -> [ProcessIdentity: ProcessFace] {
    var faces: [ProcessIdentity: ProcessFace] = [:]
    for process in [leak.root] + leak.members {
      guard let face = processes.face(of: process.pid), face.startTicks == process.startTicks else { continue }
      if let browser = scan.browsers[process.pid], browser.program != face.program { continue }
      // A dead driver's chromedriver may be another's.
      guard let user = processes.user(of: process.pid), leakRule.policy.users.contains(user) else { continue }
      faces[process] = face
    }
    return faces
  }

  private func advanceExecutions(at now: Moment) {
    for execution in executions { execution.advance(at: now.instant, reading: { processes.face(of: $0) }) }
    concludeExecutions(at: now)
  }

  /// Nothing is to be ended any more.
  private func stopExecutions(at now: Moment) {
    for execution in executions { execution.stop() }
    concludeExecutions(at: now)
  }

  private func concludeExecutions(at now: Moment) {
    while let place = executions.firstIndex(where: { $0.outcome != nil }) {
      let execution = executions.remove(at: place)
      if let outcome = execution.outcome { conclude(execution, outcome, at: now) }
    }
  }

  func tellLeaks(_ observation: LeakRule.Observation, at now: Moment) {
    var none: [LeakRule.Action] = []
    leakRule.handle(observation, at: now.instant, into: &none)
  }

  private func conclude(_ execution: Execution, _ outcome: Execution.Outcome, at now: Moment) {
    let leak = execution.leak
    if case .lingering = outcome { tellLeaks(.left(leak.root), at: now) } else { tellLeaks(.settled(leak.root), at: now) }
    defer { readMemory(at: now) }
    statusFile.isDirty = true
    let line = execution.line
    switch outcome {
    case .spared:
      let why = leakMode == .on ? "it is not what was judged any more" : "nothing is to be ended any more"
      journal.line(
        "leaks", "spared", say: "left \(line.name) (pid \(leak.root.pid)) alone: \(why)", in: state.directory
      ) { line.put(in: &$0) }
    case .gone:
      let say =
        "killed \(line.words); \(line.memory.map { "\(MemorySize.text($0)) came back" } ?? "how much came back is not known")"
      journal.line("leaks", "killed", say: say, in: state.directory) {
        line.put(in: &$0)
        execution.put(in: &$0)
      }
      log.say(.notice, say)
    case .lingering(let left):
      let pids = left.map { "\($0.pid)" }.joined(separator: ", ")
      let say = "\(line.words): did not end by SIGKILL (pid \(pids)); frozen, or stuck in the kernel"
      journal.line("leaks", "lingers", say: say, in: state.directory) {
        line.put(in: &$0)
        execution.put(in: &$0)
      }
      if said.insert("lingers \(leak.root.pid)").inserted { log.say(.warning, say) }
    }
  }

  private func tell(of leak: LeakRule.Leak, _ scan: ProcessScan, _ what: String, _ verb: String) {
    let line = line(of: leak, scan)
    journal.line("leaks", what, say: "\(verb): \(line.words)", in: state.directory) { line.put(in: &$0) }
    log.say(.notice, "\(verb): \(line.words); look: \(operatorCommand("why \(leak.root.pid)"))")
  }

  private func line(of leak: LeakRule.Leak, _ scan: ProcessScan) -> LeakLine {
    LeakLine(
      leak, scan, name: processes.name(of: leak.root.pid), memory: memory(of: leak),
      job: jobs.owner(of: leak.root, mark: processes.mark(of: leak.root.pid))?.text)
  }

  /// Of the whole tree, shared pages divided; nil where none of it could be read.
  private func memory(of leak: LeakRule.Leak) -> UInt64? {
    let parts = ([leak.root] + leak.members).prefix(256).compactMap { processes.memory(of: $0.pid)?.total }
    return parts.isEmpty ? nil : parts.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 }
  }
}

/// What a leak's journal line holds.
struct LeakLine {
  let leak: LeakRule.Leak
  /// Escaped.
  let name: String
  let age: TimeSpan
  let memory: UInt64?
  /// Whose it is, as far as the gate told: that proves nothing, and helps whoever has to mend it. Escaped.
  let job: String?

  init(_ leak: LeakRule.Leak, _ scan: ProcessScan, name: String, memory: UInt64?, job: String?) {
    self.leak = leak
    self.name = name
    self.job = job
    age = scan[leak.root.pid]?.age ?? .zero
    self.memory = memory
  }

  var words: String {
    let what =
      switch leak.kind {
      case .orphanBrowser: "the browser \(name)"
      case .orphanChild: "\(name), a dead browser's process"
      case .abandoned: "an abandoned page of \(name)"
      case .helper: "the helper \(name)"
      }
    let rest = leak.members.isEmpty ? "" : " and \(leak.members.count) more"
    return
      "\(what) (pid \(leak.root.pid)\(rest), \(wholeSeconds(age)) old\(memory.map { ", \(MemorySize.text($0))" } ?? "")\(job.map { ", of the job '\($0)'" } ?? "")): \(proof)"
  }

  private var proof: String {
    if let rest = leak.proof.rest { return "no CPU used for \(wholeSeconds(rest))" }
    let adopter = "pid \(leak.proof.adopter) took it over"
    switch leak.kind {
    case .orphanChild: return "its browser is dead, \(adopter)"
    case .orphanBrowser, .helper, .abandoned:
      let between =
        leak.proof.between.isEmpty ? "" : ", only pid \(leak.proof.between.map { "\($0)" }.joined(separator: ", ")) in between"
      return "whoever started it is dead (\(adopter)\(between)), nobody is connected to it"
    }
  }

  func put(in writer: inout JSONWriter) {
    writer.field("pid", leak.root.pid)
    writer.field("start_ticks", leak.root.startTicks)
    writer.field("kind", leak.kind.rawValue)
    writer.field("name", name)
    writer.field("age_s", age.seconds)
    writer.field("found_s", leak.found.seconds)
    writer.field("processes", leak.members.count + 1)
    if let memory { writer.field("pss_bytes", memory) }
    if let job { writer.field("job", job) }
    if leak.proof.adopter > 0 { writer.field("adopted_by", leak.proof.adopter) }
    if let rest = leak.proof.rest { writer.field("rest_s", rest.seconds) }
  }
}

private func wholeSeconds(_ span: TimeSpan) -> String { TimeSpan.seconds(span.seconds).text(parts: 2) }

extension Execution {
  func put(in writer: inout JSONWriter) {
    writer.beginArray("signals")
    for signal in signals { writer.string(signal.name) }
    writer.endArray()
    writer.field("swept", swept.count)
  }
}
