internal import Glibc

/// An open file descriptor that has exactly one owner and is closed when the owner lets go.
public struct Descriptor: ~Copyable {
  /// For handing to a call; keeping it past the call defeats the type.
  let number: Int32

  /// Takes over `number`. Nobody else may close it from here on.
  init(owning number: Int32) {
    precondition(number >= 0)
    self.number = number
  }

  deinit { _ = Glibc.close(number) }

  /// Tells this descriptor from the others that are open now, as for an epoll registration.
  public var token: Int32 { number }

  /// Closes now and says what `deinit` cannot: that data written earlier was lost.
  ///
  /// - Throws: `EIO`, `ENOSPC` or `EDQUOT` from a file system that writes back on close.
  /// - SeeAlso: close(2)
  public consuming func close() throws(Errno) {
    let number = number
    discard self
    guard Glibc.close(number) == -1 else { return }
    let error = Errno.last
    trapIfOurFault(error, in: #function)
    if error != .interrupted { throw error }
  }

  /// Gives up the number without closing it.
  consuming func release() -> Int32 {
    let number = number
    discard self
    return number
  }
}
