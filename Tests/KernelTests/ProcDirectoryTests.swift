import Glibc
import Testing

@testable import Kernel

@Suite struct ProcDirectoryTests {
  private func text(_ buffer: borrowing ReadBuffer) -> String { String(decoding: Path(buffer.bytes).bytes, as: UTF8.self) }

  @Test(arguments: [0, 7, 10, 4711, 1_000_000_000, .max] as [Int32])
  func aShortPathIsWrittenOut(number: Int32) {
    #expect(ShortPath(number).withCString { String(cString: $0) } == "\(number)")
    #expect(ShortPath(number, "net/tcp6").withCString { String(cString: $0) } == "\(number)/net/tcp6")
  }

  @Test func aProcesssFilesAndLinks() throws {
    let proc = try Directory(Path("/proc"))
    var buffer = ReadBuffer(capacity: 65_536)
    try proc.read(ShortPath(Own.pid, "stat"), into: &buffer)
    #expect(text(buffer).hasPrefix("\(getpid()) ("))
    try proc.readLink(ShortPath(Own.pid, "ns/pid"), into: &buffer)
    #expect(text(buffer).hasPrefix("pid:["))
    #expect(refusal { try proc.readLink(ShortPath(Own.pid, "stat"), into: &buffer) } == .invalid)
    #expect(buffer.bytes.byteCount == 0)
    #expect(refusal { try proc.read(ShortPath(0x3fff_ffff, "stat"), into: &buffer) } == .noEntry)
    var little = ReadBuffer(capacity: 5)
    try proc.readLink(ShortPath(Own.pid, "ns/pid"), into: &little)
    #expect(text(little) == "pid:[")
  }

  @Test func whatADescriptorMayDoIsInItsMode() throws {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    let descriptors = try DirectoryListing(ShortPath(Own.pid, "fd"), in: Directory(Path("/proc")))
    #expect(try descriptors.mode(of: ShortPath(ends[0])) & 0o600 == 0o400)
    #expect(try descriptors.mode(of: ShortPath(ends[1])) & 0o600 == 0o200)
    var entries = ReadBuffer(capacity: 32_768)
    var link = ReadBuffer(capacity: 4096)
    var found: [String] = []
    while try descriptors.read(into: &entries) {
      var cursor = DirectoryEntries(entries.bytes)
      while let entry = cursor.next() {
        guard let number = entry.number, ends.contains(number) else { continue }
        try descriptors.readLink(ShortPath(number), into: &link)
        found.append(text(link))
      }
    }
    #expect(found.count == 2)
    #expect(found.allSatisfy { $0.hasPrefix("pipe:[") })
    #expect(Set(found).count == 1)
  }

  @Test func aPipeTellsWhetherSomebodyHasItsOtherEnd() throws {
    let proc = try Directory(Path("/proc"))
    for writing in [false, true] {
      var ends: [Int32] = [-1, -1]
      try #require(pipe(&ends) == 0)
      let (own, other) = writing ? (ends[1], ends[0]) : (ends[0], ends[1])
      let path = ShortPath(Own.pid, "fd/\(own)")
      #expect(try proc.hasOtherEnd(path, writing: writing))
      // Full or not.
      if !writing { _ = write(ends[1], "x", 1) }
      close(other)
      #expect(try proc.hasOtherEnd(path, writing: writing) == false)
      close(own)
    }
    // A number that no descriptor bears: one that was just closed may be another test's by now.
    #expect(refusal { _ = try proc.hasOtherEnd(ShortPath(Own.pid, "fd/\(Int32.max)"), writing: false) } == .noEntry)
  }
}
