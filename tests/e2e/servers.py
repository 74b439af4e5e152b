"""Servers written by others, each a foreground child on a free loopback port with its own count of requests."""

import contextlib
import csv
import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter, namedtuple
from pathlib import Path

from harness import Skip, child, end, expect, free_port, wait_for_port, wait_until

HERE = Path(__file__).resolve().parent

Entry = namedtuple("Entry", "status method uri bytes connection at tls_reused client_certificate")
"""One line of nginx's access log; `at` is when the request ended, in Unix seconds."""

NGINX = """\
{user}
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 4096; }}
http {{
    log_format e2e '$status $request_method $request_uri $bytes_sent $connection $msec $ssl_session_reused '
                   '$ssl_client_verify';
    access_log {dir}/access.log e2e;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    keepalive_requests 100000000;
    keepalive_timeout {idle};
    default_type text/plain;
    server {{
        listen 127.0.0.1:{port} {listen};
        {also}
        {tls}
        location = /ok {{ return 200 "ok\\n"; }}
        location = /fail {{ return 500 "failed\\n"; }}
        location = /r {{ return 302 /ok; }}
        location / {{ return 404 "missing\\n"; }}
    }}
}}
"""

HAPROXY = """\
global
    nbthread 1
    stats socket {dir}/stats.sock mode 600 level admin
defaults
    mode http
    option http-keep-alive
    timeout client 60s
    timeout server 60s
    timeout connect 5s
    timeout http-keep-alive 60s
frontend e2e
    bind 127.0.0.1:{port}
    http-request return status 200 content-type text/plain string ok if {{ path /ok }}
    http-request return status 500 content-type text/plain string failed if {{ path /fail }}
    http-request return status 404 content-type text/plain string missing
"""


class Nginx:
    """A running nginx. Its log is complete only once it has ended."""

    def __init__(self, port, directory, process):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.tls_url = f"https://127.0.0.1:{port}"
        self._dir = directory
        self.process = process

    def log(self):
        """Ends nginx gracefully and reads its access log."""
        code = end(self.process, signal.SIGQUIT)
        expect(code == 0, f"nginx ended with {code}")
        entries = []
        for line in (self._dir / "access.log").read_text().splitlines():
            status, method, uri, size, connection, at, reused, verified = line.split(" ")
            entries.append(Entry(int(status), method, uri, int(size), int(connection), float(at), reused == "r",
                                 verified == "SUCCESS"))
        return entries


@contextlib.contextmanager
def nginx(directory, tls="", unix_socket=None, also=None, idle="60s"):
    """nginx with one worker; `tls` are the directives of its TLS side, which makes it speak TLS only; it listens on
    `unix_socket` too, or at the address `also`, on the same port; it closes a connection that was idle for `idle`."""
    port = free_port()
    directory = Path(directory)
    directory.mkdir(exist_ok=True)
    more = [f"listen unix:{unix_socket};" if unix_socket else "", f"listen {also}:{port};" if also else ""]
    text = NGINX.format(dir=directory, port=port, tls=tls, listen="ssl" if tls else "", also=" ".join(more), idle=idle,
                        user="user root;" if os.geteuid() == 0 else "")
    (directory / "nginx.conf").write_text(text)
    command = ["nginx", "-p", directory, "-e", directory / "error.log", "-c", directory / "nginx.conf"]
    with child(command, signal.SIGQUIT, stdin=subprocess.DEVNULL) as process:
        wait_for_port(port, process, "nginx")
        yield Nginx(port, directory, process)


def per_uri(entries):
    """The number of requests for each path."""
    return Counter(entry.uri for entry in entries)


class Haproxy:
    """A running haproxy, queried over its statistics socket."""

    def __init__(self, port, directory):
        self.url = f"http://127.0.0.1:{port}"
        self._socket = directory / "stats.sock"

    def statistics(self):
        """The frontend's row of `show stat`: req_tot, hrsp_2xx and so on, as numbers."""
        with socket.socket(socket.AF_UNIX) as conversation:
            conversation.connect(str(self._socket))
            conversation.sendall(b"show stat\n")
            answer = b"".join(iter(lambda: conversation.recv(65536), b"")).decode()
        for row in csv.DictReader(answer.lstrip("# ").splitlines()):
            if row["svname"] == "FRONTEND":
                return {key: int(value) for key, value in row.items() if value and value.isdigit()}
        raise KeyError("haproxy's statistics have no frontend")


@contextlib.contextmanager
def haproxy(directory):
    """haproxy responding by itself, without a backend."""
    port = free_port()
    directory = Path(directory)
    directory.mkdir(exist_ok=True)
    (directory / "haproxy.cfg").write_text(HAPROXY.format(dir=directory, port=port))
    command = ["haproxy", "-db", "-f", directory / "haproxy.cfg"]
    with child(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for_port(port, process, "haproxy")
        yield Haproxy(port, directory)


class PythonServer:
    """A running recording_server.py."""

    def __init__(self, port, directory, process):
        self.url = f"http://127.0.0.1:{port}"
        self._record = directory / "record.json"
        self.process = process

    def requests(self):
        """Ends the server and returns every request as received: method, path, headers, body (latin-1), connection."""
        code = end(self.process)
        expect(code == 0, f"the Python server ended with {code}")
        return json.loads(self._record.read_text())


@contextlib.contextmanager
def python_server(directory, protocol="HTTP/1.1"):
    """Python's own http.server; with HTTP/1.0 it closes after each response and sends no length."""
    port = free_port()
    directory = Path(directory)
    directory.mkdir(exist_ok=True)
    command = [sys.executable, HERE / "recording_server.py", port, protocol, directory / "record.json"]
    with child(command, stdin=subprocess.DEVNULL) as process:
        wait_for_port(port, process, "the Python server")
        yield PythonServer(port, directory, process)


@contextlib.contextmanager
def hanging_server():
    """Accepts connections and never responds; yields its port and a function that waits for a connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        listener.setblocking(False)
        held = []

        def someone_came():
            with contextlib.suppress(BlockingIOError):
                held.append(listener.accept()[0])
            return bool(held)

        try:
            yield listener.getsockname()[1], lambda: wait_until(someone_came, 10, "someone connects")
        finally:
            for connection in held:
                connection.close()


def certificates(directory):
    """Creates a CA (ca.pem), a server (server.pem, .key) and a client (client.pem, .key) certificate in `directory`."""
    directory = Path(directory)
    (directory / "openssl.cnf").write_text(
        "[req]\nprompt = no\ndistinguished_name = name\n[name]\nCN = swarmline e2e\n"
        "[ca]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n"
        "[server]\nsubjectAltName = IP:127.0.0.1, DNS:localhost\nextendedKeyUsage = serverAuth\n"
        "[client]\nextendedKeyUsage = clientAuth\n")

    def openssl(*arguments):
        try:
            done = subprocess.run(["openssl", *arguments], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True)
        except FileNotFoundError:
            raise Skip("openssl is not installed") from None
        expect(done.returncode == 0, f"openssl {arguments[0]}: {done.stderr.decode(errors='replace')}")

    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", "openssl.cnf"]
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-extensions", "ca")
    for who in ("server", "client"):
        openssl("req", "-new", *new_key, "-keyout", f"{who}.key", "-out", f"{who}.csr")
        openssl("x509", "-req", "-in", f"{who}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{who}.pem", "-days", "2", "-extfile", "openssl.cnf", "-extensions", who)
    return directory


def nginx_tls(certs, verify_client=False, name="server"):
    """The TLS directives of an nginx with the certificate `name`.pem, which may request a client certificate."""
    lines = [f"ssl_certificate {certs}/{name}.pem;", f"ssl_certificate_key {certs}/{name}.key;",
             "ssl_session_cache shared:e2e:1m;"]
    if verify_client:
        lines += [f"ssl_client_certificate {certs}/ca.pem;", "ssl_verify_client on;"]
    return "\n        ".join(lines)
