internal import Kernel

/// The path of a program as `/proc/PID/exe` tells it, without the mark of one that was replaced meanwhile: an
/// upgrade makes no other program of it.
///
/// - SeeAlso: proc_pid_exe(5)
@_lifetime(copy path)
func withoutDeleted(_ path: RawSpan) -> RawSpan {
  let mark = " (deleted)"
  guard path.byteCount > mark.utf8.count else { return path }
  let rest = path.extracting((path.byteCount - mark.utf8.count)...)
  return equal(rest, mark) ? path.extracting(first: path.byteCount - mark.utf8.count) : path
}

/// What follows the last slash.
@_lifetime(copy path)
func lastComponent(_ path: RawSpan) -> RawSpan {
  var start = path.byteCount
  while start > 0, path.load(UInt8.self, at: start - 1) != UInt8(ascii: "/") { start -= 1 }
  return path.extracting(start...)
}

func equal(_ bytes: RawSpan, _ text: String) -> Bool {
  guard bytes.byteCount == text.utf8.count else { return false }
  var offset = 0
  for byte in text.utf8 {
    guard bytes.load(UInt8.self, at: offset) == byte else { return false }
    offset += 1
  }
  return true
}
