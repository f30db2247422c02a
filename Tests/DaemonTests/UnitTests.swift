import Foundation
import TestSupport
import Testing

/// The units as they are shipped.
@Suite struct UnitTests {
  static let units = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("systemd")

  private func text(of unit: String) throws -> String {
    try String(contentsOf: Self.units.appendingPathComponent(unit), encoding: .utf8)
  }

  /// What is written without a comment.
  private func settings(of unit: String) throws -> [String] {
    try text(of: unit).split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
  }

  @Test(
    .enabled(if: Programs.has("systemd-analyze"), "systemd-analyze is not here"),
    arguments: [("midwatchd.service", "midwatchd.service"), ("midwatchd@.service", "midwatchd@blog.service")])
  func systemdHasNothingToSayOfIt(file: String, instance: String) throws {
    let place = try Pipeline([])
    // The program must be there for it to be verified.
    let built = Programs.built.appendingPathComponent("midwatchd").path
    try place.write(file, try text(of: file).replacing("/usr/bin/midwatchd", with: built))
    let outcome = try Programs.run("systemd-analyze", ["verify", "--man=no", place.path(instance)])
    #expect(outcome.status == 0)
    #expect(outcome.error == "")
  }

  @Test(
    .enabled(if: Programs.has("systemd-analyze"), "systemd-analyze is not here"),
    arguments: ["midwatchd.service", "midwatchd@.service"])
  func itsExposureIsAtMostThree(file: String) throws {
    let unit = Self.units.appendingPathComponent(file).path
    let outcome = try Programs.run(
      "systemd-analyze", ["security", "--offline=true", "--threshold=30", "--no-pager", unit])
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
  }

  @Test func theOneForMorePipelinesDiffersInItsNamesOnly() throws {
    let expected = try settings(of: "midwatchd.service").map { line in
      switch line {
      case "Description=Watchdog for a pipeline of agents": "Description=Watchdog for the pipeline %i"
      case "ExecStart=/usr/bin/midwatchd": "ExecStart=/usr/bin/midwatchd --config /etc/midwatch/%i.conf"
      case "StateDirectory=midwatch", "RuntimeDirectory=midwatch": line + "-%i"
      default: line
      }
    }
    #expect(try settings(of: "midwatchd@.service") == expected)
  }
}

/// What midwatchd tells its service manager, sd_notify(3).
@Suite struct NotifyTests {
  @Test func readyAliveReloadingStopping() throws {
    let pipeline = try Pipeline()
    let manager = try Manager(at: pipeline.path("manager"))
    let daemon = try RunningDaemon(
      pipeline, environment: ["NOTIFY_SOCKET": pipeline.path("manager"), "WATCHDOG_USEC": "600000"])
    #expect(manager.next { $0 == "STATUS=closed; 0 locks, 0 outputs seen" } != nil)
    let ready = try #require(manager.next { $0 == "READY=1" })
    #expect(ready.contains("STATUS=watching \(pipeline.path)"))
    #expect(manager.next { $0 == "WATCHDOG=1" } != nil)
    #expect(manager.next { $0 == "WATCHDOG=1" } != nil)

    let before = Manager.monotonicMicroseconds()
    daemon.reload()
    let reloading = try #require(manager.next { $0 == "RELOADING=1" })
    let stamp = try #require(reloading.first { $0.hasPrefix("MONOTONIC_USEC=") }.flatMap { Int64($0.dropFirst(15)) })
    #expect((before...Manager.monotonicMicroseconds()).contains(stamp))
    #expect(manager.next { $0 == "READY=1" } != nil)

    #expect(daemon.stop() == 0)
    #expect(manager.next { $0 == "STOPPING=1" } != nil)
  }

  @Test func aRefusedReloadIsOverAsWell() throws {
    let pipeline = try Pipeline()
    try pipeline.write("conf", "[pipeline]\nroot = \(pipeline.path)\n")
    let manager = try Manager(at: pipeline.path("manager"))
    let daemon = try RunningDaemon(
      pipeline, arguments: ["--config", pipeline.path("conf")],
      environment: [
        "NOTIFY_SOCKET": pipeline.path("manager"), "STATE_DIRECTORY": pipeline.path(".midwatch/state"),
        "RUNTIME_DIRECTORY": pipeline.path(".midwatch/run"),
      ])
    try pipeline.write("conf", "nonsense\n")
    daemon.reload()
    #expect(manager.next { $0 == "RELOADING=1" } != nil)
    #expect(manager.next { $0 == "READY=1" } != nil)
    #expect(pipeline.journal("reload-refused").count == 1)
    #expect(daemon.stop() == 0)
  }

  @Test func aLoopThatIsLostFeedsNoWatchdog() throws {
    let pipeline = try Pipeline()
    let manager = try Manager(at: pipeline.path("manager"))
    let daemon = try RunningDaemon(
      pipeline, environment: ["NOTIFY_SOCKET": pipeline.path("manager"), "WATCHDOG_USEC": "300000"])
    #expect(manager.next { $0 == "WATCHDOG=1" } != nil)
    kill(daemon.pid, SIGSTOP)
    #expect(eventually { daemon.isStopped })
    while manager.next(within: 0.01) != nil {}
    // Five times as long as the manager would wait.
    #expect(manager.next(within: 1.5) == nil)
    kill(daemon.pid, SIGCONT)
    #expect(manager.next { $0 == "WATCHDOG=1" } != nil)
    #expect(daemon.stop() == 0)
  }

  @Test func withoutAWatchdogNothingIsFed() throws {
    let pipeline = try Pipeline()
    let manager = try Manager(at: pipeline.path("manager"))
    let daemon = try RunningDaemon(pipeline, environment: ["NOTIFY_SOCKET": pipeline.path("manager")])
    #expect(manager.next { $0 == "READY=1" } != nil)
    while let told = manager.next(within: 1) { #expect(!told.contains("WATCHDOG=1")) }
    #expect(daemon.stop() == 0)
  }
}

extension RunningDaemon {
  /// By a signal, proc_pid_stat(5).
  fileprivate var isStopped: Bool {
    let stat = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    return stat.split(separator: ")").last?.hasPrefix(" T") == true
  }
}

/// A service manager's end of NOTIFY_SOCKET.
private final class Manager {
  private let descriptor: Int32

  init(at path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
  }

  deinit { close(descriptor) }

  /// The next message's assignments; nil where none comes in time.
  func next(within seconds: Double = 20) -> [String]? {
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard Glibc.poll(&poll, 1, Int32(seconds * 1000)) == 1 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    guard count >= 0 else { return nil }
    return String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// The first message with such an assignment; nil where none comes in time.
  func next(_ matches: (String) -> Bool) -> [String]? {
    let end = Date().addingTimeInterval(20)
    while Date() < end {
      guard let told = next(within: 20) else { return nil }
      if told.contains(where: matches) { return told }
    }
    return nil
  }

  static func monotonicMicroseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}
