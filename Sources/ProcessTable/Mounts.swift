/// One line of `/proc/self/mountinfo`, proc_pid_mountinfo(5), borrowed from the text.
public struct Mount: ~Escapable {
  public let major: UInt32
  public let minor: UInt32
  /// As in the file: blanks, line ends and backslashes stand as `\040` and the like.
  public let mountPoint: RawSpan
  public let type: RawSpan
  /// The superblock's options, with commas between them.
  public let superOptions: RawSpan

  /// Reads one line without its end; nil where it is cut short or no such line.
  @_lifetime(copy line)
  public init?(line: RawSpan) {
    var fields = FieldReader(line)
    guard fields.skipFields(2) else { return nil }
    fields.skipBlanks()
    guard let major = fields.number(), fields.take(0x3A), let minor = fields.wholeNumber(),
      let major = UInt32(exactly: major), let minor = UInt32(exactly: minor),
      fields.skipFields(1), let mountPoint = fields.field(), fields.skipFields(1)
    else { return nil }
    // Optional fields, none or more of them, end with a dash.
    while let field = fields.field() {
      guard field.equals("-") else { continue }
      guard let type = fields.field(), fields.skipFields(1), let options = fields.field() else { return nil }
      self.major = major
      self.minor = minor
      self.mountPoint = mountPoint
      self.type = type
      superOptions = options
      return
    }
    return nil
  }
}

/// Walks the lines of `/proc/self/mountinfo` in their order, in which a later mount on the same
/// point covers an earlier one; lines that are no mounts are passed over.
public struct Mounts: ~Escapable {
  private var lines: FieldReader

  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) { lines = FieldReader(bytes) }

  /// The next mount; nil after the last.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  public mutating func next() -> Mount? {
    while let line = lines.line() {
      if let mount = Mount(line: line) { return mount }
    }
    return nil
  }
}
