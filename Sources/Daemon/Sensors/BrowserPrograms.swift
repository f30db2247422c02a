internal import Configuration
internal import Kernel
internal import Rules

/// Tells when a browser is started: exec opens its program, and inotify says so.
///
/// A hint alone: a pass over /proc tells what was started. So a program that is not known here, or a user
/// who has no inotify instance left, costs lateness and nothing else.
struct BrowserPrograms: ~Copyable {
  /// Where Debian, Google, Playwright and Puppeteer put theirs.
  private static let known = [
    "/usr/lib/chromium/chromium", "/usr/lib/chromium/chromium-headless-shell",
    "/usr/lib/chromium-browser/chromium-browser", "/opt/google/chrome/chrome",
    "~/.cache/ms-playwright/*/*/chrome", "~/.cache/ms-playwright/*/*/headless_shell",
    "~/.cache/ms-playwright/*/*/chrome-headless-shell", "~/.cache/puppeteer/*/*/*/chrome",
    "~/.cache/puppeteer/*/*/*/chrome-headless-shell",
  ]
  /// Of versions kept side by side, so many are watched.
  private static let most = 256

  let inotify: Inotify
  private var watched: [Path: FileIdentity] = [:]
  private var events = ReadBuffer(capacity: 4096)

  /// - Throws: `EMFILE` where no inotify instance is left.
  init() throws(Errno) { inotify = try Inotify() }

  /// Finds the programs anew: updates bring files of the same names.
  mutating func find(_ browsers: [PathTemplate], homes: [Path]) {
    var found: [Path: FileIdentity] = [:]
    for template in Self.known.compactMap({ try? PathTemplate($0) }) + browsers {
      for base in template.isHome ? homes : [Path("/")] {
        for path in matches(template.components[...], in: base) where found.count < Self.most {
          guard let identity = identity(of: path) else { continue }
          found[path] = identity
          if watched[path] != identity { try? inotify.watchStarts(of: path) }
        }
      }
    }
    watched = found
  }

  /// Reads what was told.
  ///
  /// - Returns: whether a browser may have been started.
  mutating func drain() -> Bool {
    var wasOpened = false
    while (try? inotify.read(into: &events)) == true { wasOpened = true }
    return wasOpened
  }

  private func identity(of path: Path) -> FileIdentity? {
    let (parent, name) = path.split
    guard let status = try? Directory(parent).status(of: name), status.kind == .file else { return nil }
    return status.identity
  }

  private func matches(_ components: ArraySlice<PathTemplate.Component>, in directory: Path) -> [Path] {
    guard let first = components.first else { return [directory] }
    let rest = components.dropFirst()
    switch first {
    case .literal(let bytes):
      guard let name = Path(bytes: bytes) else { return [] }
      return matches(rest, in: directory.appending(name))
    case .pattern(let pattern):
      guard let opened = try? Directory(directory), let names = try? opened.namesInOrder() else { return [] }
      return names.prefix(Self.most).flatMap { name in
        unsafe pattern.match(name.bytes.span.bytes) == nil ? [] : matches(rest, in: directory.appending(name))
      }
    case .anyDepth: return []
    }
  }
}
