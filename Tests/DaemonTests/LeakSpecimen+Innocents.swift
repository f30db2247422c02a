extension LeakSpecimen {
  /// Whatever looks like a leak and is none, and what works as ever beside them.
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
      testDescription: "an orphan to which a driver outside the pid namespace is connected",
      begin: { try await $0.browse(#""$@" & while [ ! -e ready ]; do sleep 0.1; done"#) },
      turn: {
        try await $0.driveFromOutside()
        try await $0.ended("sh")
      },
      proof: { $0["browser"]?.parent == 1 && $0["sh"] == nil }),
    LeakSpecimen(
      testDescription: "a chromedriver below pid 1 with a client", programs: ["chromium", "chromedriver"],
      begin: { try await $0.drive("selenium", ["detaches": true]) },
      proof: { $0["browser"]?.parent == $0.pid("chromedriver") && $0["chromedriver"]?.parent == 1 }),
    LeakSpecimen(
      testDescription: "an MCP server and its client", programs: [],
      begin: { try await $0.drive("helper") },
      proof: { $0["helper"]?.parent == $0.pid("driver") }),
    LeakSpecimen(
      testDescription: "an orphaned MCP server to which its client still speaks", programs: [],
      begin: { try await $0.drive("helper", ["shell": true]) }, turn: { try await $0.kill("sh") },
      proof: { $0["helper"]?.parent == 1 && $0["driver"] != nil }),
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
      testDescription: "a driver that is a subreaper, and holds nothing of its browser",
      begin: { cage in
        let command = "exec " + cage.endless(shell) + " >/dev/null 2>&1"
        try await cage.drive("cron", ["command": command, "adopts": true])
      },
      proof: { $0["browser"]?.parent == $0.pid("driver") }),
    // The same to whoever did not see it happen, and so spared. Under midwatchd's eyes it is a leak.
    LeakSpecimen(
      testDescription: "a subreaper has adopted a browser before midwatchd came",
      begin: {
        try await $0.drive("puppeteer", ["program": shell], through: ["/usr/bin/python3", "\($0.zoo.root)/subreaper.py"])
      },
      turn: killsDriver,
      proof: { $0["parent"] != nil && $0["browser"]?.parent == $0.pid("parent") && $0["driver"] == nil }),
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
      begin: { try await $0.imitate("chromium", ["-c", "sleep 600; :", "sh", "--remote-debugging-port=0"]) },
      proof: { $0["imitation"]?.parent == 1 }),
  ]

  /// Not a browser, though its title is that of a browser's part.
  private static func imitation(_ program: String, of part: String) -> LeakSpecimen {
    LeakSpecimen(
      testDescription: "\(program) --type=\(part)", programs: [],
      begin: { try await $0.imitate(program, title: "--type=\(part) --headless=new --no-sandbox --lang=en-US") },
      proof: { $0["imitation"]?.parent == 1 && $0["imitation"]?.part == part })
  }
}
