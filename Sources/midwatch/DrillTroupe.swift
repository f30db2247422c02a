import Daemon
import Kernel
import Rules

/// The processes of a drill. None outlives it: each is killed by the kernel when the drill's own process ends,
/// and whoever loses its parent becomes the drill's child.
struct DrillTroupe {
  /// What is started, and not waited for yet.
  private(set) var running: [Int32: Member] = [:]

  struct Member {
    let world: DrillWorld
    /// `midwatchd` for the watch itself.
    let role: String
  }

  static let watch = "midwatchd"

  init() { Own.adoptOrphans() }

  /// - Parameter words: a program by its whole path, and its arguments.
  mutating func start(_ role: String, _ words: [String], in world: DrillWorld) throws(Failure) -> Int32 {
    let shell = ["/bin/sh", "-c", "exec \"$@\" >>\"$0\" 2>&1", world.log] + words
    do throws(Errno) {
      switch try ForkedChild.fork() {
      case .child:
        Own.dieWithParent()
        Own.leadNewGroup()
        Own.silence()
        Signals.release()
        let error = Own.become(
          Path("/bin/sh"), shell.map { Array($0.utf8) }, environment: world.environment.map { Array($0.utf8) })
        Own.end(as: .exited(error == .noEntry ? 127 : 126))
      case .parent(let child):
        running[child.pid] = Member(world: world, role: role)
        return child.pid
      }
    } catch { throw .failed(71, "midwatch: no process can be started: \(error); end some, and try again") }
  }

  /// Whoever has ended since, of those that were started here.
  mutating func ended() -> [(pid: Int32, member: Member, ending: Child.Ending)] {
    var ended: [(pid: Int32, member: Member, ending: Child.Ending)] = []
    while let reaped = Reaped.next() {
      guard let member = running.removeValue(forKey: reaped.pid) else { continue }
      ended.append((reaped.pid, member, reaped.ending))
    }
    return ended
  }

  func pids(of role: String, in world: DrillWorld) -> [Int32] {
    running.filter { $1.role == role && $1.world == world }.map(\.key)
  }

  /// Ends one, and what it started.
  mutating func kill(_ pid: Int32) {
    guard running[pid] != nil else { return }
    // Ours and not waited for: the number is its own.
    if let handle = try? ProcessHandle(pid: pid) { try? handle.send(.kill) }
  }

  /// Asks the watch to end, and kills everybody else and then it.
  mutating func endAll() {
    let processes = try? Processes()
    let watches = running.filter { $1.role == Self.watch }.map(\.key)
    for pid in watches { if let handle = try? ProcessHandle(pid: pid) { try? handle.send(.terminate) } }
    for round in 0..<1000 {
      _ = ended()
      let children = Set(running.keys).union(processes?.children(of: Own.pid) ?? [])
      if children.isEmpty { return }
      // Three seconds for the watch; the agents have nothing to save.
      for pid in children where round >= 600 || !watches.contains(pid) {
        if let handle = try? ProcessHandle(pid: pid) { try? handle.send(.kill) }
      }
      Clock.rest(.milliseconds(5))
    }
  }
}

/// One of the two pipelines: the same agents and the same cron, with midwatch beside them or without.
struct DrillWorld: Equatable {
  let name: String
  let place: Path
  /// Stands before each job: the gate, or sh itself.
  let shell: String
  let environment: [String]

  var root: String { String(decoding: place.appending(name).bytes, as: UTF8.self) }
  var log: String { "\(root).log" }

  func words(of agent: String) -> [String] {
    [shell, "-c", "cd \(root) && exec sh \(String(decoding: place.appending("agents").bytes, as: UTF8.self))/\(agent)"]
  }
}
