internal import Formats

extension Payload {
  /// A block of code, in which nothing is a mention, a link or markup; and mentions are off besides.
  ///
  /// - SeeAlso: https://discord.com/developers/docs/resources/webhook#execute-webhook
  static func discord(_ words: AlertWords) -> Payload {
    // Only three of them could end the block; `unescaped` gives them back.
    let text = words.text(atMost: 1500, isAlone: true).split(separator: "`", omittingEmptySubsequences: false)
      .joined(separator: #"\x60"#)
    return Payload {
      // It takes 2,000 characters.
      $0.field("content", "```\n\(AlertWords.shortened(text, to: 1980))\n```")
      $0.beginObject("allowed_mentions")
      $0.beginArray("parse")
      $0.endArray()
      $0.endObject()
    }
  }
}
