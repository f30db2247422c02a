public import Formats
public import Kernel
public import Rules

/// One look at a lock: what the rule is told, and what the journal and the reaper need besides.
public struct LockLook: Sendable {
  public var sighting: LockSighting
  public var status: FileStatus
  public var owner: LockOwner?

  public init(sighting: LockSighting, status: FileStatus, owner: LockOwner? = nil) {
    self.sighting = sighting
    self.status = status
    self.owner = owner
  }
}

/// Looks at locks without touching them.
public struct LockSensor: ~Copyable {
  /// More than that is never read, and never reaped.
  public static let contentLimit = 65_536

  let slash: Directory
  let host: [UInt8]
  /// What `midwatch undo` put back: never judged again until it is written anew.
  public var undone: [FileIdentity: WallTime] = [:]

  public init() throws(Errno) {
    slash = try Directory(Path("/"))
    host = hostName()
  }

  /// nil where nothing bears that name, or the way there has become a symlink.
  ///
  /// - Parameters:
  ///   - path: from "/", without the first slash.
  ///   - holders: whether to ask who holds it, which costs a pass over /proc.
  public borrowing func look(
    at path: Path, holders: Bool, clock: borrowing WallClock, processes: inout Processes
  ) -> LockLook? {
    let (parent, name) = path.split
    guard let directory = try? slash.directory(parent == Path(".") ? Path("") : parent),
      let status = try? directory.status(of: name)
    else { return nil }
    let isLocal = (try? FileSystem(of: directory).isLocal) ?? false
    let owner = owner(of: name, in: directory, status)
    let now = Clock.now()
    let age = clock.age(of: status.modified, at: now)
    // Anybody may date a file back; when it was changed last is the kernel's word.
    let unchanged = clock.age(of: status.changed, at: now)
    var sighting = LockSighting(
      identity: status.identity, kind: .init(status.kind), modified: status.modified, age: age,
      owner: owner.map { processes.fate(of: $0, unchangedFor: unchanged, isLocal: isLocal, host: host) } ?? .unnamed,
      writerIsHolder: owner.map { $0.writerIsHolder || $0.startTicks != nil } ?? false,
      earlierBoot: isLocal && clock.isFromEarlierBoot(status.modified),
      unreapable: unreapable(name, in: directory, status))
    if holders {
      sighting.lockedBy = processes.lockHolders(of: status)
      sighting.openedBy = processes.openers(of: status.identity)
      if processes.hasOwnNamespace, sighting.lockedBy == LockSighting.Holders.none, status.kind == .file,
        (try? directory.file(name).isLockedBySomebody()) != false
      {
        sighting.lockedBy = .some([])
      }
    }
    return LockLook(sighting: sighting, status: status, owner: owner)
  }

  private borrowing func owner(of name: Path, in directory: borrowing Directory, _ status: FileStatus) -> LockOwner? {
    switch status.kind {
    case .file:
      guard status.size > 0, status.size <= Self.contentLimit,
        let bytes = directory.contents(of: name, upTo: Self.contentLimit)
      else { return nil }
      return unsafe LockOwner(contents: bytes.span.bytes)
    case .symlink:
      guard let text = try? directory.linkText(name) else { return nil }
      return unsafe LockOwner(link: text.span.bytes)
    case .directory, .other: return nil
    }
  }

  private borrowing func unreapable(
    _ name: Path, in directory: borrowing Directory, _ status: FileStatus
  ) -> LockSighting.Unreapable? {
    if undone[status.identity] == status.modified { return .undone }
    switch status.kind {
    case .other: return .special
    case .file: if status.size > Self.contentLimit { return .tooLarge }
    case .directory: if !isEmpty(name, in: directory) { return .notEmpty }
    case .symlink: break
    }
    guard Own.uid != 0 else { return nil }
    guard status.owner == Own.uid, let parent = try? directory.status(), parent.owner == Own.uid, parent.mode & 0o022 == 0
    else { return .notOurs }
    return nil
  }

  private borrowing func isEmpty(_ name: Path, in directory: borrowing Directory) -> Bool {
    guard let inside = try? directory.directory(name), let names = try? inside.namesInOrder() else { return false }
    return names.isEmpty
  }
}

extension LockSighting.Kind {
  init(_ kind: FileStatus.Kind) {
    self =
      switch kind {
      case .file: .file
      case .directory: .directory
      case .symlink: .symlink
      case .other: .other
      }
  }
}
