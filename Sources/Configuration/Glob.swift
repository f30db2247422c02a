/// A pattern for one name: bytes that stand for themselves, and `*` for any bytes, none included.
///
/// Nothing else is special: `?` and `[` are a question mark and a bracket.
public struct Glob: Equatable, Sendable {
  private let pattern: [UInt8]

  /// As it was written.
  public var text: String { pattern.string }

  /// - Throws: an empty pattern, one with a NUL, or one longer than a path can be.
  public init(_ pattern: [UInt8]) throws(Fault) {
    guard !pattern.isEmpty else { throw Fault("a pattern is empty; write a name, or * for any") }
    guard pattern.count <= 4096 else { throw Fault("a pattern is longer than 4096 bytes") }
    if let nul = pattern.firstIndex(of: 0) { throw Fault(at: nul, "a pattern cannot hold a NUL, for no name does") }
    self.pattern = pattern
  }

  public init(_ pattern: String) throws(Fault) { try self.init(Array(pattern.utf8)) }

  /// Whether the whole of `name` fits. Takes at most pattern times name steps and no memory.
  public func matches(_ name: RawSpan) -> Bool {
    matches(name, in: 0..<name.byteCount)
  }

  /// The same for the name that stands in `range` of `text`.
  func matches(_ text: RawSpan, in range: Range<Int>) -> Bool {
    var at = range.lowerBound
    var p = 0
    // Only the last star is ever tried again: an earlier one that gave more away could not
    // help, since what lies between the two fitted at its first place.
    var star: Int?
    var retry = at
    while at < range.upperBound {
      if p < pattern.count, pattern[p] == ASCII.star {
        star = p
        retry = at
        p += 1
      } else if p < pattern.count, pattern[p] == text.byte(at: at) {
        p += 1
        at += 1
      } else if let star {
        retry += 1
        at = retry
        p = star + 1
      } else {
        return false
      }
    }
    while p < pattern.count, pattern[p] == ASCII.star { p += 1 }
    return p == pattern.count
  }
}
