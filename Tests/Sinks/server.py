"""The other end of a webhook, on the loopback: it does what the file "mode" says and notes each request in "requests".

Modes: refuse (the port is taken and nobody listens), hang, a status such as 500, a status and the seconds of
its Retry-After such as 429:1, and ok. "port" names the port.
"""
import http.server
import json
import os
import sys
import threading
import time

place = sys.argv[1]
lock = threading.Lock()


def mode():
    with open(f"{place}/mode") as file:
        return file.read().strip()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        now = mode()
        note = {
            "mode": now, "method": self.command, "path": self.path, "headers": list(self.headers.items()),
            "body": body.decode("utf-8", "surrogateescape").encode("utf-8", "backslashreplace").decode(),
            "controls": sum(byte < 32 and byte != 10 or byte == 127 for byte in body),
        }
        with lock, open(f"{place}/requests", "a") as file:
            file.write(json.dumps(note) + "\n")
        if now == "hang":
            while mode() == "hang":
                time.sleep(0.02)
            self.close_connection = True
            return
        status, _, wait = ("204" if now == "ok" else now).partition(":")
        self.send_response(int(status))
        if wait:
            self.send_header("Retry-After", wait)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *words):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.server_bind()
with open(f"{place}/port.new", "w") as file:
    file.write(str(server.server_address[1]))
os.rename(f"{place}/port.new", f"{place}/port")
while mode() == "refuse":
    time.sleep(0.02)
server.server_activate()
server.serve_forever()
