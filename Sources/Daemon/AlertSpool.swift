internal import Formats
public import Kernel
internal import Rules

/// Alerts on their way to their sinks, on disk, Maildir style: `tmp` while a message is written,
/// `new` while it waits, `cur` while its sink has it; and `open` for the incidents that are firing.
///
/// An incident that stands in `open` was told of; that, and not anybody's memory, keeps it from being
/// told of again after a restart.
public struct AlertSpool: ~Copyable {
  public enum Sink: String, Sendable, CaseIterable { case exec }

  /// One message for one sink.
  public struct Message: Equatable, Sendable {
    public let name: Path
    public let sink: Sink
  }

  private let tmp: Directory
  private let new: Directory
  private let cur: Directory
  private let open: Directory

  /// - Throws: `EACCES`, `ENOSPC`, `EROFS`.
  public static func open(in state: borrowing Directory) throws(Errno) -> AlertSpool {
    let alerts = try make(Path("alerts"), in: state)
    let tmp = try make(Path("tmp"), in: alerts)
    let new = try make(Path("new"), in: alerts)
    let cur = try make(Path("cur"), in: alerts)
    let open = try make(Path("open"), in: alerts)
    let spool = AlertSpool(tmp: tmp, new: new, cur: cur, open: open)
    for name in try spool.tmp.namesInOrder() { try? spool.tmp.unlink(name) }
    for name in try spool.cur.namesInOrder() { spool.repeatMessage(name) }
    return spool
  }

  private init(tmp: consuming Directory, new: consuming Directory, cur: consuming Directory, open: consuming Directory) {
    self.tmp = tmp
    self.new = new
    self.cur = cur
    self.open = open
  }

  private static func make(_ name: Path, in directory: borrowing Directory) throws(Errno) -> Directory {
    do throws(Errno) { try directory.makeDirectory(name, mode: 0o700) } catch { if error != .exists { throw error } }
    return try directory.directory(name)
  }

  /// The watch died while a sink had this message, so nobody knows whether it arrived: it goes again,
  /// with the same id, and says that it does.
  private func repeatMessage(_ name: Path) {
    if let json = cur.contents(of: name).flatMap({ JSON($0) }), let incident = Incident(json),
      let state = json["state"]?.string.flatMap(Incident.State.init(rawValue:))
    {
      do throws(Errno) {
        try tmp.makeFile(name, mode: 0o600).write(incident.line(state, repeated: true))
        try tmp.move(name, into: new, as: name)
        try cur.unlink(name)
        return
      } catch { try? tmp.unlink(name) }
    }
    try? cur.move(name, into: new, as: name)
  }

  /// Spools an incident's one message for each sink, unless it was done before.
  ///
  /// - Returns: false where the incident had been told of already.
  /// - Throws: `ENOSPC` and the like; nothing is spooled then, and it may be tried again.
  public func fire(_ incident: Incident, to sinks: [Sink]) throws(Errno) -> Bool {
    let name = Path(incident.id)
    if (try? open.status(of: name)) != nil { return false }
    try spool(incident, .firing, to: sinks)
    try tmp.move(name, into: open, as: name)
    return true
  }

  /// Spools the message that an incident is over, if its beginning was told of.
  ///
  /// - Returns: false where it had not been.
  public func end(_ id: String, summary: String, to sinks: [Sink]) throws(Errno) -> Bool {
    guard Incident.isID(id) else { return false }
    let name = Path(id)
    guard let json = open.contents(of: name).flatMap({ JSON($0) }) else { return false }
    if var incident = Incident(json) {
      incident.summary = summary
      incident.severity = .info
      incident.type = ""
      try spool(incident, .over, to: sinks)
      try? tmp.unlink(name)
    }
    try open.unlink(name)
    return true
  }

  /// Writes the message into `tmp` under the incident's id, and links it into `new` for each sink.
  private func spool(_ incident: Incident, _ state: Incident.State, to sinks: [Sink]) throws(Errno) {
    let name = Path(incident.id)
    try? tmp.unlink(name)
    let file = try tmp.makeFile(name, mode: 0o600)
    try file.write(incident.line(state))
    for sink in sinks {
      let message = Path("\(incident.id).\(state.rawValue).\(sink.rawValue)")
      // It stands there already where a crash came between the two.
      do throws(Errno) { try tmp.link(name, into: new, as: message) } catch { if error != .exists { throw error } }
    }
    try? file.sync()
  }

  /// The ids of the incidents of a kind that are firing.
  public func firing(_ kind: Incident.Kind) -> [Incident] {
    let names = (try? open.namesInOrder()) ?? []
    return names.compactMap { open.contents(of: $0).flatMap { JSON($0) }.flatMap(Incident.init) }.filter { $0.kind == kind }
  }

  /// The oldest message that waits.
  public func next() -> Message? {
    for name in (try? new.namesInOrder()) ?? [] {
      let parts = name.bytes.split(separator: UInt8(ascii: "."))
      guard let last = parts.last, let sink = Sink(rawValue: String(decoding: last, as: UTF8.self)) else { continue }
      return Message(name: name, sink: sink)
    }
    return nil
  }

  public var waiting: Int { ((try? new.namesInOrder()) ?? []).count + ((try? cur.namesInOrder()) ?? []).count }

  /// Moves a message to `cur` and opens it for its sink.
  public func take(_ message: Message) throws(Errno) -> File {
    try new.move(message.name, into: cur, as: message.name)
    return try cur.file(message.name)
  }

  public func delivered(_ message: Message) { try? cur.unlink(message.name) }

  public func failed(_ message: Message) { try? cur.move(message.name, into: new, as: message.name) }
}
