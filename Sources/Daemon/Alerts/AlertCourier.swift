internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

/// Hands one sink its messages, one at a time, the oldest first; what fails is tried again later and later.
final class AlertCourier {
  private(set) var sink: Sink
  /// Its sink is in no setting any more: what it has in its hands is the last.
  private(set) var isRetired = false
  private var errand: Errand?
  private var message: AlertSpool.Message?
  private var failures = 0
  private var lastWhy: String?
  private var notBefore: Instant?
  /// Whether the spool may have something; looking costs a listing.
  private var mayHaveMore = true
  private var retry = TimeSpan.zero
  private var limit = TimeSpan.zero

  init(_ sink: Sink) { self.sink = sink }

  /// With new settings it tries again at once: they may have mended what failed.
  func apply(_ settings: AlertSettings, _ sink: Sink?) {
    isRetired = sink == nil
    if let sink { self.sink = sink }
    retry = settings.retry
    limit = settings.timeout
    hurry()
  }

  var isIdle: Bool { errand == nil }

  enum News: Equatable {
    case started
    /// After so many failures.
    case delivered(AlertSpool.Message, failures: Int)
    case failed(AlertSpool.Message, String, again: TimeSpan, isNews: Bool)
    /// A crash of the machine left nothing of it.
    case unreadable(AlertSpool.Message)
  }

  /// When `work` wants to be called again.
  var deadline: Instant? { errand != nil ? errand?.deadline : mayHaveMore && !isRetired ? notBefore : nil }

  func wake() { mayHaveMore = true }

  /// Tries again now.
  func hurry() {
    notBefore = nil
    mayHaveMore = true
  }

  func register(with epoll: borrowing Epoll, key: UInt64) { errand?.register(with: epoll, key: key) }

  /// Brings the running errand to its end if it has ended or is late, and starts the next.
  func work(_ spool: borrowing AlertSpool, at now: Instant) -> News? {
    if errand != nil { return finish(spool, at: now) }
    guard mayHaveMore, !isRetired, notBefore.map({ $0 <= now }) ?? true else { return nil }
    guard let next = spool.next(for: sink.name) else {
      mayHaveMore = false
      return nil
    }
    notBefore = nil
    do throws(Errno) {
      guard let alert = Alert(try spool.take(next)) else {
        spool.delivered(next)
        return .unreadable(next)
      }
      return try start(next, alert, spool, at: now)
    } catch { return fail(next, "\(error)", .soon, spool, at: now) }
  }

  private func start(
    _ next: AlertSpool.Message, _ alert: Alert, _ spool: borrowing AlertSpool, at now: Instant
  ) throws(Errno) -> News {
    let order: Errand.Order
    do throws(Refusal) { order = try sink.order(for: alert, limit: limit) } catch {
      return fail(next, error.why, .slowly, spool, at: now)
    }
    errand = try Errand(order, at: now)
    message = next
    return .started
  }

  private func finish(_ spool: borrowing AlertSpool, at now: Instant) -> News? {
    guard let message, let ending = errand?.ending(at: now) else { return nil }
    errand = nil
    self.message = nil
    switch sink.outcome(of: ending, limit: limit) {
    case .delivered:
      defer {
        failures = 0
        lastWhy = nil
      }
      spool.delivered(message)
      return .delivered(message, failures: failures)
    case .failed(let why, let again): return fail(message, why, again, spool, at: now)
    }
  }

  private func fail(
    _ message: AlertSpool.Message, _ why: String, _ again: Outcome.Again, _ spool: borrowing AlertSpool, at now: Instant
  ) -> News {
    spool.failed(message)
    let longest = retry * 120
    let backoff = min(retry * (1 << Int64(min(failures, 7))), longest)
    let wait =
      switch again {
      case .soon: backoff
      case .slowly: longest
      case .after(let span): max(span, backoff)
      }
    failures += 1
    notBefore = now + wait
    defer { lastWhy = why }
    return .failed(message, why, again: wait, isNews: why != lastWhy)
  }
}
