extension PathTemplate {
  /// Matches a whole path and tells where in it the agent's and the task's name stand.
  ///
  /// - Parameter path: what follows the root, the home or `/`: names with one slash between them.
  /// - Returns: nil when it does not fit. No memory is taken, and at most template times path steps.
  public func match(_ path: RawSpan) -> NamePattern.Captures? {
    match(path, upTo: path.byteCount)
  }

  /// The same for the first `end` bytes of `path`.
  func match(_ path: RawSpan, upTo end: Int) -> NamePattern.Captures? {
    var at = 0
    var index = 0
    var captures = NamePattern.Captures()
    // As in Glob: only the last ** is ever tried again, one directory deeper.
    var retry: (index: Int, at: Int, captures: NamePattern.Captures)?
    while true {
      if index < components.count {
        if components[index] == .anyDepth {
          if index == components.count - 1 {
            if at < end { return captures }
          } else {
            index += 1
            retry = (index, at, captures)
            continue
          }
        } else if at < end {
          let stop = path.nameEnd(from: at, upTo: end)
          if fits(components[index], path, at..<stop, &captures) {
            index += 1
            at = stop + 1
            continue
          }
        }
      } else if at >= end {
        return captures
      }
      guard let last = retry, last.at < end else { return nil }
      at = path.nameEnd(from: last.at, upTo: end) + 1
      retry = (last.index, at, last.captures)
      index = last.index
      captures = last.captures
    }
  }

  private func fits(
    _ component: Component, _ path: RawSpan, _ range: Range<Int>, _ captures: inout NamePattern.Captures
  ) -> Bool {
    switch component {
    case .anyDepth: return true
    case .pattern(let pattern): return pattern.match(path, in: range, into: &captures)
    case .literal(let name):
      guard name.count == range.count else { return false }
      for offset in 0..<name.count where path.byte(at: range.lowerBound + offset) != name[offset] { return false }
      return true
    }
  }
}

extension RawSpan {
  /// Where the name that begins at `start` ends: at the next slash or at `end`.
  func nameEnd(from start: Int, upTo end: Int) -> Int {
    var at = start
    while at < end, byte(at: at) != ASCII.slash { at += 1 }
    return at
  }
}
