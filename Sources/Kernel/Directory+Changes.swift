internal import CLinux
internal import Glibc
public import Rules

/// What changes a directory. Only actuators call these, and only after they have looked.
extension Directory {
  /// Swaps two names in one step; both must exist.
  ///
  /// - Throws: `ENOENT` where one is gone; `EINVAL` where the filesystem cannot do it.
  /// - SeeAlso: renameat2(2), RENAME_EXCHANGE
  public borrowing func exchange(_ a: borrowing Path, _ b: borrowing Path) throws(Errno) {
    try rename(a, b, flags: midwatch_RENAME_EXCHANGE)
  }

  /// Renames to a name that must not exist.
  ///
  /// - Throws: `EEXIST`; `EINVAL` where the filesystem cannot promise it.
  /// - SeeAlso: renameat2(2), RENAME_NOREPLACE
  public borrowing func renameNew(_ from: borrowing Path, to: borrowing Path) throws(Errno) {
    try rename(from, to, flags: midwatch_RENAME_NOREPLACE)
  }

  /// Renames over whatever bears the new name.
  public borrowing func renameOver(_ from: borrowing Path, to: borrowing Path) throws(Errno) {
    try rename(from, to, flags: 0)
  }

  private borrowing func rename(
    _ from: borrowing Path, _ to: borrowing Path, flags: UInt32
  ) throws(Errno) {
    let number = descriptor.number
    try retrying {
      unsafe from.withCString { from in
        unsafe to.withCString { to in unsafe midwatch_renameat2(number, from, number, to, flags) }
      }
    }
  }

  /// Gives a file a second name in the same directory; `EEXIST` where it is taken.
  ///
  /// - SeeAlso: linkat(2)
  public borrowing func link(_ from: borrowing Path, as to: borrowing Path) throws(Errno) {
    try link(from, into: self, as: to)
  }

  /// Gives a file a second name in another directory of the same filesystem.
  public borrowing func link(
    _ from: borrowing Path, into directory: borrowing Directory, as to: borrowing Path
  ) throws(Errno) {
    let (number, target) = (descriptor.number, directory.descriptor.number)
    try retrying {
      unsafe from.withCString { from in
        unsafe to.withCString { to in unsafe linkat(number, from, target, to, 0) }
      }
    }
  }

  /// Moves a name into another directory of the same filesystem, over whatever bears it there.
  public borrowing func move(
    _ from: borrowing Path, into directory: borrowing Directory, as to: borrowing Path
  ) throws(Errno) {
    let (number, target) = (descriptor.number, directory.descriptor.number)
    try retrying {
      unsafe from.withCString { from in
        unsafe to.withCString { to in unsafe midwatch_renameat2(number, from, target, to, 0) }
      }
    }
  }

  /// - SeeAlso: unlinkat(2)
  public borrowing func unlink(_ name: borrowing Path) throws(Errno) {
    let number = descriptor.number
    try retrying { unsafe name.withCString { unsafe unlinkat(number, $0, 0) } }
  }

  /// - Throws: `ENOTEMPTY`.
  /// - SeeAlso: unlinkat(2), AT_REMOVEDIR
  public borrowing func removeDirectory(_ name: borrowing Path) throws(Errno) {
    let number = descriptor.number
    try retrying { unsafe name.withCString { unsafe unlinkat(number, $0, AT_REMOVEDIR) } }
  }

  /// - Throws: `EEXIST`.
  public borrowing func makeDirectory(_ name: borrowing Path, mode: UInt32) throws(Errno) {
    let number = descriptor.number
    try retrying { unsafe name.withCString { unsafe mkdirat(number, $0, mode) } }
  }

  /// - Parameter text: where it points; 1 to 4,095 bytes.
  /// - Throws: `EEXIST`; `EINVAL` where the text has a NUL in it.
  public borrowing func makeSymlink(_ name: borrowing Path, to text: [UInt8]) throws(Errno) {
    guard let target = Path(bytes: text) else { throw .invalid }
    let number = descriptor.number
    try retrying {
      unsafe target.withCString { target in
        unsafe name.withCString { unsafe symlinkat(target, number, $0) }
      }
    }
  }

  /// Makes a new file for writing; `EEXIST` where the name is taken by anything, a dangling
  /// symlink included.
  ///
  /// - SeeAlso: open(2), O_EXCL
  public borrowing func makeFile(_ name: borrowing Path, mode: UInt32) throws(Errno) -> File {
    try openFile(name, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
  }

  /// Opens for appending, and makes the file where it is missing.
  public borrowing func appendingFile(_ name: borrowing Path, mode: UInt32) throws(Errno) -> File {
    try openFile(name, O_WRONLY | O_CREAT | O_APPEND, mode: mode)
  }

  private borrowing func openFile(
    _ name: borrowing Path, _ flags: Int32, mode: UInt32
  ) throws(Errno) -> File {
    let number = descriptor.number
    let flags = flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
    let file = File(
      owning: Descriptor(
        owning: try retrying { unsafe name.withCString { unsafe openat(number, $0, flags, mode) } }))
    // The mode asked for, whatever the umask: other users' agents read markers and HALT.
    if flags & O_EXCL != 0 { try file.setMode(mode) }
    return file
  }

  /// Sets owner and group without following a symlink.
  ///
  /// - Throws: `EPERM` for anybody but root.
  /// - SeeAlso: fchownat(2)
  public borrowing func setOwner(of name: borrowing Path, to owner: UInt32, group: UInt32) throws(Errno) {
    let number = descriptor.number
    try retrying { unsafe name.withCString { unsafe fchownat(number, $0, owner, group, AT_SYMLINK_NOFOLLOW) } }
  }

  /// Sets the permission bits of what is no symlink: fchmodat(2) would follow one.
  public borrowing func setMode(ofDirectory name: borrowing Path, to mode: UInt32) throws(Errno) {
    let number = descriptor.number
    try retrying { unsafe name.withCString { unsafe fchmodat(number, $0, mode, 0) } }
  }

  /// Sets access and modification time without following a symlink.
  ///
  /// - SeeAlso: utimensat(2)
  public borrowing func setTimes(
    of name: borrowing Path, accessed: WallTime, modified: WallTime
  ) throws(Errno) {
    let number = descriptor.number
    let times = [accessed.timespec, modified.timespec]
    try retrying { unsafe name.withCString { unsafe utimensat(number, $0, times, AT_SYMLINK_NOFOLLOW) } }
  }
}
