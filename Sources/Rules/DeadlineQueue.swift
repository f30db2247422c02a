/// The moments at which things fall due, each thing at most once; the earliest is read at once.
///
/// An indexed binary heap: setting, moving and removing cost log n. Things are known by a number;
/// of two that fall due together the lower number comes first, so that runs can be repeated.
struct DeadlineQueue: Sendable {
  private struct Entry: Sendable {
    var due: Instant
    var key: Int

    static func < (a: Entry, b: Entry) -> Bool {
      a.due != b.due ? a.due < b.due : a.key < b.key
    }
  }

  private var heap: [Entry] = []
  private var places: [Int: Int] = [:]

  /// The earliest moment in it.
  var first: Instant? { heap.first?.due }

  /// Sets when `key` falls due; nil and the end of time are never.
  mutating func set(_ due: Instant?, for key: Int) {
    let due = due.flatMap { $0.isNever ? nil : $0 }
    switch (due, places[key]) {
    case (nil, nil): break
    case (nil, let place?): remove(at: place)
    case (let due?, nil):
      heap.append(Entry(due: due, key: key))
      places[key] = heap.count - 1
      siftUp(heap.count - 1)
    case (let due?, let place?):
      heap[place].due = due
      siftDown(place)
      siftUp(place)
    }
  }

  /// Takes out the earliest, if its moment has come.
  mutating func popFirst(dueBy now: Instant) -> Int? {
    guard let first = heap.first, first.due <= now else { return nil }
    remove(at: 0)
    return first.key
  }

  private mutating func remove(at place: Int) {
    places[heap[place].key] = nil
    let last = heap.removeLast()
    guard place < heap.count else { return }
    put(last, at: place)
    siftDown(place)
    siftUp(place)
  }

  private mutating func put(_ entry: Entry, at place: Int) {
    heap[place] = entry
    places[entry.key] = place
  }

  private mutating func siftUp(_ start: Int) {
    var place = start
    let entry = heap[place]
    while place > 0, entry < heap[(place - 1) / 2] {
      put(heap[(place - 1) / 2], at: place)
      place = (place - 1) / 2
    }
    put(entry, at: place)
  }

  private mutating func siftDown(_ start: Int) {
    var place = start
    let entry = heap[place]
    while true {
      var child = 2 * place + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < entry else { break }
      put(heap[child], at: place)
      place = child
    }
    put(entry, at: place)
  }
}

extension Instant {
  /// The end of time, which saturating sums run into: it does not come.
  var isNever: Bool { nanoseconds == .max }

  /// This much later; nil when that never comes: a span as long as can be means "off".
  func after(_ span: TimeSpan) -> Instant? {
    let sum = self + span
    return span.isForever || sum.isNever ? nil : sum
  }
}

extension TimeSpan {
  var isForever: Bool { nanoseconds == .max }
}
