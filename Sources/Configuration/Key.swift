/// One key: its name, what it takes and where in `Part` its value is kept.
struct Key<Part>: Sendable {

  /// Empty until lifted.
  private(set) var section = ""
  let name: String
  let scope: KeyScope
  /// For the operator, in config/midwatch.conf.
  let doc: String
  let isList: Bool
  /// Reads a text that is not empty and puts it, or adds it to the list.
  let assign: @Sendable (_ part: inout Part, _ text: [UInt8]) throws(Fault) -> Void
  /// Empties a list; nothing for other keys.
  let clear: @Sendable (_ part: inout Part) -> Void
  /// The value as it is written, one text for each assignment.
  let lines: @Sendable (_ part: Part) -> [String]

  /// The most entries a list may have.
  static var mostEntries: Int { 1024 }

  init<Value>(
    _ name: String, _ kind: Kind<Value>, _ get: @escaping @Sendable (Part) -> Value,
    _ set: @escaping @Sendable (inout Part, Value) -> Void, scope: KeyScope = .agent, _ doc: String
  ) {
    self.name = name
    self.scope = scope
    self.doc = doc
    isList = kind.list != nil
    assign = { (part: inout Part, text: [UInt8]) throws(Fault) in
      if !kind.isVerbatim { try checkPlain(text) }
      let value = try kind.read(text)
      guard let list = kind.list else { return set(&part, value) }
      let all = list.joined(get(part), value)
      guard list.count(all) <= Self.mostEntries else {
        throw Fault("the list '\(name)' has more than \(Self.mostEntries) entries")
      }
      set(&part, all)
    }
    clear = { part in if let list = kind.list { set(&part, list.empty) } }
    lines = { kind.lines(get($0)) }
  }

  private init(
    section: String, name: String, scope: KeyScope, doc: String, isList: Bool,
    assign: @escaping @Sendable (inout Part, [UInt8]) throws(Fault) -> Void,
    clear: @escaping @Sendable (inout Part) -> Void, lines: @escaping @Sendable (Part) -> [String]
  ) {
    self.section = section
    self.name = name
    self.scope = scope
    self.doc = doc
    self.isList = isList
    self.assign = assign
    self.clear = clear
    self.lines = lines
  }

  /// The same key, of a whole that `Part` is a part of.
  func lifted<Whole>(
    _ section: String, _ get: @escaping @Sendable (Whole) -> Part,
    _ set: @escaping @Sendable (inout Whole, Part) -> Void
  ) -> Key<Whole> {
    Key<Whole>(
      section: section, name: name, scope: scope, doc: doc, isList: isList,
      assign: { (whole: inout Whole, text: [UInt8]) throws(Fault) in
        var part = get(whole)
        try assign(&part, text)
        set(&whole, part)
      },
      clear: { whole in
        var part = get(whole)
        clear(&part)
        set(&whole, part)
      },
      lines: { lines(get($0)) })
  }
}

enum KeyScope: Sendable {
  /// May also be said for one agent, where its section may.
  case agent
  /// One for all agents together.
  case pipeline
}
