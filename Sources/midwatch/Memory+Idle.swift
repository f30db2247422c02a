import Daemon
import Formats
import Kernel
import Rules

/// For how long renderers have used next to no CPU: only who has watched them knows, so that it is taken from a
/// running midwatchd's status, where there is one.
enum IdleRenderers {
  /// - Parameter scan: what midwatchd saw counts as long as the process has not worked since.
  static func known(to site: Site, in scan: ProcessScan) -> [ProcessIdentity: TimeSpan] {
    let now = Clock.wall()
    guard let snapshot = Snapshot(site.places.statusFile, at: now) else { return [:] }
    let since = max(now - snapshot.written, .zero)
    var idle: [ProcessIdentity: TimeSpan] = [:]
    for seen in snapshot.json["resting"]?.array ?? [] {
      guard let pid = seen["pid"]?.integer.flatMap({ Int32(exactly: $0) }), let process = scan[pid],
        seen["start_ticks"]?.integer.flatMap({ UInt64(exactly: $0) }) == process.identity.startTicks,
        let cpu = seen["cpu_ms"]?.integer, let span = seen["idle_s"]?.integer,
        !LeakRule.isWork(process.cpu - .milliseconds(cpu), within: since)
      else { continue }
      idle[process.identity] = .seconds(max(0, span)) + since
    }
    return idle
  }
}
