import ProcessTable
import Testing

@Suite struct NamespacePidTests {
  func read(_ text: String) -> NamespacePid? {
    let bytes = Array(text.utf8)
    return NamespacePid(status: bytes.span.bytes)
  }

  @Test func theLastColumnIsThePidInside() {
    #expect(read("Name:\tnode\nNStgid:\t4242\t28\nNSpid:\t4242\t28\nNSpgid:\t1\t1\n") == NamespacePid(innermost: 28, depth: 2))
    #expect(read("NSpid:\t4242\n") == NamespacePid(innermost: 4242, depth: 1))
    #expect(read("Name:\tNSpid: 5\nNSpid:\t9\t8\t7\n") == NamespacePid(innermost: 7, depth: 3))
  }

  @Test(arguments: [
    "", "Name:\tx\n", "NSpid:\t4242\t28", "NSpid:\n", "NSpid:\t0\n", "NSpid:\t4x\n", "NSpid:\t-4\n", "NSpid:\t99999999999\n",
  ])
  func whatNamesNoPid(text: String) { #expect(read(text) == nil) }

  @Test func damagedTextIsNeverFatal() {
    var random = Seeded(4)
    for _ in 0..<5_000 {
      let bytes = mutated(Array("Name:\tnode\nNSpid:\t4242\t28\nNSpgid:\t1\n".utf8), with: &random)
      _ = NamespacePid(status: bytes.span.bytes)
    }
  }
}

@Suite struct BootTests {
  func id(_ text: String) -> BootID? {
    let bytes = Array(text.utf8)
    return BootID(bytes.span.bytes)
  }

  func time(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    return bootTime(stat: bytes.span.bytes)
  }

  @Test func aBootIDIsANumber() {
    let number = BootID(high: 0x0123_4567_89AB_4CDE, low: 0x8F01_2345_6789_ABCD)
    #expect(id("01234567-89ab-4cde-8f01-23456789abcd\n") == number)
    #expect(id("01234567-89AB-4CDE-8F01-23456789ABCD") == number)
  }

  @Test(arguments: [
    "", "\n", "01234567-89ab-4cde-8f01-23456789abc", "01234567-89ab-4cde-8f01-23456789abcdx",
    "0123456789ab-4cde-8f01-23456789abcd",
    "01234567-89ab-4cde-8f01-23456789abcg", "01234567-89ab-4cde-8f01-23456789abcd\n\n",
  ])
  func whatIsNoBootID(text: String) { #expect(id(text) == nil) }

  @Test func theBootTimeIsInStat() {
    #expect(time("cpu  1 2 3\nintr 5 btime 7\nbtime 1763600000\nprocesses 5\n") == 1_763_600_000)
    for text in ["", "cpu 1\n", "btime 17636", "btime \n", "btime x\n", "btime 99999999999999999999\n", "btime 1 2\n"] {
      #expect(time(text) == nil)
    }
  }

  @Test func damagedTextIsNeverFatal() {
    var random = Seeded(5)
    for _ in 0..<5_000 {
      _ = id(String(decoding: mutated(Array("01234567-89ab-4cde-8f01-23456789abcd\n".utf8), with: &random), as: UTF8.self))
      _ = time(String(decoding: mutated(Array("cpu  1 2 3\nbtime 1763600000\n".utf8), with: &random), as: UTF8.self))
    }
  }
}

@Suite struct MountsTests {
  static let table = """
    22 28 0:20 / /sys rw,nosuid - sysfs sysfs rw
    23 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 master:3 - proc proc rw
    28 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
    40 28 8:1 / /mnt/my\\040disk rw - vfat /dev/sda1 rw

    """

  func proc(_ text: String) -> ProcMount? {
    let bytes = Array(text.utf8)
    return ProcMount(mountinfo: bytes.span.bytes)
  }

  @Test func mountsComeInTheirOrder() {
    let bytes = Array(Self.table.utf8)
    var seen: [String] = []
    var mounts = Mounts(bytes.span.bytes)
    while let mount = mounts.next() {
      let (point, type, options) = (text(mount.mountPoint), text(mount.type), text(mount.superOptions))
      seen.append("\(mount.major):\(mount.minor) \(point) \(type) \(options)")
    }
    #expect(
      seen == [
        "0:20 /sys sysfs rw", "0:21 /proc proc rw", "259:2 / ext4 rw,errors=remount-ro", "8:1 /mnt/my\\040disk vfat rw",
      ])
  }

  func text(_ bytes: RawSpan) -> String {
    String(decoding: (0..<bytes.byteCount).map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }, as: UTF8.self)
  }

  @Test(
    arguments: [
      ("rw", false, false), ("rw,hidepid=invisible", true, false), ("rw,gid=5,hidepid=2", true, false),
      ("rw,hidepid=0", false, false),
      ("rw,hidepid=off", false, false), ("rw,hidepid=ptraceable,subset=pid", true, true), ("subset=pid", false, true),
      ("rw,nohidepid=2", false, false),
    ] as [(String, Bool, Bool)])
  func whatProcHides(options: String, processes: Bool, tables: Bool) {
    let found = proc(Self.table.replacing("proc proc rw", with: "proc proc " + options))
    #expect(found == ProcMount(hidesProcesses: processes, hidesTables: tables))
    #expect(found?.isFiltered == (processes || tables))
  }

  @Test func theUppermostMountCounts() {
    #expect(proc(Self.table + "60 23 0:50 / /proc rw - proc proc rw,hidepid=2\n")?.hidesProcesses == true)
  }

  @Test func noProcNoAnswer() {
    for text in ["", "\n", "x y z\n", "23 28 0:21 / /proc rw - tmpfs proc rw\n", "23 28 0:21 / /proc rw shared:12"] {
      #expect(proc(text) == nil)
    }
  }

  @Test func damagedTablesAreNeverFatal() {
    var random = Seeded(6)
    for _ in 0..<3_000 {
      let bytes = mutated(Array(Self.table.utf8), with: &random)
      _ = ProcMount(mountinfo: bytes.span.bytes)
    }
  }
}
