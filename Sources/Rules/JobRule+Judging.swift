/// What is too often and what too long, and when it is over.
extension JobRule {
  // MARK: Failures

  mutating func count(_ outcome: Outcome, of job: Job, at now: Instant, into actions: inout [Action]) {
    switch outcome {
    case .unknown: jobs[job]?.lastSeen = now
    case .exited(code: 0):
      jobs[job]?.lastSeen = now
      endFailures(of: job, into: &actions)
    case .exited, .killed:
      // Where there is no room, nothing is lost but a row that might have begun here.
      guard admit(job, at: now), var failures = jobs[job]?.failures else { return }
      failures += 1
      if failures == 1 { jobs[job]?.failingSince = now }
      jobs[job]?.failures = failures
      jobs[job]?.lastFailure = outcome
      judgeFailures(of: job, into: &actions)
    }
  }

  private mutating func judgeFailures(of job: Job, into actions: inout [Action]) {
    guard let standing = jobs[job], !standing.isFailureTold, let limit = policy.failures,
      standing.failures >= max(1, limit)
    else { return }
    jobs[job]?.isFailureTold = true
    actions.append(.began(failing(job, standing)))
  }

  /// The row is broken.
  private mutating func endFailures(of job: Job, into actions: inout [Action]) {
    guard let standing = jobs[job] else { return }
    tellFailuresOver(of: job, into: &actions)
    if standing.failures > 0 { jobs[job]?.failures = 0 }
  }

  private mutating func tellFailuresOver(of job: Job, into actions: inout [Action]) {
    guard let standing = jobs[job], standing.isFailureTold else { return }
    jobs[job]?.isFailureTold = false
    actions.append(.ended(failing(job, standing)))
  }

  private func failing(_ job: Job, _ standing: Standing) -> Trouble {
    Trouble(
      job: job,
      cause: .failures(count: standing.failures, last: standing.lastFailure, since: standing.failingSince))
  }

  // MARK: Starts

  mutating func countStart(of job: Job, at when: Instant, now: Instant, into actions: inout [Action]) {
    guard let limit = policy.runs, when >= countsSince, when > now - limit.span else { return }
    jobs[job]?.starts.insert(SlidingLog.Birth(when: when, slot: 0))
    jobs[job]?.crowd?.starts += 1
    judgeStarts(of: job, at: now, into: &actions)
  }

  /// Begins or ends the trouble, and says when to look again.
  private mutating func judgeStarts(of job: Job, at now: Instant, into actions: inout [Action]) {
    guard let limit = policy.runs else { return endCrowd(of: job, into: &actions) }
    let most = max(0, min(limit.count, BreakerRule.greatestLimit))
    while let oldest = jobs[job]?.starts.oldest, oldest.when <= now - limit.span {
      _ = jobs[job]?.starts.removeOldest()
    }
    // One more than the limit is all that a verdict needs.
    while let count = jobs[job]?.starts.count, count > most + 1 { _ = jobs[job]?.starts.removeOldest() }
    guard let standing = jobs[job], standing.starts.count > most, let oldest = standing.starts.oldest else {
      return endCrowd(of: job, into: &actions)
    }
    windows.set(oldest.when.after(limit.span), for: job.index)
    guard standing.crowd == nil else { return }
    jobs[job]?.crowd = (limit, standing.starts.count)
    actions.append(.began(Trouble(job: job, cause: .runs(limit: limit, count: standing.starts.count))))
  }

  private mutating func endCrowd(of job: Job, into actions: inout [Action]) {
    windows.set(nil, for: job.index)
    guard let crowd = jobs[job]?.crowd else { return }
    jobs[job]?.crowd = nil
    actions.append(.ended(Trouble(job: job, cause: .runs(limit: crowd.limit, count: crowd.starts))))
  }

  // MARK: Durations

  /// A run is over, or is not to be watched any more.
  mutating func stopWatching(_ run: Run, at now: Instant, into actions: inout [Action]) {
    guard let number = numbers.removeValue(forKey: run), let ended = runs.removeValue(forKey: number) else { return }
    durations.set(nil, for: number)
    jobs[ended.job]?.running -= 1
    jobs[ended.job]?.lastSeen = now
    if let limit = ended.told { actions.append(.ended(tooLong(ended, limit, at: now))) }
  }

  private func tooLong(_ running: Running, _ limit: TimeSpan, at now: Instant) -> Trouble {
    Trouble(job: running.job, cause: .tooLong(running.run, limit: limit, duration: now - running.began))
  }

  // MARK: Time

  /// Tells what has become too long, and what has left its span.
  mutating func wake(at now: Instant, into actions: inout [Action]) {
    while let number = durations.popFirst(dueBy: now) {
      guard let running = runs[number], let limit = policy.maxDuration else { continue }
      runs[number]?.told = limit
      actions.append(.began(tooLong(running, limit, at: now)))
    }
    while let index = windows.popFirst(dueBy: now) { judgeStarts(of: Job(index: index), at: now, into: &actions) }
  }

  mutating func startAnew(at now: Instant, into actions: inout [Action]) {
    countsSince = max(countsSince, now)
    for job in jobs.keys.sorted(by: { $0.index < $1.index }) {
      endFailures(of: job, into: &actions)
      jobs[job]?.starts.removeAll()
      endCrowd(of: job, into: &actions)
    }
  }

  /// After a reload.
  mutating func judgeAll(at now: Instant, into actions: inout [Action]) {
    for job in jobs.keys.sorted(by: { $0.index < $1.index }) {
      if policy.failures == nil { tellFailuresOver(of: job, into: &actions) }
      judgeFailures(of: job, into: &actions)
      if policy.runs == nil { jobs[job]?.starts.removeAll() }
      judgeStarts(of: job, at: now, into: &actions)
    }
    for (number, running) in runs.sorted(by: { $0.key < $1.key }) {
      // One that was told stays so, whatever the limit is now, unless there is none.
      guard running.told == nil || policy.maxDuration == nil else { continue }
      durations.set(policy.maxDuration.flatMap { running.began.after($0) }, for: number)
      guard let told = running.told else { continue }
      runs[number]?.told = nil
      actions.append(.ended(tooLong(running, told, at: now)))
    }
  }
}
