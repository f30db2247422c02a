internal import ProcessTable

/// Who is connected to the ports that a process listens on, by the tables of its network namespace.
struct ConnectionTable {
  private let own: Set<UInt64>
  /// That one of its sockets listens on.
  private(set) var ports: Set<UInt16> = []
  private var sockets: [TCPSocket] = []

  /// - Parameter own: the inodes of the process's sockets.
  init(of own: Set<UInt64>) { self.own = own }

  mutating func take(_ table: RawSpan) {
    var lines = SocketTable(table)
    while let socket = lines.next() {
      if socket.state == .listening {
        if own.contains(socket.inode) { ports.insert(socket.local.port) }
      } else {
        sockets.append(socket)
      }
    }
  }

  /// By port alone: who talks to the same port at another address is one peer too many, which spares a
  /// process and never kills one. One that was not accepted yet is connected as well.
  var connections: [TCPSocket] { sockets.filter { $0.state == .established && ports.contains($0.local.port) } }

  /// The socket at the other end, 0 where nobody has it open any more; nil where it is none of these. It need
  /// not be established itself: one that was closed may still have something to deliver.
  func inode(at socket: TCPSocket) -> UInt64? {
    sockets.first { $0.local == socket.remote && $0.remote == socket.local }?.inode
  }
}
