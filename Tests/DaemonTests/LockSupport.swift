import Foundation
import TestSupport
import Testing

extension Pipeline {
  /// Sets the times of what bears the name, a symlink itself included; less than nothing is in the future.
  func date(_ name: String, secondsAgo: Int) throws {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    now.tv_sec -= secondsAgo
    guard utimensat(AT_FDCWD, path(name), [now, now], AT_SYMLINK_NOFOLLOW) == 0 else {
      throw POSIXError(.init(rawValue: errno) ?? .EIO)
    }
  }

  /// Names of midwatch's own that were left in a directory.
  func strays(in directory: String = "tasks") -> [String] {
    names(in: directory).filter { $0.hasPrefix(".midwatch-") }
  }

  func names(in directory: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path(directory))) ?? []).sorted()
  }

  /// Everything below but midwatch's own, with all that can be told of it from outside.
  func everything(below directory: String = ".") throws -> [String] {
    let format = "%p %i %y %m %U %G %s %T@ %C@ %l\\n"
    let outcome = try Programs.run(
      "find", [path(directory), "-path", path("./.midwatch"), "-prune", "-o", "-printf", format])
    return outcome.output.split(separator: "\n").map(String.init).sorted()
  }

  /// Asks the running daemon for something, as the command line does.
  func request(_ name: String) throws {
    try write(".midwatch/state/new-request")
    try FileManager.default.moveItem(
      atPath: path(".midwatch/state/new-request"), toPath: path(".midwatch/state/requests/\(name)"))
  }

  func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
  }

  func move(_ name: String, to other: String) throws {
    try FileManager.default.moveItem(atPath: path(name), toPath: path(other))
  }
}

// MARK: system calls

/// One system call of the daemon's.
struct Call: Sendable, CustomTestStringConvertible {
  let name: String
  /// Among those of its name, from 1: so does strace(1) count them.
  let number: Int
  /// As strace(1) shows it.
  let line: String

  var testDescription: String { "\(name) \(number)" }
}

/// A run that others were to be measured by went wrong. Not an expectation's failure, which counts for one test only.
struct NotReaped: Error {
  let output: String
}

extension Pipeline {
  /// What runs the daemon under strace(1); it does not outlive that.
  func tracing(_ options: [String]) -> [String] {
    ["strace", "-qq", "-o", path("trace")] + options + ["setpriv", "--pdeathsig", "KILL"]
  }

  var trace: String { read("trace") ?? "" }

  /// What the trace has by now.
  func calls() -> [Call] {
    var counts: [Substring: Int] = [:]
    return trace.split(separator: "\n").compactMap { line in
      guard !line.hasPrefix("---"), let end = line.firstIndex(of: "(") else { return nil }
      counts[line[..<end], default: 0] += 1
      return Call(name: String(line[..<end]), number: counts[line[..<end]] ?? 0, line: String(line))
    }
  }

  /// Lets the daemon reap every lock in `tasks`, and tells which of the calls that were asked for it made until
  /// its first round was over.
  func callsOfReaping(_ options: [String]) async throws -> [Call] {
    let daemon = try RunningDaemon(self, "locks.stale-after=1h", through: tracing(options), waits: false)
    defer { daemon.kill() }
    _ = await eventually { !status().isEmpty || !daemon.isRunning }
    guard !status().isEmpty, names(in: "tasks") == [] else { throw NotReaped(output: daemon.output) }
    return calls()
  }
}
