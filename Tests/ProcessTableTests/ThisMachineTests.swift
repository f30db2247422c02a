import Glibc
import ProcessTable
import Testing

/// What the fixtures say, said by the kernel that runs the tests.
@Suite struct ThisMachineTests {
  func contents(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "r"))
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
    return bytes
  }

  @Test func thisProcess() throws {
    let bytes = try contents("/proc/self/stat")
    let read = ProcessStat(bytes.span.bytes)
    let stat = try #require(read)
    #expect(stat.pid == getpid())
    #expect(stat.parent == getppid())
    #expect(stat.group == getpgrp())
    #expect(stat.session == getsid(0))
    let status = try contents("/proc/self/status")
    #expect(NamespacePid(status: status.span.bytes) == NamespacePid(innermost: getpid(), depth: 1))
  }

  @Test func thisBoot() throws {
    let id = try contents("/proc/sys/kernel/random/boot_id")
    #expect(BootID(id.span.bytes) != nil)
    let stat = try contents("/proc/stat")
    let seconds = bootTime(stat: stat.span.bytes)
    #expect(seconds ?? 0 > 0)
    let mountinfo = try contents("/proc/self/mountinfo")
    #expect(ProcMount(mountinfo: mountinfo.span.bytes) != nil)
  }

  @Test func aLockOfThisProcess() throws {
    let path = "/tmp/midwatch-flock-\(getpid())"
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    defer {
      close(descriptor)
      unlink(path)
    }
    #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    var status = Glibc.stat()
    #expect(fstat(descriptor, &status) == 0)
    let table = try contents("/proc/locks")
    var locks = KernelLocks(table.span.bytes)
    var found: KernelLock?
    while let lock = locks.next() {
      if lock.inode == UInt64(status.st_ino), lock.pid == getpid() { found = lock }
    }
    #expect(found?.kind == .flock)
    let info = try contents("/proc/self/fdinfo/\(descriptor)")
    #expect(FdInfo(info.span.bytes).held == [.flock])
  }

  @Test func thisProcessesMemoryAndName() throws {
    let memory = try contents("/proc/meminfo")
    let read = MemoryInfo(memory.span.bytes)
    let info = try #require(read)
    #expect(info.total == UInt64(sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))))
    #expect(info.available > 0 && info.available <= info.total)
    let smaps = try contents("/proc/self/smaps_rollup")
    let counted = MemoryRollup(smaps.span.bytes)
    let rollup = try #require(counted)
    #expect(rollup.exclusive > 0 && rollup.exclusive <= rollup.proportional && rollup.proportional <= rollup.resident)
    let comm = try contents("/proc/self/comm").filter { $0 != 0x0A }
    let stat = try contents("/proc/self/stat")
    #expect(ProcessStat(stat.span.bytes)?.name.bytes == comm)
    let status = try contents("/proc/self/status")
    #expect(realUser(status: status.span.bytes) == getuid())
  }
}
