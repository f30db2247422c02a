import Rules
import Testing

@Suite struct MemoryRuleTests {
  typealias Action = MemoryRule.Action

  /// What a row of levels, half a minute apart, leads to; one string a level.
  func tell(_ levels: [Int], _ policy: MemoryRule.Policy = .init(), isShort: Bool = false) -> [String] {
    var rule = MemoryRule(policy: policy, startedAt: at(0), isShort: isShort)
    return levels.enumerated().map { index, percent in
      var actions: [Action] = []
      rule.handle(.level(percent: percent), at: at(Int64(index) * 30), into: &actions)
      return actions.map(word).joined(separator: " ")
    }
  }

  func word(_ action: Action) -> String {
    switch action {
    case .read: "read"
    case .warn: "warn"
    case .short: "short"
    case .over: "over"
    case .eased: "eased"
    }
  }

  /// Plays a story in seconds and answers each wish for a level with `percent`.
  func play(_ story: [(Int64, MemoryRule.Observation)], on rule: inout MemoryRule, percent: Int) -> [[Action]] {
    story.map { second, observation in
      var actions: [Action] = []
      rule.handle(observation, at: at(second), into: &actions)
      if actions.contains(.read) { rule.handle(.level(percent: percent), at: at(second), into: &actions) }
      return actions
    }
  }

  // MARK: Thresholds

  @Test func aWarningAnAlertAndItsEndAreEachToldOnce() {
    #expect(
      tell([50, 79, 80, 85, 86, 87, 95, 87, 86, 80, 79, 76, 75, 74, 80])
        == ["", "", "warn", "", "", "short", "", "", "", "", "over", "", "", "eased", "warn"])
  }

  @Test func whatIsShortAtOnceIsNotWarnedOfFirst() {
    #expect(tell([90, 82, 79, 70, 90, 10]) == ["short", "", "over", "eased", "short", "over eased"])
  }

  @Test func thresholdsAreReachedExactly() {
    #expect(tell([79, 80]) == ["", "warn"])
    #expect(tell([86, 87]) == ["warn", "short"])
    #expect(tell([87, 80, 79]) == ["short", "", "over"])
    #expect(tell([80, 75, 74]) == ["warn", "", "eased"])
  }

  @Test func aLevelThatHoversAroundAThresholdIsToldOnce() {
    for policy in [MemoryRule.Policy(), .init(warn: 80, act: 80), .init(warn: 80, act: 82), .init(warn: 60, act: 100)] {
      for threshold in [policy.warn, policy.act ?? 0] {
        let hovering = (0..<200).map { threshold + [-2, 1, -1, 0, 2, -3][$0 % 6] }
        let told = tell(hovering, policy).joined(separator: " ").split(separator: " ")
        #expect(told.filter { $0 == "warn" }.count <= 1)
        #expect(told.filter { $0 == "short" }.count <= 1)
      }
    }
  }

  @Test func withoutActNothingIsEverShort() {
    #expect(tell([79, 81, 100, 74], .init(warn: 80, act: nil)) == ["", "warn", "", "eased"])
  }

  @Test func anAlertFromBeforeARestartIsEndedAndNotToldAgain() {
    #expect(tell([90, 85, 79], isShort: true) == ["", "", "over"])
    #expect(tell([20], isShort: true) == ["over eased"])
  }

  @Test func anActBelowWarnDoesNotFlap() {
    // The configuration refuses it; the rule does not depend on that.
    #expect(tell([70, 69, 66, 65, 64, 90], .init(warn: 80, act: 70)) == ["short", "", "", "", "over eased", "short"])
  }

  @Test func newThresholdsAreLookedAtSoon() {
    var rule = MemoryRule(startedAt: at(0))
    _ = play([(0, .woke)], on: &rule, percent: 60)
    #expect(rule.deadline == nil)
    rule.policy = .init(warn: 50, act: 60)
    #expect(rule.deadline.map { $0 <= at(10) } == true)
    #expect(play([(10, .woke)], on: &rule, percent: 60) == [[.read, .short(percent: 60)]])
    rule.policy = .init(warn: 50, act: nil)
    #expect(play([(20, .woke)], on: &rule, percent: 60) == [[.read, .over(percent: 60)]])
    #expect(!rule.isShort)
  }

  // MARK: When the level is read

  @Test func aCalmMachineIsReadOnceAtTheStart() {
    var rule = MemoryRule(startedAt: at(0))
    #expect(rule.deadline == at(0))
    #expect(play([(0, .woke), (1, .woke), (1000, .woke)], on: &rule, percent: 74) == [[.read], [], []])
    #expect(rule.deadline == nil)
    #expect(rule.level == 74)
  }

  @Test func withinFivePointsOfTheWarningItIsReadEveryHalfMinute() {
    var rule = MemoryRule(startedAt: at(0))
    #expect(play([(0, .woke), (29, .woke), (30, .woke)], on: &rule, percent: 75) == [[.read], [], [.read]])
    #expect(rule.deadline == at(60))
  }

  @Test func whileABrowserLivesItIsReadEveryHalfMinute() {
    var rule = MemoryRule(startedAt: at(0))
    _ = play([(0, .woke)], on: &rule, percent: 20)
    #expect(rule.deadline == nil)
    #expect(
      play([(100, .watched(true)), (110, .watched(true)), (130, .woke)], on: &rule, percent: 20) == [[.read], [], [.read]])
    #expect(rule.deadline == at(160))
    #expect(play([(140, .watched(false))], on: &rule, percent: 20) == [[]])
    #expect(rule.deadline == nil)
  }

  @Test func pressureAsksAtOnceAndOnceInAWindow() {
    var rule = MemoryRule(startedAt: at(0))
    _ = play([(0, .woke)], on: &rule, percent: 20)
    #expect(
      play([(100, .pressed), (101, .pressed), (101, .pressed), (102, .woke), (103, .woke)], on: &rule, percent: 20)
        == [[.read], [], [], [.read], []])
    #expect(rule.deadline == nil)
  }

  @Test func pressureAloneDecidesNothing() {
    var rule = MemoryRule(startedAt: at(0))
    for second in 0..<100 as Range<Int64> {
      #expect(play([(second * 2, .pressed)], on: &rule, percent: 40) == [[.read]])
    }
    #expect(!rule.isShort && !rule.isTight)
  }

  @Test func withoutTheTriggerItIsReadAtAnEvenPace() {
    var rule = MemoryRule(startedAt: at(0))
    _ = play([(0, .woke)], on: &rule, percent: 20)
    rule.hasTrigger = false
    _ = play([(10, .woke)], on: &rule, percent: 20)
    #expect(rule.deadline == at(40))
  }

  @Test func aLevelThatNobodyCanReadIsNotAskedForWithoutAPause() {
    var rule = MemoryRule(startedAt: at(0))
    var actions: [Action] = []
    rule.handle(.woke, at: at(0), into: &actions)
    #expect(actions == [.read])
    #expect(rule.deadline == nil)
    rule.handle(.watched(true), at: at(1), into: &actions)
    #expect(rule.deadline == at(30))
  }
}
