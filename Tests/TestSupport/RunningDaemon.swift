internal import Foundation
internal import Synchronization

/// The real midwatchd on a test's pipeline; killed when the test lets go of it.
public final class RunningDaemon: @unchecked Sendable {
  private let process = Process()
  private let pipeline: Pipeline
  private let log: URL
  private var hasTurn = false

  /// Starts it and waits until it has looked at everything once.
  ///
  /// - Parameters:
  ///   - settings: as for `--set`.
  ///   - wrapper: a program and its arguments that runs it, as `setpriv` does.
  public convenience init(
    _ pipeline: Pipeline, _ settings: String..., arguments: [String] = [], environment: [String: String] = [:],
    through wrapper: [String] = [], waits: Bool = true
  ) throws {
    try self.init(pipeline, settings, arguments, environment, wrapper)
    if waits { _ = eventually { isWatching || !isRunning } }
  }

  /// The same for a test that must not keep a thread waiting: many of them run at once.
  public static func start(
    _ pipeline: Pipeline, _ settings: String..., arguments: [String] = [], through wrapper: [String] = []
  ) async throws -> RunningDaemon {
    try await start(pipeline, settings, arguments: arguments, through: wrapper)
  }

  public static func start(
    _ pipeline: Pipeline, _ settings: [String], arguments: [String] = [], through wrapper: [String] = []
  ) async throws -> RunningDaemon {
    await Turns.take()
    let daemon: RunningDaemon
    do { daemon = try RunningDaemon(pipeline, settings, arguments, [:], wrapper) } catch {
      Turns.giveBack()
      throw error
    }
    daemon.hasTurn = true
    _ = await eventually { daemon.isWatching || !daemon.isRunning }
    return daemon
  }

  private init(
    _ pipeline: Pipeline, _ settings: [String], _ arguments: [String], _ environment: [String: String],
    _ wrapper: [String]
  ) throws {
    self.pipeline = pipeline
    log = URL(fileURLWithPath: pipeline.path + ".log-\(UUID().uuidString.prefix(4))")
    try Data().write(to: log)
    // A hundred of them at once would all look through /proc whenever a test starts a browser.
    let isOfProcesses = settings.contains { $0.hasPrefix("leaks.") || $0.hasPrefix("memory.") }
    let settings = settings + (isOfProcesses ? [] : ["leaks.mode=off", "memory.mode=off"])
    let words =
      wrapper + [Programs.built.appendingPathComponent("midwatchd").path, "--root", pipeline.path] + arguments
      + settings.flatMap { ["--set", $0] }
    process.executableURL = URL(
      fileURLWithPath: words[0].hasPrefix("/") ? words[0] : Programs.find(words[0]) ?? words[0])
    process.arguments = Array(words.dropFirst())
    process.environment = ProcessInfo.processInfo.environment
      .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: log)
    try process.run()
  }

  deinit {
    kill()
    if hasTurn { Turns.giveBack() }
    try? FileManager.default.removeItem(at: log)
  }

  public var pid: Int32 { process.processIdentifier }
  public var isRunning: Bool { process.isRunning }
  public var output: String { (try? Data(contentsOf: log)).map { String(decoding: $0, as: UTF8.self) } ?? "" }

  /// status.json is written at the end of the first round.
  public var isWatching: Bool { pipeline.status()["pid"] as? Int == Int(pid) }

  public func reload() { _ = Foundation.kill(pid, SIGHUP) }

  public func kill() {
    if process.isRunning { _ = Foundation.kill(pid, SIGKILL) }
    process.waitUntilExit()
  }

  /// Asks it to stop and waits for it.
  ///
  /// - Returns: its exit code; 256 and the signal where one ended it.
  @discardableResult
  public func stop() -> Int32 {
    if process.isRunning { process.terminate() }
    return wait()
  }

  public func wait() -> Int32 {
    process.waitUntilExit()
    return process.terminationReason == .exit ? process.terminationStatus : 256 + process.terminationStatus
  }
}

/// Of daemons for tests that only wait, so many run at a time: all of them at once would load the machine beyond
/// what any box has, and use up the inotify instances of a user (128 by default).
private enum Turns {
  private struct State {
    var free = 40
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private static let state = Mutex(State())

  static func take() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        if state.free > 0 {
          state.free -= 1
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  static func giveBack() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if state.waiting.isEmpty {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}
