import Formats
import Kernel
import Rules

/// Colours, where a person looks on and did not ask for none.
enum Ink {
  static let isOn =
    Terminal.isTerminal(.output) && environment("NO_COLOR").map(\.isEmpty) ?? true && environment("TERM") != "dumb"

  static func bold(_ text: String) -> String { paint("1", text) }
  static func dim(_ text: String) -> String { paint("2", text) }
  static func red(_ text: String) -> String { paint("1;31", text) }
  static func green(_ text: String) -> String { paint("32", text) }
  static func yellow(_ text: String) -> String { paint("33", text) }

  private static func paint(_ code: String, _ text: String) -> String {
    isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}

/// A text that claims to be escaped, made sure of: backslashes stay, and nothing else that a terminal obeys.
func shown(_ text: String) -> String {
  text.utf8.split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: false)
    .map { escaped(Array($0)) }.joined(separator: "\\")
}

func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
}

/// In whole seconds and at most two units: `47min 3s`.
func spoken(_ span: TimeSpan) -> String { TimeSpan.seconds(max(0, span.seconds)).text(parts: 2) }

/// `1 lock`, `3 locks`.
func counted(_ count: Int, _ thing: String) -> String { "\(count) \(thing)\(count == 1 ? "" : "s")" }

extension WallTime {
  /// `2026-11-21`, in UTC.
  var day: String { String(timestamp.prefix(10)) }
  /// `03:02:11`, in UTC.
  var clock: String { String(timestamp.dropFirst(11).prefix(8)) }

  /// `03:02:11 UTC`, with the day where it is another than today's.
  func spoken(at now: WallTime) -> String { (day == now.day ? "" : "\(day) ") + "\(clock) UTC" }

  /// `03:02:11 UTC, 12min ago`
  func spokenWithAge(at now: WallTime) -> String { "\(spoken(at: now)), \(midwatch.spoken(now - self)) ago" }
}

extension JSONWriter {
  /// A value that was read or put together.
  mutating func value(_ value: JSON) {
    switch value {
    case .object(let members):
      beginObject()
      for member in members {
        key(member.key)
        self.value(member.value)
      }
      endObject()
    case .array(let values):
      beginArray()
      for value in values { self.value(value) }
      endArray()
    case .string(let text): string(text)
    case .integer(let number): integer(number)
    case .number(let number): integer(Int64(number))
    case .bool(let flag): boolean(flag)
    case .null: null()
    }
  }
}

extension JSON {
  static func fields(_ members: KeyValuePairs<String, JSON?>) -> JSON {
    .object(members.compactMap { member in member.value.map { Member(key: member.key, value: $0) } })
  }

  static func text(_ text: String?) -> JSON? { text.map { .string($0) } }
  static func number(_ number: Int?) -> JSON? { number.map { .integer(Int64($0)) } }
  static func seconds(_ span: TimeSpan?) -> JSON? { span.map { .integer($0.seconds) } }
  static func time(_ time: WallTime?) -> JSON? { time.map { .string($0.timestamp) } }

  /// One line.
  var line: [UInt8] {
    var writer = JSONWriter(reserving: 1024)
    writer.value(self)
    writer.endLine()
    return writer.bytes
  }
}
