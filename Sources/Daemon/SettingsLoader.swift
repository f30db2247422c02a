public import Configuration
internal import Formats
public import Kernel
internal import Rules

/// Reads the settings from where an operator put them, and from nowhere that anybody else may write.
public struct SettingsLoader: Sendable {
  /// `--config`: this file alone.
  public var file: Path?
  /// `--root`: without a configuration, built-in defaults for this directory.
  public var root: Path?
  /// `--set`, in order.
  public var assignments: [String] = []
  /// `--observe`.
  public var observesOnly = false
  /// Whether this process is the watch itself, which systemd gives its directories to.
  public var isService = false
  /// Whether root, too, has a configuration of its own before the system's: a crontab's jobs do.
  public var prefersHome = false

  /// What to try where there is no configuration.
  public var example = "midwatchd --root DIR"

  public init() {}

  public struct Loaded: Sendable {
    public var settings: Settings
    public var root: Path
    public var places: Places
    /// What was read, in order; empty for built-in defaults.
    public var files: [Path]
    /// Tells where each key got its value.
    public var builder: SettingsBuilder
  }

  /// The one line the user sees; sysexits.h EX_CONFIG (78) goes with it.
  public struct Refusal: Error, CustomStringConvertible, Sendable {
    public let description: String
  }

  static let vendor = Path("/usr/lib/midwatch/midwatch.conf")
  static let system = Path("/etc/midwatch/midwatch.conf")
  static let dropIns = Path("/etc/midwatch/conf.d")

  public func load() throws(Refusal) -> Loaded {
    var builder = SettingsBuilder()
    builder.modeCap = observesOnly ? .observe : .on
    if let root { builder.rootOverride = String(decoding: root.bytes, as: UTF8.self) }
    let files = try self.files()
    builder.isTrial = files.isEmpty
    let loaded: Loaded
    do throws(ConfigurationError) {
      for file in files { try read(file, into: &builder) }
      for assignment in assignments { try builder.set(assignment) }
      let settings = try builder.finish()
      let root = Path(settings.pipeline.root)
      let places = Places.chosen(
        trialRoot: files.isEmpty ? root : nil, configuration: files.last { !Self.dropIns.contains($0) },
        home: HomeDirectory.of(uid: Own.uid), isService: isService)
      loaded = Loaded(settings: settings, root: root, places: places, files: files, builder: builder)
    } catch { throw Refusal(description: error.description) }
    if let program = loaded.settings.alert.exec?.words.first, let why = Trust.refusal(of: Path(program)) {
      throw Refusal(description: "\(builder.origin(section: "alert", key: "exec") ?? program): \(why)")
    }
    let addresses = loaded.settings.alert.webhook.map { ("webhook", $0.endpoint) } + [("ping", loaded.settings.alert.ping)]
    for (key, address) in addresses {
      guard case .file(let file)? = address, let why = Trust.refusal(of: Path(file)) else { continue }
      throw Refusal(description: "\(builder.origin(section: "alert", key: key) ?? file): \(why)")
    }
    return loaded
  }

  /// Whether anything says what to guard: a command that can do without asks first.
  public var namesSomething: Bool { file != nil || root != nil || (try? files().isEmpty) == false }

  /// The files that count, the weakest first. `--root` alone is a trial: no file counts.
  private func files() throws(Refusal) -> [Path] {
    if let file {
      guard (try? File(reading: file)) != nil else {
        throw Refusal(
          description: "\(escaped(file.bytes)):1:1: this file cannot be read; name the configuration with --config FILE")
      }
      return [file]
    }
    if root != nil { return [] }
    var files: [Path] = []
    func isReadable(_ file: Path) -> Bool { (try? File(reading: file)) != nil }
    if Own.uid != 0 || prefersHome, let home = HomeDirectory.of(uid: Own.uid) {
      let own = home.appending(".config/midwatch/midwatch.conf")
      if isReadable(own) { return [Self.vendor, own].filter(isReadable) }
    }
    files = [Self.vendor, Self.system].filter(isReadable)
    if let directory = try? Directory(Self.dropIns) {
      for name in (try? directory.namesInOrder()) ?? [] where name.bytes.suffix(5).elementsEqual(".conf".utf8) {
        files.append(Self.dropIns.appending(name))
      }
    }
    if files.isEmpty {
      throw Refusal(description: "no configuration at /etc/midwatch/midwatch.conf; write one, or try: \(example)")
    }
    return files
  }

  private func read(_ file: Path, into builder: inout SettingsBuilder) throws(ConfigurationError) {
    let shown = escaped(file.bytes)
    if let why = Trust.refusal(of: file) { throw ConfigurationError(file: shown, line: 1, column: 1, sentence: why) }
    guard let opened = try? File(reading: file), let bytes = try? opened.contents(upTo: (1 << 20) + 1) else {
      throw ConfigurationError(file: shown, line: 1, column: 1, sentence: "this file cannot be read")
    }
    guard bytes.count <= 1 << 20 else {
      throw ConfigurationError(
        file: shown, line: 1, column: 1, sentence: "this file is larger than 1 MiB; is it a configuration?")
    }
    try builder.read(bytes, file: shown)
  }
}

/// Whether nobody but root and we ourselves can have written a file: midwatchd acts as root on what it says.
public enum Trust {
  /// Why a file is not to be trusted, with the command that mends it; nil where it is.
  public static func refusal(of path: Path) -> String? {
    guard let real = try? realPath(path) else { return nil }
    var (directory, name) = real.split
    if let why = refusal(name, in: directory, isFile: true) { return why }
    while directory.count > 1 {
      let place = directory.split
      if let why = refusal(place.name, in: place.parent, isFile: false) { return why }
      directory = place.parent
    }
    name = Path(".")
    return refusal(name, in: Path("/"), isFile: false)
  }

  private static func refusal(_ name: Path, in directory: Path, isFile: Bool) -> String? {
    guard let status = try? Directory(directory).status(of: name) else { return nil }
    let shown = escaped(directory.appending(name).bytes)
    if status.owner != 0, status.owner != Own.uid {
      return "\(shown) belongs to uid \(status.owner), who could change what midwatchd does; chown root \(shown)"
    }
    // In a sticky directory nobody can take away another's file.
    if status.mode & 0o022 != 0, isFile || status.mode & 0o1000 == 0 {
      return "\(shown) may be written by others (mode \(String(status.mode & 0o7777, radix: 8))); chmod go-w \(shown)"
    }
    return nil
  }
}
