/// One TCP socket, a line of `/proc/PID/net/tcp` or `tcp6`, proc_pid_net(5).
public struct TCPSocket: Hashable, Sendable {
  /// An address of either family and a port. An IPv4 address is the IPv6 one that it is mapped to, so that
  /// both ends of one connection compare, in whichever table they stand.
  public struct End: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64
    public let port: UInt16

    public init(high: UInt64, low: UInt64, port: UInt16) {
      self.high = high
      self.low = low
      self.port = port
    }
  }

  /// As linux/tcp_states.h numbers it.
  public struct State: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static var established: State { State(rawValue: 1) }
    public static var listening: State { State(rawValue: 10) }
  }

  public let local: End
  public let remote: End
  public let state: State
  /// 0 where no process has it open: closed on this side, or not yet accepted.
  public let inode: UInt64

  public init(local: End, remote: End, state: State, inode: UInt64) {
    self.local = local
    self.remote = remote
    self.state = state
    self.inode = inode
  }

  /// nil for the heading and for any line that is cut short.
  public init?(line: RawSpan) {
    var fields = FieldReader(line)
    fields.skipBlanks()
    guard fields.number() != nil, fields.take(0x3A),
      let local = End(&fields), let remote = End(&fields), let state = fields.hexadecimal(), state.digits == 2,
      // tx_queue:rx_queue, tr:tm->when, retrnsmt, uid, timeout
      fields.skipFields(5), let inode = fields.wholeNumber()
    else { return nil }
    self.init(local: local, remote: remote, state: State(rawValue: UInt8(truncatingIfNeeded: state.low)), inode: inode)
  }
}

/// Walks the lines of `/proc/PID/net/tcp` or `tcp6`; lines that are no sockets are passed over.
public struct SocketTable: ~Escapable {
  private var lines: FieldReader

  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) { lines = FieldReader(bytes) }

  /// The next socket; nil after the last.
  @_lifetime(self: copy self)
  public mutating func next() -> TCPSocket? {
    while let line = lines.line() {
      if let socket = TCPSocket(line: line) { return socket }
    }
    return nil
  }
}

extension TCPSocket.End {
  @_lifetime(reader: copy reader)
  fileprivate init?(_ reader: inout FieldReader) {
    guard let address = reader.hexadecimal(), reader.take(0x3A), let port = reader.hexadecimal(), port.digits == 4
    else { return nil }
    let number = UInt16(truncatingIfNeeded: port.low)
    switch address.digits {
    case 32: self.init(high: address.high, low: address.low, port: number)
    case 8:
      // The kernel prints each 32 bits of an address as it reads them, so ::ffff:0:0 depends on the machine.
      let mapped = UInt64(UInt32(bigEndian: 0xFFFF))
      self.init(high: 0, low: mapped << 32 | address.low, port: number)
    default: return nil
    }
  }
}

extension FieldReader {
  /// The hexadecimal digits that come next, at most 32 of them, as a number of 128 bits.
  @_lifetime(self: copy self)
  fileprivate mutating func hexadecimal() -> (high: UInt64, low: UInt64, digits: Int)? {
    skipBlanks()
    var (high, low): (UInt64, UInt64) = (0, 0)
    var digits = 0
    while let digit = current?.digit {
      guard digits < 32, let byte = current, take(byte) else { return nil }
      high = high << 4 | low >> 60
      low = low << 4 | UInt64(digit)
      digits &+= 1
    }
    return digits > 0 ? (high, low, digits) : nil
  }
}
