import Daemon
import Formats
import Kernel
import Rules

/// `midwatch resume`: the pipeline goes on, whoever halted it.
enum Resume {
  static let command = Command(
    name: "resume", summary: "let a halted pipeline go on", usage: "",
    details: """
      Removes HALT, whoever wrote it, also where [halt] keep = yes would put it back. What the halt
      paused goes on, and outputs made before are not counted again.

      Exit: 0 the pipeline runs, also where it was not halted; 1 it still is halted.
      """,
    run: run)

  static func run(_ invocation: Invocation) throws(Failure) -> Int32 {
    let site = try Site(invocation)
    let isWatched = site.holder != .nobody
    guard let halt = StandingHalt.find(site, watched: isWatched) else {
      if !isWatched { settle(site) }
      return try tell(invocation, site, nil)
    }
    if case .midwatchd(let pid) = site.holder, halt.kind != .directory {
      try ask(site, pid)
    } else {
      try remove(halt, site)
    }
    return try tell(invocation, site, halt)
  }

  /// The watch removes it, so that it knows that a person wants it gone for good.
  private static func ask(_ site: Site, _ pid: String?) throws(Failure) {
    let answer = try Answer(site)
    try answer.request("resume")
    _ = try answer.wait { $0.rule == "halt" && $0.what == "resumed" }
    guard let halt = StandingHalt.find(site, watched: true) else { return }
    let watch = "midwatchd\(pid.map { " (pid \($0))" } ?? "")"
    throw .failed(
      1,
      "midwatch: \(watch) was asked, and HALT still stands after 5 s: \(halt.words(at: Clock.wall())); "
        + "look at \(site.typed("log")), or delete \(escaped(site.root.appending(Watch.haltName).bytes)) by hand")
  }

  private static func remove(_ halt: StandingHalt, _ site: Site) throws(Failure) {
    do throws(Errno) {
      let root = try Directory(site.root)
      do throws(Errno) {
        if halt.kind == .directory { try root.removeDirectory(Watch.haltName) } else { try root.unlink(Watch.haltName) }
      } catch { if error != .noEntry { throw error } }
    } catch {
      let remedy = error == .accessDenied || error == .notPermitted ? "; type: sudo \(site.typed("resume"))" : ""
      throw .failed(1, "midwatch: HALT cannot be removed from \(site.shownRoot): \(error)\(remedy)")
    }
    settle(site)
  }

  /// What a watch would do besides.
  private static func settle(_ site: Site) {
    _ = PausedJobs.release(site.places)
    if let run = try? Directory(site.places.run) { try? run.unlink(Watch.haltedName) }
  }

  private static func tell(_ invocation: Invocation, _ site: Site, _ halt: StandingHalt?) throws(Failure) -> Int32 {
    if invocation.wantsJSON {
      try Output.write(
        JSON.fields([
          "v": .integer(1), "halted": .bool(false), "resumed": .bool(halt != nil), "why": .text(halt?.why),
          "by": .text(halt?.by), "since": .time(halt?.since),
        ]).line)
      return 0
    }
    guard let halt else {
      try Output.write("\(site.name) is not halted\n")
      return 0
    }
    try Output.write(
      "\(Ink.green("RESUMED")) \(site.name): HALT is gone, all counters start anew\n  it was: \(halt.words(at: Clock.wall()))\n"
    )
    if site.holder == .nobody { try Output.write("  no midwatchd runs here; to start it: \(Ink.bold(site.start))\n") }
    return 0
  }
}
