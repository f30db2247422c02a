import Rules
import Testing

/// The job rule against all that ever happened, looked through from the beginning every second.
@Suite struct JobReferenceTests {
  struct Model {
    struct Started {
      var job: Int
      var when: Int64
    }
    struct Running {
      var job: Int
      var since: Int64
      var isTold = false
    }

    var failures: Int?
    var runs: (count: Int, span: Int64)?
    var longest: Int64?
    var starts: [Started] = []
    /// In a row, with the seconds of the first.
    var rows: [Int: (count: Int, since: Int64, last: JobRule.Outcome)] = [:]
    var failing: Set<Int> = []
    /// All starts of a trouble.
    var crowds: [Int: Int] = [:]
    var running: [Int32: Running] = [:]

    var policy: JobRule.Policy {
      .init(
        failures: failures, runs: runs.map { .init(count: $0.count, span: .seconds($0.span)) },
        maxDuration: longest.map { .seconds($0) })
    }

    func failure(_ job: Int) -> JobRule.Trouble? {
      rows[job].map {
        .init(job: Job(index: job), cause: .failures(count: $0.count, last: $0.last, since: at($0.since)))
      }
    }

    func crowd(_ job: Int, _ count: Int) -> JobRule.Trouble? {
      policy.runs.map { .init(job: Job(index: job), cause: .runs(limit: $0, count: count)) }
    }

    func tooLong(_ pid: Int32, _ now: Int64) -> JobRule.Trouble? {
      guard let running = running[pid], let longest else { return nil }
      let run = ProcessIdentity(pid: pid, startTicks: 7)
      return .init(
        job: Job(index: running.job),
        cause: .tooLong(run, limit: .seconds(longest), duration: .seconds(now - running.since)))
    }

    /// What holds at `now` and was not told, and what was told and holds no more.
    mutating func settle(_ now: Int64, _ actions: inout [JobRule.Action]) {
      // No span here is as long.
      starts.removeAll { $0.when <= now - 100 }
      for job in 0..<4 {
        if let failures, let row = rows[job], row.count >= failures, failing.insert(job).inserted,
          let trouble = failure(job)
        {
          actions.append(.began(trouble))
        }
        guard let runs else { continue }
        let count = starts.count { $0.job == job && $0.when > now - runs.span }
        if count > runs.count, crowds[job] == nil {
          crowds[job] = runs.count + 1
          if let trouble = crowd(job, runs.count + 1) { actions.append(.began(trouble)) }
        } else if count <= runs.count, let all = crowds.removeValue(forKey: job), let trouble = crowd(job, all) {
          actions.append(.ended(trouble))
        }
      }
      for pid in running.keys.sorted() {
        guard let one = running[pid], !one.isTold, let longest, one.since + longest <= now,
          let trouble = tooLong(pid, now)
        else { continue }
        running[pid]?.isTold = true
        actions.append(.began(trouble))
      }
    }

    mutating func end(_ pid: Int32, _ job: Int, _ outcome: JobRule.Outcome, _ now: Int64, _ actions: inout [JobRule.Action]) {
      if running[pid]?.isTold == true, let trouble = tooLong(pid, now) { actions.append(.ended(trouble)) }
      running[pid] = nil
      settle(now, &actions)
      switch outcome {
      case .unknown: break
      case .exited(code: 0):
        if failing.remove(job) != nil, let trouble = failure(job) { actions.append(.ended(trouble)) }
        rows[job] = nil
      case .exited, .killed:
        let row = rows[job] ?? (0, now, outcome)
        rows[job] = (row.count + 1, row.since, outcome)
        settle(now, &actions)
      }
    }

    mutating func start(_ pid: Int32, _ job: Int, _ when: Int64, _ now: Int64, _ actions: inout [JobRule.Action]) {
      settle(now, &actions)
      running[pid] = Running(job: job, since: when)
      starts.append(Started(job: job, when: when))
      if let runs, crowds[job] != nil, when > now - runs.span { crowds[job, default: 0] += 1 }
    }

    mutating func resume(_ now: Int64, _ actions: inout [JobRule.Action]) {
      settle(now, &actions)
      for job in failing { if let trouble = failure(job) { actions.append(.ended(trouble)) } }
      for (job, all) in crowds { if let trouble = crowd(job, all) { actions.append(.ended(trouble)) } }
      failing = []
      crowds = [:]
      rows = [:]
      starts = []
    }
  }

  @Test(arguments: 0..<40) func itTellsExactlyWhatLookingThroughEverythingEverySecondTells(seed: UInt64) {
    var dice = Dice(seed: seed)
    var model = Model()
    model.failures = dice.roll(5) == 0 ? nil : 1 + dice.roll(6)
    model.runs = dice.roll(5) == 0 ? nil : (dice.roll(8), Int64(1 + dice.roll(60)))
    model.longest = dice.roll(5) == 0 ? nil : Int64(dice.roll(40))
    var rule = JobRule(policy: model.policy)
    var (pid, told, resumedAt) = (Int32(1), 0, Int64.min)

    for now in 0..<600 as Range<Int64> {
      for _ in 0..<dice.roll(3) {
        var (expected, actions): ([JobRule.Action], [JobRule.Action]) = ([], [])
        let job = dice.roll(4)
        switch dice.roll(200) {
        case 0:
          model.resume(now, &expected)
          resumedAt = now
          rule.handle(.resumed, at: at(now), into: &actions)
        case 1..<110:
          pid += 1
          let late = dice.roll(6) == 0 ? Int64(dice.roll(30)) : 0
          let when = max(now - late, resumedAt)
          model.start(pid, job, when, now, &expected)
          rule.handle(.started(Job(index: job), run(pid), at: at(when)), at: at(now), into: &actions)
          // The rule is woken for what is due at once, as the model looks at once.
          if rule.deadline.map({ $0 <= at(now) }) ?? false { rule.handle(.woke, at: at(now), into: &actions) }
          model.settle(now, &expected)
        default:
          let pids = model.running.keys.sorted()
          guard !pids.isEmpty else { continue }
          let ending = pids[dice.roll(pids.count)]
          let outcomes: [JobRule.Outcome] = [
            .exited(code: 0), .unknown, .killed(signal: 9), .exited(code: 3), .exited(code: 1),
          ]
          let outcome = outcomes[dice.roll(dice.roll(4) == 0 ? 2 : 5)]
          let job = model.running[ending]?.job ?? 0
          model.end(ending, job, outcome, now, &expected)
          rule.handle(.ended(Job(index: job), run(ending), outcome), at: at(now), into: &actions)
        }
        told += expected.count
        insist(same(actions, expected), "at \(now): \(actions) instead of \(expected)")
      }
      // Only when it asks to be; the model looks every second.
      var (expected, actions): ([JobRule.Action], [JobRule.Action]) = ([], [])
      model.settle(now + 1, &expected)
      if let deadline = rule.deadline, deadline <= at(now + 1) { rule.handle(.woke, at: at(now + 1), into: &actions) }
      told += expected.count
      insist(same(actions, expected), "woken at \(now + 1): \(actions) instead of \(expected)")
    }
    #expect(told > 0 || model.policy == .init(failures: nil))
  }

  private func run(_ pid: Int32) -> ProcessIdentity { ProcessIdentity(pid: pid, startTicks: 7) }

  /// In whatever order.
  private func same(_ a: [JobRule.Action], _ b: [JobRule.Action]) -> Bool {
    a == b || a.map { "\($0)" }.sorted() == b.map { "\($0)" }.sorted()
  }
}
