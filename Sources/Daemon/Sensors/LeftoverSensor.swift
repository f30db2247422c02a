internal import Kernel
internal import Rules

/// Finds what browsers leave in the temporary directory: their profiles, and the directories of their sockets.
enum LeftoverSensor {
  /// What Puppeteer, Playwright, chromedriver and Chrome call theirs.
  private static let prefixes = [
    "puppeteer_dev_chrome_profile-", "puppeteer_dev_profile-", "playwright_chromiumdev_profile-",
    "playwright-artifacts-", "org.chromium.Chromium.", ".org.chromium.Chromium.", ".com.google.Chrome.",
    "com.google.Chrome.",
  ].map { Array($0.utf8) }

  struct Leftover {
    let path: Path
    let sighting: LeftoverRule.Sighting
  }

  /// - Parameter profiles: what living browsers name as theirs, as hashes.
  static func look(in directory: Path, profiles: Set<UInt64>, _ processes: borrowing Processes) -> [Leftover] {
    guard let opened = try? Directory(directory), let names = try? opened.namesInOrder() else { return [] }
    let now = Clock.wall()
    var found: [Leftover] = []
    for name in names where prefixes.contains(where: { name.bytes.starts(with: $0) }) {
      guard let status = try? opened.status(of: name), status.kind == .directory else { continue }
      let path = directory.appending(name)
      let isNamed = unsafe profiles.contains(Hash.of(path.bytes.span.bytes))
      found.append(
        Leftover(
          path: path,
          sighting: .init(
            directory: status.identity, user: status.owner, age: max(.zero, now - status.changed),
            isInUse: isNamed || isLocked(name, in: opened, processes))))
    }
    return found
  }

  /// Whether its SingletonLock, `host-PID`, names somebody who lives.
  private static func isLocked(_ name: Path, in directory: borrowing Directory, _ processes: borrowing Processes) -> Bool {
    guard let profile = try? directory.directory(name), let text = try? profile.linkText(Path("SingletonLock")) else {
      return false
    }
    guard let pid = text.split(separator: UInt8(ascii: "-")).last.flatMap({ Int32(String(decoding: $0, as: UTF8.self)) })
    else { return true }
    return processes.living(pid) != nil
  }
}
