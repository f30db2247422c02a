internal import CLinux
internal import Glibc

/// What a pass over /proc asks of each process, without making memory.
extension Directory {
  /// Reads the beginning of a file in one read(2): all of it for the files of /proc that are made in one
  /// piece, as long as the buffer holds them.
  ///
  /// Symlinks are followed: this is for /proc, where the kernel alone makes names.
  ///
  /// - Throws: `ENOENT` or `ESRCH` where the process is gone; `EACCES` or `EPERM` where it is not ours to look
  ///   at; `EMFILE`, `ENFILE`, `ENOMEM`.
  /// - SeeAlso: openat(2); read(2)
  public borrowing func read(_ path: ShortPath, into buffer: inout ReadBuffer) throws(Errno) {
    let number = descriptor.number
    let flags = O_RDONLY | O_NOCTTY | O_CLOEXEC
    let file = Descriptor(owning: try retrying { unsafe path.withCString { unsafe openat(number, $0, flags) } })
    let opened = file.number
    try retrying { unsafe buffer.fill { unsafe Glibc.read(opened, $0, $1) } }
  }

  /// Reads the text of a symlink, cut off where the buffer ends.
  ///
  /// - Throws: as `read(_:into:)`; `EINVAL` where it is none.
  /// - SeeAlso: readlinkat(2)
  public borrowing func readLink(_ path: ShortPath, into buffer: inout ReadBuffer) throws(Errno) {
    try textOfLink(at: descriptor.number, path, into: &buffer)
  }
}

extension Directory {
  /// Whether anybody has the other end of an unnamed pipe, by `/proc/PID/fd/N`; by whom it is held, this
  /// process need not be allowed to know.
  ///
  /// For one moment the pipe has one more holder of the same end.
  ///
  /// - Parameter writing: which end the descriptor is.
  /// - Throws: as `read(_:into:)`; `EACCES` also where the pipe was made by another user.
  /// - SeeAlso: poll(2), POLLERR and POLLHUP; pipe(7)
  public borrowing func hasOtherEnd(_ path: ShortPath, writing: Bool) throws(Errno) -> Bool {
    let number = descriptor.number
    let flags = (writing ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
    let end = Descriptor(owning: try retrying { unsafe path.withCString { unsafe openat(number, $0, flags) } })
    var asked = pollfd(fd: end.number, events: 0, revents: 0)
    try retrying { unsafe poll(&asked, 1, 0) }
    return Int32(asked.revents) & (POLLERR | POLLHUP) == 0
  }
}

extension DirectoryListing {
  /// Opens for listing by a path below /proc.
  ///
  /// - Throws: as `Directory.read(_:into:)`.
  public init(_ path: ShortPath, in directory: borrowing Directory) throws(Errno) {
    let number = directory.descriptor.number
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    self.init(
      owning: Descriptor(owning: try retrying { unsafe path.withCString { unsafe openat(number, $0, flags) } }))
  }

  /// Reads the text of a symlink in this directory.
  ///
  /// - Throws: as `Directory.readLink(_:into:)`.
  public borrowing func readLink(_ name: ShortPath, into buffer: inout ReadBuffer) throws(Errno) {
    try textOfLink(at: descriptor.number, name, into: &buffer)
  }

  /// The permission bits of what bears that name, a symlink itself: those of `/proc/PID/fd/N` tell whether
  /// the descriptor was opened for reading (0400) and for writing (0200).
  ///
  /// - Throws: as `Directory.read(_:into:)`.
  /// - SeeAlso: statx(2); proc_pid_fd(5)
  public borrowing func mode(of name: ShortPath) throws(Errno) -> UInt32 {
    var raw = statx()
    let number = descriptor.number
    let flags = Int32(AT_SYMLINK_NOFOLLOW)
    try retrying { unsafe name.withCString { unsafe midwatch_statx(number, $0, flags, STATX_MODE, &raw) } }
    return UInt32(raw.stx_mode) & 0o7777
  }
}

private func textOfLink(at directory: Int32, _ path: ShortPath, into buffer: inout ReadBuffer) throws(Errno) {
  try retrying {
    unsafe path.withCString { path in
      unsafe buffer.fill { unsafe readlinkat(directory, path, $0.assumingMemoryBound(to: CChar.self), $1) }
    }
  }
}
