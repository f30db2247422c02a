"""The 3 am story under a real cron: 12 jobs of 5 agents, of which none knows of midwatch.

Runs as pid 1 of a pid namespace with a mount namespace of its own, where /etc, /usr and /var can be
written without the machine's own being touched. Prints what was seen as one line of JSON.
"""
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

midwatchd, root = sys.argv[1:3]
began = time.monotonic()


def note(text):
    print(f"{time.monotonic() - began:5.1f} {text}", file=sys.stderr, flush=True)


def text(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def write(path, content, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(content)
    os.chmod(path, mode)


def until(what, look, seconds=150):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"{what} did not come; the journal:\n{text('/var/lib/midwatch/journal.jsonl')}\nthe log:\n{text(root + '/log')}"
             f"\nthe jobs:\n{text(root + '/ran')}\nsyslog:\n{lines}")


def machine():
    """A system of its own on top of this one."""
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/mnt"], check=True)
    for name in ["etc", "usr", "var"]:
        os.makedirs(f"/mnt/{name}/up")
        os.makedirs(f"/mnt/{name}/work")
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir=/{name},upperdir=/mnt/{name}/up,workdir=/mnt/{name}/work", f"/{name}"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run"], check=True)
    os.makedirs("/run/lock", exist_ok=True)
    subprocess.run("""
      mkdir /mnt/dev && mount -t tmpfs -o mode=755 none /mnt/dev
      for device in null zero full random urandom tty; do cp -a /dev/$device /mnt/dev/; done
      mount --move /mnt/dev /dev && mkdir -m 1777 /dev/shm""", shell=True, check=True)
    # What the machine's own cron would do is none of this story's.
    for directory in ["/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/var/spool/cron/crontabs"]:
        for name in os.listdir(directory) if os.path.isdir(directory) else []:
            os.unlink(f"{directory}/{name}")
    write("/etc/crontab", "")


lines = []


def syslog():
    """Takes in what is sent to /dev/log."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind("/dev/log")
    os.chmod("/dev/log", 0o666)

    def read():
        while True:
            lines.append(listening.recv(4096).decode(errors="replace"))

    threading.Thread(target=read, daemon=True).start()


# The scheduler's retry logic is wrong: it starts the content agent until it succeeds, and that never does.
AGENTS = {
    "research": "echo finding $$ $(date +%N) > outputs/research/$(date +%s%N).md",
    "content": "cat draft > outputs/content/variation-$(date +%s%N).md; sleep 0.2; exit 1",
    "seo": "ls outputs/content > outputs/seo/index.txt",
    "community": "echo post >> discord; echo posted",
    "scheduler": "if [ -e retry ]; then while ! sh content.sh; do sh seo.sh; done; fi",
}
JOBS = [
    ("research", "root", "sh research.sh"), ("research", "root", "sh research.sh # papers"),
    ("content", "root", "test -e never || true # content calendar"), ("content", "root", "touch status/content.heartbeat"),
    ("content", "root", "find outputs/content -name '*.bak' -delete"), ("seo", "root", "sh seo.sh"),
    ("seo", "root", "touch status/seo.heartbeat"), ("community", "nobody", "sh community.sh"),
    ("community", "nobody", "date +%s > outputs/community/seen"), ("scheduler", "root", "sh scheduler.sh"),
    ("scheduler", "root", "touch status/scheduler.heartbeat"), ("scheduler", "root", "true"),
]


def agents():
    for name in ["tasks", "status", *(f"outputs/{name}" for name in AGENTS)]:
        os.makedirs(f"{root}/{name}", exist_ok=True)
    for name, script in AGENTS.items():
        write(f"{root}/{name}.sh", f"cd {root}\n{script}\n")
    for name in ["discord", "ran", "mails"]:
        write(f"{root}/{name}", "", 0o666)
    os.chmod(f"{root}/outputs/community", 0o777)
    write(f"{root}/draft", "The same article, once more. " * 40)
    # The one line is the first.
    crontab = ["SHELL=/usr/bin/midwatch-sh", "MAILTO=root"]
    for number, (agent, user, command) in enumerate(JOBS):
        crontab.append(f"* * * * * {user} cd {root} && echo {number} >> ran && {command}")
    write("/etc/cron.d/agents", "\n".join(crontab) + "\n")
    os.symlink(midwatchd, "/usr/bin/midwatch-sh")
    if os.path.lexists("/usr/sbin/sendmail"):
        os.unlink("/usr/sbin/sendmail")
    # No mail server can be had: this one keeps what it is given.
    write("/usr/sbin/sendmail", f"#!/bin/sh\ncat >> {root}/mails\necho >> {root}/mails\n", 0o755)


def counts():
    """How often each job ran."""
    ran = [int(line) for line in text(f"{root}/ran").split()]
    return [ran.count(number) for number in range(len(JOBS))]


def written():
    return len(os.listdir(f"{root}/outputs/content"))


def journal(what):
    entries = []
    for line in text("/var/lib/midwatch/journal.jsonl").splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return [entry for entry in entries if entry["what"] == what]


def alerts():
    return [json.loads(line) for line in text(f"{root}/told").splitlines()]


def play():
    write("/etc/midwatch/midwatch.conf", f"""[pipeline]
root = {root}
[outputs]
limit = 10 per 10min
similar = off
[halt]
verify-after = 5s
[leaks]
mode = off
[memory]
mode = off
[alert]
exec = /usr/local/bin/tell
""")
    write("/usr/local/bin/tell", f"#!/bin/sh\ncat >> {root}/told\n", 0o755)
    watch = subprocess.Popen([midwatchd], stderr=open(f"{root}/log", "w"))
    until("the watch", lambda: journal("started") and os.path.exists("/run/midwatch/status.json"))
    cron = subprocess.Popen(["cron", "-f"], stderr=subprocess.DEVNULL)

    until("a quiet minute", lambda: min(counts()) >= 1)
    quiet = counts()
    note(f"a quiet minute: {quiet}")
    until("a job's mail", lambda: "posted" in text(f"{root}/mails"))

    write(f"{root}/retry", "")
    until("the trip", lambda: journal("halted"))
    until("the proof", lambda: journal("proved"))
    at_halt, told, ran = written(), alerts(), counts()
    note(f"halted: {at_halt} variations, {journal('proved')[0]['say']}")
    mails = text(f"{root}/mails")

    until("a halted minute", lambda: sum("skipped, halted by" in line for line in lines) >= len(JOBS))
    # Every job of that minute was skipped, and nobody else wrote.
    skipped = sum("skipped, halted by" in line for line in lines)
    time.sleep(2)
    still = written()
    halted = {"ran": counts() == ran, "mails": text(f"{root}/mails") == mails, "skipped": skipped}
    note(f"a halted minute: {skipped} skipped")

    # What a woken person does: the culprit goes, and then HALT.
    os.unlink(f"{root}/retry")
    for process in journal("paused")[0]["processes"]:
        os.kill(process["pid"], signal.SIGKILL)
    os.unlink(f"{root}/HALT")
    until("the end of it", lambda: journal("resumed") and len(alerts()) == 2)
    until("a minute after", lambda: all(now > before for now, before in zip(counts(), ran)))
    note(f"a minute after: {counts()}")

    watch.terminate()
    cron.terminate()
    return {
        "quiet": min(quiet), "limit": at_halt, "extra": journal("proved")[0]["extra"],
        "paused": len(journal("paused")[0]["processes"]), "still": still - at_halt, "told": [each["state"] for each in told],
        "summary": told[0]["summary"], "stopped": told[0]["stopped"], "same": len({each["id"] for each in alerts()}),
        "all": [each["state"] for each in alerts()], **halted, "exit": watch.wait(),
        "other": [line for line in lines if "midwatch-sh" in line and "skipped, halted by" not in line],
    }


# The tests beside it must not keep a verdict waiting for its second.
os.setpriority(os.PRIO_PROCESS, 0, -15)
machine()
syslog()
agents()
print(json.dumps(play()), flush=True)
