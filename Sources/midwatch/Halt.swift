import Daemon
import Formats
import Kernel
import Rules

/// `midwatch halt`: a person pulls the brake.
enum Halt {
  static let command = Command(
    name: "halt", summary: "halt the pipeline until somebody types resume", usage: "[REASON]...",
    details: """
      Writes HALT into the pipeline's root, with the reason, the time and your name. Jobs that look
      for it stop, and cron's jobs behind midwatch-sh are skipped, whether or not a midwatchd runs. One
      that runs stops the running jobs too, as [halt] levers says, and never lifts the halt itself.

      Exit: 0 it is halted, also where it was already; 73 HALT cannot be written.
      """,
    operands: .any, run: run)

  static func run(_ invocation: Invocation) throws(Failure) -> Int32 {
    let site = try Site(invocation)
    let reason = invocation.operands.joined(separator: " ")
    if let standing = StandingHalt.find(site, watched: false) {
      return try tell(invocation, site, standing, isNew: false)
    }
    let isNew = try write(document(site, reason.isEmpty ? "no reason was given" : reason), reason, into: site)
    guard let standing = StandingHalt.find(site, watched: false) else {
      throw .failed(
        1, "midwatch: HALT was written and is gone again: somebody else resumed; look at \(site.typed("log"))")
    }
    return try tell(invocation, site, standing, isNew: isNew)
  }

  /// "by" is never "midwatch": that is the breaker's own.
  private static func document(_ site: Site, _ reason: String) -> [UInt8] {
    JSON.fields([
      "v": .integer(1), "state": .string("forced-open"), "since": .time(Clock.wall()), "why": .string(reason),
      "by": .string("\(user) via midwatch halt"), "type": .string("\(site.typed("resume"))   (or delete this file)"),
    ]).line
  }

  private static var user: String {
    if Own.uid == 0, let name = environment("SUDO_USER"), !name.isEmpty { return name }
    return UserName.of(uid: Own.uid)
  }

  /// - Returns: false where another HALT was there first.
  private static func write(_ document: [UInt8], _ reason: String, into site: Site) throws(Failure) -> Bool {
    do throws(Errno) {
      let root = try Directory(site.root)
      do throws(Errno) { try OwnFile.put(document, as: Watch.haltName, in: root, durable: true) } catch {
        if error == .exists { return false }
        guard error == .noSpace else { throw error }
        // A full disk: the reason as a symlink's text takes no block.
        try root.makeSymlink(Watch.haltName, to: Array((reason.isEmpty ? "halted" : reason).utf8.prefix(1024)))
      }
    } catch {
      if error == .exists { return false }
      let remedy =
        switch error {
        case .noEntry, .notDirectory: "make the directory, or name another with --root"
        case .accessDenied, .notPermitted: "type: sudo \(site.typed("halt"))"
        default: "mend that, and halt again"
        }
      throw .failed(73, "midwatch: HALT cannot be written in \(site.shownRoot): \(error); \(remedy)")
    }
    // For gates that may not look into the root; a watch keeps it equal.
    if let run = try? Directory(site.places.run) { try? run.replace(Watch.haltedName, with: document, mode: 0o644) }
    return true
  }

  private static func tell(_ invocation: Invocation, _ site: Site, _ halt: StandingHalt, isNew: Bool) throws(Failure)
    -> Int32
  {
    let words = halt.words(at: Clock.wall())
    if invocation.wantsJSON {
      try Output.write(
        JSON.fields([
          "v": .integer(1), "halted": .bool(true), "new": .bool(isNew), "why": .text(halt.why), "by": .string(halt.by),
          "since": .time(halt.since), "type": .string(site.typed("resume")),
        ]).line)
      return 0
    }
    let start = isNew ? "\(Ink.red("HALTED")) \(site.name): \(words)" : "\(site.name) is halted already: \(words)"
    let watch = site.holder == .nobody ? "  no midwatchd runs here; HALT holds without one\n" : ""
    try Output.write("\(start)\n\(watch)  to go on: \(Ink.bold(site.typed("resume")))\n")
    return 0
  }
}
