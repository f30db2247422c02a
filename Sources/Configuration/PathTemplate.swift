/// Which paths a rule looks at: `outputs/{agent}/**`, `tasks/{task}.lock`, `~/.openclaw/*.lock`.
///
/// Relative to the pipeline root, to `/`, or to the home of the root's owner. In one name `*`
/// stands for any bytes, `{agent}` and `{task}` for at least one byte and name what they found;
/// `**` is any depth of directories, none included, and as the last component every entry below.
public struct PathTemplate: Equatable, Sendable {
  public enum Component: Equatable, Sendable {
    /// Exactly this name.
    case literal([UInt8])
    /// A name that fits.
    case pattern(NamePattern)
    /// `**`.
    case anyDepth
  }

  /// As it was written.
  public let text: String
  /// Counted from `/`.
  public let isAbsolute: Bool
  /// Counted from the home directory of the root's owner.
  public let isHome: Bool
  /// Never empty; two `.anyDepth` never stand side by side.
  public private(set) var components: [Component]
  public private(set) var namesAgent: Bool
  public let namesTask: Bool

  /// How many components at the beginning are literal: the part that is watched by its name.
  public var fixedCount: Int {
    var count = 0
    for case .literal in components {
      guard case .literal = components[count] else { break }
      count += 1
    }
    return count
  }

  /// - Throws: what `Fault` says: empty, `.` or `..`, `**` with something beside it, a capture that
  ///   is unknown or stands twice, two wildcards side by side, a NUL, a name no file can have.
  public init(_ bytes: [UInt8]) throws(Fault) {
    guard !bytes.isEmpty else { throw Fault("a path is empty; write one such as outputs/{agent}/**") }
    guard bytes.count <= 4095 else { throw Fault("a path is longer than 4095 bytes, and no file has such a path") }
    if let nul = bytes.firstIndex(of: 0) { throw Fault(at: nul, "a path cannot hold a NUL") }
    isAbsolute = bytes[0] == ASCII.slash
    isHome = bytes[0] == ASCII.tilde
    if isHome, bytes.count < 2 || bytes[1] != ASCII.slash {
      throw Fault("only ~/ is understood, the home of the pipeline root's owner; write another user's home in full")
    }
    var parser = Parser()
    var start = isAbsolute ? 1 : isHome ? 2 : 0
    if start == bytes.count { throw Fault("\(quoted(bytes)) names no file; write what to look at below it") }
    for index in start...bytes.count where index == bytes.count || bytes[index] == ASCII.slash {
      do throws(Fault) {
        try parser.take(Array(bytes[start..<index]), isLast: index == bytes.count, of: bytes)
      } catch { throw error.shifted(by: start) }
      start = index + 1
    }
    text = bytes.string
    components = parser.components
    namesAgent = parser.namesAgent
    namesTask = parser.namesTask
  }

  public init(_ text: String) throws(Fault) { try self.init(Array(text.utf8)) }

  /// The same with an agent's name in the place of `{agent}`; `text` stays as it was written.
  func naming(agent name: [UInt8]) -> PathTemplate {
    var named = self
    named.namesAgent = false
    named.components = components.map { component in
      guard case .pattern(let pattern) = component else { return component }
      let filled = pattern.naming(agent: name)
      return filled.literal.map { .literal($0) } ?? .pattern(filled)
    }
    return named
  }
}

private struct Parser {
  var components: [PathTemplate.Component] = []
  var namesAgent = false
  var namesTask = false

  mutating func take(_ name: [UInt8], isLast: Bool, of whole: [UInt8]) throws(Fault) {
    if name.isEmpty {
      throw isLast
        ? Fault("\(quoted(whole)) ends in a slash; write \(printable(whole))** for everything below it")
        : Fault("\(quoted(whole)) has two slashes in a row; write one")
    }
    if name == [ASCII.dot] || name == [ASCII.dot, ASCII.dot] {
      throw Fault("\(quoted(whole)) goes through \(quoted(name)); write the path without it")
    }
    if name == [ASCII.star, ASCII.star] {
      if components.last == .anyDepth { throw Fault("two ** in a row say no more than one; write one") }
      components.append(.anyDepth)
      return
    }
    let pattern = try pattern(name)
    guard name.count <= 255 || pattern.literal == nil else {
      throw Fault("a name is longer than 255 bytes, and no file has such a name")
    }
    components.append(pattern.literal.map { .literal($0) } ?? .pattern(pattern))
  }

  private mutating func pattern(_ name: [UInt8]) throws(Fault) -> NamePattern {
    var pattern = NamePattern()
    var at = 0
    while at < name.count {
      let wildcard: NamePattern.Piece
      let start = at
      switch name[at] {
      case ASCII.star:
        if at + 1 < name.count, name[at + 1] == ASCII.star {
          throw Fault(at: at, "** stands for whole directories and so alone between slashes; write * for a part of one name")
        }
        wildcard = .star
        at += 1
      case ASCII.openBrace:
        wildcard = try capture(name, at: &at)
      default:
        pattern.append(name[at])
        at += 1
        continue
      }
      if pattern.endsInWildcard {
        throw Fault(
          at: start,
          "nothing stands between two wildcards, so that nobody can tell where one ends; put a character between them")
      }
      pattern.append(wildcard: wildcard)
    }
    return pattern
  }

  private mutating func capture(_ name: [UInt8], at: inout Int) throws(Fault) -> NamePattern.Piece {
    let start = at
    guard let close = name[at...].firstIndex(of: ASCII.closeBrace) else {
      throw Fault(at: start, "a { is opened and not closed; write {agent} or {task}")
    }
    let word = Array(name[(at + 1)..<close])
    at = close + 1
    switch word.string {
    case "agent":
      if namesAgent { throw Fault(at: start, "{agent} stands twice; write it once, and * for the other") }
      namesAgent = true
      return .agent
    case "task":
      if namesTask { throw Fault(at: start, "{task} stands twice; write it once, and * for the other") }
      namesTask = true
      return .task
    default:
      throw Fault(at: start, "'{\(printable(word))}' is unknown; did you mean {agent} or {task}?")
    }
  }
}
