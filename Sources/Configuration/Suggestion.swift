/// Finds what a mistyped word was meant to be.
public enum Suggestion {
  /// The candidate nearest to `word`: at most two slips of the finger away, or begun like it.
  /// Case, dashes and underscores make no difference, so that `StaleAfter` finds `stale-after`.
  public static func nearest(to word: [UInt8], among candidates: [String]) -> String? {
    // No key is longer than 20; what is far longer is no slip.
    guard !word.isEmpty, word.count <= 40 else { return nil }
    let wanted = folded(word)
    var best: (name: String, distance: Int)?
    for candidate in candidates {
      let name = folded(Array(candidate.utf8))
      var distance = self.distance(wanted, name)
      if distance > 2 {
        guard isBegun(wanted, name) else { continue }
        distance = 3
      }
      // Two slips make any word of three letters out of any other.
      guard distance < max(2, name.count - 1) else { continue }
      if let best, best.distance <= distance { continue }
      best = (candidate, distance)
    }
    return best?.name
  }

  private static func folded(_ word: [UInt8]) -> [UInt8] {
    word.compactMap { $0 == ASCII.minus || $0 == UInt8(ascii: "_") ? nil : $0.lowercased }
  }

  private static func isBegun(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    min(a.count, b.count) >= 2 && (a.starts(with: b) || b.starts(with: a))
  }

  /// Levenshtein's: insertions, deletions and replacements.
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let replaced = diagonal + (x == y ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}

/// `a, b or c`.
public func alternatives(_ words: [String], _ last: String = "or") -> String {
  var text = ""
  for (index, word) in words.enumerated() {
    if index > 0 { text += index == words.count - 1 ? " \(last) " : ", " }
    text += word
  }
  return text
}
