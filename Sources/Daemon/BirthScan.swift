public import Configuration
internal import Formats
public import Kernel
public import Rules

/// Every output that lies in a pipeline now, with its birth: what a replay is fed with.
///
/// Found by the very tree that midwatchd watches by, so that the same names count; nothing is watched.
public struct BirthScan: Sendable {
  public struct Output: Sendable {
    public var born: WallTime
    public var agent: Agent
    public var key: NameKey
    /// nil where it is no text, or texts are not compared.
    public var text: Text?
  }

  public struct Text: Sendable {
    public var fingerprint: UInt64
    public var written: WallTime
  }

  /// The earliest first.
  public let outputs: [Output]
  public let names: Names
  /// Outputs on a filesystem that keeps no birth times: they are not among `outputs`.
  public let undated: Int

  /// - Parameter root: with its symlinks resolved.
  /// - Throws: what keeps "/" from being opened.
  public init(_ settings: Settings, root: Path) throws(Errno) {
    var names = Names()
    let plan = WatchPlan(settings, root: root, places: Places(state: root, run: root), names: &names)
    var tree = try WatchTree(
      plan.templates.filter { $0.purpose == .output }, ignoreOfAgent: plan.ignoreOfAgent, ownWatches: plan.ownWatches,
      crossesMounts: settings.pipeline.crossMounts, names: names, watches: false)
    let comparesTexts = ([settings.outputs] + settings.agents.map(\.outputs)).contains { $0.policy.similar != nil }
    var sink = Sink(comparesTexts: comparesTexts)
    tree.visit(bornSince: WallTime(nanoseconds: .min), telling: &sink)
    outputs = sink.outputs.sorted { $0.born < $1.born }
    self.names = tree.names
    undated = sink.undated
  }

  private struct Sink: WatchSink {
    let comparesTexts: Bool
    var outputs: [Output] = []
    var undated = 0

    mutating func saw(_ entry: borrowing WatchedEntry, in tree: borrowing WatchTree) {
      guard case .found(let born) = entry.what, let agent = entry.agent, !entry.isDirectory else { return }
      guard let born else {
        undated += 1
        return
      }
      let key = NameKey(directory: entry.directory, name: Hash.of(entry.name))
      var path = Path.empty
      tree.put(entry.name, in: entry.node, into: &path)
      outputs.append(Output(born: born, agent: agent, key: key, text: comparesTexts ? text(at: path, in: tree.slash) : nil))
    }

    /// As midwatchd reads them.
    private func text(at path: Path, in slash: borrowing Directory) -> Text? {
      guard let status = try? slash.peek(path), status.kind == .file, (1...(1 << 20)).contains(status.size),
        let bytes = slash.contents(of: path, upTo: 1 << 20), let hash = SimHash(bytes)
      else { return nil }
      return Text(fingerprint: hash.bits, written: status.modified)
    }

    mutating func sawUnborn(_ count: Int, by agent: Agent?) {}
    mutating func sawLeftover(_ name: RawSpan, in directory: [UInt8]) {}
    mutating func notice(_ notice: WatchNotice) {}
  }
}
