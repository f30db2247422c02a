import Foundation
import TestSupport
import Testing

/// What four watches in a row did to one zoo; the tests of a suite read it, in any order.
///
/// A browser takes one or two seconds of a processor to start: a zoo and a daemon for each test would take CI
/// an hour, and would show no bystander to be hit.
struct LeakStory: SuiteTrait, TestScoping {
  @TaskLocal static var told: Told?

  static let isPossible = Programs.isRoot && Programs.has("unshare", "chromium", "chromedriver")

  struct Subject: Sendable {
    let specimen: LeakSpecimen
    let cage: Cage
    /// Why it could not be brought about.
    var failure: String?
    /// Before any watch began; a late leak is still in order then.
    var before: Scene
  }

  struct Line: Sendable, CustomStringConvertible {
    let what: String
    let pid: Int32
    let kind: String
    let description: String
  }

  /// What an ordinary user's midwatchd did to his browsers.
  struct Abandoned: Sendable {
    /// Before.
    let pages: [ZooProcess]
    /// The page that worked on.
    let busy: Int32
    let watched: Watched
  }

  /// One run of midwatchd.
  struct Watched: Sendable {
    /// What the journal says of leaks.
    let lines: [Line]
    let saysShort: Bool
    /// All that lived at its end.
    let processes: [Int32: ZooProcess]
    let exitCode: Int32?
    let output: String

    func lines(_ what: String, on pid: Int32) -> [Line] { lines.filter { $0.what == what && $0.pid == pid } }
  }

  struct Told: Sendable {
    let subjects: [Subject]
    let observed: Watched
    let killed: Watched
    let pressed: Watched
    let pressedPasses: Int
    let abandoned: Abandoned

    var watched: [Watched] { [observed, killed, pressed, abandoned.watched] }

    func subject(_ specimen: LeakSpecimen) throws -> Subject {
      try #require(subjects.first { $0.specimen.testDescription == specimen.testDescription })
    }
  }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let zoo = try Zoo()
    defer { zoo.close() }
    let told = try await Self.tell(in: zoo)
    try await Self.$told.withValue(told) { try await function() }
  }

  /// Half a minute from pass to pass.
  static let passesOfAnHour = 120

  /// Graces of a second where they are two minutes.
  private static let settings = [
    "leaks.grace=1s", "leaks.confirm=1s", "leaks.scan=1s", "leaks.orphan-browsers=kill", "leaks.orphan-children=kill",
    "leaks.helpers=chroma-mcp",
  ]
  private static let leavesPages = ["leaks.abandoned=report", "leaks.abandoned-age=1h", "leaks.users=nobody"]
  /// No more graces than it takes to look: what counts now is how often.
  private static let hurries = ["leaks.grace=10ms", "leaks.confirm=10ms", "leaks.scan=10ms"]
  /// All memory that there is counts as short.
  private static let short = ["memory.warn=1%", "memory.act=2%"]

  /// Builds the zoo, and lets one midwatchd after the other loose on it: one that only observes, one that acts, one
  /// that acts while memory is short, and a user's own.
  private static func tell(in zoo: Zoo) async throws -> Told {
    let all = (LeakSpecimen.leaks + LeakSpecimen.innocents + [.abandoned, .own]).filter(\.isThere)
    var subjects = await withTaskGroup(of: Subject?.self) { group in
      for specimen in all { group.addTask { await zoo.threeAtOnce.take { await begin(specimen, in: zoo) } } }
      return await group.reduce(into: [Subject]()) { if let subject = $1 { $0.append(subject) } }
    }
    let pipeline = try Pipeline()
    let passes = try PassCounter(zoo.temporary)
    let early = subjects.filter { $0.failure == nil && !$0.specimen.goes.isEmpty && !$0.specimen.isLate }

    let observed = try await watch(pipeline, in: zoo, settings: leavesPages, arguments: ["--observe"]) {
      _ = await eventually {
        let told = Set(lines(of: pipeline).filter { $0.what == "would-kill" }.map(\.pid))
        return early.allSatisfy { told.contains($0.cage.roles[$0.specimen.goes[0]]?.pid ?? 0) }
      }
    }
    let killed = try await watch(pipeline, in: zoo, settings: leavesPages) {
      for place in subjects.indices where subjects[place].failure == nil && subjects[place].specimen.isLate {
        // What it becomes then is over within a second or two, and cannot be proved.
        do { try await subjects[place].specimen.turn(subjects[place].cage) } catch { subjects[place].failure = "\(error)" }
      }
      let leaks = subjects.filter { $0.failure == nil && !$0.specimen.goes.isEmpty }
      _ = await zoo.wait { processes in
        leaks.allSatisfy { leak in
          let scene = leak.cage.scene(of: processes)
          return leak.specimen.goes.allSatisfy { scene[$0] == nil }
        }
      }
    }
    // An hour goes by.
    _ = passes.take()
    let pressed = try await watch(pipeline, in: zoo, settings: leavesPages + short + hurries) {
      _ = await eventually(within: 300) { passes.take() >= passesOfAnHour }
    }
    let pressedPasses = passes.take()
    let abandoned = try await abandon(subjects, in: zoo)
    return Told(
      subjects: subjects, observed: observed, killed: killed, pressed: pressed, pressedPasses: pressedPasses,
      abandoned: abandoned)
  }

  /// One user's own midwatchd, while memory is short: his orphan, and pages that idle.
  private static func abandon(_ subjects: [Subject], in zoo: Zoo) async throws -> Abandoned {
    let pipeline = try Pipeline()
    for name in ["", "/tasks", "/status", "/outputs"] {
      try FileManager.default.setAttributes(
        [.ownerAccountID: Int(LeakSpecimen.webUser)], ofItemAtPath: pipeline.path + name)
    }
    func cage(_ specimen: LeakSpecimen) throws -> Cage {
      try #require(subjects.first { $0.specimen.testDescription == specimen.testDescription }).cage
    }
    let (cage, own) = (try cage(.abandoned), try cage(.own))
    let before = try cage.scene().parts("renderer")
    try? await Task.sleep(for: .seconds(2))
    let now = try zoo.look()
    func work(_ page: ZooProcess) -> Int { (now[page.pid]?.cpu ?? 0) - page.cpu }
    let busy = try #require(before.max { work($0) < work($1) })
    let watched = try await watch(
      pipeline, in: zoo, settings: short + ["leaks.abandoned=act", "leaks.abandoned-age=6s"], user: LeakSpecimen.webUser
    ) {
      _ = await cage.reaches(within: 60) { $0.parts("renderer").count <= 3 }
      _ = await own.reaches(within: 60) { $0["browser"] == nil }
      // One page too many would go with the next passes.
      try? await Task.sleep(for: .seconds(5))
    }
    return Abandoned(pages: before, busy: busy.pid, watched: watched)
  }

  private static func begin(_ specimen: LeakSpecimen, in zoo: Zoo) async -> Subject? {
    guard let cage = try? Cage(zoo, user: specimen.user) else { return nil }
    var failure: String?
    do {
      try await specimen.begin(cage)
      try cage.noteHandlers()
      if !specimen.isLate {
        try await specimen.turn(cage)
        try await cage.reach(specimen.proof)
      }
    } catch { failure = "\(error)" }
    guard let before = try? cage.scene() else { return nil }
    return Subject(specimen: specimen, cage: cage, failure: failure, before: before)
  }

  /// Runs midwatchd inside of the zoo for as long as `body` takes.
  private static func watch(
    _ pipeline: Pipeline, in zoo: Zoo, settings more: [String], arguments: [String] = [], user: UInt32 = 0,
    _ body: () async throws -> Void
  ) async throws -> Watched {
    let before = lines(of: pipeline).count
    let log = pipeline.path("log")
    let pid = try zoo.start(
      [Programs.built.appendingPathComponent("midwatchd").path, "--root", pipeline.path] + arguments
        + (settings + more).flatMap { ["--set", $0] },
      user: user, environment: ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no", "TMPDIR": zoo.temporary], output: log)
    _ = await eventually { pipeline.status()["pid"] as? Int == Int(pid) || ((try? zoo.exitCode(pid)) ?? nil) != nil }
    try await body()
    try zoo.send(SIGTERM, to: pid)
    var exitCode: Int32?
    _ = await eventually {
      exitCode = (try? zoo.exitCode(pid)) ?? nil
      return exitCode != nil
    }
    return Watched(
      lines: Array(lines(of: pipeline).dropFirst(before)), saysShort: !pipeline.journal("short").isEmpty,
      processes: try zoo.look(), exitCode: exitCode,
      output: pipeline.read("log") ?? "")
  }

  private static func lines(of pipeline: Pipeline) -> [Line] {
    pipeline.journal(holding: "\"rule\":\"leaks\"").map { line in
      Line(
        what: line["what"] as? String ?? "", pid: Int32(line["pid"] as? Int ?? 0), kind: line["kind"] as? String ?? "",
        description: "\(line["what"] ?? ""): \(line["say"] ?? "")")
    }
  }
}
