import Foundation
import TestSupport
import Testing

/// `midwatch why PID`. The browser is Perl under a browser's name, with an automaton's arguments.
@Suite(.enabled(if: Programs.has("perl"), "Debian: perl-base"))
struct WhyProcessTests {
  private struct Answer {
    let status: Int32
    let text: String
    let json: [String: Any]

    init(_ pipeline: Pipeline, _ pid: Int32) throws {
      let browsers = pipeline.path("midwatch.conf")
      let words = ["--config", browsers, "why", "\(pid)"]
      let midwatch = Programs.built.appendingPathComponent("midwatch").path
      let outcome = try Programs.run(midwatch, words)
      status = outcome.status
      text = outcome.output
      let object = try JSONSerialization.jsonObject(with: Data(Programs.run(midwatch, words + ["--json"]).output.utf8))
      json = object as? [String: Any] ?? [:]
    }
  }

  /// A driver, and the browser that it started; both in a pipeline whose configuration knows the program.
  private func browser(in pipeline: Pipeline) throws -> (driver: Holder, pid: Int32) {
    let perl = try #require(Programs.find("perl"))
    try FileManager.default.copyItem(atPath: perl, toPath: pipeline.path("chromium"))
    try pipeline.write(
      "midwatch.conf", "[pipeline]\nroot = \(pipeline.path)\n[leaks]\nbrowsers = \(pipeline.path("chromium"))\n")
    let drive = "$pid = fork; exec @ARGV unless $pid; open F, '>', shift . '.pid'; print F $pid; close F; sleep 600"
    let driver = try Holder(
      "sh",
      [
        "-c", #"exec perl -e "$@" 2>/dev/null"#, "sh", drive, pipeline.path("chromium"), "-e", "sleep 600", "page",
        "--headless",
      ])
    try #require(eventually { pipeline.read("chromium.pid")?.isEmpty == false })
    return (driver, try #require(pipeline.read("chromium.pid").flatMap { Int32($0) }))
  }

  @Test func aBrowserIsKeptForItsDriverAndCalledLeakedWithoutIt() throws {
    let pipeline = try Pipeline()
    let (driver, pid) = try browser(in: pipeline)
    defer { kill(pid, SIGKILL) }
    // Until it has become the browser it is its driver's other half.
    try #require(eventually { (try? Answer(pipeline, pid).json["rule"] as? String) == "leaks" })
    let driven = try Answer(pipeline, pid)
    #expect(driven.status == 0)
    #expect(driven.json["verdict"] as? String == "kept")
    #expect(driven.text.contains("kept: perl (\(driver.pid)), which started it, lives"))
    #expect(driven.text.contains("the browser chromium"))
    driver.kill()
    let left = try Answer(pipeline, pid)
    #expect(left.json["rule"] as? String == "orphan-browser")
    #expect(left.json["verdict"] as? String == "leaked")
    #expect(left.text.contains("whoever started it is dead"))
    #expect(left.text.contains("no midwatchd runs here"))
  }

  @Test func whatIsNoBrowserIsOfNoConcern() throws {
    let pipeline = try Pipeline()
    try pipeline.write("midwatch.conf", "[pipeline]\nroot = \(pipeline.path)\n")
    let sleeper = try Holder("sleep", ["600"])
    let answer = try Answer(pipeline, sleeper.pid)
    #expect(answer.status == 1)
    #expect(answer.json["of_concern"] as? Bool == false)
    #expect(answer.text.contains("none: midwatch never signals it, whatever it does"))
    #expect(answer.text.contains("sleep"))
  }
}
