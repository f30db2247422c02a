import Rules
import Testing

extension BreakerRuleTests {
  // MARK: Texts

  /// `distance` bits from nothing.
  func text(_ distance: Int) -> UInt64 { distance == 0 ? 0 : .max >> (64 - UInt64(distance)) }

  @Test func textsThatSayNearlyTheSameTripAtTheSetNumber() {
    let limit = BreakerRule.Limit(count: 3, span: .seconds(1000))
    #expect(
      tell([
        (0, .text(text(0), 1, by: writer)), (1, .text(text(33), 2, by: writer)),
        (2, .text(text(16), 3, by: editor)), (3, .text(text(8), 4, by: editor)),
      ]) == [.trip(.init(agent: editor, cause: .similar(limit: limit, counted: 3)))])
    #expect(
      tell([
        (0, .text(0, 1, by: writer)), (1, .text(0, 2, by: editor)), (999, .text(0, 3, by: writer)),
      ]).count == 1)
    #expect(
      tell([
        (0, .text(0, 1, by: writer)), (1, .text(0, 2, by: editor)), (1000, .text(0, 3, by: writer)),
      ]) == [])
  }

  @Test func theSameNameRewrittenReplacesItsText() {
    #expect(tell((0..<9).map { (Int64($0), .text(0, 1, by: writer)) }) == [])
    #expect(
      tell([
        (0, .text(0, 1, by: writer)), (1, .text(0, 2, by: writer)), (2, .moved(2, 1)),
        (3, .text(0, 1, by: writer)), (4, .text(.max, 1, by: writer)), (5, .text(0, 2, by: writer)),
      ]) == [])
  }

  @Test func aTextWhoseFileIsGoneStillCounts() {
    let consumed: [(Int64, Step)] = [
      (0, .text(0, 1, by: writer)), (1, .gone(1)), (2, .text(0, 1, by: writer)),
      (3, .scan(seen: [])), (4, .text(0, 1, by: writer)),
    ]
    #expect(tell(consumed).count == 1)
  }

  @Test func sixteenBitsOfSixtyFourAreNearlyTheSame() {
    for (distance, trips) in [(0, true), (16, true), (17, false), (64, false)] {
      var rule = breaker(similar: 2)
      let story: [(Int64, Step)] = [
        (0, .text(0, 1, by: writer)), (1, .text(text(distance), 2, by: writer)),
      ]
      #expect(tell(story, on: &rule).isEmpty == !trips)
    }
  }

  /// So many texts, far from each other, from nothing and from all: names from 10 on, from 2 s on.
  func strangers(_ count: Int) -> [(Int64, Step)] {
    var dice = Dice(seed: 1)
    var texts: [UInt64] = [0, .max]
    while texts.count < count + 2 {
      let bits = dice.bits()
      if texts.allSatisfy({ ($0 ^ bits).nonzeroBitCount > 16 }) { texts.append(bits) }
    }
    return texts.dropFirst(2).enumerated().map {
      (Int64($0.offset % 500) + 2, .text($0.element, $0.offset + 10, by: writer))
    }
  }

  @Test func aNameThatWasMovedOverOutlivesTheTextItHadBefore() {
    var rule = breaker(similar: 2)
    let first: [(Int64, Step)] = [(0, .text(.max, 2, by: writer))]
    // The first text is pushed out; the second and its name stay, and are what is rewritten.
    let over: [(Int64, Step)] = [(550, .text(0, 1, by: writer)), (550, .moved(1, 2))]
    let others = strangers(255)
    let last = others.suffix(1).map { (Int64(560), $0.1) }
    let rewritten: [(Int64, Step)] = [(600, .text(0, 2, by: writer))]
    #expect(tell(first + others.dropLast() + over + last + rewritten, on: &rule) == [])
  }

  @Test func onlyTheLast256TextsAreCompared() {
    let two: [(Int64, Step)] = [(0, .text(0, 1, by: writer)), (1, .text(0, 2, by: writer))]
    let third: [(Int64, Step)] = [(600, .text(0, 3, by: writer))]
    #expect(tell(two + strangers(253) + third).count == 1)
    #expect(tell(two + strangers(254) + third) == [])
  }
}
