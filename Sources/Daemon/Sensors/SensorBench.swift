package import Configuration
package import Kernel
internal import Rules

/// The sensors and the breaker as the watch ties them together, without its timers, journal and reading of
/// files: what midwatch-bench drives. Here and not there, so that it is the machine code that the watch runs.
package final class SensorBench {
  private var tree: WatchTree
  private var intake: Intake
  private var events = ReadBuffer(capacity: 65_536)

  package init(_ settings: Settings, root: Path) throws(Errno) {
    let now = Clock.now()
    var names = Names()
    let plan = WatchPlan(settings, root: root, places: Places(state: root, run: root), names: &names)
    tree = try WatchTree(
      plan.templates, ignoreOfAgent: plan.ignoreOfAgent, ownWatches: plan.ownWatches,
      crossesMounts: settings.pipeline.crossMounts, names: names)
    intake = Intake(
      breaker: BreakerRule(pipeline: settings.outputs.pipeline), clock: WallClock(at: now, record: nil), now: now)
    intake.breaker.defaultPolicy = settings.outputs.policy
  }

  /// The first look at everything; nothing that is there already counts.
  package func visit() {
    tree.visit(bornSince: Clock.wall(), telling: &intake)
    settle()
  }

  /// Reads the queue until it is empty.
  ///
  /// - Returns: how many records there were.
  package func drain() throws(Errno) -> Int {
    var records = 0
    intake.now = Clock.now()
    let since = intake.now.wall
    while try tree.read(into: &events) {
      var cursor = InotifyEvents(events.bytes)
      while let event = cursor.next() {
        tree.handle(event, bornSince: since, telling: &intake)
        if !intake.breakerActions.isEmpty { obey() }
        records += 1
      }
    }
    intake.endRound()
    settle()
    return records
  }

  /// A halt that stands: what a runaway agent goes on to write is counted all the same.
  private func obey() {
    intake.breakerActions.removeAll(keepingCapacity: true)
    intake.tell(.haltStands(mine: true), at: intake.now.instant)
  }

  private func settle() {
    while intake.locks.popDirty() != nil {}
    while intake.beats.popDirty() != nil {}
    while intake.texts.pop() != nil {}
    intake.notices.removeAll()
    intake.tell(.woke, at: intake.now.instant)
    obey()
  }
}
