import Foundation
import TestSupport
import Testing

/// Running out of watches or instances. fs.inotify is the machine's, so each test takes a user namespace
/// of its own, whose limits (namespaces(7), /proc/sys/user) have the same effect there alone.
@Suite(.enabled(if: Programs.has("unshare") && Programs.isRoot, "needs root and unshare(1)"))
struct WatchLimitTests {
  /// Starts midwatchd in a user namespace whose limit is `value`, and hands the way to raise it to `body`.
  private func limited(_ name: String, to value: Int, _ body: (Pipeline, _ raise: () throws -> Void) throws -> Void) throws {
    let pipeline = try Pipeline()
    let script = """
      echo \(value) > /proc/sys/user/\(name)
      "$1" --root "$2" --set locks.stale-after=300ms 2> "$2.err" &
      while [ ! -e "$2/raise" ]; do sleep 0.02; done
      echo 1000 > /proc/sys/user/\(name)
      while [ ! -e "$2/end" ]; do sleep 0.02; done
      kill $!; wait $!
      """
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: Programs.find("unshare") ?? "/usr/bin/unshare")
    shell.arguments = [
      "--user", "--map-root-user", "--mount-proc", "--pid", "--fork", "sh", "-c", script, "sh",
      Programs.built.appendingPathComponent("midwatchd").path, pipeline.path,
    ]
    try shell.run()
    defer {
      try? pipeline.write("end")
      shell.waitUntilExit()
      try? FileManager.default.removeItem(atPath: pipeline.path + ".err")
    }
    #expect(eventually { !pipeline.journal("starved").isEmpty && pipeline.exists(".midwatch/run/status.json") })
    try body(pipeline) { try pipeline.write("raise") }
  }

  @Test(arguments: [("watches", 3), ("instances", 0)])
  func rescansInTurnUntilThereIsRoomAgain(_ limit: String, _ value: Int) throws {
    try limited("max_inotify_\(limit)", to: value) { pipeline, raise in
      let say = pipeline.journal("starved").first?["say"] as? String ?? ""
      #expect(say.contains("fs.inotify.max_user_\(limit)"))
      try pipeline.write("tasks/blind.lock")
      #expect(eventually { !pipeline.exists("tasks/blind.lock") })
      try raise()
      #expect(eventually { !pipeline.journal("fed").isEmpty })
      try pipeline.write("tasks/seen.lock")
      #expect(eventually { !pipeline.exists("tasks/seen.lock") })
      #expect(pipeline.journal("starved").count == 1)
    }
  }
}
