internal import Kernel
internal import Rules

/// What the loop sleeps on besides the tree: one epoll with timers, signals and the mount table.
struct EventSources: ~Copyable {
  enum Key {
    static let inotify: UInt64 = 1
    static let timer: UInt64 = 2
    static let clock: UInt64 = 3
    static let signals: UInt64 = 4
    static let mounts: UInt64 = 5
    static let hook: UInt64 = 6
    static let browsers: UInt64 = 7
    static let pressure: UInt64 = 8
    static let transcripts: UInt64 = 9
    /// Processes are numbered from here, each with a number of its own.
    static let firstProcess: UInt64 = 1 << 32
  }

  var epoll: Epoll
  let signals: Signals
  let timer: Timer
  let clock: ClockWatch
  let mounts: File

  /// - Throws: `EMFILE`, `ENOMEM`; `ENOENT` without /proc.
  static func open() throws(Errno) -> EventSources {
    let epoll = try Epoll()
    let signals = try Signals()
    let timer = try Timer()
    let clock = try ClockWatch()
    let mounts = try File(reading: Path("/proc/self/mountinfo"))
    try epoll.add(signals.descriptor, key: Key.signals)
    try epoll.add(timer.descriptor, key: Key.timer)
    try epoll.add(clock.descriptor, key: Key.clock)
    try epoll.add(mounts.descriptor, key: Key.mounts, for: .priority)
    return EventSources(epoll: epoll, signals: signals, timer: timer, clock: clock, mounts: mounts)
  }
}

/// A process that a rule wants to hear the end of. A class, for it lies in a dictionary.
final class Followed {
  let process: ProcessIdentity
  let handle: ProcessHandle

  init(_ process: ProcessIdentity, _ handle: consuming ProcessHandle) {
    self.process = process
    self.handle = handle
  }
}
