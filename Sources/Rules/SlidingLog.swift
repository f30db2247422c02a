/// The births within a window, in order of time.
///
/// A binary heap that grows by doubling and never shrinks: a birth that is the latest, as all but
/// those found by a rescan are, costs one comparison, a late one log n. A sorted ring would move a
/// million births for each late one.
struct SlidingLog: Sendable {
  struct Birth: Sendable {
    var when: Instant
    /// Its name's place in a `NameTable`.
    var slot: Int
  }

  private var heap: [Birth] = []

  var count: Int { heap.count }
  var oldest: Birth? { heap.first }

  /// How many are later than `start`.
  func count(after start: Instant) -> Int {
    // Nearly always all of them.
    if let oldest, oldest.when > start { return heap.count }
    return heap.reduce(0) { $1.when > start ? $0 + 1 : $0 }
  }

  /// When they were, the earliest first.
  var moments: [Instant] { heap.map(\.when).sorted() }

  mutating func insert(_ birth: Birth) {
    heap.append(birth)
    var place = heap.count - 1
    while place > 0, birth.when < heap[(place - 1) / 2].when {
      heap[place] = heap[(place - 1) / 2]
      place = (place - 1) / 2
    }
    heap[place] = birth
  }

  mutating func removeOldest() -> Birth? {
    guard let oldest = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return oldest }
    var place = 0
    while true {
      var child = 2 * place + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1].when < heap[child].when { child += 1 }
      guard heap[child].when < last.when else { break }
      heap[place] = heap[child]
      place = child
    }
    heap[place] = last
    return oldest
  }

  mutating func removeAll() { heap.removeAll(keepingCapacity: true) }
}
