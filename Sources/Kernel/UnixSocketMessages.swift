internal import CLinux
internal import Glibc

/// Walks the messages of one read from a socket of sock_diag(7): no copy, no trust in the lengths.
struct UnixSocketMessages: ~Escapable {
  enum Message: Equatable {
    /// `peer` is 0 where nobody is at the other end.
    case socket(inode: UInt64, peer: UInt64)
    /// That was the last.
    case done
    /// With the number of an error, 1 or more.
    case failed(Int32)
  }

  private var rest: RawSpan
  /// Every message was as long as it said.
  private(set) var wasWhole = true

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { rest = bytes }

  /// The next message that says something; nil after the last of this read.
  mutating func next() -> Message? {
    while rest.byteCount > 0 {
      // struct nlmsghdr { u32 length; u16 type; u16 flags; u32 sequence; u32 port; }
      guard rest.byteCount >= 16 else { return broken() }
      let length = Int(rest.load(UInt32.self, at: 0))
      let type = Int32(rest.load(UInt16.self, at: 4))
      guard length >= 16, length <= rest.byteCount else { return broken() }
      let body = rest.extracting(16..<length)
      rest = rest.extracting(min(aligned(length), rest.byteCount)...)
      switch type {
      case NLMSG_DONE: return ending(body) ?? .done
      case NLMSG_ERROR: return ending(body) ?? .failed(EIO)
      case Int32(SOCK_DIAG_BY_FAMILY): if let socket = socket(body) { return socket }
      case NLMSG_NOOP: continue
      default: return broken()
      }
    }
    return nil
  }

  private mutating func broken() -> Message? {
    wasWhole = false
    rest = rest.extracting(first: 0)
    return nil
  }

  /// Both kinds of end begin with an error's number, negative, or 0 for none.
  private func ending(_ body: RawSpan) -> Message? {
    guard body.byteCount >= 4 else { return nil }
    let code = body.load(Int32.self, at: 0)
    return code < 0 && code > Int32.min ? .failed(-code) : nil
  }

  private mutating func socket(_ body: RawSpan) -> Message? {
    // struct unix_diag_msg { u8 family; u8 type; u8 state; u8 pad; u32 inode; u32 cookie[2]; }
    guard body.byteCount >= 16 else { return broken() }
    guard body.load(UInt8.self, at: 0) == UInt8(AF_UNIX) else { return nil }
    let inode = UInt64(body.load(UInt32.self, at: 4))
    guard let peer = peer(body.extracting(16...)) else { return broken() }
    return .socket(inode: inode, peer: peer)
  }

  /// 0 without the attribute; nil where the attributes are damaged.
  private func peer(_ attributes: RawSpan) -> UInt64? {
    var rest = attributes
    while rest.byteCount > 0 {
      // struct nlattr { u16 length; u16 type; }
      guard rest.byteCount >= 4 else { return nil }
      let length = Int(rest.load(UInt16.self, at: 0))
      // Without the two flags above it, NLA_TYPE_MASK, a macro that is not imported.
      let type = Int(rest.load(UInt16.self, at: 2)) & 0x3fff
      guard length >= 4, length <= rest.byteCount else { return nil }
      if type == Int(UNIX_DIAG_PEER) { return length >= 8 ? UInt64(rest.load(UInt32.self, at: 4)) : nil }
      rest = rest.extracting(min(aligned(length), rest.byteCount)...)
    }
    return 0
  }

  /// To four bytes, as netlink lays everything out.
  private func aligned(_ length: Int) -> Int { (length + 3) & ~3 }
}
