extension ProcessScan {
  /// Chains of parents longer than this are followed no further.
  static let longestChain = 64

  /// The browser that one of its processes belongs to, living or stopped; nil where it is dead.
  ///
  /// A parent proves little: kill the zygotes of a healthy browser and all its pages are pid 1's. Their
  /// group and session go on naming it, and no number is given away that still names a group. The last two
  /// are guesses, in favour of the process.
  public func browser(of pid: Int32) -> Int32? {
    guard let child = self[pid], let details = browsers[pid] else { return nil }
    if details.part == .browser { return pid }
    if let above = ancestors(of: child).first(where: isBrowser) { return above }
    if let leader = [child.group, child.session].first(where: isBrowser) { return leader }
    for (root, other) in browsers.sorted(by: { $0.key < $1.key }) where isBrowser(root) && other.user == details.user {
      if let profile = details.profile, profile == other.profile { return root }
      guard let process = self[root], process.session == child.session, other.program == details.program else { continue }
      if process.identity.startTicks <= child.identity.startTicks { return root }
    }
    return nil
  }

  private func isBrowser(_ pid: Int32) -> Bool { browsers[pid]?.part == .browser && living(pid) != nil }

  /// From the parent upward.
  public func ancestors(of process: ProcessSighting) -> [Int32] {
    var chain: [Int32] = []
    var next = process.parent
    while next > 0, chain.count < Self.longestChain, !chain.contains(next) {
      chain.append(next)
      guard let above = self[next] else { break }
      next = above.parent
    }
    return chain
  }

  func descends(_ pid: Int32, from root: Int32) -> Bool {
    pid == root || self[pid].map { ancestors(of: $0).contains(root) } == true
  }

  /// A browser's own processes besides itself, ascending.
  func members(of root: Int32) -> [ProcessSighting] {
    browsers.keys.sorted().compactMap { pid in
      guard pid != root, let process = living(pid), browser(of: pid) == root else { return nil }
      return process
    }
  }
}
