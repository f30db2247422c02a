import Daemon
import Formats
import Kernel
import Rules

/// The directory that a drill happens in: all that it writes is below it, and goes with it.
struct DrillPlace {
  let path: Path

  /// - Parameter parent: where temporary files go.
  init(in parent: Path) throws(Failure) {
    // What is written into configurations and scripts there needs no quoting.
    let isPlain = parent.bytes.allSatisfy {
      (0x2b...0x39).contains($0) && $0 != 0x2c || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x5f
    }
    let parent = isPlain ? parent : Path("/tmp")
    do throws(Errno) {
      let parent = try realPath(parent)
      let name = "midwatch-drill-\(String(UInt64.random(in: .min ... .max), radix: 36))"
      try Directory(parent).makeDirectory(Path(name), mode: 0o700)
      path = parent.appending(name)
    } catch {
      throw .failed(
        73, "midwatch: no directory can be made in \(escaped(parent.bytes)): \(error); set TMPDIR to one that is yours")
    }
  }

  func text(_ name: String) -> String { String(decoding: path.appending(name).bytes, as: UTF8.self) }

  func make(_ name: String) throws(Failure) {
    do throws(Errno) { try Directory(path).makeDirectory(Path(name), mode: 0o700) } catch { throw unwritable(name, error) }
  }

  /// - Parameter age: how long ago it was written, as it is to look.
  func write(_ name: String, _ text: String, age: TimeSpan = .zero) throws(Failure) {
    let (parent, file) = path.appending(name).split
    do throws(Errno) {
      // Under its name only once it looks as old as it is to look.
      let hidden = Path(".\(Own.pid)")
      let directory = try Directory(parent)
      try directory.makeFile(hidden, mode: 0o600).write(Array(text.utf8))
      let time = Clock.wall() - age
      if age > .zero { try directory.setTimes(of: hidden, accessed: time, modified: time) }
      try directory.renameNew(hidden, to: file)
    } catch { throw unwritable(name, error) }
  }

  func link(_ name: String, to target: Path) throws(Failure) {
    do throws(Errno) { try Directory(path).makeSymlink(Path(name), to: target.bytes) } catch { throw unwritable(name, error) }
  }

  private func unwritable(_ name: String, _ error: Errno) -> Failure {
    .failed(73, "midwatch: \(text(name)) cannot be written: \(error); make room there, or set TMPDIR")
  }

  func contents(_ name: String) -> [UInt8] { (try? File(reading: path.appending(name)).contents(upTo: 1 << 20)) ?? [] }

  func has(_ name: String) -> Bool {
    let (parent, name) = path.appending(name).split
    return (try? Directory(parent).status(of: name)) != nil
  }

  /// When what lies in a directory was last written, hidden names left out.
  func writings(in name: String) -> [WallTime] {
    guard let directory = try? Directory(path.appending(name)), let names = try? directory.namesInOrder() else { return [] }
    return names.filter { $0.bytes.first != UInt8(ascii: ".") }.compactMap { try? directory.status(of: $0).modified }
  }

  /// Removes all of it.
  ///
  /// - Returns: what keeps it there.
  func remove() -> Errno? {
    let (parent, name) = path.split
    do throws(Errno) { try Self.remove(name, from: Directory(parent), depth: 8) } catch { return error }
    return nil
  }

  private static func remove(_ name: Path, from parent: borrowing Directory, depth: Int) throws(Errno) {
    guard depth > 0, try parent.status(of: name).kind == .directory else { return try parent.unlink(name) }
    let directory = try parent.directory(name)
    for entry in try directory.namesInOrder() { try remove(entry, from: directory, depth: depth - 1) }
    try parent.removeDirectory(name)
  }
}
