import Glibc
import Rules
import Testing

@testable import Kernel

@Suite struct TimeAndSignalTests {
  @Test func aDeadlineWakesEpollAndIsTakenIn() throws {
    let timer = try Timer()
    var epoll = try Epoll()
    try epoll.add(timer.descriptor, key: 7)
    #expect(try epoll.wait(milliseconds: 0) == 0)
    let start = Clock.instant()
    try timer.arm(at: start + .milliseconds(50))
    #expect(try epoll.wait(milliseconds: -1) == 1)
    #expect(epoll.key(at: 0) == 7)
    #expect(Clock.instant() >= start + .milliseconds(50))
    #expect(try epoll.wait(milliseconds: 0) == 1)
    timer.acknowledge()
    #expect(try epoll.wait(milliseconds: 0) == 0)
    // Nothing to take in is no error, and does not wait.
    timer.acknowledge()
  }

  @Test(arguments: [0, -5, 1, Int64.min])
  func thePastIsAsGoodAsNow(nanoseconds: Int64) throws {
    let timer = try Timer()
    var epoll = try Epoll()
    try epoll.add(timer.descriptor, key: 1)
    try timer.arm(at: Instant(nanoseconds: nanoseconds))
    #expect(try epoll.wait(milliseconds: -1) == 1)
  }

  @Test func aDeadlineCanBeTakenBackAndPutOff() throws {
    let timer = try Timer()
    var epoll = try Epoll()
    try epoll.add(timer.descriptor, key: 1)
    try timer.arm(at: Clock.instant() + .milliseconds(20))
    try timer.arm(at: nil)
    #expect(try epoll.wait(milliseconds: 100) == 0)
    try timer.arm(at: Instant(nanoseconds: .max))
    #expect(try epoll.wait(milliseconds: 0) == 0)
    try timer.arm(at: Clock.instant())
    #expect(try epoll.wait(milliseconds: -1) == 1)
  }

  /// That a step wakes it cannot be shown without setting this machine's clock.
  @Test func theWatchOnTheClockIsQuietByItself() throws {
    let watch = try ClockWatch()
    var epoll = try Epoll()
    try epoll.add(watch.descriptor, key: 1)
    #expect(try epoll.wait(milliseconds: 0) == 0)
    try watch.acknowledge()
    #expect(try epoll.wait(milliseconds: 0) == 0)
  }

  @Test func clocksRunForward() {
    let first = Clock.now()
    Clock.rest(.milliseconds(10))
    let second = Clock.now()
    #expect(second.instant >= first.instant + .milliseconds(10))
    #expect(Clock.sinceBoot() >= second.instant - Instant(nanoseconds: 0))
    #expect(Clock.ticksPerSecond == 100)
    Clock.rest(.zero)
    Clock.rest(TimeSpan(nanoseconds: -1))
  }

  @Test func everyReadyDescriptorIsToldByItsKey() throws {
    var epoll = try Epoll()
    let first = try Timer()
    let second = try Timer()
    let third = try Timer()
    try epoll.add(first.descriptor, key: 1)
    try epoll.add(second.descriptor, key: .max)
    try epoll.add(third.descriptor, key: 3)
    #expect(refusal { try epoll.add(third.descriptor, key: 4) } == .exists)
    try first.arm(at: Instant(nanoseconds: 1))
    try second.arm(at: Instant(nanoseconds: 1))
    // Both have expired for certain when a third, later one has.
    let last = try Timer()
    var other = try Epoll()
    try other.add(last.descriptor, key: 0)
    try last.arm(at: Clock.instant() + .milliseconds(1))
    #expect(try other.wait(milliseconds: -1) == 1)
    let count = try epoll.wait(milliseconds: 0)
    #expect(Set((0..<count).map { epoll.key(at: $0) }) == [1, .max])
  }

  @Test func whatIsClosedIsNoLongerWaitedFor() throws {
    var epoll = try Epoll()
    do {
      let timer = try Timer()
      try epoll.add(timer.descriptor, key: 1)
      try timer.arm(at: Instant(nanoseconds: 1))
    }
    #expect(try epoll.wait(milliseconds: 50) == 0)
    let place = try Place()
    try place.write("file")
    // An ordinary file is always ready, so epoll has nothing to wait for.
    #expect(refusal { try epoll.add(place.open().file(Path("file")).descriptor, key: 2) } == .notPermitted)
  }

  @Test func signalsComeInByDescriptor() async {
    await #expect(processExitsWith: .exitCode(42)) {
      let signals = try Signals()
      var epoll = try Epoll()
      try epoll.add(signals.descriptor, key: 1)
      guard signals.next() == nil else { exit(1) }
      // To this thread, the only one that blocks them.
      for signal in [SIGHUP, SIGINT, SIGTERM] { pthread_kill(pthread_self(), signal) }
      guard try epoll.wait(milliseconds: -1) == 1 else { exit(2) }
      let seen = [signals.next(), signals.next(), signals.next()]
      guard seen == [.hangUp, .interrupt, .terminate], signals.next() == nil else { exit(3) }
      exit(42)
    }
  }

  @Test func aReaderThatWentAwayIsAnError() async {
    await #expect(processExitsWith: .exitCode(42)) {
      _ = try Signals()
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      close(ends[0])
      let file = File(owning: Descriptor(owning: ends[1]))
      guard refusal({ try file.write([1]) }) == Errno(rawValue: EPIPE) else { exit(1) }
      dup2(file.descriptor.number, 1)
      guard !Terminal.write([1], to: .output) else { exit(2) }
      exit(42)
    }
  }
}
