internal import Foundation

/// The real midwatchd on a test's pipeline; killed when the test lets go of it.
public final class RunningDaemon: @unchecked Sendable {
  private let process = Process()
  private let pipeline: Pipeline
  private let log: URL

  /// Starts it and waits until it has looked at everything once.
  ///
  /// - Parameter settings: as for `--set`.
  public init(
    _ pipeline: Pipeline, _ settings: String..., arguments: [String] = [], environment: [String: String] = [:],
    waits: Bool = true
  ) throws {
    self.pipeline = pipeline
    log = URL(fileURLWithPath: pipeline.path + ".log-\(UUID().uuidString.prefix(4))")
    try Data().write(to: log)
    process.executableURL = Programs.built.appendingPathComponent("midwatchd")
    process.arguments = ["--root", pipeline.path] + arguments + settings.flatMap { ["--set", $0] }
    process.environment = ProcessInfo.processInfo.environment
      .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: log)
    try process.run()
    if waits { _ = eventually { isWatching || !process.isRunning } }
  }

  deinit {
    kill()
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
