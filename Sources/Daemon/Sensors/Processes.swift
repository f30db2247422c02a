public import Formats
public import Kernel
public import ProcessTable
public import Rules

/// What /proc tells of processes: who lives, who holds a lock, who has a file open.
public struct Processes: ~Copyable {
  let proc: Directory
  /// Processes of others are hidden from us, so that a pid's absence proves nothing.
  public let isFiltered: Bool
  /// We are in a pid namespace of our own: /proc/locks leaves out whoever is outside it.
  public let hasOwnNamespace: Bool
  public let bootID: ProcessTable.BootID?
  private var entries = ReadBuffer(capacity: 32_768)
  private var descriptors = ReadBuffer(capacity: 32_768)

  /// - Throws: what keeps /proc from being opened.
  public init() throws(Errno) {
    proc = try Directory(Path("/proc"))
    // The inode number of the first pid namespace: PROC_PID_INIT_INO in linux/proc_ns.h.
    // By the path alone: /proc/self is a symlink, which `directory(_:)` refuses.
    let namespace = try? proc.linkText(Path("self/ns/pid"))
    hasOwnNamespace = namespace.map { $0 != Array("pid:[4026531836]".utf8) } ?? false
    // hidepid=1 shows its directory and not what is in it; root without CAP_SYS_PTRACE is hidden from as well.
    isFiltered = (try? proc.file(Path("1/stat"))) == nil
    bootID = proc.contents(of: Path("sys/kernel/random/boot_id")).flatMap { unsafe ProcessTable.BootID($0.span.bytes) }
  }

  /// nil where no process has that pid.
  public func stat(_ pid: Int32) -> ProcessStat? {
    guard let text = proc.contents(of: Path("\(pid)/stat"), upTo: 4096) else { return nil }
    return unsafe ProcessStat(text.span.bytes)
  }

  /// nil where no process has that pid, or only a zombie.
  public func living(_ pid: Int32) -> ProcessIdentity? {
    guard let stat = stat(pid), !stat.isZombie else { return nil }
    return ProcessIdentity(pid: stat.pid, startTicks: stat.startTicks)
  }

  /// The children of a process with a single thread; none where it has ended.
  ///
  /// - SeeAlso: proc_tid_children(5)
  public func children(of pid: Int32) -> [Int32] {
    let text = proc.contents(of: Path("\(pid)/task/\(pid)/children"), upTo: 1 << 20) ?? []
    return text.split(separator: UInt8(ascii: " ")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
  }

  /// How long ago a process started.
  public func age(_ process: ProcessIdentity) -> TimeSpan {
    Clock.sinceBoot() - Clock.span(ofTicks: process.startTicks)
  }

  /// What became of the process that a lock names.
  ///
  /// - Parameter age: since the lock was last changed in any way, by the time that no program can set. A
  ///   process that is younger did not write it; a second's tolerance covers the ticks that start times are
  ///   rounded to. Not by the time of modification: `touch -d`, `cp -p` and `tar` would make a live holder
  ///   too young to be the holder.
  public mutating func fate(of owner: LockOwner, unchangedFor age: TimeSpan, isLocal: Bool, host: [UInt8]) -> LockSighting.Owner
  {
    guard isLocal, !isFiltered, !hasOwnNamespace else { return .unknowable }
    if let named = owner.host {
      // By the first label: some write the full name, some the short one.
      guard firstLabel(Array(named.utf8)) == firstLabel(host) else { return .unknowable }
    }
    var recycled = false
    if let process = living(owner.pid) {
      if fits(process, owner, age) { return .alive(process) }
      recycled = true
    }
    if let inside = inNamespaces(owner, age) { return .alive(inside) }
    return .gone(recycled: recycled)
  }

  private func firstLabel(_ host: [UInt8]) -> [UInt8] { Array(host.prefix { $0 != UInt8(ascii: ".") }) }

  private func fits(_ process: ProcessIdentity, _ owner: LockOwner, _ unchanged: TimeSpan) -> Bool {
    if let boot = owner.bootID, let ours = bootID, (boot.high, boot.low) != (ours.high, ours.low) { return false }
    if let recorded = owner.startTicks { return recorded == process.startTicks }
    return self.age(process) + .seconds(1) >= unchanged
  }

  /// A process of a container that has this pid there.
  private mutating func inNamespaces(_ owner: LockOwner, _ unchanged: TimeSpan) -> ProcessIdentity? {
    for pid in pids() {
      guard let text = proc.contents(of: Path("\(pid)/status"), upTo: 4096),
        let inside = unsafe NamespacePid(status: text.span.bytes), inside.depth > 1, inside.innermost == owner.pid,
        let process = living(pid), fits(process, owner, unchanged)
      else { continue }
      return process
    }
    return nil
  }

  mutating func pids() -> [Int32] {
    var pids: [Int32] = []
    guard let listing = try? DirectoryListing(proc) else { return [] }
    while (try? listing.read(into: &entries)) == true {
      var cursor = DirectoryEntries(entries.bytes)
      while let entry = cursor.next() {
        if let pid = entry.number { pids.append(pid) }
      }
    }
    return pids
  }

  /// Who holds a kernel lock on a file.
  ///
  /// - SeeAlso: proc(5), /proc/locks; facts on btrfs and overlayfs, whose device there is another
  ///   than stat's: for those the open descriptor is the proof.
  public mutating func lockHolders(of status: FileStatus) -> LockSighting.Holders {
    guard let text = proc.contents(of: Path("locks"), upTo: 4 << 20) else { return .unknown }
    var pids: [Int32] = []
    var isHeld = false
    var locks = unsafe KernelLocks(text.span.bytes)
    while let lock = locks.next() {
      guard lock.kind != .lease, !lock.isWaiter, lock.inode == status.identity.inode else { continue }
      guard (lock.major, lock.minor) == status.device else { continue }
      isHeld = true
      if lock.pid > 0 { pids.append(lock.pid) }
    }
    guard isHeld else { return .none }
    return .some(pids.compactMap { living($0) })
  }

  /// Who has a file open, ourselves aside.
  ///
  /// - Returns: `.unknown` where root is refused a look: then nothing is proved.
  /// - SeeAlso: proc(5), /proc/PID/fd
  public mutating func openers(of file: FileIdentity) -> LockSighting.Holders {
    var found: [ProcessIdentity] = []
    var wasRefused = false
    let own = Own.pid
    for pid in pids() where pid != own {
      do throws(Errno) {
        let open = try proc.directory(Path("\(pid)/fd"))
        if try has(open, file), let process = living(pid) { found.append(process) }
      } catch {
        // What an ordinary user may not look into is another's, in a directory only he can write.
        if error == .accessDenied || error == .notPermitted, Own.uid == 0 { wasRefused = true }
      }
    }
    if !found.isEmpty { return .some(found) }
    return wasRefused ? .unknown : .none
  }

  private mutating func has(_ open: borrowing Directory, _ file: FileIdentity) throws(Errno) -> Bool {
    let listing = try DirectoryListing(open)
    while try listing.read(into: &descriptors) {
      var cursor = DirectoryEntries(descriptors.bytes)
      while let entry = cursor.next() {
        if (try? open.identity(behind: Path(entry.name))) == file { return true }
      }
    }
    return false
  }

  /// The program's name for people; empty where the process is gone.
  public func name(of pid: Int32) -> String {
    guard let bytes = proc.contents(of: Path("\(pid)/comm"), upTo: 64) else { return "" }
    return escaped(bytes.filter { $0 != 0x0a })
  }
}
