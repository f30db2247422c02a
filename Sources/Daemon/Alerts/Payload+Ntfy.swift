extension Payload {
  /// The text as it is; the first line and how loud it rings in headers.
  ///
  /// - SeeAlso: https://docs.ntfy.sh/publish/
  static func ntfy(_ words: AlertWords) -> Payload {
    let (priority, tag) =
      switch (words.alert.state, words.alert.incident.severity) {
      case (.over, _): (3, "white_check_mark")
      case (.test, _): (3, "test_tube")
      case (.firing, .halt): (5, "rotating_light")
      case (.firing, .warning): (4, "warning")
      case (.firing, .info): (3, "information_source")
      }
    return Payload(
      headers: [
        "Content-Type: text/plain; charset=utf-8", "Title: \(AlertWords.ascii(words.subject))", "Priority: \(priority)",
        "Tags: \(tag)",
      ],
      // From 4,096 on it would become an attachment.
      body: words.text(atMost: 4000))
  }
}
