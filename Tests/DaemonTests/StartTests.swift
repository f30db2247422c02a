import Foundation
import TestSupport
import Testing

/// What a start costs where much has been made before.
@Suite(.enabled(if: Programs.isRoot && Programs.has("strace", "setpriv"), "Debian: strace util-linux"))
struct StartTests {
  static let files = 20_000

  /// Of what is older than the window only the directories are read, once each. The same files within the window
  /// are looked at one by one, which shows that looking would have been seen.
  @Test func outputsOlderThanTheWindowAreListedOnceAndNotLookedAt() async throws {
    let pipeline = try Pipeline(["tasks", "status", "outputs/a/deep"])
    // With a state from before, or else nothing that is there would count anyhow.
    let first = try await RunningDaemon.start(pipeline)
    #expect(first.stop() == 0)
    for number in 0..<Self.files {
      let place = number % 4 == 0 ? "outputs/a/deep" : "outputs/a"
      close(open(pipeline.path("\(place)/report-\(number).md"), O_CREAT | O_WRONLY, 0o644))
    }
    // Until the directories are older than the first start's window of one second.
    try await Task.sleep(for: .seconds(2))

    let old = try await calls(ofAStartOn: pipeline, limit: "10 per 1s")
    #expect(old.lookedAt == 0)
    #expect(old.listed == [1, 1])
    #expect(pipeline.status()["outputs_since_start"] as? Int == 0)

    let new = try await calls(ofAStartOn: pipeline, limit: "100000 per 1h")
    #expect(new.lookedAt == Self.files)
    #expect(new.listed == [1, 1])
    #expect(pipeline.status()["outputs_since_start"] as? Int == Self.files)
    #expect(!pipeline.exists("HALT"))
  }

  struct Calls {
    /// How many name one of the files, of whatever kind they are.
    let lookedAt: Int
    /// How often each of the two directories was read to its end.
    let listed: [Int]

    init(_ log: String) {
      let lines = log.split(separator: "\n")
      lookedAt = lines.count { $0.contains("\"report-") || $0.contains("/report-") }
      listed = ["/outputs/a>", "/outputs/a/deep>"].map { directory in
        lines.count { $0.contains("getdents64(") && $0.contains(directory) && $0.hasSuffix(" = 0") }
      }
    }
  }

  /// What the daemon asks the kernel for, from its start to its end.
  private func calls(ofAStartOn pipeline: Pipeline, limit: String) async throws -> Calls {
    try pipeline.remove(".midwatch/run/status.json")
    let daemon = try RunningDaemon(
      pipeline, "outputs.limit=\(limit)", "outputs.similar=off",
      through: ["strace", "-qq", "-y", "-s", "256", "-o", pipeline.path("calls"), "setpriv", "--pdeathsig", "KILL"],
      waits: false)
    #expect(await eventually { pipeline.exists(".midwatch/run/status.json") || !daemon.isRunning }, "\(daemon.output)")
    let words = pipeline.read(".midwatch/state/lock")?.trimmingCharacters(in: .newlines)
    kill(try #require(words.flatMap { Int32($0) }), SIGTERM)
    #expect(await eventually { !daemon.isRunning })
    return Calls(try #require(pipeline.read("calls")))
  }
}
