import Glibc
import Testing

@testable import Kernel

/// What sock_diag(7) answers, as bytes and from the kernel itself.
@Suite struct SocketPeersTests {
  private func bytes<T: FixedWidthInteger>(_ number: T) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }

  private func message(_ type: UInt16, _ body: [UInt8]) -> [UInt8] {
    let length = 16 + body.count
    return bytes(UInt32(length)) + bytes(type) + bytes(UInt16(2)) + bytes(UInt32(1)) + bytes(UInt32(77)) + body
      + [UInt8](repeating: 0, count: (length + 3) / 4 * 4 - length)
  }

  private func attribute(_ type: UInt16, _ body: [UInt8]) -> [UInt8] {
    bytes(UInt16(4 + body.count)) + bytes(type) + body
      + [UInt8](repeating: 0, count: (body.count + 3) / 4 * 4 - body.count)
  }

  private func socket(_ inode: UInt32, _ attributes: [UInt8]) -> [UInt8] {
    message(20, [1, 1, 1, 0] + bytes(inode) + bytes(UInt64(0x1122_3344_5566_7788)) + attributes)
  }

  private func read(_ bytes: [UInt8]) -> (messages: [UnixSocketMessages.Message], wasWhole: Bool) {
    var found: [UnixSocketMessages.Message] = []
    var messages = UnixSocketMessages(bytes.span.bytes)
    while let message = messages.next() { found.append(message) }
    return (found, messages.wasWhole)
  }

  @Test func everyMessageIsReadAsItWasWritten() {
    let answer =
      socket(7, attribute(0, [0x61, 0x62, 0x63]) + attribute(2, bytes(UInt32(8))))
      + socket(9, [])
      + socket(10, attribute(2, bytes(UInt32(0))))
      // Another family's, and nothing at all.
      + message(20, [16, 1, 1, 0] + bytes(UInt32(5)) + bytes(UInt64(0))) + message(1, [])
      + message(3, bytes(Int32(0)))
    let (messages, wasWhole) = read(answer)
    #expect(messages == [.socket(inode: 7, peer: 8), .socket(inode: 9, peer: 0), .socket(inode: 10, peer: 0), .done])
    #expect(wasWhole)
  }

  @Test func whatTheKernelRefuses() {
    #expect(read(message(2, bytes(Int32(-2)) + [UInt8](repeating: 0, count: 16))).messages == [.failed(2)])
    #expect(read(message(3, bytes(Int32(-12)))).messages == [.failed(12)])
    #expect(read(message(3, [])).messages == [.done])
    #expect(read(message(2, [])).messages == [.failed(EIO)])
    #expect(read(message(2, bytes(Int32.min))).messages == [.failed(EIO)])
  }

  @Test func whatIsCutShortNamesNobody() {
    let whole = socket(7, attribute(2, bytes(UInt32(8))))
    for count in 1..<whole.count {
      let (messages, wasWhole) = read(Array(whole[..<count]))
      #expect(messages.isEmpty && !wasWhole)
    }
    for length in [0, 15, 17, UInt32(whole.count + 1), .max] {
      #expect(read(bytes(length) + whole[4...]).wasWhole == false)
    }
    // An attribute that is too long, too short, or has no peer in it.
    for attribute in [
      bytes(UInt16(9)) + bytes(UInt16(2)) + bytes(UInt32(8)), bytes(UInt16(3)) + bytes(UInt16(2)), attribute(2, [1]),
    ] {
      let (messages, wasWhole) = read(socket(7, attribute))
      #expect(messages.isEmpty && !wasWhole)
    }
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func whateverComesTheDecoderEnds(seed: UInt64) {
    var random = Seeded(seed)
    for _ in 0..<2000 {
      var answer: [UInt8] = []
      for _ in 0..<Int.random(in: 0...5, using: &random) {
        answer += socket(.random(in: 0...99, using: &random), attribute(2, bytes(UInt32.random(in: 0...99, using: &random))))
      }
      for _ in 0..<Int.random(in: 0...4, using: &random) where !answer.isEmpty {
        let place = Int.random(in: 0..<answer.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: answer[place] = .random(in: 0...255, using: &random)
        case 1: answer.removeLast(answer.count - place)
        case 2: answer.insert(0xff, at: place)
        default: answer.remove(at: place)
        }
      }
      #expect(read(answer).messages.count <= answer.count / 16)
    }
  }

  private func inode(_ descriptor: Int32) throws -> UInt64 {
    var status = Glibc.stat()
    try #require(fstat(descriptor, &status) == 0)
    return UInt64(status.st_ino)
  }

  @Test func theKernelNamesTheOtherEndUntilItIsClosed() throws {
    var pair: [Int32] = [-1, -1]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    let (one, other) = (try inode(pair[0]), try inode(pair[1]))
    #expect(try SocketPeers.of([one, other]) == [one: other, other: one])
    close(pair[1])
    #expect(try SocketPeers.of([one]) == [one: 0])
    close(pair[0])
    #expect(try SocketPeers.of([one]) == [:])
  }

  @Test func aSocketThatWasNeverConnectedHasNobody() throws {
    let alone = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let internet = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer {
      close(alone)
      close(internet)
    }
    let (one, other) = (try inode(alone), try inode(internet))
    #expect(try SocketPeers.of([one, other]) == [one: 0])
  }

  @Test func thousandsOfSocketsComeInManyPieces() throws {
    var pairs: [(Int32, Int32)] = []
    defer {
      for (one, other) in pairs {
        close(one)
        close(other)
      }
    }
    var wanted: [UInt64: UInt64] = [:]
    for _ in 0..<2_000 {
      var pair: [Int32] = [-1, -1]
      guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &pair) == 0 else { break }
      pairs.append((pair[0], pair[1]))
      wanted[try inode(pair[0])] = try inode(pair[1])
    }
    #expect(wanted.count > 100)
    #expect(try SocketPeers.of(Set(wanted.keys)) == wanted)
  }
}
