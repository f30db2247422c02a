internal import Configuration
internal import Kernel
internal import Rules

/// Who is told, each with a queue and a courier of its own: one that is away keeps no other waiting.
final class AlertDesk {
  private(set) var couriers: [AlertCourier] = []
  let ping = LivenessPing()
  /// Messages may wait for sinks of earlier settings.
  var mayHaveStrays = true

  init(_ settings: AlertSettings, at now: Instant) { apply(settings, at: now) }

  /// What is in somebody's hands stays there.
  func apply(_ settings: AlertSettings, at now: Instant) {
    let sinks = Sink.all(of: settings)
    var before = couriers
    couriers = sinks.map { sink in
      let courier = before.firstIndex { $0.sink.name == sink.name }.map { before.remove(at: $0) } ?? AlertCourier(sink)
      courier.apply(settings, sink)
      return courier
    }
    for courier in before where !courier.isIdle {
      courier.apply(settings, nil)
      couriers.append(courier)
    }
    mayHaveStrays = true
    ping.apply(settings, at: now)
  }

  func removeRetired() {
    guard couriers.contains(where: { $0.isRetired && $0.isIdle }) else { return }
    couriers.removeAll { $0.isRetired && $0.isIdle }
    // What it could not hand over went back into the queue.
    mayHaveStrays = true
  }

  /// The sinks' names, as the spool has them.
  var names: [String] { couriers.filter { !$0.isRetired }.map(\.sink.name) }

  /// Asked for in every round, and so without making an array.
  var deadline: Instant? {
    var next = ping.deadline
    for courier in couriers {
      if let deadline = courier.deadline { next = min(next ?? deadline, deadline) }
    }
    return next
  }
}
