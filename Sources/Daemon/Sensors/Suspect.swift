internal import Rules

/// What a suspect shows of itself, and whom to look for.
struct Suspect {
  /// What somebody holds who is at the other end of a line.
  enum End: Hashable {
    case socket(inode: UInt64)
    case pipeForReading(inode: UInt64)
    case pipeForWriting(inode: UInt64)
  }

  let identity: ProcessIdentity
  var told = LeakEvidence()
  /// The suspect's own ends that may be unix sockets.
  var sockets: [(inode: UInt64, line: LeakEvidence.Peer.Line)] = []
  /// The other ends.
  var lines: [(end: End, line: LeakEvidence.Peer.Line)] = []

  init(_ identity: ProcessIdentity) { self.identity = identity }

  /// Takes in what the kernel says of the sockets.
  ///
  /// - Parameter peers: by inode, 0 for nobody; nil where it said nothing.
  mutating func connect(_ peers: [UInt64: UInt64]?) {
    for (inode, line) in sockets {
      switch peers?[inode] {
      case nil: told.hasUnknownPeer = true
      case 0: break
      case .some(let peer): lines.append((.socket(inode: peer), line))
      }
    }
  }

  /// All of it, once it is known who holds what.
  func evidence(_ holders: LineHolders) -> LeakEvidence {
    var evidence = told
    for (end, line) in lines {
      let pids = holders[end]
      for pid in pids where pid != identity.pid {
        let peer = LeakEvidence.Peer(pid: pid, line: line)
        if !evidence.peers.contains(peer) { evidence.peers.append(peer) }
      }
      // Someone has it open, out of our sight or on its way through another socket.
      if pids.isEmpty { evidence.hasUnknownPeer = true }
    }
    return evidence
  }
}
