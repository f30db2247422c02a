public import Kernel
internal import Rules

/// Where the watch keeps what must outlive it, and what it shows while it runs.
public struct Places: Equatable, Sendable {
  /// Journal, alert spool, clock.
  public let state: Path
  /// status.json, jobs, halted: gone after a boot.
  public let run: Path

  public init(state: Path, run: Path) {
    self.state = state
    self.run = run
  }

  /// By design: systemd's directories, else inside the root for a trial, else the system's for the
  /// system's configuration, else the user's.
  ///
  /// - Parameters:
  ///   - trialRoot: the pipeline root where there is no configuration.
  ///   - configuration: the file that says what to guard.
  ///   - isService: whether systemd's directories are meant for this process: a job's unit has its own.
  public static func chosen(trialRoot: Path?, configuration: Path?, home: Path?, isService: Bool) -> Places {
    if isService, let state = environment("STATE_DIRECTORY"), let run = environment("RUNTIME_DIRECTORY") {
      return Places(state: firstOf(state), run: firstOf(run))
    }
    if let trialRoot {
      let own = trialRoot.appending(".midwatch")
      return Places(state: own.appending("state"), run: own.appending("run"))
    }
    if let name = configuration.flatMap(systemName) {
      return Places(state: Path("/var/lib").appending(name), run: Path("/run").appending(name))
    }
    let home = home ?? Path("/")
    let state = environment("XDG_STATE_HOME").map { Path($0) } ?? home.appending(".local/state")
    let run = environment("XDG_RUNTIME_DIR").map { Path($0) } ?? Path("/run/user/\(Own.uid)")
    return Places(state: state.appending("midwatch"), run: run.appending("midwatch"))
  }

  /// `midwatch` for the system's own configuration, `midwatch-NAME` for `/etc/midwatch/NAME.conf`, as the units
  /// have it; nil for any other file.
  private static func systemName(_ configuration: Path) -> String? {
    let (directory, file) = configuration.split
    let name = String(decoding: file.bytes, as: UTF8.self)
    let isSystems = directory == Path("/etc/midwatch") || directory == Path("/usr/lib/midwatch")
    guard isSystems, name.hasSuffix(".conf") else { return nil }
    let stem = name.dropLast(5)
    return stem == "midwatch" ? "midwatch" : "midwatch-\(stem)"
  }

  /// What a running watch shows of itself.
  public var statusFile: Path { run.appending(StatusFile.name) }
  /// The copy of HALT for whoever may not look into the pipeline root.
  public var halted: Path { run.appending(Watch.haltedName) }

  /// systemd separates several directories by a colon.
  private static func firstOf(_ list: String) -> Path {
    Path(String(decoding: list.utf8.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self))
  }
}

/// The state directory, held by one midwatchd at a time.
public struct StateDirectory: ~Copyable {
  public let directory: Directory
  public let run: Directory
  public let places: Places
  /// Held for as long as the watch lives; the kernel lets go of it however the watch ends.
  private let lock: File

  public enum Refusal: Error, Equatable, Sendable {
    case cannotMake(Path, Errno)
    /// Another midwatchd holds it; nil where it did not leave its pid.
    case taken(by: String?)
  }

  /// Makes the directories where they are missing (0700, the shown one 0755) and takes the lock.
  public static func open(_ places: Places) throws(Refusal) -> StateDirectory {
    let directory = try Self.make(places.state, mode: 0o700)
    let run = try Self.make(places.run, mode: 0o755)
    do throws(Errno) {
      let lock = try directory.lockFile(Path("lock"), mode: 0o600)
      // Whoever asks `holder(of:)` has it too, for an instant.
      for attempt in 1... {
        if try lock.lock() { break }
        if attempt == 5 { throw .wouldBlock }
        Clock.rest(.milliseconds(10))
      }
      try lock.truncate(to: 0)
      try lock.write(Array("\(Own.pid)\n".utf8))
      return StateDirectory(directory: directory, run: run, places: places, lock: lock)
    } catch {
      if error == .wouldBlock {
        guard case .midwatchd(let pid) = Self.holder(of: places) else { throw .taken(by: nil) }
        throw .taken(by: pid)
      }
      throw .cannotMake(places.state.appending("lock"), error)
    }
  }

  private init(directory: consuming Directory, run: consuming Directory, places: Places, lock: consuming File) {
    self.directory = directory
    self.run = run
    self.places = places
    self.lock = lock
  }

  /// Whether a midwatchd stands over a state directory.
  public enum Holder: Equatable, Sendable {
    case nobody
    /// nil where it did not leave its pid.
    case midwatchd(pid: String?)
    /// Only its owner may look.
    case unknown(Errno)
  }

  /// Asks the kernel, by a shared lock that is let go of at once: a pid in a file proves nothing.
  ///
  /// - SeeAlso: flock(2)
  public static func holder(of places: Places) -> Holder {
    do throws(Errno) {
      let file = try File(reading: places.state.appending("lock"))
      if try file.lock(shared: true) { return .nobody }
      let digits = ((try? file.contents(upTo: 16)) ?? []).prefix { (0x30...0x39).contains($0) }
      return .midwatchd(pid: digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self))
    } catch {
      return error == .noEntry || error == .notDirectory ? .nobody : .unknown(error)
    }
  }

  private static func make(_ path: Path, mode: UInt32) throws(Refusal) -> Directory {
    do throws(Errno) { return try Directory(path) } catch {
      guard error == .noEntry, path.count > 1 else { throw .cannotMake(path, error) }
    }
    let (parent, name) = path.split
    let above = try make(parent, mode: mode)
    do throws(Errno) {
      do throws(Errno) { try above.makeDirectory(name, mode: mode) } catch { if error != .exists { throw error } }
      return try Directory(path)
    } catch { throw .cannotMake(path, error) }
  }
}

extension Directory {
  /// Writes a file so that its name shows either the old content or the new, never a part.
  ///
  /// - Parameters:
  ///   - durable: whether it must survive a power cut, at the price of waiting for the disk.
  /// - Throws: `ENOSPC`, `EDQUOT`, `EROFS`, `EACCES`; the old content stays.
  public func replace(
    _ name: Path, with bytes: [UInt8], mode: UInt32 = 0o600, durable: Bool = false
  ) throws(Errno) {
    let hidden = Path(".midwatch-new-\(Own.pid)")
    do throws(Errno) { try unlink(hidden) } catch { if error != .noEntry { throw error } }
    do throws(Errno) {
      let file = try makeFile(hidden, mode: mode)
      try file.write(bytes)
      try renameOver(hidden, to: name)
      if durable { try file.sync() }
    } catch {
      try? unlink(hidden)
      throw error
    }
  }

  /// The content of a small file; nil where there is none or it cannot be read.
  public func contents(of name: Path, upTo limit: Int = 65_536) -> [UInt8]? {
    guard let file = try? file(name), let bytes = try? file.contents(upTo: limit) else { return nil }
    return bytes
  }

  /// Every name in it, in the order of their bytes: for the few small directories of our own.
  public func namesInOrder() throws(Errno) -> [Path] {
    var names: [Path] = []
    var buffer = ReadBuffer(capacity: 8192)
    let listing = try DirectoryListing(self)
    while try listing.read(into: &buffer) {
      var entries = DirectoryEntries(buffer.bytes)
      while let entry = entries.next() { names.append(Path(entry.name)) }
    }
    names.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    return names
  }
}
