/// The fingerprints of the last texts of the pipeline, for near-duplicates.
struct RecentTexts: Sendable {
  static let capacity = 256
  /// In bits of a 64-bit SimHash.
  static let distance = 16

  private struct Text: Sendable {
    var fingerprint: UInt64
    var when: Instant
    var name: NameKey
    /// Whether `slots` leads from `name` to here: a file that is gone keeps its text only.
    var isNamed: Bool
    var seen: UInt64
  }

  private var texts: [Text] = []
  private var slots: [NameKey: Int] = [:]
  private var scan: UInt64 = 0

  /// Takes in a text; the same name's earlier one is replaced, the oldest makes room.
  ///
  /// - Returns: how many texts say nearly the same within `span` of it, itself included.
  mutating func add(
    _ fingerprint: UInt64, name: NameKey, at when: Instant, span: TimeSpan
  ) -> Int {
    if texts.isEmpty {
      // At once, but not before there is a text: most pipelines' watches idle without one.
      texts.reserveCapacity(Self.capacity)
      slots.reserveCapacity(Self.capacity)
    }
    let text = Text(fingerprint: fingerprint, when: when, name: name, isNamed: true, seen: scan)
    if let slot = slots[name] {
      texts[slot] = text
    } else if texts.count < Self.capacity {
      slots[name] = texts.count
      texts.append(text)
    } else {
      var oldest = 0
      for slot in texts.indices where texts[slot].when < texts[oldest].when { oldest = slot }
      // One that a rescan found may be older than all that are remembered.
      guard texts[oldest].when <= when else { return 0 }
      if texts[oldest].isNamed { slots[texts[oldest].name] = nil }
      texts[oldest] = text
      slots[name] = oldest
    }
    var count = 0
    for other in texts where (other.fingerprint ^ fingerprint).nonzeroBitCount <= Self.distance {
      // Either way round: a rescan tells of texts in any order.
      if when - other.when < span, other.when - when < span { count += 1 }
    }
    return count
  }

  mutating func lose(_ name: NameKey) {
    guard let slot = slots.removeValue(forKey: name) else { return }
    texts[slot].isNamed = false
  }

  /// The name that is moved over has lost its file, and with it the text.
  mutating func move(_ name: NameKey, to new: NameKey) {
    guard name != new, let slot = slots.removeValue(forKey: name) else { return }
    lose(new)
    texts[slot].name = new
    texts[slot].seen = scan
    slots[new] = slot
  }

  mutating func beginScan() { scan &+= 1 }

  mutating func sawInScan(_ name: NameKey) {
    if let slot = slots[name] { texts[slot].seen = scan }
  }

  mutating func endScan() {
    for slot in texts.indices where texts[slot].isNamed && texts[slot].seen != scan {
      lose(texts[slot].name)
    }
  }

  mutating func removeAll() {
    texts.removeAll(keepingCapacity: true)
    slots.removeAll(keepingCapacity: true)
  }
}
