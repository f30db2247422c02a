public import Foundation

/// Programs that tests run for real.
public enum Programs {
  /// Where SwiftPM put the products of this very build.
  public static let built: URL = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    // Debug and release put the test bundle beside the products; a test runner from elsewhere does not.
    let beside = URL(fileURLWithPath: own).deletingLastPathComponent()
    if FileManager.default.fileExists(atPath: beside.appendingPathComponent("midwatchd").path) { return beside }
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return package.appendingPathComponent(".build/debug")
  }()

  /// A program in PATH, nil where the machine lacks it.
  public static func find(_ name: String) -> String? {
    for directory in (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":") {
      let path = "\(directory)/\(name)"
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    return nil
  }

  /// For `.enabled(if:)`: in CI nothing skips, so that a program that CI forgot to install fails.
  public static func has(_ names: String...) -> Bool {
    isCI || names.allSatisfy { find($0) != nil }
  }

  /// Whether Python can import all of these; in CI always, as above.
  public static func pythonHas(_ modules: String...) -> Bool {
    isCI || (try? run("python3", ["-c", "import " + modules.joined(separator: ",")]).status) == 0
  }

  public static var isCI: Bool { ProcessInfo.processInfo.environment["CI"] == "true" }
  public static var isRoot: Bool { isCI || geteuid() == 0 }

  public struct Outcome: Sendable {
    public let status: Int32
    public let output: String
    public let error: String
  }

  /// Runs a program to its end.
  public static func run(
    _ program: String, _ arguments: [String], input: String = "", environment: [String: String] = [:]
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program.hasPrefix("/") ? program : find(program) ?? program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let place = FileManager.default.temporaryDirectory.appendingPathComponent("midwatch-run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: place) }
    let files = ["in", "out", "err"].map { place.appendingPathComponent($0) }
    try Data(input.utf8).write(to: files[0])
    for file in files[1...] { try Data().write(to: file) }
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    try process.run()
    process.waitUntilExit()
    func text(_ file: URL) -> String { (try? Data(contentsOf: file)).map { String(decoding: $0, as: UTF8.self) } ?? "" }
    return Outcome(status: process.terminationStatus, output: text(files[1]), error: text(files[2]))
  }

  /// The same for what takes long: on a thread of its own, so that tests that only wait are not kept from it.
  public static func runAside(
    _ program: String, _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> Outcome {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(with: Result { try run(program, arguments, environment: environment) })
      }
    }
  }

  /// Runs the operator's command line on a pipeline.
  public static func midwatch(_ pipeline: Pipeline, _ arguments: String...) throws -> Outcome {
    try run(built.appendingPathComponent("midwatch").path, ["--root", pipeline.path] + arguments)
  }
}
