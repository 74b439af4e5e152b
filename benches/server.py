"""nginx on one core, which also counts: its `stub_status` reports the number of requests, from any client."""

import http.client
import resource
import socket
import subprocess
import time
from pathlib import Path

from children import Child, Failed

CONNECTIONS = 25_000
"""Maximum number of connections of nginx; fewer if the machine's limit of open files requires it."""

CONFIG = """
user root;
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {home}/nginx.pid;
error_log stderr error;
events {{ worker_connections {connections}; multi_accept on; }}
http {{
    access_log off;
    log_format resumed $ssl_session_reused;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    keepalive_time 24h;
    sendfile on;
    open_file_cache max=100 inactive=1h;
    open_file_cache_valid 1h;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    default_type text/plain;
    ssl_certificate {home}/cert.pem;
    ssl_certificate_key {home}/key.pem;
    ssl_protocols TLSv1.3;
    ssl_session_cache shared:bench:10m;
    server {{
        listen 127.0.0.1:{plain} backlog=65535;
        listen 127.0.0.1:{tls} ssl backlog=65535;
        root {home}/files;
        location = /ok {{ return 200 "ok\\n"; }}
        location = /status {{ stub_status; }}
    }}
    server {{
        listen 127.0.0.1:{logged} ssl;
        location = /ok {{ access_log {home}/resumed.log resumed; return 200 "ok\\n"; }}
    }}
}}
"""

SIZES = {"100k": 100 * 1024, "1m": 1024 * 1024}
"""Files that are served, by name."""


class Server:
    """A running nginx. As a context manager it is always ended."""

    def __init__(self, program, home, core):
        self.home = Path(home)
        self.ports = dict(zip(("plain", "tls", "logged"), free_ports(3)))
        self._prepare()
        self.child = Child([program, "-p", self.home, "-c", self.home / "nginx.conf"], core)

    def __enter__(self):
        deadline = time.monotonic() + 10
        while not self._answers():
            if self.child.poll() is not None or time.monotonic() > deadline:
                why = self.child.said()
                self.child.end()
                raise Failed(f"nginx does not answer: {why}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.child.__exit__()

    def _prepare(self):
        files = self.home / "files"
        files.mkdir()
        for name, size in SIZES.items():
            (files / name).write_bytes(b"x" * size)
        make_certificate(self.home)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        config = CONFIG.format(home=self.home, files=limit, connections=min(CONNECTIONS, limit - 100), **self.ports)
        (self.home / "nginx.conf").write_text(config)

    def _answers(self):
        try:
            return self.requests() > 0
        except OSError:
            return False

    def url(self, path="/ok", port="plain"):
        """The URL of `path` on the port `plain`, `tls`, or `logged`, which logs resumed sessions."""
        scheme = "http" if port == "plain" else "https"
        return f"{scheme}://127.0.0.1:{self.ports[port]}{path}"

    def requests(self):
        """Number of requests so far, including this one."""
        asking = http.client.HTTPConnection("127.0.0.1", self.ports["plain"], timeout=30)
        try:
            asking.request("GET", "/status")
            lines = asking.getresponse().read().decode().splitlines()
        except http.client.HTTPException as why:
            raise OSError(str(why)) from why
        finally:
            asking.close()
        return int(lines[2].split()[2])

    def resumed(self):
        """Requests to the port `logged` so far: those over a resumed TLS session, and all."""
        log = self.home / "resumed.log"
        marks = log.read_text().split() if log.exists() else []
        return marks.count("r"), len(marks)


class Counted:
    """The requests that nginx received while the block ran; our own reading of the counter is not included."""

    def __init__(self, server):
        self.server = server
        self.requests = 0

    def __enter__(self):
        self.before = self.server.requests()
        return self

    def __exit__(self, *_):
        self.requests = self.server.requests() - self.before - 1


def free_ports(count):
    """Loopback ports that are unused at this moment."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def make_certificate(home):
    """A temporary key and certificate for loopback, deleted with the folder."""
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", home / "key.pem", "-out", home / "cert.pem"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    if made.returncode:
        raise Failed(f"openssl made no certificate: {made.stderr.decode(errors='replace').strip()[-300:]}")
