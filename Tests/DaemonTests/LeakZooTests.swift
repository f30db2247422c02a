import TestSupport
import Testing

/// Real browsers, leaked and innocent, all at once under one midwatchd.
@Suite(
  LeakStory(),
  .enabled(
    if: LeakStory.isPossible,
    "needs root, unshare(1), and Debian: chromium chromium-driver chromium-headless-shell xvfb tini"))
struct LeakZooTests {
  static let all = (LeakSpecimen.leaks + LeakSpecimen.innocents + [.abandoned, .own]).filter(\.isThere)
  static let leaks = LeakSpecimen.leaks.filter(\.isThere)
  static let innocents = LeakSpecimen.innocents.filter(\.isThere)

  /// Before midwatchd comes.
  @Test(arguments: all)
  func aSpecimenIsWhatItClaimsToBe(_ specimen: LeakSpecimen) throws {
    let subject = try #require(LeakStory.told).subject(specimen)
    #expect(subject.failure == nil)
    guard !specimen.isLate else { return }
    #expect(specimen.proof(subject.before), "\(subject.before)")
    for role in specimen.goes { #expect(subject.before[role] != nil, "\(role)") }
  }

  @Test(arguments: leaks.filter { !$0.isLate })
  func observeTellsOfALeakAndSpares(_ specimen: LeakSpecimen) throws {
    let told = try #require(LeakStory.told)
    let subject = try told.subject(specimen)
    let after = subject.cage.scene(of: told.observed.processes)
    for role in subject.before.roles.keys where subject.before[role] != nil { #expect(after[role] != nil, "\(role)") }
    let lines = told.observed.lines("would-kill", on: after.pid(specimen.goes[0]))
    #expect(lines.map(\.kind) == [specimen.kind], "told of once, and as what it is: \(told.observed.lines)")
  }

  @Test(arguments: leaks)
  func aLeakIsKilledAndItsSurroundingsAreNot(_ specimen: LeakSpecimen) throws {
    let told = try #require(LeakStory.told)
    let subject = try told.subject(specimen)
    let after = subject.cage.scene(of: told.killed.processes)
    for role in specimen.goes { #expect(after[role] == nil, "\(role)\n\(after)\n\(told.killed.lines)") }
    #expect(after.own.allSatisfy { $0.part == nil && !$0.isOfBrowser || !$0.isAlive }, "parts are left: \(after)")
    // A frozen renderer goes with the first process of its sandbox.
    let lines = specimen.goes.flatMap { told.killed.lines("killed", on: after.pid($0)) }
    #expect(!lines.isEmpty && lines.allSatisfy { $0.kind == specimen.kind }, "\(told.killed.lines)")
    // Whoever drove, adopted or kept it.
    for role in ["driver", "parent"] where subject.before[role] != nil && !(specimen.isLate && role == "driver") {
      #expect(after[role] != nil, "\(role)")
    }
  }

  @Test(arguments: innocents)
  func anInnocentOutlivesEveryWatch(_ specimen: LeakSpecimen) throws {
    let told = try #require(LeakStory.told)
    let subject = try told.subject(specimen)
    for watched in told.watched {
      let after = subject.cage.scene(of: watched.processes)
      for role in subject.before.roles.keys.sorted() where subject.before[role] != nil {
        #expect(after[role] != nil, "\(role)\n\(subject.before)\n\(watched.lines)")
      }
      let own = Set(subject.before.own.map(\.pid)).union(after.own.map(\.pid))
      let said = watched.lines.filter { own.contains($0.pid) && $0.what != "kept" }
      #expect(said.isEmpty, "\(said)")
    }
  }

  @Test func nobodyElseIsKilled() throws {
    let told = try #require(LeakStory.told)
    let meant = Set(
      told.subjects.filter { !$0.specimen.goes.isEmpty }.flatMap { subject in
        subject.specimen.goes.map { subject.before.pid($0) } + subject.before.own.map(\.pid)
      } + told.abandoned.pages.map(\.pid)
        + (try told.subject(.own)).before.own.map(\.pid))
    for watched in told.watched {
      let others = watched.lines.filter { ["killed", "would-kill"].contains($0.what) && !meant.contains($0.pid) }
      #expect(others.isEmpty, "\(others)")
    }
    #expect(told.pressed.saysShort && told.abandoned.watched.saysShort)
    #expect(told.observed.lines.allSatisfy { $0.what != "killed" })
    #expect(told.pressed.lines.allSatisfy { $0.what != "killed" }, "nothing was left to kill: \(told.pressed.lines)")
  }

  @Test func abandonedPagesGoWhileMemoryIsShort() throws {
    let told = try #require(LeakStory.told)
    let subject = try told.subject(.abandoned)
    #expect(subject.failure == nil)
    let (pages, busy) = (told.abandoned.pages, told.abandoned.busy)
    let after = subject.cage.scene(of: told.abandoned.watched.processes)
    for role in ["browser", "driver"] { #expect(after[role] != nil, "\(role)") }
    let youngest = pages.sorted { ($0.started, $0.pid) < ($1.started, $1.pid) }.suffix(2).map(\.pid)
    let left = Set(after.parts("renderer").map(\.pid))
    #expect(left == Set(youngest + [busy]), "\(pages) became \(after)")
    let killed = told.abandoned.watched.lines.filter { $0.what == "killed" && $0.kind == "abandoned" }
    #expect(Set(killed.map(\.pid)) == Set(pages.map(\.pid)).subtracting(left))
    // To root's they were another user's.
    #expect(Set(subject.before.parts("renderer").map(\.pid)).isSubset(of: pages.map(\.pid)))
  }

  @Test func anOrdinaryUsersMidwatchdEndsHisLeaks() throws {
    let told = try #require(LeakStory.told)
    let subject = try told.subject(.own)
    #expect(subject.failure == nil)
    #expect(subject.cage.scene(of: told.pressed.processes)["browser"] != nil, "not root's to end")
    let after = subject.cage.scene(of: told.abandoned.watched.processes)
    #expect(after.own.allSatisfy { !$0.isOfBrowser || !$0.isAlive }, "\(after)")
    #expect(told.abandoned.watched.lines("killed", on: after.pid("browser")).map(\.kind) == ["orphan-browser"])
  }

  @Test func theInnocentsWereLookedAtAsOftenAsInAnHour() throws {
    let passes = try #require(LeakStory.told).pressedPasses
    #expect(passes >= LeakStory.passesOfAnHour)
  }

  @Test func everyWatchEndsWell() throws {
    let told = try #require(LeakStory.told)
    for watched in told.watched { #expect(watched.exitCode == 0, "\(watched.output)") }
  }
}
