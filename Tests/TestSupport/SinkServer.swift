internal import Foundation

/// Tests/Sinks/server.py: a real server for webhooks and pings on the loopback.
public final class SinkServer {
  private let place: Pipeline
  private let process: Holder
  public let port: Int

  public struct Request: Sendable {
    /// What the server was told to do with it.
    public let mode: String
    public let method: String
    public let path: String
    public let headers: [String: String]
    public let body: String
    /// How many control characters but newlines were in the body.
    public let controls: Int

    public var json: [String: Any] {
      ((try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any]) ?? [:]
    }
  }

  /// - Parameter mode: `ok`, `refuse`, `hang`, a status, or a status and its Retry-After as in `429:1`.
  public init(_ mode: String = "ok") throws {
    place = try Pipeline([])
    try place.write("mode", mode)
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Sinks/server.py")
    process = try Holder("python3", [script.path, place.path])
    let place = place
    _ = eventually { place.exists("port") }
    struct Silent: Error {}
    guard let port = place.read("port").flatMap({ Int($0) }) else { throw Silent() }
    self.port = port
  }

  public func url(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }

  public func turn(_ mode: String) throws {
    try Data(mode.utf8).write(to: place.root.appendingPathComponent("mode"), options: .atomic)
  }

  public var requests: [Request] {
    (place.read("requests") ?? "").split(separator: "\n").compactMap { line in
      guard let json = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any] else { return nil }
      let headers = (json["headers"] as? [[String]] ?? []).map { ($0[0].lowercased(), $0[1]) }
      return Request(
        mode: json["mode"] as? String ?? "", method: json["method"] as? String ?? "", path: json["path"] as? String ?? "",
        headers: Dictionary(headers) { $1 }, body: json["body"] as? String ?? "", controls: json["controls"] as? Int ?? 0)
    }
  }

  /// What it took.
  public var taken: [Request] { requests.filter { $0.mode == "ok" } }
}
