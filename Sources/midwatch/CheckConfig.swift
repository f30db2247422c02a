import Configuration
import Daemon
import Formats
import Kernel

/// `midwatch check-config`: what midwatchd would go by.
enum CheckConfig {
  static let command = Command(
    name: "check-config", summary: "what the configuration says, every key of it", usage: "",
    details: """
      Reads the configuration as midwatchd would and shows every key with its value. What differs
      from the default is marked with * and with where it was said. Touches nothing.

      Exit: 0 it is good; 78 it is not, and the one line says where and what was meant.
      """,
    run: run)

  private struct Row {
    let section: String
    let key: String
    let value: String
    let isDefault: Bool
    let origin: String?
  }

  static func run(_ invocation: Invocation) throws(Failure) -> Int32 {
    let site = try Site(invocation)
    let rows = rows(of: site)
    try Output.write(invocation.wantsJSON ? json(site, rows).line : Array(text(site, rows).utf8))
    return 0
  }

  private static func rows(of site: Site) -> [Row] {
    var defaults: [String: [String]] = [:]
    for (section, key, value) in Settings().render() { defaults["\(section).\(key)", default: []].append(value) }
    let rendered = site.settings.render()
    return rendered.map { (section, key, value) in
      let name = "\(section).\(key)"
      let whole = rendered.filter { "\($0.section).\($0.key)" == name }.map(\.value)
      let isAgents = section.hasPrefix("agent ")
      return Row(
        section: section, key: key, value: value, isDefault: isAgents ? value.isEmpty : defaults[name] == whole,
        origin: isAgents ? nil : site.builder.origin(section: section, key: key))
    }
  }

  private static func text(_ site: Site, _ rows: [Row]) -> String {
    var text = "The configuration is good. Read: "
    text +=
      site.files.isEmpty
      ? "nothing, these are the built-in defaults" : site.files.map { escaped($0.bytes) }.joined(separator: ", ")
    text +=
      "\nThe state is kept in \(escaped(site.places.state.bytes)). What differs from the default is marked with *.\n"
    var section = ""
    for row in rows {
      if row.section != section {
        section = row.section
        text += "\n\(Ink.bold("[\(shown(section))]"))\n"
      }
      let line = "\(row.isDefault ? " " : "*") \(row.key) = \(shown(row.value))"
      if let origin = row.origin, !row.isDefault {
        text += "\(padded(line, 50)) \(Ink.dim("(\(shown(origin)))"))\n"
      } else {
        text += row.value.isEmpty ? "  \(row.key) =\n" : "\(line)\n"
      }
    }
    return text
  }

  private static func json(_ site: Site, _ rows: [Row]) -> JSON {
    .fields([
      "v": .integer(1),
      "files": .array(site.files.map { .string(escaped($0.bytes)) }),
      "root": .string(site.shownRoot),
      "state": .string(escaped(site.places.state.bytes)),
      "run": .string(escaped(site.places.run.bytes)),
      "settings": .array(
        rows.map {
          .fields([
            "section": .string(shown($0.section)), "key": .string($0.key), "value": .string(shown($0.value)),
            "default": .bool($0.isDefault), "origin": .text($0.origin.map { shown($0) }),
          ])
        }),
    ])
  }
}
