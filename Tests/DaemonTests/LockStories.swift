import Foundation
import TestSupport
import Testing

/// What locks are passed over, how old they count as, and what is left where nothing may be touched.
@Suite struct LockStories {
  @Test func aTombstoneUnderIgnoreIsNeverTouched() async throws {
    let pipeline = try Pipeline()
    try pipeline.makeDirectory("tasks/task-7.lock")
    try pipeline.write("tasks/keep.lock")
    try pipeline.write("tasks/stale.lock")
    for name in ["task-7.lock", "keep.lock", "stale.lock"] { try pipeline.date("tasks/\(name)", secondsAgo: 7200) }
    let daemon = try await RunningDaemon.start(
      pipeline, "locks.stale-after=1s", "locks.ignore=keep.lock, tasks/task-*.lock")
    #expect(await eventually { !pipeline.exists("tasks/stale.lock") })
    #expect(await !eventually(within: 3) { pipeline.names(in: "tasks") != ["keep.lock", "task-7.lock"] })
    #expect(daemon.stop() == 0)
  }

  @Test func whatIsLargeOrFullIsReportedOnceAndNeverReaped() async throws {
    let pipeline = try Pipeline()
    try pipeline.makeDirectory("tasks/full.lock")
    try pipeline.write("tasks/full.lock/owner", "1")
    try pipeline.write("tasks/index.lock", String(repeating: "x", count: 65_537))
    try pipeline.write("tasks/just.lock", String(repeating: "x", count: 65_536))
    mkfifo(pipeline.path("tasks/fifo.lock"), 0o644)
    for name in pipeline.names(in: "tasks") { try pipeline.date("tasks/\(name)", secondsAgo: 7200) }
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1s")
    #expect(await eventually { pipeline.journal("kept").count == 3 && !pipeline.exists("tasks/just.lock") })
    #expect(await !eventually(within: 3) { pipeline.names(in: "tasks") != ["fifo.lock", "full.lock", "index.lock"] })
    let said = pipeline.journal("kept").compactMap { $0["say"] as? String }.sorted()
    #expect(said.count == 3)
    #expect(
      said[0].contains("fifo.lock: older than stale-after")
        && said[0].hasSuffix("neither a file, a directory nor a symlink"))
    #expect(said[1].contains("full.lock: older than stale-after") && said[1].hasSuffix("a directory that is not empty"))
    #expect(said[2].contains("index.lock: older than stale-after") && said[2].hasSuffix("larger than 64 KiB"))
    // Emptied, it is a lock like others.
    try pipeline.remove("tasks/full.lock/owner")
    try pipeline.date("tasks/full.lock", secondsAgo: 7200)
    #expect(await eventually { !pipeline.exists("tasks/full.lock") })
    #expect(daemon.stop() == 0)
  }

  @Test(arguments: [7200, 400_000_000_000])
  func aTimeInTheFutureCountsFromFirstSight(secondsAhead: Int) async throws {
    let pipeline = try Pipeline()
    try pipeline.write("tasks/a.lock")
    try pipeline.date("tasks/a.lock", secondsAgo: -secondsAhead)
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=2s")
    #expect(await eventually { pipeline.journal("reaped").count == 1 })
    let line = pipeline.journal("reaped").first
    #expect(line?["rung"] as? String == "older than stale-after")
    #expect((line?["mtime_ns"] as? Int).map { $0 > Int(Date().timeIntervalSince1970 * 1e9) } == true)
    #expect(daemon.stop() == 0)
  }

  @Test func aLockOfAnEarlierBootIsReapedAtOnce() async throws {
    for boot in ["of another boot", "of this boot"] {
      let pipeline = try Pipeline()
      var (wall, monotonic) = (timespec(), timespec())
      clock_gettime(CLOCK_REALTIME, &wall)
      clock_gettime(CLOCK_MONOTONIC, &monotonic)
      let sinceBoot = monotonic.tv_sec
      try pipeline.write("tasks/a.lock")
      try pipeline.date("tasks/a.lock", secondsAgo: sinceBoot + 600)
      try pipeline.write("tasks/young.lock")
      try pipeline.makeDirectory(".midwatch/state")
      let id = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8).filter(\.isHexDigit)
      let halves = [id.prefix(16), id.suffix(16)].map { String(UInt64($0, radix: 16) ?? 0, radix: 16) }
      // The clock of this boot would have been lived through when the record was made.
      let record =
        boot == "of another boot"
        ? (boot: "0-1", wall: wall.tv_sec - sinceBoot - 60, monotonic: 86_400)
        : (boot: halves.joined(separator: "-"), wall: wall.tv_sec, monotonic: sinceBoot)
      try pipeline.write(
        ".midwatch/state/clock",
        #"{"boot":"\#(record.boot)","wall_ns":\#(record.wall)000000000,"monotonic_ns":\#(record.monotonic)000000000,"past":[]}"#
          + "\n")
      let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1000d")
      if boot == "of another boot" {
        #expect(await eventually { pipeline.journal("reaped").first?["rung"] as? String == "from an earlier boot" })
        #expect(pipeline.names(in: "tasks") == ["young.lock"])
      } else {
        #expect(await !eventually(within: 2) { !pipeline.exists("tasks/a.lock") })
      }
      #expect(daemon.stop() == 0)
    }
  }

  /// I5.
  @Test(arguments: [["--observe"], ["--set", "locks.mode=observe"]])
  func whoObservesTouchesNothing(arguments: [String]) async throws {
    let pipeline = try Pipeline()
    try pipeline.write("tasks/file.lock", "4194304\n")
    try pipeline.link("tasks/link.lock", to: "nowhere")
    try pipeline.makeDirectory("tasks/directory.lock")
    for name in pipeline.names(in: "tasks") { try pipeline.date("tasks/\(name)", secondsAgo: 7200) }
    // Made beforehand, for it changes the times of the root.
    try pipeline.makeDirectory(".midwatch")
    let before = try pipeline.everything()
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1s", arguments: arguments)
    #expect(await eventually { pipeline.journal("would-reap").count == 3 })
    #expect(await !eventually(within: 3) { pipeline.journal("would-reap").count > 3 })
    #expect(daemon.stop() == 0)
    #expect(try pipeline.everything() == before)
    #expect(pipeline.journal("reaped").isEmpty)
    #expect(pipeline.journal("would-reap").allSatisfy { $0["rung"] as? String == "older than stale-after" })
  }

  /// I10: whatever bytes a name has, it is a lock, and no line and no terminal is hurt by it.
  @Test func namesOfAnyBytesAreReapedAndEscaped() async throws {
    let pipeline = try Pipeline()
    let names: [[UInt8]] = [
      [UInt8](repeating: 0xff, count: 255), Array("two\nlines".utf8), Array("\u{1b}[2J\"back\\slash\"".utf8),
      Array("-rf *".utf8),
      Array("\u{202e}kcol".utf8),
    ]
    for name in names {
      let path = (Array(pipeline.path("tasks/").utf8) + name + [0]).map { CChar(bitPattern: $0) }
      let number = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      try #require(number >= 0)
      let long = [timespec(tv_sec: 1_000_000_000, tv_nsec: 0), timespec(tv_sec: 1_000_000_000, tv_nsec: 0)]
      #expect(futimens(number, long) == 0)
      close(number)
    }
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1s", "locks.watch=tasks/*")
    #expect(await eventually { pipeline.journal("reaped").count == names.count })
    let prefix = pipeline.path("tasks/")
    let paths = Set(pipeline.journal("reaped").compactMap { $0["path"] as? String })
    #expect(
      paths == [
        prefix + String(repeating: "\\xff", count: 255), prefix + "two\\x0alines",
        prefix + "\\x1b[2J\"back\\x5cslash\"",
        prefix + "-rf *", prefix + "\\xe2\\x80\\xaekcol",
      ])
    let journal = pipeline.read(".midwatch/state/journal.jsonl") ?? ""
    #expect(
      journal.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && $0.value != 0x7f && $0.value != 0x202e) })
    #expect(journal.split(separator: "\n").count == pipeline.journal().count)
    #expect(daemon.output.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && $0.value != 0x202e) })
    #expect(daemon.stop() == 0)
    #expect(pipeline.strays() == [])
  }

  /// I8: a directory that was exchanged for a link to somewhere else.
  @Test(arguments: ["tasks/{task}.lock", "tasks/*/{task}.lock", "tasks/**/{task}.lock"])
  func nothingOutsideIsTouchedThroughALink(watch: String) async throws {
    let pipeline = try Pipeline()
    let outside = try Pipeline(["there", "there/deep"])
    for place in ["there", "there/deep"] {
      try outside.write("\(place)/a.lock")
      try outside.write("\(place)/.midwatch-new-1-1")
      try outside.write("\(place)/.midwatch-lock-1-1")
      try outside.date("\(place)/a.lock", secondsAgo: 7200)
    }
    let directory = watch.hasPrefix("tasks/{") ? "tasks" : "tasks/deep"
    try pipeline.makeDirectory(directory)
    let before = try outside.everything()
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1s", "locks.watch=\(watch)")
    try pipeline.move(directory, to: "aside")
    try pipeline.link(directory, to: outside.path("there"))
    #expect(await !eventually(within: 3) { (try? outside.everything()) != before })
    if directory == "tasks" {
      #expect(await eventually { !pipeline.journal("symlink").isEmpty }, "why nothing is watched there")
      // Another link in its place is no news.
      try pipeline.link("other", to: outside.path("there/deep"))
      #expect(rename(pipeline.path("other"), pipeline.path(directory)) == 0)
      #expect(await !eventually(within: 1) { pipeline.journal("symlink").count != 1 })
    }
    #expect(daemon.stop() == 0)
    let again = try await RunningDaemon.start(pipeline, "locks.stale-after=1s", "locks.watch=\(watch)")
    #expect(await !eventually(within: 2) { (try? outside.everything()) != before })
    if directory == "tasks" { #expect(pipeline.journal("symlink").count == 2, "each start says it once") }
    // And the directory's return is noticed.
    try pipeline.remove(directory)
    try pipeline.makeDirectory(directory)
    try pipeline.write("\(directory)/b.lock")
    #expect(await eventually { !pipeline.exists("\(directory)/b.lock") })
    #expect(try outside.everything() == before)
    #expect(again.stop() == 0)
  }

  /// I8: not even a file that a crash might have left of ours.
  @Test func noLeftoverIsLookedForThroughALink() async throws {
    let pipeline = try Pipeline(["tasks"])
    let outside = try Pipeline(["there"])
    try outside.write("there/.midwatch-new-1")
    try pipeline.link("status", to: outside.path("there"))
    let before = try outside.everything()
    let daemon = try await RunningDaemon.start(pipeline)
    #expect(daemon.stop() == 0)
    #expect(try outside.everything() == before)
  }

  @Test func aLockThatIsALinkGoesAndWhatItLeadsToStays() async throws {
    let pipeline = try Pipeline()
    let outside = try Pipeline(["there"])
    try outside.write("there/precious")
    try outside.date("there/precious", secondsAgo: 7200)
    try outside.date("there", secondsAgo: 7200)
    try pipeline.link("tasks/file.lock", to: outside.path("there/precious"))
    try pipeline.link("tasks/directory.lock", to: outside.path("there"))
    // Another name of a file outside: the name is ours to take, the file is not.
    try FileManager.default.linkItem(atPath: outside.path("there/precious"), toPath: pipeline.path("tasks/hard.lock"))
    for name in ["file", "directory"] { try pipeline.date("tasks/\(name).lock", secondsAgo: 7200) }
    let daemon = try await RunningDaemon.start(pipeline, "locks.stale-after=1s")
    #expect(await eventually { pipeline.names(in: "tasks") == [] })
    #expect(outside.read("there/precious") == "")
    #expect(daemon.stop() == 0)
  }
}
