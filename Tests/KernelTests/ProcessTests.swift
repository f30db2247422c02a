import Glibc
import TestSupport
import Testing

@testable import Kernel

@Suite struct ProcessTests {
  @Test func anEndedProcessIsToldBeforeItIsWaitedFor() throws {
    let child = try Child.start(["sleep", "600"], input: File(reading: Path("/dev/null")))
    let handle = try ProcessHandle(pid: child.pid)
    var epoll = try Epoll()
    try handle.register(with: epoll, key: 9)
    #expect(handle.hasEnded() == false)
    #expect(child.ending() == nil)
    #expect(try epoll.wait(milliseconds: 0) == 0)
    try handle.send(.kill)
    #expect(try epoll.wait(milliseconds: -1) == 1)
    // A zombie now.
    #expect(handle.hasEnded() == true)
    #expect(child.handle.hasEnded() == true)
    let second = try ProcessHandle(pid: child.pid)
    #expect(second.hasEnded() == true)
    #expect(child.ending() == .killed(by: SIGKILL))
    #expect(handle.hasEnded() == true)
    #expect(refusal { try handle.send(.kill) } == .noProcess)
    #expect(refusal { _ = try ProcessHandle(pid: child.pid) } == .noProcess)
  }

  @Test func whatIsNoProcessHasNoHandle() {
    #expect(refusal { _ = try ProcessHandle(pid: 0) } == .invalid)
    #expect(refusal { _ = try ProcessHandle(pid: -1) } == .invalid)
    #expect(refusal { _ = try ProcessHandle(pid: 0x3fff_ffff) } == .noProcess)
  }

  @Test func thisProcessHasNotEnded() throws {
    let own = try ProcessHandle(pid: Own.pid)
    #expect(own.hasEnded() == false)
    try own.send(Signal(rawValue: 0))
    #expect(Own.pid == getpid())
  }

  private func ending(_ script: String, input: String = "") throws -> Child.Ending? {
    let place = try Place()
    try place.write("input", input)
    let child = try Child.start(["sh", "-c", script], input: place.open().file(Path("input")))
    try #require(eventually { child.handle.hasEnded() })
    return child.ending()
  }

  @Test(arguments: [0, 1, 7, 127, 255] as [Int32])
  func theExitCodeIsTold(code: Int32) throws {
    #expect(try ending("exit \(code)") == .exited(code))
  }

  @Test(arguments: [SIGKILL, SIGTERM, SIGABRT, SIGPIPE, SIGUSR1])
  func theSignalThatEndedItIsTold(signal: Int32) throws {
    #expect(try ending("ulimit -c 0; kill -\(signal) $$; exit 1") == .killed(by: signal))
  }

  @Test func aStoppedProcessHasNotEnded() throws {
    let child = try Child.start(["sh", "-c", "kill -STOP $$; exit 3"], input: File(reading: Path("/dev/null")))
    #expect(
      eventually {
        (try? File(reading: Path("/proc/\(child.pid)/stat")).contents(upTo: 512)).map {
          String(decoding: $0, as: UTF8.self).contains(") T ")
        } == true
      })
    #expect(child.handle.hasEnded() == false)
    #expect(child.ending() == nil)
    try child.handle.send(Signal(rawValue: SIGCONT))
    #expect(eventually { child.handle.hasEnded() })
    #expect(child.ending() == .exited(3))
    #expect("\(Child.Ending.exited(3)), \(Child.Ending.killed(by: 9))" == "exit 3, killed by signal 9")
  }

  @Test func theInputIsTheFile() throws {
    #expect(
      try ending(#"read -r one; read -r two; [ "$one,$two" = "first,second" ]"#, input: "first\nsecond\n") == .exited(0)
    )
  }

  @Test func theProgramStartsInAGroupOfItsOwnWithNoSignalBlocked() throws {
    #expect(try ending(#"read -r _ _ _ _ group _ </proc/$$/stat; [ "$group" = $$ ]"#) == .exited(0))
    // By exec: a shell blocks signals itself for as long as it forks.
    #expect(try ending(#"exec grep -q '^SigBlk:[[:space:]]*0*$' /proc/self/status"#) == .exited(0))
  }

  @Test func whatThisProcessBlocksAndIgnoresIsNotHandedOn() async {
    await #expect(processExitsWith: .exitCode(42)) {
      _ = try Signals()
      for (script, wanted) in [
        ("kill -PIPE $$; exit 1", SIGPIPE), ("kill -TERM $$; exit 1", SIGTERM), ("kill -HUP $$; exit 1", SIGHUP),
      ] {
        let child = try Child.start(["sh", "-c", script], input: File(reading: Path("/dev/null")))
        while !child.handle.hasEnded() { usleep(1000) }
        guard child.ending() == .killed(by: wanted) else { exit(1) }
      }
      exit(42)
    }
  }

  @Test func argumentsAreNotLookedAtByAnyShell() throws {
    let child = try Child.start(
      ["sh", "-c", #"[ "$1" = '$(exit 9); * "x"' ] && [ $# = 2 ] && [ -z "$2" ]"#, "sh", #"$(exit 9); * "x""#, ""],
      input: File(reading: Path("/dev/null")))
    try #require(eventually { child.handle.hasEnded() })
    #expect(child.ending() == .exited(0))
  }

  @Test func whatCannotBeStartedIsAnError() throws {
    let place = try Place()
    try place.write("not-executable", "#!/bin/sh\n")
    func start(_ words: [String]) -> Errno? {
      refusal { _ = try Child.start(words, input: File(reading: Path("/dev/null"))) }
    }
    #expect(start([]) == .invalid)
    #expect(start(["midwatch-no-such-program"]) == .noEntry)
    #expect(start(["/no/such/program"]) == .noEntry)
    #expect(start([place.path + "/not-executable"]) == .accessDenied)
    #expect(start([place.path]) == .accessDenied)
    #expect(start([""]) == .noEntry)
  }
}
