internal import Formats
internal import Kernel
internal import ProcessTable
internal import Rules

/// Stands in for /bin/sh in a crontab: skips a job while the pipeline is halted, and otherwise is as good as
/// not there.
///
/// Whatever goes wrong here, the job runs: what could go wrong is done in a process of its own, which has one
/// second.
public struct Gate {
  public static let programName = "midwatch-sh"
  /// sysexits.h EX_TEMPFAIL: what a skipped job exits with.
  public static let skipped: Int32 = 75
  static let patience = TimeSpan.seconds(1)

  /// What /bin/sh is given, without the program's name.
  let shellArguments: [[UInt8]]
  /// What the job is called, and is compared by.
  let command: [UInt8]
  let loader: SettingsLoader

  public init(shellArguments: [[UInt8]], command: [UInt8], loader: SettingsLoader) {
    self.shellArguments = shellArguments
    self.command = command
    self.loader = loader
  }

  /// As cron starts it: `midwatch-sh -c COMMAND`. Anything else is a person's shell or a script, and no job.
  public static func standIn() -> Never {
    let arguments = Array(Own.arguments.dropFirst())
    var loader = SettingsLoader()
    loader.prefersHome = true
    loader.file = environment("MIDWATCH_CONFIG").map { Path($0) }
    let isJob = arguments.count > 1 && arguments[0] == Array("-c".utf8)
    let gate = Gate(shellArguments: arguments, command: isJob ? arguments[1] : [], loader: loader)
    if isJob { gate.run() }
    gate.becomeShell(marked: nil)
  }

  /// Runs the job to its end, or skips it, and ends as it did.
  public func run() -> Never {
    let signals = JobSignals()
    let pass: GatePass?
    switch judgement() {
    case .skip: Own.end(as: .exited(Self.skipped))
    case .run(let given): pass = given
    }
    let isLeader = Own.leadsGroupWithoutTerminal
    let startedAt = Clock.instant()
    let mark = pass?.mark ?? JobMark.text(of: ProcessIdentity(pid: Own.pid, startTicks: 0), root: nil)
    Own.adoptOrphans()
    do throws(Errno) {
      switch try ForkedChild.forkLettingGo() {
      case .child:
        Own.dieWithParent()
        if isLeader { Own.leadNewGroup() }
      case .parent(let job):
        let end = attend(job, signals, sharesGroup: !isLeader)
        if let jobs = pass?.jobs { note(end, in: jobs, lasted: Clock.instant() - startedAt) }
        Own.end(as: end.ending)
      }
    } catch {
      // No process is left for it: then it runs without anybody who stays behind.
    }
    signals.restore()
    becomeShell(marked: mark)
  }

  private enum Judgement {
    case skip
    case run(GatePass?)
  }

  /// Asks a process of its own, and waits no longer than a second: only its clear word holds a job back.
  private func judgement() -> Judgement {
    let gate = Own.pid
    guard let answer = try? Pipe.open(), let side = try? ForkedChild.fork() else { return .run(nil) }
    switch side {
    case .child:
      let code = decide(for: gate, answer: answer)
      return leave(code)
    case .parent(let child):
      guard let ending = child.ending(within: Self.patience) else {
        child.send(.kill)
        return .run(nil)
      }
      if ending == .exited(Self.skipped) { return .skip }
      return .run(GatePass(answer.contents()))
    }
  }

  /// Not declared as one that never returns: the compiler would warn of the pipe that is never closed.
  private func leave(_ code: Int32) -> Judgement { Own.end(as: .exited(code)) }

  /// - Returns: the exit code that tells.
  private func decide(for gate: Int32, answer: borrowing Pipe) -> Int32 {
    Own.dieWithParent()
    Own.leaveNoCore()
    Own.silence()
    let keeper: GateKeeper
    do throws(SettingsLoader.Refusal) { keeper = try GateKeeper(loader, command: command) } catch {
      say(.warning, "\(error.description); nothing can hold this job back: \(shown)")
      return 0
    }
    switch keeper.verdict() {
    case .skip(let why):
      say(.notice, "skipped, \(why): \(shown)")
      return Self.skipped
    case .doubt(let why): say(.warning, "\(why); running: \(shown)")
    case .run: break
    }
    guard let identity = (try? Processes())?.living(gate) else { return 0 }
    if keeper.overlaps(identity) {
      say(.notice, "skipped, the same command still runs: \(shown)")
      return Self.skipped
    }
    answer.write(keeper.admit(identity).bytes)
    return 0
  }

  private var shown: String { escaped(Array(command.prefix(200))) }

  private func say(_ level: SystemLog.Level, _ text: String) { SystemLog.say(level, text, as: Self.programName) }

  // MARK: the job

  private func becomeShell(marked mark: [UInt8]?) -> Never {
    let shell = Path("/bin/sh")
    var environment = Own.environment
    Self.set(Array("SHELL=".utf8), Array("/bin/sh".utf8), in: &environment)
    if let mark, JobMark.inherited == nil { environment.append(JobMark.variable + mark) }
    let arguments = [shell.bytes] + shellArguments
    var error = Own.become(shell, arguments, environment: environment)
    // It may be the mark that makes the lists too long.
    if error == .argumentsTooLong { error = Own.become(shell, arguments, environment: Own.environment) }
    Terminal.write(Array("\(Self.programName): /bin/sh: \(error)\n".utf8), to: .error)
    Own.end(as: .exited(error == .noEntry ? 127 : 126))
  }

  private static func set(_ name: [UInt8], _ value: [UInt8], in environment: inout [[UInt8]]) {
    for index in environment.indices where environment[index].starts(with: name) { environment[index] = name + value }
  }

  /// Hands signals on until the job's shell has ended.
  private func attend(_ job: ForkedChild, _ signals: borrowing JobSignals, sharesGroup: Bool) -> Reaped {
    while true {
      while let reaped = Reaped.next() { if reaped.pid == job.pid { return reaped } }
      let arrival = signals.next()
      guard arrival.signal != .childEnded else { continue }
      // A terminal's signal goes to the whole group.
      if !(sharesGroup && arrival.isFromKernel) { job.send(arrival.signal) }
      if arrival.signal == .terminalStop { Own.stop() }
    }
  }

  private func note(_ reaped: Reaped, in jobs: Path, lasted duration: TimeSpan) {
    guard let processes = try? Processes(), let identity = processes.living(Own.pid), let directory = try? Directory(jobs)
    else { return }
    let outcome: JobNote.Outcome =
      switch reaped.ending {
      case .exited(let code): .exited(code)
      case .killed(let signal): .killed(by: signal)
      }
    JobNote.ended(
      .init(
        gate: identity, outcome: outcome, duration: duration, peakBytes: reaped.peakBytes,
        left: processes.children(of: identity.pid).compactMap { processes.living($0) })
    ).leave(in: directory)
  }
}
