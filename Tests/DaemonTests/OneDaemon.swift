import Synchronization
import TestSupport
import Testing

/// One pipeline and one daemon for all the tests of a suite: forty daemons at once would only wait for each
/// other, and a daemon that did not get to look proves nothing.
struct OneDaemon: SuiteTrait, TestScoping {
  /// What a suite's tests share.
  final class Shared: Sendable {
    let pipeline: Pipeline
    private let number = Atomic(0)

    init(_ pipeline: Pipeline) { self.pipeline = pipeline }

    /// A lock's name that no other test has.
    func newName() -> String { "lock-\(number.add(1, ordering: .relaxed).newValue).lock" }

    /// The journal's lines on one lock.
    func told(of lock: String) -> [[String: Any]] {
      pipeline.journal(holding: "/\(lock)\",").filter { ($0["path"] as? String)?.hasSuffix("/\(lock)") == true }
    }

    func told(_ what: String, of lock: String, age: Int) -> [[String: Any]] {
      told(of: lock).filter { $0["what"] as? String == what && ($0["age_s"] as? Int ?? 0) >= age }
    }

    func reapedBecause(_ lock: String) -> String? {
      told(of: lock).first { $0["what"] as? String == "reaped" }?["rung"] as? String
    }
  }

  @TaskLocal static var current: Shared?

  let settings: [String]

  init(_ settings: String...) { self.settings = settings }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let pipeline = try Pipeline()
    let daemon = try await RunningDaemon.start(pipeline, settings)
    try await Self.$current.withValue(Shared(pipeline)) { try await function() }
    #expect(await eventually { pipeline.strays() == [] })
    #expect(daemon.stop() == 0)
  }
}
