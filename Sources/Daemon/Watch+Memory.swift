internal import Configuration
internal import Formats
internal import Kernel
internal import Rules

extension Watch {
  private var memoryMode: Mode { settings.memory.mode.capped(by: settings.pipeline.mode) }

  /// When the level is to be read next; nil: when the kernel says so.
  var memoryDue: Instant? { memoryMode == .off ? nil : memoryRule.deadline }

  /// Opens what tells of memory, once.
  func openMemory() {
    guard memoryMode != .off else { return }
    do throws(Errno) { memorySensor = try MemorySensor() } catch {
      log.say(.warning, "/proc/meminfo cannot be read: \(error); memory is not watched")
      return
    }
    do throws(Errno) {
      let pressure = try Pressure()
      try pressure.register(with: sources.epoll, key: EventSources.Key.pressure)
      self.pressure = consume pressure
    } catch {
      memoryRule.hasTrigger = false
      log.say(
        .notice,
        "no memory pressure events (\(error)); the level is read every \(MemoryRule.pace.text) instead. psi=1 on the kernel's command line gives them"
      )
    }
  }

  func lookAtMemory(at now: Moment) {
    guard memoryMode != .off, memorySensor != nil else { return }
    tellMemory(.woke, at: now)
  }

  /// Something was killed, and what came back decides whether the next one goes. So it is read at once: the
  /// trigger's window is longer than the way to the next one may be.
  func readMemory(at now: Moment) {
    guard memoryMode != .off, let level = memorySensor?.level() else { return }
    tellMemory(.level(percent: level.percent), at: now)
  }

  func tellMemory(_ observation: MemoryRule.Observation, at now: Moment) {
    var actions: [MemoryRule.Action] = []
    memoryRule.handle(observation, at: now.instant, into: &actions)
    while !actions.isEmpty {
      switch actions.removeFirst() {
      case .read:
        guard let level = memorySensor?.level() else { continue }
        memoryRule.handle(.level(percent: level.percent), at: now.instant, into: &actions)
      case .warn(let percent): say("tight", "memory is getting tight: \(percent) % in use", .notice)
      case .eased(let percent): say("eased", "memory is not tight any more: \(percent) % in use", .notice)
      case .short(let percent): short(percent, at: now)
      case .over(let percent): over(percent)
      }
    }
    // Where leaks are only observed nothing goes, and what is told is what would have gone.
    let mode = leakMode == .observe ? memoryMode : memoryMode == .on ? .on : .off
    leakRule.isImpatient = memoryRule.isShort && mode != .off
  }

  private func say(_ what: String, _ say: String, _ level: Log.Level) {
    journal.line("memory", what, say: say, in: state.directory) { writer in
      if let percent = memoryRule.level { writer.field("percent", percent) }
    }
    log.say(level, say)
    statusFile.isDirty = true
  }

  private func short(_ percent: Int, at now: Moment) {
    let consumers = topConsumers()
    let biggest = consumers.first.map { "; the most is \($0)" } ?? ""
    let summary = "memory is short: \(percent) % in use\(biggest)"
    let incident = Incident(
      id: Incident.id(at: now.wall, 0x6d65_6d6f), kind: .memory, severity: .warning, pipeline: settings.pipeline.name,
      agent: nil, since: now.wall, summary: summary, cause: consumers,
      stopped: leakMode == .on ? ["leaked browsers are ended without grace"] : [], type: operatorCommand("memory"))
    shortage = incident.id
    journal.line("memory", memoryMode == .on ? "short" : "would-alert", say: summary, in: state.directory) { writer in
      writer.field("percent", percent)
      writer.beginArray("consumers")
      for consumer in consumers { writer.string(consumer) }
      writer.endArray()
    }
    _ = fire(incident, mode: memoryMode)
    statusFile.isDirty = true
  }

  /// The greatest first, escaped.
  private func topConsumers() -> [String] {
    guard var scanner = try? ProcessScanner(executables: settings.leaks.programs), let scan = try? scanner.scan(),
      var census = try? MemoryCensus()
    else { return [] }
    return census.take(scan, idle: leakRule.rests(at: Clock.instant())).ledger.causes()
  }

  private func over(_ percent: Int) {
    let say = "memory is not short any more: \(percent) % in use"
    self.say("over", say, .notice)
    if let shortage { end(shortage, say) }
    shortage = nil
  }
}
