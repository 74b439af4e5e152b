"""Existing servers whose highest rate is known: nginx that limits it, gunicorn's workers, haproxy's connections."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from harness import Skip, child, free_port, wait_for_port
from scenarios_terminal import target

NGINX = """\
{user}
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log /dev/null crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    keepalive_requests 100000000;
    limit_req_zone $server_port zone=all:1m rate={rate}r/s;
    server {{
        listen 127.0.0.1:{port};
        location / {{ limit_req zone=all {burst}; root {dir}; }}
    }}
}}
"""

HAPROXY = """\
global
    nbthread 1
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 5s
    timeout queue 60s
frontend limited
    bind 127.0.0.1:{port}
    default_backend slow
backend slow
    server one {server} maxconn {connections}
"""

SLEEPER = """\
import time

def app(environ, start_response):
    time.sleep({seconds})
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"ok\\n"]
"""


@contextlib.contextmanager
def limited_nginx(directory, rate, burst=""):
    """nginx that refuses requests above a rate; `burst` is what `limit_req` says besides. Yields its URL and its process."""
    port = free_port()
    directory = Path(directory)
    directory.mkdir()
    (directory / "ok").write_text("ok\n")
    user = "user root;" if os.geteuid() == 0 else ""
    (directory / "nginx.conf").write_text(NGINX.format(dir=directory, port=port, rate=rate, burst=burst, user=user))
    command = ["nginx", "-p", directory, "-e", "/dev/null", "-c", directory / "nginx.conf"]
    with child(command, signal.SIGQUIT, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for_port(port, process, "nginx")
        yield f"http://127.0.0.1:{port}/ok", process


@contextlib.contextmanager
def sleeping_gunicorn(directory, workers, seconds):
    """gunicorn with so many workers, each of which serves one request at a time, and sleeps. Yields its URL and its process."""
    if subprocess.run([sys.executable, "-c", "import gunicorn"], capture_output=True).returncode:
        raise Skip("the Python package gunicorn is not installed")
    port = free_port()
    directory = Path(directory)
    directory.mkdir()
    (directory / "sleeper.py").write_text(SLEEPER.format(seconds=seconds))
    command = [sys.executable, "-m", "gunicorn", "--chdir", directory, "--bind", f"127.0.0.1:{port}", "--workers", workers,
               "--log-level", "error", "sleeper:app"]
    with child(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for_port(port, process, "gunicorn")
        yield f"http://127.0.0.1:{port}/", process


@contextlib.contextmanager
def limited_haproxy(bench, directory, connections, delay_ms):
    """haproxy that lets so many requests at once through to a server that takes `delay_ms`. Yields its URL and its process."""
    port = free_port()
    directory = Path(directory)
    directory.mkdir()
    with target(bench) as url:
        text = HAPROXY.format(port=port, server=url.removeprefix("http://"), connections=connections)
        (directory / "haproxy.cfg").write_text(text)
        command = ["haproxy", "-db", "-f", directory / "haproxy.cfg"]
        with child(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            wait_for_port(port, process, "haproxy")
            yield f"http://127.0.0.1:{port}/delay/{delay_ms}", process
