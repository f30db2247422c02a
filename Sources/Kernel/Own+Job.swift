internal import CLinux
internal import Glibc

/// What a process that stands in for a shell does to itself.
extension Own {
  /// The arguments this process was started with, the program's name first, as the bytes they are.
  public static var arguments: [[UInt8]] { unsafe strings(midwatch_arguments()) }

  /// `NAME=value` each, in no promised encoding, in the order they came.
  ///
  /// - SeeAlso: environ(7)
  public static var environment: [[UInt8]] { unsafe strings(environ) }

  private static func strings(_ list: UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> [[UInt8]] {
    guard let list = unsafe list else { return [] }
    var strings: [[UInt8]] = []
    var index = 0
    while let text = unsafe list[index] {
      unsafe strings.append(Array(UnsafeRawBufferPointer(start: text, count: strlen(text))))
      index += 1
    }
    return strings
  }

  /// Puts another program in this process's place.
  ///
  /// - Parameters:
  ///   - arguments: the program's name first; up to a NUL each.
  ///   - environment: `NAME=value` each.
  /// - Returns: only where it failed: `ENOENT`, `EACCES`, `ENOEXEC`; `E2BIG` where both lists together are too long.
  /// - SeeAlso: execve(2)
  public static func become(_ program: borrowing Path, _ arguments: [[UInt8]], environment: [[UInt8]]) -> Errno {
    let argumentVector = unsafe vector(arguments)
    let environmentVector = unsafe vector(environment)
    _ = unsafe program.withCString { unsafe execve($0, argumentVector, environmentVector) }
    return .last
  }

  /// Never freed: whoever asks is replaced, or ends.
  private static func vector(_ strings: [[UInt8]]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
    for (index, string) in strings.enumerated() {
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.count + 1)
      for (place, byte) in string.enumerated() { unsafe copy[place] = CChar(bitPattern: byte) }
      unsafe copy[string.count] = 0
      unsafe (pointers + index).initialize(to: copy)
    }
    unsafe (pointers + strings.count).initialize(to: nil)
    return unsafe pointers
  }

  /// Becomes the parent of its descendants' orphans.
  ///
  /// - SeeAlso: prctl(2), PR_SET_CHILD_SUBREAPER
  public static func adoptOrphans() { _ = midwatch_adopt_orphans() }

  /// Has the kernel send this process SIGKILL when its parent ends.
  ///
  /// - SeeAlso: prctl(2), PR_SET_PDEATHSIG
  public static func dieWithParent() { _ = midwatch_die_with_parent(SIGKILL) }

  /// Whether signals to its group reach it as their leader, and no terminal sends any.
  ///
  /// - SeeAlso: credentials(7), "Process groups"; tty(4)
  public static var leadsGroupWithoutTerminal: Bool {
    guard getpgrp() == getpid() else { return false }
    let terminal = unsafe open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard terminal >= 0 else { return true }
    close(terminal)
    return false
  }

  /// - SeeAlso: setpgid(2)
  public static func leadNewGroup() { _ = setpgid(0, 0) }

  /// Closes every descriptor and takes /dev/null for the standard ones, and "/" for the working directory:
  /// whoever waits for the end of a pipe, or wants to unmount, does not wait for this process.
  ///
  /// - SeeAlso: close_range(2)
  public static func letGoOfEverything() {
    if midwatch_close_all() != 0 { for number: Int32 in 0..<4096 { close(number) } }
    for _ in 0..<3 { _ = unsafe open("/dev/null", O_RDWR) }
    _ = unsafe chdir("/")
  }

  /// Takes /dev/null for the standard descriptors.
  ///
  /// - SeeAlso: dup2(2)
  public static func silence() {
    let nowhere = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
    for number: Int32 in 0..<3 {
      if nowhere >= 0 { dup2(nowhere, number) } else { close(number) }
    }
  }

  /// Stops until SIGCONT.
  public static func stop() { _ = kill(getpid(), SIGSTOP) }

  /// Leaves no core file, whatever happens.
  ///
  /// - SeeAlso: setrlimit(2), RLIMIT_CORE
  public static func leaveNoCore() {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
  }

  /// Ends as another process did, by the same signal if one ended it.
  public static func end(as ending: Child.Ending) -> Never {
    switch ending {
    case .exited(let code): _exit(code)
    case .killed(let signal):
      leaveNoCore()
      _ = Glibc.signal(signal, SIG_DFL)
      var set = sigset_t()
      unsafe sigemptyset(&set)
      _ = unsafe sigprocmask(SIG_SETMASK, &set, nil)
      _ = kill(getpid(), signal)
      // The first process of a pid namespace does not die by its own signals.
      _exit(128 + signal)
    }
  }
}
