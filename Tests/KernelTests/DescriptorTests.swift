import Glibc
import Testing

@testable import Kernel

@Suite struct DescriptorTests {
  /// Whether the number still leads to this very pipe: another test may have been given it by now.
  private func isOpen(_ number: Int32, as inode: ino_t) -> Bool {
    var status = stat()
    return fstat(number, &status) == 0 && status.st_ino == inode
  }

  private func pipe() -> (read: Int32, write: Int32, inode: ino_t) {
    var ends: [Int32] = [0, 0]
    Glibc.pipe(&ends)
    var status = stat()
    fstat(ends[0], &status)
    return (ends[0], ends[1], status.st_ino)
  }

  @Test func lettingGoCloses() {
    let (read, write, inode) = pipe()
    do {
      let descriptor = Descriptor(owning: read)
      #expect(isOpen(descriptor.number, as: inode))
      #expect(descriptor.token == read)
    }
    #expect(!isOpen(read, as: inode))
    close(write)
  }

  @Test func closingClosesOnce() throws {
    let (read, write, inode) = pipe()
    let descriptor = Descriptor(owning: read)
    try descriptor.close()
    #expect(!isOpen(read, as: inode))
    close(write)
  }

  @Test func whatIsReleasedStaysOpen() {
    let (read, write, inode) = pipe()
    let number = Descriptor(owning: read).release()
    #expect(number == read)
    #expect(isOpen(read, as: inode))
    close(read)
    close(write)
  }

  @Test func everyDescriptorIsClosedOnExec() throws {
    let place = try Place()
    try place.write("file")
    let directory = try place.open()
    func closesOnExec(_ number: Int32) -> Bool { fcntl(number, F_GETFD) & FD_CLOEXEC != 0 }
    #expect(closesOnExec(directory.descriptor.number))
    #expect(closesOnExec(try directory.file(Path("file")).descriptor.number))
    #expect(closesOnExec(try directory.hold(Path("file")).descriptor.number))
    #expect(closesOnExec(try directory.makeFile(Path("new"), mode: 0o600).descriptor.number))
    #expect(closesOnExec(try directory.directory(Path("")).descriptor.number))
    #expect(closesOnExec(try directory.lockFile(Path("lock"), mode: 0o600).descriptor.number))
    #expect(closesOnExec(try Inotify().descriptor.number))
    #expect(closesOnExec(try Timer().descriptor.number))
    #expect(closesOnExec(try ClockWatch().descriptor.number))
    #expect(closesOnExec(try ProcessHandle(pid: Own.pid).descriptor.number))
  }

  /// Going on with a wrong number means acting on a file that nobody chose.
  @Test func aWrongNumberEndsTheProcess() async {
    await #expect(processExitsWith: .failure) {
      setenv("SWIFT_BACKTRACE", "enable=no", 1)
      _ = try? Descriptor(owning: 999_999).close()
    }
    await #expect(processExitsWith: .failure) { _ = Descriptor(owning: -1).release() }
  }

  @Test func errorsHaveTheirNames() {
    #expect(Errno.noSpace.description == "ENOSPC")
    #expect(Errno.loop.description == "ELOOP")
    #expect(Errno(rawValue: 4095).description == "errno 4095")
  }

  @Test func aCallThatASignalInterruptedIsMadeAgain() throws {
    var left = 3
    let result = try retrying { () -> Int32 in
      left -= 1
      errno = EINTR
      return left > 0 ? -1 : 7
    }
    #expect(result == 7)
    #expect(left == 0)
    #expect(throws: Errno.noSpace) {
      try retrying { () -> Int32 in
        errno = ENOSPC
        return -1
      }
    }
  }
}
