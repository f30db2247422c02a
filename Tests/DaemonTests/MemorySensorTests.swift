import Daemon
import Foundation
import Kernel
import Rules
import TestSupport
import Testing

/// The level from files as the kernel makes them, and from this machine's.
@Suite struct MemorySensorTests {
  private static let machine = "MemTotal:        4000000 kB\nMemFree:          200000 kB\nMemAvailable:    1000000 kB\n"

  /// - Parameter files: by their names below the control groups' root.
  private func level(_ files: [String: String], _ machine: String = machine) throws -> MemoryLevel? {
    let place = try Pipeline([])
    try place.write("meminfo", machine)
    for (name, text) in files {
      try place.makeDirectory("groups/" + (name.split(separator: "/").dropLast().joined(separator: "/")))
      try place.write("groups/" + name, text)
    }
    var sensor = try MemorySensor(machine: Path(place.path("meminfo")), controlGroups: Path(place.path("groups")))
    return sensor.level()
  }

  @Test func aMachineOfItsOwn() throws {
    let level = try #require(try level([:]))
    #expect(level.percent == 75)
    #expect(level.total == 4_000_000 << 10)
    #expect(!level.isContainers)
    #expect(try self.level([:], "MemTotal: 12 kB\n") == nil)
  }

  @Test func theRootsLimitCountsInAContainer() throws {
    let second = ["memory.max": "1000000000\n", "memory.current": "700000000\n", "memory.stat": "inactive_file 200000000\n"]
    #expect(try level(second)?.percent == 50)
    #expect(try level(second)?.isContainers == true)
    let first = [
      "memory/memory.limit_in_bytes": "1000000000\n", "memory/memory.usage_in_bytes": "960000000\n",
      "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 60000000\n",
    ]
    #expect(try level(first)?.percent == 90)
  }

  @Test func noLimitIsNoContainers() throws {
    for limit in ["max\n", "9223372036854771712\n", "4096000000000\n", "", "rubbish\n"] {
      let files = ["memory.max": limit, "memory.current": "700000000\n", "memory.stat": ""]
      #expect(try level(files)?.percent == 75, "\(limit)")
    }
    // A real machine's root has these two and no limit.
    #expect(try level(["memory.stat": "inactive_file 0\n", "memory.pressure": "some avg10=0.00\n"])?.percent == 75)
  }

  /// Never of a limit that is for our own unit alone: its group lies below the root.
  @Test func anOwnUnitsLimitDoesNotCount() throws {
    let unit = "system.slice/midwatchd.service/"
    let files = [unit + "memory.max": "1000\n", unit + "memory.current": "999\n", unit + "memory.stat": "inactive_file 0\n"]
    #expect(try level(files)?.percent == 75)
  }

  @Test func thisMachineSays() throws {
    var sensor = try MemorySensor()
    let before = sensor.level()
    let level = try #require(before)
    #expect(level.total > 1 << 27)
    #expect(level.used > 0)
    let again = sensor.level()
    #expect(again?.total == level.total)
  }
}
