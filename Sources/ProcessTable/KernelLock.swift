/// One lock that the kernel keeps, a line of `/proc/locks`, proc_locks(5).
public struct KernelLock: Hashable, Sendable {
  public enum Kind: UInt8, Hashable, Sendable {
    /// flock(2).
    case flock
    /// fcntl(2) F_SETLK, lockf(3): belongs to a process.
    case posix
    /// fcntl(2) F_OFD_SETLK: belongs to an open file description and names no process.
    case ofd
    /// fcntl(2) F_SETLEASE, and the delegations of a file server.
    case lease

    init?(_ text: RawSpan) {
      if text.equals("FLOCK") {
        self = .flock
      } else if text.equals("POSIX") || text.equals("ACCESS") {
        self = .posix
      } else if text.equals("OFDLCK") {
        self = .ofd
      } else if text.equals("LEASE") || text.equals("DELEG") || text.equals("LAYOUT") {
        self = .lease
      } else {
        return nil
      }
    }
  }

  public let kind: Kind
  /// Waits for the lock and does not have it.
  public let isWaiter: Bool
  /// -1 for an OFD lock, 0 for a holder that our pid namespace does not know.
  public let pid: Int32
  /// Of the superblock's device, which on btrfs and overlayfs is not the one that stat shows.
  public let major: UInt32
  public let minor: UInt32
  public let inode: UInt64

  public init(kind: Kind, isWaiter: Bool, pid: Int32, major: UInt32, minor: UInt32, inode: UInt64) {
    self.kind = kind
    self.isWaiter = isWaiter
    self.pid = pid
    self.major = major
    self.minor = minor
    self.inode = inode
  }

  /// Reads `1: FLOCK  ADVISORY  WRITE 2153 00:13:11691 0 EOF`; nil for any other line, and for a
  /// lock on no file (`<none>:0`).
  public init?(line: RawSpan) {
    var fields = FieldReader(line)
    fields.skipBlanks()
    guard fields.number() != nil, fields.take(0x3A) else { return nil }
    let isWaiter = fields.take("->")
    guard let name = fields.field(), let kind = Kind(name),
      // ADVISORY or ACTIVE; READ, WRITE or UNLCK
      fields.skipFields(2),
      let pid = fields.wholePid()
    else { return nil }
    fields.skipBlanks()
    guard let major = fields.number(radix: 16), fields.take(0x3A), let minor = fields.number(radix: 16),
      fields.take(0x3A), let inode = fields.wholeNumber(),
      let major = UInt32(exactly: major), let minor = UInt32(exactly: minor)
    else { return nil }
    self.init(kind: kind, isWaiter: isWaiter, pid: pid, major: major, minor: minor, inode: inode)
  }
}

/// Walks the lines of `/proc/locks`; lines that are no locks are passed over.
public struct KernelLocks: ~Escapable {
  private var lines: FieldReader

  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) { lines = FieldReader(bytes) }

  /// The next lock or waiter; nil after the last.
  @_lifetime(self: copy self)
  public mutating func next() -> KernelLock? {
    while let line = lines.line() {
      if let lock = KernelLock(line: line) { return lock }
    }
    return nil
  }
}
