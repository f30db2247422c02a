import TestSupport
import Testing

/// One situation in which a browser, a part of it or a helper is a leak, or only looks like one.
struct LeakSpecimen: CustomTestStringConvertible, Sendable {
  typealias Step = @Sendable (Cage) async throws -> Void

  let testDescription: String
  var programs = ["chromium", "chromium-headless-shell"]
  var user: UInt32 = 0
  /// Starts it; all is well afterwards.
  let begin: Step
  /// Makes it what its name says; at an innocent, what only looks like a leak.
  var turn: Step = { _ in }
  /// Whether it is in the state that facts/chrome.md describes.
  let proof: @Sendable (Scene) -> Bool
  /// The roles that midwatchd is to end, and what the journal calls that; none at an innocent.
  var goes: [String] = []
  var kind = "orphan-browser"

  /// The roles that midwatchd has to leave alone; those that are dead when the proof holds are passed over.
  func stays(_ cage: Cage) -> [String] { cage.roles.keys.filter { !goes.contains($0) }.sorted() }

  var isThere: Bool { programs.allSatisfy { Programs.has($0) } }

  /// Users that Debian always has: one whose processes midwatchd is told to look after, and one of no concern.
  static let agents: UInt32 = 65534
  static let games: UInt32 = 5

  /// What most are made of, for it starts with a fifth of the work: Chromium without a window, and without
  /// handlers of crashes. The script is Debian's, which waits for it.
  static let shell = "/usr/lib/chromium/chromium-headless-shell"
  static let script = "/usr/bin/chromium-headless-shell"
}

extension LeakSpecimen {
  /// Below pid 1 with nobody who drives it.
  private static func isOrphan(_ scene: Scene) -> Bool {
    scene["browser"]?.parent == 1 && scene["driver"] == nil && !scene.parts("renderer").isEmpty
  }

  private static let killsDriver: Step = { try await $0.kill("driver") }

  static let leaks: [LeakSpecimen] = [
    LeakSpecimen(
      testDescription: "puppeteer's driver is killed",
      begin: { try await $0.drive("puppeteer") }, turn: killsDriver,
      proof: { isOrphan($0) && $0["browser"]?.session == $0.pid("browser") }, goes: ["browser"]),
    LeakSpecimen(
      testDescription: "puppeteer's driver is killed, an ordinary user's, in the sandbox", user: agents,
      begin: { try await $0.drive("puppeteer") }, turn: killsDriver,
      proof: { isOrphan($0) && $0["browser"]?.user == agents && $0["browser"]?.hasFlag("--no-sandbox") == false },
      goes: ["browser"]),
    LeakSpecimen(
      testDescription: "pyppeteer's driver is killed, a service's",
      // What a unit with KillMode=process leaves: the mark names the service's main process, not the browser.
      begin: {
        try await $0.drive(
          "pyppeteer", ["program": shell], through: ["/bin/sh", "-c", #"export SYSTEMD_EXEC_PID=$$; "$@"; :"#, "sh"])
      },
      turn: { try await $0.kill("parent", "driver") },
      proof: { isOrphan($0) && $0["browser"]?.session == $0.pid("parent") }, goes: ["browser"]),
    LeakSpecimen(
      testDescription: "selenium's driver is killed: chromedriver stays, a dead proxy", programs: ["chromium", "chromedriver"],
      begin: { try await $0.drive("selenium") }, turn: killsDriver,
      proof: { $0["chromedriver"]?.parent == 1 && $0["browser"]?.parent == $0.pid("chromedriver") && $0["driver"] == nil },
      goes: ["browser", "chromedriver"]),
    LeakSpecimen(
      testDescription: "chromedriver is killed below a living driver", programs: ["chromium", "chromedriver"],
      begin: { try await $0.drive("selenium") }, turn: { try await $0.kill("chromedriver") },
      proof: { $0["browser"]?.parent == 1 && $0["driver"] != nil }, goes: ["browser"]),
    LeakSpecimen(
      testDescription: "cron is killed: the job's shell stays and waits for its browser",
      begin: { try await $0.drive("cron", ["command": $0.endless("/usr/bin/chromium") + "; :"]) }, turn: killsDriver,
      proof: { $0["sh"]?.parent == 1 && $0["browser"]?.parent == $0.pid("sh") && $0["driver"] == nil }, goes: ["browser", "sh"]),
    LeakSpecimen(
      testDescription: "a launcher killed the shell and not the browser below it",
      begin: { try await $0.drive("cron", ["command": $0.endless(shell) + " >/dev/null 2>&1; :"]) },
      turn: { try await $0.kill("sh") },
      proof: { $0["browser"]?.parent == 1 && $0["driver"] != nil }, goes: ["browser"]),
    LeakSpecimen(
      testDescription: "the headless shell's driver is killed: Debian's script stays",
      begin: { try await $0.drive("puppeteer", ["program": script]) }, turn: killsDriver,
      proof: { $0["sh"]?.parent == 1 && $0["browser"]?.parent == $0.pid("sh") && $0["driver"] == nil }, goes: ["browser", "sh"]),
    LeakSpecimen(
      testDescription: "a subreaper adopts the browser",
      begin: { try await $0.drive("puppeteer", through: ["/usr/bin/python3", "\($0.zoo.root)/subreaper.py"]) },
      turn: killsDriver,
      proof: { $0["parent"] != nil && $0["browser"]?.parent == $0.pid("parent") && $0["driver"] == nil }, goes: ["browser"]),
    LeakSpecimen(
      testDescription: "tini -s adopts the browser", programs: ["chromium", "tini"],
      begin: {
        // tini leaves with the program that it was given.
        let job = #""$@" & while :; do wait; sleep 600; done"#
        try await $0.drive("puppeteer", ["program": shell], through: ["/usr/bin/tini", "-s", "--", "/bin/sh", "-c", job, "sh"])
      },
      turn: killsDriver,
      proof: { $0["parent"] != nil && $0["browser"]?.parent == $0.pid("parent") && $0["driver"] == nil }, goes: ["browser"]),
    LeakSpecimen(
      testDescription: "a stopped browser does not see that its pipe is closed",
      begin: { try await $0.drive("playwright", ["program": shell]) },
      turn: {
        try await $0.stop("browser")
        try await $0.kill("driver")
      },
      proof: { isOrphan($0) && $0["browser"]?.state == "T" }, goes: ["browser"]),
    LeakSpecimen(
      testDescription: "a stopped renderer and GPU process outlive their browser",
      begin: {
        try await $0.drive("puppeteer")
        try await $0.notePart("renderer")
        try await $0.notePart("gpu-process")
      },
      turn: {
        try await $0.stop("renderer", "gpu-process")
        try await $0.kill("browser")
      },
      proof: { scene in
        ["renderer", "gpu-process"].allSatisfy {
          scene[$0]?.state == "T" && scene[$0]?.parent == 1 && scene[$0]?.group == scene.pid("browser")
        } && scene["driver"] != nil && scene.parts("utility").isEmpty
      },
      goes: ["renderer", "gpu-process"], kind: "orphan-child"),
    LeakSpecimen(
      testDescription: "a stopped renderer in the sandbox hangs below its stopped zygote", user: agents,
      begin: {
        try await $0.drive("puppeteer")
        try await $0.notePart("renderer")
        try await $0.noteAncestors(of: "renderer", as: "zygote")
      },
      turn: {
        try await $0.stop("renderer", "zygote", "zygote-2")
        try await $0.kill("browser")
      },
      proof: { scene in
        scene["renderer"]?.parent == scene.pid("zygote") && scene["zygote"]?.parent == scene.pid("zygote-2")
          && scene["zygote-2"]?.parent == 1
          && ["renderer", "zygote", "zygote-2"].allSatisfy { scene[$0]?.state == "T" && scene[$0]?.user == agents }
      },
      goes: ["renderer", "zygote", "zygote-2"], kind: "orphan-child"),
  ]

  /// Programs that were named to midwatchd as helpers.
  static let helpers: [LeakSpecimen] = [
    LeakSpecimen(
      testDescription: "an MCP server with nobody at the other end", programs: [],
      begin: { try await $0.drive("helper") }, turn: killsDriver,
      proof: { $0["helper"]?.parent == 1 && $0["driver"] == nil }, goes: ["helper"], kind: "helper")
  ]

  static let innocents: [LeakSpecimen] = [
    LeakSpecimen(
      testDescription: "a job that puppeteer drives",
      begin: { try await $0.drive("puppeteer", through: ["/bin/sh", "-c", #""$@"; :"#, "sh"]) },
      proof: { $0["browser"]?.parent == $0.pid("driver") && $0["driver"]?.parent == $0.pid("parent") }),
    LeakSpecimen(
      testDescription: "a driver below pid 1, as nohup leaves it", user: agents,
      begin: { try await $0.drive("playwright") },
      proof: { $0["browser"]?.parent == $0.pid("driver") && $0["driver"]?.parent == 1 }),
    LeakSpecimen(
      testDescription: "a job that pyppeteer drives",
      begin: { try await $0.drive("pyppeteer", ["program": shell]) },
      proof: { $0["browser"]?.parent == $0.pid("driver") && $0["browser"]?.group == $0["driver"]?.group }),
    LeakSpecimen(
      testDescription: "a job that selenium drives, an ordinary user's", programs: ["chromium", "chromedriver"], user: agents,
      begin: { try await $0.drive("selenium") },
      proof: { $0["browser"]?.parent == $0.pid("chromedriver") && $0["chromedriver"]?.parent == $0.pid("driver") }),
    LeakSpecimen(
      testDescription: "a job of cron that dumps a page",
      begin: { try await $0.drive("cron", ["command": $0.endless(shell) + "; :"]) },
      proof: { $0["browser"]?.parent == $0.pid("sh") && $0["sh"]?.parent == $0.pid("driver") }),
    LeakSpecimen(
      testDescription: "a job that drives the headless shell by its pipe",
      begin: { try await $0.drive("playwright", ["program": script]) },
      proof: { $0["browser"]?.parent == $0.pid("sh") && $0["sh"]?.parent == $0.pid("driver") }),
    LeakSpecimen(
      testDescription: "a driver that has hung up, and holds the standard streams",
      begin: { try await $0.drive("puppeteer", ["program": shell, "hangs-up": true]) },
      proof: { $0["browser"]?.parent == $0.pid("driver") }),
    LeakSpecimen(
      testDescription: "an orphan whose output is still read",
      begin: { try await $0.drive("cron", ["command": $0.endless(shell) + "; :"]) }, turn: { try await $0.kill("sh") },
      proof: { $0["browser"]?.parent == 1 && $0["driver"] != nil }),
    LeakSpecimen(
      testDescription: "an orphan to which a driver is connected",
      begin: {
        try await $0.browse(#""$@" & while [ ! -e ready ]; do sleep 0.1; done"#)
        try await $0.drive("guest")
      },
      turn: { try await $0.ended("sh") },
      proof: { $0["browser"]?.parent == 1 && $0["driver"] != nil && $0["sh"] == nil }),
    LeakSpecimen(
      testDescription: "a browser whose zygotes were killed",
      begin: {
        try await $0.drive("puppeteer")
        try await $0.notePart("renderer")
        try await $0.notePart("gpu-process")
        try await $0.noteAncestors(of: "renderer", as: "zygote")
        try await $0.noteAncestors(of: "gpu-process", as: "gpu-zygote")
      },
      turn: { try await $0.kill("zygote", "gpu-zygote") },
      proof: { scene in
        scene["browser"]?.parent == scene.pid("driver")
          && ["renderer", "gpu-process"].allSatisfy {
            scene[$0]?.parent == 1 && scene[$0]?.group == scene.pid("browser")
          }
      }),
    LeakSpecimen(
      testDescription: "another user's leak", user: games,
      begin: { try await $0.drive("puppeteer", ["program": shell]) }, turn: killsDriver,
      proof: { isOrphan($0) && $0["browser"]?.user == games }),
    LeakSpecimen(
      testDescription: "a service's main process",
      begin: { try await $0.browse(#"export SYSTEMD_EXEC_PID=$$; exec "$@""#) },
      proof: { $0["browser"]?.parent == 1 && $0.pid("sh") == $0.pid("browser") }),
    LeakSpecimen(
      testDescription: "a service's main process is the browser's script",
      begin: { try await $0.browse(#"export SYSTEMD_EXEC_PID=$$; "$@"; :"#) },
      proof: { $0["browser"]?.parent == $0.pid("sh") && $0["sh"]?.parent == 1 }),
    LeakSpecimen(
      testDescription: "a person's browser, below pid 1", programs: ["chromium", "Xvfb", "unshare"],
      begin: {
        // A /tmp of its own, for the X server's sockets and locks.
        try await $0.browse(
          #"""
          exec unshare --mount /bin/sh -c '
            mount -t tmpfs tmpfs /tmp && mkdir /tmp/.X11-unix
            Xvfb -displayfd 3 -nolisten tcp 3>/tmp/display &
            until [ -s /tmp/display ]; do sleep 0.1; done
            DISPLAY=:$(cat /tmp/display) TMPDIR=/tmp exec "$@"' sh "$@"
          """#, "/usr/bin/chromium", [])
      },
      proof: { $0["browser"]?.parent == 1 && $0["browser"]?.flags == ["--no-sandbox"] }),
    LeakSpecimen(
      testDescription: "a container's browser", programs: ["chromium", "unshare"],
      begin: {
        try await $0.browse(
          #"exec unshare --pid --fork --mount-proc /bin/sh -c '"$@" & wait' sh "$@""#, below: "/bin/sh -c \"$@\" & wait")
      },
      turn: { try await $0.kill("sh") },
      proof: { $0["browser"]?.parent == $0.pid("init") && $0["init"]?.parent == 1 && $0["sh"] == nil }),
    // The same command lines below other programs.
    imitation("code", of: "renderer"), imitation("QtWebEngineProcess", of: "renderer"), imitation("node", of: "zygote"),
    LeakSpecimen(
      testDescription: "a program that is merely called chromium, without an automaton's arguments", programs: [],
      begin: { try await $0.imitate("chromium", ["-s"]) },
      proof: { $0["imitation"]?.parent == 1 }),
  ]

  /// Not a browser, though its title is that of a browser's part.
  private static func imitation(_ program: String, of part: String) -> LeakSpecimen {
    LeakSpecimen(
      testDescription: "\(program) --type=\(part)", programs: [],
      begin: { try await $0.imitate(program, title: "--type=\(part) --headless=new --no-sandbox --lang=en-US") },
      proof: { $0["imitation"]?.parent == 1 && $0["imitation"]?.part == part })
  }

  /// By its name and its arguments a leaked browser, and so treated as one: nothing tells it from a browser that
  /// somebody built himself. It is here for what midwatchd must survive: a browser that behaves like none.
  static let impostor = LeakSpecimen(
    testDescription: "a program that is merely called chromium, with an automaton's arguments", programs: [],
    begin: { try await $0.imitate("chromium", ["-s", "--", "--headless=new", "--remote-debugging-port=0"]) },
    proof: { $0["imitation"]?.parent == 1 }, goes: ["imitation"])
}
