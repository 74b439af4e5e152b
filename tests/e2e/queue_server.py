"""A queue with one server and exponential service times, which keeps its own record: python3 queue_server.py PORT MEAN_MS
SEED RECORD.

Requests are served one after the other in the order in which they came. Each has a line in RECORD when it came and one when
its answer was sent: `arrival N TIME` and `done N TIME`, in Unix seconds. One thread, no sleeping but in select, so its own
times are exact to about a tenth of a millisecond.
"""

import random
import selectors
import socket
import sys
import time
from collections import deque

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def serve(port, mean, seed, record):
    """Serves until it is ended."""
    chance = random.Random(seed)
    # The wall clock may be set; the anchor makes monotonic times comparable with those of the stream.
    anchor = time.time() - time.monotonic()
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    listener.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    waiting = deque()
    free_at = 0.0
    number = 0
    while True:
        now = time.monotonic()
        while waiting and waiting[0][1] <= now:
            served, _, connection = waiting.popleft()
            try:
                connection.send(ANSWER)
            except OSError:
                # The client was cut off: the request is not completed.
                continue
            record.write(f"done {served} {anchor + time.monotonic():.6f}\n")
        timeout = max(0.0, waiting[0][1] - time.monotonic()) if waiting else None
        for key, _ in selector.select(timeout):
            if key.fileobj is listener:
                connection, _ = listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ)
                continue
            try:
                data = key.fileobj.recv(65536)
            except OSError:
                data = b""
            if not data:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                continue
            # A request without a body arrives in one piece on loopback.
            came = time.monotonic()
            number += 1
            free_at = max(free_at, came) + chance.expovariate(1.0 / mean)
            waiting.append((number, free_at, key.fileobj))
            record.write(f"arrival {number} {anchor + came:.6f}\n")


if __name__ == "__main__":
    with open(sys.argv[4], "w", buffering=1) as file:
        serve(int(sys.argv[1]), float(sys.argv[2]) / 1000.0, int(sys.argv[3]), file)
