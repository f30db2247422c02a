import Glibc
import Rules
import Testing

@testable import Kernel

@Suite struct DirectoryChangesTests {
  @Test func exchangingSwapsTwoNamesOfAnyKind() throws {
    let place = try Place()
    let directory = try place.open()
    try place.write("file", "text")
    try place.link("link", to: "nowhere")
    try place.makeDirectory("directory")
    let before = (
      try directory.status(of: Path("file")).identity, try directory.status(of: Path("link")).identity,
      try directory.status(of: Path("directory")).identity
    )
    try directory.exchange(Path("file"), Path("link"))
    try directory.exchange(Path("link"), Path("directory"))
    #expect(try directory.status(of: Path("file")).identity == before.1)
    #expect(try directory.status(of: Path("directory")).identity == before.0)
    #expect(try directory.status(of: Path("link")).identity == before.2)
    #expect(try place.names() == ["directory", "file", "link"])
  }

  @Test func exchangingWithNothingChangesNothing() throws {
    let place = try Place()
    try place.write("a", "text")
    #expect(refusal { try place.open().exchange(Path("a"), Path("none")) } == .noEntry)
    #expect(refusal { try place.open().exchange(Path("none"), Path("a")) } == .noEntry)
    #expect(try place.names() == ["a"])
  }

  @Test func aNameThatIsTakenIsNotTakenAway() throws {
    let place = try Place()
    let directory = try place.open()
    try place.write("new", "new")
    try place.write("file", "old")
    try place.link("dangling", to: "nowhere")
    try place.makeDirectory("directory")
    for name in ["file", "dangling", "directory"] {
      #expect(refusal { try directory.renameNew(Path("new"), to: Path(name)) } == .exists)
      #expect(refusal { try directory.link(Path("new"), as: Path(name)) } == .exists)
      #expect(refusal { _ = try directory.makeFile(Path(name), mode: 0o600) } == .exists)
      #expect(refusal { try directory.makeSymlink(Path(name), to: [0x78]) } == .exists)
      #expect(refusal { try directory.makeDirectory(Path(name), mode: 0o700) } == .exists)
    }
    #expect(try place.read("file") == "old")
    try directory.renameNew(Path("new"), to: Path("free"))
    #expect(try place.names() == ["dangling", "directory", "file", "free"])
    try directory.renameOver(Path("free"), to: Path("file"))
    #expect(try place.read("file") == "new")
  }

  @Test func aLinkIsASecondNameOfTheSameFile() throws {
    let place = try Place()
    let directory = try place.open()
    try place.write("file", "text")
    try place.link("symlink", to: "file")
    try place.makeDirectory("below")
    try directory.link(Path("file"), as: Path("second"))
    try directory.link(Path("file"), into: directory.directory(Path("below")), as: Path("third"))
    // A symlink's second name is a symlink: it is not followed.
    try directory.link(Path("symlink"), as: Path("symlink-2"))
    #expect(try directory.status(of: Path("second")).identity == directory.status(of: Path("file")).identity)
    #expect(try directory.status(of: Path("file")).links == 3)
    #expect(try directory.status(of: Path("symlink-2")).kind == .symlink)
    #expect(refusal { try directory.link(Path("below"), as: Path("no")) } == .notPermitted)
  }

  @Test func movingGoesIntoTheDirectoryThatIsHeld() throws {
    let place = try Place()
    let directory = try place.open()
    try place.makeDirectory("to")
    try place.write("file", "text")
    let to = try directory.directory(Path("to"))
    try directory.renameOver(Path("to"), to: Path("elsewhere"))
    try directory.move(Path("file"), into: to, as: Path("moved"))
    #expect(try place.read("elsewhere/moved") == "text")
  }

  @Test func onlyWhatIsEmptyIsRemoved() throws {
    let place = try Place()
    let directory = try place.open()
    try place.makeDirectory("full")
    try place.write("full/file")
    #expect(refusal { try directory.removeDirectory(Path("full")) } == .notEmpty)
    #expect(refusal { try directory.unlink(Path("full")) } == .isDirectory)
    #expect(refusal { try directory.removeDirectory(Path("full/file")) } == .notDirectory)
    #expect(refusal { try directory.unlink(Path("none")) } == .noEntry)
  }

  @Test func aSymlinkIsUnlinkedAndNotWhatItLeadsTo() throws {
    let place = try Place()
    try place.write("file")
    try place.link("link", to: "file")
    try place.open().unlink(Path("link"))
    #expect(try place.names() == ["file"])
  }

  @Test func theModeIsTheOneAskedForWhateverTheUmask() async {
    await #expect(processExitsWith: .success) {
      umask(0o777)
      let place = try Place()
      chmod(place.path, 0o700)
      let directory = try place.open()
      _ = try directory.makeFile(Path("HALT"), mode: 0o644)
      let mode = try directory.status(of: Path("HALT")).mode
      exit(mode == 0o644 ? 0 : 1)
    }
  }

  @Test func appendingAddsToWhatIsThere() throws {
    let place = try Place()
    let directory = try place.open()
    for text in ["one\n", "two\n"] { try directory.appendingFile(Path("journal"), mode: 0o600).write(Array(text.utf8)) }
    #expect(try place.read("journal") == "one\ntwo\n")
    try place.link("link", to: "journal")
    #expect(refusal { _ = try directory.appendingFile(Path("link"), mode: 0o600) } == .loop)
    #expect(refusal { _ = try directory.lockFile(Path("link"), mode: 0o600) } == .loop)
  }

  @Test(
    arguments: [
      (-1_500_000_001, 0), (-1, 1), (0, 999_999_999), (1_700_000_000_123_456_789, -2_000_000_000),
    ] as [(Int64, Int64)])
  func timesComeBackAsTheyWereSet(accessed: Int64, modified: Int64) throws {
    let place = try Place()
    let directory = try place.open()
    try place.link("link", to: "nowhere")
    let times = (WallTime(nanoseconds: accessed), WallTime(nanoseconds: modified))
    try directory.setTimes(of: Path("link"), accessed: times.0, modified: times.1)
    let status = try directory.status(of: Path("link"))
    #expect(status.accessed == times.0)
    #expect(status.modified == times.1)
  }

  @Test func ownerAndModeAreTheLinksOwn() throws {
    let place = try Place()
    let directory = try place.open()
    try place.write("file")
    try place.link("link", to: "file")
    try place.makeDirectory("directory")
    try directory.setMode(ofDirectory: Path("directory"), to: 0o1711)
    #expect(try directory.status(of: Path("directory")).mode == 0o1711)
    guard Own.uid == 0 else {
      #expect(refusal { try directory.setOwner(of: Path("link"), to: 0, group: 0) } == .notPermitted)
      return
    }
    try directory.setOwner(of: Path("link"), to: 65534, group: 4321)
    let (link, file) = (try directory.status(of: Path("link")), try directory.status(of: Path("file")))
    #expect((link.owner, link.group) == (65534, 4321))
    #expect(file.owner == 0)
  }
}
