internal import Formats
internal import Kernel
internal import Rules

/// Stops a pipeline's processes, and lets them go on; who was stopped is on the disk before he is.
struct JobPauser {
  static let name = Path("paused")

  private(set) var paused: Set<ProcessIdentity> = []

  init(in state: borrowing Directory) {
    for line in (state.contents(of: Self.name, upTo: 1 << 20) ?? []).split(separator: 0x0a) {
      guard let json = JSON(Array(line)), let process = ProcessIdentity(json) else { continue }
      paused.insert(process)
    }
  }

  /// Signals everyone whom `find` tells of, until two looks tell of nobody new: what is being started while it
  /// looks is not missed.
  ///
  /// - Parameters:
  ///   - signal: SIGSTOP; or SIGTERM, after which there is nothing to undo.
  ///   - isStill: whether a process is who was found; asked again when it is held by its pidfd.
  /// - Returns: who was signalled.
  mutating func apply(
    _ signal: Signal, in state: borrowing Directory, find: () -> [ProcessIdentity], isStill: (ProcessIdentity) -> Bool
  ) -> [ProcessIdentity] {
    var signalled: [ProcessIdentity] = []
    var seen: Set<ProcessIdentity> = []
    var quiet = 0
    // A job that starts others faster than they are found is not followed for ever.
    for _ in 0..<100 where quiet < 2 {
      let new = find().filter { seen.insert($0).inserted }
      quiet = new.isEmpty ? quiet + 1 : 0
      guard !new.isEmpty else { continue }
      if signal == .stop {
        paused.formUnion(new)
        write(in: state)
      }
      for process in new where Target(process, if: isStill)?.send(signal, if: isStill) == true { signalled.append(process) }
    }
    return signalled
  }

  /// Lets everyone go on who was stopped and is still the same process.
  ///
  /// - Returns: how many they were.
  mutating func release(in state: borrowing Directory, isStill: (ProcessIdentity) -> Bool) -> Int {
    let released = paused.filter { Target($0, if: isStill)?.send(.proceed, if: isStill) == true }
    paused.removeAll()
    try? state.unlink(Self.name)
    return released.count
  }

  private func write(in state: borrowing Directory) {
    var writer = JSONWriter(reserving: 4096)
    for process in paused.sorted(by: { $0.pid < $1.pid }) {
      writer.beginObject()
      writer.field("pid", process.pid)
      writer.field("start_ticks", process.startTicks)
      writer.endObject()
      writer.endLine()
    }
    try? state.replace(Self.name, with: writer.bytes)
  }
}

/// Whom a halt stopped, for `midwatch resume` where no midwatchd runs that would let them go on.
public enum PausedJobs {
  /// - Returns: how many go on; 0 where none were stopped, or where they are another's to let go.
  public static func release(_ places: Places) -> Int {
    guard let state = try? Directory(places.state), let processes = try? Processes() else { return 0 }
    var pauser = JobPauser(in: state)
    return pauser.release(in: state, isStill: { processes.living($0.pid) == $0 })
  }
}
