/// The number in `memory.max` and its like, cgroups(7), in bytes; `.max` for the word `max`.
///
/// nil for anything else, and where it is cut short.
public func controlGroupBytes(_ bytes: RawSpan) -> UInt64? {
  var fields = FieldReader(bytes)
  if fields.take("max"), fields.take(0x0A) { return .max }
  guard let value = fields.number(), fields.take(0x0A) else { return nil }
  return value
}

/// Page cache that was not asked for lately, of a control group and all below it: `inactive_file` of
/// `memory.stat`; in version 1, where that is the group's own alone, `total_inactive_file`. In bytes.
///
/// 0 where neither is told.
public func inactiveFileBytes(stat: RawSpan) -> UInt64 {
  var own: UInt64 = 0
  var lines = FieldReader(stat)
  while let line = lines.line() {
    guard stat.byte(at: lines.offset &- 1) == 0x0A else { break }
    var fields = FieldReader(line)
    if fields.take("total_inactive_file ") { return fields.number() ?? own }
    if fields.take("inactive_file ") { own = fields.number() ?? 0 }
  }
  return own
}
