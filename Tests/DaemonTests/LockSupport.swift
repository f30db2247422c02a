import Foundation
import TestSupport

extension Pipeline {
  /// Sets the times of what bears the name, a symlink itself included; less than nothing is in the future.
  func date(_ name: String, secondsAgo: Int) throws {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    now.tv_sec -= secondsAgo
    guard utimensat(AT_FDCWD, path(name), [now, now], AT_SYMLINK_NOFOLLOW) == 0 else {
      throw POSIXError(.init(rawValue: errno) ?? .EIO)
    }
  }

  /// Names of midwatch's own that were left in a directory.
  func strays(in directory: String = "tasks") -> [String] {
    names(in: directory).filter { $0.hasPrefix(".midwatch-") }
  }

  func names(in directory: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path(directory))) ?? []).sorted()
  }

  /// Everything below but midwatch's own, with all that can be told of it from outside.
  func everything(below directory: String = ".") throws -> [String] {
    let format = "%p %i %y %m %U %G %s %T@ %C@ %l\\n"
    let outcome = try Programs.run(
      "find", [path(directory), "-path", path("./.midwatch"), "-prune", "-o", "-printf", format])
    return outcome.output.split(separator: "\n").map(String.init).sorted()
  }

  /// Asks the running daemon for something, as the command line does.
  func request(_ name: String) throws {
    try write(".midwatch/state/new-request")
    try FileManager.default.moveItem(
      atPath: path(".midwatch/state/new-request"), toPath: path(".midwatch/state/requests/\(name)"))
  }

  func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
  }

  func move(_ name: String, to other: String) throws {
    try FileManager.default.moveItem(atPath: path(name), toPath: path(other))
  }
}
