import CBench
import Configuration
import Daemon
import Kernel

/// A pipeline of its own in a temporary directory, gone with this value.
final class Place {
  private static let directories = ["tasks", "status", "outputs", "outputs/writer", "outside"]

  let root: String
  var outputs: String { root + "/outputs/writer" }
  /// On the same filesystem, and watched by nobody.
  var outside: String { root + "/outside" }

  init() throws {
    guard let made = bench_make_directory() else { throw NoFigure("no directory can be made in $TMPDIR") }
    root = String(cString: made)
    for directory in Self.directories { try check(bench_make_subdirectory(root, directory)) }
  }

  deinit {
    _ = bench_unlink_one(root + "/status", "writer.heartbeat")
    for directory in Self.directories.reversed() { _ = bench_remove_directory(root + "/" + directory) }
    _ = bench_remove_directory(root)
  }

  func beat() throws { try check(bench_touch(root + "/status", "writer.heartbeat")) }

  /// Sensors over it, by the built-in defaults.
  func sensors() throws -> SensorBench {
    var builder = SettingsBuilder()
    builder.rootOverride = root
    return try SensorBench(builder.finish(), root: try realPath(Path(root)))
  }
}

/// Takes what a call of C's that counts its failures answers.
func check(_ failures: Int32) throws {
  guard failures == 0 else { throw NoFigure("\(failures) calls on files of its own failed") }
}
