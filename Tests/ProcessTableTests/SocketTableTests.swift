import ProcessTable
import Testing

@Suite struct SocketTableTests {
  static let four = """
      sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
       0: 0100007F:2406 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41001 1 0000000000000000 100 0 0 10 0
       1: 0100007F:2406 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 41002 1 0000000000000000 20 4 30 10 -1
       2: 0100007F:D431 0100007F:2406 01 00000000:00000000 00:00000000 00000000  1000        0 41003 2 0000000000000000 20 0 0 10 -1
      33: 0100007F:A000 0100007F:2406 06 00000000:00000000 03:00000F5A 00000000     0        0 0 3 0000000000000000

    """
  static let six = """
      sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
       0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 52001 1 0000000000000000 100 0 0 10 0
       1: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:D432 01 00000000:00000000 00:00000000 00000000     0        0 18446744073709551615 1 0000000000000000 20 4 30 10 -1

    """

  func read(_ bytes: [UInt8]) -> [TCPSocket] {
    var found: [TCPSocket] = []
    var table = SocketTable(bytes.span.bytes)
    while let socket = table.next() { found.append(socket) }
    return found
  }

  func local(_ port: UInt16) -> TCPSocket.End { TCPSocket.End(high: 0, low: 0xFFFF_0000_0100_007F, port: port) }

  @Test func bothEndsOfAConnection() {
    let sockets = read(Array(Self.four.utf8))
    #expect(
      sockets == [
        TCPSocket(
          local: local(0x2406), remote: TCPSocket.End(high: 0, low: 0xFFFF_0000_0000_0000, port: 0), state: .listening,
          inode: 41001),
        TCPSocket(local: local(0x2406), remote: local(0xD431), state: .established, inode: 41002),
        TCPSocket(local: local(0xD431), remote: local(0x2406), state: .established, inode: 41003),
        TCPSocket(local: local(0xA000), remote: local(0x2406), state: .init(rawValue: 6), inode: 0),
      ])
  }

  @Test func anIPv4ConnectionIsTheSameInBothTables() {
    let sockets = read(Array(Self.six.utf8))
    #expect(sockets.count == 2)
    #expect(sockets.first?.local == TCPSocket.End(high: 0, low: 0x0100_0000, port: 8080))
    #expect(sockets.last == TCPSocket(local: local(8080), remote: local(0xD432), state: .established, inode: .max))
  }

  @Test(arguments: [
    "", "\n", "0: 0100007F 00000000:0000 0A", "0: 0100007F:2406 00000000:0000 0A 0:0 0:0 0 0 0 41001",
    "0: 0100007:2406 00000000:0000 0A 0:0 0:0 0 0 0 1 1", "0: 0100007F:24066 00000000:0000 0A 0:0 0:0 0 0 0 1 1",
    "0: 0100007F:2406 00000000:0000 0A 0:0 0:0 0 0 0 x 1",
    "0: 000000000000000000000000000000001:2406 00000000:0000 0A 0:0 0:0 0 0 0 1 1",
  ])
  func whatIsNoSocket(line: String) { #expect(read(Array(line.utf8)).isEmpty) }

  @Test func aTableCutShortNamesNoOtherSocket() {
    for text in [Self.four, Self.six] {
      let bytes = Array(text.utf8)
      let whole = Set(read(bytes))
      for count in 0..<bytes.count { #expect(whole.isSuperset(of: read(Array(bytes[..<count])))) }
    }
  }

  @Test func damagedTablesAreNeverFatal() {
    var random = Seeded(12)
    for _ in 0..<2_000 {
      _ = read(mutated(Array(Self.four.utf8), with: &random))
      _ = read(mutated(Array(Self.six.utf8), with: &random))
    }
  }
}

@Suite struct DescriptorLinkTests {
  func read(_ text: String) -> DescriptorLink {
    let bytes = Array(text.utf8)
    return DescriptorLink(bytes.span.bytes)
  }

  @Test func socketsAndPipes() {
    #expect(read("socket:[41001]") == .socket(inode: 41001))
    #expect(read("pipe:[18446744073709551615]") == .pipe(inode: .max))
  }

  @Test(arguments: [
    "", "/dev/null", "socket:[]", "socket:[1", "socket:[1]x", "pipe:[99999999999999999999]", "/tmp/socket:[1]", " socket:[1] ",
    "anon_inode:[eventpoll]", "pipe:[-1]",
  ])
  func everythingElse(text: String) { #expect(read(text) == .other) }
}
