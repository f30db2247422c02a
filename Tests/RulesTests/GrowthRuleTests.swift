import Rules
import Testing

@Suite struct GrowthRuleTests {
  let writer = Agent(index: 0)
  let editor = Agent(index: 1)

  /// More than 1000 bytes within 100 s.
  static let limit = GrowthRule.Limit(bytes: 1000, span: .seconds(100))

  /// A file of so many bytes, born at that second.
  struct File {
    var number: Int
    var size: Int64
    var born: Int64? = -5000
  }

  enum Step {
    case looked(Agent, [File])
    case limits([Agent: GrowthRule.Limit])
    case resumed
    case woke
  }

  func moment(_ second: Int64) -> Moment { Moment(instant: at(second), wall: wall(second)) }

  func identity(_ number: Int) -> FileIdentity { FileIdentity(device: 1, inode: UInt64(number)) }

  func play(_ story: [(Int64, Step)], on rule: inout GrowthRule) -> [[GrowthRule.Action]] {
    story.map { second, step in
      var actions: [GrowthRule.Action] = []
      switch step {
      case .looked(let agent, let files):
        let sightings = files.map {
          GrowthRule.Sighting(file: identity($0.number), size: $0.size, born: $0.born.map { wall($0) })
        }
        rule.handle(.looked(agent, sightings), at: moment(second), into: &actions)
      case .limits(let limits): rule.setLimits(limits, at: moment(second), into: &actions)
      case .resumed: rule.handle(.resumed, at: moment(second), into: &actions)
      case .woke: rule.handle(.woke, at: moment(second), into: &actions)
      }
      return actions
    }
  }

  func tell(_ story: [(Int64, Step)], on rule: inout GrowthRule) -> [GrowthRule.Action] {
    play(story, on: &rule).flatMap { $0 }
  }

  /// The writer is watched from second 0 on.
  func rule(_ limit: GrowthRule.Limit = limit) -> GrowthRule {
    var rule = GrowthRule()
    _ = play([(0, .limits([writer: limit]))], on: &rule)
    return rule
  }

  /// One file that was there before, of these sizes.
  func log(_ sizes: [(Int64, Int64)]) -> [(Int64, Step)] {
    sizes.map { ($0, .looked(writer, [File(number: 1, size: $1)])) }
  }

  func trouble(_ bytes: Int64, fastest: Int? = 1, limit: GrowthRule.Limit = limit) -> GrowthRule.Trouble {
    .init(agent: writer, limit: limit, bytes: bytes, fastest: fastest.map { identity($0) })
  }

  // MARK: What counts

  @Test func whatIsThereAtTheFirstSightHasNotGrown() {
    var rule = rule()
    #expect(tell(log([(0, 5_000_000), (10, 5_001_000)]), on: &rule) == [])
    #expect(rule.growth(of: writer, at: at(10)) == 1000)
    #expect(tell(log([(20, 5_001_001)]), on: &rule) == [.began(trouble(1001))])
  }

  @Test func aFileMadeWhileItsDirectoryWasWatchedHasGrownByAllThatIsInIt() {
    var rule = rule()
    let old = File(number: 1, size: 700, born: -1)
    #expect(tell([(0, .looked(writer, [old]))], on: &rule) == [])
    #expect(
      tell([(9, .looked(writer, [old, File(number: 2, size: 1001, born: 5)]))], on: &rule) == [
        .began(trouble(1001, fastest: 2))
      ])
  }

  @Test func aFileThatWasMovedInBringsNothingNew() {
    var rule = rule()
    let before = File(number: 1, size: 9000, born: 0)
    let longAgo = File(number: 2, size: 9000, born: 400)
    let unknown = File(number: 3, size: 9000, born: nil)
    #expect(tell([(500, .looked(writer, [before, longAgo, unknown]))], on: &rule) == [])
    #expect(rule.growth(of: writer, at: at(500)) == 0)
    #expect(tell([(501, .looked(writer, [File(number: 4, size: 9000, born: 402)]))], on: &rule).count == 1)
  }

  @Test func aFileThatIsCutOffCountsFromThere() {
    var rule = rule()
    #expect(tell(log([(0, 90_000), (10, 100), (20, 600), (30, 0), (40, 500)]), on: &rule) == [])
    #expect(rule.growth(of: writer, at: at(40)) == 1000)
  }

  @Test func aRenamedFileGoesOnAndItsSuccessorBeginsAtNothing() {
    // logrotate without copytruncate: the path is nothing, the file is everything.
    var rule = rule()
    _ = tell(log([(0, 90_000)]), on: &rule)
    let rotated: [File] = [File(number: 1, size: 90_300), File(number: 2, size: 200, born: 5)]
    #expect(tell([(10, .looked(writer, rotated))], on: &rule) == [])
    #expect(rule.growth(of: writer, at: at(10)) == 500)
  }

  @Test func anInodeThatIsUsedAgainIsAnotherFile() {
    var rule = rule()
    _ = tell(log([(0, 100)]), on: &rule)
    _ = tell([(10, .looked(writer, [File(number: 1, size: 300, born: 8)]))], on: &rule)
    #expect(rule.growth(of: writer, at: at(10)) == 300)
  }

  @Test func aFileThatIsGoneIsForgottenAndNeverNegative() {
    var rule = rule()
    _ = tell(log([(0, 100), (10, 500)]), on: &rule)
    _ = tell([(20, .looked(writer, []))], on: &rule)
    #expect(rule.growth(of: writer, at: at(20)) == 400)
    _ = tell(log([(30, 900)]), on: &rule)
    #expect(rule.growth(of: writer, at: at(30)) == 400)
  }

  @Test func twoNamesOfAFileAreOneFile() {
    var rule = rule()
    let twice = [File(number: 1, size: 600, born: 3), File(number: 1, size: 600, born: 3)]
    _ = tell([(5, .looked(writer, twice))], on: &rule)
    #expect(rule.growth(of: writer, at: at(5)) == 600)
  }

  @Test func agentsGrowApart() {
    var rule = GrowthRule()
    _ = tell([(0, .limits([writer: Self.limit, editor: Self.limit]))], on: &rule)
    #expect(
      tell(
        [
          (5, .looked(writer, [File(number: 1, size: 900, born: 1)])),
          (5, .looked(editor, [File(number: 2, size: 900, born: 1)])),
          (6, .looked(Agent(index: 9), [File(number: 3, size: 9000, born: 1)])),
        ], on: &rule) == [])
    #expect(rule.growth(of: editor, at: at(5)) == 900 && rule.growth(of: Agent(index: 9), at: at(6)) == nil)
  }

  @Test func aStepOfTheClockMakesNothingGrow() {
    var rule = rule()
    _ = tell(log([(0, 9000)]), on: &rule)
    for hours in [-10, 10] as [Int64] {
      var actions: [GrowthRule.Action] = []
      let stepped = Moment(instant: at(20), wall: wall(20 + hours * 3600))
      let same = GrowthRule.Sighting(file: identity(1), size: 9000, born: wall(-5000))
      rule.handle(.looked(writer, [same]), at: stepped, into: &actions)
      #expect(actions == [] && rule.growth(of: writer, at: at(20)) == 0)
    }
  }

  // MARK: The span

  @Test func slowGrowthIsNoTroubleHoweverLongItLasts() {
    var rule = rule()
    let sizes = (0..<1000 as Range<Int64>).map { ($0 * 10, 5000 + $0 * 100) }
    #expect(tell(log(sizes), on: &rule) == [])
    #expect(rule.deadline == nil)
  }

  @Test func fastGrowthIsToldOnceAndIsOverWhenItFallsUnderHalf() {
    var rule = rule()
    #expect(tell(log((0...40).map { ($0 * 10, $0 * 200) }), on: &rule) == [.began(trouble(1200))])
    // At 400 s: 200 of each of the last ten tenths. 500 or more remain until three of them are left.
    #expect(rule.deadline == at(410))
    #expect(
      play([410, 420, 430, 440, 450, 460, 470, 480].map { ($0, .woke) }, on: &rule)
        == [[], [], [], [], [], [], [], [.ended(trouble(400))]])
    #expect(rule.deadline == nil)
  }

  @Test func growthThatHoversAtTheLimitIsToldOnce() {
    var rule = rule()
    let sizes = (0..<300 as Range<Int64>).map { ($0 * 10, $0 * 101 + ($0 % 20 < 10 ? 0 : 100)) }
    #expect(tell(log(sizes), on: &rule).count == 1)
  }

  @Test func aDelugeInOneLookIsOverASpanLater() {
    var rule = rule()
    _ = tell(log([(0, 0), (50, 5000)]), on: &rule)
    #expect(rule.deadline == at(150))
    #expect(play([(149, .woke), (150, .woke)], on: &rule) == [[], [.ended(trouble(0))]])
  }

  @Test func aResumeStartsAnew() {
    var rule = rule()
    _ = tell(log([(0, 0), (50, 5000)]), on: &rule)
    #expect(tell([(60, .resumed)], on: &rule) == [.ended(trouble(0))])
    #expect(tell(log([(61, 6000)]), on: &rule) == [])
    #expect(tell(log([(62, 6001)]), on: &rule) == [.began(trouble(1001))])
  }

  // MARK: Reload

  @Test func aLimitThatIsTurnedOffEndsItsTroubleAndForgetsTheAgent() {
    var rule = rule()
    _ = tell(log([(0, 0), (50, 5000)]), on: &rule)
    #expect(tell([(60, .limits([:]))], on: &rule) == [.ended(trouble(5000))])
    #expect(rule.deadline == nil && rule.growth(of: writer, at: at(60)) == nil)
    #expect(tell([(70, .limits([writer: Self.limit]))] + log([(71, 50_000)]), on: &rule) == [])
  }

  @Test func anotherLimitHoldsForWhatWasCounted() {
    var rule = rule()
    let low = GrowthRule.Limit(bytes: 300, span: .seconds(200))
    let high = GrowthRule.Limit(bytes: 5000, span: .seconds(50))
    _ = tell(log([(0, 0), (50, 400)]), on: &rule)
    #expect(
      play([(60, .limits([writer: low])), (70, .limits([writer: low])), (80, .limits([writer: high]))], on: &rule) == [
        [.began(trouble(400, limit: low))], [], [.ended(trouble(400, limit: high))],
      ])
  }

  // MARK: Bounds

  @Test func looksAreATenthOfTheSpanApartAndASecondAtLeast() {
    #expect(Self.limit.pace == .seconds(10))
    #expect(GrowthRule.Limit(bytes: 1, span: .seconds(5)).pace == .seconds(1))
  }

  @Test func ofTooManyFilesTheFirstAreKept() {
    var rule = rule(.init(bytes: .max, span: .seconds(100)))
    let files = (0..<(GrowthRule.mostFiles + 100)).map { File(number: $0, size: 1, born: 1) }
    _ = tell([(5, .looked(writer, files))], on: &rule)
    #expect(rule.growth(of: writer, at: at(5)) == Int64(GrowthRule.mostFiles))
  }

  @Test func sizesAndTimesAtTheEndsOfWhatIsPossibleAreSurvived() {
    for bytes in extremes {
      for span in extremes {
        var rule = GrowthRule()
        var actions: [GrowthRule.Action] = []
        let limit = GrowthRule.Limit(bytes: bytes, span: TimeSpan(nanoseconds: span))
        for now in extremes {
          let now = Moment(instant: Instant(nanoseconds: now), wall: WallTime(seconds: 0, nanoseconds: now))
          rule.setLimits([writer: limit], at: now, into: &actions)
          for size in extremes {
            let born = WallTime(seconds: 0, nanoseconds: size)
            let sightings = [0, 1].map { GrowthRule.Sighting(file: identity($0), size: size, born: $0 == 0 ? nil : born) }
            rule.handle(.looked(writer, sightings), at: now, into: &actions)
          }
        }
        insist(rule.growth(of: writer, at: Instant(nanoseconds: .max)) ?? -1 >= 0)
        _ = rule.deadline
      }
    }
  }
}

/// The growth rule against every byte that ever grew.
@Suite struct GrowthReferenceTests {
  @Test(arguments: 0..<60) func itTellsExactlyWhatAddingUpEveryGrowthTells(seed: UInt64) {
    var dice = Dice(seed: seed)
    let span = Int64(10 * (1 + dice.roll(12)))
    let limit = GrowthRule.Limit(bytes: Int64(1 + dice.roll(3000)), span: .seconds(span))
    let agent = Agent(index: 0)
    var (rule, ignored) = (GrowthRule(), [GrowthRule.Action]())
    rule.setLimits([agent: limit], at: Moment(instant: at(0), wall: wall(0)), into: &ignored)
    var sizes: [Int: (size: Int64, born: Int64)] = [:]
    var grown: [(bytes: Int64, when: Int64)] = []
    var (isTold, news, pace) = (false, 0, 1)

    for second in 0..<2000 as Range<Int64> {
      if second % 200 == 0 { pace = 1 + dice.roll(300) }
      let now = Moment(instant: at(second), wall: wall(second))
      var actions: [GrowthRule.Action] = []
      if dice.roll(4) == 0 {
        var all: Int64 = 0
        for number in 0..<3 {
          switch (dice.roll(12), sizes[number]) {
          case (0, _): sizes[number] = nil
          case (1, let known?): sizes[number] = (Int64(dice.roll(Int(known.size) + 1)), known.born)
          case (_, let known?):
            let more = Int64(dice.roll(pace))
            sizes[number] = (known.size + more, known.born)
            all += more
          case (_, nil):
            let (size, born) = (Int64(dice.roll(pace)), second - Int64(dice.roll(Int(span) * 2)))
            sizes[number] = (size, born)
            if born > 0, second - born < span { all += size }
          }
        }
        if dice.roll(300) == 0 {
          grown = []
          rule.handle(.resumed, at: now, into: &actions)
          if isTold {
            isTold = false
            news += 1
          }
          insist(actions.count { if case .ended = $0 { true } else { false } } == actions.count)
          actions = []
        }
        if all > 0 { grown.append((all, second)) }
        let sightings = sizes.map { number, file in
          GrowthRule.Sighting(
            file: FileIdentity(device: 1, inode: UInt64(number)), size: file.size, born: wall(file.born))
        }
        rule.handle(.looked(agent, sightings), at: now, into: &actions)
      } else if let deadline = rule.deadline, deadline <= at(second) {
        rule.handle(.woke, at: now, into: &actions)
      }
      // By tenths of the span, as they lie on the clock.
      let tenth = at(second).nanoseconds / (span * 100_000_000)
      let bytes = grown.reduce(Int64(0)) {
        at($1.when).nanoseconds / (span * 100_000_000) > tenth - 10 ? $0 + $1.bytes : $0
      }
      let whole = grown.reduce(Int64(0)) { $1.when > second - span ? $0 + $1.bytes : $0 }
      let most = grown.reduce(Int64(0)) { $1.when > second - span * 9 / 10 ? $0 + $1.bytes : $0 }
      insist(bytes <= whole && bytes >= most, "\(bytes) is not between \(most) and \(whole)")
      insist(rule.growth(of: agent, at: at(second)) == bytes)
      let should = isTold ? !(bytes == 0 || bytes < limit.bytes / 2) : bytes > limit.bytes
      let said = actions.map { if case .began = $0 { true } else { false } }
      insist(said == (should == isTold ? [] : [should]), "at \(second): \(actions), \(bytes) of \(limit.bytes)")
      if should != isTold { news += 1 }
      isTold = should
    }
    #expect(news > 0)
  }
}
