import CContention
import Daemon
import Formats
import Kernel
import Rules
import TestSupport
import Testing

/// I1 at full speed: two agents contend for a lock by O_EXCL, a third refreshes what was left behind, and
/// the reaper takes it as it turns stale.
@Suite(.serialized) struct ContentionTests {
  static let captures = 100_000

  @Test func aHundredThousandCapturesAndNeverTwoOwners() throws {
    let pipeline = try Pipeline()
    let directory = try Directory(Path(pipeline.path("tasks")))
    let name = Path("a.lock")
    var reaper = LockReaper(as: PlaceholderContent(pid: Own.pid, startTicks: 1, host: "test", bootID: nil))
    let agents = contention_start(pipeline.path("tasks/a.lock"))
    defer { contention_free(agents) }

    var reaped = 0
    // The first that goes wrong is enough: who has lost his lock waits long for it.
    while reaped < Self.captures, contention_double_owners(agents) == 0, contention_lost(agents) == 0 {
      contention_await_stale(agents)
      guard let status = try? directory.status(of: name), Clock.wall() - status.modified > .seconds(3600) else { continue }
      let judged = LockLook(
        sighting: LockSighting(identity: status.identity, modified: status.modified, age: .seconds(7200)), status: status)
      guard case .captured(let captured) = reaper.capture(name, in: directory, judged: judged) else { continue }
      if reaper.remove(captured, as: name, in: directory) == .reaped { reaped += 1 }
    }
    contention_stop(agents)
    #expect(contention_double_owners(agents) == 0)
    #expect(contention_lost(agents) == 0)
    // Nothing of the reaper's own is left.
    #expect(try pipeline.names("tasks").filter { $0.hasPrefix(".midwatch") } == [])
  }

  /// What changed since it was judged is not even touched: nobody who watches sees its name move.
  @Test(arguments: ["touched", "replaced", "written"])
  func whatChangedSinceItWasJudgedIsNotCaptured(how: String) throws {
    let pipeline = try Pipeline()
    try pipeline.write("tasks/a.lock", "1")
    let directory = try Directory(Path(pipeline.path("tasks")))
    let name = Path("a.lock")
    let status = try directory.status(of: name)
    let judged = LockLook(
      sighting: LockSighting(identity: status.identity, modified: status.modified, age: .seconds(7200)), status: status)
    switch how {
    case "touched": try directory.setTimes(of: name, accessed: Clock.wall(), modified: Clock.wall() + .seconds(1))
    case "replaced":
      try pipeline.remove("tasks/a.lock")
      try pipeline.write("tasks/a.lock", "2")
    default: try pipeline.write("tasks/a.lock", "22")
    }
    let queue = try Inotify()
    _ = try queue.watch(directory, for: [.movedFrom, .movedTo])
    var reaper = LockReaper(as: PlaceholderContent(pid: Own.pid, startTicks: 1, host: "test", bootID: nil))
    guard case .ended(.spared) = reaper.capture(name, in: directory, judged: judged) else {
      Issue.record("it was captured")
      return
    }
    var events = ReadBuffer(capacity: 4096)
    while try queue.read(into: &events) {
      var cursor = InotifyEvents(events.bytes)
      while let event = cursor.next() {
        let isLock = Path(event.name) == name
        #expect(!isLock, "the lock's own name was moved")
      }
    }
    #expect(pipeline.exists("tasks/a.lock"))
  }
}
