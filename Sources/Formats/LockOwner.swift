/// Who owns a lock, by what stands in it.
///
/// Nothing here is proof that the owner lives, or ever held the lock: the text is another
/// program's, and anybody's.
public struct LockOwner: Equatable, Sendable {
  /// The ways in which programs write an owner down. The raw value is what the journal says.
  public enum Format: String, Equatable, Sendable, CaseIterable {
    /// `123\n`: `echo $$`, lockfile-create, dotlockfile; other lines may follow.
    case barePid = "pid"
    /// `pid\nhost\ntoken\n`: Python's filelock.SoftFileLock 4.
    case softFileLock = "SoftFileLock"
    /// An object with `pid` alone.
    case json
    /// An object with `pid` and `createdAt` or `starttime`: OpenClaw's sessions.
    case openClaw = "OpenClaw"
    /// Lines of `key=value`, one of them `pid=`.
    case keyValue = "key=value"
    /// A symlink to `host-pid`: Chromium's SingletonLock.
    case singletonLink = "SingletonLock"
    /// A symlink to `user@host.pid:boot`: Emacs.
    case emacsLink = "Emacs"
  }

  /// `/proc/sys/kernel/random/boot_id` as a number of 128 bits.
  public struct BootID: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64
    public init(high: UInt64, low: UInt64) {
      self.high = high
      self.low = low
    }
  }

  /// 1...4194304, the kernel's own limit.
  public var pid: Int32
  public var format: Format
  /// As the writer spelt it: printable ASCII without spaces. SoftFileLock appends `?pidns-NUMBER`
  /// where it runs in a pid namespace of its own.
  public var host: String?
  /// Field 22 of `/proc/PID/stat`, clock ticks after boot.
  public var startTicks: UInt64?
  /// The boot that `startTicks` counts from.
  public var bootID: BootID?
  /// When that boot was, in seconds since 1970 (Emacs).
  public var bootTime: Int64?

  public init(
    pid: Int32, format: Format, host: String? = nil, startTicks: UInt64? = nil, bootID: BootID? = nil,
    bootTime: Int64? = nil
  ) {
    self.pid = pid
    self.format = format
    self.host = host
    self.startTicks = startTicks
    self.bootID = bootID
    self.bootTime = bootTime
  }

  /// Its format is one whose writer holds the lock itself, so that the writer's death is the
  /// lock's. Agents write the others from shells that are gone at once while the task runs on.
  public var writerIsHolder: Bool {
    switch format {
    case .openClaw, .softFileLock, .singletonLink, .emacsLink: true
    case .barePid, .json, .keyValue: false
    }
  }
}

extension LockOwner {
  /// PID_MAX_LIMIT, proc_pid_stat(5); nil for 0, by which dotlockfile says "nobody".
  static func pid(_ number: UInt64) -> Int32? {
    guard (1...4_194_304).contains(number) else { return nil }
    return Int32(truncatingIfNeeded: number)
  }

  static func pid(_ text: RawSpan) -> Int32? { text.decimal().flatMap { pid($0) } }

  /// A host's name as locks carry it; nil for what cannot be one.
  static func host(_ text: RawSpan) -> String? {
    guard (1...255).contains(text.byteCount) else { return nil }
    var bytes: [UInt8] = []
    var offset = 0
    while let byte = text.byte(at: offset) {
      guard byte > 0x20, byte < 0x7F, byte != .slash, byte != .backslash else { return nil }
      bytes.append(byte)
      offset &+= 1
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A start time that may be believed to be clock ticks after boot.
  ///
  /// `date +%s` gives a number of the same looks. Taken for ticks it would prove every live owner
  /// recycled; a machine that is up for the 115 days it takes to count so far loses one proof.
  static func plausibleTicks(_ number: UInt64) -> UInt64? { number > 0 && number < 1_000_000_000 ? number : nil }
}
