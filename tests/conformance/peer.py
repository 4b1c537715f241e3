"""A small service for the steps that ask one, on a port that is free."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Peer(BaseHTTPRequestHandler):
    """Answers ``/echo``, ``/status/N``, ``/flaky/KEY/FAILURES``, ``/slow``, ``/text``.

    ``/slow`` does not answer: whoever asks must not wait for it.
    """

    def log_message(self, *_):
        """Say nothing."""

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode() if length else ""
        kind, *rest = self.path.strip("/").split("/")
        status, content_type = 200, "application/json"
        if kind == "status":
            status = int(rest[0])
            found = {"status": status}
        elif kind == "flaky":
            count = self.server.asked[self.path] = 1 + self.server.asked.get(
                self.path, 0
            )
            status = 500 if count <= int(rest[1]) else 200
            found = {"attempt": count}
        elif kind == "slow":
            self.rfile.read(1)  # until whoever asked has gone
            return
        elif kind == "text":
            content_type, found = "text/plain", None
        else:
            found = self.told(body)
        text = b"hello text" if found is None else json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def told(self, body):
        headers = self.headers
        return {
            "method": self.command,
            "path": self.path,
            "body": body,
            "event_id": headers.get("MLRUN-EVENT-ID"),
            "event_path": headers.get("MLRUN-EVENT-PATH"),
            "ctype": headers.get("Content-Type") if body else None,
            "x": headers.get("X-Test"),
        }

    do_GET = do_POST = do_PUT = do_DELETE = answer


def start_peer():
    """Give a running server; ``end_peer`` ends it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    server.daemon_threads = True
    server.asked = {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def end_peer(server):
    server.shutdown()
    server.server_close()
