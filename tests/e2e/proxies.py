"""Proxies written by others, each a foreground child on a free loopback port that accepts one login only."""

import contextlib
import subprocess
from pathlib import Path

from harness import child, free_port, wait_for_port

LOGIN = "amy:sesame"

TINYPROXY = """\
Listen 127.0.0.1
Port {port}
Timeout 60
MaxClients 100
Allow 127.0.0.1
BasicAuth {name} {password}
LogFile "{dir}/tinyproxy.log"
LogLevel Critical
PidFile "{dir}/tinyproxy.pid"
"""


@contextlib.contextmanager
def tinyproxy(directory):
    """An HTTP proxy; yields its host and port."""
    port = free_port()
    directory = Path(directory)
    directory.mkdir(exist_ok=True)
    name, password = LOGIN.split(":")
    file = directory / "tinyproxy.conf"
    file.write_text(TINYPROXY.format(dir=directory, port=port, name=name, password=password))
    with child(["tinyproxy", "-d", "-c", file], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        wait_for_port(port, process, "tinyproxy")
        yield f"127.0.0.1:{port}"


@contextlib.contextmanager
def microsocks():
    """A SOCKS 5 proxy; yields its host and port."""
    port = free_port()
    name, password = LOGIN.split(":")
    command = ["microsocks", "-i", "127.0.0.1", "-p", port, "-u", name, "-P", password]
    with child(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for_port(port, process, "microsocks")
        yield f"127.0.0.1:{port}"
