internal import Glibc

/// Makes one system call, again for as long as a signal interrupts it.
///
/// Not for `close`: Linux frees the number even when `close` reports EINTR, so a second try
/// would close somebody else's file.
@inline(always)
@discardableResult
func retrying<Result: FixedWidthInteger>(
  _ name: StaticString = #function, _ call: () -> Result
) throws(Errno) -> Result {
  while true {
    let result = call()
    if result != -1 { return result }
    let error = Errno.last
    if error == .interrupted { continue }
    trapIfOurFault(error, in: name)
    throw error
  }
}

/// Stops the process where the error can only be a mistake of this program: going on with a
/// wrong descriptor number means acting on a file nobody chose.
@inline(always)
func trapIfOurFault(_ error: Errno, in name: StaticString) {
  precondition(error != .badDescriptor && error != .badAddress, "\(name): \(error.rawValue)")
}
