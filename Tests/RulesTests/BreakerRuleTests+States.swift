import Rules
import Testing

extension BreakerRuleTests {
  // MARK: States

  @Test func furtherReasonsAreToldOncePerAgentWhileHalted() {
    var rule = breaker()
    _ = tell(
      births(1...4, by: writer, from: 0) + [(3, .observed(.haltStands(mine: true)))], on: &rule)
    #expect(
      tell(births(5...9, by: writer, from: 4) + births(10...15, by: editor, from: 9), on: &rule)
        == [.alsoTripped(tooMany(editor))])
  }

  @Test func itDoesNotTripAgainWhileHaltIsNotYetConfirmed() {
    #expect(
      tell(births(1...40, by: writer, from: 0)) == [.trip(tooMany(writer))])
  }

  @Test func aPersonsHaltForcesItOpenWithoutACoolDown() {
    var rule = breaker(pipeline: .init(coolDown: .seconds(60)))
    #expect(tell([(0, .observed(.haltStands(mine: false)))], on: &rule) == [])
    #expect(rule.state == .forcedOpen && rule.deadline == nil)
    #expect(tell(births(1...9, by: writer, from: 1), on: &rule) == [.alsoTripped(tooMany(writer))])
    _ = tell([(20, .observed(.haltGone))], on: &rule)
    #expect(rule.state == .closed)
  }

  @Test func ourTripThatFindsAPersonsHaltIsForcedOpen() {
    var rule = breaker(pipeline: .init(coolDown: .seconds(60)))
    _ = tell(
      births(1...4, by: writer, from: 0) + [(3, .observed(.haltStands(mine: false)))], on: &rule)
    #expect(rule.state == .forcedOpen && rule.deadline == nil)
  }

  @Test func whenHaltIsGoneEverythingStartsAnew() {
    var rule = breaker(pipeline: .init(limit: .init(count: 5, span: .seconds(500))))
    _ = tell(
      births(1...4, by: writer, from: 0) + [
        (4, .text(0, 1, by: writer)), (4, .text(0, 2, by: writer)),
        (5, .observed(.haltStands(mine: true))), (10, .observed(.haltGone)),
      ], on: &rule)
    #expect(rule.state == .closed && rule.count(of: writer, at: at(10)) == (0, 0))
    #expect(!rule.knows(name(1)))
    // Nothing before it counts again, not even where a rescan finds it.
    let rescan: [(Int64, Step)] = (1...4).map { (11, .born($0, by: writer, at: Int64($0) - 1)) }
    let old: [(Int64, Step)] = (1...4).map { (11, .text(0, $0, by: writer, at: 9)) }
    #expect(tell([(11, .text(0, 30, by: writer))], on: &rule) == [])
    #expect(tell(rescan + old + births(11...13, by: writer, from: 11), on: &rule) == [])
    #expect(tell([(14, .born(14, by: writer))], on: &rule) == [.trip(tooMany(writer))])
  }

  @Test func haltGoneWhileClosedChangesNothing() {
    var rule = breaker()
    let story =
      births(1...3, by: writer, from: 0) + [(3, .observed(.haltGone)), (4, .born(4, by: writer))]
    #expect(tell(story, on: &rule) == [.trip(tooMany(writer))])
  }

  @Test func withoutACoolDownItStaysOpen() {
    var rule = breaker()
    _ = tell(births(1...4, by: writer, from: 0), on: &rule)
    #expect(rule.deadline == nil)
    #expect(tell([(1_000_000, .observed(.woke))], on: &rule) == [])
  }

  /// Tripped at 3 with a cool-down of 60 s, half-open since 63 for 100 s.
  func halfOpen(probes: Int = 1) -> BreakerRule {
    var rule = breaker(pipeline: .init(coolDown: .seconds(60), probes: probes))
    let actions = tell(
      births(1...4, by: writer, from: 0) + [
        (3, .observed(.haltStands(mine: true))), (62, .observed(.woke)), (63, .observed(.woke)),
        (63, .observed(.haltGone)),
      ], on: &rule)
    #expect(actions == [.trip(tooMany(writer)), .probe])
    #expect(rule.state == .halfOpen && rule.deadline == at(163))
    return rule
  }

  @Test func afterTheCoolDownAWindowWithinTheProbesCloses() {
    var rule = halfOpen()
    #expect(tell([(70, .born(1, by: writer)), (70, .born(1, by: writer))], on: &rule) == [])
    #expect(tell([(162, .observed(.woke)), (163, .observed(.woke))], on: &rule) == [.close])
    #expect(rule.state == .closed && rule.deadline == nil)
  }

  @Test func haltGoneAgainWhileHalfOpenChangesNothing() {
    var rule = halfOpen()
    let story: [(Int64, Step)] = [
      (70, .born(1, by: writer)), (80, .observed(.haltGone)), (90, .born(2, by: writer)),
    ]
    #expect(tell(story, on: &rule).count == 1)
  }

  @Test func halfOpenLastsForTheWindowOfWhatTripped() {
    var rule = breaker(pipeline: .init(coolDown: .seconds(60)))
    let story: [(Int64, Step)] =
      (1...3).map { (0, .text(0, $0, by: writer)) }
      + [(60, .observed(.woke)), (60, .observed(.haltGone))]
    #expect(tell(story, on: &rule).count == 2)
    #expect(rule.state == .halfOpen && rule.deadline == at(1060))
    // Also after it failed once, on a probe.
    _ = tell(
      births(1...2, by: writer, from: 70) + [(191, .observed(.woke)), (191, .observed(.haltGone))],
      on: &rule)
    #expect(rule.state == .halfOpen && rule.deadline == at(1191))
  }

  @Test func aBurstAcrossTheClosingCannotEscape() {
    var rule = halfOpen()
    let story: [(Int64, Step)] =
      [(160, .born(1, by: writer))] + births(2...4, by: writer, from: 163)
    #expect(tell(story, on: &rule) == [.close, .trip(tooMany(writer))])
  }

  @Test func oneMoreThanTheProbesOpensAgainForTwiceAsLong() {
    var rule = halfOpen()
    let again = BreakerRule.Trip(agent: editor, cause: .probes(allowed: 1))
    #expect(
      play([(70, .born(1, by: writer)), (71, .born(2, by: editor))], on: &rule) == [
        [], [.trip(again)],
      ])
    #expect(rule.state == .open && rule.deadline == at(71 + 120))
    #expect(tell([(191, .observed(.woke)), (191, .observed(.haltGone))], on: &rule) == [.probe])
    #expect(rule.state == .halfOpen && rule.deadline == at(291))
    _ = tell(births(5...6, by: writer, from: 200), on: &rule)
    #expect(rule.deadline == at(201 + 240))
  }

  @Test func probesAreCountedOverThePipeline() {
    var rule = halfOpen(probes: 2)
    let story: [(Int64, Step)] = [
      (70, .born(1, by: writer)), (71, .born(2, by: editor)), (72, .born(3, by: Agent(index: 9))),
    ]
    #expect(
      tell(story, on: &rule) == [
        .trip(.init(agent: Agent(index: 9), cause: .probes(allowed: 2)))
      ])
  }

  @Test func theCoolDownGrowsToEightHoursAndResetsWhenItCloses() throws {
    var rule = breaker(pipeline: .init(coolDown: .seconds(3600)))
    var now: Int64 = 3
    var waits: [Int64] = []
    _ = tell(births(1...4, by: writer, from: 0), on: &rule)
    for round in 0..<6 {
      let due = try #require(rule.deadline)
      let wait = (due - at(now)).seconds
      waits.append(wait)
      now += wait
      let births = self.births(100 + 2 * round...101 + 2 * round, by: writer, from: now)
      _ = tell(
        [(now, .observed(.woke)), (now, .observed(.haltGone))] + births, on: &rule)
      now += 1
    }
    #expect(waits == [3600, 7200, 14400, 28800, 28800, 28800])
    // A person resumes: from the beginning.
    _ = tell([(now, .observed(.haltGone))] + births(1...4, by: writer, from: now), on: &rule)
    #expect(rule.deadline == at(now + 3 + 3600))
  }

  @Test func aWindowThatGoesWellResetsTheCoolDown() {
    var rule = halfOpen()
    _ = tell(births(1...2, by: writer, from: 70), on: &rule)
    _ = tell(
      [(191, .observed(.woke)), (191, .observed(.haltGone)), (291, .observed(.woke))], on: &rule)
    #expect(rule.state == .closed)
    _ = tell(births(1...4, by: writer, from: 300), on: &rule)
    #expect(rule.deadline == at(363))
  }

  @Test func aPersonWhoResumesBeforeTheCoolDownClosesIt() {
    var rule = breaker(pipeline: .init(coolDown: .seconds(60)))
    _ = tell(births(1...4, by: writer, from: 0) + [(10, .observed(.haltGone))], on: &rule)
    #expect(rule.state == .closed && rule.deadline == nil)
  }

  @Test func aProbeThatCouldNotRemoveHaltIsTriedAgain() {
    var rule = breaker(pipeline: .init(coolDown: .seconds(60)))
    _ = tell(births(1...4, by: writer, from: 0), on: &rule)
    let story: [(Int64, Step)] = [
      (63, .observed(.woke)), (63, .observed(.haltStands(mine: true))), (122, .observed(.woke)),
      (123, .observed(.woke)),
    ]
    #expect(play(story, on: &rule) == [[.probe], [], [], [.probe]])
    _ = tell(
      [(124, .observed(.haltStands(mine: true))), (130, .observed(.haltGone))], on: &rule)
    #expect(rule.state == .closed)
  }

  @Test func afterARestartOurHaltIsOpenWithoutANewTripAndTheCoolDownCountsFromNow() {
    var rule = breaker(pipeline: .init(coolDown: .seconds(60)))
    let story: [(Int64, Step)] = [
      (1000, .observed(.haltStands(mine: true))), (1010, .observed(.haltStands(mine: true))),
    ]
    #expect(tell(story, on: &rule) == [])
    #expect(rule.state == .open && rule.deadline == at(1060))
    #expect(
      tell([(1060, .observed(.woke)), (1060, .observed(.haltGone))], on: &rule) == [.probe])
    #expect(rule.deadline == at(1160))
  }

  @Test func aCoolDownOfNothingDoesNotKeepTheLoopAwake() {
    var rule = breaker(pipeline: .init(coolDown: .zero))
    _ = tell(births(1...4, by: writer, from: 0), on: &rule)
    #expect(rule.deadline == at(4))
  }

  @Test func noTimeMakesItTrap() {
    for span in extremes {
      for when in extremes {
        for now in extremes {
          let limit = BreakerRule.Limit(
            count: Int(truncatingIfNeeded: span), span: TimeSpan(nanoseconds: span))
          var rule = BreakerRule(
            pipeline: .init(
              limit: limit, coolDown: TimeSpan(nanoseconds: span),
              probes: Int(truncatingIfNeeded: span)))
          let odd = Agent(index: Int(truncatingIfNeeded: when))
          rule.setPolicy(.init(limit: limit, similar: limit), for: odd)
          let (now, when) = (Instant(nanoseconds: now), Instant(nanoseconds: when))
          var actions: [BreakerRule.Action] = []
          for number in 0..<3 {
            rule.born(name(number), by: odd, at: when, now: now, into: &actions)
            rule.text(0, name: name(number), by: odd, at: when, now: now, into: &actions)
            rule.handle(.woke, at: now, into: &actions)
            rule.handle(.haltGone, at: now, into: &actions)
            _ = (rule.deadline, rule.count(of: odd, at: now))
          }
        }
      }
    }
  }
}
