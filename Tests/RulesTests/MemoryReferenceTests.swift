import Rules
import Testing

/// What the rule is to hold of memory, said of the whole history at once and not step by step.
private struct History {
  let policy: MemoryRule.Policy
  var levels: [Int] = []

  /// Reached since it was last below where it ends.
  private func holds(from reached: Int, until left: Int) -> Bool {
    levels[(levels.lastIndex { $0 < left }.map { $0 + 1 } ?? 0)...].contains { $0 >= reached }
  }

  private var act: Int { policy.act ?? 1000 }
  private var warn: Int { min(policy.warn, act) }
  var isShort: Bool { policy.act != nil && holds(from: act, until: max(1, min(warn, act - 5))) }
  var isTight: Bool { isShort || holds(from: warn, until: max(1, warn - 5)) }
  var isNear: Bool { levels.last.map { $0 >= warn - 5 } ?? false }
}

@Suite struct MemoryReferenceTests {
  /// Levels that wander, jump and hover.
  private func next(_ level: Int, _ dice: inout Dice) -> Int {
    let step = dice.roll(20) == 0 ? dice.roll(101) - level : dice.roll(9) - 4
    return min(100, max(0, level + step))
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func itHoldsWhatTheWholeHistoryHolds(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    let warn = dice.roll(101)
    let policy = MemoryRule.Policy(
      warn: warn, act: dice.roll(5) == 0 ? nil : dice.roll(10) == 0 ? dice.roll(101) : min(100, warn + dice.roll(12)))
    var history = History(policy: policy)
    var rule = MemoryRule(policy: policy, startedAt: at(0))
    var level = dice.roll(101)
    for step in 0..<150 as Range<Int64> {
      level = next(level, &dice)
      let (wasShort, wasTight) = (rule.isShort, rule.isTight)
      history.levels.append(level)
      var actions: [MemoryRule.Action] = []
      rule.handle(.level(percent: level), at: at(step), into: &actions)
      insist(rule.isShort == history.isShort)
      insist(rule.isTight == history.isTight)
      insist(!rule.isShort || rule.isTight)
      var due: [MemoryRule.Action] = []
      if wasShort, !history.isShort { due.append(.over(percent: level)) }
      if !wasShort, history.isShort { due.append(.short(percent: level)) }
      if wasTight, !history.isTight { due.append(.eased(percent: level)) }
      if !wasTight, history.isTight, !history.isShort { due.append(.warn(percent: level)) }
      insist(actions == due)
    }
  }

  /// Every wake-up is on time, none is for nothing, and none follows another at once.
  @Test(arguments: 0..<100 as Range<UInt64>)
  func itReadsWhenItMattersAndElseNever(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    var history = History(policy: .init())
    var rule = MemoryRule(startedAt: at(0))
    var now = at(0)
    var level = 60
    var reads: [Instant] = []
    var isWatched = false
    var pressedSince: Instant?
    for _ in 0..<2000 {
      var actions: [MemoryRule.Action] = []
      let until = now + .milliseconds(Int64(dice.roll(dice.roll(10) == 0 ? 200_000 : 2_000)))
      if let deadline = rule.deadline, deadline <= until {
        // A timer is late as often as not.
        now = max(now, deadline) + .milliseconds(Int64(dice.roll(3)))
        rule.handle(.woke, at: now, into: &actions)
        insist(actions.contains(.read), "woken for nothing")
      } else {
        now = until
        switch dice.roll(4) {
        case 0:
          pressedSince = pressedSince ?? now
          rule.handle(.pressed, at: now, into: &actions)
        case 1:
          isWatched = dice.roll(2) == 0
          rule.handle(.watched(isWatched), at: now, into: &actions)
        default: rule.handle(.woke, at: now, into: &actions)
        }
      }
      if actions.contains(.read) {
        let last = reads.last
        insist(last.map { now - $0 >= MemoryRule.window } ?? true, "twice in one window")
        let isPaced = (history.isNear || isWatched) && (last.map { now - $0 >= MemoryRule.pace } ?? true)
        insist(last == nil || isPaced || pressedSince != nil, "read for nothing")
        reads.append(now)
        // Now and then nobody can tell the level.
        if dice.roll(10) > 0 {
          level = next(level, &dice)
          history.levels.append(level)
          rule.handle(.level(percent: level), at: now, into: &actions)
        }
        pressedSince = nil
      }
      insist(rule.deadline.map { $0 > now } ?? true, "the loop would spin")
      if let pressedSince { insist(rule.deadline.map { $0 <= pressedSince + MemoryRule.window } ?? false) }
      if history.isNear || isWatched, let last = reads.last {
        insist(rule.deadline.map { $0 <= last + MemoryRule.pace } ?? false, "not read in time")
      } else if reads.last != nil, pressedSince == nil {
        insist(rule.deadline == nil, "a wake-up for nothing")
      }
    }
  }
}
