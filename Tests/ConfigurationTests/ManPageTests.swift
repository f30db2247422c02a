import Configuration
import Foundation
import Testing

/// docs/midwatch.conf.5 has every key of the table, in its order and with its default.
@Suite struct ManPageTests {
  struct Entry: Equatable, CustomStringConvertible {
    var section: String
    var key: String
    var value: String
    var description: String { "[\(section)] \(key) = \(value)" }
  }

  @Test func theManualHasEveryKeyAndItsDefault() throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let page = try String(
      contentsOf: tests.appendingPathComponent("../../docs/midwatch.conf.5").standardizedFileURL, encoding: .utf8)
    var section = ""
    var found: [Entry] = []
    for line in page.split(separator: "\n") {
      if line.hasPrefix(".Ss [") { section = String(line.dropFirst(5).prefix { $0 != "]" && $0 != " " }) }
      guard line.hasPrefix(".It Cm "), let end = line.range(of: " No =") else { continue }
      let key = line[..<end.lowerBound].dropFirst(7)
      let value = line[end.upperBound...].drop { $0 == " " }.dropFirst(3)
      found.append(Entry(section: section, key: plain(key), value: plain(value)))
    }
    #expect(found == Settings.reference.map { Entry(section: $0.section, key: $0.key, value: $0.value) })
  }

  /// Without quotation marks and the escapes of mandoc_char(7).
  private func plain(_ text: Substring) -> String {
    [("\"", ""), ("\\-", "-"), ("\\(ti", "~"), ("\\(aq", "'")].reduce(String(text)) {
      $0.replacing($1.0, with: $1.1)
    }
  }
}
