/// A fingerprint of 64 bits that is alike for texts that say nearly the same (Charikar 2002).
///
/// Each pair of neighbouring words votes on each bit, once however often it returns: else what all
/// texts of a language or a kind have in common ("of the", a licence) would outvote what they say.
/// A word is a run of ASCII letters and digits and of bytes of 0x80 and above, so that any script
/// in UTF-8 has words; ASCII capitals count as small letters. One pass, and no heap is used.
public struct SimHash: Equatable, Sendable {
  public let bits: UInt64
  public init(bits: UInt64) { self.bits = bits }

  /// Below this a text says too little to be compared.
  public static var fewestWords: Int { 50 }

  /// Two texts this near or nearer are variations of one.
  public static var nearest: Int { 16 }

  /// nil for a text of fewer than `fewestWords` words.
  public init?(_ text: RawSpan) {
    var votes = InlineArray<64, Int32>(repeating: 0)
    var seen = Filter()
    var words = 0
    var previous: UInt64 = 0
    var word = Self.emptyWord
    var isInWord = false
    var offset = 0
    while true {
      let byte = text.byte(at: offset)
      offset &+= 1
      if let byte, byte.isWordByte {
        word = (word ^ UInt64(byte.asciiLowerCased)) &* 0x0000_0100_0000_01B3
        isInWord = true
        continue
      }
      if isInWord {
        words &+= 1
        if words > 1 {
          let pair = Self.mixed(previous &* 0x9E37_79B9_7F4A_7C15 &+ word)
          if seen.insert(pair) { Self.vote(pair, in: &votes) }
        }
        previous = Self.mixed(word)
        word = Self.emptyWord
        isInWord = false
      }
      if byte == nil { break }
    }
    guard words >= Self.fewestWords else { return nil }
    var bits: UInt64 = 0
    for index in votes.indices where votes[index] > 0 { bits |= 1 << UInt64(index) }
    self.bits = bits
  }

  /// nil for a text of fewer than `fewestWords` words.
  public init?(_ text: [UInt8]) { unsafe self.init(text.span.bytes) }

  /// In how many bits the two differ: 0 for the same words in the same order, about 32 for texts
  /// that have nothing in common.
  public func distance(to other: SimHash) -> Int { (bits ^ other.bits).nonzeroBitCount }

  /// FNV-1a's.
  private static var emptyWord: UInt64 { 0xCBF2_9CE4_8422_2325 }

  @inline(__always)
  private static func vote(_ hash: UInt64, in votes: inout InlineArray<64, Int32>) {
    for index in votes.indices {
      votes[index] &+= Int32(truncatingIfNeeded: (hash >> UInt64(index)) & 1) &* 2 &- 1
    }
  }

  /// SplitMix64's last step: every bit of the result depends on every bit of the number.
  @inline(__always)
  private static func mixed(_ number: UInt64) -> UInt64 {
    var value = number
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

/// Which pairs have voted: 32 KiB on the stack, one bit for each pair.
///
/// Two pairs on one bit cost the later one its vote: one pair in 900 of a text of 600 words, one in
/// five of a text of 1 MiB, where there are votes enough.
private struct Filter {
  private var bits = InlineArray<4096, UInt64>(repeating: 0)

  /// False if the pair has voted.
  @inline(__always)
  mutating func insert(_ hash: UInt64) -> Bool {
    // The mask keeps the index below 4096.
    let index = Int(truncatingIfNeeded: (hash >> 6) & 4095)
    let bit: UInt64 = 1 << (hash & 63)
    guard bits[index] & bit == 0 else { return false }
    bits[index] |= bit
    return true
  }
}

extension UInt8 {
  @inline(__always)
  fileprivate var isWordByte: Bool {
    switch self {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x80...0xFF: true
    default: false
    }
  }
}
