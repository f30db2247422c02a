internal import Formats

extension Payload {
  /// sendMessage without a parse mode; one entity says that all of it is preformatted, so that no `@name`
  /// in it is a mention. The address has the chat: `.../botTOKEN/sendMessage?chat_id=ID`.
  ///
  /// - SeeAlso: https://core.telegram.org/bots/api#sendmessage
  static func telegram(_ words: AlertWords) -> Payload {
    // It takes 4,096 characters.
    let text = words.text(atMost: 4000, isAlone: true)
    return Payload {
      $0.field("text", text)
      $0.beginArray("entities")
      $0.beginObject()
      $0.field("type", "pre")
      $0.field("offset", 0)
      $0.field("length", text.utf16.count)
      $0.endObject()
      $0.endArray()
      $0.beginObject("link_preview_options")
      $0.field("is_disabled", true)
      $0.endObject()
    }
  }
}
