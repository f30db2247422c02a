public import Configuration
public import Kernel
public import Rules

public struct LeakWitness: ~Copyable {
  public init(allow: [Glob]) throws(Errno) {}
  public mutating func evidence(of processes: [ProcessIdentity]) -> [ProcessIdentity: LeakEvidence] { [:] }
}
