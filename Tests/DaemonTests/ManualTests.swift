import Foundation
import TestSupport
import Testing

/// The man pages are such that every man(1) shows them as they were meant.
@Suite(.enabled(if: Programs.has("mandoc", "man"), "Debian: mandoc man-db")) struct ManualTests {
  static let pages = ["midwatch.1", "midwatch-sh.1", "midwatch.conf.5", "midwatchd.8"]

  private func path(of page: String) -> String {
    UnitTests.units.deletingLastPathComponent().appendingPathComponent("docs/\(page)").path
  }

  @Test(arguments: pages) func mandocHasNothingToSay(page: String) throws {
    let outcome = try Programs.run("mandoc", ["-T", "lint", "-W", "warning", path(of: page)])
    #expect(outcome.status == 0)
    #expect(outcome.output == "")
  }

  @Test(arguments: pages) func groffHasNothingToSay(page: String) throws {
    let outcome = try Programs.run(
      "man", ["--warnings", "-E", "UTF-8", "-l", path(of: page)], environment: ["MANWIDTH": "80", "LC_ALL": "C.UTF-8"])
    #expect(outcome.status == 0)
    #expect(outcome.error == "")
    #expect(outcome.output.contains("NAME"))
  }
}
