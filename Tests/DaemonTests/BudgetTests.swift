import Foundation
import TestSupport
import Testing

/// What doing nothing costs.
@Suite struct BudgetTests {
  /// With a young lock, a fresh beat, and somebody writing into the pipeline root what no template asks for: one
  /// thread that makes no system call but the wait.
  @Test(.enabled(if: Programs.has("strace") && Programs.isRoot, "needs root and strace"))
  func idleIsSilent() async throws {
    let pipeline = try Pipeline()
    let daemon = try await RunningDaemon.start(pipeline)
    try pipeline.write("tasks/a.lock")
    try pipeline.write("status/a.heartbeat")
    try pipeline.write("notes")
    try await Task.sleep(for: .seconds(3))
    // In the root itself, where strace's own writing must wake nobody.
    let log = pipeline.path("notes")
    let script = "strace -f -o \(log) -p \(daemon.pid) & sleep 10; kill -TERM $!; wait $!"
    _ = try Programs.run("sh", ["-c", script])
    let calls = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    #expect(calls.filter { $0.contains("(") && !$0.contains("epoll_wait(") }.prefix(5) == [])
    let status = try String(contentsOfFile: "/proc/\(daemon.pid)/status", encoding: .utf8)
    #expect(status.contains("Threads:\t1\n"))
    #expect(daemon.stop() == 0)
  }
}
