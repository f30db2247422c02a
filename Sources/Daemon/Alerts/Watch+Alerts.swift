internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

extension Watch {
  /// Spools an incident's one alert for each sink and says it in the log.
  ///
  /// - Returns: false where it was told of before.
  @discardableResult
  func fire(_ incident: Incident, mode: Mode) -> Bool {
    guard mode == .on else {
      log.say(.warning, "observe: would have alerted: \(incident.summary)")
      return true
    }
    do throws(Errno) {
      guard try spool.fire(incident, to: alertDesk.names) else { return false }
    } catch { log.say(.error, "the alert cannot be spooled (\(error)); it stands here alone") }
    for courier in alertDesk.couriers { courier.wake() }
    log.say(.alert, "\(incident.summary). To type: \(incident.type)")
    return true
  }

  func end(_ id: String, _ summary: String) {
    do throws(Errno) { _ = try spool.end(id, summary: summary, to: alertDesk.names) } catch {
      log.say(.error, "the alert's end cannot be spooled: \(error)")
    }
    for courier in alertDesk.couriers { courier.wake() }
    statusFile.isDirty = true
  }

  /// `midwatch notify-test`: a message to every sink, on the same way as any other.
  func testAlerts(at now: Moment) {
    let incident = Incident(
      id: Incident.id(at: now.wall, 0x7465_7374), kind: .`self`, severity: .info, pipeline: settings.pipeline.name, agent: nil,
      since: now.wall, summary: "this is a test: so does an alert of midwatch reach you",
      cause: ["'midwatch notify-test' was typed"], stopped: [], type: operatorCommand("status"))
    let names = alertDesk.names
    var say = "a test alert for \(names.isEmpty ? "nobody: [alert] names no sink" : names.joined(separator: ", "))"
    do throws(Errno) { try spool.test(incident, to: names) } catch {
      say = "the test alert cannot be spooled: \(error)"
    }
    let sinks = alertDesk.couriers.filter { !$0.isRetired }.map(\.sink)
    journal.line("alert", "test", say: say, in: state.directory) { writer in
      writer.field("id", incident.id)
      writer.beginArray("sinks")
      for sink in sinks {
        writer.beginObject()
        writer.field("sink", sink.name)
        writer.field("label", sink.label)
        writer.endObject()
      }
      writer.endArray()
    }
    log.say(.notice, say)
    for courier in alertDesk.couriers { courier.hurry() }
    statusFile.isDirty = true
  }

  /// Brings every courier and the ping as far as they come without waiting.
  func deliverAlerts(at now: Moment) {
    for courier in alertDesk.couriers { deliver(courier, at: now) }
    alertDesk.removeRetired()
    if alertDesk.mayHaveStrays {
      alertDesk.mayHaveStrays = false
      dropStrays()
    }
    ping(at: now)
  }

  private func deliver(_ courier: AlertCourier, at now: Moment) {
    while let news = courier.work(spool, at: now.instant) {
      if news != .started { statusFile.isDirty = true }
      switch news {
      case .started:
        courier.register(with: sources.epoll, key: EventSources.Key.hook)
        return
      case .delivered(let message, let failures):
        let again = failures == 0 ? "" : ", after \(failures) that failed"
        let say = "\(words(of: message)) was handed over to \(courier.sink.label)\(again)"
        note("delivered", message, say)
        if failures > 0 { log.say(.notice, say) }
      case .failed(let message, let why, let again, let isNews):
        let say = "\(words(of: message)) could not be handed over to \(courier.sink.label) (\(why)); again in \(again.text)"
        note("failed", message, say) { $0.field("why", why) }
        if isNews { log.say(.warning, say) }
        return
      case .unreadable(let message):
        let say = "\(words(of: message)) for \(courier.sink.label) was damaged on the disk and is gone"
        note("dropped", message, say)
        log.say(.error, say)
      }
    }
  }

  private func words(of message: AlertSpool.Message) -> String {
    switch message.state {
    case .firing: "the alert \(message.id)"
    case .over: "the end of the alert \(message.id)"
    case .test: "the test alert \(message.id)"
    }
  }

  private func note(
    _ what: String, _ message: AlertSpool.Message, _ say: String, _ fields: (inout JSONWriter) -> Void = { _ in }
  ) {
    journal.line("alert", what, say: say, in: state.directory) {
      $0.field("id", message.id)
      $0.field("sink", message.sink)
      fields(&$0)
    }
  }

  private func dropStrays() {
    for (sink, count) in spool.dropAll(except: alertDesk.names).sorted(by: { $0.key < $1.key }) {
      let say = "\(count) alert\(count == 1 ? "" : "s") for \(sink) dropped: [alert] has no such sink any more"
      journal.line("alert", "dropped", say: say, in: state.directory) { $0.field("sink", sink) }
      log.say(.notice, say)
      statusFile.isDirty = true
    }
  }

  private func ping(at now: Moment) {
    guard let news = alertDesk.ping.work(at: now.instant) else { return }
    let say: String
    switch news {
    case .started: return alertDesk.ping.register(with: sources.epoll, key: EventSources.Key.hook)
    case .fails(let why):
      let every = settings.alert.pingEvery.text
      say = "the ping does not reach \(alertDesk.ping.label) (\(why)); tried again every \(every)"
    case .worksAgain: say = "the ping reaches \(alertDesk.ping.label) again"
    }
    journal.line("alert", news == .worksAgain ? "ping" : "ping-failed", say: say, in: state.directory)
    log.say(news == .worksAgain ? .notice : .warning, say)
  }
}
