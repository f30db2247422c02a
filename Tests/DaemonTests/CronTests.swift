import Foundation
import TestSupport
import Testing

/// The 3 am story under Debian's cron, told by Tests/Cron/story.py: twelve jobs of five agents, a crontab with
/// one line more, and a scheduler whose retry loop starts the content agent again and again.
@Suite struct CronTests {
  struct Story: Decodable {
    let quiet, limit, extra, paused, still, same, skipped: Int
    let told, all, stopped, other: [String]
    let summary: String
    let ran, mails: Bool
    let exit: Int32
  }

  @Test(
    .enabled(
      if: Programs.isRoot && Programs.has("cron", "unshare", "python3"), "to mount takes root; Debian: cron util-linux"))
  func theStoryStopsAndEveryLaterRunIsSkippedUntilHALTIsDeleted() async throws {
    let pipeline = try Pipeline([])
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Cron/story.py").path
    let outcome = try await Programs.runAside(
      "unshare",
      [
        "--pid", "--mount", "--fork", "--mount-proc", "--kill-child", "python3", script,
        Programs.built.appendingPathComponent("midwatchd").path, pipeline.path,
      ])
    try #require(outcome.status == 0, "\(outcome.error)")
    let story = try JSONDecoder().decode(Story.self, from: Data(outcome.output.utf8))
    // Every job ran behind the gate, and nothing was held back.
    #expect(story.quiet >= 1)
    // The outputs limit is what stopped it: the one too many, and whatever the agent made while it was being stopped.
    #expect(story.summary.hasPrefix("content made 11 outputs within 10min (limit 10)"))
    #expect(story.extra <= 1 && story.limit <= 12, "\(story.extra) outputs after the trip")
    #expect(story.still == 0, "it wrote on")
    // The loop, and what it had started at that moment.
    #expect(story.paused >= 3)
    #expect(story.stopped.contains { $0.contains("midwatch-sh are skipped") })
    // One alert, and one that it is over.
    #expect(story.told == ["firing"])
    #expect(story.all == ["firing", "over"])
    #expect(story.same == 1)
    // A whole minute of cron's: all twelve skipped, without a mail.
    #expect(story.skipped >= 12)
    #expect(story.ran, "a job ran while halted")
    #expect(story.mails, "a skipped job was mailed about")
    #expect(story.other == [])
    #expect(story.exit == 0)
  }
}
