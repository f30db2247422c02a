"""Drives a browser as well-known libraries do, with nothing but Python's own modules.

    driver.py KIND DIRECTORY OPTIONS

Writes DIRECTORY/ready with the pids once the browser answers and its pages are open; lives on until killed.
"""

import base64
import ctypes
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

kind, directory, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
if options.get("adopts"):
    # PR_SET_CHILD_SUBREAPER
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
profile = f"{directory}/profile"
program = options.get("program", "/usr/bin/chromium")
pids = {"driver": os.getpid()}
# What puppeteer and playwright give alike, as far as it spares time and processes.
arguments = [
    "--headless=new",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--enable-automation",
    "--mute-audio",
    "--no-first-run",
    "--password-store=basic",
    *(["--no-sandbox"] if os.getuid() == 0 else []),
    *options.get("arguments", []),
    f"--user-data-dir={profile}",
]


def until(what, look):
    for _ in range(600):
        found = look()
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"{what} did not come")


def child(parent, named="/lib/chromium/"):
    """The browser that another process started for us."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                stat = file.read()
            with open(f"/proc/{name}/cmdline") as file:
                words = file.read()
        except OSError:
            continue
        if int(stat[stat.rindex(")") + 2 :].split()[1]) == parent and named in words and "--type=" not in words:
            return int(name)


class Port:
    """DevTools by a web socket."""

    def __init__(self, profile):
        def address():
            try:
                with open(f"{profile}/DevToolsActivePort") as file:
                    lines = file.read().split("\n")
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
        if b" 101 " not in self.file.readline():
            sys.exit("the web socket was refused")
        while self.file.readline() != b"\r\n":
            pass

    def send(self, text):
        # All of ours are short: two bytes of length at most, and the mask that a client owes, of zeroes.
        length = struct.pack("!B", 0x80 | len(text)) if len(text) < 126 else struct.pack("!BH", 0xFE, len(text))
        self.socket.sendall(b"\x81" + length + bytes(4) + text)

    def receive(self):
        length = self.file.read(2)[1]
        if length > 125:
            size = 2 if length == 126 else 8
            length = int.from_bytes(self.file.read(size), "big")
        return self.file.read(length)

    def close(self):
        self.file.close()
        self.socket.close()


class Pipe:
    """DevTools by descriptors 3 and 4, which node makes as sockets."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair(), socket.socketpair()
        self.file = self.theirs[0].makefile("rb")

    def hand_over(self):
        """In the child: what it shall have as 3 and 4."""
        first, second = os.dup(self.ours[1].fileno()), os.dup(self.theirs[1].fileno())
        numbers = (200, 201)
        os.dup2(first, numbers[0])
        os.dup2(second, numbers[1])
        os.dup2(numbers[0], 3)
        os.dup2(numbers[1], 4)

    def started(self):
        self.ours[1].close()
        self.theirs[1].close()

    def send(self, text):
        self.ours[0].sendall(text + b"\0")

    def receive(self):
        text = b""
        while not text.endswith(b"\0"):
            text += self.file.read(1) or sys.exit("the pipe is closed")
        return text[:-1]


number = 0


def call(line, method, **parameters):
    global number
    number += 1
    line.send(json.dumps({"id": number, "method": method, "params": parameters}).encode())
    while True:
        answer = json.loads(line.receive())
        if answer.get("id") == number:
            return answer.get("result") or sys.exit(f"{method}: {answer}")


def open_pages(line):
    """One in the browser's own context, the others each in one of their own, and so in a renderer of its own."""
    for index in range(options.get("pages", 1)):
        context = call(line, "Target.createBrowserContext") if index else {}
        page = f"data:text/html,<title>{index}</title>"
        if index == 1 and options.get("busy"):
            page += "<script>setInterval(() => { for (let end = Date.now() + 30; Date.now() < end;); }, 500)</script>"
        call(line, "Target.createTarget", url=page, **context)


def puppeteer():
    """A session of its own, standard streams to the driver, the debug port."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [program, *arguments, "--remote-debugging-port=0", "about:blank"],
        stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, start_new_session=True,
    )
    theirs.close()
    line = Port(profile)
    open_pages(line)
    if options.get("hangs-up"):
        line.close()
    return process, (ours, line)


def playwright():
    """A session of its own, the debug pipe."""
    pipe = Pipe()
    process = subprocess.Popen(
        [program, *arguments, "--remote-debugging-pipe", "about:blank"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, close_fds=False, preexec_fn=pipe.hand_over,
    )
    pipe.started()
    open_pages(pipe)
    return process, pipe


def pyppeteer():
    """In the driver's own group, nothing on the standard streams, the debug port."""
    process = subprocess.Popen(
        [program, *arguments, "--remote-debugging-port=0", "about:blank"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    line = Port(profile)
    open_pages(line)
    return process, line


def selenium():
    """By chromedriver, which starts the browser and speaks to it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["/usr/bin/chromedriver", f"--port={port}"]
    if options.get("detaches"):
        # A service that outlives its clients, and serves this one.
        words = ["/bin/sh", "-c", '"$@" &', "sh", *words]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def chromedriver():
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/cmdline") as file:
                    if file.read().split("\0")[:2] == [words[-2], words[-1]]:
                        return int(name)
            except OSError:
                pass

    pids["chromedriver"] = until("chromedriver", chromedriver)

    def ask(method, path, body=None):
        line.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
        return json.loads(line.getresponse().read())["value"]

    def answers():
        try:
            return ask("GET", "/status")["ready"]
        except OSError:
            line.close()

    line = http.client.HTTPConnection("127.0.0.1", port)
    until("chromedriver", answers)
    session = ask(
        "POST", "/session",
        {"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"binary": program, "args": arguments}}}},
    )
    if "sessionId" not in session:
        sys.exit(f"no session: {session}")
    ask("POST", f"/session/{session['sessionId']}/url", {"url": "data:text/html,<title>0</title>"})
    return process, line


def cron():
    """Runs a command line by sh, as cron does: no terminal, its output to a pipe."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", options["command"]],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )
    return process, None


def helper():
    """A helper of its own name, which speaks by its standard streams."""
    path = f"{directory}/chroma-mcp"
    with open(path, "w") as file:
        # Whoever is told nothing any more should leave; this one does not.
        file.write("#!/usr/bin/python3\nimport signal\nsignal.pause()\n")
    os.chmod(path, 0o755)
    words = ["/bin/sh", "-c", path + "; :"] if options.get("shell") else [path]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    pids["helper"] = process.pid
    if options.get("shell"):
        pids["sh"] = process.pid
        pids["helper"] = until("the helper", lambda: child(process.pid, path))
    return None, process


def guest():
    """Speaks to a browser that somebody else started."""
    return None, Port(profile)


kinds = (puppeteer, playwright, pyppeteer, selenium, cron, helper, guest)
process, line = {known.__name__: known for known in kinds}[kind]()
if options.get("command", "").startswith("exec "):
    pids["browser"] = process.pid
elif kind in ("cron", "selenium") or program == "/usr/bin/chromium-headless-shell":
    # Debian's script for the headless shell does not become the browser.
    if kind != "selenium":
        pids["sh"] = process.pid
    pids["browser"] = until("the browser", lambda: child(pids.get("chromedriver", process.pid)))
elif process:
    pids["browser"] = process.pid
with open(f"{directory}/noted", "w") as file:
    json.dump(pids, file)
os.rename(f"{directory}/noted", f"{directory}/ready")
while True:
    signal.pause()
