import Rules
import Testing

@Suite struct JobRuleTests {
  let nightly = Job(index: 0)
  let hourly = Job(index: 1)

  /// Three failures in a row, three starts within 100 s, a run of 50 s.
  static let policy = JobRule.Policy(
    failures: 3, runs: .init(count: 3, span: .seconds(100)), maxDuration: .seconds(50))

  func run(_ number: Int32) -> JobRule.Run { ProcessIdentity(pid: number, startTicks: 7) }

  func play(
    _ story: [(Int64, JobRule.Observation)], on rule: inout JobRule
  ) -> [[JobRule.Action]] {
    story.map { second, observation in
      var actions: [JobRule.Action] = []
      rule.handle(observation, at: at(second), into: &actions)
      return actions
    }
  }

  func tell(
    _ story: [(Int64, JobRule.Observation)], on rule: inout JobRule
  ) -> [JobRule.Action] {
    play(story, on: &rule).flatMap { $0 }
  }

  func tell(_ story: [(Int64, JobRule.Observation)]) -> [JobRule.Action] {
    var rule = JobRule(policy: Self.policy)
    return tell(story, on: &rule)
  }

  /// A run that is over at once, one every 100 s from `second` on.
  func runs(
    of job: Job, _ outcomes: [JobRule.Outcome], from second: Int64 = 0
  ) -> [(Int64, JobRule.Observation)] {
    outcomes.enumerated().flatMap { number, outcome -> [(Int64, JobRule.Observation)] in
      let (run, now) = (run(Int32(1000 + number)), second + 100 * Int64(number))
      return [(now, .started(job, run)), (now + 1, .ended(job, run, outcome))]
    }
  }

  func starts(of job: Job, _ seconds: [Int64]) -> [(Int64, JobRule.Observation)] {
    seconds.map { ($0, .started(job, run(Int32($0 + 10_000)))) }
  }

  func failing(
    _ job: Job, _ count: Int, _ last: JobRule.Outcome = .exited(code: 1), since second: Int64
  ) -> JobRule.Trouble {
    .init(job: job, cause: .failures(count: count, last: last, since: at(second)))
  }

  func crowd(_ job: Job, _ count: Int, limit: Int = 3) -> JobRule.Trouble {
    .init(job: job, cause: .runs(limit: .init(count: limit, span: .seconds(100)), count: count))
  }

  func tooLong(
    _ job: Job, _ number: Int32, _ seconds: Int64, limit: Int64 = 50
  ) -> JobRule.Trouble {
    .init(
      job: job,
      cause: .tooLong(run(number), limit: .seconds(limit), duration: .seconds(seconds)))
  }

  // MARK: Failures

  @Test func aJobThatFailsAllNightIsToldOnceAndOverAtItsFirstSuccess() {
    let bad = Array(repeating: JobRule.Outcome.exited(code: 1), count: 12)
    #expect(
      tell(runs(of: nightly, bad + [.killed(signal: 9), .exited(code: 0), .exited(code: 0)])) == [
        .began(failing(nightly, 3, since: 1)),
        .ended(failing(nightly, 13, .killed(signal: 9), since: 1)),
      ])
  }

  @Test func aSuccessInBetweenBreaksTheRow() {
    #expect(
      tell(
        runs(
          of: nightly,
          [
            .exited(code: 1), .killed(signal: 15), .exited(code: 0), .exited(code: 75),
            .exited(code: -1),
          ])) == [])
  }

  @Test func aRunThatNobodySawEndIsNeitherAFailureNorASuccess() {
    #expect(
      tell(
        runs(
          of: nightly,
          [.exited(code: 1), .unknown, .exited(code: 2), .unknown, .unknown, .exited(code: 3)]))
        == [.began(failing(nightly, 3, .exited(code: 3), since: 1))])
  }

  @Test func jobsFailApart() {
    let two = [JobRule.Outcome](repeating: .exited(code: 1), count: 2)
    #expect(tell(runs(of: nightly, two) + runs(of: hourly, two, from: 200)) == [])
  }

  @Test func afterItIsOverTheNextRowIsToldAnew() {
    let row: [JobRule.Outcome] = [
      .exited(code: 1), .exited(code: 1), .exited(code: 1), .exited(code: 0),
    ]
    #expect(
      tell(runs(of: nightly, row + row)) == [
        .began(failing(nightly, 3, since: 1)), .ended(failing(nightly, 3, since: 1)),
        .began(failing(nightly, 3, since: 401)), .ended(failing(nightly, 3, since: 401)),
      ])
  }

  @Test func anEndWhoseStartWasNotSeenCounts() {
    let story: [(Int64, JobRule.Observation)] = (1...3).map {
      (Int64($0), .ended(nightly, run($0), .exited(code: 1)))
    }
    #expect(tell(story) == [.began(failing(nightly, 3, since: 1))])
  }

  // MARK: Starts

  @Test func oneStartMoreThanTheLimitIsTooManyAndItIsOverWhenTheFirstOfThemLeavesTheSpan() {
    var rule = JobRule(policy: .init(failures: nil, runs: .init(count: 3, span: .seconds(100))))
    #expect(
      play(starts(of: hourly, [0, 10, 20, 99]), on: &rule) == [
        [], [], [], [.began(crowd(hourly, 4))],
      ])
    #expect(rule.deadline == at(100))
    #expect(
      play([(99, .woke), (100, .woke), (100, .woke)], on: &rule)
        == [[], [.ended(crowd(hourly, 4))], []])
    #expect(rule.deadline == nil)
  }

  @Test func exactlyTheLimitIsAllowedForEver() {
    var rule = JobRule(policy: .init(runs: .init(count: 3, span: .seconds(90))))
    #expect(tell(starts(of: hourly, Array(stride(from: 0, to: 3000, by: 30))), on: &rule) == [])
    #expect(rule.deadline == nil)
  }

  @Test func aRetryLoopIsToldOnceAndItsEndOnceWithAllItsStarts() {
    var rule = JobRule(policy: .init(runs: .init(count: 3, span: .seconds(100))))
    #expect(tell(starts(of: hourly, Array(0..<500)), on: &rule) == [.began(crowd(hourly, 4))])
    // The last four began at 496, 497, 498 and 499.
    #expect(rule.deadline == at(596))
    #expect(play([(596, .woke)], on: &rule) == [[.ended(crowd(hourly, 500))]])
  }

  @Test func aLateWakeEndsItBeforeTheNextStartIsCounted() {
    var rule = JobRule(policy: .init(runs: .init(count: 3, span: .seconds(100))))
    _ = tell(starts(of: hourly, [0, 1, 2, 3]), on: &rule)
    #expect(
      play(starts(of: hourly, [101, 101 + 1]), on: &rule) == [[.ended(crowd(hourly, 4))], []])
  }

  @Test func aStartFoundLateCountsWhenItWas() {
    var rule = JobRule(policy: .init(runs: .init(count: 3, span: .seconds(100))))
    let story: [(Int64, JobRule.Observation)] = [
      (100, .started(hourly, run(1))), (101, .started(hourly, run(2))),
      (102, .started(hourly, run(3), at: at(5))), (102, .started(hourly, run(4), at: at(-50))),
      (103, .started(hourly, run(5), at: at(4))), (103, .started(hourly, run(5), at: at(4))),
    ]
    #expect(
      play(story, on: &rule) == [[], [], [], [], [.began(crowd(hourly, 4))], []])
    #expect(rule.deadline == at(104))
  }

  // MARK: Durations

  @Test func aRunThatDoesNotEndIsToldOnceAndOverWhenItEnds() {
    var rule = JobRule(policy: Self.policy)
    #expect(play([(0, .started(nightly, run(1)))], on: &rule) == [[]])
    #expect(rule.deadline == at(50))
    #expect(
      play([(49, .woke), (50, .woke), (5000, .woke)], on: &rule) == [
        [], [.began(tooLong(nightly, 1, 50))], [],
      ])
    #expect(rule.deadline == nil)
    #expect(
      play([(6000, .ended(nightly, run(1), .unknown))], on: &rule)
        == [[.ended(tooLong(nightly, 1, 6000))]])
  }

  @Test func eachRunOfAJobIsToldByItself() {
    #expect(
      tell([
        (0, .started(nightly, run(1))), (10, .started(nightly, run(2))), (60, .woke),
        (61, .ended(nightly, run(1), .exited(code: 0))),
        (62, .ended(nightly, run(2), .exited(code: 0))),
      ]) == [
        .began(tooLong(nightly, 1, 60)), .began(tooLong(nightly, 2, 50)),
        .ended(tooLong(nightly, 1, 61)), .ended(tooLong(nightly, 2, 52)),
      ])
  }

  @Test func aRunThatHasEndedIsNotToldToRunTooLong() {
    #expect(
      tell([
        (0, .started(nightly, run(1))), (70, .ended(nightly, run(1), .exited(code: 0))), (70, .woke),
      ]) == [])
  }

  @Test func aRunThatHasEndedWakesNobody() {
    var rule = JobRule(policy: Self.policy)
    #expect(
      tell([(0, .started(nightly, run(1))), (5, .ended(nightly, run(1), .exited(code: 0)))], on: &rule) == [])
    #expect(rule.deadline == nil)
  }

  @Test func aRunFoundAfterARestartIsAsOldAsItIs() {
    var rule = JobRule(policy: Self.policy)
    _ = play([(0, .started(nightly, run(1), at: at(-30)))], on: &rule)
    #expect(rule.deadline == at(20))
    // Times from afar are no times to come.
    _ = play([(5, .started(hourly, run(2), at: at(99)))], on: &rule)
    #expect(
      tell([(20, .woke), (55, .woke)], on: &rule) == [
        .began(tooLong(nightly, 1, 50)), .began(tooLong(hourly, 2, 50)),
      ])
  }

  @Test func theNextBearerOfAPidIsAnotherRun() {
    let later = ProcessIdentity(pid: 1, startTicks: 8)
    #expect(
      tell([
        (0, .started(nightly, run(1))), (10, .started(nightly, later)),
        (20, .ended(nightly, later, .exited(code: 0))), (60, .woke),
      ]) == [.began(tooLong(nightly, 1, 60))])
  }

  // MARK: Resume

  @Test func aResumeStartsAllCountersAnewAndLeavesWhatRunsRunning() {
    var rule = JobRule(policy: Self.policy)
    let two = [JobRule.Outcome](repeating: .exited(code: 1), count: 2)
    _ = tell(runs(of: nightly, two), on: &rule)
    _ = tell(starts(of: hourly, [150, 151, 152]), on: &rule)
    #expect(tell([(160, .resumed)], on: &rule) == [])
    #expect(
      tell(runs(of: nightly, two, from: 161) + starts(of: hourly, [263]), on: &rule)
        == [150, 151, 152].map { .began(tooLong(hourly, Int32($0) + 10_000, 201 - Int64($0) + 60)) }
    )
  }

  @Test func aResumeEndsWhatWasCountedAndItIsToldAgainWhenItHappensAgain() {
    var rule = JobRule(policy: .init(failures: 3, runs: .init(count: 3, span: .seconds(100))))
    let three = [JobRule.Outcome](repeating: .exited(code: 1), count: 3)
    _ = tell(runs(of: nightly, three), on: &rule)
    _ = tell(starts(of: hourly, [300, 301, 302, 303]), on: &rule)
    #expect(
      tell([(310, .resumed)], on: &rule) == [
        .ended(failing(nightly, 3, since: 1)), .ended(crowd(hourly, 4)),
      ])
    #expect(rule.deadline == nil)
    #expect(
      tell(runs(of: nightly, three, from: 311) + starts(of: hourly, [600, 601, 602]), on: &rule)
        == [.began(failing(nightly, 3, since: 312))])
    #expect(tell(starts(of: hourly, [603]), on: &rule) == [.began(crowd(hourly, 4))])
  }

  @Test func aStartBeforeTheResumeDoesNotCountHoweverLateItIsFound() {
    var rule = JobRule(policy: .init(runs: .init(count: 3, span: .seconds(100))))
    #expect(tell([(10, .resumed)] + starts(of: hourly, [11, 12, 13]), on: &rule) == [])
    #expect(tell([(14, .started(hourly, run(1), at: at(9)))], on: &rule) == [])
    #expect(
      tell([(14, .started(hourly, run(2), at: at(10)))], on: &rule) == [.began(crowd(hourly, 4))])
  }

  @Test func aRunToldBeforeTheResumeIsNotToldAgain() {
    #expect(
      tell([
        (0, .started(nightly, run(1))), (50, .woke), (60, .resumed), (200, .woke),
        (300, .ended(nightly, run(1), .killed(signal: 15))),
      ]) == [.began(tooLong(nightly, 1, 50)), .ended(tooLong(nightly, 1, 300))])
  }

  // MARK: Reload

  @Test func aLowerLimitHoldsAtOnce() {
    var rule = JobRule(policy: .init(failures: 9, runs: .init(count: 9, span: .seconds(1000))))
    _ = tell(runs(of: nightly, Array(repeating: .exited(code: 1), count: 4)), on: &rule)
    _ = tell([(350, .started(hourly, run(1)))], on: &rule)
    #expect(rule.deadline == nil)
    rule.policy = Self.policy
    #expect(rule.deadline == at(350))
    #expect(
      tell([(400, .woke)], on: &rule) == [
        .began(failing(nightly, 4, since: 1)), .began(tooLong(hourly, 1, 50)),
      ])
    #expect(rule.deadline == nil)
    rule.policy.runs = .init(count: 0, span: .seconds(100))
    #expect(tell([(400, .woke)], on: &rule) == [.began(crowd(hourly, 1, limit: 0))])
    #expect(rule.deadline == at(450))
  }

  @Test func aLimitThatIsTurnedOffEndsItsTroubles() {
    var rule = JobRule(policy: Self.policy)
    _ = tell(runs(of: nightly, Array(repeating: .exited(code: 1), count: 3)), on: &rule)
    _ = tell(starts(of: hourly, [300, 300, 301, 302, 303]), on: &rule)
    #expect(tell([(353, .woke)], on: &rule).count == 4)
    rule.policy = .init(failures: nil)
    #expect(
      tell([(360, .woke)], on: &rule) == [
        .ended(failing(nightly, 3, since: 1)), .ended(crowd(hourly, 4)),
      ] + [300, 301, 302, 303].map { .ended(tooLong(hourly, Int32($0) + 10_000, 360 - Int64($0))) })
    #expect(rule.deadline == nil)
    // The failures stand, the starts do not.
    rule.policy = Self.policy
    #expect(
      tell([(361, .woke)], on: &rule) == [.began(failing(nightly, 3, since: 1))]
        + [300, 301, 302, 303].map { .began(tooLong(hourly, Int32($0) + 10_000, 361 - Int64($0))) })
  }

  @Test func aHigherLimitEndsWhatItAllowsAndARunThatWasToldIsNotToldAgain() {
    var rule = JobRule(policy: Self.policy)
    _ = tell(runs(of: nightly, Array(repeating: .exited(code: 1), count: 3)), on: &rule)
    _ = tell(starts(of: hourly, [300, 301, 302, 303]) + [(353, .woke)], on: &rule)
    rule.policy = .init(
      failures: 9, runs: .init(count: 4, span: .seconds(100)), maxDuration: .seconds(70))
    #expect(tell([(354, .woke)], on: &rule) == [.ended(crowd(hourly, 4))])
    #expect(rule.deadline == nil)
    #expect(
      tell(runs(of: nightly, [.exited(code: 0)], from: 400), on: &rule)
        == [.ended(failing(nightly, 3, since: 1))])
  }

  @Test func anUnchangedPolicyAsksForNothing() {
    var rule = JobRule(policy: Self.policy)
    _ = tell([(0, .started(nightly, run(1)))], on: &rule)
    rule.policy = Self.policy
    #expect(rule.deadline == at(50))
  }

  // MARK: Bounds

  @Test func jobsThatNothingIsKnownOfAreForgotten() {
    var rule = JobRule(policy: .init(failures: 3, runs: .init(count: 3, span: .seconds(100))))
    var actions: [JobRule.Action] = []
    let failed = Job(index: 1_000_000)
    rule.handle(.ended(failed, run(1), .exited(code: 1)), at: at(0), into: &actions)
    for number in 0..<10_000 {
      let (job, run) = (Job(index: number), run(Int32(number + 2)))
      rule.handle(.started(job, run), at: at(Int64(number)), into: &actions)
      rule.handle(.ended(job, run, .exited(code: 0)), at: at(Int64(number)), into: &actions)
    }
    #expect(actions == [] && rule.missed == 0)
    #expect(rule.remembers(failed) && rule.remembers(Job(index: 9999)))
    let remembered = (0..<10_000).count { rule.remembers(Job(index: $0)) }
    // Those of the span, and at most as many again until they are looked through.
    #expect(remembered >= 100 && remembered <= 250)
  }

  @Test func ofTooManyFailingJobsTheOneLongestQuietMakesRoom() {
    var rule = JobRule(policy: .init(failures: 2))
    var actions: [JobRule.Action] = []
    func fail(_ index: Int, _ second: Int) {
      rule.handle(
        .ended(Job(index: index), run(1), .exited(code: 1)), at: at(Int64(second)), into: &actions)
    }
    // The first is told, and so it stays; the second is heard again.
    fail(0, 0)
    fail(0, 0)
    for index in 1..<JobRule.mostJobs { fail(index, index) }
    rule.handle(.ended(Job(index: 1), run(1), .unknown), at: at(2000), into: &actions)
    fail(5000, 2001)
    #expect(rule.remembers(Job(index: 0)) && rule.remembers(Job(index: 1)))
    #expect(!rule.remembers(Job(index: 2)) && rule.remembers(Job(index: 5000)))
    #expect(actions == [.began(failing(Job(index: 0), 2, since: 0))] && rule.missed == 0)
  }

  @Test func whereAllJobsAreInTroubleOrRunNoFurtherOneIsWatched() {
    var rule = JobRule(policy: .init())
    var actions: [JobRule.Action] = []
    for index in 0..<JobRule.mostJobs {
      rule.handle(.started(Job(index: index), run(Int32(index + 2))), at: at(0), into: &actions)
    }
    rule.handle(.started(Job(index: 5000), run(9999)), at: at(1), into: &actions)
    #expect(rule.missed == 1 && !rule.remembers(Job(index: 5000)))
    rule.handle(.ended(Job(index: 5000), run(9999), .exited(code: 1)), at: at(1), into: &actions)
    #expect(!rule.remembers(Job(index: 5000)))
    rule.handle(.ended(Job(index: 7), run(9), .exited(code: 0)), at: at(2), into: &actions)
    rule.handle(.started(Job(index: 5000), run(9999)), at: at(3), into: &actions)
    #expect(rule.missed == 1 && rule.remembers(Job(index: 5000)))
  }

  @Test func runsAreWatchedUpToANumber() {
    var rule = JobRule(policy: .init(maxDuration: .seconds(50)))
    var actions: [JobRule.Action] = []
    for number in 0...JobRule.mostRuns {
      rule.handle(.started(nightly, run(Int32(number + 2))), at: at(0), into: &actions)
    }
    #expect(rule.missed == 1)
    rule.handle(.woke, at: at(50), into: &actions)
    #expect(actions.count == JobRule.mostRuns)
  }

  @Test func timesAtTheEndOfTimeAreSurvived() {
    for limit in extremes {
      for moment in extremes {
        var rule = JobRule(
          policy: .init(
            failures: Int(limit), runs: .init(count: Int(limit), span: TimeSpan(nanoseconds: limit)),
            maxDuration: TimeSpan(nanoseconds: limit)))
        var actions: [JobRule.Action] = []
        let now = Instant(nanoseconds: moment)
        for other in extremes {
          let run = run(Int32(truncatingIfNeeded: other))
          rule.handle(.started(nightly, run, at: Instant(nanoseconds: other)), at: now, into: &actions)
          rule.handle(.woke, at: now, into: &actions)
          rule.handle(.ended(nightly, run, .exited(code: 1)), at: now, into: &actions)
        }
        rule.handle(.resumed, at: now, into: &actions)
        rule.handle(.woke, at: Instant(nanoseconds: .max), into: &actions)
        insist(rule.deadline == nil || limit <= 0, "\(limit) \(moment) \(String(describing: rule.deadline))")
      }
    }
  }
}
