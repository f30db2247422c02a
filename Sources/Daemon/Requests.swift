internal import Formats
public import Kernel
internal import Rules

/// What the command line asks of a running watch: empty files in `state/requests`, made by a
/// rename and removed when they were served.
public enum Requests {
  static let name = Path("requests")

  /// Leaves a request for the watch that stands over a state directory.
  ///
  /// - Parameter request: `resume`, `undo-SEQ` or `notify-test`.
  /// - Throws: `EACCES` where the watch is another user's; `ENOENT` where none ever stood.
  public static func submit(_ request: String, to places: Places) throws(Errno) {
    let state = try Directory(places.state)
    let requests = try state.directory(name)
    // What a crash leaves of it is removed at the next start, by its name.
    let hidden = Path(".midwatch-new-\(Own.pid)")
    _ = try state.makeFile(hidden, mode: 0o600)
    do throws(Errno) { try state.move(hidden, into: requests, as: Path(request)) } catch {
      try? state.unlink(hidden)
      throw error
    }
  }
}

extension Watch {
  func serveRequests(at now: Moment) {
    intake.requestsAreDirty = false
    guard let directory = try? state.directory.directory(Requests.name), let names = try? directory.namesInOrder() else {
      return
    }
    for name in names {
      try? directory.unlink(name)
      let text = String(decoding: name.bytes, as: UTF8.self)
      if text == "resume" {
        resumeByRequest()
      } else if text == "notify-test" {
        testAlerts(at: now)
      } else if text.hasPrefix("undo-"), let sequence = Int64(text.dropFirst(5)) {
        undo(sequence, at: now)
      }
    }
  }

  /// `midwatch resume`: HALT goes, whoever wrote it.
  private func resumeByRequest() {
    // Asked for, where a halt stands: what is deleted by hand later is not.
    if halt != .none { said.insert("resume") }
    said.remove("run-only")
    if let directory = try? Directory(root) { try? directory.unlink(Self.haltName) }
    intake.haltIsDirty = true
  }

  /// `midwatch undo SEQ`: puts a reaped lock back as the journal has it.
  private func undo(_ sequence: Int64, at now: Moment) {
    let outcome: String
    switch JournalReader.entry(sequence, in: state.directory).flatMap(ReapedLock.init) {
    case nil: outcome = "line \(sequence) of the journal is no reaped lock"
    case .some(let lock):
      let (parent, name) = lock.path.split
      do throws(Errno) {
        let directory = try lockSensor.slash.directory(parent)
        let restored = try reaper.restore(lock.captured, as: name, in: directory)
        lockSensor.undone[restored.identity] = restored.modified
        writeUndone()
        let say =
          "put back /\(escaped(lock.path.bytes)), as line \(sequence) has it; it is not judged again until it is written anew"
        journal.line("locks", "undone", say: say, in: state.directory) { $0.field("undoes", sequence) }
        log.say(.notice, say)
        return
      } catch {
        outcome =
          error == .exists
          ? "/\(escaped(lock.path.bytes)) stands there again: somebody took it meanwhile"
          : "/\(escaped(lock.path.bytes)): \(error)"
      }
    }
    journal.line("locks", "undo-refused", say: "undo \(sequence): \(outcome)", in: state.directory) {
      $0.field("undoes", sequence)
    }
    log.say(.warning, "undo \(sequence): \(outcome)")
  }

  /// What was put back stays put back after a restart.
  private func writeUndone() {
    var writer = JSONWriter(reserving: 256)
    for (identity, modified) in lockSensor.undone {
      writer.beginObject()
      writer.field("device", identity.device)
      writer.field("inode", identity.inode)
      writer.field("mtime_ns", modified.nanoseconds)
      writer.endObject()
      writer.endLine()
    }
    try? state.directory.replace(LockSensor.undoneName, with: writer.bytes)
  }
}

extension LockSensor {
  static let undoneName = Path("undone")

  /// What `midwatch undo` put back, from an earlier run.
  public mutating func readUndone(in directory: borrowing Directory) {
    for line in (directory.contents(of: Self.undoneName) ?? []).split(separator: 0x0a) {
      guard let json = JSON(Array(line)), let device = json["device"]?.integer, let inode = json["inode"]?.integer,
        let modified = json["mtime_ns"]?.integer
      else { continue }
      undone[FileIdentity(device: UInt64(bitPattern: device), inode: UInt64(bitPattern: inode))] = WallTime(
        nanoseconds: modified)
    }
  }
}

/// A reaped lock as its journal line keeps it.
struct ReapedLock {
  let path: Path
  let captured: LockReaper.Captured

  init?(_ json: JSON) {
    guard json["what"]?.string == "reaped", let text = json["path"]?.string, let bytes = unescaped(text),
      bytes.first == UInt8(ascii: "/"),
      let path = Path(bytes: Array(bytes.dropFirst())), let mode = json["mode"]?.integer, let uid = json["uid"]?.integer,
      let gid = json["gid"]?.integer, let mtime = json["mtime_ns"]?.integer, let kind = json["kind"]?.string
    else { return nil }
    let kinds: [FileStatus.Kind] = [.file, .directory, .symlink]
    guard let kind = kinds.first(where: { $0.word == kind }) else { return nil }
    self.path = path
    captured = LockReaper.Captured(
      status: FileStatus(
        kind: kind, mode: UInt32(clamping: mode) & 0o7777, owner: UInt32(clamping: uid), group: UInt32(clamping: gid),
        modified: WallTime(nanoseconds: mtime), accessed: WallTime(nanoseconds: json["atime_ns"]?.integer ?? mtime)),
      content: json["content"]?.string.flatMap { unescaped($0) })
  }
}
