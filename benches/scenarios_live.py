"""What a live page costs the load: the same open load without a page, with one, and with readers of it, in paired rounds."""

import contextlib
import json
import socket
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from bench import SLACK, spread
from children import Child, Failed, cores
from server import Counted

RATE = 1000
"""Arrivals per second: far less than one core can send, so that latencies are those of the service and not of a queue."""

MOST_READERS = 64
"""As many as the page has room for."""


@dataclass
class LiveRun:
    """CPU of the whole process per request, threads of the page included, and response times; microseconds."""

    cpu_us: float
    p50_us: float
    p99_us: float


def free_port():
    """A port that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def with_readers(bench, readers):
    """For `rounds_of`: the load with so many readers; None is a run without a page."""

    def work(seconds):
        stream, port = bench.stream_file(), free_port()
        page = [] if readers is None else ["--web-port", port]
        argv = [bench.binary, "run", "-u", 64, "--rate", RATE, "-t", f"{seconds:g}s", "--interval", "1s", "--telemetry", stream,
                "--quiet", *page, bench.server.url()]
        with contextlib.ExitStack() as stack, Counted(bench.server) as counted:
            child = stack.enter_context(bench.client(argv))
            if readers:
                reading = [sys.executable, Path(__file__).with_name("readers.py"), port, readers]
                stack.enter_context(Child(reading, cores()[0]))
            # On a machine that is not quiet a run may be late, and not valid: its figures are compared all the same.
            if child.wait(seconds + SLACK) not in (0, 4):
                raise Failed(f"swarmline with {readers} readers: {child.said()}")
            cpu = child.cpu_seconds()
        lines = [json.loads(line)["telemetry"] for line in stream.read_text().splitlines()]
        stream.unlink()
        total = next(line for line in lines if line.get("stats_type") == "final")
        return LiveRun(cpu * 1e6 / counted.requests, total["percentile_50"] * 1000, total["percentile_99"] * 1000)

    return work


def live_page(bench):
    """CPU a request and latencies of an open load: without a page, with a page, with one reader, with 64."""
    contenders = {"no page": with_readers(bench, None), "page, no reader": with_readers(bench, 0),
                  "page, 1 reader": with_readers(bench, 1), "page, 64 readers": with_readers(bench, MOST_READERS)}
    runs = bench.rounds_of(contenders)
    rows = []
    for name, own in runs.items():
        paired = [[getattr(mine, key) / getattr(plain, key) for mine, plain in zip(own, runs["no page"])]
                  for key in ("cpu_us", "p50_us", "p99_us")]
        figures = [f"{statistics.median(getattr(run, key) for run in own):.1f}" for key in ("cpu_us", "p50_us", "p99_us")]
        rows.append([name, *figures, *(spread(values) for values in paired)])
        if name != "no page":
            bench.bar(f"live page: CPU a request, {name} / no page", spread(paired[0], 3), None)
    head = ["page", "CPU µs/request", "p50 µs", "p99 µs", "CPU / no page", "p50 / no page", "p99 / no page"]
    bench.table(f"{RATE:,} requests a second on one core, tick 1 s, with a live page", head, rows)


SCENARIOS = [live_page]
