/// What one process takes of the memory by `/proc/PID/status`, proc_pid_status(5). In bytes.
///
/// Cheap, and everybody may read it; shared pages are counted in full. `MemoryRollup` is exact.
public struct ProcessMemory: Equatable, Sendable {
  /// All that is resident.
  public let resident: UInt64
  /// Of that, what no file lies behind.
  public let anonymous: UInt64
  /// Of that, shared memory and what lies in a tmpfs.
  public let shared: UInt64
  /// Swapped out, without shared memory.
  public let swapped: UInt64

  /// About what `MemoryRollup` would call proportional: files are left out, as most of their pages are
  /// shared by many.
  public var estimate: UInt64 { anonymous.addingReportingOverflow(shared).overflow ? .max : anonymous &+ shared }

  public init(resident: UInt64, anonymous: UInt64, shared: UInt64, swapped: UInt64) {
    self.resident = resident
    self.anonymous = anonymous
    self.shared = shared
    self.swapped = swapped
  }

  /// nil where VmRSS is missing: a kernel's thread, or a process that has ended.
  public init?(status: RawSpan) {
    var resident: UInt64?
    var (anonymous, shared, swapped): (UInt64, UInt64, UInt64) = (0, 0, 0)
    var lines = KibibyteLines(status)
    while let line = lines.next() {
      if line.name.equals("VmRSS") {
        resident = line.value
      } else if line.name.equals("RssAnon") {
        anonymous = line.value
      } else if line.name.equals("RssShmem") {
        shared = line.value
      } else if line.name.equals("VmSwap") {
        swapped = line.value
        // Nothing that is asked for comes after it.
        break
      }
    }
    guard let resident else { return nil }
    self.init(resident: resident, anonymous: anonymous, shared: shared, swapped: swapped)
  }
}

/// What a process is called, by the first line of `/proc/PID/status`, proc_pid_status(5), in which a
/// backslash and a line's end stand as `\\` and `\n`. Empty where there is no such line.
public func processName(status: RawSpan) -> [UInt8] {
  var fields = FieldReader(status)
  // One tab, then the name itself, which may begin with a blank.
  guard fields.take("Name:"), fields.take(0x09) else { return [] }
  var name: [UInt8] = []
  while let byte = fields.current, byte != 0x0A {
    _ = fields.take(byte)
    if byte == 0x5C, fields.take(0x6E) {
      name.append(0x0A)
    } else {
      if byte == 0x5C { _ = fields.take(0x5C) }
      name.append(byte)
    }
  }
  return name
}
