internal import CLinux
internal import Glibc

/// An open file.
public struct File: ~Copyable {
  public let descriptor: Descriptor

  init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

  /// Opens for reading by a path that a person chose or that the kernel provides (/proc).
  ///
  /// - Throws: `ENOENT`, `EACCES`, `EMFILE`.
  /// - SeeAlso: open(2)
  public init(reading path: borrowing Path) throws(Errno) {
    let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
    descriptor = Descriptor(owning: try retrying { unsafe path.withCString { unsafe open($0, flags) } })
  }

  /// A file without a name that lies in memory alone, to be read from its beginning: for what must never
  /// stand on a disk or among a program's arguments.
  ///
  /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`.
  /// - SeeAlso: memfd_create(2)
  public static func inMemory(_ bytes: borrowing [UInt8]) throws(Errno) -> File {
    // MFD_CLOEXEC, and MFD_NOEXEC_SEAL, without which vm.memfd_noexec = 2 refuses; before Linux 6.3 there is no such flag.
    func make(_ flags: UInt32) throws(Errno) -> Descriptor {
      Descriptor(owning: try retrying { unsafe midwatch_memfd_create("midwatch", flags) })
    }
    let made: Descriptor
    do throws(Errno) { made = try make(0x1 | 0x8) } catch {
      guard error == .invalid else { throw error }
      made = try make(0x1)
    }
    let file = File(owning: made)
    try file.write(bytes)
    let number = file.descriptor.number
    try retrying { lseek(number, 0, SEEK_SET) }
    return file
  }

  public borrowing func status() throws(Errno) -> FileStatus {
    try fileStatus(at: descriptor.number, Path.empty, flags: midwatch_AT_EMPTY_PATH)
  }

  /// Reads from the beginning, at most `limit` bytes.
  ///
  /// - Throws: `EISDIR`, `EIO`; `ESPIPE` from a FIFO.
  /// - SeeAlso: pread(2)
  public borrowing func contents(upTo limit: Int) throws(Errno) -> [UInt8] {
    try contents(from: 0, upTo: limit)
  }

  public borrowing func contents(from start: Int64, upTo limit: Int) throws(Errno) -> [UInt8] {
    var bytes: [UInt8] = []
    try read(from: start, upTo: limit, into: &bytes)
    return bytes
  }

  /// The same into memory that is used again.
  public borrowing func read(from start: Int64 = 0, upTo limit: Int, into bytes: inout [UInt8]) throws(Errno) {
    bytes.removeAll(keepingCapacity: true)
    let number = descriptor.number
    var piece = min(limit, 4096)
    while bytes.count < limit {
      let filled = bytes.count
      piece = min(piece, limit - filled)
      // Into memory that nobody has cleared: most files are far smaller than a piece.
      try bytes.append(addingCapacity: piece) { memory throws(Errno) in
        try unsafe memory.withUnsafeMutableBufferPointer { free, count throws(Errno) in
          count = try retrying { unsafe pread(number, free.baseAddress, piece, off_t(start) + off_t(filled)) }
        }
      }
      if bytes.count == filled { return }
      piece = 65_536
    }
  }

  /// Reads from the beginning in one pread(2), at most what the buffer holds: all of a file of /proc or
  /// /sys, which is made anew for each reading.
  ///
  /// - Throws: `EIO`; `ENODEV` from a control group that was removed.
  public borrowing func read(into buffer: inout ReadBuffer) throws(Errno) {
    let number = descriptor.number
    try retrying { unsafe buffer.fill { unsafe pread(number, $0, $1, 0) } }
  }

  /// Writes all of `bytes` in one write(2) where the kernel lets it.
  ///
  /// - Throws: `ENOSPC`, `EDQUOT`, `EIO`; what was written before stays.
  public borrowing func write(_ bytes: borrowing [UInt8]) throws(Errno) {
    let number = descriptor.number
    let total = bytes.count
    var done = 0
    while done < total {
      let start = done
      let count = try retrying {
        unsafe bytes.withUnsafeBytes { memory in
          guard let base = memory.baseAddress else { return 0 }
          return unsafe Glibc.write(number, base + start, total - start)
        }
      }
      guard count > 0 else { throw .noSpace }
      done += count
    }
  }

  /// - SeeAlso: fsync(2)
  public borrowing func sync() throws(Errno) {
    let number = descriptor.number
    try retrying { fsync(number) }
  }

  public borrowing func setMode(_ mode: UInt32) throws(Errno) {
    let number = descriptor.number
    try retrying { fchmod(number, mode) }
  }

  public borrowing func truncate(to size: Int64) throws(Errno) {
    let number = descriptor.number
    try retrying { ftruncate(number, off_t(size)) }
  }

  /// Takes a whole-file lock for as long as this file is open, without waiting.
  ///
  /// - Returns: false where another process holds one.
  /// - SeeAlso: flock(2)
  public borrowing func lock(shared: Bool = false) throws(Errno) -> Bool {
    let number = descriptor.number
    do throws(Errno) {
      try retrying { flock(number, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) }
      return true
    } catch {
      if error == .wouldBlock { return false }
      throw error
    }
  }
}

extension Directory {
  /// Opens for reading and locking, and makes the file where it is missing.
  public borrowing func lockFile(_ name: borrowing Path, mode: UInt32) throws(Errno) -> File {
    let number = descriptor.number
    let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
    return File(
      owning: Descriptor(
        owning: try retrying { unsafe name.withCString { unsafe openat(number, $0, flags, mode) } }))
  }
}

/// Whether this process may write into a directory, as the kernel sees it: a read-only mount and
/// a unit's sandbox count.
///
/// - SeeAlso: faccessat(2), AT_EACCESS
public func mayWrite(into directory: borrowing Path) -> Errno? {
  let result = unsafe directory.withCString { unsafe faccessat(AT_FDCWD, $0, W_OK | X_OK, AT_EACCESS) }
  return result == 0 ? nil : Errno.last
}

/// The path with every symlink resolved.
///
/// - Throws: `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`.
/// - SeeAlso: realpath(3)
public func realPath(_ path: borrowing Path) throws(Errno) -> Path {
  let resolved = unsafe path.withCString { unsafe realpath($0, nil) }
  guard let resolved = unsafe resolved else { throw Errno.last }
  defer { unsafe free(resolved) }
  return Path(unsafe UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)).bytes)
}

extension File {
  /// Whether any process in any pid namespace holds a lock on this file: the answer that /proc/locks
  /// cannot give from inside a namespace of its own.
  ///
  /// Takes a flock(2) for the length of one system call where nobody holds one.
  ///
  /// - SeeAlso: fcntl(2), F_GETLK; flock(2)
  public borrowing func isLockedBySomebody() throws(Errno) -> Bool {
    let number = descriptor.number
    let holder = try retrying { midwatch_has_posix_lock(number) }
    if holder == 1 { return true }
    guard try lock() else { return true }
    try retrying { flock(number, LOCK_UN) }
    return false
  }
}

/// A path counted from "/", as a person meant it: relative ones from the working directory.
///
/// - SeeAlso: getcwd(3)
public func absolute(_ path: String) -> String {
  if path.utf8.first == UInt8(ascii: "/") { return path }
  guard let here = unsafe getcwd(nil, 0) else { return path }
  defer { unsafe free(here) }
  let base = unsafe String(cString: here)
  if path.isEmpty || path == "." { return base }
  return base + (base == "/" ? "" : "/") + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
}
