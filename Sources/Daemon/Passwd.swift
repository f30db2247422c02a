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
}

/// - SeeAlso: passwd(5)
private enum Passwd {
  static func fields(of uid: UInt32) -> [ArraySlice<UInt8>]? {
    guard let bytes = try? File(reading: Path("/etc/passwd")).contents(upTo: 1 << 20) else { return nil }
    let wanted = Array("\(uid)".utf8)
    for line in bytes.split(separator: 0x0a) {
      let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      if fields.count >= 6, fields[2].elementsEqual(wanted) { return fields }
    }
    return nil
  }
}
