/// A lock's place in the sensor's table: one name in one watched directory.
public struct LockID: Hashable, Sendable {
  public let index: Int
  public init(index: Int) { self.index = index }
}

/// What one look at a lock found. Cheap parts always; `holding` only where the rule asked for it.
public struct LockSighting: Equatable, Sendable {
  public enum Kind: Equatable, Sendable { case file, directory, symlink, other }

  /// What the kernel could tell of processes that hold the lock.
  public enum Holders: Equatable, Sendable {
    case none
    /// At least one; the pids that could be named (an OFD lock names none by itself).
    case some([ProcessIdentity])
    /// The kernel's answer would prove nothing (a filtered /proc, a pid namespace of our own).
    case unknown
  }

  /// What became of the owner that the lock names.
  public enum Owner: Equatable, Sendable {
    /// The lock names nobody.
    case unnamed
    /// A process carries that pid and may have written the lock.
    case alive(ProcessIdentity)
    /// No process carries that pid, or only one that started after the lock was written, or with
    /// another start time than the one recorded, or a zombie.
    case gone(recycled: Bool)
    /// Another host, a network filesystem, a pid namespace of our own, a filtered /proc.
    case unknowable
  }

  public var identity: FileIdentity
  public var kind: Kind
  public var modified: WallTime
  /// `now - modified`, corrected for clock steps, never negative.
  public var age: TimeSpan
  /// Listed under `ignore`.
  public var ignored: Bool
  public var owner: Owner
  /// A start time is recorded in it, or its format is one whose writer is its holder.
  public var writerIsHolder: Bool
  /// Written before this boot, by `state/clock`, on a local filesystem.
  public var earlierBoot: Bool
  /// Why it can never be reaped whatever its age ("larger than 64 KiB", "a directory that is not
  /// empty"); nil where it can.
  public var unreapable: Unreapable?
  /// Who holds a kernel lock on it, by /proc/locks; nil when not asked for.
  public var lockedBy: Holders?
  /// Who has it open, by /proc/PID/fd; nil when not asked for.
  public var openedBy: Holders?

  public enum Unreapable: String, Equatable, Sendable {
    case tooLarge = "larger than 64 KiB"
    case notEmpty = "a directory that is not empty"
    case special = "neither a file, a directory nor a symlink"
    case notOurs = "not ours: another user's, or in a directory that others may write"
    case undone = "put back by 'midwatch undo'"
  }

  public init(
    identity: FileIdentity, kind: Kind = .file, modified: WallTime, age: TimeSpan,
    ignored: Bool = false,
    owner: Owner = .unnamed, writerIsHolder: Bool = false, earlierBoot: Bool = false,
    unreapable: Unreapable? = nil, lockedBy: Holders? = nil, openedBy: Holders? = nil
  ) {
    self.identity = identity
    self.kind = kind
    self.modified = modified
    self.age = age
    self.ignored = ignored
    self.owner = owner
    self.writerIsHolder = writerIsHolder
    self.earlierBoot = earlierBoot
    self.unreapable = unreapable
    self.lockedBy = lockedBy
    self.openedBy = openedBy
  }
}
