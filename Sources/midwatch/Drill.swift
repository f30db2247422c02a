import Daemon
import Formats
import Kernel

/// `midwatch drill`: the 3 am story, live.
enum Drill {
  static let command = Command(
    name: "drill", summary: "the 3 am story, live, in a temporary directory",
    usage: "[--speed N] [--keep]",
    details: """
      Plays the night that midwatch is for: a retry loop makes the content agent write one article
      47 times, the SEO agent runs into its rate limit, the community agent posts one message 12
      times, a run that was killed has left its lock. Five little agents and a cron are played
      twice at the same time, with a real midwatchd and its gate and without, in a directory of their own
      below $TMPDIR. What midwatch sees and does is shown as it happens, then the score.
      Nothing else is touched: no crontab, no service, no configuration. What it started is ended,
      and the directory removed, also at ctrl-c.

        --speed N   so many times faster, 1 to \(DrillStory.speeds.upperBound) (default 1: 8 minutes). Every
                    span is divided by it, the agents' and midwatchd's.
        --keep      leave the directory, to look into

      --set is handed to that midwatchd as it is, its spans undivided: what would other limits have
      done?

      Exit: 0 the story was stopped in time, 1 it was not, 69 midwatchd is not found.
      """,
    options: [
      .init(name: "--speed", short: nil, value: "how many times faster, as in --speed 60"),
      .init(name: "--keep", short: nil, value: nil),
    ],
    run: run)

  static func run(_ invocation: Invocation) throws(Failure) -> Int32 {
    if invocation.loader.file != nil || invocation.loader.root != nil {
      throw .misused("'drill' makes a pipeline of its own; leave out \(invocation.loader.root == nil ? "--config" : "--root")")
    }
    let story = DrillStory(speed: try speed(invocation.options["--speed"]))
    let programs = try DrillPrograms.find()
    let signals: Signals
    do throws(Errno) { signals = try Signals() } catch {
      throw .failed(71, "midwatch: ctrl-c cannot be waited for: \(error); close some programs, and try again")
    }
    let place = try DrillPlace(in: Path(environment("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"))
    let night = DrillNight(story, place, programs, signals, quiet: invocation.wantsJSON)
    let score: DrillScore
    do throws(Failure) { score = try night.play(invocation.loader.assignments) } catch {
      clear(night, place, keep: invocation.options["--keep"] != nil)
      throw error
    }
    let isKept = invocation.options["--keep"] != nil
    clear(night, place, keep: isKept)
    let kept = isKept ? place.text("") : nil
    try Output.write(invocation.wantsJSON ? score.json(kept).line : Array(score.text(kept).utf8))
    return score.wasStopped ? 0 : 1
  }

  private static func speed(_ text: String?) throws(Failure) -> Int64 {
    guard let text else { return 1 }
    guard let speed = Int64(text), DrillStory.speeds.contains(speed) else {
      throw .misused(
        "--speed: '\(escaped(Array(text.utf8)))' is no whole number from 1 to \(DrillStory.speeds.upperBound); write one such as --speed 60"
      )
    }
    return speed
  }

  private static func clear(_ night: DrillNight, _ place: DrillPlace, keep: Bool) {
    night.troupe.endAll()
    guard !keep, let error = place.remove() else { return }
    Terminal.write(Array("midwatch: \(place.text("")) cannot be removed: \(error); remove it by hand\n".utf8), to: .error)
  }
}

/// The programs that a drill runs.
struct DrillPrograms {
  let midwatch: Path
  let midwatchd: Path

  /// midwatchd beside this very program, or in PATH.
  static func find() throws(Failure) -> DrillPrograms {
    let own = (try? realPath(Path("/proc/self/exe"))) ?? Path("/usr/bin/midwatch")
    let beside = own.split.parent
    let path = (environment("PATH") ?? "").utf8.split(separator: UInt8(ascii: ":")).compactMap { Path(bytes: Array($0)) }
    for directory in [beside] + path where directory.bytes.first == UInt8(ascii: "/") {
      let program = directory.appending("midwatchd")
      guard let real = try? realPath(program), let parent = try? Directory(real.split.parent),
        let status = try? parent.status(of: real.split.name), status.kind == .file, status.mode & 0o111 != 0
      else { continue }
      return DrillPrograms(midwatch: own, midwatchd: real)
    }
    throw .failed(
      69, "midwatch: midwatchd is neither in \(escaped(beside.bytes)) nor in PATH; install it there, and drill again")
  }
}
