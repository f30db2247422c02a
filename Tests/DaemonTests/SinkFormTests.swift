import Foundation
import TestSupport
import Testing

/// I10 at every sink, and that secrets stay secret: real breaker trips by agents with hostile names.
///
/// The mailer is a script in PATH: a real one would need a mail system that CI does not have.
@Suite(.enabled(if: Programs.has("curl", "python3"), "Debian: curl python3")) struct SinkFormTests {
  struct Name: CustomTestStringConvertible, Sendable {
    let bytes: [UInt8]
    /// As it stands in every message.
    let shown: String
    var testDescription: String { String(shown.prefix(30)) }
    init(_ text: String, _ shown: String) {
      bytes = Array(text.utf8)
      self.shown = shown
    }
    init(_ bytes: [UInt8], _ shown: String) {
      self.bytes = bytes
      self.shown = shown
    }
  }

  static let hostile = [
    Name("ev\r\n.\nBcc: all@x.org\u{1b}[31m", #"ev\x0d\x0a.\x0aBcc: all@x.org\x1b[31m"#),
    Name("@everyone <!channel> <@U1> [x](http:) ```'\"$(id)&", "@everyone <!channel> <@U1> [x](http:) ```'\"$(id)&"),
    Name([UInt8](repeating: 0xff, count: 255), String(repeating: #"\xff"#, count: 255)),
    Name("\u{202e}é\u{2028}", #"\xe2\x80\xaeé\xe2\x80\xa8"#),
  ]

  /// A script that keeps what it is given, one file a mail.
  private func mailer(_ pipeline: Pipeline) throws -> [String: String] {
    try pipeline.makeDirectory("bin")
    try pipeline.makeDirectory("outbox")
    let outbox = pipeline.path("outbox")
    try pipeline.write(
      "bin/sendmail",
      "#!/bin/sh\necho \"$@\" > '\(outbox)/arguments'\ncat > '\(outbox)/.'$$ && mv '\(outbox)/.'$$ '\(outbox)/'$$.mail\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: pipeline.path("bin/sendmail"))
    return ["PATH": "\(pipeline.path("bin")):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"]
  }

  private func mails(_ pipeline: Pipeline) -> [String] {
    ((try? pipeline.names("outbox")) ?? []).filter { $0.hasSuffix(".mail") }.compactMap { pipeline.read("outbox/\($0)") }
  }

  private func runAway(_ name: [UInt8], in pipeline: Pipeline) throws {
    let directory = Array(pipeline.path("outputs/").utf8) + name
    func path(_ bytes: [UInt8]) -> [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
    #expect(mkdir(path(directory), 0o755) == 0)
    for number in ["/1", "/2"] {
      let descriptor = creat(path(directory + Array(number.utf8)), 0o644)
      #expect(descriptor >= 0)
      close(descriptor)
    }
  }

  @Test(arguments: hostile) func aNameArrivesEscapedInEverySink(name: Name) async throws {
    let server = try SinkServer()
    let pipeline = try Pipeline()
    let kinds = ["ntfy", "discord", "slack", "telegram", "json"]
    let daemon = try RunningDaemon(
      pipeline,
      arguments: [
        "outputs.limit=1 per 1h", "outputs.ignore=", "alert.exec=/usr/bin/tee -a \(pipeline.path("told"))",
        "alert.mail=root, me@example.org",
      ].flatMap { ["--set", $0] }
        + kinds.flatMap { ["--set", "alert.webhook=\($0) \(server.url($0))?chat_id=-1"] },
      environment: try mailer(pipeline))
    try runAway(name.bytes, in: pipeline)
    #expect(await eventually { pipeline.journal("delivered").count == 7 })
    #expect(daemon.stop() == 0)
    let requests = Dictionary(server.taken.map { (String($0.path.dropFirst().prefix { $0 != "?" }), $0) }) { $1 }
    #expect(requests.keys.sorted() == kinds.sorted())
    #expect(requests.values.allSatisfy { $0.controls == 0 && $0.path.hasSuffix("?chat_id=-1") && $0.method == "POST" })
    // Where it is shortened its beginning and end stand.
    let part = String(name.shown.prefix(60))

    let ntfy = try #require(requests["ntfy"])
    #expect(ntfy.body.contains(part) && ntfy.body.utf8.count <= 4096)
    #expect(ntfy.headers["priority"] == "5" && ntfy.headers["tags"] == "rotating_light")
    let title = try #require(ntfy.headers["title"])
    #expect(
      title.hasPrefix("HALT \(pipeline.root.lastPathComponent): ") && title.utf8.allSatisfy { (0x20...0x7e).contains($0) })
    #expect(title.hasSuffix("made 2 outputs within 1h (limit 1); the pipeline is halted"))

    let discord = try #require(requests["discord"]?.json)
    let content = try #require(discord["content"] as? String)
    #expect(content.contains(part.replacing("`", with: #"\x60"#)) && content.unicodeScalars.count <= 2000)
    #expect(content.hasPrefix("```\nHALT ") && content.hasSuffix("\n```"))
    #expect(content.components(separatedBy: "```").count == 3)
    #expect((discord["allowed_mentions"] as? [String: [String]]) == ["parse": []])

    let slack = try #require(requests["slack"]?.json)
    let text = try #require(slack["text"] as? String)
    let slackPart = part.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    #expect(text.contains(slackPart) && !text.contains("<") && !text.contains(">"))
    #expect(slack["mrkdwn"] as? Bool == false)

    let telegram = try #require(requests["telegram"]?.json)
    let message = try #require(telegram["text"] as? String)
    #expect(message.contains(part) && message.utf16.count <= 4096)
    #expect(telegram["parse_mode"] == nil)
    let entity = try #require((telegram["entities"] as? [[String: Any]])?.first)
    #expect(entity["type"] as? String == "pre" && entity["length"] as? Int == message.utf16.count)

    let lines = [try #require(requests["json"]?.body), try #require(pipeline.read("told")?.dropLast()).description]
    for line in lines {
      #expect(!line.contains("\n"))
      let json = try #require((try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any])
      #expect(json["agent"] as? String == name.shown)
    }

    let mail = try #require(mails(pipeline).first)
    #expect(pipeline.read("outbox/arguments") == "-i -t\n")
    let halves = mail.components(separatedBy: "\n\n")
    #expect(
      halves[0].split(separator: "\n").map { String($0.prefix { $0 != ":" }) } == [
        "To", " me@example.org", "Subject", "References", "Auto-Submitted", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding",
      ])
    #expect(halves[0].hasPrefix("To: root,\n me@example.org\nSubject: HALT "))
    #expect(halves[0].utf8.allSatisfy { $0 == 0x0a || (0x20...0x7e).contains($0) })
    #expect(mail.contains(part) && mail.contains("\nWhat to type:\n  midwatch --root \(pipeline.path) resume\n"))
    #expect(mail.split(separator: "\n").allSatisfy { $0.utf8.count <= 998 && $0 != "." })
  }

  /// An address in a file, read when it is needed; a credential of systemd's.
  @Test func aSecretIsShownNowhere() async throws {
    let server = try SinkServer("hang")
    let pipeline = try Pipeline()
    let secret = "s3cr3t-t0k3n"
    func keep(_ file: String, _ path: String) throws {
      try pipeline.write(file, server.url(path) + "\n")
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: pipeline.path(file))
    }
    try keep("slack.url", "slack/\(secret)")
    try keep("ping.url", "ping/\(secret)")
    let daemon = try RunningDaemon(
      pipeline, "outputs.limit=1 per 1h", "alert.webhook=slack @\(pipeline.path("slack.url"))",
      "alert.webhook=telegram @token", "alert.ping=@\(pipeline.path("ping.url"))", "alert.retry=10ms", "alert.timeout=2s",
      environment: ["CREDENTIALS_DIRECTORY": pipeline.path("credentials")])
    try runAway(Array("a".utf8), in: pipeline)
    #expect(await eventually { server.requests.contains { $0.path == "/slack/\(secret)" } })
    #expect(await eventually { server.requests.contains { $0.path == "/ping/\(secret)" } })
    // While curl has it, ps does not.
    var ps = ""
    #expect(
      await eventually {
        ps = (try? Programs.run("sh", ["-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"]).output) ?? ""
        return ps.contains("curl --disable --config -")
      })
    #expect(!ps.contains(secret))
    #expect(await eventually { pipeline.journal("failed").contains { ($0["sink"] as? String)?.hasPrefix("telegram") == true } })
    // It is there now, and never was when the daemon began.
    try pipeline.makeDirectory("credentials")
    try keep("credentials/token", "telegram/\(secret)")
    try server.turn("403")
    #expect(await eventually { server.requests.contains { $0.path == "/telegram/\(secret)" } })
    #expect(await eventually { pipeline.journal("failed").contains { ($0["why"] as? String)?.hasPrefix("HTTP 403") == true } })
    // What it cannot use it does not quote.
    try pipeline.write("slack.url", "\(secret) is no address\n")
    #expect(
      await eventually { pipeline.journal("failed").contains { ($0["why"] as? String)?.contains("holds no address") == true } })
    #expect(try Programs.midwatch(pipeline, "log").status == 0)
    #expect(daemon.stop() == 0)
    let shown = [
      daemon.output, pipeline.read(".midwatch/state/journal.jsonl") ?? "", pipeline.read(".midwatch/run/status.json") ?? "",
      try pipeline.names(".midwatch/state/alerts/new").joined(separator: " "),
    ]
    #expect(shown.allSatisfy { !$0.isEmpty && !$0.contains(secret) })
  }

  @Test func anAddressThatOthersMayWriteIsRefused() throws {
    let pipeline = try Pipeline()
    try pipeline.write("url", "https://example.org/\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: pipeline.path("url"))
    let daemon = try RunningDaemon(pipeline, "alert.webhook=ntfy @\(pipeline.path("url"))")
    #expect(daemon.wait() == 78)
    #expect(daemon.output.contains("url may be written by others (mode 666); chmod go-w "))
  }

  @Test func thePingComesWhileItLivesAndItsFailureIsSaidOnce() async throws {
    let server = try SinkServer("500")
    let pipeline = try Pipeline()
    let daemon = try await RunningDaemon.start(pipeline, "alert.ping=\(server.url("p?q=1"))", "alert.ping-every=20ms")
    #expect(await eventually { server.requests.count >= 3 })
    try server.turn("ok")
    #expect(await eventually { pipeline.journal("ping").count == 1 })
    try server.turn("500")
    #expect(await eventually { pipeline.journal("ping-failed").count == 2 })
    #expect(daemon.stop() == 0)
    #expect(server.requests.allSatisfy { $0.method == "GET" && $0.path == "/p?q=1" && $0.body == "" })
    #expect(daemon.output.components(separatedBy: "the ping does not reach 127.0.0.1:\(server.port) (HTTP 500)").count == 3)
  }
}
