/// A JSON document that was read (RFC 8259).
public enum JSON: Equatable, Sendable {
  case object([Member])
  case array([JSON])
  case string(String)
  case integer(Int64)
  /// Has a fraction or an exponent, or does not fit an `Int64`; infinite past what a Double holds.
  case number(Double)
  case bool(Bool)
  case null

  public struct Member: Equatable, Sendable {
    public let key: String
    public let value: JSON
    public init(key: String, value: JSON) {
      self.key = key
      self.value = value
    }
  }

  /// How many arrays and objects may stand inside one another.
  public static var depthLimit: Int { 64 }

  /// Reads the one document that `bytes` are.
  ///
  /// nil for anything that RFC 8259 does not allow, for what is not UTF-8, for a second document
  /// behind the first, and past `depthLimit`. The escape of a lone surrogate, which no text can
  /// hold, reads as U+FFFD.
  public init?(_ bytes: RawSpan) {
    var parser = JSONParser(bytes)
    guard let document = parser.document() else { return nil }
    self = document
  }

  /// Reads the one document that `bytes` are.
  public init?(_ bytes: [UInt8]) { unsafe self.init(bytes.span.bytes) }
}

extension JSON {
  /// The value of a key of an object, the last one if the key stands there more than once.
  public subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key == key }?.value
  }

  /// The value found by going down key after key; self for no key.
  public func path(_ keys: [String]) -> JSON? {
    var value = self
    for key in keys {
      guard let next = value[key] else { return nil }
      value = next
    }
    return value
  }

  public var string: String? {
    guard case .string(let value) = self else { return nil }
    return value
  }

  /// A whole number, also one written as `7.0` or `7e0`.
  public var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .number(let value): value.wholePart.flatMap { Double($0) == value ? $0 : nil }
    default: nil
    }
  }

  public var bool: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  public var array: [JSON]? {
    guard case .array(let value) = self else { return nil }
    return value
  }

  public var object: [Member]? {
    guard case .object(let value) = self else { return nil }
    return value
  }
}

extension Double {
  /// Rounded toward 0; nil outside of Int64. Not `rounded()` nor `Int64(exactly:)`, which would
  /// need libm in a module that imports no C library.
  var wholePart: Int64? {
    guard self > -0x1p63, self < 0x1p63 else { return nil }
    return Int64(self)
  }
}
