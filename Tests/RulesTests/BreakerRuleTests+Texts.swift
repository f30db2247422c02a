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

  @Test func onlyTheLast256TextsAreCompared() {
    var dice = Dice(seed: 1)
    func others(_ count: Int) -> [(Int64, Step)] {
      // Far from each other and from nothing: 20 to 44 bits of 64 set, at random.
      var texts: [UInt64] = []
      while texts.count < count {
        let bits = dice.bits()
        let isFar = (texts + [0]).allSatisfy { ($0 ^ bits).nonzeroBitCount > 16 }
        if isFar { texts.append(bits) }
      }
      return texts.enumerated().map {
        (Int64($0.offset % 500) + 2, .text($0.element, $0.offset + 10, by: writer))
      }
    }
    let two: [(Int64, Step)] = [(0, .text(0, 1, by: writer)), (1, .text(0, 2, by: writer))]
    let third: [(Int64, Step)] = [(600, .text(0, 3, by: writer))]
    #expect(tell(two + others(253) + third).count == 1)
    #expect(tell(two + others(254) + third) == [])
  }
}
