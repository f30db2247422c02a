internal import Kernel
public import Rules

/// One name that matched a template, borrowed for as long as it is told of.
public struct WatchedEntry: ~Escapable {
  public enum What: Equatable, Sendable {
    /// A listing found it. `born`: when the name came to be at the earliest, by the birth of the file or of
    /// its directory, whichever is later; nil where that is before the births asked for.
    case found(born: WallTime?)
    case created
    case deleted
    case movedFrom(cookie: UInt32)
    case movedTo(cookie: UInt32)
    /// Written and closed.
    case closed
    /// Its content or its times changed.
    case changed

    /// Whether the name is there now and was not, or may not have been.
    var isArrival: Bool {
      switch self {
      case .found, .movedTo: true
      case .created, .deleted, .movedFrom, .closed, .changed: false
      }
    }
  }

  public let purpose: Purpose
  public let agent: Agent?
  public let what: What
  public let isDirectory: Bool
  /// Of the directory, for `NameKey`.
  public let directory: UInt64
  /// Of the whole path.
  public let pathHash: UInt64
  public let node: Int
  public let name: RawSpan

  @_lifetime(copy name)
  init(
    purpose: Purpose, agent: Agent?, what: What, isDirectory: Bool, directory: UInt64, pathHash: UInt64, node: Int,
    name: RawSpan
  ) {
    self.purpose = purpose
    self.agent = agent
    self.what = what
    self.isDirectory = isDirectory
    self.directory = directory
    self.pathHash = pathHash
    self.node = node
    self.name = name
  }
}

/// What happened to the watching itself; worth a journal line each.
public enum WatchNotice: Equatable, Sendable {
  /// A directory on a template's fixed part is not there; its nearest living ancestor is watched.
  case missing([UInt8])
  case found([UInt8])
  /// A symlink stands where a directory should, and is not followed.
  case symlink([UInt8])
  case notADirectory([UInt8])
  case unreadable([UInt8], code: Int32)
  case mountNotCrossed([UInt8])
  case remote([UInt8], filesystem: String)
  /// No watch or no instance is left; the subtree is rescanned in turn.
  case starved(limit: String)
  case fed
  case overflow
}

/// Takes in what the tree sees.
public protocol WatchSink: ~Copyable {
  mutating func saw(_ entry: borrowing WatchedEntry, in tree: borrowing WatchTree)
  /// A directory whose filesystem keeps no birth times holds `count` names more than were known.
  mutating func sawUnborn(_ count: Int, by agent: Agent?)
  /// A file that an interrupted action of ours left behind.
  mutating func sawLeftover(_ name: RawSpan, in directory: [UInt8])
  mutating func notice(_ notice: WatchNotice)
}
