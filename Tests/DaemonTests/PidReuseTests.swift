import Foundation
import TestSupport
import Testing

/// I2: between the judgement and the signal the process ends, and another one gets its number.
@Suite struct PidReuseTests {
  /// Runs as pid 1 of a namespace of its own, where it may say which number comes next. The newcomer is
  /// alike in all but the moment it started.
  private static let story = """
    import json, os, subprocess, sys, time
    midwatchd, root = sys.argv[1:]
    helper = os.path.join(root, "chroma-mcp")
    open(helper, "w").write("import time\\ntime.sleep(600)\\n")
    def start():
      null = subprocess.DEVNULL
      return subprocess.Popen([sys.executable, helper], stdin=null, stdout=null, stderr=null)
    def lines():
      try: text = open(os.path.join(root, ".midwatch/state/journal.jsonl")).read()
      except OSError: return []
      return [json.loads(line) for line in text.splitlines() if '"leaks"' in line]
    def until(what, seconds=60):
      end = time.time() + seconds
      while time.time() < end:
        value = what()
        if value: return value
        time.sleep(0.02)
      sys.exit("waited in vain")
    judged = start()
    # The one call between the judgement and the look behind the handle takes its time.
    watch = subprocess.Popen([
      "strace", "-o", os.path.join(root, "trace"), "-e", "trace=pidfd_open,pidfd_send_signal",
      "-e", "inject=pidfd_open:delay_enter=10000000", midwatchd, "--root", root, "--set", "leaks.helpers=chroma-mcp",
      "--set", "leaks.confirm=1s", "--set", "leaks.grace=1s", "--set", "leaks.scan=1s"], stderr=subprocess.DEVNULL)
    def isOpening():
      for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
          if open(f"/proc/{pid}/comm").read() == "midwatchd\\n": return open(f"/proc/{pid}/syscall").read().startswith("434 ")
        except OSError: pass
    until(isOpening)
    judged.kill()
    judged.wait()
    with open("/proc/sys/kernel/ns_last_pid", "w") as last: last.write(str(judged.pid - 1))
    newcomer = start()
    told = until(lambda: [line for line in lines() if line.get("pid") == judged.pid])
    # Time for a signal that was sent to be delivered.
    time.sleep(1)
    print(json.dumps({"reused": newcomer.pid == judged.pid, "what": told[0]["what"], "lives": newcomer.poll() is None}))
    watch.kill()
    """

  @Test(
    .enabled(
      if: Programs.isRoot && Programs.has("unshare", "strace", "python3"), "as root; Debian: util-linux strace python3"))
  func aNewcomerUnderTheNumberOfALeakLives() async throws {
    let pipeline = try Pipeline()
    let midwatchd = Programs.built.appendingPathComponent("midwatchd").path
    let outcome = try Programs.run(
      "unshare",
      ["--pid", "--fork", "--mount-proc", "--kill-child", "python3", "-c", Self.story, midwatchd, pipeline.path])
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output == #"{"reused": true, "what": "spared", "lives": true}"# + "\n")
  }
}
