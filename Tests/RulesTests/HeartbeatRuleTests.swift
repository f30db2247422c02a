import Rules
import Testing

@Suite struct HeartbeatRuleTests {
  let research = Agent(index: 0)
  let content = Agent(index: 1)
  let seo = Agent(index: 2)
  let publish = Agent(index: 3)

  /// research <- content <- publish, research <- seo, all stale after 900 s.
  func pipeline() -> HeartbeatRule {
    var rule = HeartbeatRule(startedAt: at(0))
    rule.setPolicy(.init(), for: research)
    rule.setPolicy(.init(needs: [research]), for: content)
    rule.setPolicy(.init(needs: [research]), for: seo)
    rule.setPolicy(.init(needs: [content]), for: publish)
    return rule
  }

  /// A beat written at the given second and seen at once, or later.
  func beat(_ agent: Agent, _ second: Int64, seenAt now: Int64? = nil) -> (
    Int64, HeartbeatRule.Observation
  ) {
    let now = now ?? second
    return (now, .beat(agent, written: wall(second), age: .seconds(now - second)))
  }

  func play(
    _ story: [(Int64, HeartbeatRule.Observation)], on rule: inout HeartbeatRule
  ) -> [[HeartbeatRule.Action]] {
    story.map { second, observation in
      var actions: [HeartbeatRule.Action] = []
      rule.handle(observation, at: at(second), into: &actions)
      return actions
    }
  }

  /// Plays a story and returns all that was asked for, in order.
  func tell(
    _ story: [(Int64, HeartbeatRule.Observation)], on rule: inout HeartbeatRule
  ) -> [HeartbeatRule.Action] {
    play(story, on: &rule).flatMap { $0 }
  }

  func outage(_ root: Agent, _ second: Int64?, _ standalone: [Agent] = []) -> HeartbeatRule.Action {
    .alert(.init(root: root, lastBeat: second.map { wall($0) }, standalone: standalone))
  }

  // MARK: One agent

  @Test func aSilentAgentIsMarkedAndAlertedOnceAndItsReturnToldOnce() {
    var rule = HeartbeatRule(startedAt: at(0))
    #expect(
      play(
        [
          beat(seo, 0), (0, .woke), beat(seo, 300), (1199, .woke), (1200, .woke), (5000, .woke),
          beat(seo, 6000), beat(seo, 6300), (6301, .woke),
        ], on: &rule) == [
          [.recover(seo)], [.rejoin(seo)], [], [],
          [.degrade(seo, lastBeat: wall(300)), outage(seo, 300)], [],
          [.recover(seo), .over(seo)], [], [],
        ])
    #expect(rule.deadline == at(7200))
  }

  @Test func aFirstSightAndAReloadAskToBeLookedAtAtOnce() {
    var rule = HeartbeatRule(startedAt: at(0))
    #expect(rule.deadline == nil)
    _ = tell([beat(seo, 5)], on: &rule)
    #expect(rule.deadline == at(5))
    _ = tell([(6, .woke)], on: &rule)
    #expect(rule.deadline == at(905))
    rule.setPolicy(.init(), for: seo)
    #expect(rule.deadline == at(6))
  }

  @Test func aBeatIsAsOldAsItIsFoundToBe() {
    var rule = HeartbeatRule(startedAt: at(0))
    #expect(
      play([beat(seo, -800, seenAt: 0), (0, .woke), (99, .woke), (100, .woke)], on: &rule) == [
        [.recover(seo)], [.rejoin(seo)], [],
        [.degrade(seo, lastBeat: wall(-800)), outage(seo, -800)],
      ])
  }

  @Test func aBeatThatIsStaleAtFirstSightWaitsForTheRestOfTheBatch() {
    var rule = HeartbeatRule(startedAt: at(0))
    #expect(play([beat(seo, -900, seenAt: 0)], on: &rule) == [[]])
    #expect(rule.deadline == at(0))
    #expect(
      play([(0, .woke)], on: &rule) == [
        [.degrade(seo, lastBeat: wall(-900)), .rejoin(seo), outage(seo, -900)]
      ])
    #expect(rule.deadline == nil)
  }

  @Test func aBeatDatedBackIsTakenAsItIs() {
    var rule = HeartbeatRule(startedAt: at(0))
    _ = tell([beat(seo, 0), (0, .woke)], on: &rule)
    #expect(
      tell([beat(seo, -2000, seenAt: 10), (10, .woke)], on: &rule) == [
        .degrade(seo, lastBeat: wall(-2000)), outage(seo, -2000),
      ])
  }

  @Test func theSameWriteSeenAgainIsNoBeat() {
    var rule = HeartbeatRule(startedAt: at(0))
    _ = tell([beat(seo, 0), (0, .woke)], on: &rule)
    #expect(
      tell(
        [(899, .beat(seo, written: wall(0), age: .zero)), (900, .woke)], on: &rule) == [
          .degrade(seo, lastBeat: wall(0)), outage(seo, 0),
        ])
  }

  @Test func theStatusSaysWhatIsKnown() throws {
    var rule = HeartbeatRule(startedAt: at(0))
    rule.setPolicy(.init(isExpected: true), for: research)
    #expect(rule.status(of: seo, at: at(0)) == nil)
    _ = tell([beat(seo, 0), (0, .woke), (900, .woke)], on: &rule)
    let silent = try #require(rule.status(of: seo, at: at(1000)))
    #expect(silent == (true, wall(0), .seconds(1000)))
    let waited = try #require(rule.status(of: research, at: at(1000)))
    #expect(waited == (true, nil, nil))
  }

  @Test func aLimitThatIsOffIsNeverStale() {
    var rule = HeartbeatRule(startedAt: at(0))
    rule.setPolicy(.init(staleAfter: TimeSpan(nanoseconds: .max), isExpected: true), for: seo)
    _ = tell([beat(seo, 0), (0, .woke)], on: &rule)
    #expect(rule.deadline == nil)
  }

  // MARK: expect, needs, deletion

  @Test func anExpectedAgentThatNeverBeatsIsSilentFromTheStart() {
    var rule = HeartbeatRule(startedAt: at(0))
    rule.setPolicy(.init(isExpected: true), for: seo)
    #expect(
      play([(0, .woke), (899, .woke), (900, .woke)], on: &rule) == [
        [], [], [.degrade(seo, lastBeat: nil), outage(seo, nil)],
      ])
    #expect(tell([beat(seo, 1000)], on: &rule) == [.recover(seo), .over(seo)])
  }

  @Test func anAgentThatIsExpectedOnlySinceAReloadIsGivenItsTime() {
    var rule = HeartbeatRule(startedAt: at(0))
    _ = tell([(5000, .woke)], on: &rule)
    rule.removePolicies()
    rule.setPolicy(.init(isExpected: true), for: seo)
    #expect(tell([(5000, .woke), (5899, .woke)], on: &rule) == [])
    #expect(tell([(5900, .woke)], on: &rule).first == .degrade(seo, lastBeat: nil))
  }

  @Test func aDeletedHeartbeatIsSilenceForWhomSomebodyWaits() {
    var expected = HeartbeatRule(startedAt: at(0))
    expected.setPolicy(.init(isExpected: true), for: research)
    var needed = HeartbeatRule(startedAt: at(0))
    needed.setPolicy(.init(needs: [research]), for: content)
    for var rule in [expected, needed] {
      _ = tell([beat(research, 0), (0, .woke)], on: &rule)
      let actions = tell([(10, .noBeat(research)), (10, .woke), (899, .woke)], on: &rule)
      #expect(actions == [])
      #expect(
        tell([(900, .woke)], on: &rule).contains(.degrade(research, lastBeat: wall(0))))
      #expect(tell([(950, .noBeat(research)), (950, .woke)], on: &rule) == [])
    }
  }

  @Test func anAgentInNeedsWhoseHeartbeatIsMissingIsSilentEvenIfItNeverBeat() {
    var rule = HeartbeatRule(startedAt: at(0))
    rule.setPolicy(.init(needs: [research]), for: content)
    #expect(tell([(5, .noBeat(research)), (5, .woke), (904, .woke)], on: &rule) == [])
    #expect(
      tell([(905, .woke)], on: &rule) == [
        .degrade(research, lastBeat: nil), .standAlone(content, without: [research]),
        outage(research, nil, [content]),
      ])
  }

  @Test func anyOtherAgentIsForgottenWhenItsHeartbeatIsDeleted() {
    var rule = HeartbeatRule(startedAt: at(0))
    _ = tell([beat(seo, 0), (0, .woke)], on: &rule)
    #expect(tell([(10, .noBeat(seo)), (5000, .woke)], on: &rule) == [.recover(seo)])
    #expect(rule.deadline == nil && rule.status(of: seo, at: at(10)) == nil)
  }

  @Test func anOutageEndsWhenTheAgentIsForgotten() {
    var rule = HeartbeatRule(startedAt: at(0))
    _ = tell([beat(seo, 0), (0, .woke), (900, .woke)], on: &rule)
    #expect(tell([(1000, .noBeat(seo))], on: &rule) == [.recover(seo), .over(seo)])
  }

  @Test func anAgentNobodyExpectsAnyMoreIsForgottenAfterAReload() {
    var rule = HeartbeatRule(startedAt: at(0))
    rule.setPolicy(.init(isExpected: true), for: seo)
    _ = tell([(900, .woke)], on: &rule)
    rule.removePolicies()
    #expect(tell([(901, .woke)], on: &rule) == [.recover(seo), .over(seo)])
  }
}
