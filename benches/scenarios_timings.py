"""How true the parts of a request's time are: against a server that knows how long it took for each."""

import socket
import ssl
import statistics
import subprocess
import threading
import time

import clients
from children import Failed

HANDSHAKE, HEAD, BODY = 0.025, 0.040, 0.030
"""Seconds that the server takes before its part of the TLS handshake, before the head, and within the body."""

REQUESTS = 100

ALLOWED = (0.001, 0.01)
"""Seconds, and share of the part's own time, that a part may be off."""


class DelaysServer:
    """Serves one connection a request over TLS, with delays of known length; keeps how long each really was."""

    def __init__(self, folder):
        cert, key = folder / "delays-cert.pem", folder / "delays-key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "1",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        self.cert = cert
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.took = {"tls": [], "first_byte": [], "body": []}
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def url(self):
        """The address to request."""
        return f"https://127.0.0.1:{self.listener.getsockname()[1]}/"

    def serve(self):
        """Serves connections one after the other, as one user makes them."""
        while True:
            plain, _ = self.listener.accept()
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.answer(plain)
            except OSError:
                pass

    def answer(self, plain):
        """Answers one request. Each time runs from when the server could have gone on to when it did."""
        accepted = time.perf_counter()
        time.sleep(HANDSHAKE)
        with self.context.wrap_socket(plain, server_side=True) as peer:
            shaken = time.perf_counter()
            received = b""
            while b"\r\n\r\n" not in received:
                received += peer.recv(4096)
            asked = time.perf_counter()
            time.sleep(HEAD)
            head = time.perf_counter()
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nab")
            time.sleep(BODY)
            end = time.perf_counter()
            peer.sendall(b"cd")
        self.took["tls"].append(shaken - accepted)
        self.took["first_byte"].append(head - asked)
        self.took["body"].append(end - head)


def where_the_time_goes(bench):
    """Each part of a request's time: within 1 ms + 1 % of what the server took for it."""
    server, path = DelaysServer(bench.folder), bench.stream_file()
    argv = clients.swarmline(bench.binary, None, 1, 60, path, ("--cacert", server.cert, "-n", REQUESTS, server.url))
    with bench.client(argv) as child:
        child.succeed(60)
    ends = [line for _, line in bench.stream(path).lines if line.get("stats_type") == "final"]
    if not ends or ends[0]["num_requests"] != REQUESTS:
        raise Failed("not all requests were answered")
    timings, rows = ends[0]["timings"], []
    for part, took in server.took.items():
        known, shown = statistics.mean(took), timings[f"{part}_us"] / REQUESTS / 1e6
        allowed = ALLOWED[0] + ALLOWED[1] * known
        rows.append([part, f"{known * 1e3:.3f}", f"{shown * 1e3:.3f}", f"{(shown - known) * 1e3:+.3f}"])
        bench.bar(f"time in {part} within 1 ms + 1 %", f"{(shown - known) * 1e3:+.3f} ms of {known * 1e3:.1f} ms",
                  abs(shown - known) <= allowed)
    bench.table("Where the time goes: mean of 100 requests in ms", ["part", "server", "swarmline", "off by"], rows)


SCENARIOS = [where_the_time_goes]
