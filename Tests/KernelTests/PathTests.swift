import Testing

@testable import Kernel

@Suite struct PathTests {
  @Test(arguments: [
    ("/a/b", "/a", "b"), ("/a", "/", "a"), ("a", ".", "a"), ("a/b/c", "a/b", "c"), ("/", "/", ""), ("a/", "a", ""),
    ("", ".", ""),
    ("//a", "/", "a"), ("../a", "..", "a"),
  ])
  func splittingCutsAtTheLastSlash(_ path: String, _ parent: String, _ name: String) {
    let split = Path(path).split
    #expect(split.parent == Path(parent))
    #expect(split.name == Path(name))
  }

  @Test(arguments: [
    ("/a", "b", "/a/b"), ("/", "b", "/b"), ("", "b", "b"), ("a/", "b", "a/b"), ("/a", "b/c", "/a/b/c"), ("a", "", "a/"),
  ])
  func appendingPutsOneSlash(_ path: String, _ component: String, _ result: String) {
    #expect(Path(path).appending(component) == Path(result))
    #expect(Path(path).appending(Path(component)) == Path(result))
  }

  @Test(arguments: [
    ("/a", "/a", true), ("/a", "/a/b", true), ("/a", "/ab", false), ("/a/b", "/a", false), ("/", "/a", true),
    ("/", "/", true),
    ("/", "a", false), ("a", "a/b", true), ("a", "/b", false), ("", "/b", false), ("/a", "", false),
  ])
  func containingIsByComponents(_ path: String, _ other: String, _ contains: Bool) {
    #expect(Path(path).contains(Path(other)) == contains)
  }

  @Test func bytesStayAsTheyAre() throws {
    let name = [UInt8](1...255)
    let path = try #require(Path(bytes: name))
    #expect(path.bytes == name)
    #expect(path.count == 255)
    #expect(path.span.byteCount == 255)
    #expect(Path(path.span) == path)
    #expect(Path(bytes: [1, 0, 2]) == nil)
    #expect(Path(bytes: []) == .empty)
    #expect(Path.empty.isEmpty)
  }

  @Test func textEndsAtANUL() {
    #expect(Path("a\0b") == Path("a"))
    #expect(Path("é").bytes == [0xc3, 0xa9])
  }

  @Test func emptyingKeepsItAPath() {
    var path = Path("/a/b")
    path.removeAll()
    #expect(path == .empty)
    path.append(Path("c").span)
    #expect(path == Path("c"))
  }

  @Test func aRelativePathIsCountedFromHere() throws {
    #expect(absolute("/a/../b") == "/a/../b")
    let here = absolute(".")
    #expect(here.hasPrefix("/"))
    #expect(absolute("") == here)
    #expect(absolute("./a") == here + (here == "/" ? "a" : "/a"))
    #expect(absolute("a/b") == here + (here == "/" ? "a/b" : "/a/b"))
  }

  @Test func everySymlinkIsResolved() throws {
    let place = try Place()
    try place.makeDirectory("real")
    try place.link("link", to: "real")
    try place.link("loop", to: "loop")
    #expect(try realPath(Path("\(place.path)/link/../link")) == Path("\(place.path)/real"))
    #expect(refusal { _ = try realPath(Path("\(place.path)/none")) } == .noEntry)
    #expect(refusal { _ = try realPath(Path("\(place.path)/loop")) } == .loop)
    #expect(refusal { _ = try realPath(Path("")) } == .noEntry)
  }
}
