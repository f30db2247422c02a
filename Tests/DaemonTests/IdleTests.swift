import Foundation
import TestSupport
import Testing

/// What doing nothing costs.
@Suite(.enabled(if: Programs.isRoot && Programs.has("strace"), "needs root and strace"))
struct IdleTests {
  /// With a young lock, a fresh beat, an output, and somebody writing into the pipeline root what no template asks
  /// for: one thread, in one wait that does not end.
  @Test func whileNothingHappensItSleepsInOneWait() async throws {
    let pipeline = try Pipeline()
    let daemon = try await RunningDaemon.start(pipeline)
    try pipeline.makeDirectory("outputs/a")
    try pipeline.write("outputs/a/1.md")
    try pipeline.write("status/a.heartbeat")
    try pipeline.write("tasks/a.lock")
    // In the root itself: it is new once, for HALT could be; from then on strace's own writing must wake nobody.
    try pipeline.write("notes")
    #expect(await eventually { (pipeline.status()["locks"] as? [Any])?.count == 1 })
    var calls = Calls()
    for attempt in 0..<5 {
      let mounts = pipeline.journal("mounts-changed").count
      #expect(await isAsleep(daemon))
      calls = try await self.calls(of: daemon, pipeline, attempt)
      // Something else on this machine mounted or unmounted, and the watch has to look: that was not nothing.
      if pipeline.journal("mounts-changed").count == mounts { break }
    }
    #expect(calls.others == [])
    // strace's coming ends one wait, and after that there is one.
    #expect(calls.waits <= 2)
    #expect(try status(of: daemon).contains("Threads:\t1\n"))
    #expect(daemon.stop() == 0)
  }

  struct Calls {
    var waits = 0
    /// The first few of all others: where strace's writing wakes the watch, there is no end of them.
    var others: [Substring] = []

    init() {}

    init(_ log: String) {
      for line in log.split(separator: "\n") {
        if line.contains("epoll_wait(") || line.contains("epoll_pwait(") {
          waits += 1
        } else if others.count < 5 {
          others.append(line)
        }
      }
    }
  }

  /// What it asks the kernel for in twenty seconds.
  private func calls(of daemon: RunningDaemon, _ pipeline: Pipeline, _ attempt: Int) async throws -> Calls {
    let strace = try Holder("strace", ["-qq", "-f", "-o", pipeline.path("notes"), "-p", "\(daemon.pid)"])
    #expect(await eventually { (try? status(of: daemon).contains("TracerPid:\t\(strace.pid)\n")) == true })
    try await Task.sleep(for: .seconds(20))
    let calls = Calls(try #require(pipeline.read("notes")))
    // Else there would be nothing to see for strace either.
    try pipeline.write("tasks/seen-\(attempt).lock")
    #expect(await eventually { pipeline.read("notes")?.contains("seen-\(attempt).lock") == true })
    strace.terminate()
    #expect(await eventually { strace.hasEnded })
    return calls
  }

  /// Waits until nothing has woken it for three seconds: all that it had to write is written.
  private func isAsleep(_ daemon: RunningDaemon) async -> Bool {
    var last: Substring?
    var since = Date()
    return await eventually {
      let switches = try? status(of: daemon).split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") }
      if switches != last { (last, since) = (switches, Date()) }
      return last != nil && Date().timeIntervalSince(since) > 3
    }
  }

  private func status(of daemon: RunningDaemon) throws -> String {
    try String(contentsOfFile: "/proc/\(daemon.pid)/status", encoding: .utf8)
  }
}
