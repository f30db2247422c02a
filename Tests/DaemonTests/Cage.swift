import Foundation
import Synchronization
import TestSupport

/// Where one specimen lives: a directory, a user, and the processes that it is about, each by its role.
final class Cage: Sendable {
  let zoo: Zoo
  let user: UInt32
  let directory: String
  private let noted = Mutex<[String: ZooProcess]>([:])
  /// Who lives outside the zoo; killed with the cage.
  private let outside = Mutex<[Holder]>([])

  init(_ zoo: Zoo, user: UInt32) throws {
    (self.zoo, self.user) = (zoo, user)
    directory = "\(zoo.root)/\(zoo.newNumber())"
    for path in [directory, directory + "/tmp"] {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o755, .ownerAccountID: Int(user), .groupOwnerAccountID: Int(user)])
    }
  }

  /// The processes noted so far.
  var roles: [String: ZooProcess] { noted.withLock { $0 } }

  private var environment: [String: String] {
    ["HOME": directory, "TMPDIR": directory + "/tmp", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"]
  }

  // MARK: Beginning

  /// Runs Tests/Zoo/driver.py and waits until its browser and its pages are there; their roles are `driver`,
  /// `browser`, `chromedriver`, `sh`.
  ///
  /// - Parameter wrapper: a program and its arguments that runs it and stays; its role is `parent`.
  func drive(_ kind: String, _ options: [String: Any] = [:], through wrapper: [String] = []) async throws {
    let text = String(decoding: try JSONSerialization.data(withJSONObject: options), as: UTF8.self)
    let words = wrapper + ["/usr/bin/python3", "\(zoo.root)/driver.py", kind, directory, text]
    let started = try run(words, as: wrapper.isEmpty ? "driver" : "parent")
    let ready = directory + "/ready"
    guard await eventually({ FileManager.default.fileExists(atPath: ready) || !self.isRunning(started) }),
      let bytes = FileManager.default.contents(atPath: ready)
    else { throw Zoo.Failure(text: "\(kind) did not come up: \(output)") }
    for (role, pid) in try JSONDecoder().decode([String: Int32].self, from: bytes) { try note(pid, as: role) }
    // A page is promised before its renderer is there.
    if roles["browser"] != nil { try await reach { !$0.parts("renderer").isEmpty } }
  }

  /// Speaks to the browser from outside the pid namespace, as a driver on the machine does to a browser in a
  /// container, and on another machine to one on this.
  func driveFromOutside() async throws {
    let driver = try Holder("/usr/bin/python3", ["\(zoo.root)/driver.py", "guest", directory, "{}"])
    outside.withLock { $0.append(driver) }
    let ready = directory + "/ready"
    guard await eventually({ FileManager.default.fileExists(atPath: ready) }) else { throw Zoo.Failure(text: "it is refused") }
  }

  /// Starts a program.
  @discardableResult
  func run(_ words: [String], program: String? = nil, hangs: Bool = false, as role: String) throws -> Int32 {
    let pid = try zoo.start(
      words, program: program, user: user, environment: environment, in: directory, output: directory + "/output",
      hangs: hangs)
    try note(pid, as: role)
    return pid
  }

  /// A command line that never ends.
  func endless(_ program: String) -> String {
    "\(program) --headless --no-sandbox --user-data-dir=\(directory)/profile --dump-dom http://127.0.0.1:\(zoo.silentPort)/"
  }

  /// Starts a browser that nobody drives, by a shell, and waits until it is up.
  ///
  /// - Parameters:
  ///   - script: `"$@"` is the browser's command line.
  ///   - parent: how the command line of the browser's parent begins, where that is not the shell; noted as `init`.
  func browse(
    _ script: String, _ program: String = LeakSpecimen.shell,
    _ arguments: [String] = ["--headless=new", "--remote-debugging-port=0"], below parent: String? = nil
  ) async throws {
    let browser =
      [program] + (user == 0 ? ["--no-sandbox"] : []) + arguments
      + ["--no-first-run", "--password-store=basic", "--user-data-dir=\(directory)/profile", "about:blank"]
    let shell = try run(["/bin/sh", "-c", script, "sh"] + browser, as: "sh")
    if let parent { try await note(as: "init") { $0.parent == shell && $0.start.hasPrefix(parent) } }
    let above = roles["init"]?.pid ?? shell
    try await note(as: "browser") { $0.isOfBrowser && $0.part == nil && ($0.pid == above || $0.parent == above) }
    // It is up when it has a page.
    try await reach { !$0.parts("renderer").isEmpty }
  }

  /// Starts a program that is no browser, whatever its name and its command line say; its role is `imitation`.
  func imitate(_ name: String, _ arguments: [String] = [], title: String? = nil) async throws {
    let program = "\(directory)/\(name)"
    try FileManager.default.copyItem(atPath: "/bin/dash", toPath: program)
    // Without arguments a shell waits for what to do, and whoever holds its input is connected to it. A title is
    // one word with spaces in it, as browsers write theirs.
    try run(
      [title.map { "\(program) \($0)" } ?? program] + arguments, program: program, hangs: arguments.isEmpty, as: "imitation")
    try await note(as: "imitation") { $0.program == program }
  }

  // MARK: Roles

  /// Notes a part of the browser under the part's name: of renderers that of a page.
  func notePart(_ part: String) async throws {
    let profile = directory + "/profile"
    try await settle()
    try await note(as: part) { $0.part == part && $0.profile == profile && !$0.hasFlag("--top-chrome-webui") }
  }

  /// Waits until no part of the browser has come or gone for two seconds: a page may change its renderer while
  /// the browser starts.
  private func settle() async throws {
    var last: [Int32] = []
    var since = ContinuousClock.now
    try await reach { scene in
      let now = scene.own.map(\.pid)
      if now != last { (last, since) = (now, .now) }
      return since.duration(to: .now) > .seconds(2)
    }
  }

  /// Notes the handlers of crashes, which have nobody above them from the first.
  func noteHandlers() throws {
    let handlers = try zoo.look().values.filter { $0.isAlive && $0.database?.hasPrefix(directory + "/") == true }
    for (number, handler) in handlers.sorted(by: { $0.pid < $1.pid }).enumerated() {
      noted.withLock { $0["handler-\(number + 1)"] = handler }
    }
  }

  /// Notes those between a part and its browser, the nearest first: `zygote`, `zygote-2` and so on.
  func noteAncestors(of role: String, as name: String) async throws {
    let processes = try zoo.look()
    var count = 0
    var next = roles[role].flatMap { processes[$0.parent] }
    while let process = next, process.part != nil {
      count += 1
      try note(process.pid, as: count == 1 ? name : "\(name)-\(count)")
      next = processes[process.parent]
    }
  }

  func note(_ pid: Int32, as role: String) throws {
    guard let process = try zoo.look()[pid], process.isAlive else {
      throw Zoo.Failure(text: "\(role) \(pid) is gone: \(output)")
    }
    noted.withLock { $0[role] = process }
  }

  /// Waits for a process and notes it.
  func note(as role: String, _ condition: @Sendable (ZooProcess) -> Bool) async throws {
    var found: ZooProcess?
    _ = await zoo.wait { processes in
      found = processes.values.filter { $0.isAlive && condition($0) }.min { $0.pid < $1.pid }
      return found != nil
    }
    guard let found else { throw Zoo.Failure(text: "no \(role): \(try scene())\n\(output)") }
    noted.withLock { $0[role] = found }
  }

  // MARK: Leaking

  func kill(_ names: String...) async throws {
    for name in names { try send(SIGKILL, to: name) }
    for name in names { try await ended(name) }
  }

  func stop(_ names: String...) async throws {
    for name in names { try send(SIGSTOP, to: name) }
    for name in names { try await reach { $0[name]?.state == "T" } }
  }

  /// Waits for the end of a process.
  func ended(_ name: String) async throws { try await reach { $0[name] == nil } }

  /// Waits for a state.
  func reach(_ condition: (Scene) -> Bool) async throws {
    let roles = roles
    guard await zoo.wait({ condition(Scene(roles: roles, processes: $0, cage: directory)) }) else {
      throw Zoo.Failure(text: "it does not come to that: \(try scene())\n\(output)")
    }
  }

  private func send(_ signal: Int32, to name: String) throws {
    guard let process = roles[name] else { throw Zoo.Failure(text: "there is no \(name)") }
    try zoo.send(signal, to: process.pid)
  }

  // MARK: Looking

  func scene() throws -> Scene { scene(of: try zoo.look()) }

  func scene(of processes: [Int32: ZooProcess]) -> Scene { Scene(roles: roles, processes: processes, cage: directory) }

  /// Whether a state comes about within some seconds.
  func reaches(within seconds: Double, _ condition: (Scene) -> Bool) async -> Bool {
    let roles = roles
    return await zoo.wait(within: seconds) { condition(Scene(roles: roles, processes: $0, cage: directory)) }
  }

  private func isRunning(_ pid: Int32) -> Bool {
    do { return try zoo.exitCode(pid) == nil } catch { return false }
  }

  /// What its processes printed, the end of it.
  var output: String {
    String(decoding: (FileManager.default.contents(atPath: directory + "/output") ?? Data()).suffix(800), as: UTF8.self)
  }
}

/// A cage at one moment.
struct Scene: CustomStringConvertible, Sendable {
  let roles: [String: ZooProcess]
  let processes: [Int32: ZooProcess]
  let cage: String

  /// The process that bore the role, if that very one still lives.
  subscript(_ role: String) -> ZooProcess? {
    guard let noted = roles[role], let now = processes[noted.pid], now.started == noted.started, now.isAlive else {
      return nil
    }
    return now
  }

  /// The pid that a role had, whether or not it lives.
  func pid(_ role: String) -> Int32 { roles[role]?.pid ?? -1 }

  /// The living parts of the cage's browser; the headless shell's parts do not name their profile.
  func parts(_ part: String) -> [ZooProcess] {
    processes.values.filter { $0.isAlive && $0.part == part && ($0.profile == cage + "/profile" || hangsBelow("browser", $0)) }
  }

  private func hangsBelow(_ role: String, _ process: ZooProcess) -> Bool {
    var next = processes[process.parent]
    while let ancestor = next, ancestor.pid > 1 {
      if ancestor.pid == roles[role]?.pid { return true }
      next = processes[ancestor.parent]
    }
    return false
  }

  /// Those of the roles, and the browser's parts.
  var own: [ZooProcess] {
    let pids = Set(roles.values.map(\.pid))
    return processes.values.filter {
      pids.contains($0.pid) || $0.profile == cage + "/profile" || pids.contains($0.group) || hangsBelow("browser", $0)
    }.sorted { $0.pid < $1.pid }
  }

  var description: String {
    let names = roles.mapValues(\.pid).sorted { $0.value < $1.value }.map { "\($0.key) \($0.value)" }
    return names.joined(separator: ", ") + "\n" + own.map(\.description).joined(separator: "\n")
  }
}
