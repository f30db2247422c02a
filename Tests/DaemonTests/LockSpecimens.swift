import TestSupport
import Testing

/// One way in which real programs make a lock.
struct LockSpecimen: CustomTestStringConvertible, Sendable {
  let testDescription: String
  /// Programs it takes, and modules of Python.
  var programs: [String] = []
  var modules: [String] = []
  /// Makes the lock `$1` and then the file `$2`; where it has a holder, lives on as that.
  var script: String
  var isPython = false
  /// What the journal says once the holder was killed.
  var rung = "its owner is gone"

  init(
    _ name: String, programs: [String] = [], modules: [String] = [], rung: String = "its owner is gone", sh: String
  ) {
    (testDescription, self.programs, self.modules, self.rung, script) = (name, programs, modules, rung, sh)
  }

  init(_ name: String, modules: [String] = [], rung: String = "its owner is gone", python: String) {
    (testDescription, self.modules, self.rung) = (name, modules, rung)
    script = "import os, sys, time\n\(python)\nopen(sys.argv[2], 'w').close()\ntime.sleep(600)\n"
    isPython = true
  }

  var isThere: Bool {
    programs.allSatisfy { Programs.has($0) } && modules.allSatisfy { Programs.pythonHas($0) }
  }

  /// Makes the lock, and waits until it is held.
  func make(_ name: String, in pipeline: Pipeline) async throws -> Holder {
    let (lock, ready) = (pipeline.path("tasks/\(name)"), "ready-\(name)")
    let holder =
      try isPython ? Holder(python: script, lock, pipeline.path(ready)) : Holder(sh: script, lock, pipeline.path(ready))
    try #require(await eventually { pipeline.exists(ready) || holder.hasEnded }, "\(testDescription) did not start")
    try #require(pipeline.exists("tasks/\(name)"), "\(testDescription) made no lock")
    return holder
  }
}

extension LockSpecimen {
  private static let live = #": >"$2"; exec sleep 600"#

  /// Locks with a holder that can be known.
  static let held: [LockSpecimen] =
    [
      // The kernel's own: the file stays behind without a lock, and is as old as it is.
      LockSpecimen(
        "flock(1) on a descriptor", programs: ["flock"], rung: "older than stale-after",
        sh: #"exec 9>"$1"; flock 9; \#(live)"#),
      LockSpecimen(
        "filelock.FileLock", modules: ["filelock"], rung: "older than stale-after",
        python: "import filelock; lock = filelock.FileLock(sys.argv[1]); lock.acquire()"),
      LockSpecimen(
        "portalocker", modules: ["portalocker"], rung: "older than stale-after",
        python: "import portalocker; lock = portalocker.Lock(sys.argv[1]); lock.acquire()"),
      LockSpecimen(
        "fasteners", modules: ["fasteners"], rung: "older than stale-after",
        python: "import fasteners; lock = fasteners.InterProcessLock(sys.argv[1]); lock.acquire()"),
      LockSpecimen(
        "fcntl.lockf", rung: "older than stale-after",
        python: "import fcntl; file = open(sys.argv[1], 'w'); fcntl.lockf(file, fcntl.LOCK_EX)"),
      LockSpecimen(
        "an OFD lock", rung: "older than stale-after",
        python: """
          import fcntl, struct
          file = open(sys.argv[1], 'w')
          fcntl.fcntl(file, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
          """),
      // Formats whose writer is the holder.
      LockSpecimen(
        "filelock.SoftFileLock", modules: ["filelock"],
        python: "import filelock; lock = filelock.SoftFileLock(sys.argv[1]); lock.acquire()"),
      LockSpecimen(
        "pid, host and start token",
        sh: #"printf '%s\n%s\n%s\n' $$ "$(uname -n)" "$(cut -d' ' -f22 /proc/$$/stat)" >"$1"; \#(live)"#),
      LockSpecimen(
        "OpenClaw's session lock",
        sh: #"""
          printf '{"pid":%s,"createdAt":"%s","starttime":%s}' $$ "$(date -u +%FT%TZ)" "$(cut -d' ' -f22 /proc/$$/stat)" >"$1"
          \#(live)
          """#),
      LockSpecimen(
        "OpenClaw's session lock, before it had a start time",
        sh: #"printf '{"pid":%s,"createdAt":"%s"}' $$ "$(date -u +%FT%TZ)" >"$1"; \#(live)"#),
      LockSpecimen("Chromium's SingletonLock", sh: #"ln -s "$(uname -n)-$$" "$1"; \#(live)"#),
      LockSpecimen(
        "Emacs' lock", sh: #"ln -s "me@$(uname -n).$$:$(sed -n 's/^btime //p' /proc/stat)" "$1"; \#(live)"#),
    ] + barePids

  /// Their writer may have been a passing shell: its death proves nothing unless it was seen to live on.
  static let barePids: [LockSpecimen] = [
    LockSpecimen("echo $$", sh: #"echo $$ >"$1"; \#(live)"#),
    LockSpecimen("key=value", sh: #"printf 'pid=%s\nheartbeat=%s\n' $$ "$(date +%s)" >"$1"; \#(live)"#),
    LockSpecimen("JSON with a pid alone", sh: #"printf '{"pid": %s}\n' $$ >"$1"; \#(live)"#),
    LockSpecimen(
      "lockfile-create -p", programs: ["lockfile-create"], sh: #"lockfile-create --use-pid --lock-name "$1"; \#(live)"#),
    LockSpecimen("dotlockfile -p", programs: ["dotlockfile"], sh: #"dotlockfile -l -p "$1"; \#(live)"#),
  ]

  /// Locks that name nobody: their age is all there is.
  static let anonymous: [LockSpecimen] = [
    LockSpecimen("touch", sh: #"touch "$1"; : >"$2""#),
    LockSpecimen("set -C", sh: #"set -C; : >"$1"; : >"$2""#),
    LockSpecimen("mkdir", sh: #"mkdir "$1"; : >"$2""#),
    LockSpecimen("ln -s to nowhere", sh: #"ln -s nowhere "$1"; : >"$2""#),
    LockSpecimen("lockfile-create", programs: ["lockfile-create"], sh: #"lockfile-create --lock-name "$1"; : >"$2""#),
    LockSpecimen("dotlockfile", programs: ["dotlockfile"], sh: #"dotlockfile -l "$1"; : >"$2""#),
    LockSpecimen("procmail's lockfile", programs: ["lockfile"], sh: #"lockfile "$1"; : >"$2""#),
  ]
}
