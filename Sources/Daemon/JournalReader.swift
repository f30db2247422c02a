public import Formats
public import Kernel
public import Rules

/// One whole line of the journal.
public struct JournalLine: Sendable {
  /// As it stands there, without its end.
  public let bytes: [UInt8]
  public let json: JSON
  public let sequence: Int64
  public let rule: String
  public let what: String

  /// nil for a line that a crash tore, and for one that is no journal's.
  public init?(_ bytes: [UInt8]) {
    guard let json = JSON(bytes), let sequence = json["seq"]?.integer, let rule = json["rule"]?.string,
      let what = json["what"]?.string
    else { return nil }
    self.bytes = bytes
    self.json = json
    self.sequence = sequence
    self.rule = rule
    self.what = what
  }

  public var time: WallTime? { json["at"]?.string.flatMap { WallTime(text: $0) } }
  /// The decision in plain words.
  public var words: String { json["say"]?.string ?? what }
  /// Whether it keeps a lock that `midwatch undo` can put back.
  public var canBeUndone: Bool { ReapedLock(json) != nil }
}

/// Finds lines of the journal.
public enum JournalReader {
  /// The journal's files, newest first.
  static var names: [Path] { [Journal.name] + (1...Journal.kept).map(Journal.rotated) }
  /// A file ends with the line that made it too long.
  static let longestFile = 16 << 20

  public static func entry(_ sequence: Int64, in directory: borrowing Directory) -> JSON? {
    for name in names {
      guard let file = try? directory.file(name), let bytes = try? file.contents(upTo: longestFile) else { continue }
      let needle = Array("\"seq\":\(sequence),".utf8)
      for line in bytes.split(separator: 0x0a) where line.prefix(48).contains(needle) {
        if let json = JSON(Array(line)), json["seq"]?.integer == sequence { return json }
      }
    }
    return nil
  }

  /// Takes in every whole line, newest first, until `body` says false.
  ///
  /// - Throws: `EACCES` where the journal is another user's.
  public static func newestFirst(in directory: borrowing Directory, _ body: (JournalLine) -> Bool) throws(Errno) {
    // A file that is rotated meanwhile comes by under its next name again.
    var seen: Set<FileIdentity> = []
    for name in names {
      let bytes: [UInt8]
      do throws(Errno) {
        let file = try directory.file(name)
        guard seen.insert(try file.status().identity).inserted else { continue }
        bytes = try file.contents(upTo: longestFile)
      } catch {
        if error == .noEntry { continue }
        throw error
      }
      var end = bytes.count
      while end > 0 {
        let start = bytes[..<(end - 1)].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
        let stop = bytes[end - 1] == 0x0a ? end - 1 : end
        if start < stop, let line = JournalLine(Array(bytes[start..<stop])), !body(line) { return }
        end = start
      }
    }
  }
}
