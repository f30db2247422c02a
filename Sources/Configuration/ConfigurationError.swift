/// Why the configuration cannot be used; `description` is the one line the operator sees.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// As it was named to the builder; `--set` and `--root` for what came from the command line.
  public let file: String
  /// Counted from 1. For `--set`: which of them.
  public let line: Int
  /// Counted from 1, in characters.
  public let column: Int
  /// What is wrong, and what was meant. Free of control characters.
  public let sentence: String

  public init(file: String, line: Int, column: Int, sentence: String) {
    self.file = file
    self.line = line
    self.column = column
    self.sentence = sentence
  }

  public var description: String {
    "\(printable(Array(file.utf8), limit: 4096)):\(line):\(column): \(sentence)"
  }
}

/// What is wrong with one value, before it is known where the value stands.
public struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
  /// Bytes into the value.
  public let offset: Int
  /// What is wrong, and what was meant.
  public let sentence: String

  public init(at offset: Int = 0, _ sentence: String) {
    self.offset = offset
    self.sentence = sentence
  }

  public var description: String { sentence }

  func shifted(by distance: Int) -> Fault { Fault(at: offset + distance, sentence) }
}

/// Where something stands in a file.
struct Position: Equatable, Sendable {
  var file: String
  var line: Int
  var column: Int

  func error(_ sentence: String) -> ConfigurationError {
    ConfigurationError(file: file, line: line, column: column, sentence: sentence)
  }
}
