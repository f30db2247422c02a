/// How much memory is in use, of all there is.
public struct MemoryLevel: Equatable, Sendable {
  /// What a control group may use, and what it does.
  public struct Container: Equatable, Sendable {
    /// In bytes.
    public var limit: UInt64
    /// In bytes, the page cache that can be given back included.
    public var current: UInt64
    /// In bytes: the part of the page cache that nobody has asked for lately.
    public var inactiveFile: UInt64

    public init(limit: UInt64, current: UInt64, inactiveFile: UInt64) {
      self.limit = limit
      self.current = current
      self.inactiveFile = inactiveFile
    }
  }

  /// In bytes: the machine's memory, or the container's limit where that is smaller.
  public let total: UInt64
  /// In bytes, at most `total`.
  public let used: UInt64
  /// It is the container's limit that counts.
  public let isContainers: Bool

  /// - Parameters:
  ///   - total: the machine's memory, in bytes.
  ///   - available: what can be had without swapping, in bytes.
  ///   - container: the control group that everything seen from here is in; nil on a machine of our own.
  public init(total: UInt64, available: UInt64, container: Container? = nil) {
    if let container, container.limit < total {
      self.total = container.limit
      // What memory reclaim takes first, without anybody noticing, is not in use.
      used = min(container.current - min(container.inactiveFile, container.current), container.limit)
      isContainers = true
    } else {
      self.total = total
      used = total - min(available, total)
      isContainers = false
    }
  }

  /// 0 to 100, rounded down: it reaches a threshold when memory does. No memory at all is all in use.
  public var percent: Int {
    guard total > 0 else { return 100 }
    let product = used.multipliedFullWidth(by: 100)
    return Int(total.dividingFullWidth(product).quotient)
  }
}
