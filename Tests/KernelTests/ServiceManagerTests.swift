import Glibc
import Rules
import Testing

@testable import Kernel

/// Against a real datagram socket, in a process of its own: the environment is everybody's.
@Suite struct ServiceManagerTests {
  @Test func assignmentsReachASocketWithAPath() async {
    await #expect(processExitsWith: .exitCode(42)) {
      let place = try Place()
      try exchange(place.path + "/notify")
    }
  }

  @Test func assignmentsReachAnAbstractSocket() async {
    await #expect(processExitsWith: .exitCode(42)) { try exchange("@midwatch-test-\(getpid())") }
  }

  /// The longest path that fits.
  @Test func aLongNameIsTakenAndATooLongOneIsNot() async {
    await #expect(processExitsWith: .exitCode(42)) {
      setenv("NOTIFY_SOCKET", "/" + String(repeating: "x", count: 107), 1)
      if let manager = ServiceManager() {
        manager.tell("READY=1")
        exit(1)
      }
      let place = try Place()
      try exchange(place.path + "/" + String(repeating: "x", count: 106 - place.path.utf8.count))
    }
  }

  @Test func whereNobodyListensThereIsNone() async {
    await #expect(processExitsWith: .exitCode(42)) {
      for address in ["", "relative/path", "vsock:2:1234", "x"] {
        setenv("NOTIFY_SOCKET", address, 1)
        if let manager = ServiceManager() {
          manager.tell("READY=1")
          exit(1)
        }
      }
      unsetenv("NOTIFY_SOCKET")
      exit(ServiceManager() == nil ? 42 : 2)
    }
  }

  @Test func aManagerThatWentAwayIsNoError() async {
    await #expect(processExitsWith: .exitCode(42)) {
      let place = try Place()
      setenv("NOTIFY_SOCKET", place.path + "/nobody", 1)
      guard let manager = ServiceManager() else { exit(1) }
      manager.tell("WATCHDOG=1")
      exit(42)
    }
  }

  @Test func theWatchdogsPeriodIsRead() async {
    await #expect(processExitsWith: .exitCode(42)) {
      for (period, pid, wanted) in [
        ("30000000", "\(getpid())", TimeSpan.seconds(30)), ("30000000", nil, .seconds(30)), ("30000000", "1", nil),
        ("0", nil, nil),
        ("-5", nil, nil), ("many", nil, nil), ("9223372036854775807", nil, TimeSpan(nanoseconds: .max)),
      ] as [(String, String?, TimeSpan?)] {
        setenv("WATCHDOG_USEC", period, 1)
        if let pid { setenv("WATCHDOG_PID", pid, 1) } else { unsetenv("WATCHDOG_PID") }
        guard ServiceManager.watchdogPeriod == wanted else { exit(1) }
      }
      unsetenv("WATCHDOG_USEC")
      exit(ServiceManager.watchdogPeriod == nil ? 42 : 2)
    }
  }
}

/// Listens at the address, says something through `ServiceManager`, and ends with 42 where it arrived.
private func exchange(_ name: String) throws -> Never {
  let listener = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  var bytes = Array(name.utf8)
  if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
  let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
  let bound = withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) }
  }
  guard bound == 0 else { exit(10) }
  setenv("NOTIFY_SOCKET", name, 1)
  guard let manager = ServiceManager() else { exit(11) }
  for text in ["READY=1\nSTATUS=watching /tmp/é", "STOPPING=1"] {
    manager.tell(text)
    var message = [UInt8](repeating: 0, count: 4096)
    // Handed over in the call itself, so that there is nothing to wait for.
    let count = recv(listener, &message, message.count, Int32(MSG_DONTWAIT))
    guard count >= 0, String(decoding: message.prefix(count), as: UTF8.self) == text else { exit(12) }
  }
  exit(42)
}
