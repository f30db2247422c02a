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
