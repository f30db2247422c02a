import Foundation
import TestSupport
import Testing

/// What counts as an output, by all the ways in which a name can come to be.
@Suite struct BirthTests {
  enum Manner: String, CaseIterable, Sendable {
    case created, movedInFromOutside, movedFromAnIgnoredName, linkedFromOutside, linkedToAnOutput, symlink
    /// O_TMPFILE and linkat: closing it tells of a name such as `#4`, which nobody ever bore, to whoever asks.
    case unnamedAndLinked
    case inANewDirectory, inADirectoryMovedIn
  }

  /// Makes outputs of agent a, each under a name of its own.
  struct Maker {
    let pipeline: Pipeline
    private(set) var made: [String] = []

    init(_ pipeline: Pipeline) { self.pipeline = pipeline }

    mutating func make(_ manner: Manner) throws {
      let number = made.count
      var name = "outputs/a/\(number).md"
      let outside = "elsewhere/\(number).md"
      switch manner {
      case .created: try pipeline.save(name)
      case .movedInFromOutside:
        try pipeline.save(outside)
        try pipeline.rename(outside, to: name)
      case .movedFromAnIgnoredName:
        try pipeline.save("outputs/a/\(number).tmp")
        try pipeline.rename("outputs/a/\(number).tmp", to: name)
      case .linkedFromOutside:
        try pipeline.save(outside)
        try pipeline.hardLink(outside, as: name)
      case .linkedToAnOutput: try pipeline.hardLink(try #require(made.first), as: name)
      case .symlink: try pipeline.link(name, to: "nowhere")
      case .unnamedAndLinked: try pipeline.saveUnnamed(in: "outputs/a", thenLinkAs: name)
      case .inANewDirectory:
        name = "outputs/a/new-\(number)/deep/\(number).md"
        try pipeline.makeDirectory("outputs/a/new-\(number)/deep")
        try pipeline.save(name)
      case .inADirectoryMovedIn: return try moveIn(1)
      }
      made.append(name)
    }

    /// A directory that comes with so many outputs in it, at two depths.
    mutating func moveIn(_ count: Int) throws {
      let directory = "whole-\(made.count)"
      try pipeline.makeDirectory("elsewhere/\(directory)/deep")
      for number in 0..<count {
        let name = number % 2 == 0 ? "deep/\(number).md" : "\(number).md"
        try pipeline.save("elsewhere/\(directory)/\(name)")
        made.append("outputs/a/\(directory)/\(name)")
      }
      try pipeline.rename("elsewhere/\(directory)", to: "outputs/a/\(directory)")
    }
  }

  /// Not before it and not after it: all the manners twice, mixed, reach the limit, and one more goes over it.
  @Test(arguments: Manner.allCases) func theOneAboveTheLimitTrips(last: Manner) async throws {
    let pipeline = try Pipeline(["tasks", "status", "outputs/a", "elsewhere"])
    let limit = Manner.allCases.count * 2 + 6
    let daemon = try await RunningDaemon.start(pipeline, "outputs.limit=\(limit) per 1h", "outputs.similar=off")
    var maker = Maker(pipeline)
    var random = Seeded(UInt64(Manner.allCases.firstIndex(of: last) ?? 0))
    try maker.moveIn(5)
    try maker.make(.created)
    for manner in (Manner.allCases + Manner.allCases).shuffled(using: &random) { try maker.make(manner) }
    #expect(maker.made.count == limit)
    #expect(await eventually { pipeline.status()["outputs_since_start"] as? Int == limit })
    #expect(!pipeline.exists("HALT"))
    try maker.make(last)
    #expect(await eventually { pipeline.exists("HALT") })
    #expect(await eventually { pipeline.journal("halted").first?["counted"] as? Int == limit + 1 })
    #expect(daemon.stop() == 0)
    #expect(pipeline.journal("halted").count == 1)
  }

  enum Rewriting: String, CaseIterable, Sendable {
    case inPlace, appended, byHiddenFile, byTemporaryFile, byFileFromOutside, byUnnamedFile, renamedAndBack, touched
  }

  /// With the limit reached, so that a single one that counted would trip.
  @Test(arguments: Rewriting.allCases) func whatIsRewrittenIsNoNewOutput(how: Rewriting) async throws {
    let pipeline = try Pipeline(["tasks", "status", "outputs/a", "elsewhere"])
    let daemon = try await RunningDaemon.start(
      pipeline, "outputs.limit=\(Manner.allCases.count) per 1h", "outputs.similar=off", "locks.stale-after=100ms")
    var maker = Maker(pipeline)
    for manner in Manner.allCases { try maker.make(manner) }
    #expect(await eventually { pipeline.status()["outputs_since_start"] as? Int == maker.made.count })
    for round in 0..<400 {
      let name = maker.made[round % maker.made.count]
      let place = name.prefix { $0 != "." }
      switch how {
      // A symlink leads nowhere, and what it leads to is no output.
      case .inPlace: if pipeline.isFile(name) { try pipeline.save(name) }
      case .appended: if pipeline.isFile(name) { try pipeline.save(name, O_APPEND) }
      case .touched: try pipeline.date(name, secondsAgo: round)
      case .byHiddenFile: try pipeline.save(name, by: "outputs/a/.\(round).hidden")
      case .byTemporaryFile: try pipeline.save(name, by: "\(place).tmp")
      case .byFileFromOutside: try pipeline.save(name, by: "elsewhere/\(round)")
      case .byUnnamedFile:
        try pipeline.saveUnnamed(in: "outputs/a", thenLinkAs: "outputs/a/.\(round).hidden")
        try pipeline.rename("outputs/a/.\(round).hidden", to: name)
      case .renamedAndBack:
        try pipeline.rename(name, to: "\(place)-old.md")
        try pipeline.rename("\(place)-old.md", to: name)
      }
    }
    // All of that lies behind it when this lock, which came after it, is gone.
    try pipeline.write("tasks/after.lock")
    #expect(await eventually { !pipeline.exists("tasks/after.lock") })
    #expect(!pipeline.exists("HALT"), "\(pipeline.read("HALT") ?? "")")
    try maker.make(.created)
    #expect(await eventually { pipeline.exists("HALT") })
    #expect(daemon.stop() == 0)
    #expect(pipeline.status()["outputs_since_start"] as? Int == maker.made.count)
  }
}

extension Pipeline {
  private func done(_ result: Int32) throws {
    if result < 0 { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
  }

  /// Writes as an agent does: opened, written in two pieces, closed.
  func save(_ name: String, _ flags: Int32 = O_TRUNC) throws {
    let file = open(path(name), O_CREAT | O_WRONLY | O_CLOEXEC | flags, 0o644)
    try done(file)
    for piece in ["# A report\n", "of no words\n"] { try done(Int32(Foundation.write(file, piece, piece.utf8.count))) }
    try done(close(file))
  }

  func save(_ name: String, by temporary: String) throws {
    try save(temporary)
    try rename(temporary, to: name)
  }

  func saveUnnamed(_ text: String = "# A report", in directory: String, thenLinkAs name: String) throws {
    // O_TMPFILE, which Glibc's module lacks.
    let file = open(path(directory), 0o20000000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o644)
    try done(file)
    try done(Int32(Foundation.write(file, text, text.utf8.count)))
    waitForTheClock()
    try done(linkat(AT_FDCWD, "/proc/self/fd/\(file)", AT_FDCWD, path(name), AT_SYMLINK_FOLLOW))
    try done(close(file))
  }

  /// Until what happens now bears a later time than what happened before.
  func waitForTheClock() {
    func tick() -> Int {
      var now = timespec()
      clock_gettime(CLOCK_REALTIME_COARSE, &now)
      return now.tv_nsec
    }
    let start = tick()
    while tick() == start { usleep(500) }
  }

  /// rename(2) itself: what bears the new name is replaced, which Foundation refuses.
  func rename(_ name: String, to other: String) throws { try done(Foundation.rename(path(name), path(other))) }

  func hardLink(_ name: String, as other: String) throws { try done(Foundation.link(path(name), path(other))) }

  func isFile(_ name: String) -> Bool {
    var status = stat()
    return lstat(path(name), &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}
