/// The names whose births stand in logs, and which of them are still there.
///
/// A birth stays in its log when its name is deleted; the name is then free to be born again. So a
/// log refers to a slot here, and a slot may have lost its name.
struct NameTable: Sendable {
  private struct Slot: Sendable {
    var key: NameKey
    /// When the birth leaves its window.
    var expires: Instant
    /// Whether `slots` leads from `key` to here.
    var isNamed: Bool
    /// The last scan that saw the name.
    var seen: UInt64
  }

  private var table: [Slot] = []
  private var free: [Int] = []
  private var slots: [NameKey: Int] = [:]
  private var scan: UInt64 = 0

  func contains(_ key: NameKey) -> Bool { slots[key] != nil }

  func contains(_ key: NameKey, at now: Instant) -> Bool {
    slots[key].map { table[$0].expires > now } ?? false
  }

  /// Whether the name is in a window at `now`. The scan that is on has then seen it.
  mutating func confirms(_ key: NameKey, at now: Instant) -> Bool {
    guard let slot = slots[key], table[slot].expires > now else { return false }
    table[slot].seen = scan
    return true
  }

  /// Gives the name a new slot; an old one that had it keeps its birth only.
  mutating func add(_ key: NameKey, expires: Instant) -> Int {
    if let old = slots[key] { table[old].isNamed = false }
    let new = Slot(key: key, expires: expires, isNamed: true, seen: scan)
    let place: Int
    if let reused = free.popLast() {
      table[reused] = new
      place = reused
    } else {
      table.append(new)
      place = table.count - 1
    }
    slots[key] = place
    return place
  }

  /// The birth has left its log.
  mutating func release(_ slot: Int) {
    if table[slot].isNamed { slots[table[slot].key] = nil }
    table[slot].isNamed = false
    free.append(slot)
  }

  /// The name was deleted or moved out.
  mutating func lose(_ key: NameKey) {
    guard let slot = slots.removeValue(forKey: key) else { return }
    table[slot].isNamed = false
  }

  mutating func move(_ key: NameKey, to new: NameKey) {
    guard key != new, let slot = slots.removeValue(forKey: key) else { return }
    lose(new)
    table[slot].key = new
    table[slot].seen = scan
    slots[new] = slot
  }

  mutating func beginScan() { scan &+= 1 }

  mutating func sawInScan(_ key: NameKey) {
    if let slot = slots[key] { table[slot].seen = scan }
  }

  /// Without a scan nothing is lost: all that has a name was seen by the last one, or came since.
  mutating func endScan() {
    for slot in table.indices where table[slot].isNamed && table[slot].seen != scan {
      lose(table[slot].key)
    }
  }

  mutating func removeAll() {
    table.removeAll(keepingCapacity: true)
    free.removeAll(keepingCapacity: true)
    slots.removeAll(keepingCapacity: true)
  }
}
