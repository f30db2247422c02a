/// A path such as `4711/stat`, put together without the heap: a pass over /proc needs one for each process.
public struct ShortPath: Sendable {
  private var storage = InlineArray<48, UInt8>(repeating: 0)
  private var count = 0

  /// - Parameters:
  ///   - number: a process's or a descriptor's.
  ///   - name: what lies below it, "" for the number alone; at most 35 bytes of ours.
  public init(_ number: Int32, _ name: String = "") {
    var divisor: Int32 = 1_000_000_000
    while divisor > 1, number / divisor == 0 { divisor /= 10 }
    while divisor > 0 {
      append(UInt8(truncatingIfNeeded: 0x30 + (number / divisor % 10).magnitude))
      divisor /= 10
    }
    if name.isEmpty { return }
    append(0x2F)
    for byte in name.utf8 { append(byte) }
  }

  private mutating func append(_ byte: UInt8) {
    // The last byte stays the NUL.
    precondition(count < storage.count - 1, "a path that is not short")
    storage[count] = byte
    count += 1
  }

  @inline(always)
  func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    unsafe storage.span.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { preconditionFailure("a path without its NUL") }
      return unsafe body(base.assumingMemoryBound(to: CChar.self))
    }
  }
}
