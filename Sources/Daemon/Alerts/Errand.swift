internal import Kernel
internal import Rules

/// A program that was sent out with something, and that has so long to come back.
final class Errand {
  /// Which program, and what it gets.
  struct Order: Equatable, Sendable {
    var words: [String]
    var input: [UInt8]
    /// Whether what it writes is the answer; else that goes to our own standard error.
    var isAsked = false
    var limit: TimeSpan
  }

  enum Ending: Equatable, Sendable {
    /// With what it wrote, if it was asked.
    case ended(Child.Ending, [UInt8])
    case late
  }

  private let child: Child
  private let output: Pipe?
  private let end: Instant
  private var isKilled = false

  /// - Throws: as `Child.start`; `EMFILE`.
  init(_ order: Order, at now: Instant) throws(Errno) {
    // Not a file and not the arguments: there are secrets in it.
    let input = try File.inMemory(order.input)
    end = now + order.limit
    if order.isAsked {
      let output = try Pipe.open()
      child = try Child.start(order.words, input: input, output: output)
      self.output = consume output
    } else {
      child = try Child.start(order.words, input: input)
      output = nil
    }
  }

  /// When `ending` wants to be called at the latest; nil where epoll tells of the rest.
  var deadline: Instant? { isKilled ? nil : end }

  func register(with epoll: borrowing Epoll, key: UInt64) { try? child.handle.register(with: epoll, key: key) }

  /// How it ended; nil while it runs. A late one is killed, with what it started in its group.
  func ending(at now: Instant) -> Ending? {
    if let ending = child.ending() { return isKilled ? .late : .ended(ending, output?.contents() ?? []) }
    if end <= now, !isKilled {
      // Its end comes by epoll.
      try? child.handle.sendToGroup(.kill)
      isKilled = true
    }
    return nil
  }
}

/// The operator's programs as they are really run.
enum OwnProgram {
  /// Under systemd as root they leave midwatchd's sandbox, which has no network, where mailers lose mail and a
  /// missed watchdog would kill them too; the manner is docs/measurements.md's.
  static func words(_ words: [String], limit: TimeSpan) -> [String] {
    guard Own.uid == 0, environment("INVOCATION_ID") != nil, (try? Directory(Path("/run/systemd/system"))) != nil else {
      return words
    }
    let seconds = max(1, (limit + .milliseconds(999)).seconds)
    return [
      "systemd-run", "--quiet", "--collect", "--wait", "--pipe", "-p", "KillMode=process", "-p", "RuntimeMaxSec=\(seconds)",
      "--",
    ] + words
  }

  /// A program's whole path; nil where it is not installed.
  static func path(of name: String) -> String? {
    // Mailers lie where the PATH of an ordinary user does not lead.
    let places = (environment("PATH") ?? "/usr/bin:/bin").split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/lib"]
    return places.first { place in
      place.hasPrefix("/") && (try? Directory(Path(place)).status(of: Path(name))) != nil
    }.map { "\($0)/\(name)" }
  }
}
