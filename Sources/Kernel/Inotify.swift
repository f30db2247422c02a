internal import CLinux
internal import Glibc

/// An inotify instance: one queue for all watches.
///
/// - SeeAlso: inotify(7)
public struct Inotify: ~Copyable {
  public struct Mask: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let modify = Mask(rawValue: UInt32(IN_MODIFY))
    public static let attributes = Mask(rawValue: UInt32(IN_ATTRIB))
    public static let closeWrite = Mask(rawValue: UInt32(IN_CLOSE_WRITE))
    public static let movedFrom = Mask(rawValue: UInt32(IN_MOVED_FROM))
    public static let movedTo = Mask(rawValue: UInt32(IN_MOVED_TO))
    public static let create = Mask(rawValue: UInt32(IN_CREATE))
    public static let delete = Mask(rawValue: UInt32(IN_DELETE))
    public static let deleteSelf = Mask(rawValue: UInt32(IN_DELETE_SELF))
    public static let moveSelf = Mask(rawValue: UInt32(IN_MOVE_SELF))
    public static let unmount = Mask(rawValue: UInt32(IN_UNMOUNT))
    /// The queue was full: records are missing. Belongs to no watch.
    public static let overflow = Mask(rawValue: UInt32(IN_Q_OVERFLOW))
    /// The watch is gone.
    public static let ignored = Mask(rawValue: UInt32(IN_IGNORED))
    /// The watch ends with its first record.
    public static let once = Mask(rawValue: UInt32(IN_ONESHOT))
    public static let isDirectory = Mask(rawValue: UInt32(IN_ISDIR))
  }

  let descriptor: Descriptor

  /// - Throws: `EMFILE` where this user has no instance left
  ///   (`fs.inotify.max_user_instances`) or this process no descriptor.
  /// - SeeAlso: inotify_init1(2)
  public init() throws(Errno) {
    descriptor = Descriptor(owning: try retrying { inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC)) })
  }

  /// Watches the directory behind an open descriptor, so that no name can be swapped in between.
  ///
  /// The same directory watched twice keeps one watch, with the mask given last.
  ///
  /// - Returns: the watch's number, which records bear.
  /// - Throws: `ENOSPC` where no watch is left (`fs.inotify.max_user_watches`); `EACCES` where it
  ///   may not be read; `ENOENT` where /proc is not mounted.
  /// - SeeAlso: inotify_add_watch(2); proc(5), /proc/self/fd
  public borrowing func watch(_ directory: borrowing Directory, for mask: Mask) throws(Errno) -> Int32 {
    let link = Path("/proc/self/fd/\(directory.descriptor.number)")
    let number = descriptor.number
    let flags = mask.rawValue | UInt32(IN_ONLYDIR) | UInt32(IN_EXCL_UNLINK)
    return try retrying { unsafe link.withCString { unsafe inotify_add_watch(number, $0, flags) } }
  }

  /// Watches a program's file for being opened, which exec does.
  ///
  /// - Throws: as `watch`; `ENOENT` where there is no such file.
  /// - SeeAlso: inotify_add_watch(2), IN_OPEN
  public borrowing func watchStarts(of program: borrowing Path) throws(Errno) {
    let number = descriptor.number
    let flags = UInt32(IN_OPEN) | UInt32(IN_DONT_FOLLOW)
    _ = try retrying { unsafe program.withCString { unsafe inotify_add_watch(number, $0, flags) } }
  }

  /// Ends a watch. One that is gone by itself is no error.
  ///
  /// - SeeAlso: inotify_rm_watch(2)
  public borrowing func unwatch(_ watch: Int32) {
    _ = inotify_rm_watch(descriptor.number, watch)
  }

  /// Reads as many records as `buffer` holds.
  ///
  /// - Returns: false where the queue is empty.
  /// - SeeAlso: inotify(7), "Reading events from an inotify file descriptor"
  public borrowing func read(into buffer: inout ReadBuffer) throws(Errno) -> Bool {
    let number = descriptor.number
    do throws(Errno) {
      return try retrying { unsafe buffer.fill { unsafe Glibc.read(number, $0, $1) } } > 0
    } catch {
      if error == .wouldBlock { return false }
      throw error
    }
  }
}

extension Inotify {
  public borrowing func register(with epoll: borrowing Epoll, key: UInt64) throws(Errno) {
    try epoll.add(descriptor, key: key)
  }
}
