/// A program to start: as it was written, and its words.
public struct Command: Equatable, Sendable {
  public let text: String
  /// Never empty; the first is an absolute path.
  public let words: [String]

  /// - Throws: what `ShellWords` refuses, and a program without its whole path: it is checked who
  ///   may write to it, and found without a search.
  public init(_ text: [UInt8]) throws(Fault) {
    words = try ShellWords.split(text)
    guard let program = words.first, program.utf8.first == ASCII.slash else {
      throw Fault("\(quoted(text)) does not begin with the whole path of a program; write one, as in /usr/local/bin/tell-me")
    }
    self.text = text.string
  }
}

/// Where to send something: an address, or a file that holds it so that nobody else reads it.
public enum Endpoint: Equatable, Sendable {
  case url(String)
  /// An absolute path, without the `@`.
  case file(String)
  /// The name of a credential, as systemd.exec(5) has them (`LoadCredential=`), without the `@`.
  case credential(String)

  /// - Throws: neither http(s)://... nor @/... nor @NAME; a URL with what a URL cannot hold (the text goes
  ///   into a configuration of curl's).
  public init(_ text: [UInt8]) throws(Fault) {
    if text.first == ASCII.at {
      let name = Array(text[1...])
      if name.count > 1, name[0] == ASCII.slash {
        self = .file(name.string)
        return
      }
      guard !name.isEmpty, name.allSatisfy({ $0.isAlphanumeric || $0 == ASCII.minus || $0 == ASCII.dot || $0 == 0x5F }),
        name[0] != ASCII.dot
      else {
        throw Fault(
          "\(quoted(text)) is not a file; write @ and its whole path, as in @/etc/midwatch/webhook.url, or @NAME for a credential of systemd's"
        )
      }
      self = .credential(name.string)
      return
    }
    guard let scheme = ["https://", "http://"].first(where: { text.has(prefix: $0) }), text.count > scheme.utf8.count else {
      throw Fault("\(quoted(text)) is not an address; write https://..., or @FILE for a file that holds it")
    }
    for (offset, byte) in text.enumerated()
    where byte <= ASCII.space || byte > 0x7E || byte == ASCII.doubleQuote || byte == ASCII.backslash {
      throw Fault(at: offset, "an address cannot hold \(quoted([byte])); write it as %\(String(byte, radix: 16))")
    }
    self = .url(text.string)
  }

  public var text: String {
    switch self {
    case .url(let url): url
    case .file(let path): "@" + path
    case .credential(let name): "@" + name
    }
  }

  /// What may be shown of it: the host of an address, or where the address is kept.
  public var label: String {
    guard case .url(let url) = self, let slashes = url.utf8.firstIndex(of: ASCII.slash) else { return text }
    let rest = url.utf8[slashes...].drop { $0 == ASCII.slash }.prefix { !"/?#".utf8.contains($0) }
    // A name and a password may stand before the host.
    return Array(rest.split(separator: ASCII.at, omittingEmptySubsequences: false).last ?? rest).string
  }
}

/// Who is told over HTTP, and in which form.
public struct Webhook: Equatable, Sendable {
  public enum Kind: String, Equatable, Sendable, CaseIterable { case ntfy, discord, slack, telegram, json }
  public let kind: Kind
  public let endpoint: Endpoint

  public init(_ text: [UInt8]) throws(Fault) {
    let end = text.firstIndex(where: \.isBlank) ?? text.count
    let kinds = Kind.allCases.map(\.rawValue)
    guard let kind = Kind(rawValue: Array(text[..<end]).string) else {
      throw Fault(
        "\(quoted(Array(text[..<end]))) is not a kind of webhook; write \(alternatives(kinds)), and then the address or @FILE")
    }
    let rest = text.trimmed(end..<text.count)
    guard !rest.isEmpty else {
      throw Fault(at: end, "the address is missing; write \(kind.rawValue) https://... or \(kind.rawValue) @FILE")
    }
    self.kind = kind
    do throws(Fault) { endpoint = try Endpoint(Array(text[rest])) } catch { throw error.shifted(by: rest.lowerBound) }
  }

  public var text: String { kind.rawValue + " " + endpoint.text }
}
