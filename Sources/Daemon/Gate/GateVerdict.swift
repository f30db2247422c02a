internal import Configuration
internal import Formats
public import Kernel
internal import ProcessTable
internal import Rules

/// Whether a job may run: yes, unless a HALT says no.
public enum GateVerdict: Equatable, Sendable {
  case run
  /// The reason, in one line.
  case skip(String)
  /// Nobody can tell, so it runs; and why nobody can tell.
  case doubt(String)
}

/// Makes the gate's verdicts.
public struct GateKeeper {
  public static let jobsName = Path("jobs")

  let settings: Settings
  let root: Path
  let places: Places
  let command: [UInt8]
  let isExempt: Bool

  /// - Parameter command: as the shell would get it.
  /// - Throws: the line that says why there are no settings.
  public init(_ loader: SettingsLoader, command: [UInt8]) throws(SettingsLoader.Refusal) {
    let loaded = try loader.load()
    settings = loaded.settings
    root = loaded.root
    places = loaded.places
    self.command = command
    isExempt = settings.halt.exempt.contains { unsafe $0.matches(command.span.bytes) }
  }

  var jobs: Path { places.run.appending(Self.jobsName) }

  /// Whether HALT holds the job back.
  public func verdict() -> GateVerdict {
    guard settings.halt.levers.contains(.gate), !isExempt else { return .run }
    let shown = escaped(root.appending(Watch.haltName).bytes)
    do throws(Errno) {
      let directory = try Directory(root)
      do throws(Errno) {
        _ = try directory.status(of: Watch.haltName)
        return .skip("halted by \(shown)")
      } catch {
        // Where the root could not take a HALT, the run directory's stands alone.
        guard error == .noEntry else { throw error }
        return standsAlone ? .skip("halted by \(escaped(places.halted.bytes))") : .run
      }
    } catch {
      guard error == .accessDenied else { return .doubt("\(shown) cannot be looked at: \(error)") }
      return isCopied ? .skip("halted by \(escaped(places.halted.bytes))") : .run
    }
  }

  private var isCopied: Bool {
    guard let run = try? Directory(places.run) else { return false }
    return (try? run.status(of: Watch.haltedName)) != nil
  }

  private var standsAlone: Bool {
    guard let run = try? Directory(places.run), let json = run.contents(of: Watch.haltedName).flatMap({ JSON($0) }) else {
      return false
    }
    return json["alone"]?.bool == true
  }

  // MARK: what midwatchd is told

  /// Leaves the note that the job starts.
  ///
  /// - Parameter gate: the process that stays until the job has ended.
  func admit(_ gate: ProcessIdentity) -> GatePass {
    let mark = JobMark.inherited ?? JobMark.text(of: gate, root: isExempt ? nil : root)
    guard settings.jobs.mode != .off, let directory = try? Directory(jobs) else { return GatePass(jobs: nil, mark: mark) }
    JobNote.started(.init(gate: gate, since: Clock.wall(), command: command, mark: mark)).leave(in: directory)
    return GatePass(jobs: jobs, mark: mark)
  }

  /// Whether the same command of the same user still runs, where overlaps are not wanted.
  func overlaps(_ gate: ProcessIdentity) -> Bool {
    guard settings.jobs.mode == .on, settings.jobs.overlap == .skip, let directory = try? Directory(jobs) else { return false }
    return (try? OverlapRecord.isTaken(for: command, by: gate, in: directory)) == true
  }
}

extension JobNote {
  static var hiddenPrefix: String { ".midwatch-new-" }

  /// Writes it so that its name shows all of it. That it cannot be written is no reason to keep a job waiting.
  func leave(in directory: borrowing Directory) {
    let hidden = Path("\(Self.hiddenPrefix)\(name)")
    do throws(Errno) {
      try directory.makeFile(hidden, mode: 0o600).write(bytes)
      try directory.renameOver(hidden, to: Path(name))
    } catch { try? directory.unlink(hidden) }
  }
}

/// Who runs a command at this moment, in a file of its own for each command of each user.
enum OverlapRecord {
  static let prefix = ".runs-"

  /// Looks whether somebody runs it, and if not, notes that `gate` does.
  ///
  /// - Throws: where the record cannot be had or is not ours; then nobody can tell.
  static func isTaken(for command: [UInt8], by gate: ProcessIdentity, in directory: borrowing Directory) throws(Errno) -> Bool {
    let hash = String(unsafe Hash.of(command.span.bytes), radix: 16)
    let file = try directory.lockFile(Path("\(prefix)\(Own.uid)-\(hash)"), mode: 0o600)
    let status = try file.status()
    guard status.owner == Own.uid, status.kind == .file else { throw .notPermitted }
    // Whoever holds the lock is deciding the same; a moment later one of us runs.
    for attempt in 1... {
      if try file.lock() { break }
      if attempt == 20 { throw .wouldBlock }
      Clock.rest(.milliseconds(10))
    }
    if let record = JobNote(try file.contents(upTo: JobNote.sizeLimit)), case .started(let other) = record,
      other.command.elementsEqual(command.prefix(JobNote.commandLimit)), try Processes().living(other.gate.pid) == other.gate
    {
      return true
    }
    try file.truncate(to: 0)
    try file.write(JobNote.started(.init(gate: gate, since: Clock.wall(), command: command, mark: [])).bytes)
    return false
  }
}
