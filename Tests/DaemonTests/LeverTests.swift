import Foundation
import TestSupport
import Testing

/// A trip that really halts: what runs is stopped with what keeps starting it, and goes on at the resume.
@Suite(.serialized) struct LeverTests {
  /// The letter of proc_pid_stat(5); nil where no process has that pid.
  private func state(_ pid: Int32) -> Character? {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
    return stat[stat.index(after: stat.lastIndex(of: ")") ?? stat.startIndex)...].first { $0 != " " }
  }

  private func isStopped(_ pid: Int32) -> Bool { state(pid) == "T" }
  private func runs(_ pid: Int32) -> Bool { state(pid).map { "RSD".contains($0) } ?? false }

  /// A job that starts an offender again and again; it tells the loop's pid in the file `pid`.
  private func runaway(_ bench: GateBench, agent: String = "content", every: String = "0.05") throws -> (Holder, Int32) {
    try? bench.pipeline.remove("pid")
    try bench.pipeline.makeDirectory("outputs/\(agent)")
    let place = bench.pipeline.path("outputs/\(agent)")
    let loop = "i=0; while :; do i=$((i+1)); sh -c ': > \"\(place)/'$i'\"; sleep \(every)'; done"
    let job = try bench.start("echo $$ > '\(bench.pipeline.path("pid"))'; \(loop)")
    return (job, try #require(bench.pid))
  }

  private func outputs(_ bench: GateBench, _ agent: String = "content") -> Int {
    ((try? bench.pipeline.names("outputs/\(agent)")) ?? []).count
  }

  /// Kills a job whose shell may be stopped, with the rest of its group.
  private func end(_ loop: Int32, _ job: Holder) {
    kill(loop, SIGKILL)
    kill(-loop, SIGKILL)
    _ = eventually { job.hasEnded }
  }

  @Test func theLoopThatStartsTheOffenderIsPausedAndGoesOn() async throws {
    let bench = try GateBench("[outputs]\nlimit = 5 per 1min\n")
    let watch = try bench.watch()
    let (job, loop) = try runaway(bench)
    defer { end(loop, job) }
    #expect(await eventually { bench.pipeline.exists("HALT") && isStopped(loop) })
    #expect(await eventually { bench.journal("halted").count == 1 })
    let written = outputs(bench)
    // Long enough for ten more of them.
    #expect(await !eventually(within: 1) { outputs(bench) > written })
    let alert = try #require(bench.firing.first)
    let stopped = try #require(alert["stopped"] as? [String])
    #expect(stopped.contains { $0.hasPrefix("paused ") && $0.contains("\(loop)") })
    #expect(stopped.contains { $0.contains("midwatch-sh are skipped") })
    #expect(try bench.job("echo ran").status == 75)
    #expect(try bench.midwatch("resume").status == 0)
    #expect(await eventually { runs(loop) && outputs(bench) > written })
    #expect(bench.journal("continued").count == 1)
    #expect(!bench.pipeline.exists("elsewhere/state/midwatch/paused") || bench.journal("halted").count > 1)
    _ = watch
  }

  @Test func deletingHALTLetsThemGoOnAlsoAfterADeathOfTheWatch() async throws {
    let bench = try GateBench("[outputs]\nlimit = 5 per 1min\n")
    var watch = try bench.watch()
    let (job, loop) = try runaway(bench, every: "0.2")
    defer { end(loop, job) }
    #expect(await eventually { isStopped(loop) && bench.journal("halted").count == 1 })
    watch.kill()
    watch = try bench.watch()
    #expect(isStopped(loop))
    try bench.pipeline.remove("HALT")
    #expect(await eventually { bench.journal("continued").count == 1 })
    // Halted again, and HALT deleted while nobody watches.
    #expect(await eventually { bench.journal("halted").count == 2 && isStopped(loop) })
    watch.kill()
    try bench.pipeline.remove("HALT")
    watch = try bench.watch()
    #expect(await eventually { bench.journal("continued").count == 2 })
    _ = watch
  }

  @Test func resumeLetsThemGoOnWhereNobodyWatches() async throws {
    let bench = try GateBench("[outputs]\nlimit = 5 per 1min\n")
    let watch = try bench.watch()
    let (job, loop) = try runaway(bench, every: "0.2")
    defer { end(loop, job) }
    #expect(await eventually { isStopped(loop) && bench.journal("halted").count == 1 })
    watch.kill()
    #expect(try bench.midwatch("resume").status == 0)
    #expect(await eventually { runs(loop) })
    #expect(!bench.pipeline.exists("HALT") && !bench.pipeline.exists("elsewhere/state/midwatch/paused"))
  }

  @Test func aHaltByAPersonStopsWhatRuns() async throws {
    let bench = try GateBench()
    let watch = try bench.watch()
    let job = try bench.start("echo $$ > '\(bench.pipeline.path("pid"))'; exec sleep 600")
    let pid = try #require(bench.pid)
    defer { end(pid, job) }
    #expect(try bench.midwatch("halt", "for", "a", "test").status == 0)
    #expect(await eventually { isStopped(pid) })
    #expect(try bench.midwatch("resume").status == 0)
    #expect(await eventually { runs(pid) })
    _ = watch
  }

  @Test func exemptJobsAndStrangersGoOn() async throws {
    let bench = try GateBench("[outputs]\nlimit = 3 per 1min\n[halt]\nexempt = *certbot*\n")
    let watch = try bench.watch()
    let exempt = try bench.start("echo $$ > '\(bench.pipeline.path("pid"))'; : certbot; exec sleep 600")
    let exemptPid = try #require(bench.pid)
    let stranger = try Holder("/bin/sleep", ["600"])
    // Another pipeline's.
    let other = try Holder("/usr/bin/env", ["MIDWATCH_JOB=1-2@/elsewhere", "/bin/sleep", "600"])
    defer { end(exemptPid, exempt) }
    let (job, loop) = try runaway(bench)
    defer { end(loop, job) }
    #expect(await eventually { isStopped(loop) && bench.journal("halted").count == 1 })
    #expect(runs(exemptPid) && runs(stranger.pid) && runs(other.pid))
    _ = watch
  }

  @Test func theOffenderAloneIsPausedWhereTheScopeSaysSo() async throws {
    let bench = try GateBench(
      """
      [outputs]
      limit = 5 per 1min
      [halt]
      scope = offender
      [agent content]
      match = *outputs/content*
      """)
    let watch = try bench.watch()
    let (calm, calmLoop) = try runaway(bench, agent: "seo", every: "600")
    defer { end(calmLoop, calm) }
    let (job, loop) = try runaway(bench)
    defer { end(loop, job) }
    #expect(await eventually { isStopped(loop) && bench.journal("halted").count == 1 })
    #expect(runs(calmLoop))
    _ = watch
  }

  @Test func aProcessWithoutAMarkIsFoundByItsCommandLine() async throws {
    let bench = try GateBench()
    let name = "\(bench.pipeline.root.lastPathComponent)-gateway"
    try bench.configure("[outputs]\nlimit = 3 per 1min\n[agent content]\nmatch = *\(name)*\n")
    let watch = try bench.watch()
    let gateway = try Holder("/bin/sh", ["-c", "while :; do sleep 600; done", name])
    try bench.pipeline.makeDirectory("outputs/content")
    for i in 0..<4 { try bench.pipeline.write("outputs/content/\(i)") }
    #expect(await eventually { isStopped(gateway.pid) })
    try bench.pipeline.remove("HALT")
    #expect(await eventually { runs(gateway.pid) })
    _ = watch
  }

  @Test func whomSomebodyElseStoppedStaysStopped() async throws {
    let bench = try GateBench("[outputs]\nlimit = 3 per 1min\n")
    let watch = try bench.watch()
    let job = try bench.start("echo $$ > '\(bench.pipeline.path("pid"))'; exec sleep 600")
    let pid = try #require(bench.pid)
    defer { end(pid, job) }
    kill(pid, SIGSTOP)
    #expect(await eventually { isStopped(pid) })
    try bench.pipeline.makeDirectory("outputs/content")
    for i in 0..<4 { try bench.pipeline.write("outputs/content/\(i)") }
    #expect(await eventually { bench.journal("halted").count == 1 })
    try bench.pipeline.remove("HALT")
    #expect(await eventually { bench.journal("resumed").count == 1 })
    #expect(await !eventually(within: 0.5) { !isStopped(pid) })
    _ = watch
  }

  @Test func terminateEndsThem() async throws {
    let bench = try GateBench("[outputs]\nlimit = 3 per 1min\n[halt]\nlevers = halt, gate, terminate\n")
    let watch = try bench.watch()
    let (job, loop) = try runaway(bench)
    #expect(await eventually { job.hasEnded })
    #expect(await eventually { bench.journal("terminated").count >= 1 && bench.journal("halted").count == 1 })
    if !job.hasEnded { end(loop, job) }
    _ = watch
  }

  /// I2: midwatchd is started from a crontab behind the gate, and bears a job's mark itself.
  @Test func neitherItselfNorWhoStartedItIsPaused() async throws {
    let bench = try GateBench("[outputs]\nlimit = 3 per 1min\n")
    let watch = try bench.watch(through: [bench.gate, "-c", #""$@"; :"#, "sh"])
    try bench.pipeline.makeDirectory("outputs/content")
    for i in 0..<4 { try bench.pipeline.write("outputs/content/\(i)") }
    #expect(await eventually { bench.journal("halted").count == 1 })
    try bench.pipeline.remove("HALT")
    #expect(await eventually { bench.journal("resumed").count == 1 }, "it stopped itself")
    #expect(runs(watch.pid))
    let daemon = bench.journal("started").compactMap { $0["pid"] as? Int }.last
    if let daemon { kill(Int32(daemon), SIGTERM) }
    #expect(await eventually { watch.hasEnded })
  }

  @Test func observeStopsNobody() async throws {
    let bench = try GateBench("mode = observe\n[outputs]\nlimit = 3 per 1min\n")
    let watch = try bench.watch()
    let (job, loop) = try runaway(bench)
    defer { end(loop, job) }
    #expect(await eventually { bench.journal("would-halt").count >= 1 })
    #expect(await !eventually(within: 0.5) { isStopped(loop) })
    #expect(!bench.pipeline.exists("HALT"))
    _ = watch
  }

  @Test(.enabled(if: Programs.has("python3"), "Debian: python3"))
  func whomAHaltPausedIsNoLeak() async throws {
    let bench = try GateBench("[outputs]\nlimit = 3 per 1min\n")
    let watch = try bench.watch(
      "leaks.helpers=\(bench.helper)", "leaks.confirm=1s", "leaks.grace=1s", "leaks.scan=1s", "memory.mode=off")
    try bench.pipeline.write("elsewhere/\(bench.helper)", "import time\ntime.sleep(600)\n")
    try bench.pipeline.makeDirectory("outputs/content")
    for i in 0..<4 { try bench.pipeline.write("outputs/content/\(i)") }
    #expect(await eventually { bench.journal("halted").count == 1 })
    // It loses whoever started it while everything is halted. In a session of its own: else the kernel would
    // send SIGHUP to a stopped group that is orphaned.
    let script = bench.pipeline.path("elsewhere/\(bench.helper)")
    let job = try Holder(
      "/usr/bin/env",
      [
        "MIDWATCH_JOB=1-2@\(bench.pipeline.path)", "sh", "-c",
        "setsid python3 '\(script)' </dev/null >/dev/null 2>&1 & echo $! > '\(bench.pipeline.path("pid"))'; exec sleep 600",
      ])
    let helper = try #require(bench.pid)
    defer { kill(helper, SIGKILL) }
    try bench.pipeline.write("outputs/content/more")
    #expect(await eventually { isStopped(helper) && isStopped(job.pid) })
    job.kill()
    // Looks enough to find it twice and to let the grace pass.
    #expect(await !eventually(within: 5) { state(helper) == nil })
    try bench.pipeline.remove("HALT")
    #expect(await eventually { state(helper) == nil }, "it is a leak once nobody halts it")
    _ = watch
  }

  // MARK: the proof, and what comes next

  /// systemctl is one of ours that writes down what it is asked: a real systemd cannot be had in CI, and the
  /// real one was tried in a virtual machine.
  private func fakeSystemctl(_ bench: GateBench) throws {
    try bench.pipeline.write(
      "elsewhere/bin/systemctl",
      """
      #!/bin/sh
      echo "$*" >> '\(bench.pipeline.path("elsewhere/asked"))'
      case "$*" in
      *is-active*idle.service) exit 3;;
      *stop*refused.service) echo "no such thing" >&2; exit 1;;
      *stop*slow.service) until [ -e '\(bench.pipeline.path("elsewhere/go"))' ]; do sleep 0.05; done;;
      esac
      """)
    chmod(bench.pipeline.path("elsewhere/bin/systemctl"), 0o755)
  }

  private func asked(_ bench: GateBench) -> [String] {
    (bench.pipeline.read("elsewhere/asked") ?? "").split(separator: "\n").map { String($0).replacing("--user ", with: "") }
  }

  @Test(arguments: [false, true])
  func whoWritesOnIsMetByTheNextLever(freezes: Bool) async throws {
    let bench = try GateBench()
    try bench.configure(
      """
      [outputs]
      limit = 3 per 1min
      [halt]
      levers = halt, gate, pause\(freezes ? ", freeze" : "")
      units = openclaw-gateway.service, idle.service
      verify-after = 1s
      exec = /bin/sh -c 'cat >> "$0"' \(bench.pipeline.path("elsewhere/said"))

      """)
    try bench.pipeline.makeDirectory("elsewhere/bin")
    try fakeSystemctl(bench)
    let watch = try bench.watch()
    try bench.pipeline.makeDirectory("outputs/content")
    for i in 0..<4 { try bench.pipeline.write("outputs/content/\(i)") }
    #expect(await eventually { bench.journal("proved").count == 1 })
    #expect(asked(bench).isEmpty)
    // Nobody's job: neither mark nor match reaches whoever writes this.
    try bench.pipeline.write("outputs/content/on")
    let verb = freezes ? "freeze" : "stop"
    let gateway = "openclaw-gateway.service"
    let stopping = ["is-active --quiet -- \(gateway)", "\(verb) -- \(gateway)", "is-active --quiet -- idle.service"]
    #expect(await eventually { asked(bench) == stopping }, "\(asked(bench))")
    #expect(bench.journal("not-held").compactMap { $0["next"] as? String } == [verb])
    #expect(await eventually { bench.journal("proved").count == 2 })
    try bench.pipeline.write("outputs/content/and on")
    #expect(await eventually { (bench.pipeline.read("elsewhere/said") ?? "").contains(#""state":"firing""#) })
    #expect(await eventually { bench.journal("proved").count == 3 })
    try bench.pipeline.write("outputs/content/and on and on")
    #expect(await eventually { bench.journal("not-held").count == 3 })
    // One alert for the halt, and one that it does not hold.
    #expect(bench.firing.count == 2)
    #expect(bench.firing.contains { ($0["summary"] as? String)?.contains("does not hold") == true })
    #expect((bench.journal("proved").last?["extra"] as? Int ?? 0) == 2)
    try bench.pipeline.remove("HALT")
    #expect(await eventually { asked(bench).last == "\(freezes ? "thaw" : "start") -- openclaw-gateway.service" })
    #expect(await eventually { (bench.pipeline.read("elsewhere/said") ?? "").contains(#""state":"over""#) })
    #expect(await eventually { bench.firing.isEmpty })
    #expect(!asked(bench).contains { $0.hasSuffix("start -- idle.service") || $0.hasSuffix("thaw -- idle.service") })
    _ = watch
  }

  /// Until systemd was asked to stop the unit, and has not answered.
  private func haltedWhileItStops(_ unit: String, _ bench: GateBench) async throws -> Holder {
    try bench.configure(
      "[outputs]\nlimit = 3 per 1min\n[halt]\nlevers = halt, gate, stop\nunits = \(unit)\nverify-after = 1s\n")
    try bench.pipeline.makeDirectory("elsewhere/bin")
    try fakeSystemctl(bench)
    let watch = try bench.watch()
    try bench.pipeline.makeDirectory("outputs/content")
    for i in 0..<4 { try bench.pipeline.write("outputs/content/\(i)") }
    #expect(await eventually { bench.journal("proved").count == 1 })
    try bench.pipeline.write("outputs/content/on")
    #expect(await eventually { asked(bench).last == "stop -- \(unit)" }, "\(asked(bench))")
    return watch
  }

  @Test(arguments: [false, true])
  func aUnitThatStillStopsAtTheResumeIsStartedAgain(dies: Bool) async throws {
    let bench = try GateBench()
    var watch = try await haltedWhileItStops("slow.service", bench)
    defer { try? bench.pipeline.write("elsewhere/go") }
    if dies {
      watch.kill()
      try bench.pipeline.remove("HALT")
      watch = try bench.watch()
    } else {
      try bench.pipeline.remove("HALT")
    }
    #expect(await eventually { bench.journal("resumed").count == 1 })
    try bench.pipeline.write("elsewhere/go")
    #expect(await eventually { asked(bench).last == "start -- slow.service" }, "\(asked(bench))")
    #expect(await eventually { !bench.pipeline.exists("elsewhere/state/midwatch/levers") })
    _ = watch
  }

  @Test func aLeverIsNotBlamedBeforeItWasPulled() async throws {
    let bench = try GateBench()
    let watch = try await haltedWhileItStops("slow.service", bench)
    defer { try? bench.pipeline.write("elsewhere/go") }
    var count = 0
    func writesOn() -> Int {
      count += 1
      try? bench.pipeline.write("outputs/content/more-\(count)")
      return bench.journal("not-held").count
    }
    #expect(await !eventually(within: 2.5) { writesOn() > 1 })
    #expect(bench.journal("proved").count == 1)
    try bench.pipeline.write("elsewhere/go")
    #expect(await eventually { writesOn() == 2 })
    #expect(bench.journal("not-held").last?["lever"] as? String == "stop")
    _ = watch
  }

  @Test func aUnitThatSystemdRefusedToStopIsNotStarted() async throws {
    let bench = try GateBench()
    let watch = try await haltedWhileItStops("refused.service", bench)
    #expect(await eventually { bench.journal("lever-failed").count == 1 })
    #expect(!bench.pipeline.exists("elsewhere/state/midwatch/levers"))
    try bench.pipeline.remove("HALT")
    #expect(await eventually { bench.journal("resumed").count == 1 })
    #expect(await !eventually(within: 0.5) { asked(bench).contains { $0.hasPrefix("start") } })
    _ = watch
  }
}
