internal import Formats
internal import Rules

/// An alert in the words of whoever is woken by it: what happened, who began it, the chain, what was
/// stopped, what to type. Mail and chat have the same ones.
public struct AlertWords {
  let alert: Alert
  private var incident: Incident { alert.incident }

  init(_ alert: Alert) { self.alert = alert }

  /// What a mail would say of an alert's line, its subject first; nil for what is no alert.
  public static func mail(_ line: [UInt8]) -> (subject: String, text: String)? {
    guard let alert = Alert(line) else { return nil }
    let words = AlertWords(alert)
    return (words.subject, words.text())
  }

  /// One line, with how bad it is before all else.
  var subject: String { subject(200) }

  private func subject(_ most: Int) -> String { Self.shortened("\(mark) \(incident.pipeline): \(what)", to: most) }

  private var mark: String {
    switch alert.state {
    case .over: "OVER"
    case .test: "TEST"
    case .firing: incident.severity == .halt ? "HALT" : incident.severity == .warning ? "WARNING" : "NOTE"
    }
  }

  /// The one sentence; that it is over stands before it anyway.
  private var what: String {
    let prefix = "over: "
    return incident.summary.hasPrefix(prefix) ? String(incident.summary.dropFirst(prefix.count)) : incident.summary
  }

  /// - Parameters:
  ///   - most: in bytes of UTF-8. What is long is shortened, the chain before what to type.
  ///   - isAlone: whether there is no subject beside it.
  func text(atMost most: Int = 16_384, isAlone: Bool = false) -> String {
    for (item, count) in [(600, 20), (300, 8), (120, 5), (80, 2)] {
      let text = lines(item, count, isAlone).joined(separator: "\n")
      if text.utf8.count <= most { return text }
    }
    return Self.shortened(lines(80, 0, isAlone).joined(separator: "\n"), to: most)
  }

  /// - Parameters:
  ///   - item: how long a sentence may be.
  ///   - count: how many a list may have.
  private func lines(_ item: Int, _ count: Int, _ isAlone: Bool) -> [String] {
    let sentence = Self.shortened(alert.state == .over ? "It is over: \(what)" : what, to: item) + "."
    var lines = [isAlone ? subject(item) : sentence, ""]
    if alert.state == .over {
      lines.append("It began at \(began)." + (alert.isLate ? " Nobody could be told while it lasted." : ""))
    } else {
      lines.append("Since: \(began)")
    }
    lines.append("Pipeline: \(incident.pipeline)")
    if let agent = incident.agent { lines.append("Who began it: \(Self.shortened(agent, to: item))") }
    // The first cause is often the sentence above.
    let chain = incident.cause.filter { alert.state == .over || !incident.summary.hasPrefix($0) }
    lines += list(alert.state == .over ? "What it was:" : "Why:", chain, item, count)
    lines += list("What was stopped:", incident.stopped, item, count)
    if !incident.type.isEmpty { lines += ["What to type:", "  \(incident.type)"] }
    lines += ["", "Incident \(incident.id)"]
    if alert.isRepeated { lines.append("You may have had this before: midwatchd died while it told you.") }
    return lines
  }

  private func list(_ title: String, _ items: [String], _ item: Int, _ count: Int) -> [String] {
    guard !items.isEmpty, count > 0 else { return [] }
    let more = items.count > count ? ["  and \(items.count - count) more"] : []
    return [title] + items.prefix(count).map { "  " + Self.shortened($0, to: item) } + more
  }

  /// `2026-11-21 09:58:40 UTC`
  private var began: String {
    let stamp = incident.since.timestamp
    return "\(stamp.prefix(10)) \(stamp.dropFirst(11).prefix(8)) UTC"
  }

  /// At most so many bytes, never a part of a character: the beginning and the end, for a name may be long and
  /// what it did stands behind it.
  static func shortened(_ text: String, to most: Int) -> String {
    guard text.utf8.count > most, most >= 5 else { return text }
    let half = (most - 5) / 2
    let head = fitting(text.unicodeScalars, half)
    let tail = fitting(text.unicodeScalars.reversed(), half)
    return String(String.UnicodeScalarView(head)) + " ... " + String(String.UnicodeScalarView(tail.reversed()))
  }

  private static func fitting(_ scalars: some Sequence<Unicode.Scalar>, _ room: Int) -> [Unicode.Scalar] {
    var (kept, room) = ([Unicode.Scalar](), room)
    for scalar in scalars {
      room -= UTF8.width(scalar)
      if room < 0 { break }
      kept.append(scalar)
    }
    return kept
  }

  /// For headers, which are ASCII: each byte of anything else as `\xNN`.
  static func ascii(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      if (0x20...0x7e).contains(byte) {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        result += (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16)
      }
    }
    return result
  }
}
