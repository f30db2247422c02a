internal import Formats

extension Payload {
  /// Plain text: what would open a mention or a link is written as Slack wants it, and markup is off.
  ///
  /// - SeeAlso: https://docs.slack.dev/messaging/formatting-message-text
  static func slack(_ words: AlertWords) -> Payload {
    var text = ""
    for scalar in words.text(atMost: 8000, isAlone: true).unicodeScalars {
      switch scalar {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return Payload {
      $0.field("text", text)
      $0.field("mrkdwn", false)
      $0.field("parse", "none")
      $0.field("link_names", false)
      $0.field("unfurl_links", false)
      $0.field("unfurl_media", false)
    }
  }
}
