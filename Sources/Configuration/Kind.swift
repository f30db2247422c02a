import Rules

/// What may stand behind a key's `=`: how it is read and how it is printed back.
struct Kind<Value: Sendable>: Sendable {
  let read: @Sendable (_ text: [UInt8]) throws(Fault) -> Value
  /// One text for each assignment that it takes to say this again.
  let lines: @Sendable (Value) -> [String]
  /// Not nil: the key is a list, which an empty assignment empties and a further one prolongs.
  var list: List?
  /// Quotation marks, `#` and `;` mean something in it, or are looked after in `read`.
  var isVerbatim = false

  struct List: Sendable {
    let empty: Value
    let joined: @Sendable (Value, Value) -> Value
    let count: @Sendable (Value) -> Int
  }

  init(read: @escaping @Sendable ([UInt8]) throws(Fault) -> Value, text: @escaping @Sendable (Value) -> String) {
    self.read = read
    lines = { [text($0)] }
  }

  private init(
    read: @escaping @Sendable ([UInt8]) throws(Fault) -> Value, lines: @escaping @Sendable (Value) -> [String],
    list: List
  ) {
    self.read = read
    self.lines = lines
    self.list = list
  }

  /// The same, or `off`.
  static func orOff<Limit>(_ kind: Kind<Limit>) -> Kind where Value == Limit? {
    Kind(
      read: { (text) throws(Fault) in
        if text == Array("off".utf8) { return nil }
        do throws(Fault) { return try kind.read(text) } catch {
          throw Fault(at: error.offset, error.sentence + ", or off")
        }
      },
      text: { $0.map { kind.lines($0).joined() } ?? "off" })
  }

  /// Any number of them with commas between; the same one twice is kept once.
  static func list<Element: Equatable & Sendable>(_ kind: Kind<Element>) -> Kind where Value == [Element] {
    var list = Kind(
      read: { (text) throws(Fault) in
        var elements: [Element] = []
        for (offset, piece) in text.commaSeparated() {
          if piece.isEmpty { throw Fault(at: offset, "nothing stands between two commas; take one away") }
          do throws(Fault) {
            try checkPlain(piece)
            elements.append(try kind.read(piece))
          } catch { throw error.shifted(by: offset) }
        }
        return [].appending(elements)
      },
      lines: { [$0.flatMap(kind.lines).joined(separator: ", ")] },
      list: .array())
    list.isVerbatim = true
    return list
  }

  /// Any number of them, one to an assignment, because they may hold commas.
  static func repeated<Element: Equatable & Sendable>(_ kind: Kind<Element>) -> Kind where Value == [Element] {
    Kind(
      read: { (text) throws(Fault) in [try kind.read(text)] },
      lines: { $0.isEmpty ? [""] : $0.flatMap(kind.lines) },
      list: .array())
  }

  /// One of a few words; `noun` as in "is not a mode".
  static func oneOf(_ noun: String, _ cases: [Value]) -> Kind where Value: RawRepresentable, Value.RawValue == String {
    Kind(
      read: { (text) throws(Fault) in
        let word = text.string
        guard let value = cases.first(where: { $0.rawValue == word }) else {
          throw Fault("\(quoted(text)) is not \(noun); write \(alternatives(cases.map(\.rawValue)))")
        }
        return value
      },
      text: { $0.rawValue })
  }
}

extension Kind.List {
  static func array<Element: Equatable & Sendable>() -> Self where Value == [Element] {
    Self(empty: [], joined: { $0.appending($1) }, count: { $0.count })
  }
}

extension Array where Element: Equatable {
  func appending(_ more: [Element]) -> [Element] {
    var all = self
    for element in more where !all.contains(element) { all.append(element) }
    return all
  }
}

/// Refuses what other programs' files would mean something else by: quotation marks around a value
/// and a comment behind it.
func checkPlain(_ text: [UInt8]) throws(Fault) {
  if let last = text.last, text.count > 1, text.first == last, last == ASCII.quote || last == ASCII.doubleQuote {
    throw Fault("\(quoted(text)) stands between quotation marks; write it without them")
  }
  for (offset, byte) in text.enumerated() where byte == ASCII.hash || byte == ASCII.semicolon {
    if offset == 0 || text[offset - 1].isBlank {
      throw Fault(at: offset, "a comment cannot stand behind a value; write it on a line of its own")
    }
  }
}
