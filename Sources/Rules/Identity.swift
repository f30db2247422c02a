/// The file itself, not its name: a new file under an old name is another file.
public struct FileIdentity: Hashable, Sendable {
  /// As statx(2) splits and makedev(3) joins it.
  public let device: UInt64
  public let inode: UInt64
  public init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

/// A process and the moment it started: unlike a pid alone, never taken over by another one.
public struct ProcessIdentity: Hashable, Sendable {
  public let pid: Int32
  /// Clock ticks after boot, `/proc/PID/stat` field 22.
  public let startTicks: UInt64
  public init(pid: Int32, startTicks: UInt64) {
    self.pid = pid
    self.startTicks = startTicks
  }
}

/// An agent, numbered in the order in which its name was first met. The names live with whoever
/// hands out the numbers; a rule needs none.
public struct Agent: Hashable, Sendable {
  public let index: Int
  public init(index: Int) { self.index = index }
}

/// A command of a user, numbered by whoever keeps the commands; a rule needs none. A number may be given to
/// another command once `JobRule.remembers` says that it is forgotten.
public struct Job: Hashable, Sendable {
  public let index: Int
  public init(index: Int) { self.index = index }
}

/// A name in a directory, as far as counting needs to know it: two links to one file are two.
///
/// 64 bits each of directory and name. Two names that fall together are counted as one, which
/// happens once in 10^14 for a window of a hundred.
public struct NameKey: Hashable, Sendable {
  public let directory: UInt64
  public let name: UInt64
  public init(directory: UInt64, name: UInt64) {
    self.directory = directory
    self.name = name
  }
}

/// How far a rule may go.
public enum Mode: String, Sendable, CaseIterable {
  /// Decides and acts.
  case on
  /// Decides and journals what it would have done.
  case observe
  /// Does not look.
  case off

  /// The more careful of the two.
  public func capped(by cap: Mode) -> Mode {
    switch (self, cap) {
    case (.off, _), (_, .off): .off
    case (.observe, _), (_, .observe): .observe
    case (.on, .on): .on
    }
  }
}
