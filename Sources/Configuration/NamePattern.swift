/// One component of a path template that holds `*`, `{agent}` or `{task}`.
///
/// `*` stands for any bytes, none included; `{agent}` and `{task}` for at least one byte, and tell
/// where they found it. Where a name can be read in two ways, what stands first takes as little as
/// it can: `{agent}-{task}.lock` finds agent `a` and task `b-c` in `a-b-c.lock`.
public struct NamePattern: Equatable, Sendable {
  /// Where in the matched bytes the agent's and the task's name stand.
  public struct Captures: Equatable, Sendable {
    public var agent: Range<Int>?
    public var task: Range<Int>?
    public init(agent: Range<Int>? = nil, task: Range<Int>? = nil) {
      self.agent = agent
      self.task = task
    }
  }

  enum Piece: Equatable, Sendable {
    /// A part of `literals`; a range instead of an array, so that matching counts no references.
    case literal(start: Int, count: Int)
    case star
    case agent
    case task
  }

  private(set) var pieces: [Piece] = []
  private var literals: [UInt8] = []

  init() {}

  /// The component's bytes where it holds no wildcard.
  var literal: [UInt8]? {
    pieces.allSatisfy { if case .literal = $0 { true } else { false } } ? literals : nil
  }

  var endsInWildcard: Bool {
    switch pieces.last {
    case .literal, nil: false
    case .star, .agent, .task: true
    }
  }

  mutating func append(_ byte: UInt8) {
    if case .literal(let start, let count) = pieces.last {
      pieces[pieces.count - 1] = .literal(start: start, count: count + 1)
    } else {
      pieces.append(.literal(start: literals.count, count: 1))
    }
    literals.append(byte)
  }

  mutating func append(wildcard: Piece) { pieces.append(wildcard) }

  /// The same with `name` in the place of `{agent}`.
  func naming(agent name: [UInt8]) -> NamePattern {
    var named = NamePattern()
    for piece in pieces {
      switch piece {
      case .literal(let start, let count): for byte in literals[start..<(start + count)] { named.append(byte) }
      case .agent: for byte in name { named.append(byte) }
      case .star, .task: named.append(wildcard: piece)
      }
    }
    return named
  }

  /// What `name` was found to hold; nil when it does not fit. No memory is taken.
  public func match(_ name: RawSpan) -> Captures? {
    var captures = Captures()
    return match(name, in: 0..<name.byteCount, into: &captures) ? captures : nil
  }

  /// The same for the name that stands in `range` of `text`; the captures count from its start.
  func match(_ text: RawSpan, in range: Range<Int>, into captures: inout Captures) -> Bool {
    var at = range.lowerBound
    var pending: (piece: Piece, from: Int)?
    for (index, piece) in pieces.enumerated() {
      guard case .literal(let start, let count) = piece else {
        pending = (piece, at)
        continue
      }
      let found: Int?
      if let (wildcard, from) = pending {
        let earliest = from + (wildcard == .star ? 0 : 1)
        if index == pieces.count - 1 {
          // The last one has only one place where it can stand.
          let place = range.upperBound - count
          found = place >= earliest && holds(text, start, count, at: place) ? place : nil
        } else {
          found = firstPlace(text, start, count, from: earliest, before: range.upperBound)
        }
        if let found { note(wildcard, from..<found, in: &captures) }
        pending = nil
      } else {
        found = count <= range.upperBound - at && holds(text, start, count, at: at) ? at : nil
      }
      guard let found else { return false }
      at = found + count
    }
    guard let (wildcard, from) = pending else { return at == range.upperBound }
    guard wildcard == .star || from < range.upperBound else { return false }
    note(wildcard, from..<range.upperBound, in: &captures)
    return true
  }

  private func note(_ wildcard: Piece, _ range: Range<Int>, in captures: inout Captures) {
    switch wildcard {
    case .agent: captures.agent = range
    case .task: captures.task = range
    case .star, .literal: break
    }
  }

  private func firstPlace(_ text: RawSpan, _ start: Int, _ count: Int, from: Int, before end: Int) -> Int? {
    var place = from
    while count <= end - place {
      if holds(text, start, count, at: place) { return place }
      place += 1
    }
    return nil
  }

  private func holds(_ text: RawSpan, _ start: Int, _ count: Int, at place: Int) -> Bool {
    for offset in 0..<count where text.byte(at: place + offset) != literals[start + offset] { return false }
    return true
  }
}
