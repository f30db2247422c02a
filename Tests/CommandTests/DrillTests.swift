import Foundation
import TestSupport
import Testing

/// `drill` as a user runs it: the real programs, in a directory of its own. Fast, so its times say nothing.
@Suite(.serialized) struct DrillTests {
  /// A directory for temporary files that nobody else has.
  private let place: Pipeline

  init() throws { place = try Pipeline([]) }

  /// The tests beside it must not keep its agents waiting for seconds that are minutes of its own.
  private func drill(_ arguments: String...) async throws -> Programs.Outcome {
    let priority = Programs.isRoot ? ["-n", "-15"] : []
    return try await Programs.runAside(
      "nice", priority + [Programs.built.appendingPathComponent("midwatch").path, "drill"] + arguments,
      environment: ["TMPDIR": place.path])
  }

  private func json(_ outcome: Programs.Outcome) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any], "\(outcome)")
  }

  private func number(_ json: [String: Any], _ keys: String...) -> Int? {
    var value: Any? = json
    for key in keys { value = (value as? [String: Any])?[key] }
    return value as? Int
  }

  /// Processes that a drill started: their home is in its directory, however little their command line says.
  private func left() throws -> [String] {
    return try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.filter { pid in
      guard let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else { return false }
      return String(decoding: environment, as: UTF8.self).contains("HOME=\(place.path)/midwatch-drill")
    }
  }

  private func isSwept() throws -> Bool {
    try place.names("").isEmpty && left().isEmpty
  }

  @Test func theStoryIsStoppedAndWithoutMidwatchItIsNot() async throws {
    let outcome = try await drill("--speed", "60")
    #expect(outcome.status == 0 && outcome.error == "", "\(outcome)")
    for words in [
      "research is silent", "reaped tasks/research.lock: older than stale-after", "you get    HALT night: content wrote ",
      "does not start community: HALT stands", "paused ", "midwatch resume", "research is back",
      "outputs before the halt", "The story was stopped. All of it is ended and removed.",
    ] { #expect(outcome.output.contains(words), "\(words) is not in \(outcome.output)") }
    // Everything is told in the story's time.
    #expect(!outcome.output.contains("T0") && !outcome.output.contains(" UTC"), "\(outcome.output)")
    #expect(!outcome.output.contains("\u{1b}"))
    #expect(try isSwept())
  }

  @Test func theScoreCountsWhatLiesThere() async throws {
    let outcome = try await drill("--speed", "120", "--keep", "--json")
    #expect(outcome.status == 0 && outcome.error == "", "\(outcome)")
    let score = try json(outcome)
    #expect(score["stopped"] as? Bool == true)
    #expect(number(score, "without", "articles") == 47 && number(score, "without", "posts") == 12)
    let (before, after) = (number(score, "outputs_before_halt") ?? -1, number(score, "outputs_after_halt") ?? -1)
    #expect(before + after == number(score, "with", "outputs"))
    #expect((number(score, "with", "articles") ?? 99) < 47)
    #expect((number(score, "skipped") ?? 0) > 0 && (number(score, "alerts") ?? 0) > 0)

    let kept = try #require(score["kept"] as? String)
    let name = try #require(try place.names("").first)
    #expect(kept.contains(name))
    #expect(try place.names("\(name)/without/outputs/content").filter { !$0.hasPrefix(".") }.count == 47)
    #expect(FileManager.default.fileExists(atPath: "\(kept)without/tasks/research.lock"))
    #expect(try left().isEmpty)
  }

  @Test func aWatchThatDoesNotHaltIsToldAsOne() async throws {
    let outcome = try await drill("--speed", "240", "--json", "--set", "outputs.mode=off")
    #expect(outcome.status == 1, "\(outcome)")
    let score = try json(outcome)
    #expect(score["stopped"] as? Bool == false)
    #expect(number(score, "with", "articles") == 47)
    #expect(score["halted_after_s"] == nil && number(score, "skipped") == 0)
    #expect(try isSwept())
  }

  @Test func whoeverIsCutShortLeavesNothing() throws {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
      let drill = try Holder(
        "/usr/bin/env",
        ["TMPDIR=\(place.path)", Programs.built.appendingPathComponent("midwatch").path, "drill", "--speed", "10"])
      // Into the story: agents of both worlds run, and one of them is paused.
      #expect(
        eventually {
          guard let name = try? place.names("").first else { return false }
          return place.exists("\(name)/without/status/scheduler.heartbeat") && place.exists("\(name)/with/HALT")
        })
      #expect(try !left().isEmpty)
      kill(drill.pid, signal)
      #expect(eventually { drill.hasEnded })
      #expect(try isSwept())
    }
  }

  @Test func aReaderThatLeavesLeavesNothing() throws {
    let program = Programs.built.appendingPathComponent("midwatch").path
    let outcome = try Programs.run(
      "/bin/sh", ["-c", "\"$0\" drill --speed 30 | head -n 8", program],
      environment: ["TMPDIR": place.path])
    #expect(outcome.output.hasPrefix("The 3 am story"), "\(outcome)")
    #expect(eventually { (try? isSwept()) == true })
  }

  @Test func aWatchThatRefusesIsQuoted() async throws {
    let outcome = try await drill("--speed", "60", "--set", "outputs.limit=many")
    #expect(outcome.status == 70, "\(outcome)")
    #expect(outcome.error.contains("midwatch: midwatchd ended (exit 78) and said: --set:1:"), "\(outcome)")
    #expect(try isSwept())
  }

  @Test func withoutMidwatchdThereIsNoDrill() throws {
    try FileManager.default.createDirectory(atPath: place.path("bin"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: Programs.built.appendingPathComponent("midwatch").path, toPath: place.path("bin/midwatch"))
    let outcome = try Programs.run(place.path("bin/midwatch"), ["drill"], environment: ["PATH": place.path("none")])
    #expect(outcome.status == 69)
    #expect(outcome.error.hasPrefix("midwatch: midwatchd is neither in \(place.path("bin")) nor in PATH; "))
  }

  @Test(arguments: [
    (["--speed", "0"], "midwatch: --speed: '0' is no whole number from 1 to 240"),
    (["--speed", "fast"], "midwatch: --speed: 'fast' is no whole number from 1 to 240"),
    (["--root", "/srv"], "midwatch: 'drill' makes a pipeline of its own; leave out --root"),
    (["--config", "/etc/x"], "midwatch: 'drill' makes a pipeline of its own; leave out --config"),
    (["now"], "midwatch: 'drill' takes no arguments, and 'now' is one"),
  ])
  func misuse(_ arguments: [String], _ line: String) throws {
    let outcome = try Programs.run(Programs.built.appendingPathComponent("midwatch").path, ["drill"] + arguments)
    #expect(outcome.status == 64 && outcome.output == "" && outcome.error.hasPrefix(line), "\(outcome)")
  }
}
