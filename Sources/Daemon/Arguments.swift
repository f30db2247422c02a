internal import Kernel

/// A command line, taken apart word by word: `--name value`, `--name=value`, `-n value`, `-nvalue`,
/// `-abc`. After `--` everything is an operand, and `-` always is one.
public struct Arguments: Sendable {
  public enum Word: Equatable, Sendable {
    /// With its dashes.
    case option(String)
    case operand(String)
  }

  /// What is wrong with it; `description` is the one line the user sees.
  public struct Misuse: Error, CustomStringConvertible, Sendable {
    public let description: String
    public init(_ description: String) { self.description = description }
  }

  private var rest: ArraySlice<String>
  /// The option that was given last.
  private var option = ""
  /// What stands behind it in the same word.
  private var attached: String?
  private var onlyOperands = false

  /// - Parameter words: without the program's name.
  public init(_ words: [String]) { rest = words[...] }

  /// The next word; nil after the last.
  public mutating func next() throws(Misuse) -> Word? {
    if let attached {
      guard !option.hasPrefix("--"), let letter = attached.first, letter != "-" else {
        throw Misuse("\(option) takes no value")
      }
      return short(letter, behind: attached.dropFirst())
    }
    guard let word = rest.popFirst() else { return nil }
    if onlyOperands || word == "-" || !word.hasPrefix("-") { return .operand(word) }
    if word == "--" {
      onlyOperands = true
      return try next()
    }
    if !word.hasPrefix("--"), let letter = word.dropFirst().first { return short(letter, behind: word.dropFirst(2)) }
    option = word
    if let equals = word.firstIndex(of: "=") {
      option = String(word[..<equals])
      attached = String(word[word.index(after: equals)...])
    }
    return .option(option)
  }

  private mutating func short(_ letter: Character, behind: Substring) -> Word {
    option = "-\(letter)"
    attached = behind.isEmpty ? nil : String(behind)
    return .option(option)
  }

  /// The value of the option that `next` gave.
  ///
  /// - Parameter what: what it is, for whoever left it out.
  public mutating func value(_ what: String) throws(Misuse) -> String {
    if let value = attached {
      attached = nil
      return value
    }
    guard let value = rest.popFirst() else { throw Misuse("\(option) needs \(what)") }
    return value
  }
}

extension SettingsLoader {
  /// Takes in an option that says where the settings come from; false for any other.
  public mutating func take(_ option: String, of arguments: inout Arguments) throws(Arguments.Misuse) -> Bool {
    switch option {
    case "--config": file = Path(absolute(try arguments.value("a file")))
    case "--root":
      let path = Path(absolute(try arguments.value("a directory")))
      // What `..` leads to, symlinks tell.
      let climbs = path.bytes.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) }
      root = climbs ? (try? realPath(path)) ?? path : path
    case "--set": assignments.append(try arguments.value("SECTION.KEY=VALUE"))
    default: return false
    }
    return true
  }
}
