import Rules
import Testing

extension HeartbeatRuleTests {
  // MARK: Outages

  @Test func oneAlertPerOutageNamesTheRootFirst() {
    var rule = pipeline()
    // Read in the worst order: the downstreams first.
    let story = [publish, seo, content, research].map { beat($0, -1000, seenAt: 0) } + [(0, .woke)]
    #expect(
      play(story, on: &rule).last == [
        .degrade(research, lastBeat: wall(-1000)), .degrade(content, lastBeat: wall(-1000)),
        .degrade(seo, lastBeat: wall(-1000)), .degrade(publish, lastBeat: wall(-1000)),
        .rejoin(research), .standAlone(content, without: [research]),
        .standAlone(seo, without: [research]), .standAlone(publish, without: [content]),
        outage(research, -1000, [content, seo, publish]),
      ])
  }

  @Test func whoeverDependsOnASilentAgentStandsAloneAndRejoins() {
    var rule = pipeline()
    _ = tell(
      [beat(research, 0), beat(content, 600), beat(seo, 600), beat(publish, 600), (600, .woke)],
      on: &rule)
    #expect(
      tell([(900, .woke)], on: &rule) == [
        .degrade(research, lastBeat: wall(0)), .standAlone(content, without: [research]),
        .standAlone(seo, without: [research]), outage(research, 0, [content, seo, publish]),
      ])
    #expect(
      tell([beat(research, 1000), (1000, .woke)], on: &rule) == [
        .recover(research), .rejoin(content), .rejoin(seo), .over(research),
      ])
  }

  @Test func theMarkerNamesEveryDirectUpstreamThatIsSilentNow() {
    var rule = HeartbeatRule(startedAt: at(0))
    rule.setPolicy(.init(needs: [seo, research, seo, content]), for: content)
    _ = tell([beat(research, 0), beat(seo, 100), beat(content, 500), (500, .woke)], on: &rule)
    let actions = tell(
      [(900, .woke), (1000, .woke), beat(research, 1100), beat(seo, 1200), (1200, .woke)],
      on: &rule
    ).filter {
      switch $0 {
      case .standAlone, .rejoin: true
      default: false
      }
    }
    #expect(
      actions == [
        .standAlone(content, without: [research]), .standAlone(content, without: [seo, research]),
        .standAlone(content, without: [seo]), .rejoin(content),
      ])
  }

  @Test func aDownstreamThatFallsSilentLaterIsMarkedOnly() {
    var rule = pipeline()
    _ = tell([beat(research, 0), beat(publish, 400), (400, .woke), (900, .woke)], on: &rule)
    // Through content, which beats no more than it ever did.
    #expect(tell([(1300, .woke)], on: &rule) == [.degrade(publish, lastBeat: wall(400))])
  }

  @Test func twoRootsAreTwoAlerts() {
    var rule = HeartbeatRule(startedAt: at(0))
    rule.setPolicy(.init(needs: [research, content]), for: seo)
    _ = tell([beat(research, 0), beat(content, 0), beat(seo, 500), (500, .woke)], on: &rule)
    #expect(
      tell([(900, .woke)], on: &rule).suffix(2) == [
        outage(research, 0, [seo]), outage(content, 0, [seo]),
      ])
    #expect(
      tell([beat(research, 1000), beat(content, 1010)], on: &rule).filter {
        if case .over = $0 { true } else { false }
      } == [.over(research), .over(content)])
  }

  @Test func overIsSaidOnlyOfRootsThatWereAlerted() {
    var rule = pipeline()
    _ = tell([beat(research, 0), beat(seo, 0), (0, .woke), (900, .woke)], on: &rule)
    #expect(tell([beat(seo, 1000)], on: &rule) == [.recover(seo)])
  }

  @Test func aDownstreamIsGivenTimeToComeBackAfterItsUpstreamAndAlertedIfItDoesNot() {
    var rule = pipeline()
    _ = tell([beat(research, 0), beat(seo, 0), (0, .woke), (900, .woke)], on: &rule)
    let back = [beat(research, 1000), beat(research, 1800)]
    #expect(
      tell(back + [(1899, .woke)], on: &rule) == [
        .recover(research), .rejoin(content), .rejoin(seo), .over(research),
      ])
    #expect(rule.deadline == at(1900))
    #expect(tell([(1900, .woke)], on: &rule) == [outage(seo, 0)])
  }

  @Test func anAgentThatNeedsItselfDoesNot() {
    var rule = HeartbeatRule(startedAt: at(0))
    rule.setPolicy(.init(needs: [seo]), for: seo)
    #expect(
      tell([beat(seo, 0), (0, .woke), (900, .woke)], on: &rule) == [
        .recover(seo), .rejoin(seo), .degrade(seo, lastBeat: wall(0)), outage(seo, 0),
      ])
    #expect(tell([(900, .noBeat(seo))], on: &rule) == [.recover(seo), .over(seo)])
  }

  @Test func aCycleIsAlertedOnceAndNothingLoops() {
    var rule = HeartbeatRule(startedAt: at(0))
    rule.setPolicy(.init(needs: [content]), for: research)
    rule.setPolicy(.init(needs: [seo]), for: content)
    rule.setPolicy(.init(needs: [research, seo]), for: seo)
    let story = [seo, content, research].map { beat($0, 0) } + [(0, .woke), (900, .woke)]
    let alerts = tell(story, on: &rule).filter { if case .alert = $0 { true } else { false } }
    #expect(alerts == [outage(research, 0, [content, seo])])
  }

  // MARK: HALT

  @Test func whileHaltStandsSilenceIsMarkedNeverAlerted() {
    var rule = pipeline()
    _ = tell([beat(research, 0), beat(seo, 0), (0, .woke), (100, .haltBegan)], on: &rule)
    #expect(
      tell([(900, .woke), (9000, .woke)], on: &rule) == [
        .degrade(research, lastBeat: wall(0)), .degrade(seo, lastBeat: wall(0)),
        .standAlone(content, without: [research]), .standAlone(seo, without: [research]),
      ])
    #expect(rule.deadline == nil)
  }

  @Test func whoeverIsStillSilentLongAfterTheHaltIsAlertedThen() {
    var rule = HeartbeatRule(startedAt: at(0))
    _ = tell(
      [
        beat(seo, 0), beat(content, 0), (0, .woke), (100, .haltBegan), (900, .woke),
        (5000, .haltEnded),
      ], on: &rule)
    #expect(rule.deadline == at(5900))
    #expect(tell([(5899, .woke), beat(content, 5899)], on: &rule) == [.recover(content)])
    #expect(tell([(5900, .woke)], on: &rule) == [outage(seo, 0)])
  }

  @Test func silenceFoundSoonAfterTheHaltIsPutDownToIt() {
    var rule = HeartbeatRule(startedAt: at(0))
    _ = tell(
      [beat(seo, 0), (0, .woke), (100, .haltBegan), (800, .haltEnded), (850, .haltEnded)],
      on: &rule)
    #expect(tell([(900, .woke)], on: &rule) == [.degrade(seo, lastBeat: wall(0))])
    #expect(tell([(1699, .woke)], on: &rule) == [])
    #expect(tell([(1700, .woke)], on: &rule) == [outage(seo, 0)])
  }

  @Test func anOutageFromBeforeTheHaltIsNotToldTwice() {
    var rule = HeartbeatRule(startedAt: at(0))
    _ = tell([beat(seo, 0), (0, .woke), (900, .woke)], on: &rule)
    #expect(
      tell([(1000, .haltBegan), (2000, .haltEnded), (9000, .woke)], on: &rule) == [])
    #expect(tell([beat(seo, 9000)], on: &rule) == [.recover(seo), .over(seo)])
  }

  // MARK: Outputs

  @Test func anOutputIsABeatWhereItCounts() {
    var rule = HeartbeatRule(startedAt: at(0))
    rule.setPolicy(.init(outputsCount: true), for: seo)
    _ = tell([beat(seo, 0), beat(content, 0), (0, .woke)], on: &rule)
    #expect(
      tell([(500, .output(seo)), (500, .output(content)), (900, .woke)], on: &rule) == [
        .degrade(content, lastBeat: wall(0)), outage(content, 0),
      ])
    #expect(
      tell([(1400, .woke)], on: &rule) == [.degrade(seo, lastBeat: wall(0)), outage(seo, 0)])
    #expect(tell([(1500, .output(seo))], on: &rule) == [.recover(seo), .over(seo)])
  }

  @Test func anOlderFileBeatDoesNotUndoAnOutput() {
    var rule = HeartbeatRule(startedAt: at(0))
    rule.setPolicy(.init(outputsCount: true), for: seo)
    _ = tell(
      [(500, .output(seo)), beat(seo, -2000, seenAt: 600), (600, .woke)], on: &rule)
    #expect(tell([(1399, .woke)], on: &rule) == [])
    #expect(tell([(1400, .woke)], on: &rule).count == 2)
  }

  @Test func anOutputIsDatedWhereTheWallTimeIsTold() {
    var rule = HeartbeatRule(startedAt: at(0))
    rule.setPolicy(.init(outputsCount: true), for: seo)
    var actions: [HeartbeatRule.Action] = []
    rule.handle(.output(seo), at: Moment(instant: at(500), wall: wall(500)), into: &actions)
    rule.handle(.woke, at: at(1400), into: &actions)
    #expect(actions.contains(.degrade(seo, lastBeat: wall(500))))
  }

  // MARK: Reload, robustness

  @Test func aReloadIsActedOn() {
    var rule = pipeline()
    _ = tell([beat(research, 0), beat(content, 0), (0, .woke)], on: &rule)
    rule.removePolicies()
    rule.setPolicy(.init(staleAfter: .seconds(60)), for: research)
    rule.setPolicy(.init(needs: []), for: content)
    #expect(
      tell([(100, .woke)], on: &rule) == [
        .degrade(research, lastBeat: wall(0)), outage(research, 0),
      ])
    rule.setPolicy(.init(staleAfter: .seconds(600)), for: research)
    #expect(tell([(101, .woke)], on: &rule) == [.recover(research), .over(research)])
  }

  @Test func noTimeMakesItTrap() {
    for staleAfter in extremes {
      for age in extremes {
        for now in extremes {
          let moment = Instant(nanoseconds: now)
          let odd = Agent(index: Int(truncatingIfNeeded: age))
          var rule = HeartbeatRule(startedAt: moment)
          rule.setPolicy(
            .init(
              staleAfter: TimeSpan(nanoseconds: staleAfter), isExpected: true, outputsCount: true,
              needs: [odd, seo]), for: seo)
          var actions: [HeartbeatRule.Action] = []
          for observation: HeartbeatRule.Observation in [
            .beat(seo, written: WallTime(nanoseconds: age), age: TimeSpan(nanoseconds: age)),
            .woke, .noBeat(odd), .haltBegan, .woke, .haltEnded, .output(odd), .woke, .noBeat(seo),
          ] {
            rule.handle(observation, at: moment, into: &actions)
            _ = rule.status(of: seo, at: moment)
          }
        }
      }
    }
  }
}
