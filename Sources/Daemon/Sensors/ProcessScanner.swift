public import Configuration
public import Kernel
internal import ProcessTable
public import Rules

/// Passes over /proc: one read for each process, more for browsers alone.
///
/// No memory is made for a process that is nobody of interest.
public struct ProcessScanner: ~Copyable {
  private var look: ProcessLook
  private var entries = ReadBuffer(capacity: 32_768)
  private var lastCount = 0
  private let helpers: [Glob]

  /// - Parameters:
  ///   - executables: names or paths of browsers besides the known ones.
  ///   - helpers: names of programs that are helpers once a reaper has adopted them.
  /// - Throws: what keeps /proc from being opened.
  public init(executables: [String] = [], helpers: [Glob] = []) throws(Errno) {
    look = ProcessLook(try Directory(Path("/proc")), ProcessRoles(executables: executables))
    self.helpers = helpers
  }

  /// Makes one pass. Who comes or goes meanwhile may be in it or not.
  ///
  /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`, `EIO`. A pass that left processes out for want of descriptors
  ///   would show every browser without its driver; so it is none.
  public mutating func scan() throws(Errno) -> ProcessScan {
    var scan = ProcessScan()
    scan.reserve(lastCount + lastCount / 8 + 64)
    look.begin()
    let listing = try DirectoryListing(look.proc)
    while try listing.read(into: &entries) { try take(entries, &look, into: &scan) }
    lastCount = scan.processes.count
    scan.isPartial = look.wasRefused || scan[1] == nil
    try look.confirmRoles(in: &scan)
    if !helpers.isEmpty { try look.findHelpers(helpers, in: &scan) }
    return scan
  }
}

/// Looks at each process of one piece of the listing.
private func take(
  _ entries: borrowing ReadBuffer, _ look: inout ProcessLook, into scan: inout ProcessScan
) throws(Errno) {
  var cursor = DirectoryEntries(entries.bytes)
  while let entry = cursor.next() {
    if let pid = entry.number { try look.add(pid, to: &scan) }
  }
}
