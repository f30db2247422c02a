public import Kernel
internal import ProcessTable
public import Rules

/// How much memory is in use: of the machine, or of the container that we are in.
///
/// Every file is opened once and read from its beginning each time: a level costs three reads and no memory,
/// which is what there is too little of.
public struct MemorySensor: ~Copyable {
  private let machine: File
  private let container: ContainerFiles?
  private var buffer = ReadBuffer(capacity: 16_384)

  /// - Parameters:
  ///   - machine: as `/proc/meminfo` is.
  ///   - controlGroups: where the control groups are mounted. Its root is the root of our cgroup namespace:
  ///     a container's own group, or all of the machine, which has no limit. Never the group of our own unit,
  ///     whose limit is for us alone.
  /// - Throws: what keeps `machine` from being opened.
  public init(
    machine: Path = Path("/proc/meminfo"), controlGroups: Path = Path("/sys/fs/cgroup")
  ) throws(Errno) {
    self.machine = try File(reading: machine)
    container = ContainerFiles.open(in: controlGroups)
  }

  /// nil where the machine does not say.
  public mutating func level() -> MemoryLevel? {
    guard (try? machine.read(into: &buffer)) != nil, let info = MemoryInfo(buffer.bytes) else { return nil }
    return MemoryLevel(total: info.total, available: info.available, container: readContainer(below: info.total))
  }

  private mutating func readContainer(below total: UInt64) -> MemoryLevel.Container? {
    switch container {
    case .some(let files): files.read(below: total, &buffer)
    case .none: nil
    }
  }
}

/// A control group's files.
private struct ContainerFiles: ~Copyable {
  private let limit: File
  private let current: File
  private let stat: File

  /// nil on a machine of our own, where the root has no such files.
  static func open(in root: Path) -> ContainerFiles? {
    if let files = try? ContainerFiles(root, "memory.max", "memory.current") { return files }
    // Version 1.
    return try? ContainerFiles(root.appending("memory"), "memory.limit_in_bytes", "memory.usage_in_bytes")
  }

  private init(_ group: Path, _ limit: String, _ current: String) throws(Errno) {
    let limit = try File(reading: group.appending(limit))
    let current = try File(reading: group.appending(current))
    let stat = try File(reading: group.appending("memory.stat"))
    self.limit = limit
    self.current = current
    self.stat = stat
  }

  /// The limit is read each time: it can be changed while the container runs.
  borrowing func read(below total: UInt64, _ buffer: inout ReadBuffer) -> MemoryLevel.Container? {
    guard (try? limit.read(into: &buffer)) != nil, let limit = controlGroupBytes(buffer.bytes), limit < total,
      (try? current.read(into: &buffer)) != nil, let current = controlGroupBytes(buffer.bytes),
      (try? stat.read(into: &buffer)) != nil
    else { return nil }
    return .init(limit: limit, current: current, inactiveFile: inactiveFileBytes(stat: buffer.bytes))
  }
}
