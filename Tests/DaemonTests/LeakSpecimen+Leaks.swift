extension LeakSpecimen {
  /// Below pid 1 with nobody who drives it.
  static func isOrphan(_ scene: Scene) -> Bool {
    scene["browser"]?.parent == 1 && scene["driver"] == nil && !scene.parts("renderer").isEmpty
  }

  static let killsDriver: Step = { try await $0.kill("driver") }

  /// Leaks of every kind but pages, which are nobody's leak by themselves.
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
    LeakSpecimen(
      testDescription: "an MCP server with nobody at the other end", programs: [],
      begin: { try await $0.drive("helper") }, turn: killsDriver,
      proof: { $0["helper"]?.parent == 1 && $0["driver"] == nil }, goes: ["helper"], kind: "helper"),
    LeakSpecimen(
      testDescription: "puppeteer's driver is killed under midwatchd's eyes",
      begin: { try await $0.drive("puppeteer", ["program": shell]) }, turn: killsDriver, proof: isOrphan, goes: ["browser"],
      isLate: true),
    LeakSpecimen(
      testDescription: "selenium's driver is killed under midwatchd's eyes", programs: ["chromium", "chromedriver"],
      begin: { try await $0.drive("selenium") }, turn: killsDriver,
      proof: { $0["chromedriver"]?.parent == 1 && $0["browser"]?.parent == $0.pid("chromedriver") && $0["driver"] == nil },
      goes: ["browser", "chromedriver"], isLate: true),
    LeakSpecimen(
      testDescription: "a subreaper adopts a browser, under midwatchd's eyes",
      begin: {
        try await $0.drive("puppeteer", ["program": shell], through: ["/usr/bin/python3", "\($0.zoo.root)/subreaper.py"])
      },
      turn: killsDriver,
      proof: { $0["parent"] != nil && $0["browser"]?.parent == $0.pid("parent") && $0["driver"] == nil }, goes: ["browser"],
      isLate: true),
    // Nothing tells it from a browser that somebody built himself; and it behaves like none.
    LeakSpecimen(
      testDescription: "a program that is merely called chromium, with an automaton's arguments", programs: [],
      begin: {
        try await $0.imitate("chromium", ["-c", "sleep 600; :", "sh", "--headless=new", "--remote-debugging-port=0"])
      },
      proof: { $0["imitation"]?.parent == 1 }, goes: ["imitation"]),
  ]

  // MARK: One user's, under a midwatchd of his own; to root's these are another user's.

  /// Pages that nobody closes: of five one works on, and two are the youngest.
  static let abandoned = LeakSpecimen(
    testDescription: "a living driver never closes its pages", user: webUser,
    begin: { try await $0.drive("puppeteer", ["program": shell, "pages": 5, "busy": true]) },
    proof: { $0["browser"]?.parent == $0.pid("driver") && $0.parts("renderer").count >= 5 })

  static let own = LeakSpecimen(
    testDescription: "puppeteer's driver is killed, for a midwatchd without root", user: webUser,
    begin: { try await $0.drive("puppeteer") }, turn: killsDriver,
    proof: { isOrphan($0) && $0["browser"]?.hasFlag("--no-sandbox") == false })
}
