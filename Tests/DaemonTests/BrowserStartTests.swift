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
    let driver = try Holder(
      "perl",
      [
        "-e", "$pid = fork; exec @ARGV unless $pid; open F, '>', shift . '.pid'; print F $pid; close F; sleep 600",
        pipeline.path("chromium"),
      ] + Self.browser)
    try #require(await eventually { pipeline.read("chromium.pid")?.isEmpty == false })
    let pid = try #require(pipeline.read("chromium.pid").flatMap { Int32($0) })
    defer { kill(pid, SIGKILL) }
    // It is followed, with its driver: three descriptors more or less do not matter here.
    #expect(await eventually { handles(of: daemon).count >= 2 })
    #expect(suspects(pipeline).isEmpty)
    driver.kill()
    #expect(await eventually { suspects(pipeline) == [Int(pid)] })
    #expect(daemon.stop() == 0)
  }

  /// Its pidfds.
  private func handles(of daemon: RunningDaemon) -> [String] {
    let place = "/proc/\(daemon.pid)/fd"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
    return names.filter { name in
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(place)/\(name)")) == "anon_inode:[pidfd]"
    }
  }
}
