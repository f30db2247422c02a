extension LockOwner {
  /// Reads the owner out of a symlink's text, readlink(2): `host-pid` or `user@host.pid:boot`; nil
  /// for any other target, such as the path of a file.
  public init?(link: RawSpan) {
    let owner = link.firstOffset(of: .at) == nil ? Self.singleton(link) : Self.emacs(link)
    guard let owner else { return nil }
    self = owner
  }

  /// Reads the owner out of a symlink's text.
  public init?(link: [UInt8]) { unsafe self.init(link: link.span.bytes) }

  /// A host's name may have dashes of its own; the pid stands behind the last one.
  private static func singleton(_ link: RawSpan) -> LockOwner? {
    guard let dash = link.lastOffset(of: .minus), let host = host(link.before(dash)),
      let pid = pid(link.from(dash &+ 1))
    else { return nil }
    return LockOwner(pid: pid, format: .singletonLink, host: host)
  }

  /// A user's name may have an `@`, a host's name dots; the boot time may be missing.
  private static func emacs(_ link: RawSpan) -> LockOwner? {
    guard let at = link.lastOffset(of: .at), at > 0 else { return nil }
    let place = link.from(at &+ 1)
    guard let dot = place.lastOffset(of: .dot), let host = host(place.before(dot)) else { return nil }
    var reader = ByteReader(place.from(dot &+ 1))
    guard let number = reader.decimal(), let pid = pid(number) else { return nil }
    var bootTime: Int64?
    if reader.take(.colon) {
      guard let seconds = reader.decimal() else { return nil }
      bootTime = Int64(exactly: seconds)
    }
    guard reader.isAtEnd else { return nil }
    // Emacs writes 0 where it could not find out.
    return LockOwner(pid: pid, format: .emacsLink, host: host, bootTime: bootTime == 0 ? nil : bootTime)
  }
}
