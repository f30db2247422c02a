import Rules

extension Kind where Value == Mode {
  static var mode: Kind { oneOf("a mode", Mode.allCases) }
}

extension Kind where Value == Bool {
  static var flag: Kind {
    Kind(
      read: { (text) throws(Fault) in
        switch text.map(\.lowercased).string {
        case "yes", "true", "on", "1", "y", "t": return true
        case "no", "false", "off", "0", "n", "f": return false
        default: throw Fault("\(quoted(text)) is neither yes nor no; write one of them")
        }
      },
      text: { $0 ? "yes" : "no" })
  }
}

extension Kind where Value == TimeSpan {
  /// Longer than nothing.
  static var span: Kind {
    Kind(
      read: { (text) throws(Fault) in
        let span = try Units.span(text)
        guard span > .zero else { throw Fault("\(quoted(text)) is no time at all; write a span longer than 0") }
        return span
      },
      text: Units.spanText)
  }

  /// A span that may not be longer than this.
  static func span(atMost most: TimeSpan) -> Kind {
    Kind(
      read: { (text) throws(Fault) in
        let span = try Kind.span.read(text)
        guard span <= most else { throw Fault("\(quoted(text)) is too long; write at most \(Units.spanText(most))") }
        return span
      },
      text: Units.spanText)
  }
}

extension Kind where Value == BreakerRule.Limit {
  static var limit: Kind { Kind(read: { (text) throws(Fault) in try Units.limit(text) }, text: Units.limitText) }
}

extension Kind where Value == GrowthRule.Limit {
  static var growth: Kind { Kind(read: { (text) throws(Fault) in try Units.growth(text) }, text: Units.growthText) }
}

extension Kind where Value == Int {
  static var count: Kind { Kind(read: { (text) throws(Fault) in try Units.count(text) }, text: { "\($0)" }) }
  static var percent: Kind { Kind(read: { (text) throws(Fault) in try Units.percent(text) }, text: { "\($0)%" }) }
}

extension Kind where Value == String {
  /// An absolute path of one directory, without superfluous slashes.
  static var root: Kind { Kind(read: { (text) throws(Fault) in try rootPath(text) }, text: { $0 }) }

  /// A name that may be a part of a file's.
  static var plainName: Kind {
    Kind(read: { (text) throws(Fault) in try fileName(text, "a name", atMost: 255).string }, text: { $0 })
  }

  static var unit: Kind {
    Kind(
      read: { (text) throws(Fault) in
        let suffixes = [".service", ".timer", ".socket", ".scope", ".slice", ".target", ".path"]
        guard text.first != ASCII.minus, text.allSatisfy({ $0.isAlphanumeric || ":-_.\\@".utf8.contains($0) }) else {
          throw Fault("\(quoted(text)) cannot be a unit of systemd's; write one, as in openclaw-gateway.service")
        }
        guard suffixes.contains(where: { text.count > $0.utf8.count && text.suffix($0.utf8.count).elementsEqual($0.utf8) })
        else {
          throw Fault("\(quoted(text)) has no type of unit; did you mean \(quoted(text + Array(".service".utf8)))?")
        }
        return text.string
      }, text: { $0 })
  }

  static var user: Kind {
    Kind(
      read: { (text) throws(Fault) in
        guard text.first != ASCII.minus, text.count <= 32, text.allSatisfy({ $0.isAlphanumeric || "-_.$".utf8.contains($0) })
        else {
          throw Fault("\(quoted(text)) cannot be a user; write a user's name or number")
        }
        return text.string
      }, text: { $0 })
  }

  static var mailAddress: Kind {
    Kind(
      read: { (text) throws(Fault) in
        // It becomes an argument of sendmail(8): a dash in front would make it an option.
        guard text.first != ASCII.minus, text.allSatisfy({ $0 > ASCII.space && $0 < 0x7F && !"<>()\\\"|'`;".utf8.contains($0) })
        else {
          throw Fault("\(quoted(text)) cannot be a mail address; write one, as in me@example.org or root")
        }
        return text.string
      }, text: { $0 })
  }
}

extension Kind where Value == [UInt8] {
  static var agentName: Kind {
    Kind(read: { (text) throws(Fault) in try fileName(text, "an agent's name") }, text: { $0.string })
  }
}

extension Kind where Value == Glob {
  static var glob: Kind { Kind(read: { (text) throws(Fault) in try Glob(text) }, text: { $0.text }) }
}

extension Kind where Value == IgnorePattern {
  static var ignore: Kind { Kind(read: { (text) throws(Fault) in try IgnorePattern(text) }, text: { $0.text }) }
}

extension Kind where Value == PathTemplate {
  static var template: Kind { Kind(read: { (text) throws(Fault) in try PathTemplate(text) }, text: { $0.text }) }

  /// One that tells whose file it is.
  static var templateWithAgent: Kind {
    Kind(
      read: { (text) throws(Fault) in
        let template = try PathTemplate(text)
        guard template.namesAgent else {
          throw Fault(
            "\(quoted(text)) does not say whose file it is; write {agent} where its name stands, or put it into an [agent NAME] section"
          )
        }
        return template
      }, text: { $0.text })
  }

  /// One that cannot take every file for a lock: what is taken for one is removed some day.
  static var lockTemplate: Kind {
    Kind(
      read: { (text) throws(Fault) in
        let template = try PathTemplate(text)
        guard template.components.last != .anyDepth else {
          throw Fault(
            "\(quoted(text)) would take every file for a lock and remove it; end it with a name, as in locks/**/*.lock")
        }
        return template
      }, text: { $0.text })
  }
}

extension Kind where Value == HeartbeatSettings.Source {
  static var source: Kind {
    Kind(
      read: { (text) throws(Fault) in
        if text == Array("mtime".utf8) { return .modificationTime }
        if text == Array("content".utf8) { return .content }
        let keys = text.dropFirst(5).split(separator: ASCII.dot, omittingEmptySubsequences: false)
        guard text.has(prefix: "json:"), keys.allSatisfy({ !$0.isEmpty }) else {
          throw Fault("\(quoted(text)) is not a source; write mtime, content or json:KEY, as in json:beat.time")
        }
        return .json(keys.map { Array($0).string })
      },
      text: {
        switch $0 {
        case .modificationTime: "mtime"
        case .content: "content"
        case .json(let keys): "json:" + keys.joined(separator: ".")
        }
      })
  }
}

extension Kind where Value == Webhook {
  static var webhook: Kind { Kind(read: { (text) throws(Fault) in try Webhook(text) }, text: { $0.text }) }
}

extension Kind where Value == Endpoint? {
  static var endpoint: Kind { Kind(read: { (text) throws(Fault) in try Endpoint(text) }, text: { $0?.text ?? "" }) }
}

extension Kind where Value == Command? {
  static var command: Kind {
    var kind = Kind(read: { (text) throws(Fault) in try Command(text) }, text: { $0?.text ?? "" })
    kind.isVerbatim = true
    return kind
  }
}

/// The bytes if a file can be called so; `noun` as in "cannot be an agent's name". The 200 bytes
/// leave room for what is appended, as in NAME.degraded.
func fileName(_ text: [UInt8], _ noun: String, atMost most: Int = 200) throws(Fault) -> [UInt8] {
  func refusal(_ why: String, at offset: Int = 0) -> Fault { Fault(at: offset, "\(quoted(text)) cannot be \(noun): \(why)") }
  if text.isEmpty { throw Fault("\(noun) is missing; write one") }
  if text.count > most { throw refusal("it is longer than \(most) bytes") }
  if text == [ASCII.dot] || text == [ASCII.dot, ASCII.dot] { throw refusal("it stands for a directory") }
  var at = 0
  while at < text.count {
    guard let (value, length) = scalar(in: text, at: at), !isControl(value) else {
      throw refusal("it holds a control character or a byte that is not UTF-8", at: at)
    }
    if value == 0x2F { throw refusal("it holds a slash", at: at) }
    at += length
  }
  return text
}

/// The root as it is kept. Used for the key and for `--root`.
func rootPath(_ text: [UInt8]) throws(Fault) -> String {
  guard text.first == ASCII.slash else {
    throw Fault("\(quoted(text)) is not an absolute path; write the pipeline's directory in full, beginning with /")
  }
  guard text.count <= 4095, !text.contains(0) else {
    throw Fault("\(quoted(text)) cannot be a path; write one without a NUL and of at most 4095 bytes")
  }
  let names = text.split(separator: ASCII.slash)
  if let name = names.first(where: { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }) {
    throw Fault("\(quoted(text)) goes through \(quoted(Array(name))); write the path without it")
  }
  guard !names.isEmpty else { throw Fault("the whole machine cannot be a pipeline; write its directory") }
  guard let last = names.last?.last, !last.isBlank else { throw Fault("\(quoted(text)) ends in a blank; take it away") }
  return names.map { "/" + Array($0).string }.joined()
}
