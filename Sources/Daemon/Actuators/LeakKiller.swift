internal import Kernel
internal import Rules

/// One process that is to end, held by its pidfd.
///
/// A class, for it lies in a dictionary and its handle cannot be copied.
final class Target {
  let process: ProcessIdentity
  private var handle: ProcessHandle?
  private(set) var signals: [Signal] = []

  /// Opens the handle first and looks second: what is still there after the look is what was looked at, for a
  /// number is not given away while its process lives.
  ///
  /// - Parameter isStill: whether start time, program and command line are what was judged.
  /// - Returns: nil where it has ended or is another process by now.
  init?(_ process: ProcessIdentity, if isStill: (ProcessIdentity) -> Bool) {
    guard process.pid > 1, process.pid != Own.pid else { return nil }
    self.process = process
    handle = try? ProcessHandle(pid: process.pid)
    guard isStill(process), !hasEnded else { return nil }
  }

  /// Known once, it is let go: a handle in epoll would go on telling of it.
  var hasEnded: Bool {
    guard let ended = handle?.hasEnded() else { return true }
    if ended { handle = nil }
    return ended
  }

  /// - Returns: false where it was not sent: the process is not what it was any more.
  func send(_ signal: Signal, if isStill: (ProcessIdentity) -> Bool) -> Bool {
    guard isStill(process), !hasEnded else { return false }
    do throws(Errno) { try handle?.send(signal) } catch { return false }
    signals.append(signal)
    return true
  }

  func register(with epoll: borrowing Epoll, key: UInt64) throws(Errno) { try handle?.register(with: epoll, key: key) }
}

/// The ending of one leak: the root first and politely, then by force, then what did not go with it.
///
/// Never a process group: the group of a browser may be that of the job that started it. Never a zygote of a
/// living browser: the browser would go on without it at full speed.
final class Execution {
  enum Stage: Equatable {
    /// The root was asked, or forced, to end by then.
    case asked, forced
    /// The root has ended; its members mostly do so by themselves.
    case following
    /// What was left was forced.
    case sweeping
    case over(Outcome)
  }

  enum Outcome: Equatable {
    case gone
    /// Frozen, or stuck in the kernel: the signal waits for it.
    case lingering([ProcessIdentity])
    /// It is not what was judged any more, or was not to be ended any more; nothing more was sent.
    case spared
  }

  static let patience = TimeSpan.seconds(2)

  let leak: LeakRule.Leak
  let line: LeakLine
  private let faces: [ProcessIdentity: ProcessFace]
  private(set) var stage = Stage.asked
  /// When to look again.
  private(set) var due: Instant
  private var deadline: Instant
  private let root: Target?
  private var members: [Target]

  /// Sends the first signal.
  ///
  /// - Parameters:
  ///   - faces: what was judged; whoever is missing in it is not signalled.
  ///   - isStopped: nothing but SIGKILL reaches it.
  ///   - kept: whoever is never signalled, whatever was judged.
  ///   - reading: what a process is at this moment.
  init(
    _ leak: LeakRule.Leak, _ line: LeakLine, _ faces: [ProcessIdentity: ProcessFace], isStopped: Bool, keeping kept: Set<Int32>,
    at now: Instant, reading: (Int32) -> ProcessFace?
  ) {
    self.leak = leak
    self.line = line
    self.faces = faces
    deadline = now + Self.patience
    due = deadline
    func isStill(_ process: ProcessIdentity) -> Bool { faces[process] != nil && faces[process] == reading(process.pid) }
    root = kept.contains(leak.root.pid) ? nil : Target(leak.root, if: isStill)
    members = root == nil ? [] : leak.members.filter { !kept.contains($0.pid) }.compactMap { Target($0, if: isStill) }
    let signal: Signal =
      switch leak.kind {
      case _ where isStopped: .kill
      // Its clean shutdown: of all signals this one alone leaves no lock and no socket behind.
      case .orphanBrowser: .hangUp
      case .helper, .abandoned: .terminate
      case .orphanChild: .kill
      }
    guard let root, root.send(signal, if: isStill) else {
      stage = .over(.spared)
      return
    }
    if signal == .kill { stage = .forced }
  }

  var outcome: Outcome? { if case .over(let outcome) = stage { outcome } else { nil } }

  /// What was sent to the root.
  var signals: [Signal] { root?.signals ?? [] }

  /// Those that had to be killed one by one.
  var swept: [ProcessIdentity] { members.filter { !$0.signals.isEmpty }.map(\.process) }

  /// Wakes the loop when the root has ended.
  func register(with epoll: borrowing Epoll, key: UInt64) throws(Errno) { try root?.register(with: epoll, key: key) }

  /// Takes the next step if its time has come or the root has ended.
  func advance(at now: Instant, reading: (Int32) -> ProcessFace?) {
    guard let root, outcome == nil else { return }
    func isStill(_ process: ProcessIdentity) -> Bool { faces[process] == reading(process.pid) }
    members.removeAll { $0.signals.isEmpty && $0.hasEnded }
    switch stage {
    case .asked, .forced:
      if !root.hasEnded {
        guard now >= deadline else { return }
        if stage == .forced { return finish() }
        if root.send(.kill, if: isStill) { return enter(.forced, at: now) }
        // It has ended this very moment, or it runs another program now, of which nothing was judged.
        guard root.hasEnded else {
          stage = .over(.spared)
          return
        }
      }
      enter(.following, at: now)
      advance(at: now, reading: reading)
    case .following:
      if members.isEmpty { return finish() }
      due = min(deadline, now + .milliseconds(100))
      guard now >= deadline else { return }
      for member in members { _ = member.send(.kill, if: isStill) }
      enter(.sweeping, at: now)
    case .sweeping:
      due = min(deadline, now + .milliseconds(100))
      if now >= deadline || members.allSatisfy(\.hasEnded) { finish() }
    case .over: break
    }
  }

  /// Sends nothing more.
  func stop() {
    guard let root, outcome == nil else { return }
    stage = .over(root.hasEnded ? .gone : .spared)
  }

  private func enter(_ stage: Stage, at now: Instant) {
    self.stage = stage
    deadline = now + Self.patience
    due = deadline
  }

  private func finish() {
    // Whoever got none runs another program now, or goes with a root that lingers itself.
    let left = ([root].compactMap { $0 } + members).filter { $0.signals.contains(.kill) && !$0.hasEnded }.map(\.process)
    stage = .over(left.isEmpty ? .gone : .lingering(left))
  }
}
