import Configuration
import Formats
import Kernel
import ProcessTable
import Rules

/// Everything that reads bytes of others. None may trap, and what it takes has to make sense.
enum Parser: String, CaseIterable {
  case inotify, listing, stat, status, locks, cmdline, environ, fd, mountinfo, sockets, memory
  case owner, json, time, text, configuration, template

  func take(_ bytes: RawSpan) {
    switch self {
    case .inotify: takeInotify(bytes)
    case .listing: takeListing(bytes)
    case .stat: takeStat(bytes)
    case .status: takeStatus(bytes)
    case .locks: takeLocks(bytes)
    case .cmdline: takeCommand(bytes)
    case .environ: takeEnvironment(bytes)
    case .fd: takeDescriptor(bytes)
    case .mountinfo: takeMounts(bytes)
    case .sockets: takeSockets(bytes)
    case .memory: takeMemory(bytes)
    case .owner: takeOwner(bytes)
    case .json: takeJSON(bytes)
    case .time: takeTime(bytes)
    case .text: takeText(bytes)
    case .configuration: takeConfiguration(bytes)
    case .template: takeTemplate(bytes)
    }
  }

  // MARK: the kernel's records

  private func takeInotify(_ bytes: RawSpan) {
    var taken = 0
    var events = InotifyEvents(bytes)
    while let event = events.next() { taken += 16 + event.name.byteCount }
    precondition(taken <= bytes.byteCount)
  }

  private func takeListing(_ bytes: RawSpan) {
    var taken = 0
    var entries = DirectoryEntries(bytes)
    while let entry = entries.next() {
      taken += 19 + entry.name.byteCount
      _ = entry.number
    }
    precondition(taken <= bytes.byteCount)
  }

  // MARK: /proc

  private func takeStat(_ bytes: RawSpan) {
    if let stat = ProcessStat(bytes) { precondition(stat.pid > 0) }
    _ = bootTime(stat: bytes)
  }

  private func takeStatus(_ bytes: RawSpan) {
    if let inside = NamespacePid(status: bytes) { precondition(inside.innermost > 0 && inside.depth > 0) }
    _ = realUser(status: bytes)
    _ = ControlGroup(bytes)
  }

  private func takeLocks(_ bytes: RawSpan) {
    var locks = KernelLocks(bytes)
    while let lock = locks.next() { _ = lock.pid }
    _ = FdInfo(bytes)
  }

  private func takeCommand(_ bytes: RawSpan) {
    let words = CommandWords(bytes)
    var number = 0
    while let word = words.word(number) {
      precondition(word.byteCount <= bytes.byteCount)
      number += 1
    }
    _ = words.type
    _ = words.value(of: "user-data-dir")
    _ = words.has("headless")
    _ = ProcessName(bytes)
  }

  private func takeEnvironment(_ bytes: RawSpan) {
    let environment = Environment(bytes)
    _ = environment.value(of: "A")
    if let pid = environment.pid(of: "A") { precondition(pid > 0) }
  }

  private func takeDescriptor(_ bytes: RawSpan) {
    _ = DescriptorLink(bytes)
    _ = BootID(bytes)
  }

  private func takeMounts(_ bytes: RawSpan) {
    var mounts = Mounts(bytes)
    while mounts.next() != nil {}
    _ = ProcMount(mountinfo: bytes)
  }

  private func takeSockets(_ bytes: RawSpan) {
    var sockets = SocketTable(bytes)
    while let socket = sockets.next() { _ = socket.inode }
  }

  private func takeMemory(_ bytes: RawSpan) {
    if let memory = MemoryInfo(bytes) { precondition(memory.total > 0) }
    if let memory = MemoryRollup(bytes) { _ = memory.total }
  }

  // MARK: what agents and operators write

  private func takeOwner(_ bytes: RawSpan) {
    for owner in [LockOwner(contents: bytes), LockOwner(link: bytes)] {
      guard let owner else { continue }
      precondition((1...4_194_304).contains(owner.pid))
      precondition(owner.host?.utf8.allSatisfy { (0x21...0x7E).contains($0) } ?? true)
    }
  }

  private func takeJSON(_ bytes: RawSpan) {
    guard let document = JSON(bytes) else { return }
    _ = document.path(["pid", "pid"])
    _ = Beat.written(in: bytes, at: ["pid"])
  }

  private func takeTime(_ bytes: RawSpan) {
    _ = Beat.written(in: bytes)
    guard let time = WallTime(text: bytes) else { return }
    // Written with milliseconds, rounded down.
    guard let again = WallTime(text: time.timestamp) else { preconditionFailure(time.timestamp) }
    precondition((0..<1_000_000).contains((time - again).nanoseconds), time.timestamp)
  }

  private func takeText(_ bytes: RawSpan) {
    let text = Formats.escaped(bytes)
    precondition(text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
    precondition(unescaped(text) == array(bytes))
    _ = SimHash(bytes)
  }

  private func takeConfiguration(_ bytes: RawSpan) {
    var builder = SettingsBuilder()
    builder.rootOverride = "/srv/pipeline"
    do throws(ConfigurationError) {
      try builder.read(array(bytes), file: "f")
      let settings = try builder.finish()
      let text = settings.render().map { "[\($0.section)]\n\($0.key) = \($0.value)\n" }.joined()
      var again = SettingsBuilder()
      try again.read(Array(text.utf8), file: "rendered")
      let same = try again.finish()
      precondition(same == settings)
    } catch {
      precondition(error.file != "rendered", error.description)
      precondition(error.description.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
    }
  }

  /// The first line is a template, the rest a path.
  private func takeTemplate(_ bytes: RawSpan) {
    let lines = array(bytes).split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false).map { Array($0) }
    guard let template = try? PathTemplate(lines[0]), lines.count == 2 else { return }
    let path = lines[1]
    _ = template.match(path.span.bytes)
  }

  private func array(_ bytes: RawSpan) -> [UInt8] { bytes.withUnsafeBytes { Array($0) } }
}
