import Configuration
import Foundation
import Testing

/// config/midwatch.conf, the table of keys and the defaults say the same.
@Suite struct ConfigurationFileTests {
  /// A key line of the file: what stands behind `#` and without a blank after it.
  struct Entry: Hashable {
    var section: String
    var key: String
  }

  static let bytes: [UInt8] = {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let file = tests.appendingPathComponent("../../config/midwatch.conf").standardizedFileURL
    return (try? Data(contentsOf: file)).map(Array.init) ?? []
  }()

  static let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(
    String.init)

  /// The file with every commented key and section taken in.
  static let uncommented = lines.map { line in
    line.hasPrefix("#") && line.count > 1 && !line.hasPrefix("# ") ? String(line.dropFirst()) : line
  }

  /// Every key line with the comment above it.
  static let entries: [(entry: Entry, doc: String)] = {
    var section = ""
    var comment: [String] = []
    var entries: [(Entry, String)] = []
    for line in uncommented {
      if line.hasPrefix("# ") {
        comment.append(String(line.dropFirst(2)))
        continue
      }
      if line.hasPrefix("[") { section = String(line.dropFirst().prefix { $0 != "]" && $0 != " " }) }
      if let equals = line.firstIndex(of: "="), !line.hasPrefix("#") {
        let key = String(line[..<equals]).trimmingCharacters(in: .whitespaces)
        entries.append((Entry(section: section, key: key), comment.joined(separator: " ")))
      }
      comment = []
    }
    return entries
  }()

  @Test func asShippedItSaysNothing() throws {
    #expect(!Self.bytes.isEmpty)
    #expect(
      complaint([String(decoding: Self.bytes, as: UTF8.self)], root: nil)?.hasSuffix(
        "write root = /its/directory below [pipeline], or give --root") == true)
    #expect(try settings(String(decoding: Self.bytes, as: UTF8.self)) == settings())
  }

  @Test func uncommentedItSaysTheDefaults() throws {
    var said = try settings(Self.uncommented.joined(separator: "\n"), root: nil)
    #expect(said.pipeline.root == "/srv/pipeline")
    var plain = AgentSettings(name: Array("NAME".utf8))
    plain.heartbeats = Settings().heartbeats
    #expect(said.agents == [plain])
    said.agents = []
    said.pipeline.root = ""
    said.pipeline.name = ""
    #expect(said == Settings())
  }

  @Test func itHasTheKeysOfTheTableAndTheirWords() {
    let written = Self.entries.map(\.entry)
    let known = Settings.reference.map { Entry(section: $0.section, key: $0.key) }
    #expect(written == known)
    for ((entry, doc), reference) in zip(Self.entries, Settings.reference) {
      #expect(doc == reference.doc, "\(entry)")
    }
  }

  @Test func theDefaultsAreThoseOfTheDesign() {
    let values = Dictionary(uniqueKeysWithValues: Settings.reference.map { ($0.section + "." + $0.key, $0.value) })
    let design = [
      "pipeline.mode": "on", "pipeline.cross-mounts": "no", "locks.watch": "tasks/{task}.lock", "locks.stale-after": "30min",
      "locks.dead-owner-grace": "1min", "heartbeats.watch": "status/{agent}.heartbeat", "heartbeats.every": "5min",
      "heartbeats.stale-after": "15min", "heartbeats.source": "mtime", "outputs.watch": "outputs/{agent}/**",
      "outputs.limit": "10 per 10min", "outputs.pipeline-limit": "off", "outputs.similar": "5 per 30min",
      "outputs.ignore": ".*, *.tmp, *.part, *.swp, *~, node_modules, __pycache__", "outputs.cool-down": "off",
      "outputs.probes": "1",
      "jobs.overlap": "allow", "jobs.failures": "5", "jobs.runs": "off", "jobs.max-duration": "off", "jobs.then": "alert",
      "halt.levers": "halt, gate, pause", "halt.scope": "pipeline", "halt.verify-after": "1min", "halt.keep": "no",
      "memory.warn": "80%", "memory.act": "87%", "leaks.orphan-browsers": "kill", "leaks.orphan-children": "kill",
      "leaks.abandoned": "act", "leaks.abandoned-age": "30min", "leaks.leftovers": "report", "leaks.scan": "5min",
      "leaks.grace": "2min", "leaks.confirm": "30s",
      "locks.mode": "on", "heartbeats.mode": "on", "outputs.mode": "on", "jobs.mode": "on", "memory.mode": "on",
      "leaks.mode": "on", "agent.growth": "off", "agent.transcripts": "logs/{agent}.log, logs/{agent}/**",
      "alert.ping-every": "5min", "alert.retry": "5s", "alert.timeout": "1min",
    ]
    let empty = [
      "pipeline.root", "pipeline.name", "locks.ignore", "heartbeats.also", "heartbeats.expect", "halt.units", "halt.exec",
      "halt.exempt", "leaks.helpers", "leaks.users", "leaks.allow", "leaks.browsers", "alert.exec", "alert.mail",
      "alert.webhook", "alert.ping",
      "agent.needs", "agent.match",
    ]
    #expect(values == design.merging(empty.map { ($0, "") }) { $1 })
  }

  @Test func whatIsRenderedReadsBackAsTheSame() throws {
    let all = try settings(
      Self.uncommented.joined(separator: "\n"),
      """
      [pipeline]
      mode = observe
      [locks]
      watch =
      ignore = a, b/c
      [heartbeats]
      source = json:a.b
      expect = q
      [halt]
      units = x.service
      exec = /bin/x "a # b" ; c
      [alert]
      webhook = json http://a/?x,y
      webhook = slack @/x
      [agent seo]
      growth = 1536K per 90s
      transcripts = a/{agent}-*.jsonl, /var/log/b
      match = *seo*
      heartbeats.watch = status/{agent}.heartbeat
      outputs.mode = off
      ignore =
      limit = off
      """.replacing(" ; c", with: " c"), root: nil)
    var text = ""
    for (section, key, value) in all.render() { text += "[\(section)]\n\(key) = \(value)\n" }
    #expect(try settings(text, root: nil) == all)
  }
}
