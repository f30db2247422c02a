public import Kernel

/// Homes as /etc/passwd has them: no NSS from a static program.
public enum HomeDirectory {
  public static func ofOwner(of root: Path) -> Path? {
    let owner = (try? Directory(root).status().owner) ?? Own.uid
    return of(uid: owner)
  }

  static func of(uid: UInt32) -> Path? { Passwd.fields(of: uid).flatMap { Path(bytes: Array($0[5])) } }
}

/// Users' names, in the same way.
public enum UserName {
  /// The bare number where nobody has it.
  public static func of(uid: UInt32) -> String {
    Passwd.fields(of: uid).map { String(decoding: $0[0], as: UTF8.self) } ?? "uid \(uid)"
  }

  /// - Parameter name: or a number. nil where nobody is called so.
  static func uid(of name: String) -> UInt32? {
    if let number = UInt32(name) { return number }
    return Passwd.uid(of: Array(name.utf8))
  }
}

/// - SeeAlso: passwd(5)
private enum Passwd {
  static func fields(of uid: UInt32) -> [ArraySlice<UInt8>]? { line(where: 2, is: Array("\(uid)".utf8)) }

  static func uid(of name: [UInt8]) -> UInt32? {
    line(where: 0, is: name).flatMap { UInt32(String(decoding: $0[2], as: UTF8.self)) }
  }

  private static func line(where place: Int, is wanted: [UInt8]) -> [ArraySlice<UInt8>]? {
    guard let bytes = try? File(reading: Path("/etc/passwd")).contents(upTo: 1 << 20) else { return nil }
    for line in bytes.split(separator: 0x0a) {
      let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      if fields.count >= 6, fields[place].elementsEqual(wanted) { return fields }
    }
    return nil
  }
}
