internal import CLinux
internal import Glibc
public import Rules

/// What statx(2) tells of a file.
public struct FileStatus: Equatable, Sendable {
  public enum Kind: Equatable, Sendable { case file, directory, symlink, other }

  public let identity: FileIdentity
  public let kind: Kind
  /// Permission bits, set-id and sticky bits included.
  public let mode: UInt32
  public let owner: UInt32
  public let group: UInt32
  /// In bytes.
  public let size: Int64
  public let links: UInt32
  public let modified: WallTime
  public let accessed: WallTime
  public let changed: WallTime
  /// nil where the filesystem keeps no birth time.
  public let born: WallTime?
  /// The top of a mount; nil before Linux 5.8, which does not say.
  public let isMountRoot: Bool?

  /// A file as a journal remembers it: what matters for making it again.
  public init(
    kind: Kind, mode: UInt32, owner: UInt32, group: UInt32, modified: WallTime, accessed: WallTime
  ) {
    identity = FileIdentity(device: 0, inode: 0)
    self.kind = kind
    self.mode = mode
    self.owner = owner
    self.group = group
    size = 0
    links = 0
    self.modified = modified
    self.accessed = accessed
    changed = modified
    born = nil
    isMountRoot = nil
  }

  init(_ raw: statx) {
    identity = FileIdentity(
      device: UInt64(raw.stx_dev_major) << 32 | UInt64(raw.stx_dev_minor), inode: raw.stx_ino)
    kind =
      switch UInt32(raw.stx_mode) & 0o170000 {
      case 0o100000: .file
      case 0o040000: .directory
      case 0o120000: .symlink
      default: .other
      }
    mode = UInt32(raw.stx_mode) & 0o7777
    owner = raw.stx_uid
    group = raw.stx_gid
    size = Int64(clamping: raw.stx_size)
    links = raw.stx_nlink
    modified = WallTime(raw.stx_mtime)
    accessed = WallTime(raw.stx_atime)
    changed = WallTime(raw.stx_ctime)
    born = raw.stx_mask & STATX_BTIME == 0 ? nil : WallTime(raw.stx_btime)
    let mountRoot = UInt64(STATX_ATTR_MOUNT_ROOT)
    isMountRoot = raw.stx_attributes_mask & mountRoot == 0 ? nil : raw.stx_attributes & mountRoot != 0
  }

  /// Major and minor number as /proc/locks writes them.
  public var device: (major: UInt32, minor: UInt32) {
    (UInt32(truncatingIfNeeded: identity.device >> 32), UInt32(truncatingIfNeeded: identity.device))
  }
}

extension WallTime {
  init(_ raw: statx_timestamp) {
    self.init(seconds: Int64(raw.tv_sec), nanoseconds: Int64(raw.tv_nsec))
  }

  var timespec: Glibc.timespec {
    // Rounded down, so that the nanoseconds are never negative.
    let second = nanoseconds >= 0 || nanoseconds % 1_000_000_000 == 0 ? seconds : seconds - 1
    return Glibc.timespec(tv_sec: Int(second), tv_nsec: Int((self - WallTime(seconds: second, nanoseconds: 0)).nanoseconds))
  }
}

/// One call of statx(2), without following a symlink and without asking a server anew.
func fileStatus(
  at directory: Int32, _ path: borrowing Path, flags: Int32, in name: StaticString = #function
) throws(Errno) -> FileStatus {
  var raw = statx()
  let mask = STATX_BASIC_STATS | STATX_BTIME
  let flags = flags | Int32(AT_SYMLINK_NOFOLLOW)
  try retrying(name) {
    unsafe path.withCString { unsafe midwatch_statx(directory, $0, flags, mask, &raw) }
  }
  return FileStatus(raw)
}

extension Directory {
  /// Which file a descriptor of another process leads to: for `/proc/PID/fd/N`, the one link that
  /// is followed.
  ///
  /// - Throws: `ENOENT` where it was closed meanwhile; `EACCES`.
  /// - SeeAlso: statx(2); proc(5)
  public borrowing func identity(behind name: borrowing Path) throws(Errno) -> FileIdentity {
    var raw = statx()
    let number = descriptor.number
    try retrying { unsafe name.withCString { unsafe midwatch_statx(number, $0, 0, STATX_INO, &raw) } }
    return FileStatus(raw).identity
  }
}
