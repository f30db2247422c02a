internal import Formats
public import Kernel
internal import Rules

/// Alerts on their way to their sinks, on disk, Maildir style: `tmp` while a message is written,
/// `new` while it waits, `cur` while its sink has it; and `open` for the incidents that are firing.
///
/// An incident that stands in `open` was told of; that, and not anybody's memory, keeps it from being
/// told of again after a restart. What stands in `tmp` under an incident's bare id was decided and not yet
/// handed out to every sink: the next start does that, before anything is delivered.
public struct AlertSpool: ~Copyable {
  /// One message for one sink: `ID.STATE.SINK`.
  public struct Message: Equatable, Sendable {
    public let name: Path
    public let id: String
    public let state: Incident.State
    public let sink: String

    init(_ id: String, _ state: Incident.State, for sink: String) {
      name = Path("\(id).\(state.rawValue).\(sink)")
      self.id = id
      self.state = state
      self.sink = sink
    }

    init?(_ name: Path) {
      let parts = String(decoding: name.bytes, as: UTF8.self).split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 3, Incident.isID(String(parts[0])), Incident.isID(String(parts[2])),
        let state = Incident.State(rawValue: String(parts[1]))
      else { return nil }
      self.init(String(parts[0]), state, for: String(parts[2]))
    }
  }

  let tmp: Directory
  let new: Directory
  let cur: Directory
  private let open: Directory

  /// - Parameter sinks: their names, for what a crash kept from being handed out.
  /// - Throws: `EACCES`, `ENOSPC`, `EROFS`.
  public static func open(in state: borrowing Directory, sinks: [String]) throws(Errno) -> AlertSpool {
    let alerts = try make(Path("alerts"), in: state)
    let tmp = try make(Path("tmp"), in: alerts)
    let new = try make(Path("new"), in: alerts)
    let cur = try make(Path("cur"), in: alerts)
    let open = try make(Path("open"), in: alerts)
    let spool = AlertSpool(tmp: tmp, new: new, cur: cur, open: open)
    for name in try spool.tmp.namesInOrder() { spool.finish(name, to: sinks) }
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

  // MARK: incidents

  /// Spools an incident's one message for each sink, unless it was done before.
  ///
  /// - Returns: false where the incident had been told of already.
  /// - Throws: `ENOSPC` and the like; nothing is spooled then, and it may be tried again.
  public func fire(_ incident: Incident, to sinks: [String]) throws(Errno) -> Bool {
    if (try? open.status(of: Path(incident.id))) != nil { return false }
    try write(incident, .firing)
    try handOut(incident.id, .firing, to: sinks)
    return true
  }

  /// Spools the message that an incident is over, if its beginning was told of.
  ///
  /// - Returns: false where it had not been.
  public func end(_ id: String, summary: String, to sinks: [String]) throws(Errno) -> Bool {
    guard Incident.isID(id), let json = open.contents(of: Path(id), upTo: Self.limit).flatMap({ JSON($0) }) else {
      return false
    }
    guard var incident = Incident(json) else {
      try open.unlink(Path(id))
      return true
    }
    incident.summary = summary
    incident.severity = .info
    incident.type = ""
    try write(incident, .over)
    try handOut(id, .over, to: sinks)
    return true
  }

  /// Spools a message that tries the sinks, in place of an earlier one that still waits.
  public func test(_ incident: Incident, to sinks: [String]) throws(Errno) {
    for message in waitingMessages() where message.state == .test { try? new.unlink(message.name) }
    try write(incident, .test)
    try handOut(incident.id, .test, to: sinks)
  }

  /// The ids of the incidents of a kind that are firing.
  public func firing(_ kind: Incident.Kind) -> [Incident] {
    let names = (try? open.namesInOrder()) ?? []
    return names.compactMap { open.contents(of: $0, upTo: Self.limit).flatMap { JSON($0) }.flatMap(Incident.init) }
      .filter { $0.kind == kind }
  }

  /// More than any incident takes that can be read.
  static var limit: Int { 1 << 20 }

  private func write(_ incident: Incident, _ state: Incident.State) throws(Errno) {
    let name = Path(incident.id)
    try? tmp.unlink(name)
    let file = try tmp.makeFile(name, mode: 0o600)
    do throws(Errno) { try file.write(incident.line(state)) } catch {
      try? tmp.unlink(name)
      throw error
    }
  }

  /// Links what stands in `tmp` into `new` for each sink. Whatever was done of it before is passed over, so that a
  /// start can go on where a crash came in between.
  private func handOut(_ id: String, _ state: Incident.State, to sinks: [String]) throws(Errno) {
    let name = Path(id)
    for sink in sinks {
      let message = Message(id, state, for: sink).name
      do throws(Errno) { try tmp.link(name, into: new, as: message) } catch { if error != .exists { throw error } }
    }
    try? tmp.file(name).sync()
    switch state {
    case .firing: try tmp.move(name, into: open, as: name)
    case .over:
      try? open.unlink(name)
      try tmp.unlink(name)
    case .test: try tmp.unlink(name)
    }
  }

  // MARK: after a crash

  /// A message of this name that is whole was decided, and nobody has got it yet.
  private func finish(_ name: Path, to sinks: [String]) {
    let id = String(decoding: name.bytes, as: UTF8.self)
    if Incident.isID(id), let alert = tmp.contents(of: name, upTo: Self.limit).flatMap({ Alert($0) }), alert.incident.id == id,
      (try? handOut(id, alert.state, to: sinks)) != nil
    {
      return
    }
    try? tmp.unlink(name)
  }

  /// The watch died while a sink had this message, so nobody knows whether it arrived: it goes again,
  /// with the same id, and says that it does.
  private func repeatMessage(_ name: Path) {
    if var alert = cur.contents(of: name, upTo: Self.limit).flatMap({ Alert($0) }) {
      alert.isRepeated = true
      let time = try? cur.status(of: name).modified
      if (try? replace(name, with: alert, dated: time)) != nil {
        try? cur.unlink(name)
        return
      }
    }
    try? cur.move(name, into: new, as: name)
  }
}
