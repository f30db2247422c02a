internal import Foundation

/// A process that a test started, and that it may kill by its pid; what is left of its group goes when the
/// test lets go of it.
///
/// Not Foundation's `Process`: that hands descriptors on, and a lock that is open in somebody's hands is kept.
public final class Holder: @unchecked Sendable {
  public let pid: Int32
  private var isWaitedFor = false

  public struct Failure: Error { public let code: Int32 }

  public init(_ program: String, _ arguments: [String]) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, 0, 1)
    // One that is not open is passed over.
    for number: Int32 in 3..<256 { posix_spawn_file_actions_addclose(&actions, number) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setpgroup(&attributes, 0)
    // The thread that runs a test may have signals blocked, and a child would start with the same mask: strace,
    // for one, then never ends when it is asked to.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, program, &actions, &attributes, words, environ)
    guard code == 0 else { throw Failure(code: code) }
    self.pid = pid
  }

  /// - Parameter arguments: `$1` and so on.
  public convenience init(sh script: String, _ arguments: String...) throws {
    try self.init("sh", ["-c", script, "sh"] + arguments)
  }

  /// - Parameter arguments: `sys.argv[1]` and so on.
  public convenience init(python script: String, _ arguments: String...) throws {
    try self.init("python3", ["-c", script] + arguments)
  }

  deinit {
    kill()
    _ = Foundation.kill(-pid, SIGKILL)
  }

  public var hasEnded: Bool {
    if !isWaitedFor { isWaitedFor = waitpid(pid, nil, WNOHANG) == pid }
    return isWaitedFor
  }

  /// Asks this one process to end, as a person does, and leaves it the time it takes.
  public func terminate() { if !hasEnded { _ = Foundation.kill(pid, SIGTERM) } }

  /// SIGKILL to this one process; no zombie is left.
  public func kill() {
    guard !isWaitedFor else { return }
    _ = Foundation.kill(pid, SIGKILL)
    while waitpid(pid, nil, 0) == -1, errno == EINTR {}
    isWaitedFor = true
  }
}
