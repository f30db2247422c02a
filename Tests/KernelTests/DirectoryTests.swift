import Glibc
import Rules
import Testing

@testable import Kernel

/// What a relative path may lead to, and what it must never.
@Suite struct DirectoryTests {
  /// here/ with a/b/file; outside/ with file, beside it; links to both in every position.
  private func tree() throws -> Place {
    let place = try Place()
    for name in ["here", "here/a", "here/a/b", "outside"] { try place.makeDirectory(name) }
    try place.write("here/a/b/file", "inside")
    try place.write("outside/file", "outside")
    try place.link("here/out", to: "../outside")
    try place.link("here/absolute", to: place.path + "/outside")
    try place.link("here/in", to: "a")
    try place.link("here/a/in", to: "b")
    try place.link("here/a/b/link", to: "file")
    try place.link("here/dangling", to: "nowhere")
    try place.link("here/self", to: "self")
    try place.link("here/here", to: ".")
    return place
  }

  @Test(arguments: [
    "out/file", "in/b/file", "a/in/file", "here/a/b/file", "a/../in/b/file", "self/x", "dangling/x", "absolute/file",
  ])
  func noSymlinkIsFollowedOnTheWay(_ path: String) throws {
    let place = try tree()
    let here = try Directory(Path(place.path + "/here"))
    #expect(refusal { _ = try here.file(Path(path)) } == .loop)
    #expect(refusal { _ = try here.directory(Path(path)) } == .loop)
    #expect(refusal { _ = try here.peek(Path(path)) } == .loop)
    #expect(refusal { _ = try here.hold(Path(path)) } == .loop)
  }

  @Test(arguments: ["out", "absolute", "in", "a/b/link", "dangling", "self", "here"])
  func noSymlinkIsFollowedAtTheEnd(_ path: String) throws {
    let place = try tree()
    let here = try Directory(Path(place.path + "/here"))
    #expect(refusal { _ = try here.file(Path(path)) } == .loop)
    #expect(refusal { _ = try here.directory(Path(path)) } == .loop)
    #expect(try here.peek(Path(path)).kind == .symlink)
    #expect(try here.hold(Path(path)).status().kind == .symlink)
  }

  @Test(arguments: ["..", "../outside", "a/../../outside", "a/b/../../..", "/etc", "/", "a/b/../../../here"])
  func noPathLeadsOut(_ path: String) throws {
    let place = try tree()
    let here = try Directory(Path(place.path + "/here"))
    #expect(refusal { _ = try here.directory(Path(path)) } == .crossesDevice)
    #expect(refusal { _ = try here.file(Path(path)) } == .crossesDevice)
    #expect(refusal { _ = try here.peek(Path(path)) } == .crossesDevice)
    #expect(refusal { _ = try here.hold(Path(path)) } == .crossesDevice)
  }

  @Test func pathsThatStayInsideAreFine() throws {
    let place = try tree()
    let here = try Directory(Path(place.path + "/here"))
    #expect(try here.file(Path("a/b/file")).contents(upTo: 100) == Array("inside".utf8))
    #expect(try here.file(Path("a/b/../b/./file")).contents(upTo: 100) == Array("inside".utf8))
    let own = try here.status().identity
    #expect(try here.directory(Path("")).status().identity == own)
    #expect(try here.directory(Path("a/..")).status().identity == own)
    #expect(try here.hold(Path("a/..")).status().identity == own)
    #expect(try here.hold(Path("")).status().identity == own)
    #expect(refusal { _ = try here.directory(Path("none")) } == .noEntry)
    #expect(refusal { _ = try here.directory(Path("a/b/file")) } == .notDirectory)
    #expect(refusal { _ = try here.file(Path("a/b/file/x")) } == .notDirectory)
  }

  @Test func aSymlinkItselfIsHeldAndDescribed() throws {
    let place = try tree()
    let here = try Directory(Path(place.path + "/here"))
    for name in ["out", "absolute", "dangling", "self"] {
      let held = try here.hold(Path(name))
      #expect(try held.status().kind == .symlink)
      #expect(try held.status() == here.status(of: Path(name)))
    }
    #expect(try here.linkText(Path("dangling")) == Array("nowhere".utf8))
    #expect(try here.hold(Path("a/in")).status().kind == .symlink)
    #expect(refusal { _ = try here.linkText(Path("a")) } == .invalid)
  }

  @Test func aLongLinkIsReadWhole() throws {
    let place = try Place()
    let text = [UInt8](repeating: 0xff, count: 4095)
    try place.open().makeSymlink(Path("long"), to: text)
    #expect(try place.open().linkText(Path("long")) == text)
    #expect(refusal { try place.open().makeSymlink(Path("nul"), to: [1, 0]) } == .invalid)
    #expect(refusal { try place.open().makeSymlink(Path("empty"), to: []) } == .noEntry)
  }

  /// /proc/PID/root and the like lead anywhere.
  @Test func noMagicLinkIsFollowed() throws {
    let proc = try Directory(Path("/proc/\(getpid())"))
    #expect(refusal { _ = try proc.directory(Path("root/etc")) } == .loop)
    #expect(refusal { _ = try proc.directory(Path("cwd/x")) } == .loop)
    #expect(refusal { _ = try proc.file(Path("exe")) } == .loop)
    // /proc/self is a symlink like any other.
    #expect(refusal { _ = try Directory(Path("/proc")).directory(Path("self/ns")) } == .loop)
  }

  @Test func aHeldInodeIsNotGivenAway() throws {
    let place = try Place()
    let directory = try place.open()
    try place.write("lock")
    let held = try directory.hold(Path("lock"))
    let status = try held.status()
    try directory.unlink(Path("lock"))
    for number in 0..<50 {
      try place.write("\(number)")
      #expect(try directory.status(of: Path("\(number)")).identity != status.identity)
    }
    #expect(try held.status().identity == status.identity)
    #expect(try held.status().links == 0)
  }

  /// Nobody writes into it, and whoever waits for that waits for ever.
  @Test func aFIFODoesNotKeepUsWaiting() throws {
    let place = try Place()
    #expect(mkfifo(place.path + "/fifo", 0o644) == 0)
    #expect(try place.open().file(Path("fifo")).status().kind == .other)
    #expect(refusal { _ = try place.open().file(Path("fifo")).contents(upTo: 10) } == Errno(rawValue: ESPIPE))
    #expect(try place.open().hold(Path("fifo")).status().kind == .other)
    // O_WRONLY | O_NONBLOCK: nobody reads it either.
    #expect(refusal { _ = try place.open().appendingFile(Path("fifo"), mode: 0o600) } == Errno(rawValue: ENXIO))
  }

  @Test func readingLeavesTheAccessTime() throws {
    let place = try Place()
    try place.write("file", "text")
    let directory = try place.open()
    let old = WallTime(seconds: 1_000_000_000, nanoseconds: 5)
    try directory.setTimes(of: Path("file"), accessed: old, modified: WallTime(seconds: 1_000_000_001, nanoseconds: 0))
    #expect(try directory.file(Path("file")).contents(upTo: 10) == Array("text".utf8))
    #expect(try directory.status(of: Path("file")).accessed == old)
  }

  @Test func theDirectoryStaysTheSameWhateverItsNameLeadsTo() throws {
    let place = try Place()
    try place.makeDirectory("a")
    try place.makeDirectory("b")
    try place.write("a/file", "a")
    try place.write("b/file", "b")
    let directory = try place.open().directory(Path("a"))
    try place.open().exchange(Path("a"), Path("b"))
    #expect(try directory.file(Path("file")).contents(upTo: 10) == Array("a".utf8))
  }

  @Test func everyNameIsListedOnce() throws {
    let place = try Place()
    let wanted = (0..<500).map { "name-\($0)-" + String(repeating: "x", count: $0 % 200) }
    for name in wanted { try place.write(name) }
    #expect(try place.names() == wanted.sorted())
  }

  @Test func aDirectoryThatIsGoneListsNothing() throws {
    let place = try Place()
    try place.makeDirectory("a")
    let directory = try place.open().directory(Path("a"))
    let listing = try DirectoryListing(directory)
    try place.open().removeDirectory(Path("a"))
    var buffer = ReadBuffer(capacity: 4096)
    #expect(refusal { _ = try listing.read(into: &buffer) } == .noEntry)
    #expect(refusal { _ = try directory.makeFile(Path("x"), mode: 0o600) } == .noEntry)
  }

  @Test func theIdentityBehindADescriptorIsTheFiles() throws {
    let place = try Place()
    try place.write("file")
    let file = try place.open().file(Path("file"))
    let open = try Directory(Path("/proc/\(getpid())/fd"))
    #expect(try open.identity(behind: Path("\(file.descriptor.number)")) == file.status().identity)
    #expect(refusal { _ = try open.identity(behind: Path("987654")) } == .noEntry)
  }
}
