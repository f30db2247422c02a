public import Kernel
internal import Rules

/// Each sink's queue: its messages in `new`, by the time at which they were spooled.
extension AlertSpool {
  /// The oldest message that waits for a sink.
  ///
  /// Where both the beginning and the end of an incident wait, because the sink was away meanwhile, they have
  /// become one message in the place of the first.
  public func next(for sink: String) -> Message? {
    let messages = waitingMessages().filter { $0.sink == sink }
    var oldest: (message: Message, time: WallTime)?
    for message in messages {
      guard let time = try? new.status(of: message.name).modified else { continue }
      if let oldest, oldest.time <= time { continue }
      oldest = (message, time)
    }
    guard let oldest else { return nil }
    let (beginning, end) = (Message(oldest.message.id, .firing, for: sink), Message(oldest.message.id, .over, for: sink))
    guard messages.contains(beginning), messages.contains(end) else { return oldest.message }
    return collapse(beginning, into: end, dated: oldest.time) ? end : beginning
  }

  /// - Returns: false where that cannot be written; they then go one after the other.
  private func collapse(_ beginning: Message, into end: Message, dated time: WallTime) -> Bool {
    guard var alert = new.contents(of: end.name, upTo: Self.limit).flatMap({ Alert($0) }),
      let first = new.contents(of: beginning.name, upTo: Self.limit).flatMap({ Alert($0) })
    else { return false }
    alert.isLate = true
    // The beginning may have arrived before midwatchd died.
    alert.isRepeated = alert.isRepeated || first.isRepeated
    guard (try? replace(end.name, with: alert, dated: time)) != nil else { return false }
    try? new.unlink(beginning.name)
    return true
  }

  /// Writes a message of one sink anew, at its old place in the queue.
  func replace(_ name: Path, with alert: Alert, dated time: WallTime?) throws(Errno) {
    try? tmp.unlink(name)
    do throws(Errno) {
      try tmp.makeFile(name, mode: 0o600).write(alert.line)
      if let time { try tmp.setTimes(of: name, accessed: time, modified: time) }
      try tmp.move(name, into: new, as: name)
    } catch {
      try? tmp.unlink(name)
      throw error
    }
  }

  func waitingMessages() -> [Message] { ((try? new.namesInOrder()) ?? []).compactMap { Message($0) } }

  public var waiting: Int { ((try? new.namesInOrder()) ?? []).count + ((try? cur.namesInOrder()) ?? []).count }

  /// Moves a message to `cur` and reads it for its sink.
  public func take(_ message: Message) throws(Errno) -> [UInt8] {
    try new.move(message.name, into: cur, as: message.name)
    do throws(Errno) { return try cur.file(message.name).contents(upTo: Self.limit) } catch {
      failed(message)
      throw error
    }
  }

  public func delivered(_ message: Message) { try? cur.unlink(message.name) }

  public func failed(_ message: Message) { try? cur.move(message.name, into: new, as: message.name) }

  /// Removes what waits for sinks that are there no more: nobody will ever take it.
  ///
  /// - Returns: how many there were for each.
  public func dropAll(except sinks: [String]) -> [String: Int] {
    var dropped: [String: Int] = [:]
    for message in waitingMessages() where !sinks.contains(message.sink) {
      guard (try? new.unlink(message.name)) != nil else { continue }
      dropped[message.sink, default: 0] += 1
    }
    return dropped
  }
}
