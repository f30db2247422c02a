extension ProcessScan {
  /// The browser that one of a browser's processes belongs to, by its pid; nil where that is gone.
  ///
  /// First by descent. A child whose zygote was killed has another's parent, but keeps its group and
  /// session, whose number is given to no other as long as they last.
  public func browser(of pid: Int32) -> Int32? {
    guard browsers[pid] != nil, let process = self[pid] else { return nil }
    var ancestor = pid
    // Parents are read one after the other, so that they need not make a tree.
    for _ in 0..<32 {
      if isBrowser(ancestor) { return ancestor }
      guard let parent = self[ancestor]?.parent, parent > 1 else { break }
      ancestor = parent
    }
    return [process.group, process.session].first { isBrowser($0) }
  }

  private func isBrowser(_ pid: Int32) -> Bool { browsers[pid]?.part == .browser && living(pid) != nil }
}
