import Rules
import Testing

/// The moment so many seconds after the start of a story, which begins when the machine has been
/// up for a while: nothing may depend on monotonic time being small.
func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: 1_000_000_000_000) + .seconds(seconds) }

/// The same on the wall: a story begins on 2023-11-14 at 22:13:20.
func wall(_ seconds: Int64) -> WallTime {
  WallTime(seconds: 1_700_000_000 + seconds, nanoseconds: 0)
}

/// Repeatable chance: xorshift, seeded.
struct Dice {
  private var state: UInt64
  init(seed: UInt64) {
    state = (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15 | 1
    for _ in 0..<8 { _ = roll(2) }
  }

  /// 0 ..< sides.
  mutating func roll(_ sides: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int((state >> 11) % UInt64(sides))
  }

  mutating func bits() -> UInt64 {
    UInt64(roll(1 << 32)) << 32 | UInt64(roll(1 << 32))
  }
}

/// Times that a program must survive: the ends of what 64 bits hold, and around zero.
let extremes: [Int64] = [.min, .min + 1, -1_000_000_000, -1, 0, 1, 1_000_000_000, .max - 1, .max]

/// `#expect` for the inside of long loops, where its bookkeeping would be most of the run.
func insist(
  _ condition: Bool, _ comment: @autoclosure () -> Comment = "not so",
  at location: SourceLocation = #_sourceLocation
) {
  if !condition { Issue.record(comment(), sourceLocation: location) }
}
