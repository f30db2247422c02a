public import Foundation

/// A pipeline directory of a test's own, removed when the test lets go of it.
public final class Pipeline: Sendable {
  public let root: URL

  /// - Parameter directories: made at once; an empty list leaves the root bare.
  public init(_ directories: [String] = ["tasks", "status", "outputs"]) throws {
    root = URL(fileURLWithPath: "/tmp/midwatch-test-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    for name in directories { try makeDirectory(name) }
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  public var path: String { root.path }

  public func path(_ name: String) -> String { root.path + "/" + name }

  public func makeDirectory(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
  }

  public func write(_ name: String, _ text: String = "") throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
  }

  public func read(_ name: String) -> String? {
    (try? Data(contentsOf: URL(fileURLWithPath: path(name)))).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Whether something bears the name, a dangling symlink included.
  public func exists(_ name: String) -> Bool {
    (try? FileManager.default.attributesOfItem(atPath: path(name))) != nil
  }

  /// What a directory holds, hidden names included.
  public func names(_ directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(directory)).sorted()
  }

  public func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  /// The journal's lines, parsed; a torn one is left out.
  public func journal() -> [[String: Any]] { journal(holding: "") }

  /// The journal's lines in which `what` is this.
  public func journal(_ what: String) -> [[String: Any]] {
    journal(holding: "\"what\":\"\(what)\"").filter { $0["what"] as? String == what }
  }

  /// The lines that hold some text, and no other is parsed: tests ask again and again.
  public func journal(holding text: String) -> [[String: Any]] {
    guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path(".midwatch/state/journal.jsonl"))) else {
      return []
    }
    let wanted = Data(text.utf8)
    return bytes.split(separator: 0x0a).compactMap { line in
      guard wanted.isEmpty || line.range(of: wanted) != nil else { return nil }
      return (try? JSONSerialization.jsonObject(with: line)) as? [String: Any]
    }
  }

  public func status() -> [String: Any] {
    let text = read(".midwatch/run/status.json") ?? ""
    return ((try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any]) ?? [:]
  }
}

/// Waits until `condition` holds.
///
/// - Returns: false where it did not within `seconds`: that is a test's failure, never a measure.
public func eventually(within seconds: Double = 60, _ condition: () -> Bool) -> Bool {
  let end = Date().addingTimeInterval(seconds)
  while Date() < end {
    if condition() { return true }
    usleep(5_000)
  }
  return condition()
}

/// The same without keeping a thread: of tests that only wait, many can wait at once.
public func eventually(within seconds: Double = 60, _ condition: () -> Bool) async -> Bool {
  let end = Date().addingTimeInterval(seconds)
  while Date() < end {
    if condition() { return true }
    try? await Task.sleep(for: .milliseconds(50))
  }
  return condition()
}
