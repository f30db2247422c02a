"""Pid 1 of a private pid namespace in which browsers are leaked: starts, signals and lists what lives in it.

One JSON line in, one out. When it is told to, or its input ends, it leaves, and the kernel kills all others of
the namespace with it, whatever they block, ignore or daemonise: no process of a test outlives the test, and none
is ever killed by name. An orphan is adopted by a real pid 1, not by a subreaper that the tests would have made,
and nobody else's browsers are in sight.
"""

import ctypes
import json
import os
import signal
import socket
import sys

ended = {}


def reap(*_):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        ended[pid] = os.waitstatus_to_exitcode(status)


def start(argv, program=None, user=0, environment=None, directory="/", output="/dev/null", hangs=False):
    """The new process's pid; it leads a session of its own and has no descriptor but 0, 1 and 2."""
    # A reader of this pipe waits for ever.
    source, kept = os.pipe() if hangs else (os.open("/dev/null", os.O_RDONLY), None)
    if kept is not None:
        forever.append(kept)
    sink = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            os.dup2(source, 0)
            os.dup2(sink, 1)
            os.dup2(sink, 2)
            os.closerange(3, 4096)
            for number in (signal.SIGCHLD, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            # Else an ordinary user could not look at its own process in /proc.
            ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
            os.chdir(directory)
            os.execve(program or argv[0], argv, environment or {})
        except BaseException as error:
            os.write(2, f"{argv}: {error}\n".encode())
        os._exit(127)
    os.close(source)
    os.close(sink)
    return {"pid": pid}


def read(path):
    with open(path, "rb") as file:
        return file.read()


TOLD = ("--no-sandbox", "--headless", "--enable-automation", "--remote-debugging", "--top-chrome-webui", "--dump-dom")


def look():
    """All processes and zombies; of a browser's long command lines what the tests ask for."""
    reap()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            line = read(f"/proc/{name}/stat").decode(errors="replace")
            state, parent, group, session, *rest = line[line.rindex(")") + 2 :].split()
            words = read(f"/proc/{name}/cmdline").decode(errors="replace").replace("\0", " ").split()
            user = os.stat(f"/proc/{name}").st_uid
        except OSError:
            continue
        try:
            program = os.readlink(f"/proc/{name}/exe")
        except OSError:
            program = ""
        said = {"pid": int(name), "parent": int(parent), "group": int(group), "session": int(session), "state": state}
        said |= {"started": int(rest[15]), "cpu": int(rest[7]) + int(rest[8]), "user": user, "program": program, "start": " ".join(words)[:100]}
        said["flags"] = [word for word in words if word.startswith(TOLD)]
        for word in words:
            for key, option in (("part", "--type="), ("profile", "--user-data-dir="), ("database", "--database=")):
                if word.startswith(option):
                    said.setdefault(key, word[len(option) :])
        found.append(said)
    return {"processes": found}


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
    return {}


def leave(pid):
    """The exit code of one that was started here; none while it runs."""
    reap()
    return {"code": ended.get(pid)}


forever = []
# Who connects here is never answered: a page that never finishes.
silent = socket.create_server(("127.0.0.1", 0), backlog=64)

signal.signal(signal.SIGCHLD, reap)
print(json.dumps({"port": silent.getsockname()[1]}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "end":
        break
    try:
        answer = {"start": start, "look": look, "send": send, "leave": leave}[request.pop("do")](**request)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
