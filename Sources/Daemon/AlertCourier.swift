internal import Configuration
public import Kernel
public import Rules

/// Hands spooled alerts to their sinks, one at a time, oldest first; what fails is tried again later
/// and later.
public struct AlertCourier: ~Copyable {
  /// The running hook, for epoll.
  public private(set) var child: Child?
  private var message: AlertSpool.Message?
  private var startedAt = Instant(nanoseconds: 0)
  private var failures: Int64 = 0
  private var notBefore: Instant?
  var command: [String]

  /// How long a hook may run.
  static let limit = TimeSpan.seconds(60)

  /// - Parameter command: the operator's, split; empty where there is none.
  public init(command: [String]) { self.command = command }

  /// When `work` wants to be called again.
  public var deadline: Instant? {
    child != nil ? startedAt + Self.limit : notBefore
  }

  public enum News: Equatable, Sendable {
    case started
    case delivered(Path)
    case failed(Path, String, again: TimeSpan)
  }

  /// Brings the running hook to its end if it has ended or is late, and starts the next.
  public mutating func work(_ spool: borrowing AlertSpool, at now: Instant) -> News? {
    if child != nil { return finish(spool, at: now) }
    guard !command.isEmpty, notBefore.map({ $0 <= now }) ?? true, let next = spool.next() else { return nil }
    notBefore = nil
    do throws(Errno) {
      let file = try spool.take(next)
      message = next
      child = try Child.start(command, input: file)
      startedAt = now
      return .started
    } catch {
      return fail(next, "\(error)", spool, at: now)
    }
  }

  private mutating func finish(_ spool: borrowing AlertSpool, at now: Instant) -> News? {
    guard let message, let ending = child?.ending() else {
      // Killed through its pidfd; its end comes by epoll.
      if startedAt + Self.limit <= now { try? child?.handle.send(.kill) }
      return nil
    }
    child = nil
    self.message = nil
    if ending == .exited(0) {
      failures = 0
      spool.delivered(message)
      return .delivered(message.name)
    }
    return fail(message, "\(ending)", spool, at: now)
  }

  private mutating func fail(
    _ message: AlertSpool.Message, _ why: String, _ spool: borrowing AlertSpool, at now: Instant
  ) -> News {
    spool.failed(message)
    let wait = min(TimeSpan.seconds(5) * (1 << min(failures, 7)), .seconds(600))
    failures += 1
    notBefore = now + wait
    return .failed(message.name, why, again: wait)
  }
}

extension AlertCourier {
  mutating func register(with epoll: borrowing Epoll, key: UInt64) {
    if child != nil { try? child?.handle.register(with: epoll, key: key) }
  }
}

/// The operator's alert hook as it is really run.
enum HookCommand {
  /// Under systemd as root a hook leaves midwatchd's sandbox, where mailers lose mail and a missed
  /// watchdog would kill it too; the limit and the manner are docs/measurements.md's.
  static func words(for settings: Settings) -> [String] {
    guard let exec = settings.alert.exec else { return [] }
    guard Own.uid == 0, environment("INVOCATION_ID") != nil, (try? Directory(Path("/run/systemd/system"))) != nil else {
      return exec.words
    }
    return [
      "systemd-run", "--quiet", "--collect", "--wait", "--pipe", "-p", "KillMode=process", "-p", "RuntimeMaxSec=60", "--",
    ] + exec.words
  }
}
