import Glibc
import Rules
import TestSupport
import Testing

@testable import Kernel

@Suite struct FileTests {
  @Test(arguments: [0, 1, 4095, 4096, 4097, 65_536, 200_000])
  func contentsComeWholeOrUpToTheLimit(size: Int) throws {
    let place = try Place()
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try place.open().makeFile(Path("file"), mode: 0o600).write(bytes)
    let file = try place.open().file(Path("file"))
    #expect(try file.status().size == Int64(size))
    #expect(try file.contents(upTo: size + 1) == bytes)
    #expect(try file.contents(upTo: size) == bytes)
    #expect(try file.contents(upTo: size / 2) == Array(bytes.prefix(size / 2)))
    #expect(try file.contents(from: Int64(size / 3), upTo: size) == Array(bytes.dropFirst(size / 3)))
    #expect(try file.contents(from: Int64(size) + 5, upTo: 10) == [])
    #expect(try file.contents(upTo: 0) == [])
    #expect(try file.contents(upTo: -1) == [])
  }

  /// Files of /proc have no size.
  @Test func aFileWithoutASizeIsReadToItsEnd() throws {
    let file = try File(reading: Path("/proc/self/stat"))
    #expect(try file.status().size == 0)
    #expect(try file.contents(upTo: 4096).last == UInt8(ascii: "\n"))
    #expect(refusal { _ = try File(reading: Path("/proc/nothing")) } == .noEntry)
    #expect(refusal { _ = try File(reading: Path("/")).contents(upTo: 1) } == .isDirectory)
  }

  @Test func memoryIsUsedAgain() throws {
    let place = try Place()
    try place.write("long", String(repeating: "x", count: 10_000))
    try place.write("short", "y")
    var bytes: [UInt8] = []
    try place.open().file(Path("long")).read(upTo: 20_000, into: &bytes)
    #expect(bytes.count == 10_000)
    let capacity = bytes.capacity
    try place.open().file(Path("short")).read(upTo: 20_000, into: &bytes)
    #expect(bytes == [0x79])
    #expect(bytes.capacity == capacity)
  }

  @Test func aDeviceThatIsFullTakesNothing() throws {
    let file = File(owning: Descriptor(owning: open("/dev/full", O_WRONLY | O_CLOEXEC)))
    #expect(refusal { try file.write([1]) } == .noSpace)
    #expect(refusal { try file.write([]) } == nil)
  }

  /// The filesystem takes a part of it: what is missing is told, what was written stays.
  @Test(.enabled(if: Programs.isRoot, "a filesystem of a test's own takes root"))
  func aDiskThatIsFullTakesAPart() throws {
    let place = try Place()
    #expect(mount("midwatch-test", place.path, "tmpfs", 0, "size=65536,mode=700") == 0)
    defer { umount2(place.path, Int32(MNT_DETACH)) }
    do {
      let file = try place.open().makeFile(Path("file"), mode: 0o600)
      #expect(refusal { try file.write([UInt8](repeating: 1, count: 200_000)) } == .noSpace)
      let size = try file.status().size
      #expect(size > 0 && size <= 65_536)
      #expect(refusal { try file.write([1]) } == .noSpace)
      try file.truncate(to: 0)
      try file.write([UInt8](repeating: 2, count: 4096))
      try file.sync()
    }
    // A name costs nothing there, and a link cannot leave the filesystem.
    let outside = try Place()
    let other = try outside.open()
    #expect(refusal { try place.open().link(Path("file"), into: other, as: Path("file")) } == .crossesDevice)
    #expect(refusal { try place.open().move(Path("file"), into: other, as: Path("file")) } == .crossesDevice)
    #expect(try place.open().status().isMountRoot != false)
    #expect(try outside.open().status().isMountRoot != true)
  }

  @Test func aLockIsOneOpenFilesAtATime() throws {
    let place = try Place()
    let directory = try place.open()
    let first = try directory.lockFile(Path("lock"), mode: 0o600)
    let second = try directory.lockFile(Path("lock"), mode: 0o600)
    #expect(try first.lock())
    #expect(try first.lock())
    #expect(try !second.lock())
    #expect(try !second.lock(shared: true))
    #expect(try first.lock(shared: true))
    #expect(try second.lock(shared: true))
    #expect(try !first.lock())
  }

  @Test func aLockEndsWithItsFile() throws {
    let place = try Place()
    let directory = try place.open()
    do {
      let first = try directory.lockFile(Path("lock"), mode: 0o600)
      #expect(try first.lock())
      #expect(try directory.file(Path("lock")).isLockedBySomebody())
    }
    #expect(try !directory.file(Path("lock")).isLockedBySomebody())
    #expect(try directory.lockFile(Path("lock"), mode: 0o600).lock())
  }

  /// Every kind that another process may hold; asking leaves no lock behind.
  @Test(arguments: ["flock(file, LOCK_EX)", "flock(file, LOCK_SH)", "lockf(file, LOCK_EX)", "fcntl(file, 37, ofd)"])
  func anothersLockIsSeen(call: String) throws {
    let place = try Place()
    let script = """
      import fcntl, struct, sys, time
      from fcntl import *
      file = open(sys.argv[1], 'w')
      ofd = struct.pack('hhqqi4x', F_WRLCK, 0, 0, 0, 0)
      \(call)
      open(sys.argv[2], 'w').close()
      time.sleep(600)
      """
    try place.write("free")
    let holder = try Holder(python: script, place.path + "/lock", place.path + "/ready")
    try #require(eventually { access(place.path + "/ready", F_OK) == 0 || holder.hasEnded })
    #expect(try place.open().file(Path("lock")).isLockedBySomebody())
    #expect(try !place.open().file(Path("free")).isLockedBySomebody())
    holder.kill()
    #expect(eventually { (try? place.open().file(Path("lock")).isLockedBySomebody()) == false })
    #expect(try place.open().lockFile(Path("lock"), mode: 0o600).lock())
  }

  @Test func whoMayWriteIsTold() throws {
    let place = try Place()
    #expect(mayWrite(into: Path(place.path)) == nil)
    #expect(mayWrite(into: Path(place.path + "/none")) == .noEntry)
    #expect(mayWrite(into: Path("/proc/self")) != nil || Own.uid == 0)
  }
}

@Suite struct FileStatusTests {
  @Test func everyKindIsTold() throws {
    let place = try Place()
    let directory = try place.open()
    try place.write("file", "12345")
    try place.makeDirectory("directory")
    try place.link("link", to: "12")
    mkfifo(place.path + "/fifo", 0o600)
    #expect(try directory.status(of: Path("file")).kind == .file)
    #expect(try directory.status(of: Path("file")).size == 5)
    #expect(try directory.status(of: Path("directory")).kind == .directory)
    #expect(try directory.status(of: Path("link")).kind == .symlink)
    #expect(try directory.status(of: Path("link")).size == 2)
    #expect(try directory.status(of: Path("fifo")).kind == .other)
    #expect(try Directory(Path("/dev")).status(of: Path("null")).kind == .other)
    #expect(refusal { _ = try directory.status(of: Path("none")) } == .noEntry)
    #expect(refusal { _ = try directory.status(of: Path("")) } == .noEntry)
  }

  /// A birth stays what it was whatever is done to the file, and a second name has the same.
  @Test func aBirthIsForGood() throws {
    let place = try Place()
    let directory = try place.open()
    let before = Clock.wall() - .seconds(1)
    try place.write("file")
    let status = try directory.status(of: Path("file"))
    guard let born = status.born else {
      #expect(Bool(false), "this filesystem keeps no birth times; put TMPDIR on one that does")
      return
    }
    #expect(born >= before && born <= Clock.wall())
    #expect(born <= status.changed)
    try directory.setTimes(of: Path("file"), accessed: WallTime(nanoseconds: 0), modified: WallTime(nanoseconds: 0))
    try directory.link(Path("file"), as: Path("second"))
    try directory.renameOver(Path("file"), to: Path("third"))
    #expect(try directory.status(of: Path("third")).born == born)
    #expect(try directory.status(of: Path("second")).born == born)
    #expect(try directory.status(of: Path("third")).modified == WallTime(nanoseconds: 0))
    #expect(try directory.status(of: Path("third")).changed >= status.changed)
  }

  @Test func theDeviceIsAsInTheTableOfLocks() throws {
    let place = try Place()
    let file = try place.open().lockFile(Path("lock"), mode: 0o600)
    #expect(try file.lock())
    let status = try file.status()
    func hex(_ number: UInt32) -> String { (number < 16 ? "0" : "") + String(number, radix: 16) }
    let wanted = "\(hex(status.device.major)):\(hex(status.device.minor)):\(status.identity.inode) "
    let table = String(decoding: try File(reading: Path("/proc/locks")).contents(upTo: 1 << 20), as: UTF8.self)
    #expect(table.contains(wanted))
  }

  @Test func aTimeOutOfRangeIsTheNearestOne() throws {
    let place = try Place()
    try place.write("file")
    // ext4 takes 34 bits of seconds, tmpfs all 64; nanoseconds since 1970 end in 2262.
    let times = [timespec(tv_sec: 15_000_000_000, tv_nsec: 0), timespec(tv_sec: 15_000_000_000, tv_nsec: 0)]
    #expect(utimensat(AT_FDCWD, place.path + "/file", times, 0) == 0)
    #expect(try place.open().status(of: Path("file")).modified == WallTime(nanoseconds: .max))
  }

  @Test func setIdAndStickyBitsAreTold() throws {
    let place = try Place()
    try place.write("file")
    chmod(place.path + "/file", 0o7755)
    #expect(try place.open().status(of: Path("file")).mode == 0o7755)
  }

  @Test func aLocalFilesystemIsLocal() throws {
    #expect(try FileSystem(of: Directory(Path("/"))).isLocal)
    #expect(try FileSystem(of: Directory(Path("/proc"))).isLocal)
  }
}
