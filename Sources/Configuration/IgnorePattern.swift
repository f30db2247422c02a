/// What a rule leaves alone: a name wherever it stands, or a path and all below it.
public enum IgnorePattern: Equatable, Sendable {
  /// Written without a slash: compared with every component below the fixed part of a template.
  case name(Glob)
  /// Written with one: a place in the tree, and everything in it.
  case path(PathTemplate)

  public init(_ bytes: [UInt8]) throws(Fault) {
    self = bytes.contains(ASCII.slash) ? .path(try PathTemplate(bytes)) : .name(try Glob(bytes))
  }

  public init(_ text: String) throws(Fault) { try self.init(Array(text.utf8)) }

  /// As it was written.
  public var text: String {
    switch self {
    case .name(let glob): glob.text
    case .path(let template): template.text
    }
  }

  /// Whether `path` is left alone. No memory is taken.
  ///
  /// - Parameters:
  ///   - path: as for `PathTemplate.match`. A `.path` must be counted from the same place, which
  ///     the caller sees to.
  ///   - fixedCount: how many components at the beginning no name is compared with.
  public func matches(_ path: RawSpan, below fixedCount: Int) -> Bool {
    var start = 0
    var index = 0
    while start < path.byteCount {
      let end = path.nameEnd(from: start, upTo: path.byteCount)
      switch self {
      case .name(let glob): if index >= fixedCount, glob.matches(path, in: start..<end) { return true }
      case .path(let template): if template.match(path, upTo: end) != nil { return true }
      }
      start = end + 1
      index += 1
    }
    return false
  }
}
