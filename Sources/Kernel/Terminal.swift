internal import Glibc

/// The three standard streams.
public enum Terminal {
  /// - SeeAlso: isatty(3)
  public static func isTerminal(_ stream: Stream) -> Bool { isatty(stream.rawValue) == 1 }

  public enum Stream: Int32, Sendable {
    case output = 1
    case error = 2
  }

  /// Writes all of `bytes`, or what the reader takes: a reader that went away is no error worth
  /// telling it of.
  ///
  /// - Returns: false where the stream is closed.
  @discardableResult
  public static func write(_ bytes: [UInt8], to stream: Stream) -> Bool { (try? put(bytes, to: stream)) != nil }

  /// Writes all of `bytes`.
  ///
  /// - Throws: `EPIPE` where the reader went away and SIGPIPE is ignored; `EBADF`, `ENOSPC`, `EIO`.
  public static func put(_ bytes: [UInt8], to stream: Stream) throws(Errno) {
    var done = 0
    while done < bytes.count {
      let start = done
      let count = unsafe bytes.withUnsafeBytes { memory in
        guard let base = memory.baseAddress else { return 0 }
        return unsafe Glibc.write(stream.rawValue, base + start, bytes.count - start)
      }
      if count < 0, Errno.last == .interrupted { continue }
      guard count > 0 else { throw count < 0 ? .last : .noSpace }
      done += count
    }
  }

  /// Whether standard error is the very stream that systemd connected to the journal, which reads
  /// `<N>` at the start of a line as a priority.
  ///
  /// - SeeAlso: systemd.exec(5), $JOURNAL_STREAM; sd-daemon(3)
  public static var errorGoesToJournal: Bool {
    guard let stream = environment("JOURNAL_STREAM") else { return false }
    var status = stat()
    guard unsafe fstat(2, &status) == 0 else { return false }
    return stream == "\(status.st_dev):\(status.st_ino)"
  }
}

/// Ends this process at once with an exit code of sysexits.h.
public func exitProcess(_ code: Int32) -> Never { exit(code) }

/// This machine's name as programs write it into their locks.
///
/// - SeeAlso: gethostname(2)
public func hostName() -> [UInt8] {
  var name = [UInt8](repeating: 0, count: 256)
  _ = unsafe name.withUnsafeMutableBytes { memory in
    guard let base = memory.baseAddress else { return Int32(-1) }
    return unsafe gethostname(base.assumingMemoryBound(to: CChar.self), 255)
  }
  return Array(name.prefix { $0 != 0 })
}
