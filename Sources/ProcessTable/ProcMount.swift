/// How /proc is mounted, and so what its silence proves, proc(5).
public struct ProcMount: Equatable, Sendable {
  /// `hidepid=` anything but 0: other users' processes may not be looked into, or not be seen.
  public let hidesProcesses: Bool
  /// `subset=pid`: there is no /proc/locks, no /proc/stat, no /proc/meminfo.
  public let hidesTables: Bool

  /// That something is not in /proc proves nothing.
  public var isFiltered: Bool { hidesProcesses || hidesTables }

  public init(hidesProcesses: Bool, hidesTables: Bool) {
    self.hidesProcesses = hidesProcesses
    self.hidesTables = hidesTables
  }

  /// By the last mount of type proc on `/proc`; nil where there is none.
  public init?(mountinfo: RawSpan) {
    var found: ProcMount?
    var mounts = Mounts(mountinfo)
    while let mount = mounts.next() {
      guard mount.type.equals("proc"), mount.mountPoint.equals("/proc") else { continue }
      found = ProcMount(superOptions: mount.superOptions)
    }
    guard let found else { return nil }
    self = found
  }

  init(superOptions: RawSpan) {
    var hidesProcesses = false
    var hidesTables = false
    var start = 0
    while start <= superOptions.byteCount {
      var end = start
      while let byte = superOptions.byte(at: end), byte != 0x2C { end &+= 1 }
      let option = superOptions.extracting(start..<end)
      if option.equals("subset=pid") { hidesTables = true }
      // Numbers before Linux 5.8, words since.
      if option.starts(with: "hidepid="), !option.equals("hidepid=0"), !option.equals("hidepid=off") {
        hidesProcesses = true
      }
      start = end &+ 1
    }
    self.init(hidesProcesses: hidesProcesses, hidesTables: hidesTables)
  }
}

extension RawSpan {
  fileprivate func starts(with text: String) -> Bool {
    byteCount >= text.utf8.count && extracting(first: text.utf8.count).equals(text)
  }
}
