public import Formats
public import Kernel
public import Rules

/// Every decision, one JSON line each, with its evidence: `state/journal.jsonl`.
///
/// Appended to with one write(2) a line, so that a line is whole or absent. Each line bears the
/// breaker's state and the incident that holds it, so that the last line alone tells a restart how things stood.
public struct Journal: ~Copyable {
  /// What the last whole line of an earlier run said.
  public struct Last: Equatable, Sendable {
    public var sequence: Int64 = 0
    public var state: BreakerRule.State = .closed
    public var incident: String?
  }

  public static let name = Path("journal.jsonl")
  public static let sizeLimit: Int64 = 8 << 20
  public static let kept = 8

  private var file: File
  private var size: Int64
  private var writer = JSONWriter(reserving: 256)
  private var isTorn = false
  private var lost = 0
  /// Of the line written last.
  public private(set) var sequence: Int64
  /// Stands in every line from now on.
  public var state: BreakerRule.State = .closed
  public var incident: String?
  /// How many milliseconds ago the outputs in a window were made, the earliest first: stands in the lines of
  /// `outputs` that tell of a trip, so that `midwatch replay` can judge it by other limits.
  public var births: [Int64] = []

  /// Opens the journal and ends a line that a crash left torn.
  ///
  /// - Throws: `EACCES`, `EROFS`, `ENOSPC`: without a journal nothing is watched.
  public init(in directory: borrowing Directory, last: Last) throws(Errno) {
    let file = try directory.appendingFile(Self.name, mode: 0o600)
    let size = try file.status().size
    if size > 0, let tail = try directory.file(Self.name).contents(from: size - 1, upTo: 1).first, tail != 0x0a {
      try file.write([0x0a])
    }
    self.file = file
    self.size = size
    sequence = last.sequence
    state = last.state
    incident = last.incident
  }

  /// Writes one line: `fields` adds the evidence.
  ///
  /// - Parameters:
  ///   - rule: the section of the configuration that decided.
  ///   - what: one word of what was done.
  ///   - say: the same in plain words, escaped.
  /// - Returns: the line's number; nil where it could not be written (a full disk).
  @discardableResult
  public mutating func line(
    _ rule: String, _ what: String, say: String, in directory: borrowing Directory,
    _ fields: (inout JSONWriter) -> Void = { _ in }
  ) -> Int64? {
    if size >= Self.sizeLimit { rotate(in: directory) }
    writer.reset()
    writer.beginObject()
    writer.field("v", 1)
    writer.field("seq", sequence + 1)
    writer.field("at", Clock.wall())
    writer.field("state", state.rawValue)
    if let incident { writer.field("incident", incident) }
    writer.field("rule", rule)
    writer.field("what", what)
    writer.field("say", say)
    if lost > 0 { writer.field("lines_lost_before", lost) }
    fields(&writer)
    if rule == "outputs", !births.isEmpty {
      writer.beginArray("births_ms")
      for birth in births { writer.integer(birth) }
      writer.endArray()
    }
    writer.endObject()
    writer.endLine()
    do throws(Errno) {
      if isTorn { try file.write([0x0a]) }
      isTorn = false
      try file.write(writer.bytes)
    } catch {
      isTorn = true
      lost += 1
      return nil
    }
    lost = 0
    size += Int64(writer.bytes.count)
    sequence += 1
    return sequence
  }

  /// journal.jsonl -> journal.1.jsonl -> ... A crash in between leaves a gap, never a half.
  private mutating func rotate(in directory: borrowing Directory) {
    for number in (1..<Self.kept).reversed() {
      try? directory.renameOver(Self.rotated(number), to: Self.rotated(number + 1))
    }
    guard (try? directory.renameOver(Self.name, to: Self.rotated(1))) != nil,
      let fresh = try? directory.appendingFile(Self.name, mode: 0o600)
    else { return }
    file = fresh
    size = 0
  }

  static func rotated(_ number: Int) -> Path { Path("journal.\(number).jsonl") }

  /// What the last whole line says, in the newest file that has one.
  public static func last(in directory: borrowing Directory) -> Last {
    for name in [Self.name, rotated(1)] {
      guard let file = try? directory.file(name), let size = try? file.status().size else { continue }
      // Reaped locks stand in the journal with their content, escaped: 64 KiB can become 260.
      var window: Int64 = 4096
      while true {
        let start = max(0, size - window)
        let bytes = (try? file.contents(from: start, upTo: Int(size - start))) ?? []
        if let last = lastLine(in: bytes, wholeFile: start == 0) { return last }
        if start == 0 || window > 1 << 20 { break }
        window *= 16
      }
    }
    return Last()
  }

  private static func lastLine(in bytes: [UInt8], wholeFile: Bool) -> Last? {
    var lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: true)
    if !wholeFile { lines = Array(lines.dropFirst()) }
    for line in lines.reversed() {
      guard let json = JSON(Array(line)), let sequence = json["seq"]?.integer, sequence >= 0 else { continue }
      return Last(
        sequence: sequence, state: json["state"]?.string.flatMap(BreakerRule.State.init(rawValue:)) ?? .closed,
        incident: json["incident"]?.string)
    }
    return nil
  }
}
