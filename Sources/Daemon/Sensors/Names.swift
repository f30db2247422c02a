public import Kernel
public import Rules

/// Hands out a number for each agent's name and keeps the names.
///
/// A lookup of a name that is known allocates nothing.
public struct Names: Sendable {
  private var bytes: [[UInt8]] = []
  private var byHash: [UInt64: Agent] = [:]

  public init() {}

  /// The number of the agent of this name, a new one where the name is new.
  public mutating func agent(_ name: RawSpan) -> Agent {
    let hash = Hash.of(name)
    if let known = byHash[hash] { return known }
    let agent = Agent(index: bytes.count)
    bytes.append(Path(name).bytes)
    byHash[hash] = agent
    return agent
  }

  public mutating func agent(bytes name: [UInt8]) -> Agent { unsafe agent(name.span.bytes) }

  public func bytes(of agent: Agent) -> [UInt8] {
    bytes.indices.contains(agent.index) ? bytes[agent.index] : []
  }

  public var all: [Agent] { bytes.indices.map(Agent.init(index:)) }
}

/// FNV-1a with a final mixing, 64 bits: tells names apart, and protects nothing.
///
/// - SeeAlso: RFC 9923, section 2
public enum Hash {
  public static let start: UInt64 = 0xcbf2_9ce4_8422_2325

  @inline(always)
  public static func adding(_ span: RawSpan, to hash: UInt64) -> UInt64 {
    var hash = hash
    for i in 0..<span.byteCount {
      hash = (hash ^ UInt64(span.load(UInt8.self, at: i))) &* 0x100_0000_01b3
    }
    return hash
  }

  /// One component of a path.
  @inline(always)
  public static func descending(_ name: RawSpan, from parent: UInt64) -> UInt64 {
    adding(name, to: (parent ^ UInt64(UInt8(ascii: "/"))) &* 0x100_0000_01b3)
  }

  public static func of(_ span: RawSpan) -> UInt64 { mixed(adding(span, to: start)) }

  public static func of(_ identity: FileIdentity) -> UInt64 {
    mixed(mixed(identity.device &+ start) ^ identity.inode)
  }

  @inline(always)
  private static func mixed(_ value: UInt64) -> UInt64 {
    var value = value
    value = (value ^ value >> 33) &* 0xff51_afd7_ed55_8ccd
    value = (value ^ value >> 33) &* 0xc4ce_b9fe_1a85_ec53
    return value ^ value >> 33
  }
}

extension Hash {
  public static func of(bytes: [UInt8]) -> UInt64 { unsafe of(bytes.span.bytes) }
}
