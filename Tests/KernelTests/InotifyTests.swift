import Glibc
import Testing

@testable import Kernel

@Suite struct InotifyTests {
  private struct Seen: Equatable {
    var watch: Int32
    var mask: Inotify.Mask
    var name: String
  }

  private static let all: Inotify.Mask = [
    .create, .delete, .movedFrom, .movedTo, .closeWrite, .modify, .attributes, .deleteSelf, .moveSelf,
  ]

  /// All that is in the queue: inotify puts a record there before the call that caused it returns.
  private func drain(_ inotify: borrowing Inotify, capacity: Int = 4096) throws -> (seen: [Seen], cookies: [UInt32]) {
    var (seen, cookies): ([Seen], [UInt32]) = ([], [])
    var buffer = ReadBuffer(capacity: capacity)
    while try inotify.read(into: &buffer) {
      var events = InotifyEvents(buffer.bytes)
      while let event = events.next() {
        seen.append(
          Seen(watch: event.watch, mask: event.mask, name: String(decoding: Path(event.name).bytes, as: UTF8.self)))
        cookies.append(event.cookie)
      }
    }
    return (seen, cookies)
  }

  @Test func anEmptyQueueIsNoError() throws {
    let inotify = try Inotify()
    var buffer = ReadBuffer(capacity: 4096)
    #expect(try !inotify.read(into: &buffer))
    #expect(buffer.bytes.byteCount == 0)
  }

  @Test func aNamesLifeIsToldInOrder() throws {
    let place = try Place()
    let inotify = try Inotify()
    let watch = try inotify.watch(place.open(), for: Self.all)
    try place.write("a", "text")
    try place.open().renameOver(Path("a"), to: Path("b"))
    try place.open().unlink(Path("b"))
    try place.makeDirectory("d")
    let (seen, cookies) = try drain(inotify)
    #expect(
      seen == [
        Seen(watch: watch, mask: .create, name: "a"), Seen(watch: watch, mask: .attributes, name: "a"),
        Seen(watch: watch, mask: .modify, name: "a"), Seen(watch: watch, mask: .closeWrite, name: "a"),
        Seen(watch: watch, mask: .movedFrom, name: "a"), Seen(watch: watch, mask: .movedTo, name: "b"),
        Seen(watch: watch, mask: .delete, name: "b"), Seen(watch: watch, mask: [.create, .isDirectory], name: "d"),
      ])
    #expect(cookies[4] != 0 && cookies[4] == cookies[5])
    #expect(cookies.enumerated().allSatisfy { $0.offset == 4 || $0.offset == 5 || $0.element == 0 })
  }

  /// An exchange is two moves in each direction, each with its pair.
  @Test func anExchangeIsToldAsMoves() throws {
    let place = try Place()
    try place.write("a")
    try place.write("b")
    let inotify = try Inotify()
    _ = try inotify.watch(place.open(), for: Self.all)
    try place.open().exchange(Path("a"), Path("b"))
    let (seen, cookies) = try drain(inotify)
    #expect(seen.map(\.mask) == [.movedFrom, .movedTo, .movedFrom, .movedTo])
    #expect(seen.map(\.name) == ["a", "b", "b", "a"])
    #expect(cookies[0] == cookies[1] && cookies[2] == cookies[3] && cookies[0] != cookies[2])
  }

  /// The watch is on the directory that is held, whatever bears its name by now.
  @Test func theWatchIsOnTheDirectoryAndNotOnItsName() throws {
    let place = try Place()
    try place.makeDirectory("a")
    try place.makeDirectory("b")
    let held = try place.open().directory(Path("a"))
    try place.open().exchange(Path("a"), Path("b"))
    let inotify = try Inotify()
    let watch = try inotify.watch(held, for: Self.all)
    try place.write("a/wrong")
    try place.write("b/right")
    #expect(try drain(inotify).seen.allSatisfy { $0 == Seen(watch: watch, mask: $0.mask, name: "right") })
  }

  @Test func theSameDirectoryHasOneWatchAndTheLastMask() throws {
    let place = try Place()
    let inotify = try Inotify()
    let watch = try inotify.watch(place.open(), for: Self.all)
    #expect(try inotify.watch(place.open(), for: .delete) == watch)
    try place.write("a")
    #expect(try drain(inotify).seen.isEmpty)
    try place.open().unlink(Path("a"))
    #expect(try drain(inotify).seen == [Seen(watch: watch, mask: .delete, name: "a")])
  }

  @Test func theEndOfADirectoryIsTold() throws {
    let place = try Place()
    try place.makeDirectory("a")
    try place.makeDirectory("b")
    let inotify = try Inotify()
    let watch = try inotify.watch(place.open().directory(Path("a")), for: [.deleteSelf, .moveSelf])
    try place.open().renameOver(Path("a"), to: Path("c"))
    try place.open().removeDirectory(Path("c"))
    #expect(
      try drain(inotify).seen == [
        Seen(watch: watch, mask: .moveSelf, name: ""), Seen(watch: watch, mask: .deleteSelf, name: ""),
        Seen(watch: watch, mask: .ignored, name: ""),
      ])
    // A watch that is gone by itself, and one that never was, are no error.
    inotify.unwatch(watch)
    inotify.unwatch(4711)
    let other = try inotify.watch(place.open().directory(Path("b")), for: Self.all)
    inotify.unwatch(other)
    try place.write("b/file")
    #expect(try drain(inotify).seen == [Seen(watch: other, mask: .ignored, name: "")])
  }

  @Test func namesOfAnyBytesComeAsTheyAre() throws {
    let place = try Place()
    let inotify = try Inotify()
    _ = try inotify.watch(place.open(), for: .create)
    let names: [[UInt8]] = [
      [UInt8](repeating: 0xff, count: 255), [0x0a], Array(repeating: 0x20, count: 15),
      Array(repeating: 0x41, count: 16),
    ]
    for name in names { _ = try place.open().makeFile(#require(Path(bytes: name)), mode: 0o600) }
    var buffer = ReadBuffer(capacity: 4096)
    #expect(try inotify.read(into: &buffer))
    var events = InotifyEvents(buffer.bytes)
    var read: [[UInt8]] = []
    while let event = events.next() { read.append(Path(event.name).bytes) }
    #expect(read == names)
  }

  @Test func aSmallBufferTakesTheQueueInPieces() throws {
    let place = try Place()
    let inotify = try Inotify()
    _ = try inotify.watch(place.open(), for: .create)
    let names = (0..<100).map { "name-\($0)" }
    for name in names { try place.write(name) }
    #expect(try drain(inotify, capacity: 300).seen.map(\.name) == names)
    // Not even one record fits: an error, and never an endless loop.
    try place.write("more")
    var buffer = ReadBuffer(capacity: 16)
    #expect(refusal { _ = try inotify.read(into: &buffer) } == .invalid)
  }

  @Test func epollTellsOfTheQueue() throws {
    let place = try Place()
    let inotify = try Inotify()
    var epoll = try Epoll()
    try inotify.register(with: epoll, key: 42)
    _ = try inotify.watch(place.open(), for: .create)
    #expect(try epoll.wait(milliseconds: 0) == 0)
    try place.write("a")
    #expect(try epoll.wait(milliseconds: -1) == 1)
    #expect(epoll.key(at: 0) == 42)
    _ = try drain(inotify)
    #expect(try epoll.wait(milliseconds: 0) == 0)
  }
}
