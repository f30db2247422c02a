internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

/// HTTP, by curl(1): midwatchd itself never uses the network.
///
/// Everything goes by a configuration on its standard input, for its arguments are everybody's to see.
enum Curl {
  /// - Parameter payload: nil only asks for the address.
  static func order(_ endpoint: Endpoint, _ payload: Payload?, limit: TimeSpan) throws(Refusal) -> Errand.Order {
    guard let curl = OwnProgram.path(of: "curl") else { throw Refusal("there is no curl here; install it: apt install curl") }
    let url = try Address.of(endpoint)
    return Errand.Order(
      words: OwnProgram.words([curl, "--disable", "--config", "-"], limit: limit),
      input: Array(configuration(url, payload, limit: limit).utf8), isAsked: true, limit: limit)
  }

  static func configuration(_ url: String, _ payload: Payload?, limit: TimeSpan) -> String {
    // It gives up by itself before it is killed, and then says why.
    let milliseconds = max(1, limit.nanoseconds / 1_000_000 * 19 / 20)
    let thousandths = String(1000 + milliseconds % 1000).dropFirst()
    var lines = [
      "url = \(quoted(url))", "globoff", "silent", "proto = \"=http,https\"",
      "max-time = \(milliseconds / 1000).\(thousandths)", "user-agent = \"midwatch/\(Version.text)\"", "output = \"/dev/null\"",
      // Not %header{retry-after}, which curl has since 7.84 only.
      "dump-header = \"-\"", "write-out = \"\\n%{http_code}\\n\"",
    ]
    if let payload {
      lines += payload.headers.map { "header = \(quoted($0))" }
      // Not data, in which an @ in front means a file.
      lines.append("data-raw = \(quoted(payload.body))")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// As curl(1), --config: four escapes, and no line is broken.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  static func outcome(of ending: Child.Ending, _ output: [UInt8]) -> Outcome {
    switch ending {
    case .killed: .failed("curl was \(ending)", .soon)
    case .exited(0): HTTPAnswer(output)?.outcome ?? .failed("curl said nothing", .soon)
    case .exited(let code): .failed(meaning(of: code), .soon)
    }
  }

  /// Never curl's own words: it may name the address in them.
  private static func meaning(of code: Int32) -> String {
    switch code {
    case 3: "curl cannot read the address"
    case 5: "the proxy's name is not known"
    case 6: "the host's name is not known"
    case 7: "nobody answers there"
    case 28: "no answer in time"
    case 35, 58, 60, 77, 83, 90, 91: "TLS failed (curl: exit \(code))"
    case 52, 55, 56: "the connection was cut (curl: exit \(code))"
    default: "curl: exit \(code)"
    }
  }
}

/// What a server answered.
struct HTTPAnswer: Equatable {
  let status: Int
  let retryAfter: TimeSpan?

  /// - Parameter output: headers, and the status in a last line of its own.
  init?(_ output: [UInt8]) {
    let lines = output.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }).map { String(decoding: $0, as: UTF8.self) }
    guard let status = lines.last.flatMap({ Int($0) }), (100...999).contains(status) else { return nil }
    self.status = status
    var retryAfter: TimeSpan?
    for line in lines {
      // Interim answers have headers of their own.
      if line.hasPrefix("HTTP/") { retryAfter = nil }
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0].lowercased() == "retry-after" else { continue }
      let digits = parts[1].utf8.drop { $0 == 0x20 }.prefix { (0x30...0x39).contains($0) }
      // A date is passed over: then it is tried again as after any failure.
      retryAfter = Int64(String(decoding: digits, as: UTF8.self)).map { TimeSpan.seconds($0) }
    }
    self.retryAfter = retryAfter
  }

  /// Longer than this nobody is waited for.
  static let longestWait = TimeSpan.seconds(3600)

  var outcome: Outcome {
    if (200..<300).contains(status) { return .delivered }
    let name = "HTTP \(status)"
    if status == 429 || status == 503, let retryAfter { return .failed(name, .after(min(retryAfter, Self.longestWait))) }
    switch status {
    case 408, 425, 429, 500...: return .failed(name, .soon)
    case 300..<400: return .failed("\(name): the address has moved; write the new one", .slowly)
    case 401, 403: return .failed("\(name): it is not allowed; look at the token in the address", .slowly)
    case 404, 410: return .failed("\(name): there is no such address", .slowly)
    default: return .failed("\(name): it does not take this", .slowly)
    }
  }
}

/// An address as it is read when it is needed.
enum Address {
  /// - Throws: why there is none. What is in the file is never said.
  static func of(_ endpoint: Endpoint) throws(Refusal) -> String {
    let path: Path
    switch endpoint {
    case .url(let url): return url
    case .file(let text): path = Path(text)
    case .credential(let name):
      guard let directory = environment("CREDENTIALS_DIRECTORY") else {
        throw Refusal("there is no credential '\(name)'; add LoadCredential=\(name):/path/of/the/file to the unit")
      }
      path = Path(directory).appending(name)
    }
    let shown = escaped(path.bytes)
    if let why = Trust.refusal(of: path) { throw Refusal(why) }
    let bytes: [UInt8]
    do throws(Errno) { bytes = try File(reading: path).contents(upTo: 16_384) } catch {
      throw Refusal("\(shown) cannot be read: \(error)")
    }
    let line = bytes.split(separator: 0x0a, maxSplits: 1, omittingEmptySubsequences: false).first ?? []
    guard case .url(let url)? = try? Endpoint(line.filter { $0 != 0x0d && $0 != 0x20 && $0 != 0x09 }) else {
      throw Refusal("\(shown) holds no address; write https://... into its first line")
    }
    return url
  }
}
