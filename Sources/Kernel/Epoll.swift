internal import CLinux
internal import Glibc

/// Waits for any of several descriptors.
///
/// - SeeAlso: epoll(7)
@safe public struct Epoll: ~Copyable {
  public struct Interest: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let readable = Interest(rawValue: EPOLLIN.rawValue)
    /// What /proc/self/mountinfo and PSI files report a change by.
    public static let priority = Interest(rawValue: EPOLLPRI.rawValue)
  }

  private let descriptor: Descriptor
  private var events = unsafe InlineArray<16, epoll_event>(repeating: epoll_event())

  /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`.
  /// - SeeAlso: epoll_create1(2)
  public init() throws(Errno) {
    descriptor = Descriptor(owning: try retrying { epoll_create1(Int32(EPOLL_CLOEXEC)) })
  }

  /// - Parameter key: what `wait` names it by. A key is an identity, never a descriptor's number,
  ///   for numbers are taken again as soon as they are free.
  /// - Throws: `ENOSPC` (`fs.epoll.max_user_watches`), `ENOMEM`, `EPERM` where the file cannot be waited for.
  /// - SeeAlso: epoll_ctl(2)
  public borrowing func add(
    _ waited: borrowing Descriptor, key: UInt64, for interest: Interest = .readable
  ) throws(Errno) {
    var event = unsafe epoll_event()
    unsafe event.events = interest.rawValue
    unsafe event.data.u64 = key
    let (number, target) = (descriptor.number, waited.number)
    try retrying { unsafe epoll_ctl(number, EPOLL_CTL_ADD, target, &event) }
  }

  /// Sleeps until a descriptor is ready.
  ///
  /// Not retried after a signal: signals arrive by `Signals`, so EINTR means a stop and a
  /// continue, and is told as "nothing ready".
  ///
  /// - Parameter milliseconds: 0 asks without waiting, -1 waits for ever.
  /// - Returns: how many are ready, at most 16; the rest is told next time.
  /// - SeeAlso: epoll_wait(2)
  public mutating func wait(milliseconds: Int32) throws(Errno) -> Int {
    let number = descriptor.number
    var span = unsafe events.mutableSpan
    let count = unsafe span.withUnsafeMutableBufferPointer {
      unsafe epoll_wait(number, $0.baseAddress, Int32($0.count), milliseconds)
    }
    if count >= 0 { return Int(count) }
    let error = Errno.last
    if error == .interrupted { return 0 }
    trapIfOurFault(error, in: #function)
    throw error
  }

  /// The key of the `index`-th descriptor that the last `wait` found ready.
  public borrowing func key(at index: Int) -> UInt64 { unsafe events[index].data.u64 }
}
