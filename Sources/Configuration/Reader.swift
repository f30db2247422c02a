/// Splits a configuration file into sections and assignments, as systemd.syntax(7) has it:
/// comments with `#` or `;` on lines of their own, a backslash at the end continues a line.
///
/// Refuses what no editor shows: control characters, bytes that are not UTF-8, endless lines.
struct Reader {
  struct Section {
    /// What stands between the brackets, without blanks around it.
    var name: [UInt8]
    var position: Position
  }

  struct Assignment {
    var key: [UInt8]
    var keyPosition: Position
    /// Without blanks around it; may be empty.
    var value: [UInt8]
    var line: LogicalLine
    /// Where in the line the value begins.
    var valueOffset: Int

    /// Where a byte of the value stands in the file.
    func position(at offset: Int, in file: String) -> Position { line.position(at: valueOffset + offset, in: file) }
  }

  enum Item {
    case section(Section)
    case assignment(Assignment)
  }

  static let longestLine = 65_536

  let file: String
  private let bytes: [UInt8]
  private var next = 0
  private var lineNumber = 0

  init(_ bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
    // The mark that some editors put in front says nothing.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { next = 3 }
  }

  /// nil at the end.
  mutating func nextItem() throws(ConfigurationError) -> Item? {
    while let range = try nextLine() {
      let text = bytes.trimmed(range)
      guard !text.isEmpty, !isComment(text) else { continue }
      if bytes[text.lowerBound] == ASCII.openBracket { return .section(try section(text, of: range)) }
      return .assignment(try assignment(try logicalLine(from: range)))
    }
    return nil
  }

  /// The next line without its end; nil after the last.
  private mutating func nextLine() throws(ConfigurationError) -> Range<Int>? {
    guard next < bytes.count else { return nil }
    lineNumber += 1
    let start = next
    var end = start
    while end < bytes.count, bytes[end] != ASCII.newline { end += 1 }
    next = end + 1
    if end > start, bytes[end - 1] == ASCII.carriageReturn { end -= 1 }
    guard end - start <= Self.longestLine else {
      throw Position(file: file, line: lineNumber, column: 1).error(
        "this line is longer than 64 KiB; is this a configuration file?")
    }
    var at = start
    var column = 1
    while at < end {
      let position = Position(file: file, line: lineNumber, column: column)
      guard let (value, length) = scalar(in: bytes, at: at), length <= end - at else {
        throw position.error("this byte (\(quoted([bytes[at]]))) is not UTF-8; save the file as UTF-8")
      }
      if isControl(value), value != 0x09 {
        throw position.error("a control character (\(quoted(Array(bytes[at..<(at + length)])))) stands here; take it away")
      }
      at += length
      column += 1
    }
    return start..<end
  }

  private func isComment(_ text: Range<Int>) -> Bool {
    let first = bytes[text.lowerBound]
    return first == ASCII.hash || first == ASCII.semicolon
  }

  private func section(_ text: Range<Int>, of line: Range<Int>) throws(ConfigurationError) -> Section {
    let position = Position(
      file: file, line: lineNumber, column: column(of: text.lowerBound, in: bytes, from: line.lowerBound))
    guard bytes[text.upperBound - 1] == ASCII.closeBracket, text.count >= 2 else {
      throw position.error(
        "a section is opened and not closed at the end of the line; write it as in [locks], and comments on lines of their own")
    }
    let name = bytes.trimmed((text.lowerBound + 1)..<(text.upperBound - 1))
    return Section(name: Array(bytes[name]), position: position)
  }

  /// Joins the line in `range` with those that continue it; comments in between are left out.
  private mutating func logicalLine(from range: Range<Int>) throws(ConfigurationError) -> LogicalLine {
    var line = LogicalLine()
    line.append(bytes[range], line: lineNumber)
    while line.bytes.last == ASCII.backslash {
      line.replaceLast(by: ASCII.space)
      guard var more = try nextLine() else { break }
      while !bytes.trimmed(more).isEmpty, isComment(bytes.trimmed(more)) {
        guard let further = try nextLine() else { return line }
        more = further
      }
      guard line.bytes.count + more.count <= Self.longestLine else {
        throw Position(file: file, line: lineNumber, column: 1).error(
          "with this line the one that it continues is longer than 64 KiB; is a backslash too many?")
      }
      line.append(bytes[more], line: lineNumber)
    }
    return line
  }

  private func assignment(_ line: LogicalLine) throws(ConfigurationError) -> Assignment {
    let all = line.bytes.trimmed(0..<line.bytes.count)
    guard let equals = line.bytes.firstIndex(of: ASCII.equals) else {
      throw line.position(at: all.lowerBound, in: file).error(
        "\(quoted(Array(line.bytes[all]))) is neither a section nor an assignment; write key = value")
    }
    let key = line.bytes.trimmed(0..<equals)
    let value = line.bytes.trimmed((equals + 1)..<line.bytes.count)
    guard !key.isEmpty else {
      throw line.position(at: equals, in: file).error("the key is missing; write key = value")
    }
    if !value.isEmpty, line.bytes[value.upperBound - 1] == ASCII.backslash {
      throw line.position(at: value.upperBound - 1, in: file).error(
        "a backslash continues a line only as its last character; take away the blanks behind it")
    }
    return Assignment(
      key: Array(line.bytes[key]), keyPosition: line.position(at: key.lowerBound, in: file),
      value: Array(line.bytes[value]), line: line, valueOffset: value.lowerBound)
  }
}

/// A line with its continuations, and where its bytes came from.
struct LogicalLine {
  private(set) var bytes: [UInt8] = []
  /// Where each physical line begins in `bytes`.
  private var starts: [(offset: Int, line: Int)] = []

  mutating func append(_ more: ArraySlice<UInt8>, line: Int) {
    starts.append((bytes.count, line))
    bytes.append(contentsOf: more)
  }

  mutating func replaceLast(by byte: UInt8) {
    if !bytes.isEmpty { bytes[bytes.count - 1] = byte }
  }

  func position(at offset: Int, in file: String) -> Position {
    let start = starts.last { $0.offset <= offset } ?? (0, 1)
    return Position(file: file, line: start.line, column: column(of: offset, in: bytes, from: start.offset))
  }
}

/// Characters from `start` to `offset`, counted from 1.
private func column(of offset: Int, in bytes: [UInt8], from start: Int) -> Int {
  var column = 1
  var at = start
  // Whatever is not the continuation of a character begins one.
  while at < offset, at < bytes.count {
    if bytes[at] & 0xC0 != 0x80 { column += 1 }
    at += 1
  }
  return column
}
