internal import CLinux
internal import Glibc

/// What kind of filesystem a directory lies on, as far as watching and locking care.
///
/// - SeeAlso: statfs(2); linux/magic.h
public struct FileSystem: Equatable, Sendable {
  /// As the mount table calls it; nil for a local one that inotify sees everything of.
  public let remoteName: String?
  public var isLocal: Bool { remoteName == nil }

  /// - Throws: `EACCES`, `EIO`.
  public init(of directory: borrowing Directory) throws(Errno) {
    var raw = statfs()
    let number = directory.descriptor.number
    try retrying { unsafe fstatfs(number, &raw) }
    remoteName =
      switch UInt32(truncatingIfNeeded: raw.f_type) {
      case 0x6969: "nfs"
      case 0x517b: "smb"
      case 0xff53_4d42: "cifs"
      case 0xfe53_4d42: "smb2"
      case 0x6573_5546: "fuse"
      case 0x0102_1997: "9p"
      case 0x00c3_6400: "ceph"
      case 0x5346_414f: "afs"
      case 0x7461_636f: "ocfs2"
      case 0x0116_1970: "gfs2"
      case 0x786f_4256: "vboxsf"
      default: nil
      }
  }
}
