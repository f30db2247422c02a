extension ProcessScan {
  /// Chains of parents longer than this are followed no further.
  static let longestChain = 64

  /// The browser that one of its processes belongs to, living or stopped; nil where it is dead.
  ///
  /// A parent proves little: kill the zygotes of a healthy browser and all its pages are pid 1's. Their
  /// group and session go on naming it, and no number is given away that still names a group. Where all of that
  /// fails it is guessed, in favour of the process.
  public func browser(of pid: Int32) -> Int32? { knownBrowser(of: pid) ?? guessedBrowser(of: pid) }

  /// The same without a guess: a browser's end may be its process's end too.
  func knownBrowser(of pid: Int32) -> Int32? {
    guard let child = self[pid], let details = browsers[pid] else { return nil }
    if details.part == .browser { return pid }
    if let above = ancestors(of: child).first(where: isBrowser) { return above }
    if let leader = [child.group, child.session].first(where: isBrowser) { return leader }
    guard let profile = details.profile else { return nil }
    // Two browsers never share one.
    return browsers.filter { isBrowser($0.key) && $0.value.user == details.user && $0.value.profile == profile }.keys.min()
  }

  private func guessedBrowser(of pid: Int32) -> Int32? {
    guard let child = self[pid], let details = browsers[pid] else { return nil }
    return browsers.filter { root, other in
      guard isBrowser(root), other.user == details.user, other.program == details.program, let process = self[root]
      else { return false }
      return process.session == child.session && process.identity.startTicks <= child.identity.startTicks
    }.keys.min()
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

  /// A browser's own processes besides itself, ascending; those that are only guessed to be are left out.
  func members(of root: Int32) -> [ProcessSighting] {
    browsers.keys.sorted().compactMap { pid in
      guard pid != root, let process = living(pid), knownBrowser(of: pid) == root else { return nil }
      return process
    }
  }
}
