internal import Formats
internal import Kernel
public import ProcessTable
internal import Rules

/// What tells a process from another that took its number, or its place by execve(2).
struct ProcessFace: Equatable {
  let startTicks: UInt64
  /// The program's path and the whole command line, as hashes.
  let program: UInt64
  let commandLine: UInt64
}

extension Processes {
  /// nil where no process has that pid, where it is a zombie, or where any of it may not be read.
  func face(of pid: Int32) -> ProcessFace? {
    guard let before = living(pid), let program = try? proc.linkText(Path("\(pid)/exe")),
      let line = proc.contents(of: Path("\(pid)/cmdline"), upTo: 131_072), living(pid) == before
    else { return nil }
    return ProcessFace(
      startTicks: before.startTicks, program: unsafe Hash.of(withoutDeleted(program.span.bytes)),
      commandLine: unsafe Hash.of(line.span.bytes))
  }

  /// nil where it may not be read, or has ended.
  public func memory(of pid: Int32) -> MemoryRollup? {
    guard let text = proc.contents(of: Path("\(pid)/smaps_rollup"), upTo: 4096) else { return nil }
    return unsafe MemoryRollup(text.span.bytes)
  }

  /// The real user's number.
  public func user(of pid: Int32) -> UInt32? {
    guard let text = proc.contents(of: Path("\(pid)/status"), upTo: 4096) else { return nil }
    return unsafe realUser(status: text.span.bytes)
  }

  /// The service or scope of systemd's that it lives in, escaped.
  public func unit(of pid: Int32) -> String? {
    guard let text = proc.contents(of: Path("\(pid)/cgroup"), upTo: 4096) else { return nil }
    guard let unit = unsafe ControlGroup(text.span.bytes).unit else { return nil }
    return escaped(unit)
  }

  /// The job that the gate marked it with, escaped.
  public func job(of pid: Int32) -> String? {
    guard let text = proc.contents(of: Path("\(pid)/environ"), upTo: 131_072) else { return nil }
    guard let job = unsafe Environment(text.span.bytes).value(of: "MIDWATCH_JOB") else { return nil }
    return escaped(job)
  }
}
