public import Formats
public import Kernel
internal import Rules

/// What the command line asks of a running watch: empty files in `state/requests`, made by a
/// rename and removed when they were served.
public enum Requests {
  static let name = Path("requests")
}

extension Watch {
  func serveRequests(at now: Moment) {
    intake.requestsAreDirty = false
    guard let directory = try? state.directory.directory(Requests.name), let names = try? directory.namesInOrder() else { return }
    for name in names {
      try? directory.unlink(name)
      let text = String(decoding: name.bytes, as: UTF8.self)
      if text == "resume" {
        resumeByRequest()
      } else if text.hasPrefix("undo-"), let sequence = Int64(text.dropFirst(5)) {
        undo(sequence, at: now)
      }
    }
  }

  /// `midwatch resume`: HALT goes, whoever wrote it.
  private func resumeByRequest() {
    said.insert("resume")
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
        let say = "put back /\(escaped(lock.path.bytes)), as line \(sequence) has it; it is not judged again until it is written anew"
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
    journal.line("locks", "undo-refused", say: "undo \(sequence): \(outcome)", in: state.directory) { $0.field("undoes", sequence) }
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
    try? state.directory.replace(Path("undone"), with: writer.bytes)
  }

  func readUndone() {
    for line in (state.directory.contents(of: Path("undone")) ?? []).split(separator: 0x0a) {
      guard let json = JSON(Array(line)), let device = json["device"]?.integer, let inode = json["inode"]?.integer,
        let modified = json["mtime_ns"]?.integer
      else { continue }
      lockSensor.undone[FileIdentity(device: UInt64(bitPattern: device), inode: UInt64(bitPattern: inode))] = WallTime(nanoseconds: modified)
    }
  }
}

/// A reaped lock as its journal line keeps it.
struct ReapedLock {
  let path: Path
  let captured: LockReaper.Captured

  init?(_ json: JSON) {
    guard json["what"]?.string == "reaped", let text = json["path"]?.string, let bytes = unescaped(text), bytes.first == UInt8(ascii: "/"),
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

/// Finds lines of the journal.
public enum JournalReader {
  /// The journal's files, newest first.
  static var names: [Path] { [Journal.name] + (1...Journal.kept).map(Journal.rotated) }

  public static func entry(_ sequence: Int64, in directory: borrowing Directory) -> JSON? {
    for name in names {
      guard let file = try? directory.file(name), let bytes = try? file.contents(upTo: 16 << 20) else { continue }
      let needle = Array("\"seq\":\(sequence),".utf8)
      for line in bytes.split(separator: 0x0a) where line.prefix(48).contains(needle) {
        if let json = JSON(Array(line)), json["seq"]?.integer == sequence { return json }
      }
    }
    return nil
  }
}
