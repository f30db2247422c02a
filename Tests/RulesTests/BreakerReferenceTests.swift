import Rules
import Testing

/// The breaker against a list of all births, counted from the beginning each time.
@Suite struct BreakerReferenceTests {
  struct Birth {
    var when: Int64
    var key: NameKey
    var agent: Agent
    var isNamed = true
  }

  @Test(arguments: 0..<200) func itTripsExactlyWhereCountingByHandDoes(seed: UInt64) {
    var dice = Dice(seed: seed)
    let count = dice.roll(4) == 0 ? 30 + dice.roll(40) : 1 + dice.roll(12)
    let span = Int64(20 + dice.roll(200))
    let pipelineCount = count * 2
    var rule = BreakerRule(
      pipeline: .init(
        limit: dice.roll(2) == 0 ? .init(count: pipelineCount, span: .seconds(span)) : nil))
    let hasPipeline = rule.pipeline.limit != nil
    rule.defaultPolicy = .init(limit: .init(count: count, span: .seconds(span)), similar: nil)

    var births: [Birth] = []
    var now: Int64 = 0
    var trips = 0
    var closedAt = Int64.min
    var pace = 1
    for step in 0..<2000 {
      // Sometimes sparse, sometimes a burst.
      if step % 100 == 0 {
        pace = dice.roll(2) == 0 ? 1 : 1 + dice.roll(Int(span) / (count + 1) + 2)
      }
      if dice.roll(3) != 0 { now += Int64(dice.roll(pace)) }
      if dice.roll(300) == 0 { now += span }
      let key = NameKey(directory: 1, name: UInt64(dice.roll(4 * count + 4)))
      var actions: [BreakerRule.Action] = []
      switch dice.roll(10) {
      case 0:
        rule.gone(key)
        for place in births.indices where births[place].key == key { births[place].isNamed = false }
      case 1:
        let other = NameKey(directory: 2, name: UInt64(dice.roll(4 * count + 4)))
        let isKnown = births.contains { $0.isNamed && $0.key == key && $0.when > now - span }
        guard isKnown else { continue }
        rule.moved(from: key, to: other)
        for place in births.indices where births[place].key == other {
          births[place].isNamed = false
        }
        for place in births.indices where births[place].key == key && births[place].isNamed {
          births[place].key = other
        }
      default:
        let agent = Agent(index: dice.roll(2))
        let when = dice.roll(5) == 0 ? now - Int64(dice.roll(Int(span) + 10)) : now
        rule.born(key, by: agent, at: at(when), now: at(now), into: &actions)
        births.removeAll { $0.when <= now - span }
        if when > now - span, when >= closedAt,
          !births.contains(where: { $0.isNamed && $0.key == key })
        {
          births.append(Birth(when: when, key: key, agent: agent))
        }
        let mine = births.count { $0.agent == agent }
        insist(rule.count(of: agent, at: at(now)).inWindow == mine)
        var expected: [BreakerRule.Action] = []
        let limit = BreakerRule.Limit(count: count, span: .seconds(span))
        if mine > count {
          expected = [.trip(.init(agent: agent, cause: .tooMany(limit: limit, counted: mine)))]
        } else if hasPipeline, births.count > pipelineCount {
          let limit = BreakerRule.Limit(count: pipelineCount, span: .seconds(span))
          expected = [
            .trip(
              .init(agent: agent, cause: .pipelineTooMany(limit: limit, counted: births.count)))
          ]
        }
        insist(actions == expected, "\(actions) instead of \(expected)")
        if !expected.isEmpty {
          trips += 1
          now += 1
          closedAt = now
          rule.handle(.haltGone, at: at(now), into: &actions)
          births.removeAll()
          insist(rule.state == .closed)
        }
      }
    }
    #expect(trips > 0)
  }

  /// A scan in any order finds what living through it found.
  @Test(arguments: 0..<50) func aRescanEqualsHavingWatched(seed: UInt64) {
    var dice = Dice(seed: seed)
    let births = (0..<60).map { number in (number, at(Int64(dice.roll(90)))) }
    var watched = BreakerRule(pipeline: .init())
    watched.defaultPolicy = .init(limit: .init(count: 1000, span: .seconds(100)), similar: nil)
    var scanned = watched
    var actions: [BreakerRule.Action] = []
    let agent = Agent(index: 0)
    func born(_ birth: (Int, Instant), now: Instant, _ rule: inout BreakerRule) {
      let key = NameKey(directory: 1, name: UInt64(birth.0))
      rule.born(key, by: agent, at: birth.1, now: now, into: &actions)
    }
    for birth in births.sorted(by: { $0.1 < $1.1 }) { born(birth, now: birth.1, &watched) }
    for birth in births + births { born(birth, now: at(90), &scanned) }
    for second in 90..<200 as Range<Int64> {
      insist(
        watched.count(of: agent, at: at(second)) == scanned.count(of: agent, at: at(second)))
    }
  }

  @Test func aLimitOfAMillionIsCountedInAMoment() {
    var rule = BreakerRule(pipeline: .init())
    let limit = BreakerRule.Limit(count: 100_000, span: .seconds(1_000_000))
    rule.defaultPolicy = .init(limit: limit, similar: nil)
    var actions: [BreakerRule.Action] = []
    // Backwards: the worst order for a log that is kept sorted.
    for number in 0...100_000 as ClosedRange<Int64> {
      let key = NameKey(directory: 1, name: UInt64(number))
      rule.born(
        key, by: Agent(index: 0), at: at(100_000 - number), now: at(100_000), into: &actions)
      insist(actions.isEmpty == (number < 100_000))
    }
    #expect(
      actions == [
        .trip(.init(agent: Agent(index: 0), cause: .tooMany(limit: limit, counted: 100_001)))
      ])
  }
}
