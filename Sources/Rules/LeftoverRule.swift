/// Decides which directories of browsers that are gone are worth telling of. They are never removed: nobody
/// can know that their owner does not want them back.
public struct LeftoverRule: Sendable {
  /// A profile or a socket directory in the temporary directory.
  public struct Sighting: Equatable, Sendable {
    public var directory: FileIdentity
    public var user: UInt32
    /// Since its last change.
    public var age: TimeSpan
    /// A living process names it, or holds its lock.
    public var isInUse: Bool
    public init(directory: FileIdentity, user: UInt32, age: TimeSpan, isInUse: Bool) {
      self.directory = directory
      self.user = user
      self.age = age
      self.isInUse = isInUse
    }
  }

  /// A browser that is being started has a directory before it has a name.
  public static let minimumAge = TimeSpan.seconds(3600)

  private var told: Set<FileIdentity> = []

  public init() {}

  /// - Parameters:
  ///   - sightings: all there are.
  ///   - users: whose are told of.
  /// - Returns: those to tell of, each one once for as long as it stays.
  public mutating func leftovers(among sightings: [Sighting], of users: Set<UInt32>) -> [Sighting] {
    let left = sightings.filter { !$0.isInUse && $0.age >= Self.minimumAge && users.contains($0.user) }
    defer { told = Set(left.map(\.directory)) }
    return left.filter { !told.contains($0.directory) }
  }
}
