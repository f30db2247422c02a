import Rules
import Testing

/// The rule against the plainest thing that can be said of it, over random days.
@Suite struct HeartbeatReferenceTests {
  /// What a person with a list of beats would say.
  struct Reference {
    var needs: [[Int]]
    var staleAfter: [Int64]
    var beats: [Int64?]

    func isSilent(_ agent: Int, at now: Int64) -> Bool {
      beats[agent].map { now - $0 >= staleAfter[agent] } ?? false
    }
    func upstream(_ agent: Int) -> Set<Int> {
      needs[agent].reduce(into: []) {
        $0.formUnion([$1])
        $0.formUnion(upstream($1))
      }
    }
  }

  @Test(arguments: 0..<100) func markersAndAlertsAreWhatTheListOfBeatsSays(seed: UInt64) {
    var dice = Dice(seed: seed)
    let count = 2 + dice.roll(6)
    // Upstreams have lower numbers, then the numbers are shuffled: no cycle, any order.
    var numbers = Array(0..<count)
    for place in numbers.indices { numbers.swapAt(place, dice.roll(count)) }
    var reference = Reference(
      needs: Array(repeating: [], count: count), staleAfter: [], beats: [])
    for place in 1..<count {
      for other in 0..<place where dice.roll(3) == 0 {
        reference.needs[numbers[place]].append(numbers[other])
      }
    }
    var rule = HeartbeatRule(startedAt: at(0))
    for agent in 0..<count {
      reference.staleAfter.append(Int64(50 + dice.roll(200)))
      reference.beats.append(nil)
      rule.setPolicy(
        .init(
          staleAfter: .seconds(reference.staleAfter[agent]),
          needs: reference.needs[agent].map { Agent(index: $0) }), for: Agent(index: agent))
    }

    var markers: Set<Int> = []
    var alone: [Int: [Int]] = [:]
    var alerted: Set<Int> = []
    var haltSince: Int64?
    var halt: (from: Int64, to: Int64)?
    var upstreamBack = Array(repeating: Int64.min / 2, count: count)
    var mood = 10

    for now in 0..<4000 as Range<Int64> {
      var actions: [HeartbeatRule.Action] = []
      if now % 500 == 0 { mood = 3 + dice.roll(300) }
      let wasSilent = markers
      for agent in 0..<count where dice.roll(mood) == 0 {
        let age = Int64(dice.roll(20))
        guard now - age != reference.beats[agent] else { continue }
        reference.beats[agent] = now - age
        rule.handle(
          .beat(Agent(index: agent), written: wall(now - age), age: .seconds(age)), at: at(now),
          into: &actions)
      }
      if dice.roll(400) == 0 {
        if haltSince == nil {
          haltSince = now
          rule.handle(.haltBegan, at: at(now), into: &actions)
        } else {
          halt = (haltSince!, now)
          haltSince = nil
          rule.handle(.haltEnded, at: at(now), into: &actions)
        }
      }
      if let deadline = rule.deadline, deadline <= at(now) {
        rule.handle(.woke, at: at(now), into: &actions)
      }
      insist(rule.deadline.map { $0 > at(now) } ?? true)

      for action in actions {
        switch action {
        case .degrade(let agent, let lastBeat):
          insist(markers.insert(agent.index).inserted)
          insist(lastBeat == reference.beats[agent.index].map { wall($0) })
        case .recover(let agent): markers.remove(agent.index)
        case .standAlone(let agent, let without): alone[agent.index] = without.map(\.index)
        case .rejoin(let agent): alone[agent.index] = nil
        case .alert(let outage):
          let root = outage.root.index
          insist(alerted.insert(root).inserted)
          insist(reference.isSilent(root, at: now))
          insist(!reference.upstream(root).contains { reference.isSilent($0, at: now) })
          insist(
            outage.standalone.map(\.index)
              == (0..<count).filter { reference.upstream($0).contains(root) })
          insist(haltSince == nil)
          if let halt { insist(now >= halt.to + reference.staleAfter[root]) }
        case .over(let agent): insist(alerted.remove(agent.index) != nil)
        }
      }
      let silent = Set((0..<count).filter { reference.isSilent($0, at: now) })
      insist(markers == silent)
      for agent in 0..<count {
        let without = reference.needs[agent].filter { silent.contains($0) }
        insist(alone[agent] ?? [] == without)
        for upstream in reference.upstream(agent)
        where wasSilent.contains(upstream) && !silent.contains(upstream) {
          upstreamBack[agent] = now
        }
      }
      insist(alerted.isSubset(of: silent))
      // Nobody who has no excuse is silent without an alert.
      for agent in silent where !alerted.contains(agent) {
        let isExplained = !reference.upstream(agent).isDisjoint(with: silent)
        let isHalt =
          haltSince != nil || halt.map { now < $0.to + reference.staleAfter[agent] } ?? false
        let isComingBack = now < upstreamBack[agent] + reference.staleAfter[agent]
        insist(isExplained || isHalt || isComingBack)
      }
    }
  }
}
