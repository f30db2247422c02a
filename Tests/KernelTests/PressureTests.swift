import Glibc
import Testing

@testable import Kernel

@Suite struct PressureTests {
  static let isThere = access("/proc/pressure/memory", R_OK | W_OK) == 0
  static let why: Comment = "this kernel keeps no account of stalls (PSI)"

  @Test(.enabled(if: isThere, why)) func aLineIsDrawnAndNotCrossedByItself() throws {
    let pressure = try Pressure()
    var epoll = try Epoll()
    try pressure.register(with: epoll, key: 5)
    // Whoever presses on this machine's memory, no more than one crossing.
    #expect(try epoll.wait(milliseconds: 0) <= 1)
  }

  @Test(
    .enabled(if: isThere, why),
    arguments: ["", "none 150000 2000000", "some", "some 150000", "some 0 2000000", "some 3000000 2000000", "some 1 99000000"])
  func whatIsNoTriggerIsRefused(trigger: String) {
    #expect(refusal { _ = try Pressure(trigger) } == .invalid)
  }

  @Test func withoutAnAccountThereIsNoLine() {
    #expect(refusal { _ = try Pressure(of: Path("/proc/pressure/nothing")) } == .noEntry)
  }
}
