/// What a process was started with, by `/proc/PID/cmdline`, proc_pid_cmdline(5).
///
/// Arguments stand with a NUL between them. A program that gave itself a title, as Chromium's renderers
/// do, has one string with blanks there instead, and NULs behind it only; its arguments are then told
/// apart by the blanks.
public struct CommandWords: ~Escapable {
  private let bytes: RawSpan
  /// One string with blanks.
  public let isTitle: Bool

  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) {
    var count = bytes.byteCount
    while count > 0, bytes.byte(at: count &- 1) == 0 { count &-= 1 }
    let text = bytes.extracting(first: count)
    self.bytes = text
    var offset = 0
    while let byte = text.byte(at: offset), byte != 0 { offset &+= 1 }
    isTitle = offset == count
  }

  /// The first two words are asked for by number: a program, and the script that it runs. nil past the end.
  @_lifetime(copy self)
  public func word(_ number: Int) -> RawSpan? {
    var start = 0
    var number = number
    while start < bytes.byteCount {
      let end = end(from: start)
      if number == 0 { return bytes.extracting(start..<end) }
      number &-= 1
      start = end &+ 1
    }
    return nil
  }

  /// What follows `--type=`: the kind of a browser's process; nil for the browser itself.
  ///
  /// The first one counts, and no further than to a blank.
  public var type: RawSpan? {
    @_lifetime(copy self)
    get {
      var start = end(from: 0) &+ 1
      while start < bytes.byteCount {
        let end = end(from: start)
        if let value = valueStart(of: "type", in: start..<end) {
          var stop = value
          while let byte = bytes.byte(at: stop), byte != 0, byte != 0x20 { stop &+= 1 }
          return bytes.extracting(value..<stop)
        }
        start = end &+ 1
      }
      return nil
    }
  }

  /// What follows `--name=`; the last one counts, as in Chromium. nil without any.
  ///
  /// In a title it goes on to the next ` --`: it may have blanks in it.
  @_lifetime(copy self)
  public func value(of name: String) -> RawSpan? {
    var found: Range<Int>?
    var start = end(from: 0) &+ 1
    while start < bytes.byteCount {
      let end = end(from: start)
      if endsOptions(start..<end) { break }
      if let value = valueStart(of: name, in: start..<end) { found = value..<(isTitle ? titleEnd(from: end) : end) }
      start = end &+ 1
    }
    guard let found else { return nil }
    return bytes.extracting(found)
  }

  /// Whether `--name` is there, with a value or without.
  public func has(_ name: String) -> Bool {
    var start = end(from: 0) &+ 1
    while start < bytes.byteCount {
      let end = end(from: start)
      if endsOptions(start..<end) { return false }
      if let after = nameEnd(of: name, in: start..<end), after == end || bytes.byte(at: after) == 0x3D { return true }
      start = end &+ 1
    }
    return false
  }

  private func end(from start: Int) -> Int {
    let separator: UInt8 = isTitle ? 0x20 : 0
    var end = start
    while let byte = bytes.byte(at: end), byte != separator { end &+= 1 }
    return end
  }

  private func titleEnd(from start: Int) -> Int {
    var end = start
    while let byte = bytes.byte(at: end) {
      if byte == 0x20, bytes.byte(at: end &+ 1) == 0x2D, bytes.byte(at: end &+ 2) == 0x2D { return end }
      end &+= 1
    }
    return end
  }

  /// `--`: what follows are no options.
  private func endsOptions(_ word: Range<Int>) -> Bool {
    word.count == 2 && bytes.byte(at: word.lowerBound) == 0x2D && bytes.byte(at: word.lowerBound &+ 1) == 0x2D
  }

  private func valueStart(of name: String, in word: Range<Int>) -> Int? {
    guard let end = nameEnd(of: name, in: word), end < word.upperBound, bytes.byte(at: end) == 0x3D else { return nil }
    return end &+ 1
  }

  /// Behind `--name` or `-name`, which Chromium takes as well.
  private func nameEnd(of name: String, in word: Range<Int>) -> Int? {
    var offset = word.lowerBound
    guard bytes.byte(at: offset) == 0x2D else { return nil }
    offset &+= bytes.byte(at: offset &+ 1) == 0x2D ? 2 : 1
    for byte in name.utf8 {
      guard offset < word.upperBound, bytes.byte(at: offset) == byte else { return nil }
      offset &+= 1
    }
    return offset
  }
}
