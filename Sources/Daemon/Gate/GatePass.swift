internal import Formats
internal import Kernel
internal import Rules

/// What the verdict tells the gate besides yes: handed over a pipe, for it is made in a process of its own.
struct GatePass: Equatable {
  /// Where the job's end is to be noted; nil where no note is wanted.
  var jobs: Path?
  /// What the job's processes are to bear in MIDWATCH_JOB.
  var mark: [UInt8]

  var bytes: [UInt8] { (jobs?.bytes ?? []) + [0] + mark }

  init(jobs: Path?, mark: [UInt8]) {
    self.jobs = jobs
    self.mark = mark
  }

  /// nil where the verdict's process did not come to its end.
  init?(_ bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    jobs = parts[0].isEmpty ? nil : Path(bytes: Array(parts[0]))
    mark = Array(parts[1])
  }
}

/// The mark in MIDWATCH_JOB: which run, and of which pipeline.
///
/// One whose pipeline is empty belongs to none: an exempt job's, and one nobody could judge.
enum JobMark {
  static let variable = Array("MIDWATCH_JOB=".utf8)

  /// A job that a job starts is a part of it: a loop that keeps starting others is stopped with them.
  static var inherited: [UInt8]? {
    Own.environment.first { $0.starts(with: variable) }.map { Array($0.dropFirst(variable.count)) }
  }

  static func text(of gate: ProcessIdentity, root: Path?) -> [UInt8] {
    Array("\(gate.pid)-\(gate.startTicks)@".utf8) + (root?.bytes ?? [])
  }

  static func isOf(_ root: Path, _ mark: [UInt8]) -> Bool {
    guard let at = mark.firstIndex(of: UInt8(ascii: "@")) else { return false }
    return mark[(at + 1)...].elementsEqual(root.bytes)
  }
}
