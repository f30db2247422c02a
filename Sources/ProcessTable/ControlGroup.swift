/// Where systemd put a process, by `/proc/PID/cgroup`, cgroups(7).
public struct ControlGroup: ~Escapable {
  /// The innermost unit that is a service or a scope, as systemd names it; nil outside of any.
  public let unit: RawSpan?

  /// By systemd's own hierarchy where there is one (`name=systemd`), else by the unified one (`0::`).
  @_lifetime(copy text)
  public init(_ text: RawSpan) {
    var own: RawSpan?
    var unified: RawSpan?
    var lines = FieldReader(text)
    while let line = lines.line() {
      // A line cut short would name another unit.
      guard text.byte(at: lines.offset &- 1) == 0x0A else { break }
      var fields = FieldReader(line)
      guard let number = fields.number(), fields.take(0x3A) else { continue }
      if fields.take("name=systemd:") {
        own = fields.line()
      } else if number == 0, fields.take(0x3A) {
        unified = fields.line()
      }
    }
    if let found = Self.unit(in: own) { unit = found } else { unit = Self.unit(in: unified) }
  }

  @_lifetime(copy path)
  private static func unit(in path: RawSpan?) -> RawSpan? {
    guard let path else { return nil }
    var end = path.byteCount
    while end > 0 {
      var start = end
      while start > 0, path.byte(at: start &- 1) != 0x2F { start &-= 1 }
      let component = path.extracting(start..<end)
      if component.ends(with: ".service") || component.ends(with: ".scope") { return component }
      end = start &- 1
    }
    return nil
  }
}

extension RawSpan {
  /// With something before it.
  fileprivate func ends(with text: String) -> Bool {
    byteCount > text.utf8.count && extracting((byteCount &- text.utf8.count)...).equals(text)
  }
}
