public import Formats
public import Kernel

/// Files that midwatch puts into the pipeline for others to read: HALT and the markers. Each is
/// one JSON line with `"by":"midwatch"`, appears whole or not at all, and is only ever removed
/// while it still is ours.
public enum OwnFile {
  /// One at a time is being made, and a name of 255 bytes leaves no room to be part of this one.
  private static var hiddenName: Path { Path(".midwatch-new-\(Own.pid)") }

  /// What bears a name that ours should bear.
  public enum Bearer: Equatable, Sendable {
    case nobody
    case ours(JSON)
    case somebodyElse
  }

  public static func bearer(of name: Path, in directory: borrowing Directory) -> Bearer {
    guard let status = try? directory.status(of: name) else { return .nobody }
    guard status.kind == .file, let bytes = directory.contents(of: name, upTo: 65_536), let json = JSON(bytes),
      json["by"]?.string == "midwatch"
    else { return .somebodyElse }
    return .ours(json)
  }

  /// Makes a file appear whole under a name that must be free.
  ///
  /// - Throws: `EEXIST` where it is taken; `ENOSPC`, `EROFS`, `EACCES`.
  public static func put(
    _ bytes: [UInt8], as name: Path, in directory: borrowing Directory, mode: UInt32 = 0o644, durable: Bool = false
  ) throws(Errno) {
    let hidden = hiddenName
    do throws(Errno) {
      let file = try directory.makeFile(hidden, mode: mode)
      try file.write(bytes)
      do throws(Errno) { try directory.renameNew(hidden, to: name) } catch {
        // Some network filesystems cannot promise it by a rename; a link can.
        guard error == .invalid else { throw error }
        try directory.link(hidden, as: name)
        try directory.unlink(hidden)
      }
      // Visible first: whoever looks must see it now, and the disk may take its time.
      if durable { try? file.sync() }
    } catch {
      try? directory.unlink(hidden)
      throw error
    }
  }

  /// Removes a file of ours, if what bears its name is ours.
  ///
  /// Taken aside before it is removed, so that what is removed is what was looked at.
  ///
  /// - Returns: false where somebody else's stands there, which is left.
  public static func remove(_ name: Path, from directory: borrowing Directory) throws(Errno) -> Bool {
    switch bearer(of: name, in: directory) {
    case .nobody: return true
    case .somebodyElse: return false
    case .ours: break
    }
    let hidden = hiddenName
    try directory.renameNew(name, to: hidden)
    if case .ours = bearer(of: hidden, in: directory) {
      try directory.unlink(hidden)
      return true
    }
    try directory.renameNew(hidden, to: name)
    return false
  }

  /// Puts new content in the place of a file of ours, or where there is none.
  ///
  /// - Returns: false where somebody else's stands there, which is left.
  public static func update(_ bytes: [UInt8], as name: Path, in directory: borrowing Directory) throws(Errno) -> Bool {
    switch bearer(of: name, in: directory) {
    case .nobody:
      try put(bytes, as: name, in: directory)
      return true
    case .somebodyElse: return false
    case .ours: break
    }
    let hidden = hiddenName
    do throws(Errno) {
      try directory.makeFile(hidden, mode: 0o644).write(bytes)
      try directory.exchange(hidden, name)
      guard case .ours = bearer(of: hidden, in: directory) else {
        try directory.exchange(hidden, name)
        try directory.unlink(hidden)
        return false
      }
      try directory.unlink(hidden)
      return true
    } catch {
      try? directory.unlink(hidden)
      throw error
    }
  }
}
