/// One record out of an inotify read, borrowed from the memory it was read into.
public struct InotifyEvent: ~Escapable {
  public let watch: Int32
  public let mask: Inotify.Mask
  /// Ties the two halves of a rename together; 0 in every other record.
  public let cookie: UInt32
  /// The file's name as bytes, for names need not be UTF-8; empty where the watched object
  /// itself changed.
  public let name: RawSpan

  @_lifetime(copy name)
  init(watch: Int32, mask: Inotify.Mask, cookie: UInt32, name: RawSpan) {
    self.watch = watch
    self.mask = mask
    self.cookie = cookie
    self.name = name
  }
}

/// Walks the records of one inotify read: no copy, no allocation, no trust in the lengths.
public struct InotifyEvents: ~Escapable {
  private var rest: RawSpan

  /// - Parameter bytes: what one read(2) returned; whole records, as inotify(7) promises.
  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) { rest = bytes }

  /// The next record; nil after the last, and at a record whose length runs past the end.
  @_lifetime(copy self)
  public mutating func next() -> InotifyEvent? {
    // struct inotify_event { int wd; u32 mask, cookie, len; char name[len]; }
    guard rest.byteCount >= Self.headerSize else { return nil }
    let length = Int(rest.load(UInt32.self, at: 12))
    guard length <= rest.byteCount - Self.headerSize else { return nil }
    let event = InotifyEvent(
      watch: rest.load(Int32.self, at: 0),
      mask: Inotify.Mask(rawValue: rest.load(UInt32.self, at: 4)),
      cookie: rest.load(UInt32.self, at: 8),
      name: rest.extracting(Self.headerSize..<(Self.headerSize + length)).trimmingFinalNULs())
    rest = rest.extracting((Self.headerSize + length)...)
    return event
  }

  private static var headerSize: Int { 16 }
}
