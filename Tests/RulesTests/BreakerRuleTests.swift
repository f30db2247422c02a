import Rules
import Testing

@Suite struct BreakerRuleTests {
  let writer = Agent(index: 0)
  let editor = Agent(index: 1)

  /// What can happen to the breaker, so that a story can be told.
  enum Step {
    case born(Int, by: Agent, at: Int64? = nil)
    case gone(Int)
    case moved(Int, Int)
    case text(UInt64, Int, by: Agent, at: Int64? = nil)
    case observed(BreakerRule.Observation)
    case scan(seen: [Int])
  }

  func name(_ number: Int) -> NameKey { NameKey(directory: 1, name: UInt64(number)) }

  /// Three within 100 s, and three texts within 1000 s.
  func breaker(
    pipeline: BreakerRule.PipelinePolicy = .init(), limit: Int? = 3, similar: Int? = 3
  ) -> BreakerRule {
    var rule = BreakerRule(pipeline: pipeline)
    rule.defaultPolicy = .init(
      limit: limit.map { .init(count: $0, span: .seconds(100)) },
      similar: similar.map { .init(count: $0, span: .seconds(1000)) })
    return rule
  }

  func play(_ story: [(Int64, Step)], on rule: inout BreakerRule) -> [[BreakerRule.Action]] {
    story.map { second, step in
      var actions: [BreakerRule.Action] = []
      let now = at(second)
      switch step {
      case .born(let number, let agent, let when):
        rule.born(name(number), by: agent, at: at(when ?? second), now: now, into: &actions)
      case .gone(let number): rule.gone(name(number))
      case .moved(let from, let to): rule.moved(from: name(from), to: name(to))
      case .text(let fingerprint, let number, let agent, let when):
        rule.text(
          fingerprint, name: name(number), by: agent, at: at(when ?? second), now: now,
          into: &actions)
      case .observed(let observation): rule.handle(observation, at: now, into: &actions)
      case .scan(let seen):
        rule.beginScan()
        for number in seen { rule.sawInScan(name(number)) }
        rule.endScan()
      }
      return actions
    }
  }

  func tell(_ story: [(Int64, Step)], on rule: inout BreakerRule) -> [BreakerRule.Action] {
    play(story, on: &rule).flatMap { $0 }
  }

  func tell(_ story: [(Int64, Step)]) -> [BreakerRule.Action] {
    var rule = breaker()
    return tell(story, on: &rule)
  }

  /// Births of so many names in a row, one a second.
  func births(_ numbers: ClosedRange<Int>, by agent: Agent, from second: Int64) -> [(Int64, Step)] {
    numbers.enumerated().map { (second + Int64($0.offset), .born($0.element, by: agent)) }
  }

  func tooMany(_ agent: Agent, _ limit: Int = 3) -> BreakerRule.Trip {
    .init(
      agent: agent,
      cause: .tooMany(limit: .init(count: limit, span: .seconds(100)), counted: limit + 1))
  }

  // MARK: What counts

  @Test func itTripsAtTheOneAfterTheLimitAndNotBefore() {
    var rule = breaker()
    #expect(
      play(births(1...6, by: writer, from: 0), on: &rule) == [
        [], [], [], [.trip(tooMany(writer))], [], [],
      ])
    #expect(rule.state == .open)
    #expect(rule.count(of: writer, at: at(5)) == (4, 6))
  }

  @Test func aBurstAcrossABoundaryCannotEscape() {
    let story: [(Int64, Step)] = [
      (0, .born(1, by: writer)), (98, .born(2, by: writer)), (99, .born(3, by: writer)),
      (101, .born(4, by: writer)), (102, .born(5, by: writer)),
    ]
    var rule = breaker()
    #expect(play(story, on: &rule) == [[], [], [], [], [.trip(tooMany(writer))]])
  }

  @Test func oneThatIsExactlyAWindowOldIsOutside() {
    #expect(tell(births(1...3, by: writer, from: 0) + [(100, .born(4, by: writer))]) == [])
    #expect(tell(births(1...3, by: writer, from: 0) + [(99, .born(4, by: writer))]).count == 1)
  }

  @Test func theBirthsBehindATripAreThoseOfItsWindow() {
    var rule = breaker()
    let late: [(Int64, Step)] = [(150, .born(6, by: writer, at: 140)), (151, .born(7, by: editor))]
    _ = tell(births(1...3, by: writer, from: 0) + births(4...5, by: writer, from: 149) + late, on: &rule)
    let ages: [TimeSpan] = [.seconds(20), .seconds(11), .seconds(10)]
    #expect(rule.births(of: writer, at: at(160), atMost: 9) == ages)
    #expect(rule.births(of: writer, at: at(160), atMost: 2) == Array(ages.suffix(2)))
    #expect(rule.births(of: writer, at: at(240), atMost: 9) == [.seconds(91), .seconds(90)])
    #expect(rule.births(of: Agent(index: 7), at: at(160), atMost: 9) == [])
  }

  @Test func agentsAreCountedApart() {
    #expect(
      tell(births(1...3, by: writer, from: 0) + births(4...6, by: editor, from: 3)) == [])
  }

  @Test func aRewrittenNameCountsOnce() {
    var rule = breaker()
    #expect(tell((0..<50).map { (Int64($0), .born(1, by: writer)) }, on: &rule) == [])
    #expect(rule.count(of: writer, at: at(50)) == (1, 1))
    // Its birth has left the window: from here on it is new.
    #expect(rule.knows(name(1), at: at(99)) && !rule.knows(name(1), at: at(100)))
    _ = tell([(100, .born(1, by: writer))], on: &rule)
    #expect(rule.count(of: writer, at: at(100)) == (1, 2))
  }

  @Test func aConsumedNameThatIsMadeAgainCountsEachTime() {
    let story: [(Int64, Step)] = (0..<4).flatMap {
      [(Int64($0), .born(1, by: writer)), (Int64($0), .gone(1))]
    }
    #expect(tell(story) == [.trip(tooMany(writer))])
  }

  @Test func aRenameWithinTheTreeIsNoBirthAndTheCountFollowsTheName() {
    var rule = breaker()
    let story: [(Int64, Step)] =
      births(1...3, by: writer, from: 0)
      + [(5, .moved(1, 10)), (6, .born(10, by: writer)), (6, .born(3, by: writer))]
    #expect(tell(story, on: &rule) == [])
    #expect(rule.knows(name(10)) && !rule.knows(name(1)))
    #expect(tell([(7, .born(1, by: writer))], on: &rule) == [.trip(tooMany(writer))])
  }

  @Test func aRenameOverAKnownNameKeepsBothBirths() {
    var rule = breaker()
    _ = tell(
      births(1...2, by: writer, from: 0)
        + [(5, .moved(1, 2)), (5, .moved(9, 2)), (5, .moved(2, 2))], on: &rule)
    #expect(rule.count(of: writer, at: at(5)) == (2, 2))
    #expect(rule.knows(name(2)) && !rule.knows(name(1)))
    // Both leave in their time, and with them the name.
    _ = tell([(150, .born(3, by: writer))], on: &rule)
    #expect(!rule.knows(name(2)))
  }

  @Test func aNameThatWasMovedOverOutlivesTheBirthItHadBefore() {
    var rule = breaker()
    _ = tell(
      [(0, .born(2, by: writer)), (50, .born(1, by: writer)), (60, .moved(1, 2))], on: &rule)
    // The first birth leaves the window, the second and the name stay.
    _ = tell([(120, .born(3, by: writer))], on: &rule)
    #expect(rule.knows(name(2)) && rule.count(of: writer, at: at(120)) == (2, 3))
  }

  @Test func birthsFoundByARescanAreCountedWhenTheyWere() {
    var rule = breaker()
    let late: [(Int64, Step)] = [
      (200, .born(1, by: writer, at: 100)), (200, .born(2, by: writer, at: 199)),
      (200, .born(3, by: writer, at: 120)), (200, .born(4, by: writer, at: 110)),
    ]
    #expect(tell(late, on: &rule) == [])
    #expect(rule.count(of: writer, at: at(200)) == (3, 3))
    #expect(rule.count(of: writer, at: at(215)) == (2, 3))
    #expect(tell([(215, .born(5, by: writer))], on: &rule) == [])
    #expect(tell([(216, .born(6, by: writer))], on: &rule) == [.trip(tooMany(writer))])
  }

  @Test func aBirthDatedAheadCountsNow() {
    let story: [(Int64, Step)] = (0..<4).map {
      (Int64($0), .born($0, by: writer, at: 1_000_000))
    }
    #expect(tell(story).count == 1)
    #expect(tell(story.dropLast() + [(500, .born(9, by: writer))]) == [])
  }

  @Test func aNameThatAFullScanDidNotSeeIsGone() {
    var rule = breaker()
    let story: [(Int64, Step)] =
      births(1...3, by: writer, from: 0) + [
        (4, .scan(seen: [2, 3, 77])), (5, .born(2, by: writer)),
      ]
    #expect(tell(story, on: &rule) == [])
    #expect(!rule.knows(name(1)) && rule.knows(name(2)))
    #expect(tell([(6, .born(1, by: writer))], on: &rule) == [.trip(tooMany(writer))])
  }

  @Test func aNameBornOrMovedDuringAScanIsNotLost() {
    var rule = breaker()
    _ = tell(births(1...1, by: writer, from: 0), on: &rule)
    rule.endScan()
    #expect(rule.knows(name(1)))
    rule.beginScan()
    _ = tell([(1, .born(2, by: writer)), (1, .moved(1, 3))], on: &rule)
    rule.endScan()
    #expect(rule.knows(name(2)) && rule.knows(name(3)))
  }

  @Test func whatWasBeforeTheFirstStartDoesNotCount() {
    var rule = breaker()
    rule.countsSince = at(50)
    #expect(tell((1...9).map { (60, .born($0, by: writer, at: 49)) }, on: &rule) == [])
    #expect(tell((1...4).map { (60, .born($0, by: writer, at: 50)) }, on: &rule).count == 1)
  }

  @Test func thePipelineHasALimitOfItsOwn() {
    let limit = BreakerRule.Limit(count: 4, span: .seconds(300))
    var rule = breaker(pipeline: .init(limit: limit))
    let story: [(Int64, Step)] =
      births(1...2, by: writer, from: 0) + births(3...4, by: editor, from: 2)
      // Known to the pipeline, whose window is longer, though not to the agent.
      + [(150, .born(1, by: writer)), (151, .born(5, by: editor))]
    #expect(
      tell(story, on: &rule) == [
        .trip(.init(agent: editor, cause: .pipelineTooMany(limit: limit, counted: 5)))
      ])
  }

  @Test func limitsCanBeOffAndPerAgent() {
    var rule = breaker(limit: nil, similar: nil)
    #expect(tell(births(1...400, by: writer, from: 0), on: &rule) == [])
    #expect(rule.count(of: writer, at: at(399)).total == 400)
    #expect(tell((0..<9).map { (400, .text(1, $0, by: writer)) }, on: &rule) == [])
    rule.setPolicy(.init(limit: .init(count: 1, span: .seconds(100)), similar: nil), for: editor)
    #expect(
      tell(births(500...501, by: editor, from: 400), on: &rule) == [.trip(tooMany(editor, 1))])
    rule.removePolicies()
    #expect(
      tell([(402, .observed(.haltGone))] + births(1...9, by: editor, from: 402), on: &rule) == [])
  }

  @Test func whatIsOffCountsNothing() {
    var rule = breaker()
    rule.isOff = true
    #expect(
      tell(
        births(1...9, by: writer, from: 0) + (1...9).map { (9, .text(1, $0, by: writer)) },
        on: &rule)
        == [])
    #expect(rule.state == .off && rule.deadline == nil)
    rule.isOff = false
    #expect(rule.state == .closed && rule.count(of: writer, at: at(9)) == (0, 0))
  }

  @Test func aLimitOfNothingTripsAtTheFirst() {
    for count in [0, -1, Int.min] {
      var rule = breaker(limit: count)
      #expect(tell([(0, .born(1, by: writer))], on: &rule).count == 1)
    }
  }
}
