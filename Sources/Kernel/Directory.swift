internal import CLinux
internal import Glibc

/// A directory held open by O_PATH: a place to start from that no renaming can exchange.
///
/// Every name given to it is resolved in it and only in it.
public struct Directory: ~Copyable {
  public let descriptor: Descriptor

  /// Opens by an absolute path, following symlinks: for the few paths that a person chose.
  ///
  /// - Throws: `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `EMFILE`.
  /// - SeeAlso: open(2), O_PATH
  public init(_ path: borrowing Path) throws(Errno) {
    let flags = midwatch_O_PATH | O_DIRECTORY | O_CLOEXEC
    descriptor = Descriptor(owning: try retrying { unsafe path.withCString { unsafe open($0, flags) } })
  }

  private init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

  /// Opens a directory below this one by a relative path, "" being this one itself.
  ///
  /// - Throws: `ELOOP` where a component is a symlink; `EXDEV` where the path leads out of this
  ///   directory; `ENOENT`, `ENOTDIR`, `EACCES`, `EMFILE`.
  /// - SeeAlso: openat2(2), RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS
  public borrowing func directory(_ path: borrowing Path) throws(Errno) -> Directory {
    // Without O_NOFOLLOW, under which a final symlink would be told as "no directory".
    Directory(owning: try openBeneath(path, flags: midwatch_O_PATH | O_DIRECTORY))
  }

  /// Opens for reading without waiting for a FIFO's writer, without following a symlink and,
  /// where the owner allows it, without touching the access time.
  ///
  /// - Throws: as `directory(_:)`.
  public borrowing func file(_ path: borrowing Path) throws(Errno) -> File {
    let flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY
    do throws(Errno) {
      return File(owning: try openBeneath(path, flags: flags | midwatch_O_NOATIME))
    } catch {
      // O_NOATIME is for the file's owner and for CAP_FOWNER.
      guard error == .notPermitted else { throw error }
      return File(owning: try openBeneath(path, flags: flags))
    }
  }

  /// Holds whatever bears this name, a symlink itself included, without opening it: its inode number is
  /// not given to another file as long as this lives.
  ///
  /// - Throws: as `directory(_:)`, but for a symlink at the end.
  /// - SeeAlso: openat2(2), RESOLVE_NO_SYMLINKS with O_PATH and O_NOFOLLOW
  public borrowing func hold(_ path: borrowing Path) throws(Errno) -> Held {
    Held(descriptor: try openBeneath(path, flags: midwatch_O_PATH | O_NOFOLLOW))
  }

  private borrowing func openBeneath(_ path: borrowing Path, flags: Int32) throws(Errno) -> Descriptor {
    var how = open_how()
    how.flags = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
    how.resolve = UInt64(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
    let number = descriptor.number
    let path = path.isEmpty ? Path(".") : copy path
    return Descriptor(owning: try retrying { unsafe path.withCString { unsafe midwatch_openat2(number, $0, &how) } })
  }

  /// - Throws: nothing but `EIO` and the like: the directory is held.
  public borrowing func status() throws(Errno) -> FileStatus {
    try fileStatus(at: descriptor.number, Path.empty, flags: midwatch_AT_EMPTY_PATH)
  }

  /// - Parameter name: one component. A symlink is described, not followed.
  /// - Throws: `ENOENT`, `EACCES`.
  /// - SeeAlso: statx(2)
  public borrowing func status(of name: borrowing Path) throws(Errno) -> FileStatus {
    try fileStatus(at: descriptor.number, name, flags: 0)
  }

  /// The text of a symlink, at most 4,095 bytes.
  ///
  /// - Throws: `EINVAL` where it is none; `ENOENT`, `EACCES`.
  /// - SeeAlso: readlinkat(2)
  public borrowing func linkText(_ name: borrowing Path) throws(Errno) -> [UInt8] {
    var text = [UInt8](repeating: 0, count: 4096)
    let number = descriptor.number
    let count = try retrying {
      unsafe name.withCString { name in
        unsafe text.withUnsafeMutableBytes { text in
          guard let base = text.baseAddress else { return 0 }
          return unsafe readlinkat(number, name, base.assumingMemoryBound(to: CChar.self), 4095)
        }
      }
    }
    return Array(text[..<max(0, min(count, 4095))])
  }
}

/// Something held by O_PATH.
public struct Held: ~Copyable {
  let descriptor: Descriptor

  public borrowing func status() throws(Errno) -> FileStatus {
    try fileStatus(at: descriptor.number, Path.empty, flags: midwatch_AT_EMPTY_PATH)
  }
}

extension Directory {
  /// Describes what lies at a relative path, a symlink itself included, without making memory for it.
  ///
  /// - Throws: `ELOOP` where any component but the last is a symlink; `EXDEV` where the path leads out;
  ///   `ENOENT`, `EACCES`.
  public borrowing func peek(_ path: borrowing Path) throws(Errno) -> FileStatus {
    var how = open_how()
    how.flags = UInt64(UInt32(bitPattern: midwatch_O_PATH | O_NOFOLLOW | O_CLOEXEC))
    how.resolve = UInt64(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
    let number = descriptor.number
    let held = Descriptor(
      owning: try retrying { unsafe path.withCString { unsafe midwatch_openat2(number, $0, &how) } })
    return try fileStatus(at: held.number, Path.empty, flags: midwatch_AT_EMPTY_PATH)
  }
}
