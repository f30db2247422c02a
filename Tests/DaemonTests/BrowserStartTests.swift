import Foundation
import TestSupport
import Testing

/// That a browser begins, or loses its driver, is noticed at once and not by the next pass over /proc, which
/// in these stories would come in an hour.
///
/// The browser is Perl under a browser's name: what is tried is how the kernel tells of it, not what it does.
@Suite(.enabled(if: Programs.has("perl"), "Debian: perl-base"))
struct BrowserStartTests {
  private static let browser = ["-e", "sleep 600", "page", "--headless"]

  private func daemon(_ pipeline: Pipeline, confirm: String) async throws -> RunningDaemon {
    let perl = try #require(Programs.find("perl"))
    try FileManager.default.copyItem(atPath: perl, toPath: pipeline.path("chromium"))
    return try await RunningDaemon.start(
      pipeline, "leaks.scan=1h", "leaks.confirm=\(confirm)", "leaks.grace=1s",
      "leaks.browsers=\(pipeline.path("chromium"))")
  }

  private func suspects(_ pipeline: Pipeline) -> [Int] {
    (pipeline.status()["leaks"] as? [[String: Any]] ?? []).compactMap { $0["pid"] as? Int }
  }

  @Test func aBrowserThatBeginsIsSeenByItsProgramBeingOpened() async throws {
    let pipeline = try Pipeline()
    let daemon = try await daemon(pipeline, confirm: "1s")
    // Nobody's from the start: its parent ends before it has begun.
    let script = #"(exec setsid "$@" </dev/null >/dev/null 2>&1) & echo $! >"$1.pid""#
    let orphan = try Holder("sh", ["-c", script, "sh", pipeline.path("chromium")] + Self.browser)
    try #require(await eventually { pipeline.exists("chromium.pid") && orphan.hasEnded })
    let pid = try #require(pipeline.read("chromium.pid").flatMap { Int32($0.trimmingCharacters(in: .newlines)) })
    defer { kill(pid, SIGKILL) }
    #expect(await eventually { pipeline.journal("reported").contains { $0["pid"] as? Int == Int(pid) } })
    #expect(daemon.stop() == 0)
  }

  @Test func aDriverThatEndsIsHeardAtOnce() async throws {
    let pipeline = try Pipeline()
    let daemon = try await daemon(pipeline, confirm: "1h")
    // Perl under its own name is no wrapper: it drives.
    // Whoever reads what the tests print would be connected to its browser.
    let script = #"exec perl -e "$@" 2>/dev/null"#
    let drive = "$pid = fork; exec @ARGV unless $pid; open F, '>', shift . '.pid'; print F $pid; close F; sleep 600"
    let driver = try Holder("sh", ["-c", script, "sh", drive, pipeline.path("chromium")] + Self.browser)
    try #require(await eventually { pipeline.read("chromium.pid")?.isEmpty == false })
    let pid = try #require(pipeline.read("chromium.pid").flatMap { Int32($0) })
    defer { kill(pid, SIGKILL) }
    #expect(await eventually { followed(by: daemon).isSuperset(of: [pid, driver.pid]) })
    #expect(!suspects(pipeline).contains(Int(pid)))
    driver.kill()
    #expect(await eventually { suspects(pipeline).contains(Int(pid)) })
    #expect(daemon.stop() == 0)
  }

  /// Whom it holds a pidfd of. - SeeAlso: pidfd_open(2), proc_pid_fdinfo(5)
  private func followed(by daemon: RunningDaemon) -> Set<Int32> {
    let place = "/proc/\(daemon.pid)/fdinfo"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
    let pids = names.compactMap { name -> Int32? in
      let text = try? String(contentsOfFile: "\(place)/\(name)", encoding: .utf8)
      let line = text?.split(separator: "\n").first { $0.hasPrefix("Pid:") }
      return line.flatMap { Int32($0.dropFirst(4).trimmingCharacters(in: .whitespaces)) }
    }
    return Set(pids)
  }
}
