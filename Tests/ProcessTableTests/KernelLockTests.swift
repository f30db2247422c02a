import ProcessTable
import Testing

@Suite struct KernelLockTests {
  static let table = """
    1: FLOCK  ADVISORY  WRITE 2153 00:13:11691 0 EOF
    2: POSIX  ADVISORY  READ  1004 fd:01:1966081 128 128
    2: -> POSIX  ADVISORY  WRITE 1007 fd:01:1966081 128 128
    2:    -> POSIX  ADVISORY  WRITE 1008 fd:01:1966081 128 128
    3: OFDLCK ADVISORY  WRITE -1 08:02:77 0 EOF
    4: LEASE  ACTIVE    READ  900 103:0a:18446744073709551615 0 EOF
    5: DELEG  BREAKING  READ  0 08:02:12 0 EOF
    6: POSIX  *NOINODE* WRITE 5 <none>:0 0 EOF
    7: UNKNOWN UNKNOWN  WRITE 5 08:02:13 0 EOF
    garbage
    8: FLOCK  MSNFS     READ  12 08:02:14 0 EOF

    """

  func read(_ bytes: [UInt8]) -> [KernelLock] {
    var found: [KernelLock] = []
    var locks = KernelLocks(bytes.span.bytes)
    while let lock = locks.next() { found.append(lock) }
    return found
  }

  @Test func everyKindOfLine() {
    #expect(
      read(Array(Self.table.utf8)) == [
        KernelLock(kind: .flock, isWaiter: false, pid: 2153, major: 0, minor: 0x13, inode: 11691),
        KernelLock(kind: .posix, isWaiter: false, pid: 1004, major: 0xFD, minor: 1, inode: 1_966_081),
        KernelLock(kind: .posix, isWaiter: true, pid: 1007, major: 0xFD, minor: 1, inode: 1_966_081),
        KernelLock(kind: .posix, isWaiter: true, pid: 1008, major: 0xFD, minor: 1, inode: 1_966_081),
        KernelLock(kind: .ofd, isWaiter: false, pid: -1, major: 8, minor: 2, inode: 77),
        KernelLock(kind: .lease, isWaiter: false, pid: 900, major: 0x103, minor: 10, inode: .max),
        KernelLock(kind: .lease, isWaiter: false, pid: 0, major: 8, minor: 2, inode: 12),
        KernelLock(kind: .flock, isWaiter: false, pid: 12, major: 8, minor: 2, inode: 14),
      ])
  }

  @Test func aTableCutShortNamesNoOtherInode() {
    let bytes = Array(Self.table.utf8)
    let whole = Set(read(bytes))
    for count in 0..<bytes.count { #expect(whole.isSuperset(of: read(Array(bytes[..<count])))) }
  }

  @Test func damagedTablesAreNeverFatal() {
    var random = Seeded(2)
    for _ in 0..<3_000 { _ = read(mutated(Array(Self.table.utf8), with: &random)) }
  }
}

@Suite struct FdInfoTests {
  func held(_ text: String) -> FdInfo.Kinds {
    let bytes = Array(text.utf8)
    return FdInfo(bytes.span.bytes).held
  }

  @Test func aDescriptorWithLocks() {
    #expect(
      held("pos:\t0\nflags:\t0100002\nmnt_id:\t24\nino:\t11691\nlock:\t1: FLOCK  ADVISORY  WRITE 2153 00:13:11691 0 EOF\n")
        == [.flock])
    #expect(
      held("lock:\t1: OFDLCK ADVISORY  WRITE -1 08:02:77 0 EOF\nlock:\t2: POSIX  ADVISORY  READ  7 08:02:77 0 EOF\n")
        == [.ofd, .posix])
  }

  @Test func aDescriptorWithout() {
    #expect(held("pos:\t0\nflags:\t0100002\nmnt_id:\t24\n") == [])
    #expect(held("") == [])
    #expect(held("inotify wd:1 ino:lock: x\n") == [])
    #expect(held("lock:\t1: -> FLOCK  ADVISORY  WRITE 2153 00:13:11691 0 EOF\n") == [])
  }

  @Test func aLockThatIsNotUnderstoodIsALock() { #expect(held("lock:\t1: NEWKIND x\n") == [.posix]) }

  @Test func damagedTextIsNeverFatal() {
    var random = Seeded(3)
    let text = Array("pos:\t0\nlock:\t1: FLOCK  ADVISORY  WRITE 2153 00:13:11691 0 EOF\n".utf8)
    for _ in 0..<5_000 {
      let bytes = mutated(text, with: &random)
      _ = FdInfo(bytes.span.bytes)
    }
  }
}
