internal import Configuration
internal import Kernel
internal import Rules

/// Finding the files: only into directories that a template asks for, and through no symlink.
extension TranscriptSensor {
  /// A directory, and how far its path has come along a template: the components that its names are compared with.
  private struct Step {
    var path: Path
    var positions: [Int]
    var isFixed = false
  }

  mutating func walk(_ agent: Agent, watching: Bool) -> Look {
    var look = Look()
    var names = 0
    for template in agents[agent]?.templates ?? [] {
      guard let first = firstStep(of: template, for: agent, watching, &look) else { continue }
      var work = [first]
      while let step = work.popLast() {
        guard names < Self.mostNames else {
          look.isCut = true
          break
        }
        visit(step, template, agent, watching, &work, &names, &look)
      }
    }
    return look
  }

  /// The directory at the end of the literal part; nil where it is missing: then its nearest ancestor that is there
  /// is watched for it.
  private mutating func firstStep(
    of template: Template, for agent: Agent, _ watching: Bool, _ look: inout Look
  ) -> Step? {
    var path = Path.empty
    var fixed = 0
    while fixed < template.count - 1, case .literal(let name) = template[fixed] {
      unsafe path.append(name.span.bytes)
      fixed += 1
    }
    var watched: Path?
    while (try? slash.directory(path)) == nil {
      guard watching else { return nil }
      let nearest = nearestLiving(above: path)
      // What appeared since then was missed by nobody.
      guard nearest != watched, let directory = try? slash.directory(nearest) else { return nil }
      watch(directory, for: agent, &look)
      watched = nearest
    }
    return Step(path: path, positions: [fixed], isFixed: true)
  }

  private func nearestLiving(above path: Path) -> Path {
    var parts = path.bytes.split(separator: UInt8(ascii: "/"))
    while parts.popLast() != nil {
      guard let above = Path(bytes: Array(parts.joined(separator: [UInt8(ascii: "/")]))) else { break }
      if (try? slash.directory(above)) != nil { return above }
    }
    return .empty
  }

  private mutating func visit(
    _ step: Step, _ template: Template, _ agent: Agent, _ watching: Bool, _ work: inout [Step], _ names: inout Int,
    _ look: inout Look
  ) {
    guard let directory = try? slash.directory(step.path), let status = try? directory.status() else { return }
    if !step.isFixed, !crossesMounts, status.isMountRoot == true { return }
    if watching { watch(directory, for: agent, &look) }
    let positions = closure(of: step.positions, in: template)
    if let literals = literals(at: positions, in: template) {
      for name in literals {
        names += 1
        take(name, .unknown, in: directory, step.path, positions, template, &work, &look)
      }
      return
    }
    guard let listing = try? DirectoryListing(directory) else { return }
    while names < Self.mostNames, (try? listing.read(into: &entries)) == true {
      var found: [(Path, DirectoryEntry.Kind)] = []
      var cursor = DirectoryEntries(entries.bytes)
      while let entry = cursor.next() {
        names += 1
        if entry.kind != .symlink, entry.kind != .other { found.append((Path(entry.name), entry.kind)) }
      }
      for (name, kind) in found { take(name, kind, in: directory, step.path, positions, template, &work, &look) }
    }
  }

  /// `**` also stands for no directory at all.
  private func closure(of positions: [Int], in template: Template) -> [Int] {
    var all = positions
    for position in positions where template[position] == .anyDepth && position + 1 < template.count {
      if !all.contains(position + 1) { all.append(position + 1) }
    }
    return all
  }

  /// The names to ask for, where no listing is needed to know them.
  private func literals(at positions: [Int], in template: Template) -> [Path]? {
    var names: [Path] = []
    for position in positions {
      guard case .literal(let bytes) = template[position], let name = Path(bytes: bytes) else { return nil }
      names.append(name)
    }
    return names
  }

  private func take(
    _ name: Path, _ kind: DirectoryEntry.Kind, in directory: borrowing Directory, _ above: Path, _ positions: [Int],
    _ template: Template, _ work: inout [Step], _ look: inout Look
  ) {
    var next: [Int] = []
    var completes = false
    for position in positions {
      let isLast = position == template.count - 1
      switch template[position] {
      case .anyDepth:
        completes = completes || isLast
        if !next.contains(position) { next.append(position) }
        continue
      case .literal(let bytes): if name.bytes != bytes { continue }
      case .pattern(let pattern): if unsafe pattern.match(name.bytes.span.bytes) == nil { continue }
      }
      if isLast { completes = true } else if !next.contains(position + 1) { next.append(position + 1) }
    }
    guard kind == .directory ? !next.isEmpty : completes || kind == .unknown && !next.isEmpty,
      let status = try? directory.status(of: name)
    else { return }
    let path = above.appending(name)
    if status.kind == .directory, !next.isEmpty { work.append(Step(path: path, positions: next)) }
    guard status.kind == .file, completes else { return }
    guard look.files.count < GrowthRule.mostFiles else {
      look.isCut = true
      return
    }
    look.files.append((path, GrowthRule.Sighting(file: status.identity, size: status.size, born: status.born)))
  }
}
