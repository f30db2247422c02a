import Foundation
import TestSupport
import Testing

/// `midwatch memory` on real processes.
@Suite struct MemoryTests {
  private func consumers(_ outcome: Programs.Outcome) throws -> [[String: Any]] {
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    return json?["consumers"] as? [[String: Any]] ?? []
  }

  private func size(_ consumer: [String: Any], _ key: String = "real") -> Int { consumer[key] as? Int ?? -1 }

  /// Takes 200 MB, shared with a child that it forks, and says so by making a file.
  private func hog(_ pipeline: Pipeline, mark: String, name: String = "hog") throws -> Holder {
    let script = """
      import os, sys, time
      memory = b"x" * (200 << 20)
      os.fork()
      open("/proc/self/comm", "wb").write(os.fsencode(sys.argv[2]))
      open(sys.argv[1] + str(os.getpid()), "w")
      time.sleep(1000)
      """
    let holder = try Holder(
      "env", ["MIDWATCH_JOB=\(mark)", "python3", "-c", script, pipeline.path("ready-"), name])
    #expect(eventually { (try? pipeline.names(".").filter { $0.hasPrefix("ready-") }.count) == 2 })
    return holder
  }

  @Test func aHogAppearsWithWhatItReallyTakes() throws {
    let pipeline = try Pipeline([])
    let mark = "hog-\(UUID().uuidString.prefix(8))"
    let hog = try hog(pipeline, mark: mark)
    let job = try #require(try consumers(try midwatch(["memory", "--json"])).first { $0["job"] as? String == mark })
    #expect(job["kind"] as? String == "job")
    #expect(job["name"] as? String == mark)
    #expect(job["processes"] as? Int == 2)
    #expect(job["estimated"] as? Bool == false)
    // Once, although two processes have it; ps counts it twice.
    #expect((195 << 20...300 << 20).contains(size(job)), "\(job)")
    #expect((395 << 20...600 << 20).contains(size(job, "rss")), "\(job)")
    let text = try midwatch(["memory"])
    let row = try #require(text.output.split(separator: "\n").first { $0.contains("job \(mark) of ") })
    #expect(row.contains(" MB "))
    #expect(text.output.split(separator: "\n", omittingEmptySubsequences: false).count <= 24)
    hog.kill()
  }

  /// I10: a program names itself as it likes, and nobody's terminal obeys it.
  @Test func aHostileNameStandsEscaped() throws {
    let pipeline = try Pipeline([])
    // The mark of a job would be the row's name.
    let hog = try hog(pipeline, mark: "", name: "ev\u{1b}[31m\nil\\")
    for words in [["memory"], ["memory", "--json"]] {
      let output = try midwatch(words).output
      #expect(output.contains(words.count == 1 ? #"ev\x1b[31m\x0ail\x5c"# : #"ev\\x1b[31m\\x0ail\\x5c"#), "\(output)")
      #expect(!output.contains("\u{1b}[31m"))
    }
    hog.kill()
  }

  @Test func everyRowAddsUp() throws {
    let outcome = try midwatch(["memory", "--json"])
    let json = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let rows = try consumers(outcome)
    #expect(rows.map { size($0) } == rows.map { size($0) }.sorted(by: >))
    #expect(rows.reduce(0) { $0 + size($1) } == json["real"] as? Int)
    #expect(rows.reduce(0) { $0 + size($1, "rss") } == json["rss"] as? Int)
    #expect(rows.reduce(0) { $0 + size($1, "processes") } == json["processes"] as? Int)
    #expect(try #require(json["used"] as? Int) <= (try #require(json["total"] as? Int)))
  }

  @Test(.enabled(if: Programs.isRoot && Programs.has("setpriv"), "needs root, to become an ordinary user"))
  func anOrdinaryUserIsToldWhatItCouldNotSee() throws {
    let pipeline = try Pipeline([])
    let hog = try hog(pipeline, mark: "unseen")
    let tool = pipeline.path("midwatch")
    try FileManager.default.copyItem(atPath: Programs.built.appendingPathComponent("midwatch").path, toPath: tool)
    // Without a home, and so without a configuration of its own.
    let outcome = try Programs.run(
      "setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", tool, "memory"],
      environment: ["HOME": "/nonexistent"])
    #expect((0...2).contains(outcome.status), "\(outcome)")
    #expect(outcome.error == "")
    #expect(outcome.output.contains("could only be estimated; to measure them: sudo midwatch memory"), "\(outcome.output)")
    // Nobody else's environment may be read, so that it goes by its name.
    let row = try #require(outcome.output.split(separator: "\n").first { $0.contains("  hog of ") })
    #expect(row.contains("~"))
    hog.kill()
  }

  private func browser(_ pipeline: Pipeline) throws -> Holder {
    try Holder(
      sh: """
        TMPDIR=$2 exec chromium --headless=new --no-sandbox --disable-breakpad --remote-debugging-port=0 \
          --user-data-dir="$1" data:text/html,one 2>/dev/null
        """, pipeline.path("profile"), pipeline.path)
  }

  private func row(_ browser: Holder, _ pipeline: Pipeline) throws -> [String: Any]? {
    let outcome = try midwatch(["--root", pipeline.path, "memory", "--json"])
    return try consumers(outcome).first { $0["pid"] as? Int == Int(browser.pid) }
  }

  private func renderers(_ row: [String: Any]?) -> [[String: Any]] { row?["renderers"] as? [[String: Any]] ?? [] }

  @Test(.enabled(if: Programs.has("chromium"), "needs Chromium"))
  func aBrowserIsOneRowOfItsRealSize() throws {
    let pipeline = try Pipeline([])
    let browser = try browser(pipeline)
    #expect(
      eventually {
        let row = try? row(browser, pipeline)
        return !renderers(row).isEmpty && size(row ?? [:], "processes") >= 5
      })
    let found = try #require(try row(browser, pipeline))
    #expect(found["kind"] as? String == "browser")
    #expect(found["name"] as? String == "chromium")
    #expect(found["estimated"] as? Bool == false)
    #expect(size(found) > 100 << 20, "\(found)")
    #expect(size(found, "rss") > size(found) * 3 / 2, "\(found)")
    #expect(try midwatch(["memory"]).output.contains(" (pid \(browser.pid)), "))
    browser.kill()
  }

  /// The fields of a process's stat behind its name: the parent is 1, the group 2, utime 11, stime 12, start 19.
  private func stat(_ pid: Int32) -> [Int]? {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
    return text.split(separator: ")").last?.split(separator: " ").map { Int($0) ?? 0 }
  }

  @Test(.enabled(if: Programs.has("chromium"), "needs Chromium"))
  func idleCountsFromWhatTheWatchSawAndOnlyWithoutWorkSince() throws {
    let pipeline = try Pipeline([])
    let browser = try browser(pipeline)
    func pages() -> [Int32] {
      ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }.filter { pid in
        let line = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
        return line.contains("--type=renderer") && !line.contains("--top-chrome-webui") && stat(pid)?[2] == Int(browser.pid)
      }
    }
    #expect(eventually { !renderers(try? row(browser, pipeline)).isEmpty && !pages().isEmpty })
    let page = try #require(pages().first)
    // Stopped, it uses none.
    kill(page, SIGSTOP)
    #expect(eventually { (try? String(contentsOfFile: "/proc/\(page)/stat", encoding: .utf8))?.contains(") T ") == true })
    let fields = try #require(stat(page))
    let cpu = (fields[11] + fields[12]) * 1000 / sysconf(Int32(_SC_CLK_TCK))
    try pipeline.makeDirectory(".midwatch/run")
    let at = Date().ISO8601Format(.init(includingFractionalSeconds: true))
    for (seen, isIdle) in [(cpu, true), (cpu - 1000, false)] {
      try pipeline.write(
        ".midwatch/run/status.json",
        """
        {"v":1,"pid":1,"at":"\(at)","resting":[{"pid":\(page),"start_ticks":\(fields[19]),"cpu_ms":\(seen),"idle_s":90000}]}
        """)
      let idle = renderers(try row(browser, pipeline)).compactMap { $0["idle_s"] as? Int }
      #expect(idle.count == (isIdle ? 1 : 0))
      #expect(idle.allSatisfy { $0 > 24 * 3600 })
      let text = try midwatch(["--root", pipeline.path, "memory"]).output
      #expect(text.contains(", 1 idle > 24 h") == isIdle, "\(text)")
    }
    kill(page, SIGKILL)
    browser.kill()
  }
}
