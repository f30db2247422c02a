import Configuration
import Daemon
import Formats
import Kernel
import Rules

/// The pipeline that a command works on.
struct Site {
  let settings: Settings
  /// As it was named.
  let root: Path
  let places: Places
  let files: [Path]
  let builder: SettingsBuilder
  private let loader: SettingsLoader

  /// - Throws: exit 78 and the configuration's error.
  init(_ invocation: Invocation) throws(Failure) {
    var loader = invocation.loader
    loader.example = "midwatch --root DIR \(invocation.command)"
    let loaded: SettingsLoader.Loaded
    do throws(SettingsLoader.Refusal) { loaded = try loader.load() } catch { throw .failed(78, error.description) }
    self.loader = loader
    settings = loaded.settings
    root = loaded.root
    places = loaded.places
    files = loaded.files
    builder = loaded.builder
  }

  var name: String { shown(settings.pipeline.name) }
  var shownRoot: String { escaped(root.bytes) }
  /// With its symlinks resolved, as midwatchd watches it.
  var resolvedRoot: Path { (try? realPath(root)) ?? root }
  var holder: StateDirectory.Holder { StateDirectory.holder(of: places) }

  /// A command of ours as it is to be typed for this very pipeline.
  func typed(_ words: String) -> String { "midwatch\(options) \(words)" }

  /// How to start the watch.
  var start: String { options.isEmpty ? "systemctl start midwatchd" : "midwatchd\(options)" }

  private var options: String {
    (loader.file.map { " --config \(shellQuoted($0.bytes))" } ?? "")
      + (loader.root.map { " --root \(shellQuoted($0.bytes))" } ?? "")
  }

  /// The state directory, for reading the journal.
  func state() throws(Failure) -> Directory {
    do throws(Errno) { return try Directory(places.state) } catch { throw unreadable(error) }
  }

  /// Why the journal cannot be read.
  func unreadable(_ error: Errno) -> Failure {
    let shown = escaped(places.state.bytes)
    switch error {
    case .noEntry, .notDirectory:
      return .failed(
        1, "midwatch: there is no journal in \(shown): no midwatchd ever guarded \(shownRoot); start it: \(start)")
    case .accessDenied, .notPermitted:
      return .failed(
        77, "midwatch: \(shown) cannot be read: \(error); it is its owner's alone, so type: sudo \(typed("..."))")
    default: return .failed(74, "midwatch: \(shown) cannot be read: \(error)")
    }
  }
}

/// The HALT that stands, whoever wrote it.
struct StandingHalt {
  enum Place: Equatable { case root, onlyRun }
  let place: Place
  let kind: FileStatus.Kind
  /// Escaped; nil where it does not say.
  var why: String?
  var by: String
  var since: WallTime

  /// - Parameter watched: whether a midwatchd runs: without one a copy in the run directory says nothing.
  static func find(_ site: Site, watched: Bool) -> StandingHalt? {
    if let directory = try? Directory(site.root), let halt = StandingHalt(Watch.haltName, in: directory, .root) {
      return halt
    }
    guard watched, let directory = try? Directory(site.places.run) else { return nil }
    return StandingHalt(Watch.haltedName, in: directory, .onlyRun)
  }

  private init?(_ name: Path, in directory: borrowing Directory, _ place: Place) {
    guard let status = try? directory.status(of: name) else { return nil }
    self.place = place
    kind = status.kind
    since = status.modified
    by = UserName.of(uid: status.owner)
    var text: [UInt8] = []
    switch status.kind {
    case .file: text = directory.contents(of: name, upTo: 65_536) ?? []
    case .symlink: text = (try? directory.linkText(name)) ?? []
    case .directory, .other: break
    }
    guard let json = JSON(text), json.object != nil else {
      let line = text.prefix(400).split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }).first ?? []
      why = line.isEmpty ? nil : escaped(Array(line))
      return
    }
    why = json["why"]?.string.map { shown($0) }
    if let writer = json["by"]?.string { by = writer == "midwatch" ? "midwatch's breaker" : shown(writer) }
    if let time = json["since"]?.string.flatMap({ WallTime(text: $0) }) { since = time }
  }

  /// `deploy gone wrong (by anna, 03:02:11 UTC, 12min ago)`
  func words(at now: WallTime) -> String {
    "\(why ?? "it does not say why") (by \(by), \(since.spokenWithAge(at: now)))"
  }
}
