public import Rules

/// Collects what files and `--set` say, the later the stronger, and makes `Settings` of it.
///
/// A single value: the last one counts, and an empty one brings the default back. A list: the first
/// assignment replaces the default (in an agent's section: what holds for all), each further one
/// adds to it, in later files too, and an empty one empties it. The first `--set` of a list
/// replaces what the files say.
public struct SettingsBuilder: Sendable {
  /// What `--root` said: an absolute path that takes the place of `[pipeline] root`.
  public var rootOverride: String?
  /// Caps every mode; `--observe` is `.observe`.
  public var modeCap = Mode.on
  /// No file was read: leaks that nobody said to kill are only reported.
  public var isTrial = false

  /// What was said about one key.
  struct Slot: Sendable {
    /// One for a single value; for a list all that count.
    var values: [[UInt8]] = []
    /// Of the last one.
    var position: Position
    var isFromCommandLine: Bool
  }

  struct SlotID: Hashable, Sendable {
    /// In `KeyTable.general` or `KeyTable.agent`.
    var key: Int
    /// In `agentNames`; nil for the general sections.
    var agent: Int?
  }

  static let commandLine = "--set"
  static let mostAgents = 1024

  /// Made for the first section that is named, and gone with the builder: a watch that runs for months needs
  /// no table of keys, and one without a configuration never did.
  private(set) var generalKeys: [Key<Settings>] = []
  private(set) var agentKeys: [Key<AgentSettings>] = []

  private(set) var slots: [SlotID: Slot] = [:]
  private(set) var agentNames: [[UInt8]] = []
  /// The last `[pipeline]`: where a missing root is to be written.
  private(set) var pipelinePosition: Position?
  private(set) var lastFile = "midwatch.conf"
  private var assignmentsSet = 0

  public init() {}

  /// Takes in one file; the files come in the order of their strength, the weakest first.
  ///
  /// - Throws: the first thing in it that cannot be right. The builder is of no use then.
  public mutating func read(_ bytes: [UInt8], file: String) throws(ConfigurationError) {
    var reader = Reader(bytes, file: file)
    var section: Target?
    lastFile = file
    while let item = try reader.nextItem() {
      switch item {
      case .section(let found):
        section = try target(found.name, at: found.position)
        if found.name == Array("pipeline".utf8) { pipelinePosition = found.position }
      case .assignment(let found):
        guard let section else {
          throw found.keyPosition.error("\(quoted(found.key)) stands before any section; write one above it, as in [locks]")
        }
        let id = try slot(for: found.key, in: section, at: found.keyPosition)
        let position = found.value.isEmpty ? found.keyPosition : found.position(at: 0, in: file)
        do throws(Fault) {
          try put(found.value, into: id, Slot(position: position, isFromCommandLine: false))
        } catch {
          throw found.position(at: error.offset, in: file).error(error.sentence)
        }
      }
    }
  }

  /// Takes in one `SECTION.KEY=VALUE` of the command line, `agent.NAME.KEY=VALUE` included, after
  /// all files. In errors the file is `--set` and the line says which one.
  public mutating func set(_ assignment: String) throws(ConfigurationError) {
    assignmentsSet += 1
    let bytes = Array(assignment.utf8)
    func position(_ offset: Int) -> Position {
      Position(file: Self.commandLine, line: assignmentsSet, column: bytes.characters(before: offset) + 1)
    }
    if let bad = bytes.firstUnreadable { throw position(bad).error("a control character stands here; take it away") }
    guard bytes.count <= Reader.longestLine else { throw position(0).error("this is longer than 64 KiB") }
    let usage = "\(quoted(bytes)) is not an assignment; write SECTION.KEY=VALUE, as in locks.stale-after=10s"
    guard let equals = bytes.firstIndex(of: ASCII.equals) else { throw position(0).error(usage) }
    let left = bytes.trimmed(0..<equals)
    let value = bytes.trimmed((equals + 1)..<bytes.count)
    guard let (sectionName, keyRange) = split(bytes, left) else { throw position(0).error(usage) }
    let target = try target(sectionName, at: position(left.lowerBound))
    let id = try slot(for: Array(bytes[keyRange]), in: target, at: position(keyRange.lowerBound))
    do throws(Fault) {
      try put(Array(bytes[value]), into: id, Slot(position: position(value.lowerBound), isFromCommandLine: true))
    } catch { throw position(value.lowerBound + error.offset).error(error.sentence) }
  }

  /// Where a key got its value, for those who find out later that the value cannot be used:
  /// `file:line:column`; nil where the default holds.
  public func origin(section: String, key: String) -> String? {
    guard let index = generalKeys.firstIndex(where: { $0.section == section && $0.name == key }),
      let position = slots[SlotID(key: index)]?.position
    else { return nil }
    return "\(printable(Array(position.file.utf8), limit: 4096)):\(position.line):\(position.column)"
  }

  // MARK: Finding the key

  private enum Target {
    case general(String)
    case agent(Int)
  }

  private mutating func target(_ name: [UInt8], at position: Position) throws(ConfigurationError) -> Target {
    let word = name.prefix { !$0.isBlank }
    if word.elementsEqual("agent".utf8) {
      let agent = Array(name[name.trimmed(word.count..<name.count)])
      if agent.isEmpty { throw position.error("the agent's name is missing; write it as in [agent content]") }
      if let first = agent.first, first == ASCII.doubleQuote || first == ASCII.quote {
        throw position.error("\(quoted(agent)) stands between quotation marks; write the agent's name without them")
      }
      do throws(Fault) { _ = try fileName(agent, "an agent's name") } catch { throw position.error(error.sentence) }
      if let known = agentNames.firstIndex(of: agent) { return .agent(known) }
      guard agentNames.count < Self.mostAgents else { throw position.error("there are more than \(Self.mostAgents) agents") }
      agentNames.append(agent)
      if agentKeys.isEmpty { agentKeys = KeyTable.agent }
      return .agent(agentNames.count - 1)
    }
    if let section = KeyTable.sections.first(where: { name.elementsEqual($0.utf8) }) {
      if generalKeys.isEmpty { generalKeys = KeyTable.general }
      return .general(section)
    }
    if word.count < name.count, Suggestion.nearest(to: Array(word), among: ["agent"]) != nil {
      throw position.error(
        "there is no section [\(printable(name))]; did you mean [agent\(printable(Array(name[word.count...])))]?")
    }
    if let near = Suggestion.nearest(to: name, among: KeyTable.sections) {
      throw position.error("there is no section [\(printable(name))]; did you mean [\(near)]?")
    }
    throw position.error(
      "there is no section [\(printable(name))]; there are \(alternatives(KeyTable.sections.map { "[\($0)]" } + ["[agent NAME]"], "and"))"
    )
  }

  private func slot(for key: [UInt8], in target: Target, at position: Position) throws(ConfigurationError) -> SlotID {
    switch target {
    case .general(let section):
      if let index = generalKeys.firstIndex(where: { $0.section == section && key.elementsEqual($0.name.utf8) }) {
        return SlotID(key: index)
      }
      throw position.error(unknown(key, in: section, known: generalKeys.filter { $0.section == section }.map(\.name)))
    case .agent(let agent):
      let name = key.string
      let found = agentKeys.indices.filter {
        agentKeys[$0].name == name || agentKeys[$0].section + "." + agentKeys[$0].name == name
      }
      guard let index = found.first else {
        throw position.error(unknown(key, in: "agent", known: KeyTable.agentKeyNames))
      }
      guard found.count == 1 else {
        throw position.error(
          "\(quoted(key)) is a key of [heartbeats] and of [outputs]; write heartbeats.\(name) or outputs.\(name)")
      }
      guard agentKeys[index].scope == .agent else {
        throw position.error("\(quoted(key)) is one for all agents together; write it in [\(agentKeys[index].section)]")
      }
      return SlotID(key: index, agent: agent)
    }
  }

  private func unknown(_ key: [UInt8], in section: String, known: [String]) -> String {
    let here = section == "agent" ? "[agent NAME]" : "[\(section)]"
    let start = "there is no key \(quoted(key)) in \(here)"
    if let other = KeyTable.general.first(where: { key.elementsEqual($0.name.utf8) }) {
      return "\(start); it belongs in [\(other.section)]"
    }
    if section != "agent", KeyTable.agent.contains(where: { $0.section == "agent" && key.elementsEqual($0.name.utf8) }) {
      return "\(start); it belongs in [agent NAME]"
    }
    if let near = Suggestion.nearest(to: key, among: known) { return "\(start); did you mean '\(near)'?" }
    return "\(start); there are \(alternatives(known, "and"))"
  }

  /// The section's name and where the key stands, of what is left of `=` in a `--set`.
  private func split(_ bytes: [UInt8], _ left: Range<Int>) -> (section: [UInt8], key: Range<Int>)? {
    guard let first = bytes[left].firstIndex(where: { $0 == ASCII.dot || $0.isBlank }) else { return nil }
    let word = Array(bytes[left.lowerBound..<first])
    guard word.elementsEqual("agent".utf8) else { return (word, (first + 1)..<left.upperBound) }
    // An agent's name may hold dots, and so may a key: the longest key that exists counts.
    guard var dot = bytes[left].lastIndex(of: ASCII.dot), dot > first else { return nil }
    if let before = bytes[left.lowerBound..<dot].lastIndex(of: ASCII.dot), before > first,
      KeyTable.agent.contains(where: { bytes[(before + 1)..<left.upperBound].elementsEqual(($0.section + "." + $0.name).utf8) })
    {
      dot = before
    }
    return (word + [ASCII.space] + bytes[(first + 1)..<dot], (dot + 1)..<left.upperBound)
  }

  // MARK: Keeping the value

  private mutating func put(_ value: [UInt8], into id: SlotID, _ fresh: Slot) throws(Fault) {
    let isList: Bool
    if id.agent != nil {
      var trial = Self.plainAgent
      isList = try check(value, agentKeys[id.key], &trial)
    } else {
      var trial = Self.plain
      isList = try check(value, generalKeys[id.key], &trial)
    }
    if value.isEmpty {
      // A list keeps an empty slot: that it was emptied counts.
      slots[id] = isList ? fresh : nil
      return
    }
    var slot = fresh
    slot.values = [value]
    if isList, let old = slots[id], old.isFromCommandLine == fresh.isFromCommandLine {
      slot.values = old.values + [value]
    }
    slots[id] = slot
  }

  /// What values are tried on.
  private static let plain = Settings()
  private static let plainAgent = AgentSettings(name: [])

  /// Whether the value can be read; and whether the key is a list.
  private func check<Part>(_ value: [UInt8], _ key: Key<Part>, _ trial: inout Part) throws(Fault) -> Bool {
    if value.isEmpty { return key.isList }
    key.clear(&trial)
    try key.assign(&trial, value)
    return key.isList
  }
}

extension [UInt8] {
  /// How many characters begin before `offset`.
  func characters(before offset: Int) -> Int { prefix(offset).count { $0 & 0xC0 != 0x80 } }

  /// Where the first control character stands, blanks aside, or the first byte that is not UTF-8.
  var firstUnreadable: Int? {
    var at = 0
    while at < count {
      guard let (value, length) = scalar(in: self, at: at), !isControl(value) || value == 0x09 else { return at }
      at += length
    }
    return nil
  }
}

extension KeyTable {
  /// As they are written in `[agent NAME]`.
  static var agentKeyNames: [String] {
    agent.filter { $0.scope == .agent }.map { agentName(of: $0) }
  }

  /// With its section where the name alone would mean two.
  static func agentName(of key: Key<AgentSettings>) -> String {
    agent.count { $0.name == key.name } > 1 ? key.section + "." + key.name : key.name
  }
}
