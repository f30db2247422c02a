public import Configuration
public import Kernel

extension LeakSettings {
  /// Whose processes may be signalled: root acts for the pipeline's owner and for those it was told of,
  /// anybody else for himself.
  public func owners(root: Path) -> Set<UInt32> {
    guard Own.uid == 0 else { return [Own.uid] }
    var users = Set(self.users.compactMap { UserName.uid(of: $0) })
    users.insert((try? Directory(root).status().owner) ?? 0)
    return users
  }

  /// The names of the programs that are browsers besides the known ones.
  public var programs: [String] {
    browsers.compactMap { template in
      guard case .literal(let name) = template.components.last else { return nil }
      return String(decoding: name, as: UTF8.self)
    }
  }
}
