import Foundation
import TestSupport
import Testing

/// Memory gets short for real: a hog, browsers and stalls in a small machine of their own, told by
/// Tests/Pressure/story.py.
///
/// One after the other: the kernel's account of stalls is the whole machine's, and whoever stalls wakes all.
@Suite(
  .serialized,
  .enabled(
    if: Programs.isRoot && Programs.has("unshare", "python3", "chromium") && SmallMachine.isPossible,
    "as root, where control groups of version 1 limit memory, with PSI; Debian: util-linux python3 chromium"))
struct MemoryStoryTests {
  /// What a story prints at its end.
  struct Short: Decodable {
    let fine, percent: Int
    let quiet, calm: Bool
    let consumer, between: String
    let hovered, whats, told: [String]
    let same: Int
    let exit: Int32
  }

  /// No browser lives and the level is that of the start, so that nothing but the event can make it be read.
  @Test func thePressureEventFindsMemoryShortAndTheHogIsNamedOnce() async throws {
    let story = try await SmallMachine(megabytes: 512).tell("short", Short.self)
    #expect(story.fine < 30)
    #expect(story.calm, "something else on this machine waits for memory")
    #expect(story.quiet, "the level was read before the event")
    #expect(story.percent >= 70)
    #expect(story.consumer.hasPrefix("greedy of root (pid "))
    // Below `act` is not below `warn`.
    #expect(story.between == "short")
    #expect(story.hovered == ["short"])
    #expect(story.whats == ["short", "over", "eased"])
    #expect(story.told == ["firing", "over"])
    #expect(story.same == 1)
    #expect(story.exit == 0)
  }

  struct Abandoned: Decodable {
    let fine, first, after, alerts: [String]
    let leak, order, all, left, others, answers: Bool
    let together, lost: Int
    let exit: Int32
  }

  @Test func leaksGoFirstThenTheOldestPagesOneAtATimeUntilMemoryIsBack() async throws {
    let story = try await SmallMachine(megabytes: 2048).tell("abandoned", Abandoned.self)
    #expect(story.fine == [], "pages went, or were alerted of, while memory was fine")
    #expect(story.first.first == "orphan-browser")
    #expect(story.first.dropFirst().allSatisfy { $0 == "abandoned" })
    // Two are enough; a third may go on a machine so busy that the kernel's account lags behind the pages' ends.
    #expect((2...3).contains(story.first.count - 1), "what was enough: \(story.first)")
    #expect(story.leak)
    #expect(story.order, "not the oldest first")
    #expect(story.together == 0, "one went before the one before was settled")
    #expect(story.after == ["short", "over"])
    #expect(story.lost == 0, "parts of the leaked browser are left")
    // Short again, and for good.
    #expect(story.alerts == ["short", "over", "short"])
    #expect(story.all, "somebody else was killed, or the order is another")
    #expect(story.left, "the last pages are gone")
    #expect(story.others, "a bystander is gone")
    #expect(story.answers)
    #expect(story.exit == 0)
  }

  struct Observed: Decodable {
    let lives, oldest: Bool
    let killed, told, alerts: [String]
    let exit: Int32
  }

  @Test func observeKillsNothingAndTellsWhatItWouldHaveKilled() async throws {
    let story = try await SmallMachine(megabytes: 2048).tell("observed", Observed.self)
    #expect(story.lives, "somebody is gone")
    #expect(story.killed == [])
    #expect(story.told.first == "orphan-browser")
    #expect(story.told.count > 2 && story.told.dropFirst().allSatisfy { $0 == "abandoned" })
    #expect(story.oldest)
    #expect(story.alerts == ["would-alert", "over"])
    #expect(story.exit == 0)
  }
}

/// A pid namespace in a memory control group of its own, with so little memory that it can be filled.
private final class SmallMachine {
  private static let groups = "/sys/fs/cgroup/memory"
  static let isPossible =
    Programs.isCI
    || access(groups + "/memory.limit_in_bytes", W_OK) == 0 && access("/proc/pressure/memory", W_OK) == 0

  struct Failure: Error { let text: String }

  private let pipeline: Pipeline
  private let group: String

  init(megabytes: Int) throws {
    pipeline = try Pipeline()
    group = Self.groups + "/midwatch-test-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: group, withIntermediateDirectories: false)
    try Self.write("\(megabytes << 20)", to: group + "/memory.limit_in_bytes")
    try pipeline.write("hook", "#!/bin/sh\ncat >> '\(pipeline.path("told"))'\n")
    try pipeline.write("told")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: pipeline.path("hook"))
  }

  deinit {
    // Empty a moment after the last of it has ended.
    for directory in [group + "/stalled", group] {
      _ = eventually(within: 10) { rmdir(directory) == 0 || errno == ENOENT }
    }
  }

  /// In place: a group's files are not to be made anew.
  private static func write(_ text: String, to path: String) throws {
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.write(contentsOf: Data(text.utf8))
    try file.close()
  }

  func tell<Story: Decodable>(_ name: String, _ type: Story.Type) async throws -> Story {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Pressure/story.py").path
    let midwatchd = Programs.built.appendingPathComponent("midwatchd").path
    let outcome = try await Programs.runAside(
      "sh",
      [
        "-c", #"echo $$ > "$1/cgroup.procs" && shift && exec "$@""#, "sh", group,
        "unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
        "python3", script, name, midwatchd, pipeline.path, group,
      ])
    guard outcome.status == 0 else { throw Failure(text: outcome.error) }
    do { return try JSONDecoder().decode(type, from: Data(outcome.output.utf8)) } catch {
      throw Failure(text: "\(error): \(outcome.output)\(outcome.error)")
    }
  }
}
