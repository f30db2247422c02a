import Foundation
import TestSupport
import Testing

/// What the gate's notes tell of cron's jobs.
@Suite(.serialized) struct JobTests {
  private let jobs = "elsewhere/run/midwatch/jobs"

  /// What stands in the directory, without what is being written.
  private func files(_ bench: GateBench) -> [String] {
    ((try? bench.pipeline.names(jobs)) ?? []).filter { !$0.hasPrefix(".") }
  }

  /// The alerts of jobs that fire, by their summaries.
  private func summaries(_ bench: GateBench) -> [String] {
    bench.firing.filter { $0["kind"] as? String == "job" }.compactMap { $0["summary"] as? String }
  }

  @Test func failuresInARowAreOneAlertUntilASuccess() async throws {
    let bench = try GateBench("[jobs]\nfailures = 3\n[agent content]\nmatch = *content.py*\n")
    let watch = try bench.watch()
    let command = "test -e '\(bench.pipeline.path("works"))' # content.py"
    for _ in 0..<2 { #expect(try bench.job(command).status == 1) }
    #expect(try bench.job("exit 1").status == 1)
    #expect(await eventually { files(bench).isEmpty })
    #expect(summaries(bench).isEmpty)
    #expect(
      await eventually {
        _ = try? bench.job(command)
        return summaries(bench).count == 1
      })
    let alert = try #require(bench.firing.first)
    #expect(alert["agent"] as? String == "content")
    #expect((alert["summary"] as? String)?.contains("failed 3 times in a row") == true)
    #expect(!bench.pipeline.exists("HALT"))
    // Neither a restart nor more failures tell of it again.
    watch.kill()
    let second = try bench.watch()
    for _ in 0..<4 { #expect(try bench.job(command).status == 1) }
    #expect(await eventually { bench.journal("failures").count == 1 })
    #expect(summaries(bench).count == 1)
    try bench.pipeline.write("works")
    #expect(try bench.job(command).status == 0)
    #expect(await eventually { bench.firing.isEmpty })
    _ = second
  }

  @Test func aSuccessAfterARestartEndsWhatWasToldBefore() async throws {
    let bench = try GateBench("[jobs]\nfailures = 2\n")
    let watch = try bench.watch()
    let command = "test -e '\(bench.pipeline.path("works"))'"
    for _ in 0..<2 { #expect(try bench.job(command).status == 1) }
    #expect(await eventually { summaries(bench).count == 1 })
    watch.kill()
    let second = try bench.watch()
    #expect(summaries(bench).count == 1)
    try bench.pipeline.write("works")
    #expect(try bench.job(command).status == 0)
    #expect(await eventually { bench.firing.isEmpty })
    _ = second
  }

  @Test func theRetryLoopIsNoticed() async throws {
    let bench = try GateBench("[jobs]\nruns = 5 per 1h\nfailures = off\n")
    let watch = try bench.watch()
    for _ in 0..<5 { #expect(try bench.job("echo already running, skip").status == 0) }
    #expect(await !eventually(within: 0.5) { !summaries(bench).isEmpty })
    // A verdict that a loaded machine keeps waiting for a second leaves no note.
    let limit = "within 1h (limit 5)"
    #expect(
      await eventually {
        _ = try? bench.job("echo already running, skip")
        return summaries(bench).contains { $0.contains("was started 6 times \(limit)") }
      })
    _ = watch
  }

  @Test func aRunThatDoesNotEndIsToldOnceAndEndsWithIt() async throws {
    let bench = try GateBench("[jobs]\nmax-duration = 1s\n")
    let watch = try bench.watch()
    let job = try bench.start("echo $$ > '\(bench.pipeline.path("pid"))'; exec sleep 600")
    let pid = try #require(bench.pid)
    #expect(await eventually { summaries(bench).contains { $0.contains("(limit 1s)") } })
    kill(pid, SIGTERM)
    #expect(await eventually { job.hasEnded && bench.firing.isEmpty })
    _ = watch
  }

  @Test func whereItIsWantedItHaltsAndAResumeCountsAnew() async throws {
    let bench = try GateBench("[jobs]\nfailures = 2\nthen = halt\n")
    let watch = try bench.watch()
    for _ in 0..<2 { #expect(try bench.job("exit 5").status == 5) }
    #expect(await eventually { bench.pipeline.exists("HALT") && bench.firing.count == 1 })
    #expect(bench.firing.first?["severity"] as? String == "halt")
    #expect(try bench.job("exit 5").status == 75)
    try bench.pipeline.remove("HALT")
    #expect(await eventually { bench.firing.isEmpty && bench.journal("resumed").count == 1 })
    #expect(try bench.job("exit 5").status == 5)
    #expect(await !eventually(within: 0.5) { bench.pipeline.exists("HALT") })
    #expect(try bench.job("exit 5").status == 5)
    #expect(await eventually { bench.pipeline.exists("HALT") })
    _ = watch
  }

  @Test func aGateThatIsKilledIsNoFailure() async throws {
    let bench = try GateBench("[jobs]\nfailures = 1\n")
    let watch = try bench.watch()
    let job = try bench.start("echo $$ > '\(bench.pipeline.path("pid"))'; exec sleep 600")
    let pid = try #require(bench.pid)
    #expect(await eventually { !bench.notes(".start").isEmpty })
    let gate = try #require(bench.notes(".start").first?["pid"] as? Int)
    kill(Int32(gate), SIGKILL)
    #expect(await eventually { job.hasEnded && kill(pid, 0) != 0 }, "its shell goes with it")
    #expect(await eventually { bench.notes(".start").isEmpty })
    #expect(await !eventually(within: 0.5) { !summaries(bench).isEmpty })
    _ = watch
  }

  @Test func whatHappenedWhileNobodyWatchedIsReadAtTheStart() async throws {
    let bench = try GateBench("[jobs]\nfailures = 3\n")
    for _ in 0..<3 { #expect(try bench.job("exit 1").status == 1) }
    let job = try bench.start("echo $$ > '\(bench.pipeline.path("pid"))'; exec sleep 600")
    let pid = try #require(bench.pid)
    let watch = try bench.watch("jobs.max-duration=1s")
    #expect(await eventually { summaries(bench).count == 2 })
    kill(pid, SIGTERM)
    #expect(await eventually { job.hasEnded && summaries(bench).count == 1 })
    _ = watch
  }

  /// It cannot be proved by that, but whoever reads of the leak learns which job to mend.
  @Test(.enabled(if: Programs.has("python3", "setsid"), "Debian: python3 util-linux"))
  func aLeakIsToldWithTheJobThatLeftIt() async throws {
    let bench = try GateBench()
    try bench.pipeline.write("elsewhere/\(bench.helper)", "import time\ntime.sleep(600)\n")
    let watch = try bench.watch(
      "leaks.helpers=\(bench.helper)", "leaks.confirm=1s", "leaks.grace=1s", "leaks.scan=1s", "memory.mode=off")
    let script = bench.pipeline.path("elsewhere/\(bench.helper)")
    // Not in the job's environment any more: only the gate knows.
    let job = try bench.start("env -i /usr/bin/python3 '\(script)' </dev/null >/dev/null 2>&1 &")
    #expect(await eventually { job.hasEnded })
    #expect(await eventually { bench.journal("killed").count == 1 })
    let told = try #require(bench.journal("killed").first?["job"] as? String)
    #expect(told.hasPrefix("env -i /usr/bin/python3 "))
    _ = watch
  }

  @Test func whatAGateLeftOfANoteIsRemovedAfterAMinute() async throws {
    let bench = try GateBench()
    let watch = try bench.watch()
    let torn = "\(jobs)/.midwatch-new-1-1.start"
    try bench.pipeline.write(torn, "{")
    #expect(try bench.job("true").status == 0)
    #expect(await eventually { files(bench).isEmpty })
    #expect(bench.pipeline.exists(torn))
    try bench.pipeline.date(torn, secondsAgo: 3600)
    #expect(
      await eventually {
        _ = try? bench.job("true")
        return !bench.pipeline.exists(torn)
      })
    _ = watch
  }

  /// Anybody may write into the directory.
  @Test func whatIsNoNoteIsRemovedAndHarmsNobody() async throws {
    let bench = try GateBench("[jobs]\nfailures = 1\n")
    let watch = try bench.watch()
    let job = try bench.start("echo $$ > '\(bench.pipeline.path("pid"))'; exec sleep 600")
    let pid = try #require(bench.pid)
    #expect(await eventually { !bench.notes(".start").isEmpty })
    let start = try #require(bench.notes(".start").first)
    let (gate, ticks) = (try #require(start["pid"] as? Int), try #require(start["start_ticks"] as? Int))
    let hostile = "elsewhere/hostile"
    func put(_ name: String, _ text: String, owner: uid_t = 0) throws {
      try bench.pipeline.write(hostile, text)
      lchown(bench.pipeline.path(hostile), owner, owner)
      rename(bench.pipeline.path(hostile), bench.pipeline.path("\(jobs)/\(name)"))
    }
    try put("garbage", "\u{0}\u{ff}{{{")
    try put("empty", "")
    try put("1-1.end", String(repeating: "9", count: 100_000))
    try put("2-2.start", #"{"v":1,"pid":99999999999,"start_ticks":-1,"since":"never","command":"\\q","mark":""}"#)
    try put("3-3.end", #"{"v":1,"pid":4,"start_ticks":4,"exit":1,"duration_ms":9223372036854775807,"peak_bytes":-5}"#)
    #expect(mkfifo(bench.pipeline.path("\(jobs)/fifo"), 0o666) == 0)
    try bench.pipeline.link("\(jobs)/link", to: "/etc/passwd")
    // Another user ends root's job: it runs on as far as midwatchd is concerned.
    if Programs.isRoot {
      try put(
        "\(gate)-\(ticks).end",
        #"{"v":1,"pid":\#(gate),"start_ticks":\#(ticks),"exit":1,"duration_ms":1,"peak_bytes":1,"left":[]}"#, owner: 65534)
    }
    #expect(await eventually { files(bench) == ["\(gate)-\(ticks).start"] })
    #expect(summaries(bench).isEmpty)
    kill(pid, SIGTERM)
    #expect(await eventually { job.hasEnded && summaries(bench).count == 1 })
    _ = watch
  }

  /// Whoever has one for each of many dead processes must not take midwatchd's stack.
  @Test func manyNotesOfGatesThatAreGoneAreReadOneByOne() async throws {
    let bench = try GateBench("[jobs]\nfailures = 1\n")
    let directory = bench.pipeline.path(jobs)
    for number in 1...3000 {
      let name = "\(4_000_000 + number)-1.start"
      let note =
        #"{"v":1,"pid":\#(4_000_000 + number),"start_ticks":1,"since":"2026-11-21T03:00:00Z","command":"true","mark":""}"#
      try Data(note.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
    }
    let watch = try bench.watch()
    #expect(await eventually { files(bench).isEmpty })
    #expect(!watch.hasEnded)
    #expect(try bench.job("exit 1").status == 1)
    #expect(await eventually { summaries(bench).count == 1 })
  }

  @Test func aRunThatEndedWhileNobodyWatchedIsOver() async throws {
    let bench = try GateBench("[jobs]\nmax-duration = 1s\n")
    let watch = try bench.watch()
    let job = try bench.start("echo $$ > '\(bench.pipeline.path("pid"))'; exec sleep 600")
    let pid = try #require(bench.pid)
    #expect(await eventually { summaries(bench).count == 1 })
    watch.kill()
    kill(pid, SIGTERM)
    #expect(await eventually { job.hasEnded })
    let second = try bench.watch()
    #expect(await eventually { bench.firing.isEmpty })
    _ = second
  }

  @Test func observeOnlyWritesDown() async throws {
    let bench = try GateBench("mode = observe\n[jobs]\nfailures = 1\nthen = halt\n")
    let watch = try bench.watch()
    #expect(try bench.job("exit 1").status == 1)
    #expect(await eventually { bench.journal("would-alert").count == 1 })
    #expect(bench.firing.isEmpty && !bench.pipeline.exists("HALT"))
    _ = watch
  }
}
