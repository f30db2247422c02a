import Daemon
import Formats
import Kernel
import Rules

/// One night, played in two worlds at once.
final class DrillNight {
  let story: DrillStory
  let place: DrillPlace
  let guarded: DrillWorld
  let alone: DrillWorld
  var troupe = DrillTroupe()
  var screen: DrillScreen
  var score = DrillScore()
  private let programs: DrillPrograms
  private let signals: Signals
  private var began = Clock.now()
  private var lastProgress = Instant(nanoseconds: 0)
  private var next = 0
  /// The night is over, and nothing counts any more.
  private var isMorning = false
  private var alertsRead = 0
  private var skippedAgents: Set<String> = []

  init(
    _ story: DrillStory, _ place: DrillPlace, _ programs: DrillPrograms, _ signals: consuming Signals, quiet: Bool
  ) {
    self.story = story
    self.place = place
    self.programs = programs
    self.signals = signals
    screen = DrillScreen(isQuiet: quiet)
    let common = ["PATH=\(Kernel.environment("PATH") ?? "/usr/bin:/bin")", "LC_ALL=C", "HOME=\(place.text("home"))"]
    let own = [
      "MIDWATCH_CONFIG=\(place.text("midwatch.conf"))", "XDG_RUNTIME_DIR=\(place.text("run"))",
      "XDG_STATE_HOME=\(place.text("state"))", "SHELL=\(place.text("midwatch-sh"))",
    ]
    guarded = DrillWorld(
      name: "with", place: place.path, shell: place.text("midwatch-sh"), environment: common + own)
    alone = DrillWorld(name: "without", place: place.path, shell: "/bin/sh", environment: common + ["SHELL=/bin/sh"])
  }

  /// - Parameter assignments: for midwatchd's `--set`.
  func play(_ assignments: [String]) throws(Failure) -> DrillScore {
    try furnish()
    try introduce()
    let watch = try startWatch(assignments)
    let journal = try follow()
    try screen.write("midwatchd (pid \(watch)) is on watch. It is 3 am, and nobody is awake.\n\n")
    began = Clock.now()
    for world in [guarded, alone] {
      try place.write("\(world.name)/tasks/research.lock", "", age: story.real(DrillStory.lockAge))
      try place.write("\(world.name)/status/research.heartbeat", "", age: story.real(DrillStory.beatAge))
    }
    while !isOver {
      try startWhatIsDue()
      try tell(journal, before: Clock.instant() + pause)
    }
    isMorning = true
    score.finish(now, guarded: tally(guarded), alone: tally(alone))
    try screen.write("\n")
    if score.haltedAt != nil { try wakeThePerson(journal) }
    return score
  }

  // MARK: the stage

  private func furnish() throws(Failure) {
    for name in ["home", "agents", "run", "state"] { try place.make(name) }
    for world in [guarded, alone] {
      for name in ["", "/tasks", "/status", "/outputs", "/outputs/content", "/outputs/seo"] {
        try place.make("\(world.name)\(name)")
      }
    }
    let scripts = DrillScripts(story: story)
    for script in scripts.all { try place.write("agents/\(script.name)", script.text) }
    try place.link("midwatch-sh", to: programs.midwatchd)
    try place.write("tell", "cat >>\(place.text("alerts.jsonl"))\n")
    try place.write("midwatch.conf", scripts.configuration(root: guarded.root, hook: place.text("tell")))
  }

  private func introduce() throws(Failure) {
    let length = story.real(DrillStory.length)
    let pace =
      story.speed == 1
      ? "at its real speed: it takes 8 minutes (--speed 60: 8 s)"
      : "\(story.speed) times as fast: it takes \(spoken(length)), and 10min are \(Self.exact(story.real(.seconds(600))))"
    try screen.write(
      """
      \(Ink.bold("The 3 am story")), \(pace).
      Five agents and a cron, twice at the same time: with midwatch and without. All of it is in
      \(place.text(""))

      """)
  }

  private static func exact(_ span: TimeSpan) -> String {
    span.nanoseconds % 1_000_000_000 == 0 ? spoken(span) : "\(span.seconds).\(span.nanoseconds / 100_000_000 % 10)s"
  }

  private func startWatch(_ assignments: [String]) throws(Failure) -> Int32 {
    let words =
      [String(decoding: programs.midwatchd.bytes, as: UTF8.self), "--config", place.text("midwatch.conf")]
      + assignments.flatMap { ["--set", $0] }
    let watch = try troupe.start(DrillTroupe.watch, words, in: guarded)
    let patience = Clock.instant() + .seconds(20)
    while !place.has("run/midwatch/status.json") {
      try reap()
      guard Clock.instant() < patience else {
        throw .failed(1, "midwatch: midwatchd was started and says nothing for 20 s; is the machine that busy?")
      }
      Clock.rest(.milliseconds(10))
    }
    return watch
  }

  private func follow() throws(Failure) -> JournalFollower {
    do throws(Errno) { return try JournalFollower(in: place.path.appending("state/midwatch")) } catch {
      throw .failed(71, "midwatch: midwatchd's journal cannot be followed: \(error)")
    }
  }

  // MARK: time

  private var now: TimeSpan { story.told(Clock.instant() - began.instant) }

  /// A look a second of the story's would be too seldom, where that is an hour.
  private var pause: TimeSpan { .milliseconds(story.speed > 20 ? 10 : 50) }

  /// Both have come to their end, late perhaps on a busy machine.
  private var isOver: Bool {
    guard now >= DrillStory.length, next == DrillStory.starts.count else { return false }
    let isLoopDone = troupe.pids(of: "scheduler", in: alone).isEmpty
    let isHalted = score.haltedAt != nil || troupe.pids(of: "scheduler", in: guarded).isEmpty
    return isLoopDone && isHalted || now >= DrillStory.length * 4
  }

  private func startWhatIsDue() throws(Failure) {
    while next < DrillStory.starts.count, DrillStory.starts[next].at <= now {
      let start = DrillStory.starts[next]
      next += 1
      if let telling = start.telling, score.haltedAt == nil { try screen.say(now, start.agent, Ink.dim(telling)) }
      for world in [guarded, alone] { _ = try troupe.start(start.agent, world.words(of: start.agent), in: world) }
    }
  }

  // MARK: what is told

  private func tell(_ journal: JournalFollower, before deadline: Instant) throws(Failure) {
    let lines: [JournalLine]
    do throws(Errno) { lines = try journal.lines(before: deadline) } catch {
      throw .failed(71, "midwatch: midwatchd's journal cannot be followed: \(error)")
    }
    for line in lines { try tell(line) }
    try tellAlerts()
    try reap()
    guard !isMorning, Clock.instant() - lastProgress >= .milliseconds(250) else { return }
    lastProgress = Clock.instant()
    let (one, other) = (tally(guarded), tally(alone))
    try screen.progress(
      now, "without: \(other.words); with: \(one.words)\(score.haltedAt == nil ? "" : ", halted")")
  }

  private func tell(_ line: JournalLine) throws(Failure) {
    let at = line.time.map { story.told($0 - began.wall) } ?? now
    if line.what == "halted", score.haltedAt == nil, let time = line.time {
      score.halted(at, before: writings(guarded).count { $0 <= time })
    }
    if line.what == "reaped", score.reapedAt == nil { score.reapedAt = at }
    guard line.rule != "watch", line.rule != "alert" else { return }
    let told = words().told(line.words)
    try screen.say(at, "midwatch", line.what == "halted" ? Ink.red(told) : told)
  }

  private func words(since: WallTime? = nil) -> DrillWords {
    DrillWords(story: story, began: began.wall, root: guarded.root, since: since)
  }

  private func tellAlerts() throws(Failure) {
    let lines = place.contents("alerts.jsonl").split(separator: 0x0a).dropFirst(alertsRead)
    for line in lines {
      // One that is still being written comes with the next look.
      guard let mail = AlertWords.mail(Array(line)) else { return }
      alertsRead += 1
      let json = JSON(Array(line))
      if json?["state"]?.string == "over" { score.overs += 1 } else { score.alerts += 1 }
      let words = words(since: json?["since"]?.string.flatMap { WallTime(text: $0) })
      // The one that the night is about as it arrives, of the others what stands in the list of messages.
      let isHalt = mail.subject.hasPrefix("HALT")
      // Its first line is the subject's.
      let text = isHalt ? mail.text.split(separator: "\n").dropFirst().map { words.told(String($0)) } : []
      try screen.quote(now, "you get", words.told(mail.subject), text)
    }
  }

  /// - Throws: where the watch has ended, or somebody wants the drill to end.
  private func reap() throws(Failure) {
    if let signal = signals.next() {
      try? screen.write("\n")
      throw .failed(
        128 + signal.rawValue, "midwatch: the drill was cut short at \(DrillStory.clock(now)); what it started is ended")
    }
    for (_, member, ending) in troupe.ended() {
      if member.role == DrillTroupe.watch {
        let last = place.contents("with.log").split(separator: 0x0a).last.map { escaped(Array($0)) }
        throw .failed(70, "midwatch: midwatchd ended (\(ending)) and said: \(last ?? "nothing")")
      }
      guard member.world == guarded, ending == .exited(Gate.skipped) else { continue }
      score.skipped += 1
      guard skippedAgents.insert(member.role).inserted else { continue }
      try screen.say(now, "cron", "does not start \(member.role): HALT stands")
    }
  }

  // MARK: the morning

  /// Somebody reads the alert, ends what was broken, and types what it says.
  private func wakeThePerson(_ journal: JournalFollower) throws(Failure) {
    for pid in troupe.pids(of: "scheduler", in: guarded) {
      try screen.say(now, "you", "kill \(pid), the scheduler with its loop, and type:")
      troupe.kill(pid)
    }
    try screen.say(now, "you", Ink.bold("midwatch resume"))
    let words = [
      String(decoding: programs.midwatch.bytes, as: UTF8.self), "--config", place.text("midwatch.conf"), "resume",
    ]
    let resume = try troupe.start("resume", words, in: guarded)
    try wait(journal) { self.troupe.running[resume] == nil && !self.place.has("with/HALT") }
    _ = try troupe.start("research", guarded.words(of: "research"), in: guarded)
    try screen.say(now, "cron", "starts research again")
    try wait(journal) { !self.place.has("with/status/research.degraded") }
    try wait(journal) { self.troupe.pids(of: "research", in: self.guarded).isEmpty }
  }

  /// Goes on telling until something has happened, at most for ten seconds and a minute of the story.
  private func wait(_ journal: JournalFollower, _ hasHappened: () -> Bool) throws(Failure) {
    let deadline = Clock.instant() + .seconds(10) + story.real(.seconds(60))
    while !hasHappened(), Clock.instant() < deadline { try tell(journal, before: Clock.instant() + pause) }
    try tell(journal, before: Clock.instant())
  }

  // MARK: counting

  private func writings(_ world: DrillWorld) -> [WallTime] {
    place.writings(in: "\(world.name)/outputs/content") + place.writings(in: "\(world.name)/outputs/seo")
  }

  private func tally(_ world: DrillWorld) -> DrillTally {
    func lines(_ name: String) -> Int { place.contents("\(world.name)/\(name)").count { $0 == 0x0a } }
    return DrillTally(
      outputs: writings(world).count, articles: place.writings(in: "\(world.name)/outputs/content").count,
      posts: lines("discord.txt"), refused: lines("refused.txt"))
  }
}
