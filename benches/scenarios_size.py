"""Memory, start-up and shutdown, and countable costs: system calls, bytes, milliseconds."""

import json
import os
import re
import resource
import shutil
import statistics
import time
from dataclasses import dataclass

import clients
from bench import spread
from children import Child, Failed, Skip, output_of
from server import Counted
from stream import why_not
from tools import bench_program

MANY = 10_000
"""Number of users for the memory measurements."""

MIB = 1024
"""In KiB."""


def watched(bench, argv, path, seconds, field="VmHWM"):
    """Runs swarmline and samples its memory ten times a second: (seconds since its start, KiB), and its end.

    Also returns the time of its end in Unix time. `path` is where its stream is written.
    """
    looks = []
    began = time.monotonic()
    with bench.client(argv) as child:
        while child.poll() is None:
            if time.monotonic() - began > seconds + 60:
                raise Failed(f"swarmline still ran after {seconds + 60:g} s")
            now = child.status_kib(field)
            if now:
                looks.append((time.monotonic() - began, now))
            # Reading the status of a process with 10,000 threads is cheap but not free; near the end it would
            # disturb the run.
            time.sleep(0.1 if time.monotonic() - began < seconds - 0.5 else 0.002)
            if time.monotonic() - began >= seconds - 0.5:
                child.wait(60, every=0.002)
        if child.poll():
            raise Failed(f"swarmline ended with {child.poll()}: {child.said() or why_not(path)}")
        return looks, child.ended_unix


def big_bodies(bench):
    """Bodies of 1 MB: as many bytes per second as with 100 KB, and memory that does not grow."""
    seconds = max(4.0, 2 * bench.seconds)
    path = bench.stream_file()
    argv = clients.swarmline(bench.binary, bench.server.url("/1m"), 64, seconds, path)
    with Counted(bench.server) as counted:
        looks, _ = watched(bench, argv, path, seconds)
    requests = counted.requests
    bench.stream(path)
    early = next(kib for at, kib in looks if at >= 2.0)
    late = looks[-1][1]
    bench.note(f"bodies of 1 MB: {requests / seconds:,.0f} requests/s, {requests * 1.048576 / seconds:,.0f} MB/s")
    reached = f"{early / MIB:.1f} MiB at most in the first 2 s, {late / MIB:.1f} MiB after {seconds:g} s"
    # Statistics of one interval and the queues may still grow slightly; holding bodies would take a MiB per
    # user.
    bench.bar("Bodies of 1 MB: no growing memory (within 1 MiB)", reached, late - early <= MIB)


PLAIN = {"plain HTTP": [], "plain HTTP, a request a second each": ["--wait", "1s"]}
"""Kinds of users that have bars, and their flags."""


@dataclass
class Crowd:
    """The results of one run with this many users."""

    kib: float
    requests: int
    connections: int
    started: float | None
    stopped: float


def memory_plain(bench):
    """10,000 users over plain HTTP: memory."""
    for kind, extra in PLAIN.items():
        memory(bench, kind, 32, extra, max(20.0, bench.seconds))


def memory_loops(bench):
    """10,000 users over plain HTTP in nested loops, each with a list of its own: memory."""
    request = {"get": bench.server.url()}
    inner = {"repeat": 1000, "as": "j", "requests": [request, {"append": {"seen": "${j}"}}, {"pause": "1s"}]}
    outer = {"repeat": 1000, "as": "i", "requests": [{"when": "${i} < 1000", "requests": [inner]}]}
    path = bench.folder / "loops.json"
    path.write_text(json.dumps({"user_classes": [{"tasks": [{"requests": [outer]}]}]}))
    memory(bench, "plain HTTP, in nested loops", 32, ["-f", path], max(20.0, bench.seconds))


def memory_tls(bench):
    """10,000 users over TLS 1.3: memory."""
    # This many handshakes take a core some time: those that wait for their turn must not time out.
    extra = ["-k", "--connect-timeout", "60s", "--timeout", "60s"]
    crowd = memory(bench, "TLS", 80, extra, max(30.0, 2 * bench.seconds))
    started = "not all" if crowd.started is None else f"all after {crowd.started:.2f} s"
    bench.note(f"users over TLS: {started}, gone {crowd.stopped:.2f} s after the end")


def memory(bench, kind, most, extra, seconds):
    """Records the bar on the memory of 10,000 users, or of as many as this machine's limits allow."""
    users = how_many()
    crowd = crowd_of(bench, "tls" if kind == "TLS" else "plain", extra, seconds)
    each = crowd.kib / users
    reached = f"{each:.1f} KiB ({crowd.requests:,} requests over {crowd.connections:,} connections in {seconds:g} s)"
    # Users without a connection would prove nothing.
    met = each <= most and crowd.connections >= users
    bench.bar(f"Memory a user at {users:,} users, {kind}: at most {most} KiB", reached, met)
    return crowd


def start_and_end(bench):
    """10,000 users over plain HTTP: how long until all have started, and until all have stopped."""
    users, seconds = how_many(), max(6.0, bench.seconds)
    for kind, extra in PLAIN.items():
        crowds = [crowd_of(bench, "plain", extra, seconds) for _ in range(bench.rounds)]
        started = [seconds if crowd.started is None else crowd.started for crowd in crowds]
        stopped = [crowd.stopped for crowd in crowds]
        for what, took, most in ((f"started, {kind}: within 2 s", started, 2.0),
                                 (f"stopped, {kind}: within 1 s of the end", stopped, 1.0)):
            bench.bar(f"{users:,} users {what}", f"{spread(took)} s", statistics.median(took) <= most)


def how_many():
    """Number of users for the memory measurements, or as many as this machine's limits allow."""
    return min(MANY, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 500)


def crowd_of(bench, port, extra, seconds):
    """A run with this many users."""
    path = bench.stream_file()
    # A scenario has its own URLs.
    url = None if "-f" in extra else bench.server.url(port=port)
    argv = clients.swarmline(bench.binary, url, how_many(), seconds, path, extra)
    with Counted(bench.server) as counted:
        looks, ended = watched(bench, argv, path, seconds)
    stream = bench.stream(path)
    connections = sum(line["connections"]["count"] for _, line in stream.lines
                      if line["telemetry_name"] == "swarmline.metric.interval")
    stopped = ended - (stream.started + seconds)
    return Crowd(looks[-1][1], counted.requests, connections, stream.spawn_seconds(), stopped)


def memory_over_time(bench):
    """Memory over time at full speed: for a minute, with --long for ten."""
    settled, seconds = (60.0, 600.0) if bench.long else (10.0, 60.0)
    if bench.seconds < 3:
        settled, seconds = 4.0, 12.0
    path = bench.stream_file()
    argv = clients.swarmline(bench.binary, bench.server.url(), 64, seconds, path)
    run = bench.run(argv, seconds)
    memory = [value for at, value in bench.stream(path).memory() if at >= settled]
    change = (max(memory) - min(memory)) / memory[0]
    reached = (f"{memory[0]:.1f} MiB at {settled:g} s, {memory[-1]:.1f} MiB at the end, {change:.1%} apart at most "
               f"({run.requests:,} requests)")
    bench.bar(f"Memory over {seconds:g} s at full speed: within 5 % after {settled:g} s", reached, change <= 0.05)


def start(bench):
    """`swarmline --version`, and the size of the binary."""
    times = []
    for _ in range(21):
        began = time.perf_counter()
        child = os.posix_spawn(bench.binary, [bench.binary, "--version"], os.environ,
                               file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
        os.waitpid(child, 0)
        times.append((time.perf_counter() - began) * 1000)
    middle = statistics.median(times[1:])
    bench.bar("swarmline --version: under 5 ms", f"{middle:.1f} ms ({min(times):.1f}..{max(times):.1f})", middle < 5)
    copy = bench.folder / "stripped"
    shutil.copy(bench.binary, copy)
    output_of([bench.program("strip"), copy])
    size = copy.stat().st_size / 1024 / 1024
    copy.unlink()
    bench.bar("Binary, stripped: under 8 MiB", f"{size:.1f} MiB", size < 8)


def system_calls(bench):
    """System calls of 2,000 requests by 4 users: one send each, and little more than one receive."""
    requests = 2000
    summary, path = bench.folder / "strace", bench.stream_file()
    # A run with a fixed number of requests: strace slows everything down, and lines of the stream should not
    # interfere.
    argv = [bench.program("strace"), "-c", "-f", "-o", summary, bench.binary, "run", "-u", 4, "-r", 1000, "-n", requests,
            "--quiet", "--telemetry", path, bench.server.url()]
    with bench.client(argv) as child:
        child.succeed(120)
    path.unlink()
    calls = {}
    for line in summary.read_text().splitlines():
        fields = re.fullmatch(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)", line)
        if fields and fields.group(2) != "total":
            calls[fields.group(2)] = int(fields.group(1))
    most = sorted(calls.items(), key=lambda call: -call[1])[:8]
    bench.table(f"System calls of {requests:,} requests by 4 users", ["call", "number", "a request"],
                [[name, f"{count:,}", f"{count / requests:.3f}"] for name, count in most])
    sent, received, yields = (calls.get(name, 0) / requests for name in ("sendto", "recvfrom", "sched_yield"))
    # A connection begins or ends with a check whether it is quiet: a handful in total. A receive after a yield that finds
    # nothing is followed by another one.
    met = 1.0 <= sent <= 1.01 and 1.0 <= received <= 1.01 + yields and yields <= 1.01
    reached = f"{sent:.3f} sendto, {received:.3f} recvfrom, {yields:.3f} sched_yield"
    bench.bar("One send a request; a receive, and one more only after a yield", reached, met)


def pieces(bench):
    """The parts of the hot path on their own: benches/micro.rs."""
    program = bench_program("micro")
    if not program:
        raise Skip("the bench micro could not be built")
    figures = {}
    for place, core in (("one core", bench.core), ("all cores", None)):
        with Child([program], core) as child:
            child.wait(300)
            text = child.said(10_000)
        for name, ns, rate in re.findall(r"^(\S+)\s+([\d.]+) ns/op\s+(\d+) ops/s$", text, re.MULTILINE):
            figures.setdefault(name, {})[place] = (float(ns), int(rate))
    if not figures:
        raise Failed("the bench micro said nothing")
    rows = [[name, *(f"{found[place][0]:,.1f} ns" for place in ("one core", "all cores")),
             f"{max(rate for _, rate in found.values()):,}"] for name, found in figures.items()]
    bench.table("Pieces of the hot path, medians of five", ["piece", "on one core", "on all cores", "best/s"], rows)
    one = figures["aggregate-record"]["one core"][1]
    bench.bar("Aggregate::record: 5 million outcomes a second on one core", f"{one / 1e6:.1f} million", one >= 5e6)
    senders = {place: rate for place, (_, rate) in figures["channel-64-senders"].items()}
    reached = ", ".join(f"{rate / 1e6:.1f} million on {place}" for place, rate in senders.items())
    bench.bar("Channel with 64 senders: 3 million a second", reached, min(senders.values()) >= 3e6)


SCENARIOS = [pieces, system_calls, start, big_bodies, memory_plain, memory_loops, start_and_end, memory_tls, memory_over_time]
