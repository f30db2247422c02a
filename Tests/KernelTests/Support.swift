import Glibc
import Testing

@testable import Kernel

/// A directory of a test's own, removed when the test lets go of it.
final class Place: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/midwatch-kernel-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Errno.last }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { remove(path) }

  func open() throws -> Directory { try Directory(Path(path)) }

  func write(_ name: String, _ text: String = "") throws {
    try open().makeFile(Path(name), mode: 0o644).write(Array(text.utf8))
  }

  func makeDirectory(_ name: String) throws { try open().makeDirectory(Path(name), mode: 0o755) }

  func link(_ name: String, to target: String) throws { try open().makeSymlink(Path(name), to: Array(target.utf8)) }

  func names() throws -> [String] {
    var names: [String] = []
    var buffer = ReadBuffer(capacity: 4096)
    let listing = try DirectoryListing(try open())
    while try listing.read(into: &buffer) {
      var entries = DirectoryEntries(buffer.bytes)
      while let entry = entries.next() { names.append(String(decoding: Path(entry.name).bytes, as: UTF8.self)) }
    }
    return names.sorted()
  }

  func read(_ name: String) throws -> String {
    String(decoding: try open().file(Path(name)).contents(upTo: 1 << 16), as: UTF8.self)
  }

  private func remove(_ path: String) {
    if unlink(path) == 0 || rmdir(path) == 0 { return }
    guard let directory = opendir(path) else { return }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { remove(path + "/" + name) }
    }
    closedir(directory)
    rmdir(path)
  }
}

/// Numbers that are the same in every run.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    // SplitMix64.
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

/// The error of a call that is to fail; nil where it did not.
func refusal(_ body: () throws -> Void) -> Errno? {
  do { try body() } catch { return error as? Errno }
  return nil
}
