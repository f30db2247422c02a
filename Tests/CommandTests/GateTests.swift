import Foundation
import TestSupport
import Testing

/// `midwatch gate`, for systemd's ExecCondition= and for a command of one's own.
@Suite struct GateTests {
  @Test func itTellsByItsExitCodeWhetherAJobMayRun() throws {
    let pipeline = try Pipeline()
    let free = try Programs.midwatch(pipeline, "gate")
    #expect(free.status == 0 && free.output == "" && free.error == "")
    try pipeline.write("HALT")
    let halted = try Programs.midwatch(pipeline, "gate")
    #expect(halted.status == 75)
    #expect(halted.output == "skip: halted by \(pipeline.path)/HALT\n")
    #expect(try Programs.midwatch(pipeline, "gate", "--json").output.contains(#""verdict":"skip""#))
  }

  @Test func itRunsACommandAsItIsAndSkipsItWhileHalted() throws {
    let pipeline = try Pipeline()
    let words = ["gate", "--", "sh", "-c", #"printf '%s|' "$@"; exit 7"#, "name", "a  b", "$HOME", "\u{fc}"]
    let ran = try midwatch(["--root", pipeline.path] + words)
    #expect(ran.output == "a  b|$HOME|\u{fc}|")
    #expect(ran.status == 7)
    #expect(try midwatch(["--root", pipeline.path, "gate", "--", "no-such-program"]).status == 127)
    try pipeline.write("HALT")
    let skipped = try midwatch(["--root", pipeline.path] + words)
    #expect(skipped.status == 75 && skipped.output == "" && skipped.error == "")
  }

  @Test func inDoubtItMayRun() throws {
    let pipeline = try Pipeline()
    try pipeline.write("midwatch.conf", "garbage\n")
    let outcome = try midwatch(["--config", pipeline.path("midwatch.conf"), "gate"])
    #expect(outcome.status == 0)
    #expect(outcome.output.hasPrefix("run: in doubt: \(pipeline.path("midwatch.conf")):1:1: "))
    #expect(try midwatch(["--config", pipeline.path("midwatch.conf"), "gate", "--", "echo", "ran"]).output == "ran\n")
  }
}
