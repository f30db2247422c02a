internal import Configuration
internal import Kernel
internal import ProcessTable
internal import Rules

extension LeakWitness {
  /// More than that and a table or an environment is not read: no ordinary one comes near.
  private static var limit: Int { 4 << 20 }

  /// What one suspect shows of itself.
  mutating func suspect(
    _ identity: ProcessIdentity, in own: Namespaces, allow: [Glob]
  ) throws(Unreadable) -> Suspect {
    let pid = identity.pid
    var suspect = Suspect(identity)
    guard try link(pid, "ns/pid") == own.processes else {
      suspect.told.isInOurNamespace = false
      return suspect
    }
    let environment = try whole(pid, "environ")
    suspect.told.serviceMain = unsafe Environment(environment.span.bytes).pid(of: "SYSTEMD_EXEC_PID")
    let command = try command(of: pid)
    let descriptors = try descriptors(of: pid)
    let ports = try ports(of: pid, descriptors.sockets, &suspect)
    let names = try [unit(of: pid), command.profile, command.port] + ports.map { Array("\($0)".utf8) }
    suspect.told.allowedBy = first(of: allow, fitting: names)
    let isOurNetwork = try link(pid, "ns/net") == own.network
    addStreams(descriptors, hasPipe: command.hasPipe, isOurNetwork: isOurNetwork, to: &suspect)
    return suspect
  }

  private mutating func command(
    of pid: Int32
  ) throws(Unreadable) -> (profile: [UInt8], port: [UInt8], hasPipe: Bool) {
    try read(pid, "cmdline")
    let words = CommandWords(text.bytes)
    guard words.word(0) != nil else { throw Unreadable() }
    var (profile, port): ([UInt8], [UInt8]) = ([], [])
    if let value = words.value(of: "user-data-dir") { profile = Path(value).bytes }
    if let value = words.value(of: "remote-debugging-port") { port = Path(value).bytes }
    return (profile, port, words.has("remote-debugging-pipe"))
  }

  /// Empty outside of any.
  private mutating func unit(of pid: Int32) throws(Unreadable) -> [UInt8] {
    try read(pid, "cgroup")
    guard let unit = ControlGroup(text.bytes).unit else { return [] }
    return Path(unit).bytes
  }

  private mutating func descriptors(of pid: Int32) throws(Unreadable) -> SuspectDescriptors {
    var found = SuspectDescriptors()
    do throws(Errno) {
      try forEachDescriptor(of: pid, in: proc, &entries, &text) { number, link, listing in
        if case .socket(let inode) = link { found.sockets.insert(inode) }
        if number < 5 { found.low[number] = (link, try? listing.mode(of: ShortPath(number))) }
      }
    } catch {
      throw Unreadable()
    }
    return found
  }

  /// The ports that it listens on; notes who is connected to them.
  private mutating func ports(
    of pid: Int32, _ own: Set<UInt64>, _ suspect: inout Suspect
  ) throws(Unreadable) -> Set<UInt16> {
    if own.isEmpty { return [] }
    var table = ConnectionTable(of: own)
    let four = try whole(pid, "net/tcp")
    unsafe table.take(four.span.bytes)
    // Without IPv6 the file is missing.
    let six = try whole(pid, "net/tcp6", orNone: true)
    unsafe table.take(six.span.bytes)
    if table.ports.isEmpty { return [] }
    for socket in table.connections {
      switch table.inode(at: socket) {
      // Remote, or in another network namespace.
      case nil: suspect.told.hasUnknownPeer = true
      case 0: break
      case .some(let inode): suspect.lines.append((.socket(inode: inode), .port))
      }
    }
    return table.ports
  }

  private func addStreams(
    _ descriptors: SuspectDescriptors, hasPipe: Bool, isOurNetwork: Bool, to suspect: inout Suspect
  ) {
    for number in 0..<(hasPipe ? 5 : 3) as Range<Int32> {
      let line: LeakEvidence.Peer.Line = number < 3 ? .stream : .pipe
      guard let (link, mode) = descriptors.low[number] else { continue }
      switch link {
      // A named pipe as debug pipe may have anybody behind it; streams to files have nobody.
      case .other: if line == .pipe { suspect.told.hasUnknownPeer = true }
      case .socket(let inode):
        // The kernel tells of the unix sockets of our own network namespace.
        if isOurNetwork { suspect.sockets.append((inode, line)) } else { suspect.told.hasUnknownPeer = true }
      case .pipe(let inode):
        let path = ShortPath(suspect.identity.pid, "fd/\(number)")
        for end in otherEnds(of: inode, mode, path) { suspect.lines.append((end, line)) }
      }
    }
  }

  /// - Parameter mode: of the descriptor; nil where it was closed meanwhile.
  private func otherEnds(of inode: UInt64, _ mode: UInt32?, _ path: ShortPath) -> [Suspect.End] {
    let isReader = mode.map { $0 & 0o400 != 0 } ?? true
    let isWriter = mode.map { $0 & 0o200 != 0 } ?? true
    // Where the kernel does not say, somebody may be there.
    if isReader != isWriter, (try? proc.hasOtherEnd(path, writing: isWriter)) == false { return [] }
    return (isReader ? [.pipeForWriting(inode: inode)] : []) + (isWriter ? [.pipeForReading(inode: inode)] : [])
  }

  private func first(of globs: [Glob], fitting names: [[UInt8]]) -> String? {
    for glob in globs {
      for name in names where !name.isEmpty {
        if unsafe glob.matches(name.span.bytes) { return glob.text }
      }
    }
    return nil
  }
}

/// What a suspect has open, as far as others may be behind it.
private struct SuspectDescriptors {
  var sockets: Set<UInt64> = []
  /// The first five, with their modes.
  var low: [Int32: (link: DescriptorLink, mode: UInt32?)] = [:]
}

extension LeakWitness {
  private mutating func read(_ pid: Int32, _ file: String) throws(Unreadable) {
    do throws(Errno) { try proc.read(ShortPath(pid, file), into: &text) } catch { throw Unreadable() }
  }

  private func link(_ pid: Int32, _ name: String) throws(Unreadable) -> [UInt8] {
    do throws(Errno) { return try proc.linkText(Path("\(pid)/\(name)")) } catch { throw Unreadable() }
  }

  /// - Parameter orNone: empty where there is no such file.
  private func whole(_ pid: Int32, _ file: String, orNone: Bool = false) throws(Unreadable) -> [UInt8] {
    do throws(Errno) {
      let bytes = try proc.file(Path("\(pid)/\(file)")).contents(upTo: Self.limit)
      if bytes.count < Self.limit { return bytes }
    } catch {
      if orNone, error == .noEntry { return [] }
    }
    throw Unreadable()
  }
}
