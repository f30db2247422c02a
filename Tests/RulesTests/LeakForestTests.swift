import Rules
import Testing

/// Random forests of processes, random answers, and what must hold for all that the rule does.
@Suite struct LeakForestTests {
  /// A machine on which anything may happen between two looks, also what no kernel does.
  struct Forest {
    var dice: Dice
    var processes: [Int32: Entry] = [:]
    var now: Int64 = 0
    var ticks: UInt64 = 0

    struct Entry {
      var sighting: ProcessSighting
      var browser: BrowserProcess?
      var helperOf: UInt32?
    }

    init(seed: UInt64) {
      dice = Dice(seed: seed)
      for pid: Int32 in [1, 2, 3, 4] { spawn(pid) }
    }

    mutating func pid() -> Int32 {
      switch dice.roll(40) {
      case 0: -1
      case 1: 0
      case 2: 1
      case 3: .max
      case 4: .min
      default: Int32(dice.roll(24)) + 2
      }
    }

    /// Whoever lives, mostly.
    mutating func anyone() -> Int32 {
      let living = processes.keys.sorted()
      guard dice.roll(8) > 0, !living.isEmpty else { return pid() }
      return dice.roll(3) == 0 ? 1 : living[dice.roll(living.count)]
    }

    mutating func extreme() -> Int64 { dice.roll(9) == 0 ? extremes[dice.roll(extremes.count)] : Int64(dice.roll(1 << 40)) * 4 }

    mutating func spawn(_ pid: Int32) {
      ticks += 1
      let parent = anyone()
      let role = [ProcessSighting.Role.other, .wrapper, .proxy, .reaper, .browser, .browser, .browser][dice.roll(7)]
      let state = dice.roll(6) > 0 ? .running : [ProcessSighting.State.stopped, .blocked, .ended][dice.roll(3)]
      let sighting = ProcessSighting(
        ProcessIdentity(pid: pid, startTicks: dice.roll(50) == 0 ? .max : ticks), parent: parent, group: anyone(),
        session: anyone(), state: state, role: role, cpu: TimeSpan(nanoseconds: dice.roll(3) == 0 ? extreme() : 0),
        age: TimeSpan(nanoseconds: extreme()))
      var entry = Entry(sighting: sighting)
      if role == .browser || dice.roll(20) == 0 {
        let part = [BrowserProcess.Part.browser, .browser, .renderer, .renderer, .renderer, .gpu, .zygote, .other][dice.roll(8)]
        entry.browser = BrowserProcess(
          part, user: UInt32(dice.roll(5) / 4), program: dice.roll(6) == 0 ? nil : UInt64(dice.roll(2)),
          profile: dice.roll(2) == 0 ? nil : UInt64(dice.roll(3)), isAutomated: dice.roll(4) > 0, isOwnPage: dice.roll(4) == 0)
      } else if dice.roll(8) == 0 {
        entry.helperOf = UInt32(dice.roll(4) / 3)
      }
      processes[pid] = entry
    }

    mutating func turn() {
      now += Int64(dice.roll(40))
      for _ in 0..<dice.roll(3) {
        let pid = pid()
        switch dice.roll(6) {
        case 0: processes[pid] = nil
        case 1:
          let parent = anyone()
          processes[pid]?.sighting.parent = parent
        case 2: processes[pid]?.sighting.state = .ended
        case 3:
          let cpu = TimeSpan(nanoseconds: extreme())
          processes[pid]?.sighting.cpu = cpu
        default: spawn(pid)
        }
      }
    }

    var scan: ProcessScan {
      var scan = ProcessScan()
      for (_, entry) in processes.sorted(by: { $0.key < $1.key }) {
        if let browser = entry.browser {
          scan.add(entry.sighting, browser: browser)
        } else if let user = entry.helperOf {
          scan.add(entry.sighting, helperOf: user)
        } else {
          scan.add(entry.sighting)
        }
      }
      return scan
    }

    mutating func answers(to asked: [ProcessIdentity]) -> [ProcessIdentity: LeakEvidence] {
      var answers: [ProcessIdentity: LeakEvidence] = [:]
      for process in asked where dice.roll(60) > 0 {
        var found = LeakEvidence()
        switch dice.roll(60) {
        case 0: found.isInOurNamespace = false
        case 1: found.serviceMain = anyone()
        case 2: found.allowedBy = "allowed"
        case 3: found.hasUnknownPeer = true
        case 4, 5, 6: found.peers = [.init(pid: anyone(), line: .port), .init(pid: anyone(), line: .stream)]
        default: break
        }
        answers[process] = found
      }
      return answers
    }
  }

  @Test(arguments: 0..<8) func whateverHappensWhatIsKilledMayBe(seed: Int) {
    for round in 0..<12 {
      var forest = Forest(seed: UInt64(seed * 100 + round))
      var policy = LeakRule.Policy()
      policy.users = [0]
      policy.abandonedAge = .seconds(300)
      policy.abandoned = [.act, .kill, .report, .off][round % 4]
      policy.orphanBrowsers = [.kill, .act, .report][round % 3]
      var rule = LeakRule(policy: policy)
      var found: [ProcessIdentity: Int64] = [:]
      for _ in 0..<150 {
        forest.turn()
        rule.isImpatient = forest.dice.roll(4) == 0
        if forest.dice.roll(20) == 0, let process = found.keys.min(by: { $0.startTicks < $1.startTicks }) {
          settle(process, &rule, forest.now)
        }
        let scan = forest.scan
        var actions: [LeakRule.Action] = []
        rule.handle(.scanned(scan), at: at(forest.now), into: &actions)
        var evidence: [ProcessIdentity: LeakEvidence] = [:]
        for case .examine(let asked) in actions {
          evidence = forest.answers(to: asked)
          rule.handle(.examined(evidence), at: at(forest.now), into: &actions)
        }
        // What the verdicts say of this look alone.
        var leaked: Set<ProcessIdentity> = []
        for process in scan.processes {
          if case .leaked = rule.verdict(on: process.identity.pid, in: scan, evidence, at: at(forest.now)) {
            leaked.insert(process.identity)
          }
        }
        found = found.filter { leaked.contains($0.key) }
        for process in leaked where found[process] == nil { found[process] = forest.now }
        check(actions, scan, evidence, rule, found, forest.now)
        insist(rule.nextPass > at(forest.now))
      }
    }
  }

  private func settle(_ process: ProcessIdentity, _ rule: inout LeakRule, _ now: Int64) {
    var actions: [LeakRule.Action] = []
    rule.handle(.settled(process), at: at(now), into: &actions)
    insist(actions.isEmpty)
  }

  private func check(
    _ actions: [LeakRule.Action], _ scan: ProcessScan, _ evidence: [ProcessIdentity: LeakEvidence], _ rule: LeakRule,
    _ found: [ProcessIdentity: Int64], _ now: Int64
  ) {
    var trees: Set<Int32> = []
    var pages = 0
    for case .kill(let leak) in actions {
      let pid = leak.root.pid
      trees.insert(leak.tree)
      insist(pid > 1 && scan.living(pid)?.identity == leak.root, "\(leak)")
      insist(found[leak.root].map { now - $0 >= 30 } == true, "two looks: \(leak)")
      insist(leak.found >= .seconds(30))
      let details = scan.browsers[pid]
      insist((details?.user ?? scan.helpers[pid]) == 0, "another user's: \(leak)")
      insist(details == nil || details?.program != nil)
      insist(rule.policy.treatment(of: leak.kind) != .report)
      insist(rule.policy.treatment(of: leak.kind) != .act || rule.isImpatient)
      switch leak.kind {
      case .orphanBrowser, .helper:
        insist(leak.kind == .helper || details?.part == .browser && details?.isAutomated == true)
        let own = evidence[leak.root]
        insist(own?.isInOurNamespace == true && own?.allowedBy == nil && own?.hasUnknownPeer == false, "\(leak)")
        insist(own?.serviceMain != pid)
      case .orphanChild: insist(details?.part != .browser && details?.part != .other)
      case .abandoned:
        pages += 1
        insist(details?.part == .renderer && details?.isOwnPage == false)
        insist((scan[pid]?.age ?? .zero) >= rule.policy.abandonedAge)
        insist((leak.proof.rest ?? .zero) >= rule.policy.abandonedRest)
      }
      insist(leak.kind == .orphanBrowser || leak.members.isEmpty)
      insist(!leak.members.contains(leak.root) && Set(leak.members).count == leak.members.count)
      for member in leak.members {
        insist(member.pid > 1 && scan.living(member.pid)?.identity == member)
        let part = scan.browsers[member.pid]
        insist(part != nil || scan[member.pid]?.role == .proxy)
        insist(part == nil || part?.user == 0 && part?.program != nil && part?.part != .other, "member \(member) of \(leak)")
        insist(part?.part != .browser)
      }
    }
    insist(trees.count <= LeakRule.treesAtATime && pages <= 1)
  }

  @Test func noTimeMakesItTrap() {
    for first in extremes {
      for second in extremes {
        for span in extremes {
          var forest = Forest(seed: 7)
          for pid: Int32 in 5..<20 { forest.spawn(pid) }
          var policy = LeakRule.Policy()
          policy.users = [0]
          policy.grace = TimeSpan(nanoseconds: span)
          policy.confirm = TimeSpan(nanoseconds: span)
          policy.scan = TimeSpan(nanoseconds: span)
          policy.abandonedAge = TimeSpan(nanoseconds: span)
          var rule = LeakRule(policy: policy)
          rule.isImpatient = true
          for now in [first, second] {
            var actions: [LeakRule.Action] = []
            rule.handle(.scanned(forest.scan), at: Instant(nanoseconds: now), into: &actions)
            for case .examine(let asked) in actions {
              let answers = forest.answers(to: asked)
              rule.handle(.examined(answers), at: Instant(nanoseconds: now), into: &actions)
            }
            rule.handle(.stirred, at: Instant(nanoseconds: now), into: &actions)
            _ = (rule.nextPass, rule.outlooks, rule.rests(at: Instant(nanoseconds: now)))
            for pid in forest.processes.keys { forest.processes[pid]?.sighting.cpu = TimeSpan(nanoseconds: span) }
          }
        }
      }
    }
  }
}
