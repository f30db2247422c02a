import Foundation
import TestSupport
import Testing

/// I9: the gate never prevents a job from running unless a HALT says so; and then it does, without a word.
@Suite struct GateTests {
  private let ran = "ran\n"

  // MARK: a halt

  @Test(arguments: ["empty", "a person's", "midwatch's", "a dangling symlink", "a directory"])
  func aHaltSkipsWhetherOrNotMidwatchdRuns(kind: String) throws {
    let bench = try GateBench()
    switch kind {
    case "a person's": try bench.pipeline.write("HALT", "deploying, ask Anna\n")
    case "midwatch's": try bench.pipeline.write("HALT", #"{"v":1,"by":"midwatch"}"#)
    case "a dangling symlink": try bench.pipeline.link("HALT", to: "nowhere")
    case "a directory": try bench.pipeline.makeDirectory("HALT")
    default: try bench.pipeline.write("HALT")
    }
    let outcome = try bench.job("echo ran")
    #expect(outcome.status == 75)
    #expect(outcome.output == "" && outcome.error == "")
    #expect(bench.notes("").isEmpty)
    try bench.pipeline.remove("HALT")
    #expect(try bench.job("echo ran").output == ran)
  }

  @Test(
    .enabled(if: Programs.isRoot && Programs.has("setpriv"), "to become another user takes root and util-linux"),
    arguments: [true, false])
  func whoMayNotLookIntoTheRootIsToldByTheCopy(isHalted: Bool) throws {
    let bench = try GateBench()
    try bench.pipeline.makeDirectory("closed")
    try bench.pipeline.write("closed/HALT")
    chmod(bench.pipeline.path("closed"), 0o700)
    try bench.pipeline.write("elsewhere/midwatch.conf", "[pipeline]\nroot = \(bench.pipeline.path("closed"))\n")
    if isHalted { try bench.pipeline.write("elsewhere/run/midwatch/halted") }
    let outcome = try bench.job("echo ran", through: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    #expect(outcome.output == (isHalted ? "" : ran))
    #expect(outcome.status == (isHalted ? 75 : 0))
  }

  /// The disk was too full for a HALT, and only the run directory could take one.
  @Test(arguments: [true, false])
  func aHaltThatStandsAloneSkips(isAlone: Bool) throws {
    let bench = try GateBench()
    let alone = isAlone ? #","alone":true"# : ""
    try bench.pipeline.write("elsewhere/run/midwatch/halted", #"{"v":1,"by":"midwatch"\#(alone)}"#)
    // A copy without its HALT is of one that was deleted while nobody watched.
    #expect(try bench.job("echo ran").output == (isAlone ? "" : ran))
  }

  @Test func anExemptJobRunsWhileHalted() throws {
    let bench = try GateBench("[halt]\nexempt = */backup *, certbot*\n")
    try bench.pipeline.write("HALT")
    #expect(try bench.job("echo ran; : /usr/bin/backup --all").output == ran)
    #expect(try bench.job("echo ran; : /usr/bin/backups").output == "")
    let marks = bench.notes(".start").compactMap { $0["mark"] as? String }
    #expect(marks.count == 1 && marks.allSatisfy { $0.hasSuffix("@") })
  }

  @Test func withoutTheLeverNothingIsSkipped() throws {
    let bench = try GateBench("[halt]\nlevers = halt, pause\n")
    try bench.pipeline.write("HALT")
    #expect(try bench.job("echo ran").output == ran)
  }

  // MARK: doubt

  @Test(arguments: [
    "no configuration", "a garbled one", "a binary one", "one without a root", "one that others may write", "a directory",
    "a FIFO", "an endless one", "no root", "a root that is a file", "no run directory", "a run directory that is a file",
  ])
  func doubtMeansRun(about what: String) throws {
    let bench = try GateBench(notes: what != "no run directory")
    try bench.pipeline.write("HALT")
    let file = "elsewhere/midwatch.conf"
    switch what {
    case "no configuration": try bench.pipeline.remove(file)
    case "a garbled one": try bench.pipeline.write(file, "[pipeline\nroot root root\n")
    case "a binary one":
      try Data((0..<4096).map { _ in UInt8.random(in: 0...255) }).write(to: URL(fileURLWithPath: bench.configuration))
    case "one without a root": try bench.pipeline.write(file, "[locks]\nstale-after = 1h\n")
    case "one that others may write": chmod(bench.configuration, 0o666)
    case "a directory":
      try bench.pipeline.remove(file)
      try bench.pipeline.makeDirectory(file)
    case "a FIFO":
      try bench.pipeline.remove(file)
      #expect(mkfifo(bench.configuration, 0o644) == 0)
    case "an endless one":
      try bench.pipeline.remove(file)
      try bench.pipeline.link(file, to: "/dev/zero")
    case "no root": try bench.pipeline.write(file, "[pipeline]\nroot = \(bench.pipeline.path("nowhere"))\n")
    case "a root that is a file":
      try bench.pipeline.write(file, "[pipeline]\nroot = \(bench.configuration)\n")
    case "a run directory that is a file":
      try bench.pipeline.remove("HALT")
      try bench.pipeline.remove("elsewhere/run/midwatch")
      try bench.pipeline.write("elsewhere/run/midwatch")
    default: try bench.pipeline.remove("HALT")
    }
    let outcome = try bench.job("echo ran; exit 3")
    #expect(outcome.output == ran)
    #expect(outcome.error == "")
    #expect(outcome.status == 3)
  }

  @Test(.enabled(if: Programs.isRoot && Programs.has("setpriv"), "to become another user takes root and util-linux"))
  func anUnreadableConfigurationMeansRun() throws {
    let bench = try GateBench()
    try bench.pipeline.write("HALT")
    chmod(bench.configuration, 0o600)
    let outcome = try bench.job("echo ran", through: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    #expect(outcome.output == ran && outcome.error == "" && outcome.status == 0)
  }

  /// What the verdict would say is never heard.
  @Test(
    .enabled(if: Programs.has("strace"), "Debian: strace"),
    arguments: ["signal=SIGKILL", "delay_enter=5000000", "error=EIO"])
  func aVerdictThatDoesNotComeMeansRun(fault: String) throws {
    let bench = try GateBench()
    try bench.pipeline.write("HALT")
    // The configuration is opened by the verdict's process alone.
    let outcome = try bench.job(
      "echo ran; exit 3",
      through: [
        "strace", "-f", "-o", bench.pipeline.path("elsewhere/trace"), "-P", bench.configuration, "-e",
        "inject=open,openat:\(fault)",
      ])
    #expect(outcome.output == ran)
    #expect(outcome.status == 3)
    let trace = bench.pipeline.read("elsewhere/trace") ?? ""
    #expect(trace.contains("midwatch.conf"), "the fault did not come to pass: \(trace)")
  }

  @Test(.enabled(if: Programs.isRoot && Programs.has("unshare", "mount"), "to mount takes root and util-linux"))
  func aFullDiskMeansRun() throws {
    let bench = try GateBench()
    let full = """
      mount -t tmpfs -o size=4k none "$1" && mkdir -m 1733 -p "$1/midwatch/jobs"
      head -c 100000 /dev/zero > "$1/midwatch/fill" 2>/dev/null
      "$2" -c 'echo ran; exit 3'; echo $?; ls "$1/midwatch/jobs"
      """
    let outcome = try Programs.run(
      "unshare", ["-m", "sh", "-c", full, "sh", bench.pipeline.path("elsewhere/run"), bench.gate],
      environment: bench.environment)
    #expect(outcome.output.hasPrefix("ran\n3\n"))
    #expect(outcome.error == "")
  }

  @Test(.enabled(if: Programs.isRoot && Programs.has("setpriv", "prlimit"), "to become another user takes root and util-linux"))
  func noProcessLeftMeansRun() throws {
    let bench = try GateBench()
    try bench.pipeline.write("HALT")
    let outcome = try bench.job(
      "echo ran; exit 3",
      through: ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "prlimit", "--nproc=0"])
    #expect(outcome.output == ran)
    #expect(outcome.status == 3)
  }

  // MARK: notes

  @Test func aJobLeavesNotes() throws {
    let bench = try GateBench()
    #expect(try bench.job("echo $MIDWATCH_JOB; : '\u{1b}[31m\\'; exit 9").status == 9)
    let start = try #require(bench.notes(".start").first)
    let end = try #require(bench.notes(".end").first)
    #expect(start["command"] as? String == #"echo $MIDWATCH_JOB; : '\x1b[31m\x5c'; exit 9"#)
    let pid = try #require(start["pid"] as? Int)
    let ticks = try #require(start["start_ticks"] as? Int)
    #expect(start["mark"] as? String == "\(pid)-\(ticks)@\(bench.pipeline.path)")
    #expect(end["pid"] as? Int == pid && end["start_ticks"] as? Int == ticks)
    #expect(end["exit"] as? Int == 9)
    #expect((end["peak_bytes"] as? Int ?? 0) > 100_000)
    #expect(try bench.job("kill -9 $$").status == 9)
    #expect(bench.notes(".end").contains { $0["signal"] as? Int == 9 })
  }

  @Test func aJobIsToldItsShellAndItsMark() throws {
    let bench = try GateBench()
    let outcome = try bench.job(#"echo "$SHELL $0"; echo "$MIDWATCH_JOB""#, environment: ["SHELL": bench.gate])
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.first == "/bin/sh /bin/sh")
    #expect(lines.last?.hasSuffix("@\(bench.pipeline.path)") == true)
    // A job that a job starts is a part of it.
    #expect(try bench.job("echo $MIDWATCH_JOB", environment: ["MIDWATCH_JOB": "1-2@/x"]).output == "1-2@/x\n")
  }

  @Test func aJobThatLeavesAChildReturnsAtOnce() throws {
    let bench = try GateBench()
    // Not Foundation's Process, which itself waits for whoever inherits its descriptors.
    let job = try bench.start("sleep 600 & echo $! > '\(bench.pipeline.path("pid"))'")
    #expect(eventually { job.hasEnded })
    let pid = try #require(bench.pid)
    defer { kill(pid, SIGKILL) }
    #expect(kill(pid, 0) == 0, "it waited for the child")
    let left = try #require(bench.notes(".end").first?["left"] as? [[String: Any]])
    #expect(left.compactMap { $0["pid"] as? Int } == [Int(pid)])
  }

  // MARK: overlap

  @Test func anOverlapIsSkippedWhereItIsNotWanted() throws {
    let bench = try GateBench("[jobs]\noverlap = skip\n")
    let command = "echo $$ > '\(bench.pipeline.path("pid"))'; exec sleep 600"
    let first = try bench.start(command)
    let shell = try #require(bench.pid)
    let second = try bench.job(command)
    #expect(second.status == 75 && second.output == "" && second.error == "")
    // Another command is another job.
    #expect(try bench.job("echo ran").output == ran)
    kill(shell, SIGTERM)
    #expect(eventually { first.hasEnded })
    // Its record names a process that is gone.
    #expect(try bench.job("echo ran").output == ran)
    try bench.pipeline.remove("pid")
    let third = try bench.start(command)
    kill(try #require(bench.pid), SIGTERM)
    #expect(eventually { third.hasEnded })
  }

  @Test func anOverlapIsAllowedOtherwise() throws {
    let bench = try GateBench()
    let command = "echo $$ >> '\(bench.pipeline.path("pids"))'; exec sleep 600"
    let both = try (0..<2).map { _ in try bench.start(command) }
    func pids() -> [Int32] { (bench.pipeline.read("pids") ?? "").split(separator: "\n").compactMap { Int32($0) } }
    #expect(eventually { pids().count == 2 })
    for pid in pids() { kill(pid, SIGTERM) }
    #expect(eventually { both.allSatisfy(\.hasEnded) })
  }
}
