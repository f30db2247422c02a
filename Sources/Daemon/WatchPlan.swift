internal import Configuration
internal import Kernel
internal import Rules

/// The settings' templates laid out from "/", for the tree.
struct WatchPlan {
  var templates: [WatchedTemplate] = []
  var ignoreOfAgent: [Agent: [IgnorePattern]] = [:]
  var ownWatches: Set<OwnWatch> = []
  /// Of each agent whose growth is limited: what grows, from "/".
  var transcripts: [Agent: [[PathTemplate.Component]]] = [:]

  /// - Parameters:
  ///   - root: with its symlinks resolved.
  ///   - places: the command line leaves its requests in the state directory, the gate its notes in the other.
  init(_ settings: Settings, root: Path, places: Places, names: inout Names) {
    let base = Self.literals(root)
    let home = Self.literals(HomeDirectory.ofOwner(of: root) ?? Path("/root"))
    func laidOut(_ template: PathTemplate) -> (components: [PathTemplate.Component], base: Int) {
      if template.isAbsolute { return (template.components, 0) }
      return template.isHome ? (home + template.components, home.count) : (base + template.components, base.count)
    }
    if settings.locks.mode != .off {
      for template in settings.locks.watch {
        let (components, base) = laidOut(template)
        templates.append(.init(.lock, components: components, ignore: settings.locks.ignore, base: base))
      }
    }
    for watch in settings.heartbeatWatches {
      let (components, base) = laidOut(watch.template)
      templates.append(.init(.heartbeat, components: components, agent: watch.agent.map { names.agent(bytes: $0) }, base: base))
    }
    for watch in settings.outputWatches {
      let (components, base) = laidOut(watch.template)
      templates.append(
        .init(
          .output, components: components, agent: watch.agent.map { names.agent(bytes: $0) }, ignore: settings.outputs.ignore,
          base: base))
    }
    for agent in settings.agents {
      let number = names.agent(bytes: agent.name)
      if agent.outputs.ignore != settings.outputs.ignore { ignoreOfAgent[number] = agent.outputs.ignore }
      // What an agent's own section says of where to look takes the place of what is said for all.
      if agent.hasOwnHeartbeats { ownWatches.insert(OwnWatch(purpose: .heartbeat, agent: number)) }
      if agent.growth != nil { transcripts[number] = agent.transcripts.map { laidOut($0).components } }
      if agent.hasOwnOutputs { ownWatches.insert(OwnWatch(purpose: .output, agent: number)) }
    }
    templates.append(.init(.halt, components: base + [.literal(Array("HALT".utf8))], base: base.count))
    watchOwn(.request, Requests.name, in: places.state)
    if settings.jobs.mode != .off { watchOwn(.note, JobDesk.directoryName, in: places.run) }
  }

  /// A directory of ours in which names are only ever made by a rename; no ignore list applies.
  private mutating func watchOwn(_ purpose: Purpose, _ name: Path, in place: Path) {
    let above = Self.literals((try? realPath(place)) ?? place)
    templates.append(.init(purpose, components: above + [.literal(name.bytes), .anyDepth], base: above.count))
  }

  private static func literals(_ path: Path) -> [PathTemplate.Component] {
    path.bytes.split(separator: UInt8(ascii: "/")).map { .literal(Array($0)) }
  }
}
