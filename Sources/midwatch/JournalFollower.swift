import Daemon
import Kernel
import Rules

/// The journal's lines as they are written, across rotation. Sleeps in between.
final class JournalFollower {
  /// Never held open: of a directory in use the kernel does not tell that it was removed.
  private let state: Path
  /// nil where inotify is used up: then it is looked four times a second, for nobody should have to
  /// wait with a halted pipeline until somebody raised a limit.
  private let inotify: Inotify?
  private var epoll: Epoll
  private var file: File?
  private var offset: Int64 = 0
  private var torn: [UInt8] = []

  /// Follows from here on: what is asked of the watch afterwards shows up.
  ///
  /// - Throws: `ENOENT` where there is no state directory; `EACCES`.
  init(in state: Path) throws(Errno) {
    self.state = state
    epoll = try Epoll()
    let directory = try Directory(state)
    // Watched first, opened second.
    inotify = try? Self.watch(directory)
    try inotify?.register(with: epoll, key: 1)
    file = try? directory.file(Journal.name)
    offset = (try file?.status().size) ?? 0
  }

  private static func watch(_ directory: borrowing Directory) throws(Errno) -> Inotify {
    let inotify = try Inotify()
    _ = try inotify.watch(directory, for: [.modify, .create, .delete, .movedFrom, .movedTo, .deleteSelf])
    return inotify
  }

  /// Waits for whole lines.
  ///
  /// - Parameter deadline: nil waits for ever.
  /// - Returns: nothing where the deadline has passed.
  /// - Throws: `ENOENT` where the state directory was removed.
  func lines(before deadline: Instant?) throws(Errno) -> [JournalLine] {
    var events = ReadBuffer(capacity: 4096)
    while true {
      let lines = try news()
      if !lines.isEmpty { return lines }
      var pause: Int32 = inotify == nil ? 250 : -1
      if let deadline {
        let left = deadline - Clock.instant()
        if left <= .zero { return [] }
        let milliseconds = Int32(clamping: left.nanoseconds / 1_000_000 + 1)
        pause = pause < 0 ? milliseconds : min(pause, milliseconds)
      }
      _ = try epoll.wait(milliseconds: pause)
      // What it says does not matter: everything is looked at.
      while try inotify?.read(into: &events) == true {}
    }
  }

  private func news() throws(Errno) -> [JournalLine] {
    var lines: [JournalLine] = []
    while true {
      try readOn(into: &lines)
      let directory = try Directory(state)
      let newest = try? directory.status(of: Journal.name).identity
      if let newest, let current = try file?.status().identity, current == newest { return lines }
      // Rotated, or about to be: what came last into the old file is read by this.
      try readOn(into: &lines)
      file = try? directory.file(Journal.name)
      offset = 0
      torn = []
      // It is not there yet; its making wakes us.
      if file == nil { return lines }
    }
  }

  private func readOn(into lines: inout [JournalLine]) throws(Errno) {
    var bytes: [UInt8] = []
    while true {
      try file?.read(from: offset, upTo: 1 << 20, into: &bytes)
      if bytes.isEmpty { return }
      offset += Int64(bytes.count)
      torn += bytes
      while let end = torn.firstIndex(of: 0x0a) {
        if let line = JournalLine(Array(torn[..<end])) { lines.append(line) }
        torn.removeFirst(end + 1)
      }
    }
  }
}
