internal import Configuration
internal import Formats

/// What a webhook is sent.
struct Payload: Equatable, Sendable {
  /// `Name: value`, ASCII, each on one line.
  var headers: [String]
  var body: String

  init(headers: [String], body: String) {
    self.headers = headers
    self.body = body
  }

  /// A JSON document.
  init(_ write: (inout JSONWriter) -> Void) {
    var writer = JSONWriter(reserving: 2048)
    writer.beginObject()
    write(&writer)
    writer.endObject()
    self.init(headers: [Self.json], body: String(decoding: writer.bytes, as: UTF8.self))
  }

  init(_ alert: Alert, for kind: Webhook.Kind) {
    let words = AlertWords(alert)
    switch kind {
    case .ntfy: self = .ntfy(words)
    case .discord: self = .discord(words)
    case .slack: self = .slack(words)
    case .telegram: self = .telegram(words)
    case .json: self.init(headers: [Self.json], body: String(decoding: alert.line.dropLast(), as: UTF8.self))
    }
  }

  static let json = "Content-Type: application/json"
}
