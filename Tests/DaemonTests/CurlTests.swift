import Configuration
import Kernel
import Rules
import TestSupport
import Testing

@testable import Daemon

/// What curl is told, and what is made of a server's answer.
@Suite struct CurlTests {
  private func answer(_ text: String) -> Outcome? { HTTPAnswer(Array(text.utf8))?.outcome }

  @Test func aStatusDecidesWhetherAndWhenItIsTriedAgain() {
    #expect(answer("HTTP/1.1 204 No Content\r\n\r\n\n204\n") == .delivered)
    #expect(
      answer("HTTP/1.1 100 Continue\r\nRetry-After: 9\r\n\r\nHTTP/1.1 503 x\r\n\r\n\n503\n") == .failed("HTTP 503", .soon))
    #expect(answer("HTTP/2 429\r\nretry-after:  7\r\n\r\n\n429\n") == .failed("HTTP 429", .after(.seconds(7))))
    #expect(answer("HTTP/2 503\r\nRETRY-AFTER: 99999999999\r\n\r\n\n503\n") == .failed("HTTP 503", .after(.seconds(3600))))
    #expect(answer("HTTP/2 429\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n\r\n\n429\n") == .failed("HTTP 429", .soon))
    #expect(answer("HTTP/2 429\r\nRetry-After: 99999999999999999999999\r\n\r\n\n429\n") == .failed("HTTP 429", .soon))
    for status in [301, 400, 401, 404, 410] {
      guard case .failed(let why, .slowly)? = answer("x\n\(status)\n") else {
        Issue.record("\(status)")
        continue
      }
      #expect(why.hasPrefix("HTTP \(status): "))
    }
    for status in [408, 429, 500, 502] { #expect(answer("\(status)\n") == .failed("HTTP \(status)", .soon)) }
    for nothing in ["", "000\n", "HTTP/1.1 200 OK\r\n\r\nbody\n", "200 x\n"] { #expect(answer(nothing) == nil) }
  }

  /// Whatever a server writes: it never traps, and nobody is waited for longer than an hour.
  @Test func aDamagedAnswerIsReadWithoutHarm() {
    var random = Seeded(7)
    let whole = Array("HTTP/1.1 429 x\r\nRetry-After: 12.5\r\nretry-after:\r\n: \r\nX\r\n\r\n\n429\n".utf8)
    for _ in 0..<20_000 {
      guard case .failed(_, .after(let wait))? = HTTPAnswer(mutated(whole, with: &random))?.outcome else { continue }
      #expect(wait >= .zero && wait <= HTTPAnswer.longestWait)
    }
  }

  @Test func nothingBreaksOutOfAQuotation() {
    let text = Curl.quoted("a\"b\\c\nd\r\te")
    #expect(text == #""a\"b\\c\nd\r\te""#)
    let configuration = Curl.configuration(
      "http://h/x", Payload(headers: ["A: \"b\"\nurl = \"file:///etc/shadow\""], body: "@/etc/shadow\n-o x"),
      limit: .seconds(60))
    #expect(configuration.split(separator: "\n").filter { $0.hasPrefix("url") } == ["url = \"http://h/x\""])
    #expect(configuration.contains("\ndata-raw = \"@/etc/shadow\\n-o x\"\n"))
    #expect(configuration.contains("\nmax-time = 57.000\n"))
  }

  @Test func aSinksNameStaysWhenOthersComeAndGoAndHoldsNoSecret() throws {
    var alert = AlertSettings()
    alert.webhook = try ["slack https://a/secret", "slack https://b/secret", "slack https://a/secret", "ntfy https://n/"]
      .map { try Webhook(Array($0.utf8)) }
    let names = Sink.all(of: alert).map(\.name)
    #expect(names.count == 3 && Set(names).count == 3)
    alert.webhook.removeFirst()
    #expect(Sink.all(of: alert).map(\.name) == [names[1], names[0], names[2]])
    #expect(Sink.all(of: alert).map(\.label) == ["slack b", "slack a", "ntfy n"])
    #expect(try Endpoint(Array("https://me:pw@host:8443/x?y#z".utf8)).label == "host:8443")
    #expect(try Endpoint(Array("https://host?token=x/y".utf8)).label == "host")
  }

  /// The sentence, the chain and the command survive a name of any length.
  @Test func aLongNameHidesNeitherWhatItDidNorWhatToType() {
    let name = String(repeating: #"\xff"#, count: 255)
    let incident = Incident(
      id: "1", kind: .heartbeat, severity: .warning, pipeline: "p", agent: name, since: WallTime(nanoseconds: 0),
      summary: "\(name) is silent; content runs standalone", cause: (1...200).map { "\(name) \($0)" }, stopped: [],
      type: "midwatch why x")
    for most in [700, 1500, 4000, 16_384] {
      let text = AlertWords(Alert(incident, .firing)).text(atMost: most)
      #expect(text.utf8.count <= most)
      #expect(text.contains("is silent; content runs standalone.\n"))
      #expect(text.contains("\nWhat to type:\n  midwatch why x\n"))
      #expect(text.contains("\nWho began it: \\xff"))
    }
    #expect(AlertWords(Alert(incident, .firing)).subject.hasSuffix("is silent; content runs standalone"))
    #expect(AlertWords.ascii("aé\u{7}") == #"a\xc3\xa9\x07"#)
  }
}
