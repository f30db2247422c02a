internal import Kernel
internal import ProcessTable
internal import Rules

/// Which processes hold certain ends of sockets and pipes.
struct LineHolders {
  private var pids: [Suspect.End: [Int32]] = [:]

  /// Of nothing.
  init() {}

  /// By one pass over all descriptors of all processes.
  ///
  /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`, `EIO`: then nothing is known.
  init(
    of wanted: Set<Suspect.End>, in proc: borrowing Directory, _ entries: inout ReadBuffer, _ text: inout ReadBuffer
  ) throws(Errno) {
    for pid in try everybody(in: proc, &entries) {
      do throws(Errno) {
        try forEachDescriptor(of: pid, in: proc, &entries, &text) { number, link, listing in
          for end in ends(number, link, wanted, listing) where pids[end]?.last != pid {
            pids[end, default: []].append(pid)
          }
        }
      } catch {
        switch error {
        // Gone, or not ours to look at: what it holds is held by nobody known.
        case .noEntry, .noProcess, .accessDenied, .notPermitted: break
        default: throw error
        }
      }
    }
  }

  subscript(end: Suspect.End) -> [Int32] { pids[end] ?? [] }
}

/// All that live, to be looked at one by one.
private func everybody(in proc: borrowing Directory, _ entries: inout ReadBuffer) throws(Errno) -> [Int32] {
  var pids: [Int32] = []
  let listing = try DirectoryListing(proc)
  while try listing.read(into: &entries) {
    var cursor = DirectoryEntries(entries.bytes)
    while let entry = cursor.next() {
      if let pid = entry.number { pids.append(pid) }
    }
  }
  return pids
}

/// Which of the wanted ends this descriptor is.
private func ends(
  _ number: Int32, _ link: DescriptorLink, _ wanted: Set<Suspect.End>, _ listing: borrowing DirectoryListing
) -> [Suspect.End] {
  switch link {
  case .other: return []
  case .socket(let inode): return wanted.contains(.socket(inode: inode)) ? [.socket(inode: inode)] : []
  case .pipe(let inode):
    let both = [Suspect.End.pipeForReading(inode: inode), .pipeForWriting(inode: inode)]
    guard both.contains(where: wanted.contains) else { return [] }
    // Closed meanwhile: it may have been either.
    guard let mode = try? listing.mode(of: ShortPath(number)) else { return both }
    return (mode & 0o400 == 0 ? [] : [both[0]]) + (mode & 0o200 == 0 ? [] : [both[1]])
  }
}

/// Looks at what each descriptor of a process leads to. One that is closed meanwhile is passed over.
///
/// - Throws: `ENOENT` or `ESRCH` where the process is gone; `EACCES` or `EPERM` where it may not be looked at.
func forEachDescriptor(
  of pid: Int32, in proc: borrowing Directory, _ entries: inout ReadBuffer, _ text: inout ReadBuffer,
  _ body: (Int32, DescriptorLink, borrowing DirectoryListing) -> Void
) throws(Errno) {
  let listing = try DirectoryListing(ShortPath(pid, "fd"), in: proc)
  while try listing.read(into: &entries) {
    var cursor = DirectoryEntries(entries.bytes)
    while let entry = cursor.next() {
      guard let number = entry.number else { continue }
      do throws(Errno) {
        try listing.readLink(ShortPath(number), into: &text)
      } catch {
        if error == .noEntry { continue }
        throw error
      }
      body(number, DescriptorLink(text.bytes), listing)
    }
  }
}
