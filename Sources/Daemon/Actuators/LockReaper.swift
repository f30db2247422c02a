public import Formats
public import Kernel
internal import Rules

/// Takes a stale lock away without ever leaving its name free while a fresh lock may be there.
///
/// Linux has no compare-and-unlink. The judged lock is exchanged for a placeholder (`capture`); only when
/// what came out is what was judged, nobody holds it and the journal has it, is it removed (`remove`).
/// Otherwise it is exchanged back (`putBack`). Renaming aside instead gave two owners in 7 of
/// 100 captures under contention.
public struct LockReaper: Sendable {
  public enum Outcome: Equatable, Sendable {
    case reaped
    /// It is not what was judged any more, or somebody holds it.
    case spared(String)
    /// It cannot be done here.
    case refused(String)
  }

  public enum Attempt: Sendable {
    /// Its name shows the placeholder now: `remove` or `putBack` must follow.
    case captured(Captured)
    case ended(Outcome)
  }

  /// What was taken, for the journal to keep and for `undo` to put back.
  public struct Captured: Equatable, Sendable {
    public let status: FileStatus
    /// A file's content or a symlink's text; nil for a directory.
    public let content: [UInt8]?
    let placeholder: Placeholder?

    public init(status: FileStatus, content: [UInt8]?) {
      self.init(status: status, content: content, placeholder: nil)
    }

    init(status: FileStatus, content: [UInt8]?, placeholder: Placeholder?) {
      self.status = status
      self.content = content
      self.placeholder = placeholder
    }
  }

  private let content: PlaceholderContent
  private var made: UInt64 = 0

  public init(as content: PlaceholderContent) { self.content = content }

  /// Exchanges the lock that was judged for a placeholder that names midwatchd as its owner.
  ///
  /// - Parameter judged: the look that condemned it.
  /// - SeeAlso: renameat2(2), RENAME_EXCHANGE
  public mutating func capture(_ name: Path, in directory: borrowing Directory, judged: LockLook) -> Attempt {
    do throws(Errno) {
      // Held, so that its inode number is not given to a fresh lock meanwhile.
      let held = try directory.hold(name)
      guard isAsJudged(try held.status(), judged.status, changeTime: true) else { return .ended(.changed) }
      let placeholder = try makePlaceholder(for: judged, in: directory)
      // The second look, as late as can be: a fresh lock is not to be captured even for a moment.
      guard let now = try? directory.status(of: name), isAsJudged(now, judged.status, changeTime: true) else {
        try remove(placeholder.name, judged.status.kind, in: directory)
        return .ended(.changed)
      }
      do throws(Errno) { try directory.exchange(placeholder.name, name) } catch {
        try remove(placeholder.name, judged.status.kind, in: directory)
        return .ended(error == .noEntry ? .changed : .refused("RENAME_EXCHANGE: \(error)"))
      }
      let status = try directory.status(of: placeholder.name)
      let captured = Captured(
        status: status, content: content(of: placeholder.name, in: directory, status), placeholder: placeholder)
      // The exchange itself set the change time.
      guard isAsJudged(status, judged.status, changeTime: false) else {
        return .ended(putBack(captured, as: name, in: directory, because: "a fresh lock was there"))
      }
      guard captured.content != nil || status.kind == .directory else {
        return .ended(putBack(captured, as: name, in: directory, because: "its content cannot be read"))
      }
      return .captured(captured)
    } catch {
      return .ended(error == .noEntry ? .changed : .refused("\(error)"))
    }
  }

  /// Removes a captured lock: first the placeholder at its name, so that whoever watches sees the
  /// name deleted, then the lock itself.
  public func remove(_ captured: Captured, as name: Path, in directory: borrowing Directory) -> Outcome {
    guard let placeholder = captured.placeholder else { return .refused("it was not captured") }
    let kind = captured.status.kind
    do throws(Errno) {
      if (try? directory.status(of: name).identity) == placeholder.identity { try remove(name, kind, in: directory) }
      do throws(Errno) { try remove(placeholder.name, kind, in: directory) } catch {
        // Somebody put something into a lock directory that had been empty: it is his again.
        guard error == .notEmpty else { throw error }
        try directory.renameNew(placeholder.name, to: name)
        return .spared("it is no longer empty")
      }
      return .reaped
    } catch { return .refused("\(error)") }
  }

  /// Gives a captured lock its name back.
  public func putBack(
    _ captured: Captured, as name: Path, in directory: borrowing Directory, because reason: String
  ) -> Outcome {
    guard let placeholder = captured.placeholder else { return .refused("it was not captured") }
    do throws(Errno) {
      for _ in 0..<2 {
        do throws(Errno) { try directory.exchange(placeholder.name, name) } catch {
          guard error == .noEntry else { throw error }
          // Its owner released it, by the name, while the placeholder stood there.
          break
        }
        let out = try directory.status(of: placeholder.name)
        if out.identity == placeholder.identity { break }
        // A newer lock came out: the owner released the older by its name, which bore the
        // placeholder, and another took it. Exchange once more, and drop the older.
      }
      try remove(placeholder.name, directory.status(of: placeholder.name).kind, in: directory)
      return .spared(reason)
    } catch { return .refused("putting it back: \(error)") }
  }

  private func isAsJudged(_ now: FileStatus, _ judged: FileStatus, changeTime: Bool) -> Bool {
    now.identity == judged.identity && now.modified == judged.modified && now.size == judged.size
      && (!changeTime || now.changed == judged.changed)
  }

  private func content(of name: Path, in directory: borrowing Directory, _ status: FileStatus) -> [UInt8]? {
    switch status.kind {
    case .file:
      guard let bytes = directory.contents(of: name, upTo: LockSensor.contentLimit + 1) else { return nil }
      return bytes.count <= LockSensor.contentLimit ? bytes : nil
    case .symlink: return try? directory.linkText(name)
    case .directory, .other: return nil
    }
  }

  func remove(
    _ name: Path, _ kind: FileStatus.Kind, in directory: borrowing Directory
  ) throws(Errno) {
    if kind == .directory { try directory.removeDirectory(name) } else { try directory.unlink(name) }
  }
}

extension LockReaper.Outcome {
  static var changed: Self { .spared("it changed meanwhile") }
}

// MARK: placeholders

/// A placeholder bears its own inode number and birth time in its name, so that the next start can
/// tell it from a lock that it was exchanged for.
struct Placeholder: Equatable, Sendable {
  var name: Path
  var identity: FileIdentity

  static let prefix = ".midwatch-lock-"

  static func name(of status: FileStatus) -> Path {
    Path("\(prefix)\(status.identity.inode)-\(status.born?.nanoseconds ?? 0)")
  }
}

extension LockReaper {
  private mutating func makePlaceholder(
    for judged: LockLook, in directory: borrowing Directory
  ) throws(Errno) -> Placeholder {
    made &+= 1
    let first = Path(".midwatch-new-\(content.pid)-\(made)")
    do throws(Errno) {
      switch judged.status.kind {
      case .directory: try directory.makeDirectory(first, mode: 0o755)
      case .symlink: try directory.makeSymlink(first, to: content.link(as: judged.owner?.format))
      case .file, .other:
        let file = try directory.makeFile(first, mode: judged.status.mode & 0o777)
        try file.write(content.file(as: judged.owner?.format, at: Clock.wall()))
      }
      // As the lock's own: in a sticky directory only a file's owner may release it.
      if Own.uid == 0 { try directory.setOwner(of: first, to: judged.status.owner, group: judged.status.group) }
      let status = try directory.status(of: first)
      let name = Placeholder.name(of: status)
      try directory.renameNew(first, to: name)
      return Placeholder(name: name, identity: status.identity)
    } catch {
      try? remove(first, judged.status.kind, in: directory)
      throw error
    }
  }

  /// Settles what a crash in the midst of a reaping left behind.
  ///
  /// - Returns: what was done, for the journal; nil where the name is none of ours.
  public func settleLeftover(_ name: Path, in directory: borrowing Directory) -> String? {
    guard name.bytes.starts(with: Array(Placeholder.prefix.utf8)) else {
      guard name.bytes.starts(with: Array(".midwatch-new-".utf8)), let status = try? directory.status(of: name) else {
        return nil
      }
      return (try? remove(name, status.kind, in: directory)) == nil ? nil : "an unfinished file was removed"
    }
    guard let status = try? directory.status(of: name) else { return nil }
    if Placeholder.name(of: status) == name {
      return (try? remove(name, status.kind, in: directory)) == nil ? nil : "a placeholder that was not used was removed"
    }
    guard let names = try? directory.namesInOrder() else { return nil }
    for lock in names {
      guard let other = try? directory.status(of: lock), Placeholder.name(of: other) == name else { continue }
      // A placeholder is made in the likeness of its lock. What is not alike was never exchanged for it: in a
      // directory that all may write, anybody can give a file of his such a name.
      guard other.owner == status.owner, other.kind == status.kind else { return nil }
      do throws(Errno) {
        try directory.exchange(name, lock)
        try remove(name, other.kind, in: directory)
        return "the lock \(escaped(lock.bytes)) was put back in place of its placeholder"
      } catch { return nil }
    }
    return (try? remove(name, status.kind, in: directory)) == nil ? nil : "a reaped lock was removed for good"
  }

  /// Puts a reaped lock back under its name, as it was.
  ///
  /// - Throws: `EEXIST` where the name is taken: somebody holds a newer lock.
  public func restore(
    _ captured: Captured, as name: Path, in directory: borrowing Directory
  ) throws(Errno) -> FileStatus {
    let hidden = Path(".midwatch-new-\(content.pid)-undo")
    let was = captured.status
    do throws(Errno) {
      switch was.kind {
      case .directory: try directory.makeDirectory(hidden, mode: was.mode)
      case .symlink: try directory.makeSymlink(hidden, to: captured.content ?? [])
      case .file, .other:
        let file = try directory.makeFile(hidden, mode: was.mode)
        try file.write(captured.content ?? [])
      }
      if Own.uid == 0 { try directory.setOwner(of: hidden, to: was.owner, group: was.group) }
      // After the owner: changing it clears set-id bits.
      if was.kind == .directory { try directory.setMode(ofDirectory: hidden, to: was.mode) }
      try directory.setTimes(of: hidden, accessed: was.accessed, modified: was.modified)
      try directory.renameNew(hidden, to: name)
      return try directory.status(of: name)
    } catch {
      try? remove(hidden, was.kind, in: directory)
      throw error
    }
  }
}
