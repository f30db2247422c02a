/// SplitMix64: the same numbers for the same seed, on every machine.
public struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  public init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678 }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

/// The bytes with a few of them changed, cut, doubled or cut off.
public func mutated(_ bytes: [UInt8], with random: inout Seeded) -> [UInt8] {
  var bytes = bytes
  for _ in 0..<Int.random(in: 1...4, using: &random) {
    guard !bytes.isEmpty else { break }
    let index = Int.random(in: 0..<bytes.count, using: &random)
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
    case 1: bytes.remove(at: index)
    case 2: bytes.insert(contentsOf: [0x39, 0x39, 0x39, 0x39, 0x39, 0x39, 0x39, 0x39, 0x39, 0x39], at: index)
    case 3: bytes.removeLast(bytes.count - index)
    case 4: bytes.insert([0x0A, 0x20, 0x2D, 0x22, 0x00, 0x5C, 0xFF, 0x7B][Int.random(in: 0..<8, using: &random)], at: index)
    default: bytes.append(contentsOf: bytes[..<index])
    }
  }
  return bytes
}
