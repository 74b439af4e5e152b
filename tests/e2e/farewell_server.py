#!/usr/bin/env python3
"""farewell_server.py PORT FILE: answers every request, and says 408 to a connection that is idle for 300 ms, as proxies do.

At SIGTERM it writes how many requests it answered into FILE.
"""

import os
import signal
import socketserver
import sys
import threading
from pathlib import Path

FAREWELL = (b"HTTP/1.0 408 Request Time-out\r\nCache-Control: no-cache\r\nConnection: close\r\n"
            b"Content-Type: text/html\r\n\r\n<html>Your browser didn't send a complete request in time.</html>\n")


class Connection(socketserver.StreamRequestHandler):
    """One connection."""

    timeout = 0.3
    disable_nagle_algorithm = True
    lock = threading.Lock()
    answered = 0

    def handle(self):
        """Serves requests until there is none for 300 ms."""
        try:
            while self.take():
                with self.lock:
                    type(self).answered += 1
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
        except TimeoutError:
            self.wfile.write(FAREWELL)
        except ConnectionError:
            pass

    def take(self):
        """Reads a request with its body; false at the end."""
        length, line = 0, self.rfile.readline()
        came = bool(line)
        while line.strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            line = self.rfile.readline()
        self.rfile.read(length)
        return came


class Server(socketserver.ThreadingTCPServer):
    """Serves connections concurrently."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024


def main(port, file):
    """Serves until SIGTERM."""

    def end(*_):
        Path(file).write_text(str(Connection.answered))
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    with Server(("127.0.0.1", int(port)), Connection) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
