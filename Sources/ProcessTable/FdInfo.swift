/// The locks that one open file description has, by the `lock:` lines of `/proc/PID/fdinfo/FD`,
/// proc_pid_fdinfo(5). Unlike `/proc/locks` it leaves no doubt about device and holder.
public struct FdInfo: Hashable, Sendable {
  /// Kinds of lock, one bit each.
  public struct Kinds: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static var flock: Kinds { Kinds(.flock) }
    public static var posix: Kinds { Kinds(.posix) }
    public static var ofd: Kinds { Kinds(.ofd) }
    public static var lease: Kinds { Kinds(.lease) }

    public init(_ kind: KernelLock.Kind) { rawValue = 1 << kind.rawValue }
  }

  /// Which locks are held through this descriptor; empty for none.
  public let held: Kinds

  /// A line that says `lock:` and is otherwise not understood counts as a POSIX lock: it is held
  /// by somebody in some way, and that is what is asked.
  public init(_ bytes: RawSpan) {
    var held: Kinds = []
    var lines = FieldReader(bytes)
    while let line = lines.line() {
      var fields = FieldReader(line)
      guard fields.take("lock:"), let rest = fields.line() else { continue }
      guard let lock = KernelLock(line: rest) else {
        held.insert(.posix)
        continue
      }
      if !lock.isWaiter { held.insert(Kinds(lock.kind)) }
    }
    self.held = held
  }
}
