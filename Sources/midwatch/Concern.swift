import Configuration
import Daemon
import Formats
import Kernel

/// What a path is to midwatch, by the templates of the settings.
struct Concern {
  enum Kind: Equatable {
    case lock
    case heartbeat(agent: [UInt8])
    case output(agent: [UInt8])
    /// `NAME.degraded` or `NAME.standalone` beside a heartbeat.
    case marker(agent: [UInt8])
    case halt
  }

  let kind: Kind
  /// As it was written.
  let template: String
  /// Why the rule passes over it; nil where it does not.
  let ignoredBy: String?

  /// The section that decides.
  var rule: String {
    switch kind {
    case .lock: "locks"
    case .heartbeat, .marker: "heartbeats"
    case .output: "outputs"
    case .halt: "halt"
    }
  }
}

/// Tells what a path is.
struct Concerns {
  let site: Site
  private let root: Path
  private let home: Path

  init(_ site: Site) {
    self.site = site
    root = site.resolvedRoot
    home = HomeDirectory.ofOwner(of: root) ?? Path("/root")
  }

  /// What no rule ignores comes before what one does; nil where no template matches.
  ///
  /// - Parameter path: from "/", with the symlinks on the way resolved.
  func of(_ path: Path) -> Concern? {
    if path == root.appending(Watch.haltName) { return Concern(kind: .halt, template: "HALT", ignoredBy: nil) }
    let all = locks(path) + heartbeats(path) + outputs(path)
    return all.first { $0.ignoredBy == nil } ?? all.first ?? marker(path)
  }

  private func locks(_ path: Path) -> [Concern] {
    site.settings.locks.watch.compactMap { template in
      fit(path, template)?.concern(.lock, ignoring: site.settings.locks.ignore)
    }
  }

  private func heartbeats(_ path: Path) -> [Concern] {
    site.settings.heartbeatWatches.compactMap { watch in
      guard let fit = fit(path, watch.template), let agent = watch.agent ?? fit.agent else { return nil }
      return fit.concern(.heartbeat(agent: agent), ignoring: [])
    }
  }

  private func outputs(_ path: Path) -> [Concern] {
    site.settings.outputWatches.compactMap { watch in
      guard let fit = fit(path, watch.template), let agent = watch.agent ?? fit.agent else { return nil }
      return fit.concern(.output(agent: agent), ignoring: site.settings.outputs(for: agent).ignore)
    }
  }

  /// A marker stands where the beat of its agent would.
  private func marker(_ path: Path) -> Concern? {
    for suffix in [".degraded", ".standalone"] {
      guard let agent = agentName(of: path, suffix),
        let beat = Path(
          bytes: path.split.parent.appending(Path(bytes: agent) ?? .empty).bytes + Array(".heartbeat".utf8)),
        let concern = heartbeats(beat).first
      else { continue }
      return Concern(kind: .marker(agent: agent), template: concern.template, ignoredBy: nil)
    }
    return nil
  }

  private func fit(_ path: Path, _ template: PathTemplate) -> Fit? {
    guard let rest = relative(path, to: template), let captures = template.match(rest.span.bytes) else { return nil }
    return Fit(path: path, rest: rest, template: template, agent: captures.agent.map { Array(rest[$0]) })
  }

  /// What follows the place that a template counts from; nil for a path elsewhere.
  private func relative(_ path: Path, to template: PathTemplate) -> [UInt8]? {
    let base = template.isAbsolute ? Path("/") : template.isHome ? home : root
    guard base.contains(path), path.count > base.count else { return nil }
    return Array(path.bytes.dropFirst(base.count > 1 ? base.count + 1 : 1))
  }
}

/// A path that a template matches.
private struct Fit {
  let path: Path
  /// As the template sees it.
  let rest: [UInt8]
  let template: PathTemplate
  /// As `{agent}` found it.
  let agent: [UInt8]?

  func concern(_ kind: Concern.Kind, ignoring patterns: [IgnorePattern]) -> Concern {
    Concern(kind: kind, template: template.text, ignoredBy: pattern(of: patterns))
  }

  private func pattern(of patterns: [IgnorePattern]) -> String? {
    if path.split.name.bytes.starts(with: Array(".midwatch-".utf8)) {
      return ".midwatch-* (midwatch's own hidden files)"
    }
    let whole = Array(path.bytes.dropFirst())
    let found = patterns.first { pattern in
      var place = rest
      if case .path(let ignored) = pattern, ignored.isAbsolute { place = whole }
      return pattern.matches(place.span.bytes, below: template.fixedCount)
    }
    return found?.text
  }
}

/// The name before `suffix`, of a file that ends in it.
func agentName(of path: Path, _ suffix: String) -> [UInt8]? {
  let name = path.split.name.bytes
  guard name.count > suffix.utf8.count, name.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) else { return nil }
  return Array(name.dropLast(suffix.utf8.count))
}
