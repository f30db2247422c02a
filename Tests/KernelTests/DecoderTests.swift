import Testing

@testable import Kernel

/// Records as the kernel writes them, cut, bent and made up. Nothing here may trap.
@Suite struct DecoderTests {
  private func bytes<T: FixedWidthInteger>(_ number: T) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }

  /// struct inotify_event, its name padded to a multiple of 16 as the kernel does.
  private func event(_ watch: Int32, _ mask: UInt32, _ cookie: UInt32, _ name: [UInt8]) -> [UInt8] {
    let padded = name.isEmpty ? 0 : (name.count / 16 + 1) * 16
    return bytes(watch) + bytes(mask) + bytes(cookie) + bytes(UInt32(padded)) + name
      + [UInt8](repeating: 0, count: padded - name.count)
  }

  /// struct linux_dirent64, padded to a multiple of 8, with rubbish behind the name's NUL.
  private func entry(_ name: [UInt8], _ type: UInt8, rubbish: UInt8 = 0x55) -> [UInt8] {
    let length = (19 + name.count + 1 + 7) / 8 * 8
    return bytes(UInt64(7)) + bytes(Int64(1)) + bytes(UInt16(length)) + [type] + name + [0]
      + [UInt8](repeating: rubbish, count: length - 20 - name.count)
  }

  private struct Event: Equatable {
    var watch: Int32
    var mask: UInt32
    var cookie: UInt32
    var name: [UInt8]
  }

  private func events(in bytes: [UInt8]) -> [Event] {
    var events: [Event] = []
    var cursor = InotifyEvents(bytes.span.bytes)
    while let event = cursor.next() {
      events.append(
        Event(watch: event.watch, mask: event.mask.rawValue, cookie: event.cookie, name: Path(event.name).bytes))
    }
    return events
  }

  private func entries(in bytes: [UInt8]) -> [(name: [UInt8], kind: DirectoryEntry.Kind)] {
    var entries: [(name: [UInt8], kind: DirectoryEntry.Kind)] = []
    var cursor = DirectoryEntries(bytes.span.bytes)
    while let entry = cursor.next() { entries.append((Path(entry.name).bytes, entry.kind)) }
    return entries
  }

  private static let names: [[UInt8]] = [
    [], Array("a".utf8), Array("fifteen-letters".utf8), Array("sixteen--letters".utf8),
    [UInt8](repeating: 0xff, count: 255),
    [0x0a, 0x1b, 0x20],
  ]

  @Test func everyInotifyRecordIsReadAsItWasWritten() {
    let wanted = Self.names.enumerated().map {
      Event(watch: Int32($0 + 1), mask: 1 << UInt32($0), cookie: UInt32($0) * 7, name: $1)
    }
    #expect(events(in: wanted.flatMap { event($0.watch, $0.mask, $0.cookie, $0.name) }) == wanted)
  }

  @Test func anInotifyRecordThatIsCutShortIsNone() {
    let whole = event(1, 2, 3, Array("name".utf8))
    for cut in 0..<whole.count { #expect(events(in: Array(whole[..<cut])).isEmpty) }
    for cut in 0..<whole.count { #expect(events(in: whole + whole[..<cut]).count == 1) }
    // A length past the end, and the largest there is.
    for length in [17, 1000, UInt32.max, UInt32(Int32.max)] {
      var bent = whole
      bent.replaceSubrange(12..<16, with: bytes(length))
      #expect(events(in: bent).isEmpty)
    }
  }

  @Test func everyDirectoryEntryIsReadAsItWasWritten() {
    let names = Self.names.filter { !$0.isEmpty }
    let kinds: [(UInt8, DirectoryEntry.Kind)] = [
      (8, .file), (4, .directory), (10, .symlink), (0, .unknown), (1, .other),
    ]
    let records =
      entry([0x2e], 4) + entry([0x2e, 0x2e], 4) + names.enumerated().flatMap { entry($1, kinds[$0 % kinds.count].0) }
    let read = entries(in: records)
    #expect(read.map(\.name) == names)
    #expect(read.map(\.kind) == names.indices.map { kinds[$0 % kinds.count].1 })
    // Names that only begin like the two.
    let dotted = ["...", "..a", ".a"].map { Array($0.utf8) }
    #expect(entries(in: dotted.flatMap { entry($0, 8) }).map(\.name) == dotted)
  }

  @Test func aDirectoryEntryThatIsCutShortIsNone() {
    let whole = entry(Array("name".utf8), 8)
    for cut in 0..<whole.count { #expect(entries(in: Array(whole[..<cut])).isEmpty) }
    for length in [0, 1, 19, UInt16(whole.count + 1), UInt16.max] {
      var bent = whole
      bent.replaceSubrange(16..<18, with: bytes(length))
      #expect(entries(in: bent).isEmpty)
    }
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func whateverComesTheDecodersEnd(seed: UInt64) {
    var random = Seeded(seed)
    for _ in 0..<2000 {
      var records: [UInt8] = []
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        let name = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        records +=
          Bool.random(using: &random)
          ? event(.random(in: -2...9, using: &random), .random(in: 0...UInt32.max, using: &random), 0, name)
          : entry(name, 8)
      }
      for _ in 0..<Int.random(in: 0...4, using: &random) where !records.isEmpty {
        let place = Int.random(in: 0..<records.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: records[place] = .random(in: 0...255, using: &random)
        case 1: records.removeLast(records.count - place)
        case 2: records.insert(0xff, at: place)
        default: records.remove(at: place)
        }
      }
      // Every record takes its part of the memory, so there cannot be more than fit.
      let seen = (events(in: records), entries(in: records))
      #expect(seen.0.count <= records.count / 16)
      #expect(seen.0.reduce(0) { $0 + $1.name.count } <= records.count)
      #expect(seen.1.count <= records.count / 20)
      #expect(seen.1.allSatisfy { !$0.name.contains(0) })
    }
  }
}
