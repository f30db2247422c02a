internal import Configuration
internal import Kernel
internal import Rules

/// Calls an address every few minutes while the loop turns, so that somebody outside notices when it does not.
final class LivenessPing {
  private var endpoint: Endpoint?
  private var every = TimeSpan.zero
  private var limit = TimeSpan.zero
  private var errand: Errand?
  private var due: Instant?
  private var isFailing = false

  /// A call that is under way goes on.
  func apply(_ settings: AlertSettings, at now: Instant) {
    if settings.ping != endpoint || settings.pingEvery != every { due = settings.ping == nil ? nil : now }
    endpoint = settings.ping
    every = settings.pingEvery
    limit = settings.timeout
  }

  enum News: Equatable {
    case started
    /// Said once until it works again.
    case fails(String)
    case worksAgain
  }

  var deadline: Instant? { errand != nil ? errand?.deadline : due }

  var label: String { endpoint?.label ?? "" }

  func register(with epoll: borrowing Epoll, key: UInt64) { errand?.register(with: epoll, key: key) }

  func work(at now: Instant) -> News? {
    if let errand {
      guard let ending = errand.ending(at: now) else { return nil }
      self.errand = nil
      switch ending {
      case .late: return tell("no answer in time")
      case .ended(let ending, let output):
        if case .failed(let why, _) = Curl.outcome(of: ending, output) { return tell(why) }
      }
      defer { isFailing = false }
      return isFailing ? .worksAgain : nil
    }
    guard let endpoint, let due, due <= now else { return nil }
    self.due = now + every
    do throws(Refusal) {
      let order = try Curl.order(endpoint, nil, limit: limit)
      do throws(Errno) { errand = try Errand(order, at: now) } catch { return tell("\(error)") }
      return .started
    } catch { return tell(error.why) }
  }

  private func tell(_ why: String) -> News? {
    defer { isFailing = true }
    return isFailing ? nil : .fails(why)
  }
}
