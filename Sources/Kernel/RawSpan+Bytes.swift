extension RawSpan {
  /// Bounds-checked; the only unsafe expression of the decoders.
  @inlinable
  @inline(always)
  public func load<T: BitwiseCopyable & FixedWidthInteger>(_: T.Type, at offset: Int) -> T {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: T.self)
  }

  @_lifetime(copy self)
  func trimmingFinalNULs() -> RawSpan {
    var count = byteCount
    while count > 0, load(UInt8.self, at: count - 1) == 0 { count -= 1 }
    return extracting(first: count)
  }
}

/// One piece of memory that kernel records are read into, allocated once.
@safe public struct ReadBuffer: ~Copyable {
  private let memory: UnsafeMutableRawBufferPointer
  private var filled = 0

  /// - Parameter capacity: in bytes. Pages that are never filled cost no memory.
  public init(capacity: Int) {
    unsafe memory = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { unsafe memory.deallocate() }

  /// What the last read brought.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      let all = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(memory))
      return unsafe _overrideLifetime(all, borrowing: self).extracting(first: filled)
    }
  }

  /// Lets `read` fill the memory and keeps how much it brought. A negative answer brings nothing.
  @inline(always)
  mutating func fill(_ read: (UnsafeMutableRawPointer, Int) -> Int) -> Int {
    guard let base = unsafe memory.baseAddress else { return 0 }
    let count = unsafe read(base, memory.count)
    filled = unsafe max(0, min(count, memory.count))
    return count
  }
}
