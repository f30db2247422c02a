internal import Glibc

/// One piece of memory that kernel records are read into, mapped once.
///
/// Mapped by itself and not out of the heap: what was never filled is not resident.
///
/// - SeeAlso: mmap(2)
@safe public struct ReadBuffer: ~Copyable {
  private let memory: UnsafeMutableRawBufferPointer
  private var filled = 0

  /// - Parameter capacity: in bytes. Where the kernel has no memory left, this process ends, as
  ///   with any allocation.
  public init(capacity: Int) {
    let base = unsafe mmap(nil, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let base = unsafe base, unsafe base != MAP_FAILED else { fatalError("no memory for a buffer of \(capacity) bytes") }
    unsafe memory = UnsafeMutableRawBufferPointer(start: base, count: capacity)
  }

  deinit { _ = unsafe munmap(memory.baseAddress, memory.count) }

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
