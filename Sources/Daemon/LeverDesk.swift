internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

/// Whether the halt that stands is obeyed, and what was done to make it so.
struct HaltProof {
  /// The last lever that was pulled, and when: what is written later than `verify-after` from then shows that
  /// it does not hold.
  var lever: HaltSettings.Lever
  var pulledAt: Instant
  /// When the processes were looked for last; never more often than once a second.
  var lastLook: Instant
  /// Somebody wrote since: there may be one whom that look did not find.
  var wantsLook = false
  /// What was written since the halt began, by those whom it is to stop.
  var extra = 0
  var lastWriter: Agent?
  var lastWrite: WallTime?
  /// Said once, when the time is over.
  var isTold = false
}

/// The levers that are programs: units of systemd's, and one of the operator's. One after the other, and none
/// keeps the watch waiting.
final class LeverDesk {
  enum Step: Equatable {
    /// Whether it runs at all: what was not running is not started at the resume.
    case ask(String)
    case stop(String, freeze: Bool)
    case start(String, frozen: Bool)
    case exec([String], [UInt8])
  }

  enum News: Equatable {
    case started
    case done(Step)
    case failed(Step, String)
  }

  static let name = Path("levers")
  private static let limit = TimeSpan.seconds(60)

  private var steps: [Step] = []
  private var errand: Errand?
  /// Units that were running and were stopped (false) or frozen (true), or are about to be.
  private(set) var stopped: [String: Bool] = [:]
  /// The operator's program was told of the halt, and is to be told of its end.
  private(set) var hasRunOwn = false

  init(in state: borrowing Directory) {
    for line in (state.contents(of: Self.name) ?? []).split(separator: 0x0a) {
      guard let json = JSON(Array(line)) else { continue }
      if let unit = json["unit"]?.string, let frozen = json["frozen"]?.bool { stopped[unit] = frozen }
      if json["exec"]?.bool == true { hasRunOwn = true }
    }
  }

  var deadline: Instant? { errand?.deadline }

  var isBusy: Bool { !steps.isEmpty }

  func register(with epoll: borrowing Epoll, key: UInt64) { errand?.register(with: epoll, key: key) }

  func add(_ more: [Step]) { steps += more }

  /// What was stopped goes on; what was to be stopped and was not yet is not.
  func undo() {
    // The one under way comes to its end first: its unit is being stopped by systemd in any case.
    steps = errand == nil ? [] : Array(steps.prefix(1))
    let starts = stopped.sorted { $0.key < $1.key }.map { Step.start($0.key, frozen: $0.value) }
    steps += starts.filter { $0 != steps.first }
  }

  /// Brings the running program to its end if it has ended or is late, and starts the next.
  func work(in state: borrowing Directory, at now: Instant) -> News? {
    guard let step = steps.first else { return nil }
    if let errand {
      guard let ending = errand.ending(at: now) else { return nil }
      self.errand = nil
      steps.removeFirst()
      return conclude(step, ending, in: state)
    }
    // Before systemd is asked: it goes on stopping when we die or wait no longer, and what it stopped for us is
    // started again whatever became of the asking.
    if case .stop(let unit, let freeze) = step { record(unit, frozen: freeze, in: state) }
    do throws(Errno) {
      errand = try Errand(Self.order(of: step), at: now)
      return .started
    } catch {
      forget(step, in: state)
      steps.removeFirst()
      return .failed(step, "\(error)")
    }
  }

  private func conclude(_ step: Step, _ ending: Errand.Ending, in state: borrowing Directory) -> News? {
    guard case .ended(let end, let output) = ending else {
      return .failed(step, "it did not end within \(Self.limit.text), and was killed")
    }
    guard end == .exited(0) else {
      // A unit that does not run needs no stopping.
      if case .ask = step {
        steps.removeAll { if case .stop(let unit, _) = $0 { step == .ask(unit) } else { false } }
        return .done(step)
      }
      if case .exited = end { forget(step, in: state) }
      let said = output.split(separator: 0x0a).first.map { ": \(escaped(Array($0.prefix(200))))" } ?? ""
      return .failed(step, "\(end)\(said)")
    }
    if case .start(let unit, _) = step { record(unit, frozen: nil, in: state) }
    return .done(step)
  }

  /// A unit that systemd refused to stop is not ours to start.
  private func forget(_ step: Step, in state: borrowing Directory) {
    if case .stop(let unit, _) = step { record(unit, frozen: nil, in: state) }
  }

  private func record(_ unit: String, frozen: Bool?, in state: borrowing Directory) {
    stopped[unit] = frozen
    write(in: state)
  }

  private static func order(of step: Step) -> Errand.Order {
    // An ordinary user's watch has that user's units.
    let systemctl = Own.uid == 0 ? ["systemctl"] : ["systemctl", "--user"]
    switch step {
    case .ask(let unit): return .init(words: systemctl + ["is-active", "--quiet", "--", unit], input: [], limit: limit)
    case .stop(let unit, let freeze):
      return .init(words: systemctl + [freeze ? "freeze" : "stop", "--", unit], input: [], isAsked: true, limit: limit)
    case .start(let unit, let frozen):
      return .init(words: systemctl + [frozen ? "thaw" : "start", "--", unit], input: [], isAsked: true, limit: limit)
    case .exec(let words, let line): return .init(words: OwnProgram.words(words, limit: limit), input: line, limit: limit)
    }
  }

  func ranOwn(_ value: Bool, in state: borrowing Directory) {
    hasRunOwn = value
    write(in: state)
  }

  private func write(in state: borrowing Directory) {
    guard !stopped.isEmpty || hasRunOwn else {
      try? state.unlink(Self.name)
      return
    }
    var writer = JSONWriter(reserving: 256)
    for (unit, frozen) in stopped.sorted(by: { $0.key < $1.key }) {
      writer.beginObject()
      writer.field("unit", unit)
      writer.field("frozen", frozen)
      writer.endObject()
      writer.endLine()
    }
    if hasRunOwn {
      writer.beginObject()
      writer.field("exec", true)
      writer.endObject()
      writer.endLine()
    }
    try? state.replace(Self.name, with: writer.bytes)
  }
}
