internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

extension Watch {
  /// Watches until it is told to stop.
  public func run() {
    var events = ReadBuffer(capacity: 65_536)
    begin()
    while !isStopping {
      // Out here, where the stack is short again.
      if hasDoneMuch { OwnMemory.releaseStart() }
      hasDoneMuch = false
      turn(&events)
    }
    end()
  }

  /// One round: sleep, read what is ready, let the rules decide, act, and set the next deadline.
  func turn(_ events: inout ReadBuffer) {
    arm()
    let ready: Int
    do throws(Errno) { ready = try sources.epoll.wait(milliseconds: -1) } catch {
      log.say(.error, "epoll_wait: \(error)")
      isStopping = true
      return
    }
    let now = Clock.now()
    intake.now = now
    // Before anything is judged by a time that a step made wrong.
    noteClock(at: now)
    for i in 0..<ready { wake(sources.epoll.key(at: i), &events, at: now) }
    settle(at: Clock.now())
  }

  private func wake(_ key: UInt64, _ events: inout ReadBuffer, at now: Moment) {
    switch key {
    case EventSources.Key.inotify: drain(&events, at: now)
    case EventSources.Key.timer:
      sources.timer.acknowledge()
      armed = nil
    case EventSources.Key.clock:
      try? sources.clock.acknowledge()
    case EventSources.Key.signals: obeySignals()
    case EventSources.Key.mounts:
      // A mount over a watched directory is silent in inotify.
      journal.line("watch", "mounts-changed", say: "the mount table changed; looking at everything anew", in: state.directory)
      _ = try? sources.mounts.contents(upTo: 1)
      needsFullVisit = true
    case EventSources.Key.hook: break
    case EventSources.Key.browsers: if browserPrograms?.drain() == true { stir(at: now) }
    case EventSources.Key.transcripts: transcripts?.drain(at: now.instant)
    case EventSources.Key.pressure: tellMemory(.pressed, at: now)
    default: ended(key, at: now)
    }
  }

  /// Reads the queue until it is empty. Under load it rests 5 ms before it reads again: 5 to 15
  /// times less CPU, and nothing lost (docs/measurements.md).
  private func drain(_ events: inout ReadBuffer, at now: Moment) {
    let quiet = TimeSpan.milliseconds(5) - (now.instant - drainedAt)
    if quiet > .zero {
      Clock.rest(quiet)
      intake.now = Clock.now()
    }
    // Not for ever: whoever writes without a pause must not keep the watch from looking, or from stopping.
    var isDrained = false
    for _ in 0..<64 where !isDrained {
      guard (try? tree.read(into: &events)) == true else {
        isDrained = true
        break
      }
      let since = bornSince
      var cursor = InotifyEvents(events.bytes)
      while let event = cursor.next() {
        tree.handle(event, bornSince: since, telling: &intake)
        // Before the rest of the records: HALT must stand at once.
        if !intake.breakerActions.isEmpty { obeyTrips(at: intake.now) }
      }
      intake.now = Clock.now()
      noteClock(at: intake.now)
    }
    intake.endRound()
    if isDrained { drainedAt = Clock.instant() }
  }

  /// Looks at everything that was noted, until nothing is left to look at.
  func settle(at now: Moment) {
    intake.now = now
    noteNotices(at: now)
    pollIfDue(at: now)
    if needsFullVisit { visitEverything(at: now) }
    settleLeftovers()
    // A resume may leave no trace that inotify tells of.
    if intake.requestsAreDirty { serveRequests(at: now) }
    if intake.haltIsDirty { lookAtHalt(at: now) }
    lookAtJobs(at: now)
    lookAtLevers(at: now)
    lookAtLocks(at: now)
    lookAtBeats(at: now)
    readTexts(at: now)
    intake.tell(.woke, at: now.instant)
    obeyTrips(at: now)
    lookForLeaks(at: now)
    lookAtMemory(at: now)
    lookAtGrowth(at: now)
    deliverAlerts(at: now)
    tellManager(at: now)
    writeOwnBeat(at: now)
    statusFile.note(intake.births)
    if statusFile.isDue(at: now.instant) { writeStatus(at: now) }
  }

  private func arm() {
    var next: Instant?
    func consider(_ deadline: Instant?) {
      guard let deadline else { return }
      next = min(next ?? deadline, deadline)
    }
    consider(lockRule.deadline)
    consider(heartbeatRule.deadline)
    consider(intake.breaker.deadline)
    consider(alertDesk.deadline)
    consider(statusFile.due)
    consider(watchdogDue)
    consider(pollDue)
    consider(ownBeatDue)
    consider(leaksDue)
    consider(memoryDue)
    consider(jobRule.deadline)
    consider(leversDue)
    consider(growthDue)
    guard next != armed else { return }
    try? sources.timer.arm(at: next)
    armed = next
  }

  // MARK: the tree

  /// Births before this are of no interest to any window.
  var bornSince: WallTime {
    max(closedAt, intake.now.wall - longestWindow)
  }

  private var longestWindow: TimeSpan {
    var longest = TimeSpan.zero
    for outputs in [settings.outputs] + settings.agents.map(\.outputs) {
      for limit in [outputs.policy.limit, outputs.policy.similar, outputs.pipeline.limit] {
        if let limit { longest = max(longest, limit.span) }
      }
    }
    return longest
  }

  /// First start, overflow, reload, a new mount: one and the same.
  func visitEverything(at now: Moment) {
    needsFullVisit = false
    intake.breaker.beginScan()
    let hadQueue = tree.hasQueue
    tree.visit(bornSince: bornSince, telling: &intake)
    intake.breaker.endScan()
    if !hadQueue { registerQueue() }
    intake.locks.markAll()
    intake.beats.markAll()
    intake.haltIsDirty = true
    intake.requestsAreDirty = true
    intake.notesAreDirty = true
    intake.endRound()
    obeyTrips(at: now)
    noteNotices(at: now)
  }

  func registerQueue() {
    try? tree.register(with: sources.epoll, key: EventSources.Key.inotify)
  }

  private func pollIfDue(at now: Moment) {
    guard let pace = tree.pace else {
      pollDue = nil
      return
    }
    if let due = pollDue, due > now.instant { return }
    if pollDue != nil, pace == .starved {
      let hadQueue = tree.hasQueue
      if tree.tryToFeed(telling: &intake) {
        if !hadQueue { registerQueue() }
        needsFullVisit = true
        pollDue = nil
        return
      }
    }
    if rescanDue <= now.instant { rescan(at: now, pace) }
    pollDue = pace == .starved ? min(rescanDue, now.instant + .milliseconds(50)) : rescanDue
  }

  /// Looks at what inotify does not tell of; never for more than a twentieth of the time, however large it is.
  private func rescan(at now: Moment, _ pace: WatchTree.Pace) {
    tree.poll(bornSince: bornSince, telling: &intake)
    intake.locks.markAll()
    intake.beats.markAll()
    intake.haltIsDirty = true
    intake.requestsAreDirty = true
    intake.notesAreDirty = true
    let cost = (Clock.instant() - now.instant) * 20
    rescanDue = now.instant + max(cost, pace == .starved ? .milliseconds(250) : .seconds(2))
  }

  func noteNotices(at now: Moment) {
    while !intake.notices.isEmpty {
      let notices = intake.notices
      intake.notices.removeAll()
      for notice in notices { note(notice) }
    }
  }

  private func note(_ notice: WatchNotice) {
    let (what, say, level) = notice.words
    if notice == .overflow {
      // The queue can overflow twice before it is empty; one look answers both.
      guard !needsFullVisit else { return }
      needsFullVisit = true
    }
    if case .found = notice { markersMayBeMissing() }
    log.say(level, say)
    journal.line("watch", what, say: say, in: state.directory)
    statusFile.isDirty = true
  }

  private func settleLeftovers() {
    while let leftover = intake.leftovers.popLast() {
      // Not by the path alone: it may lead through a symlink by now.
      let place = Path(bytes: Array(leftover.directory.bytes.drop { $0 == UInt8(ascii: "/") })) ?? .empty
      guard settings.pipeline.mode == .on, let directory = try? lockSensor.slash.directory(place) else { continue }
      guard let done = reaper.settleLeftover(leftover.name, in: directory) else { continue }
      let say = "after a crash, in \(escaped(leftover.directory.bytes)): \(done)"
      log.say(.notice, say)
      journal.line("locks", "settled", say: say, in: state.directory)
    }
  }

  // MARK: time and signals

  /// What a restart will know of the clocks.
  func recordClock(at now: Moment) {
    intake.clock.note(now)
    ClockRecord.write(intake.clock, in: state.directory, boot: processes.bootID)
  }

  private func noteClock(at now: Moment) {
    guard let step = intake.clock.note(now) else { return }
    let way = step < .zero ? "back" : "forward"
    let length = TimeSpan(nanoseconds: step.nanoseconds == .min ? .max : abs(step.nanoseconds))
    let say = "the wall clock was set \(way) by \(length.text); ages and deadlines go on by the monotonic clock"
    log.say(.notice, say)
    journal.line("watch", "clock-step", say: say, in: state.directory) { $0.field("step_ns", step.nanoseconds) }
    recordClock(at: now)
  }

  private func obeySignals() {
    while let signal = sources.signals.next() {
      if signal == .hangUp { reloadSettings() } else { isStopping = true }
    }
  }

  private func tellManager(at now: Moment) {
    guard let watchdogPeriod, let due = watchdogDue, due <= now.instant else { return }
    // Only here, at the end of a round in which everything was looked at.
    manager?.tell("WATCHDOG=1")
    watchdogDue = now.instant + TimeSpan(nanoseconds: watchdogPeriod.nanoseconds / 3)
  }
}

extension WatchNotice {
  /// The journal's word, the line for people, how loud.
  var words: (what: String, say: String, level: Log.Level) {
    switch self {
    case .missing(let path):
      ("missing", "\(escaped(path)) is not there; watching for it to appear", .notice)
    case .found(let path): ("found", "\(escaped(path)) is there; looking at everything in it", .notice)
    case .symlink(let path):
      (
        "symlink",
        "\(escaped(path)) is a symlink and is not followed; write the path it leads to into the template instead", .warning
      )
    case .notADirectory(let path): ("not-a-directory", "\(escaped(path)) is no directory; watching for one to appear", .warning)
    case .unreadable(let path, let code):
      ("unreadable", "\(escaped(path)) cannot be watched: \(Errno(rawValue: code))", .warning)
    case .mountNotCrossed(let path):
      ("mount-not-crossed", "\(escaped(path)) is another filesystem; set cross-mounts = yes in [pipeline] to watch it", .notice)
    case .remote(let path, let filesystem):
      (
        "remote",
        "\(escaped(path)) is on \(filesystem), where inotify sees only this machine's changes; rescanning it in turn", .warning
      )
    case .starved(let limit):
      (
        "starved", "no inotify watch is left: raise \(limit) (sysctl -w \(limit)=524288); rescanning in turn until then",
        .warning
      )
    case .fed: ("fed", "inotify watches are to be had again", .notice)
    case .overflow: ("overflow", "the inotify queue overflowed; looking at everything anew", .warning)
    }
  }
}
