internal import CLinux
internal import Glibc

/// One entry of a listing, borrowed from the memory it was read into.
public struct DirectoryEntry: ~Escapable {
  public enum Kind: Equatable, Sendable {
    case file, directory, symlink, other
    /// The filesystem does not say in a listing; ask statx.
    case unknown
  }

  public let name: RawSpan
  public let kind: Kind

  @_lifetime(copy name)
  init(name: RawSpan, kind: Kind) {
    self.name = name
    self.kind = kind
  }
}

/// Walks the records of one getdents64(2): no copy, no allocation, no trust in the lengths.
public struct DirectoryEntries: ~Escapable {
  private var rest: RawSpan

  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) { rest = bytes }

  /// The next entry but `.` and `..`; nil after the last.
  @_lifetime(copy self)
  public mutating func next() -> DirectoryEntry? {
    // struct linux_dirent64 { u64 d_ino; s64 d_off; u16 d_reclen; u8 d_type; char d_name[]; }
    while rest.byteCount > 19 {
      let length = Int(rest.load(UInt16.self, at: 16))
      guard length > 19, length <= rest.byteCount else { return nil }
      let type = rest.load(UInt8.self, at: 18)
      let field = rest.extracting(19..<length)
      rest = rest.extracting(length...)
      // The name ends at its first NUL; what pads the record behind it is not cleared.
      var count = 0
      while count < field.byteCount, field.load(UInt8.self, at: count) != 0 { count += 1 }
      let name = field.extracting(first: count)
      if count == 1, name.load(UInt8.self, at: 0) == UInt8(ascii: ".") { continue }
      if count == 2, name.load(UInt16.self, at: 0) == 0x2e2e { continue }
      return DirectoryEntry(name: name, kind: .init(type))
    }
    return nil
  }
}

extension DirectoryEntry {
  /// The name as a number of at most nine digits, as processes and descriptors have for one; nil for any other.
  public var number: Int32? {
    guard (1...9).contains(name.byteCount) else { return nil }
    var value: Int32 = 0
    for i in 0..<name.byteCount {
      let byte = name.load(UInt8.self, at: i)
      guard (0x30...0x39).contains(byte) else { return nil }
      value = value * 10 + Int32(byte - 0x30)
    }
    return value
  }
}

extension DirectoryEntry.Kind {
  init(_ type: UInt8) {
    self =
      switch Int(type) {
      case DT_REG: .file
      case DT_DIR: .directory
      case DT_LNK: .symlink
      case DT_UNKNOWN: .unknown
      default: .other
      }
  }
}

/// A directory opened for listing.
public struct DirectoryListing: ~Copyable {
  let descriptor: Descriptor

  init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

  /// - Throws: `EACCES` where it may be entered but not listed; `EMFILE`.
  public init(_ directory: borrowing Directory) throws(Errno) {
    let number = directory.descriptor.number
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW
    descriptor = Descriptor(
      owning: try retrying { unsafe Path(".").withCString { unsafe openat(number, $0, flags) } })
  }

  /// Reads the next records.
  ///
  /// - Returns: false after the last.
  /// - Throws: `ENOENT` where the directory was removed meanwhile; `EIO`.
  /// - SeeAlso: getdents64(2)
  public borrowing func read(into buffer: inout ReadBuffer) throws(Errno) -> Bool {
    let number = descriptor.number
    return try retrying { unsafe buffer.fill { unsafe Int(midwatch_getdents64(number, $0, $1)) } } > 0
  }
}
