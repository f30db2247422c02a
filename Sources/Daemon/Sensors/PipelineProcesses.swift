internal import Configuration
internal import Formats
internal import Kernel
internal import ProcessTable
internal import Rules

/// Which processes belong to a pipeline's jobs: by the mark the gate put into their environment, and by
/// `[agent NAME] match`.
struct PipelineProcesses {
  /// The pipeline's root, as marks name it.
  let root: Path
  /// Patterns for whole command lines; words are separated by one blank.
  let matches: [Glob]
  /// Every marked job of the pipeline, and not only those that a pattern fits.
  let takesAllMarked: Bool
  /// Whose processes a pattern may fit: it can fit too much.
  let users: Set<UInt32>

  private static let gate = ProcessName(ofProgram: Gate.programName)

  private struct Row {
    let process: ProcessIdentity
    let parent: Int32
    let isStopped: Bool
    let mark: [UInt8]?
    let fits: Bool
  }

  /// Everyone that belongs to it and is not stopped already; never this process, its ancestors or its children.
  func find(by processes: inout Processes) -> [ProcessIdentity] {
    let rows = processes.pids().compactMap { row($0, processes) }
    let own = Own.pid
    var kept: Set<Int32> = [own]
    let parents = Dictionary(rows.map { ($0.process.pid, $0.parent) }, uniquingKeysWith: { first, _ in first })
    var above = parents[own]
    while let pid = above, kept.insert(pid).inserted { above = parents[pid] }
    let jobs = Set(rows.compactMap { $0.fits || takesAllMarked ? $0.mark : nil }.filter { JobMark.isOf(root, $0) })
    return rows.filter { row in
      guard !row.isStopped, !kept.contains(row.process.pid), row.parent != own else { return false }
      // Who bears a mark goes with its job: an exempt one's names no pipeline.
      return row.mark.map { jobs.contains($0) } ?? row.fits
    }.map(\.process)
  }

  /// Whether a process is who was found, and belongs to it as before.
  func holds(_ process: ProcessIdentity, by processes: borrowing Processes) -> Bool {
    guard let row = row(process.pid, processes), row.process == process else { return false }
    return row.mark.map { JobMark.isOf(root, $0) } ?? row.fits
  }

  private func row(_ pid: Int32, _ processes: borrowing Processes) -> Row? {
    // Without a command line it is the kernel's. The gate's own holds the job's, and has to stay to see its end.
    guard pid > 1, let stat = processes.stat(pid), !stat.isZombie, stat.name != Self.gate,
      let line = processes.commandLine(of: pid), !line.isEmpty
    else { return nil }
    let mark = processes.mark(of: pid)
    let fits =
      matches.contains { unsafe $0.matches(line.span.bytes) } && processes.user(of: pid).map { users.contains($0) } == true
    return Row(
      process: ProcessIdentity(pid: pid, startTicks: stat.startTicks), parent: stat.parent, isStopped: stat.isStopped,
      mark: mark, fits: fits)
  }
}

extension Processes {
  /// The words of its command line, separated by blanks.
  func commandLine(of pid: Int32) -> [UInt8]? {
    guard let text = proc.contents(of: Path("\(pid)/cmdline"), upTo: 131_072) else { return nil }
    var line = text.map { $0 == 0 ? UInt8(ascii: " ") : $0 }
    while line.last == UInt8(ascii: " ") { line.removeLast() }
    return line
  }

  /// What the gate put into its environment.
  func mark(of pid: Int32) -> [UInt8]? {
    guard let text = proc.contents(of: Path("\(pid)/environ"), upTo: 1 << 20) else { return nil }
    guard let value = unsafe Environment(text.span.bytes).value(of: "MIDWATCH_JOB") else { return nil }
    return Path(value).bytes
  }
}
