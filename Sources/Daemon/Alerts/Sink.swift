internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

/// Who is told: one entry of `[alert]`.
struct Sink: Equatable, Sendable {
  enum Way: Equatable, Sendable {
    case exec(Command)
    case mail([String])
    case webhook(Webhook)
  }

  /// The last part of its messages' file names: it stays the same when other entries come and go.
  let name: String
  let way: Way

  static func all(of settings: AlertSettings) -> [Sink] {
    var sinks: [Sink] = []
    if let exec = settings.exec { sinks.append(Sink(name: "exec", way: .exec(exec))) }
    if !settings.mail.isEmpty { sinks.append(Sink(name: "mail", way: .mail(settings.mail))) }
    for webhook in settings.webhook {
      var bytes = Array(webhook.text.utf8)
      var name = ""
      repeat {
        // One way: the address may be a secret, and the name is shown.
        name = "\(webhook.kind.rawValue)-\(String(Hash.of(bytes: bytes) & 0xff_ffff | 0x100_0000, radix: 16).dropFirst())"
        bytes.append(0x20)
      } while sinks.contains { $0.name == name && $0.way != .webhook(webhook) }
      // The same line twice is one sink.
      if !sinks.contains(where: { $0.name == name }) { sinks.append(Sink(name: name, way: .webhook(webhook))) }
    }
    return sinks
  }

  /// What may be shown of it.
  var label: String {
    switch way {
    case .exec(let command): command.words.first.map { escaped(Array($0.utf8)) } ?? name
    case .mail(let addresses): "mail to \(addresses.joined(separator: ", "))"
    case .webhook(let webhook): "\(webhook.kind.rawValue) \(webhook.endpoint.label)"
    }
  }

  /// - Throws: why it cannot even be tried.
  func order(for alert: Alert, limit: TimeSpan) throws(Refusal) -> Errand.Order {
    switch way {
    case .exec(let command):
      return Errand.Order(words: OwnProgram.words(command.words, limit: limit), input: alert.line, limit: limit)
    case .mail(let addresses):
      guard let sendmail = OwnProgram.path(of: "sendmail") else {
        throw Refusal("there is no sendmail here; install a mailer, or take mail out of [alert]")
      }
      return Errand.Order(
        words: OwnProgram.words([sendmail, "-i", "-t"], limit: limit), input: MailMessage.text(alert, to: addresses),
        limit: limit)
    case .webhook(let webhook):
      return try Curl.order(webhook.endpoint, Payload(alert, for: webhook.kind), limit: limit)
    }
  }

  /// What came of it.
  func outcome(of ending: Errand.Ending, limit: TimeSpan) -> Outcome {
    switch (ending, way) {
    case (.late, _): .failed("it took longer than \(limit.text) and was killed", .soon)
    case (.ended(let ending, let output), .webhook): Curl.outcome(of: ending, output)
    case (.ended(.exited(0), _), _): .delivered
    case (.ended(let ending, _), _): .failed("\(ending)", .soon)
    }
  }
}

enum Outcome: Equatable, Sendable {
  case delivered
  case failed(String, Again)

  enum Again: Equatable, Sendable {
    case soon
    /// It does not mend itself.
    case slowly
    /// As the other side asked.
    case after(TimeSpan)
  }
}

/// Why a sink cannot be tried.
struct Refusal: Error {
  let why: String
  init(_ why: String) { self.why = why }
}
