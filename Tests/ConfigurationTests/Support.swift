import Configuration
import Rules
import Testing

/// Reads texts as files f1, f2, ... and `--set` arguments, and finishes.
func settings(_ files: String..., set: [String] = [], root: String? = "/srv/p") throws -> Settings {
  var builder = SettingsBuilder()
  builder.rootOverride = root
  for (index, text) in files.enumerated() { try builder.read(Array(text.utf8), file: "f\(index + 1)") }
  for assignment in set { try builder.set(assignment) }
  return try builder.finish()
}

/// The line the operator sees; nil when all is well.
func complaint(_ files: [String], set: [String] = [], root: String? = "/srv/p") -> String? {
  var builder = SettingsBuilder()
  builder.rootOverride = root
  do throws(ConfigurationError) {
    for (index, text) in files.enumerated() { try builder.read(Array(text.utf8), file: "f\(index + 1)") }
    for assignment in set { try builder.set(assignment) }
    _ = try builder.finish()
    return nil
  } catch { return error.description }
}

/// The sentence with which a value is refused; nil when it is not.
func refusal<Value>(_ read: () throws(Fault) -> Value) -> String? {
  do throws(Fault) {
    _ = try read()
    return nil
  } catch { return error.sentence }
}

/// The same numbers on every run.
struct Dice: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
