/// A file's name or path as the bytes the kernel takes: in no encoding, ended by a NUL.
public struct Path: Hashable, Sendable {
  private var storage: [UInt8]

  public static let empty = Path("")

  /// - Parameter text: text of ours or of a person; its UTF-8, up to a NUL if there were one.
  public init(_ text: String) {
    storage = Array(text.utf8.prefix { $0 != 0 })
    storage.append(0)
  }

  /// nil where `bytes` contain a NUL, which no name can.
  public init?(bytes: [UInt8]) {
    guard !bytes.contains(0) else { return nil }
    storage = bytes
    storage.append(0)
  }

  /// A name as the kernel gave it.
  public init(_ name: RawSpan) {
    storage = []
    storage.reserveCapacity(name.byteCount + 1)
    for i in 0..<name.byteCount { storage.append(name.load(UInt8.self, at: i)) }
    storage.append(0)
  }

  public var bytes: [UInt8] { Array(storage.dropLast()) }
  public var count: Int { storage.count - 1 }
  public var isEmpty: Bool { count == 0 }

  /// The bytes without the NUL.
  public var span: RawSpan {
    @_lifetime(borrow self)
    borrowing get { unsafe storage.span.bytes.extracting(first: storage.count - 1) }
  }

  /// Adds a component, after a slash where one is needed.
  public mutating func append(_ component: RawSpan) {
    _ = storage.popLast()
    if let last = storage.last, last != UInt8(ascii: "/") { storage.append(UInt8(ascii: "/")) }
    for i in 0..<component.byteCount { storage.append(component.load(UInt8.self, at: i)) }
    storage.append(0)
  }

  public func appending(_ component: String) -> Path {
    var path = self
    path.append(Path(component).span)
    return path
  }

  public func appending(_ component: Path) -> Path {
    var path = self
    path.append(component.span)
    return path
  }

  /// Drops everything but the terminating NUL and keeps the memory.
  public mutating func removeAll() {
    storage.removeAll(keepingCapacity: true)
    storage.append(0)
  }

  /// Everything before the last slash ("/" for a name at the top, "." for a bare name) and the
  /// name after it.
  public var split: (parent: Path, name: Path) {
    guard let slash = storage.lastIndex(of: UInt8(ascii: "/")) else { return (Path("."), self) }
    var parent = Array(storage[..<slash])
    if parent.isEmpty { parent = [UInt8(ascii: "/")] }
    var result = (parent: self, name: self)
    parent.append(0)
    result.parent.storage = parent
    result.name.storage = Array(storage[(slash + 1)...])
    return result
  }

  /// Whether `other` is this path or lies below it, component by component.
  public func contains(_ other: Path) -> Bool {
    if isEmpty { return other.isEmpty }
    if count == 1, storage.first == UInt8(ascii: "/") { return other.storage.first == UInt8(ascii: "/") }
    guard other.count >= count, other.storage[..<count].elementsEqual(storage[..<count]) else { return false }
    return other.count == count || other.storage[count] == UInt8(ascii: "/")
  }

  @inline(always)
  func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    unsafe storage.withUnsafeBytes { bytes in
      // Never empty: the NUL is always there.
      guard let base = bytes.baseAddress else { preconditionFailure("a path without its NUL") }
      return unsafe body(base.assumingMemoryBound(to: CChar.self))
    }
  }
}
