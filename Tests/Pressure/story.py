"""Memory gets short for real, under midwatchd.

    story.py STORY MIDWATCHD ROOT GROUP

Runs as pid 1 of a pid namespace, in a memory control group with a limit, which it mounts where a container sees its
own: a small machine, whose level nobody else's programs move. Pressure is the kernel's account of the whole machine.
Prints what came of it as one line of JSON; ends with a sentence where it does not come to that.
"""

import base64
import contextlib
import json
import mmap
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

GROUP = "/sys/fs/cgroup/memory"
MIB = 1 << 20
story, midwatchd, root, group = sys.argv[1:5]
began = time.monotonic()


def note(text):
    """For whoever has to find out why a story failed."""
    print(f"{time.monotonic() - began:5.1f} {text}", file=sys.stderr, flush=True)


def text(path):
    with open(path) as file:
        return file.read()


def until(what, look, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    sys.exit(f"{what} did not come; the journal:\n{journal(None)}\nand the log:\n{text(root + '/log')[-2000:]}")


# The small machine


def used():
    """In bytes, as midwatchd counts it."""
    inactive = [line for line in text(f"{GROUP}/memory.stat").split("\n") if line.startswith("total_inactive_file ")]
    return int(text(f"{GROUP}/memory.usage_in_bytes")) - int(inactive[0].split()[1])


LIMIT = None


def percent():
    return used() * 100 / LIMIT


class Hog:
    """A process that takes memory, of this name and with the bytes that it is told to hold."""

    def __init__(self):
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            with open("/proc/self/comm", "w") as file:
                file.write("greedy")
            held = []
            while order := theirs.recv(64):
                size = int(order)
                while len(held) > size:
                    held.pop().close()
                while len(held) < size:
                    held.append(mmap.mmap(-1, MIB))
                    for page in range(0, MIB, mmap.PAGESIZE):
                        held[-1][page] = 1
                theirs.send(b"!")
            os._exit(0)
        theirs.close()
        self.line, self.size = ours, 0

    def reach(self, level):
        """Takes or gives back until so many percent are in use."""
        for _ in range(3):
            self.size = max(0, self.size + round((level - percent()) * LIMIT / 100 / MIB))
            self.line.send(b"%d" % self.size)
            self.line.recv(1)
        note(f"the hog holds {self.size} MiB, {percent():.1f} % are in use")

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


class Trigger:
    """The line that midwatchd draws in the kernel's account, drawn once more."""

    def __init__(self):
        self.file = os.open("/proc/pressure/memory", os.O_RDWR | os.O_NONBLOCK)
        os.write(self.file, b"some 150000 2000000\0")
        self.poll = select.poll()
        self.poll.register(self.file, select.POLLPRI)

    def crossed(self):
        return bool(self.poll.poll(0))


@contextlib.contextmanager
def stalls():
    """Programs wait for memory: files that do not fit into a group of theirs are written over and over."""
    group = f"{GROUP}/stalled"
    os.makedirs(group, exist_ok=True)
    with open(f"{group}/memory.limit_in_bytes", "w") as file:
        file.write(str(16 * MIB))
    path = f"{root}/stalled"
    children = []
    for number in range(2):
        child = os.fork()
        if child == 0:
            with open(f"{group}/cgroup.procs", "w") as file:
                file.write(str(os.getpid()))
            file = os.open(f"{path}{number}", os.O_RDWR | os.O_CREAT, 0o600)
            block = bytes(MIB)
            while True:
                for place in range(32):
                    os.pwrite(file, block, place * MIB)
        children.append(child)
    try:
        yield
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        for number in range(2):
            with contextlib.suppress(OSError):
                os.remove(f"{path}{number}")


# midwatchd


def journal(rule="memory"):
    """Its lines, all of them where no rule is named."""
    try:
        lines = [json.loads(line) for line in text(f"{root}/.midwatch/state/journal.jsonl").splitlines()]
    except (OSError, ValueError):
        return []
    return [line for line in lines if rule in (None, line["rule"])]


def whats():
    return [line["what"] for line in journal()]


def alerts():
    """How far below `warn` it came does not matter."""
    return [what for what in whats() if what not in ("tight", "eased")]


def status():
    try:
        return json.loads(text(f"{root}/.midwatch/run/status.json"))
    except (OSError, ValueError):
        return {}


def level():
    """The one that midwatchd read last, asked for by what makes it write its status: a lock that comes or goes."""
    lock = f"{root}/tasks/look.lock"
    try:
        os.remove(lock)
    except OSError:
        with open(lock, "w"):
            pass
    time.sleep(0.1)
    return status().get("memory", {}).get("percent", -1)


def watch(*arguments, **settings):
    words = [midwatchd, "--root", root, *arguments]
    # What else there is to tell of is other tests' matter.
    for name, value in {"outputs.mode": "off", "leaks.leftovers": "off", **settings}.items():
        words += ["--set", f"{name}={value}"]
    with open(f"{root}/log", "w") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    until("midwatchd", lambda: status().get("pid") == process.pid)
    return process


def stop(process):
    process.terminate()
    return process.wait()


# Browsers


class Browser:
    """DevTools by a web socket, from the process that started the browser."""

    def __init__(self, profile):
        words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
                 "--disable-component-update", "--disable-background-networking", "--disable-sync",
                 "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
        null = subprocess.DEVNULL
        self.process = subprocess.Popen(["/usr/bin/chromium", *words], stdin=null, stdout=null, stderr=null)

        def address():
            try:
                lines = text(f"{profile}/DevToolsActivePort").split("\n")
            except OSError:
                return None
            return lines if len(lines) == 2 else None

        port, path = until("the debug port", address)
        self.socket = socket.create_connection(("127.0.0.1", int(port)))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.file = self.socket.makefile("rb")
        while self.file.readline() != b"\r\n":
            pass
        self.number = 0

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode()
        # All of ours are short: two bytes of length at most, and the mask that a client owes, of zeroes.
        length = struct.pack("!B", 0x80 | len(data)) if len(data) < 126 else struct.pack("!BH", 0xFE, len(data))
        self.socket.sendall(b"\x81" + length + bytes(4) + data)
        while True:
            length = self.file.read(2)[1]
            if length > 125:
                length = int.from_bytes(self.file.read(2 if length == 126 else 8), "big")
            answer = json.loads(self.file.read(length))
            if answer.get("id") == self.number:
                return answer["result"]

    def open(self, size):
        """A page in a context of its own, and so in a process of its own, that holds so many MiB."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        page = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.fill(page, size)

    def fill(self, page, size):
        session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        self.call("Runtime.evaluate", session, expression=f"held = new Uint8Array({size} << 20).fill(1); 0")
        self.call("Target.detachFromTarget", sessionId=session)

    def first(self):
        return [each["targetId"] for each in self.call("Target.getTargets")["targetInfos"] if each["type"] == "page"][0]


def processes():
    """Of everything that lives here: pid, when it started, its parent and the words of its command line."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            stat = text(f"/proc/{name}/stat")
            fields = stat[stat.rindex(")") + 2 :].split()
            words = text(f"/proc/{name}/cmdline").replace("\0", " ").split()
            if fields[0] not in "ZX" and words:
                found[int(name)] = (int(fields[19]), int(fields[1]), words)
    return found


def pages(profile):
    """The processes of a browser's pages, the oldest first."""
    found = [
        (start, pid) for pid, (start, _, words) in processes().items()
        if "--type=renderer" in words and "--top-chrome-webui" not in words and f"--user-data-dir={profile}" in words
    ]
    return [pid for _, pid in sorted(found)]


def tree(profile):
    return {pid for pid, (_, _, words) in processes().items() if f"--user-data-dir={profile}" in words}


def own(pids):
    """What comes back with their ends, in bytes."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in text(f"/proc/{pid}/smaps_rollup").split("\n"):
                if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                    total += int(line.split()[1]) << 10
    return total


def lose(profile):
    """Starts a browser, and when it has a page its driver dies."""
    driver = os.fork()
    if driver == 0:
        Browser(profile).open(1)
        os._exit(0)
    return driver


def lost(profile, driver):
    """The browser, once nobody drives it."""
    os.waitpid(driver, 0)
    return until("the leak", lambda: [pid for pid, (_, parent, words) in processes().items()
                 if parent == 1 and f"--user-data-dir={profile}" in words and not words[1].startswith("--type")
                 and words[0].endswith("/chromium")])[0]


# Stories


def short():
    """Nobody drives a browser, and the level is nobody's matter until the kernel says that programs wait."""
    watching = watch(**{"memory.warn": "50%", "memory.act": "70%", "alert.exec": f"{root}/hook"})
    trigger, hog = Trigger(), Hog()
    before = level()
    hog.reach(80)
    time.sleep(2)
    # Its level is that of the start, though thirty times as much is in use.
    quiet = level() == before and whats() == []
    calm = not trigger.crossed()
    with stalls():
        until("the event", trigger.crossed)
        alert = until("the alert", lambda: [line for line in journal() if line["what"] == "short"], 5)[0]
    # Between what is warned of and what is short, and up again.
    hog.reach(60)
    with stalls():
        until("a lower level", lambda: 55 < level() < 68)
    state = status()["memory"]["state"]
    hog.reach(82)
    with stalls():
        until("a higher level", lambda: level() > 75)
    hovered = whats()
    hog.end()
    with stalls():
        until("the end", lambda: "over" in whats())
    told = until("two messages", lambda: text(f"{root}/told").count("\n") >= 2 and text(f"{root}/told"))
    messages = [json.loads(line) for line in told.splitlines()]
    return {
        "fine": before, "quiet": quiet, "calm": calm, "percent": alert["percent"], "consumer": alert["consumers"][0],
        "between": state, "hovered": hovered, "whats": whats(), "told": [message["state"] for message in messages],
        "same": len({message["id"] for message in messages}), "exit": stop(watching),
    }


# MiB that a page holds.
PAGE = 140
# The youngest, for one of them may be the browser's spare.
KEPT = 2


class Scene:
    """A driver that never closes its pages, a browser that has lost its driver, and a hog."""

    def __init__(self):
        self.used, self.lost = f"{root}/used", f"{root}/lost"
        driver = lose(self.lost)
        self.browser = Browser(self.used)
        self.browser.fill(self.browser.first(), PAGE)
        for _ in range(3):
            self.browser.open(PAGE)
        self.leak = lost(self.lost, driver)
        self.hog = Hog()
        self.pages = pages(self.used)
        self.others = tree(self.used) - set(self.pages) | {self.hog.pid}
        note(f"{[(pid, own([pid]) // MIB) for pid in self.pages]} MiB")
        note(f"pages {self.pages}, leak {self.leak}, others {sorted(self.others)}, {percent():.1f} % are in use")

    settings = {
        "memory.warn": "64%", "memory.act": "74%", "leaks.orphan-browsers": "kill", "leaks.abandoned": "act",
        "leaks.abandoned-age": "3s", "leaks.confirm": "1s", "leaks.scan": "1s", "leaks.grace": "1h",
    }

    def found(self):
        """What midwatchd has found leaked, and leaves alone as things stand."""
        until("the leak and the old pages", lambda: {each["pid"] for each in status().get("leaks", [])}
              == {self.leak, *self.pages[:-KEPT]})

    def living(self):
        return [pid for pid in self.pages if pid in processes()]


def killed(what="killed"):
    return [(line["kind"], line["pid"]) for line in journal("leaks") if line["what"] == what]


def abandoned():
    """Pages go for memory's sake alone, the oldest first and one at a time; what is leaked goes before them."""
    scene = Scene()
    watching = watch(**scene.settings)
    scene.found()
    time.sleep(1)
    fine = alerts() + killed()
    # With the leak and half of the second page gone it is over, page tables and the like let alone.
    scene.hog.reach(64 + (own(tree(scene.lost)) + own(scene.pages[:1]) * 1.6) * 100 / LIMIT)
    with stalls():
        until("the alert", lambda: "short" in whats())
    together = 0
    order = []

    def ended():
        nonlocal together
        # Whoever has ended before the journal has told of the one before did not wait for it.
        told = len([kind for kind, _ in killed() if kind == "abandoned"])
        for pid in set(scene.pages) - set(scene.living()) - set(order):
            together = max(together, len(order) - told)
            order.append(pid)
        return "over" in whats()

    until("the end of it", ended)
    note(f"{scene.living()} are left, {percent():.1f} % are in use")
    time.sleep(3)
    ended()
    first, after = killed(), alerts()
    went = [pid for _, pid in first[1:]]
    # More than all pages together would give back.
    scene.hog.reach(86)
    with stalls():
        until("another alert", lambda: alerts().count("short") == 2)
    until("the last pages", lambda: len(scene.living()) == KEPT)
    time.sleep(2)
    return {
        "fine": fine, "first": [kind for kind, _ in first], "leak": first[0][1] == scene.leak,
        "order": went == order[:len(went)] == scene.pages[:len(went)], "together": together, "after": after,
        "all": [pid for _, pid in killed()] == [scene.leak, *scene.pages[:-KEPT]], "left": scene.living() == scene.pages[-KEPT:],
        "others": scene.others <= set(processes()), "lost": len(tree(scene.lost)), "alerts": alerts(),
        "answers": "product" in scene.browser.call("Browser.getVersion"), "exit": stop(watching),
    }


def observed():
    """The same under --observe."""
    scene = Scene()
    watching = watch("--observe", **scene.settings)
    scene.found()
    scene.hog.reach(80)
    with stalls():
        until("the alert", lambda: "would-alert" in whats())
    # One a pass, each once.
    would = [scene.leak, *scene.pages[:-KEPT]]
    until("the pages", lambda: len(killed("would-kill")) == len(would))
    time.sleep(1)
    lives = {scene.leak, *scene.pages} | scene.others <= set(processes())
    told = killed("would-kill")
    scene.hog.end()
    with stalls():
        until("the end of it", lambda: "over" in whats())
    return {
        "lives": lives, "killed": killed(), "told": [kind for kind, _ in told],
        "oldest": [pid for _, pid in told] == would, "alerts": alerts(), "exit": stop(watching),
    }


stories = {each.__name__: each for each in (short, abandoned, observed)}
if __name__ == "__main__":
    subprocess.run(["mount", "--bind", group, GROUP], check=True)
    LIMIT = int(text(f"{GROUP}/memory.limit_in_bytes"))
    print(json.dumps(stories[story]()))
