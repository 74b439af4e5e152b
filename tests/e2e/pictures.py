#!/usr/bin/env python3
"""Makes the pictures of the README anew: docs/images/live.png and docs/images/terminal.svg.

  pictures.py [--bin PATH]

A shop of this file's own, with 8 workers, is loaded with more than they can do: once with a live page, which a headless
Chromium takes a picture of in the middle of the run, and once in a terminal (tmux), whose screen at the end becomes an SVG.
"""

import argparse
import contextlib
import http.server
import random
import re
import sys
import tempfile
import threading
import time
from html import escape
from pathlib import Path

sys.dont_write_bytecode = True

from browser import browser
from harness import StoppableServer, child, clean_environment, free_port, wait_for_port, wait_until
from scenarios_terminal import terminal

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs/images"

WORKERS, MEAN_SECONDS = 8, 0.04
"""What the shop can do: 200 requests a second."""

LIVE = ("--testplan", "shop", "--rate", "60", "--stages", "10s:60,15s:210,20s:60", "-u", "300", "--interval", "500ms",
        "--check", "p95 < 500ms", "--check", "fail_ratio < 1%", "-q")
MOMENT = 30
"""Seconds after the start at which the picture is taken."""

PATHS = ("/items", "/items/7", "POST /orders")

WIDTH, HEIGHT = 1160, 1040
"""Of the picture of the page, in pixels: its top."""

COLUMNS, ROWS = 112, 60
"""Of the terminal."""


class Shop(http.server.BaseHTTPRequestHandler):
    """Answers after a worker was free, and had its time."""

    protocol_version = "HTTP/1.1"
    workers = threading.Semaphore(WORKERS)

    def do_GET(self):
        """One answer in 200 is a failure; an order takes twice as long."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_order = self.command == "POST"
        with self.workers:
            time.sleep(random.expovariate(1 / MEAN_SECONDS) * (2 if is_order else 0.7))
        self.send_response(503 if random.random() < 0.005 else 201 if is_order else 200)
        self.send_header("Content-Length", "900")
        self.end_headers()
        self.wfile.write(b"x" * 900)

    do_POST = do_GET

    def log_message(self, *_):
        """Says nothing."""


class Server(StoppableServer):
    """Says nothing of clients that leave, and has room for all that come."""

    request_queue_size = 512

    def handle_error(self, *_):
        """Says nothing."""


@contextlib.contextmanager
def shop():
    """The shop; yields its URL."""
    server = Server(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def live_page(binary, url, directory):
    """The live page in the middle of a run."""
    port = free_port()
    command = [binary, "run", "-H", url, *LIVE, "--web-port", str(port), "--telemetry", directory / "live.ndjson", *PATHS]
    with child(command, env=clean_environment()) as process, browser(directory) as chromium:
        began = time.monotonic()
        wait_for_port(port, process, "the live page")
        page = chromium.page(f"http://127.0.0.1:{port}/", WIDTH)
        time.sleep(max(0.0, began + MOMENT - time.monotonic()))
        page.screenshot(IMAGES / "live.png", HEIGHT)


def at_a_terminal(binary, url, directory):
    """The screen after a run."""
    command = f"swarmline run -H {url} -u 12 -r 12 -t 25s --interval 1s --check 'p95 < 200ms' /items 'POST /orders'"
    with terminal(COLUMNS, ROWS) as screen:
        screen.type(f"cd {directory}; PS1='$ '; swarmline() {{ {binary} \"$@\"; }}; clear")
        screen.type(command)
        wait_until(lambda: any(line.startswith("stream: ") for line in screen.lines()), 60, "the run ends")
        text = screen.escapes().rstrip()
    lines = text.split("\n")
    begin = max(at for at, line in enumerate(lines) if "swarmline run" in line)
    (IMAGES / "terminal.svg").write_text(svg(lines[begin:-1]))


COLOURS = {31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff", 36: "#76e3ea", 90: "#8b949e"}


def svg(lines):
    """A picture of lines with their colours."""
    height, width = 18, 8.43
    rows = []
    for number, line in enumerate(lines):
        spans, style = [], ""
        for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
            if found := re.fullmatch(r"\x1b\[([0-9;]*)m", piece):
                codes = [int(code or 0) for code in found.group(1).split(";")]
                colour = next((COLOURS[code] for code in codes if code in COLOURS), None)
                style = (f' fill="{colour}"' if colour else "") + (' font-weight="bold"' if 1 in codes else "")
            elif piece:
                spans.append(f"<tspan{style}>{escape(re.sub(chr(27) + '.', '', piece), quote=False)}</tspan>")
        rows.append(f'<text x="16" y="{30 + height * number}" xml:space="preserve">{"".join(spans)}</text>')
    size = f'width="{32 + COLUMNS * width:.0f}" height="{32 + height * len(lines)}"'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" '
            f'font-size="14" fill="#e6edf3"><title>A run at a terminal</title><rect width="100%" height="100%" rx="8" '
            f'fill="#161b22"/>\n' + "\n".join(rows) + "\n</svg>\n")


def main():
    """Makes both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/swarmline", help="the binary")
    binary = parser.parse_args().bin.resolve()
    with tempfile.TemporaryDirectory(prefix="swarmline-pictures-") as directory, shop() as url:
        live_page(binary, url, Path(directory))
        at_a_terminal(binary, url, Path(directory))
    for name in ("live.png", "terminal.svg"):
        print(f"{IMAGES / name}: {(IMAGES / name).stat().st_size} bytes")


if __name__ == "__main__":
    main()
