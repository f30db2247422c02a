import Kernel

/// Counts midwatchd's passes over /proc: in each it looks once for what browsers left in its temporary directory.
final class PassCounter {
  private let inotify: Inotify
  private var buffer = ReadBuffer(capacity: 4096)
  private var count = 0

  /// - Parameter directory: which nobody else looks into.
  init(_ directory: String) throws {
    inotify = try Inotify()
    try inotify.watchStarts(of: Path(directory))
  }

  /// How many there have been, at the least: those between two calls count as one.
  func take() -> Int {
    var isNew = false
    while (try? inotify.read(into: &buffer)) == true { isNew = true }
    if isNew { count += 1 }
    return count
  }
}
