internal import Glibc

/// A program of the operator's that was started, and that is told apart from others by a pidfd.
public struct Child: ~Copyable {
  public let handle: ProcessHandle
  public let pid: Int32

  private init(handle: consuming ProcessHandle, pid: Int32) {
    self.handle = handle
    self.pid = pid
  }

  /// How a program ended.
  public enum Ending: Equatable, Sendable, CustomStringConvertible {
    case exited(Int32)
    case killed(by: Int32)

    public var description: String {
      switch self {
      case .exited(let code): "exit \(code)"
      case .killed(let signal): "killed by signal \(signal)"
      }
    }
  }

  /// Starts a program without a shell, in a process group of its own, with no signal blocked,
  /// `input` as its standard input, and this process's standard error for both outputs.
  ///
  /// - Parameter arguments: at least the program; without a slash it is looked for in PATH.
  /// - Throws: `ENOENT`, `EACCES`, `ENOEXEC`; `EAGAIN` where no more processes are allowed.
  /// - SeeAlso: posix_spawnp(3)
  public static func start(_ arguments: [String], input: borrowing File) throws(Errno) -> Child {
    try start(arguments, input.descriptor.number, output: 2)
  }

  /// The same with both outputs going into a pipe.
  public static func start(
    _ arguments: [String], input: borrowing File, output: borrowing Pipe
  ) throws(Errno) -> Child {
    try start(arguments, input.descriptor.number, output: output.writing.number)
  }

  private static func start(_ arguments: [String], _ input: Int32, output: Int32) throws(Errno) -> Child {
    guard let program = arguments.first else { throw .invalid }
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe posix_spawnattr_setsigmask(&attributes, &set)
    unsafe sigaddset(&set, SIGPIPE)
    unsafe posix_spawnattr_setsigdefault(&attributes, &set)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    if output != 2 { unsafe posix_spawn_file_actions_adddup2(&actions, output, 2) }

    var pointers: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
    var pid: pid_t = 0
    let code = unsafe posix_spawnp(&pid, program, &actions, &attributes, pointers, environ)
    guard code == 0 else { throw Errno(rawValue: code) }
    // It is our child and not waited for, so the number cannot have been given away.
    return Child(handle: try ProcessHandle(pid: pid), pid: pid)
  }

  /// How it ended, once `handle` is readable; nil while it runs.
  ///
  /// - SeeAlso: waitpid(2)
  public borrowing func ending() -> Ending? {
    var status: Int32 = 0
    guard unsafe waitpid(pid, &status, WNOHANG) == pid else { return nil }
    return Ending(status: status)
  }
}
