import Foundation
import Kernel
import TestSupport
import Testing

@testable import Daemon
@testable import Rules

/// The ending of a leak that does not stay what it was; real processes, and a clock of the test's own.
@Suite struct LeakKillerTests {
  /// Waits for the end when it is told to hang up, and becomes another program for whoever else asks.
  private static let changes = "trap 'exec sleep 1000' USR1; : > \"$1\"; while :; do sleep 0.02; done"
  private static let hangsOn = "trap 'exec sleep 1000' HUP; : > \"$1\"; while :; do sleep 0.02; done"

  private let place: Pipeline

  init() throws { place = try Pipeline([]) }

  private func start(_ script: String, _ name: String) throws -> Holder {
    let holder = try Holder(sh: script, place.path(name))
    try #require(eventually { place.exists(name) })
    return holder
  }

  private func identity(_ holder: Holder) throws -> ProcessIdentity {
    let process = try Processes().living(holder.pid)
    return try #require(process)
  }

  private func face(_ pid: Int32) -> ProcessFace? { (try? Processes())?.face(of: pid) }

  /// Begins to end `root` as a browser, with `members`.
  private func execution(_ root: Holder, _ members: [Holder] = []) throws -> Execution {
    let processes = try ([root] + members).map { try identity($0) }
    var faces: [ProcessIdentity: ProcessFace] = [:]
    for process in processes { faces[process] = face(process.pid) }
    let leak = LeakRule.Leak(
      kind: .orphanBrowser, root: processes[0], members: Array(processes.dropFirst()), tree: root.pid, proof: .init(),
      found: .zero)
    return Execution(
      leak, LeakLine(leak, ProcessScan(), name: "sh", memory: nil, job: nil), faces, isStopped: false, keeping: [], at: at(0),
      reading: face)
  }

  private func at(_ second: Int64) -> Instant { Instant(nanoseconds: second * 1_000_000_000) }

  /// Waits until a process runs sleep(1) in a shell's place.
  private func changed(_ holder: Holder) -> Bool {
    eventually {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(holder.pid)/exe"))?.hasSuffix("sleep") == true
    }
  }

  @Test func aBrowserThatBecameAnotherProgramIsSparedAndNothingLingers() throws {
    let (root, member) = (try start(Self.hangsOn, "root"), try start(Self.changes, "member"))
    let execution = try execution(root, [member])
    #expect(execution.signals == [.hangUp])
    try #require(changed(root))
    execution.advance(at: at(1), reading: face)
    #expect(execution.outcome == nil)
    execution.advance(at: at(2), reading: face)
    #expect(execution.outcome == .spared)
    #expect(execution.signals == [.hangUp])
    #expect(!root.hasEnded && !member.hasEnded)
  }

  @Test func aBrowserThatEndsAsItIsToBeForcedIsFollowedByItsParts() throws {
    let (root, member) = (try start(Self.hangsOn, "root"), try start(Self.changes, "member"))
    let execution = try execution(root, [member])
    execution.advance(at: at(2)) { pid in
      // Between the look for its end and the look behind the handle.
      if pid == root.pid { root.kill() }
      return face(pid)
    }
    #expect(execution.stage == .following)
    execution.advance(at: at(4), reading: face)
    try #require(eventually { member.hasEnded })
    execution.advance(at: at(5), reading: face)
    #expect(execution.outcome == .gone)
    #expect(execution.swept.map(\.pid) == [member.pid])
  }

  @Test func aPartThatBecameAnotherProgramDoesNotLinger() throws {
    let (root, member) = (try start(Self.changes, "root"), try start(Self.changes, "member"))
    let execution = try execution(root, [member])
    try #require(eventually { root.hasEnded })
    kill(member.pid, SIGUSR1)
    try #require(changed(member))
    for second: Int64 in [1, 3, 5] { execution.advance(at: at(second), reading: face) }
    #expect(execution.outcome == .gone)
    #expect(!member.hasEnded && execution.swept.isEmpty)
  }
}
