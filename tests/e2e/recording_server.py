"""Python's own HTTP server, which records its requests: recording_server.py PORT PROTOCOL RECORD.

It writes the record (JSON, one object a request) when SIGTERM ends it, and exits 0.
"""

import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RECORD = []
LOCK = threading.Lock()
ANSWERS = {"/ok": 200, "/fail": 500}


class Handler(BaseHTTPRequestHandler):
    """Responds to /ok, /fail and everything else (404) with the body `answer`."""

    disable_nagle_algorithm = True

    def answer(self):
        """Reads the complete request, records it and responds."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with LOCK:
            RECORD.append({"method": self.command, "path": self.path, "headers": self.headers.items(),
                           "body": body.decode("latin-1"), "connection": self.client_address[1]})
        self.send_response(ANSWERS.get(self.path, 404))
        if self.protocol_version == "HTTP/1.1":
            self.send_header("Content-Length", "6")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"answer")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        """Logs nothing."""


class Server(ThreadingHTTPServer):
    """Serves connections concurrently."""

    request_queue_size = 1024
    daemon_threads = True


def main():
    """Serves until SIGTERM."""
    port, protocol, record = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    Handler.protocol_version = protocol
    server = Server(("127.0.0.1", port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)
    with LOCK, open(record, "w", encoding="utf-8") as file:
        json.dump(RECORD, file)


if __name__ == "__main__":
    main()
