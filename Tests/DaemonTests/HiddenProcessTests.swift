import Foundation
import TestSupport
import Testing

/// A midwatchd to which processes are hidden: who is not seen is not dead.
@Suite(.enabled(if: Programs.isRoot && Programs.has("unshare", "setpriv", "python3"), "as root; Debian: util-linux python3"))
struct HiddenProcessTests {
  struct Sight: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// Of /proc. Root is in the group of which 2 makes an exception. - SeeAlso: proc(5)
    let hidepid: Int
    /// Whose midwatchd it is, and whose processes are judged; root's has no CAP_SYS_PTRACE.
    let user: UInt32
    /// Of those below, who is to go.
    var goes: Set<String> = ["leak"]
  }

  static let sights = [
    Sight(testDescription: "an ordinary user's, hidepid=1", hidepid: 1, user: 65534),
    Sight(testDescription: "an ordinary user's, hidepid=2", hidepid: 2, user: 65534),
    Sight(testDescription: "root's without CAP_SYS_PTRACE, hidepid=4", hidepid: 4, user: 0),
    // It sees who lives, and not what others have open.
    Sight(
      testDescription: "root's without CAP_SYS_PTRACE, hidepid=2", hidepid: 2, user: 0, goes: ["leak", "orphan", "part"]),
  ]

  /// Runs as pid 1 of a namespace of its own, which is hidden.
  ///
  /// `driven` is a browser below a hidden driver, `orphan` one below pid 1. `leak` and `talked` are adopted by
  /// somebody in sight, under midwatchd's eyes; a hidden driver holds the other end of what `talked` reads. `part` is
  /// a renderer beside `leak`.
  private static let story = """
    import json, os, signal, socket, subprocess, sys, time
    root, midwatchd, chromium, hidepid, user = sys.argv[1:]
    subprocess.run(["mount", "-t", "proc", "-o", "hidepid=" + hidepid, "proc", "/proc"], check=True)
    if user == "0": limits = ["--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
    else: limits = ["--reuid=" + user, "--regid=" + user, "--clear-groups"]
    def run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL):
      return subprocess.Popen(
        ["setpriv", *limits, "--", *words], stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, start_new_session=True)
    sleeps = [chromium, "-c", "sleep 1000; :", "sh"]
    browser, renderer = [*sleeps, "--headless=new"], [*sleeps, "--type=renderer"]
    starter = '''
    import json, signal, subprocess, sys
    for words in json.loads(sys.argv[1]): print(subprocess.Popen(words, stdout=subprocess.DEVNULL).pid, flush=True)
    signal.pause()
    '''
    # Adopts what the starter leaves behind, once it is told to.
    adopter = '''
    import ctypes, signal, subprocess, sys
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    below = subprocess.Popen(["/usr/bin/python3", "-c", *sys.argv[1:]])
    signal.sigwait([signal.SIGUSR1])
    below.kill()
    below.wait()
    signal.pause()
    '''
    def adopted(*words, **streams):
      above = run(["/usr/bin/python3", "-c", adopter, starter, json.dumps(words)], stdout=subprocess.PIPE, **streams)
      return above, [int(above.stdout.readline()) for _ in words]
    driver = subprocess.Popen(
      ["/usr/bin/python3", "-c", starter, json.dumps([["setpriv", *limits, "--", *browser]])], stdout=subprocess.PIPE,
      start_new_session=True)
    ours, theirs = socket.socketpair()
    pids = {"driven": int(driver.stdout.readline()), "orphan": run(browser).pid}
    first, (pids["talked"],) = adopted(browser, stdin=theirs)
    theirs.close()
    second, (pids["leak"], pids["part"]) = adopted(browser, renderer)
    os.environ["TMPDIR"] = root + "/tmp"
    for name in ["", "tasks", "status", "outputs", "tmp"]: os.chown(os.path.join(root, name), int(user), int(user))
    settings = ["grace=100ms", "confirm=100ms", "scan=100ms", "orphan-browsers=kill", "orphan-children=kill"]
    watch = run([midwatchd, "--root", root, *[word for each in settings for word in ("--set", "leaks." + each)]])
    def tell(name, value):
      with open(root + "/new", "w") as file: json.dump(value, file)
      os.rename(root + "/new", root + "/" + name)
    def wait(name):
      while not os.path.exists(root + "/" + name): time.sleep(0.02)
    tell("began", pids)
    wait("adopt")
    first.send_signal(signal.SIGUSR1)
    second.send_signal(signal.SIGUSR1)
    wait("stop")
    def lives(pid):
      try: return open(f"/proc/{pid}/stat").read().rpartition(") ")[2][0] not in "ZX"
      except OSError: return False
    tell("left", {"watching": watch.poll() is None, **{name: lives(pid) for name, pid in pids.items()}})
    """

  @Test(arguments: sights) func whoeverIsNotSeenIsNotTakenForDead(_ sight: Sight) async throws {
    let (pipeline, pretender) = (try Pipeline(["tasks", "status", "outputs", "tmp"]), try Pretender())
    let passes = try PassCounter(pipeline.path("tmp"))
    let holder = try Holder(
      "unshare",
      [
        "--pid", "--fork", "--kill-child", "--mount", "python3", "-c", Self.story, pipeline.path,
        Programs.built.appendingPathComponent("midwatchd").path, try pretender.program("chromium"), "\(sight.hidepid)",
        "\(sight.user)",
      ])
    func told(_ name: String) async throws -> [String: Any] {
      _ = await eventually { pipeline.exists(name) || holder.hasEnded }
      let text = try #require(pipeline.read(name))
      return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
    let pids = try #require(try await told("began") as? [String: Int])
    // Who is adopted was somebody else's in an earlier look.
    _ = await eventually { passes.take() >= 3 }
    try pipeline.write("adopt")
    let goes = Set(sight.goes.compactMap { pids[$0] })
    func killed() -> Set<Int> { Set(pipeline.journal("killed").compactMap { $0["pid"] as? Int }) }
    _ = await eventually { killed().isSuperset(of: goes) }
    // One that is taken for a leak for no better reason goes with the next ones.
    let enough = passes.take() + 10
    _ = await eventually { passes.take() >= enough }
    #expect(killed() == goes, "\(pids)")
    try pipeline.write("stop")
    let left = try await told("left")
    #expect(left["watching"] as? Bool == true)
    for name in pids.keys { #expect(left[name] as? Bool == !sight.goes.contains(name), "\(name)") }
  }
}
