import Foundation
import Synchronization
import TestSupport
import Testing

/// A private pid namespace in which browsers are leaked, with midwatchd inside.
///
/// Its pid 1 is Tests/Zoo/keeper.py. An orphan is adopted by a real pid 1 there, other tests' browsers are
/// out of sight, and with pid 1 all others end, whatever became of them: nothing has to be found again to be
/// killed. A subreaper for each specimen instead would decide who adopts, which is what is to be tested.
final class Zoo: @unchecked Sendable {
  struct Failure: Error { let text: String }

  /// Removed with the zoo; short, for sockets are made below it.
  let root: String
  /// midwatchd's, for nobody else to look into.
  var temporary: String { root + "/tmp" }
  /// Whoever connects here is never answered.
  private(set) var silentPort = 0
  private let process = Process()
  private let requests = Pipe()
  private let answers = Pipe()
  private let turn = Mutex(Data())
  private let lastLook = Mutex((ContinuousClock.now - .seconds(1), [Int32: ZooProcess]()))
  private let number = Atomic(0)
  let threeAtOnce = Turns(3)

  init() throws {
    root = "/tmp/midwatch-zoo-\(UUID().uuidString.prefix(4))"
    try FileManager.default.createDirectory(
      atPath: root, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
    // For those who may not look into our sources.
    for name in ["driver.py", "subreaper.py"] {
      try FileManager.default.copyItem(atPath: Self.source(name), toPath: "\(root)/\(name)")
    }
    process.executableURL = URL(fileURLWithPath: Programs.find("unshare") ?? "/usr/bin/unshare")
    process.arguments = ["--pid", "--fork", "--mount-proc", "--kill-child", "/usr/bin/python3", Self.source("keeper.py")]
    process.standardInput = requests
    process.standardOutput = answers
    try process.run()
    silentPort = try decoded(Greeting.self, from: turn.withLock { try line(&$0) }).port
  }

  deinit { close() }

  /// Ends all that lives in it, and waits for that: pid 1 has ended only when all others have.
  func close() {
    // Whoever writes to one that has left gets SIGPIPE.
    if process.isRunning {
      _ = try? ask(["do": "end"], Nothing.self)
      if !eventually(within: 30, { !process.isRunning }) { kill(process.processIdentifier, SIGKILL) }
    }
    process.waitUntilExit()
    try? FileManager.default.removeItem(atPath: root)
  }

  private static func source(_ name: String) -> String {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return tests.appendingPathComponent("Zoo/\(name)").path
  }

  func newNumber() -> Int { number.add(1, ordering: .relaxed).newValue }

  // MARK: What its keeper does

  private struct Greeting: Decodable { let port: Int }
  private struct Started: Decodable { let pid: Int32 }
  private struct Looked: Decodable { let processes: [ZooProcess] }
  private struct Left: Decodable { let code: Int32? }
  private struct Nothing: Decodable {}

  /// - Parameters:
  ///   - words: the program's path and its arguments.
  ///   - program: where the first word is something else.
  ///   - hangs: whether its standard input is a pipe that stays silent, not /dev/null.
  func start(
    _ words: [String], program: String? = nil, user: UInt32 = 0, environment: [String: String] = [:],
    in directory: String = "/", output: String = "/dev/null", hangs: Bool = false
  ) throws -> Int32 {
    var request: [String: Any] = [
      "do": "start", "argv": words, "user": Int(user), "environment": environment, "directory": directory, "output": output,
      "hangs": hangs,
    ]
    request["program"] = program
    return try ask(request, Started.self).pid
  }

  func send(_ signal: Int32, to pid: Int32) throws {
    _ = try ask(["do": "send", "pid": Int(pid), "number": Int(signal)], Nothing.self)
  }

  /// All that lives in it now.
  func look() throws -> [Int32: ZooProcess] {
    let asked = ContinuousClock.now
    let found = Dictionary(try ask(["do": "look"], Looked.self).processes.map { ($0.pid, $0) }) { first, _ in first }
    lastLook.withLock { $0 = (asked, found) }
    return found
  }

  /// The same, or what another saw a moment ago: thirty wait at once, and each look costs a pass over /proc.
  func glance() throws -> [Int32: ZooProcess] {
    let (asked, found) = lastLook.withLock { $0 }
    return asked.duration(to: .now) < .milliseconds(250) ? found : try look()
  }

  /// Waits until `condition` holds; false where it did not within `seconds`.
  func wait(within seconds: Double = 60, _ condition: ([Int32: ZooProcess]) throws -> Bool) async rethrows -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
      if let processes = try? glance(), try condition(processes) { return true }
      if ContinuousClock.now >= end { return false }
      try? await Task.sleep(for: .milliseconds(250))
    }
  }

  /// The exit code of a process that was started here, or less than 0 and the signal; nil while it runs.
  func exitCode(_ pid: Int32) throws -> Int32? { try ask(["do": "leave", "pid": Int(pid)], Left.self).code }

  private func ask<Answer: Decodable>(_ request: [String: Any], _ answer: Answer.Type) throws -> Answer {
    let bytes = try JSONSerialization.data(withJSONObject: request) + Data("\n".utf8)
    return try decoded(
      answer,
      from: turn.withLock { rest in
        try requests.fileHandleForWriting.write(contentsOf: bytes)
        return try line(&rest)
      })
  }

  private func line(_ rest: inout Data) throws -> Data {
    while true {
      if let end = rest.firstIndex(of: 0x0a) {
        defer { rest = Data(rest[(end + 1)...]) }
        return Data(rest[..<end])
      }
      let more = answers.fileHandleForReading.availableData
      guard !more.isEmpty else { throw Failure(text: "the keeper of the zoo is gone") }
      rest += more
    }
  }

  private func decoded<Answer: Decodable>(_ answer: Answer.Type, from line: Data) throws -> Answer {
    do { return try JSONDecoder().decode(answer, from: line) } catch {
      throw Failure(text: String(decoding: line, as: UTF8.self))
    }
  }
}

/// One process of the zoo, by the numbers of its pid namespace.
struct ZooProcess: Decodable, Sendable, CustomStringConvertible {
  let pid, parent, group, session: Int32
  let state: String
  /// In ticks since the machine's start.
  let started: Int
  /// Used so far, in ticks.
  let cpu: Int
  let user: UInt32
  /// Where `exe` leads.
  let program: String
  /// How the command line begins, its words separated by spaces.
  let start: String
  /// The words of the command line that tell an automaton's browser.
  let flags: [String]
  /// What stands after `--type=`; nil at the browser itself.
  let part: String?
  /// What stands after `--user-data-dir=`.
  let profile: String?
  /// What stands after `--database=`, at a handler of crashes.
  let database: String?

  var isAlive: Bool { state != "Z" && state != "X" }
  /// By its program: a browser or one of its children.
  var isOfBrowser: Bool { program.hasPrefix("/usr/lib/chromium/chromium") }
  func hasFlag(_ flag: String) -> Bool { flags.contains { $0.hasPrefix(flag) } }

  var description: String {
    "\(pid) ppid \(parent) pgid \(group) sid \(session) \(state) uid \(user) \(part ?? "") \(start) \(flags.joined(separator: " "))"
  }
}

/// Lets a few in at a time: two processors start three browsers no slower than thirty.
actor Turns {
  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(_ count: Int) { free = count }

  func take<Result: Sendable>(_ body: @Sendable () async throws -> Result) async rethrows -> Result {
    if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
    defer { if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() } }
    return try await body()
  }
}
