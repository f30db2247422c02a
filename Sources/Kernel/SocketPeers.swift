internal import CLinux
internal import Glibc

/// Which unix socket is at the other end of which, as the kernel tells for all of this network namespace.
///
/// - SeeAlso: sock_diag(7)
public enum SocketPeers {
  /// The inode at the other end of each of these sockets, 0 where nobody is: it was closed, or never
  /// connected. What is no unix socket, or lies in another network namespace, is missing.
  ///
  /// - Throws: `ENOENT` or `EOPNOTSUPP` where the kernel has no such answer (CONFIG_UNIX_DIAG);
  ///   `EPROTONOSUPPORT`, `EACCES` where a sandbox forbids it; `EMFILE`, `ENOBUFS`; `EIO` where the answer
  ///   broke off.
  public static func of(_ wanted: Set<UInt64>) throws(Errno) -> [UInt64: UInt64] {
    let netlink = try Netlink()
    try netlink.askForUnixSockets()
    var peers: [UInt64: UInt64] = [:]
    var buffer = ReadBuffer(capacity: 65_536)
    while true {
      try netlink.read(into: &buffer)
      var messages = UnixSocketMessages(buffer.bytes)
      while let message = messages.next() {
        switch message {
        case .socket(let inode, let peer): if wanted.contains(inode) { peers[inode] = peer }
        case .done: return peers
        case .failed(let code): throw Errno(rawValue: code)
        }
      }
      if !messages.wasWhole { throw Errno(rawValue: EIO) }
    }
  }
}

/// - SeeAlso: netlink(7)
private struct Netlink: ~Copyable {
  private let descriptor: Descriptor

  init() throws(Errno) {
    let type = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = Descriptor(owning: try retrying { socket(AF_NETLINK, type, NETLINK_SOCK_DIAG) })
    // The kernel answers at once; what else keeps the answer back must not hold the watch.
    var patience = timeval(tv_sec: 2, tv_usec: 0)
    let (number, size) = (descriptor.number, socklen_t(MemoryLayout<timeval>.size))
    try retrying { unsafe setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, size) }
    self.descriptor = descriptor
  }

  borrowing func askForUnixSockets() throws(Errno) {
    var request = UnixSocketRequest()
    let number = descriptor.number
    let size = MemoryLayout<UnixSocketRequest>.size
    // Without an address it goes to the kernel.
    try retrying { unsafe send(number, &request, size, 0) }
  }

  /// - Throws: `EIO` where nothing comes.
  borrowing func read(into buffer: inout ReadBuffer) throws(Errno) {
    let number = descriptor.number
    // Nothing but the kernel may send to a netlink socket that was never bound to a group.
    let count = try retrying { unsafe buffer.fill { unsafe recv(number, $0, $1, 0) } }
    guard count > 0 else { throw Errno(rawValue: EIO) }
  }
}

private struct UnixSocketRequest {
  var header = nlmsghdr(
    nlmsg_len: UInt32(MemoryLayout<UnixSocketRequest>.size), nlmsg_type: UInt16(SOCK_DIAG_BY_FAMILY),
    nlmsg_flags: UInt16(NLM_F_REQUEST | NLM_F_DUMP), nlmsg_seq: 1, nlmsg_pid: 0)
  var request = unix_diag_req(
    sdiag_family: UInt8(AF_UNIX), sdiag_protocol: 0, pad: 0, udiag_states: .max, udiag_ino: 0,
    udiag_show: UInt32(UDIAG_SHOW_PEER), udiag_cookie: (0, 0))
}
