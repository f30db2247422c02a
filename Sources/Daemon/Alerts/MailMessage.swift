/// An alert as mail, for `sendmail -i -t`. The mailer adds who it is from, the date and an id.
enum MailMessage {
  /// - Parameter addresses: without anything that means something in a header; the configuration sees to it.
  /// - SeeAlso: RFC 5322
  static func text(_ alert: Alert, to addresses: [String]) -> [UInt8] {
    let words = AlertWords(alert)
    let headers = [
      "To: \(addresses.joined(separator: ",\n "))",
      "Subject: \(AlertWords.ascii(words.subject))",
      // The messages of one incident are one thread.
      "References: <\(alert.incident.id)@midwatch.invalid>",
      "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: 8bit",
    ]
    let body = words.text().split(separator: "\n", omittingEmptySubsequences: false).flatMap { folded(String($0)) }
    return Array((headers + [""] + body).joined(separator: "\n").utf8) + [0x0a]
  }

  /// A mailer may refuse lines of more than 998 bytes.
  private static func folded(_ line: String) -> [String] {
    guard line.utf8.count > 900 else { return [line] }
    var lines: [String] = []
    var piece = ""
    for scalar in line.unicodeScalars {
      if piece.utf8.count + UTF8.width(scalar) > 900 {
        lines.append(piece)
        piece = ""
      }
      piece.unicodeScalars.append(scalar)
    }
    return lines + [piece]
  }
}
