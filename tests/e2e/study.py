#!/usr/bin/env python3
"""What takes over a minute: a queue with known answers, nginx reloaded many times, GNU timeout many times, comparisons.

  study.py [--bin PATH] [--seconds S] [--results FILE]

The queue: Poisson arrivals at one server with exponential service times, below and above capacity, with the end of the run
in the middle of the backlog; the server keeps its own record, and every figure is compared with the one computed from it.
The scenarios of run.py hold the same with fewer and shorter runs. Writes benches/STUDY.md; exits with 1 if a bar is
missed.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timezone
from pathlib import Path

sys.dont_write_bytecode = True

from comparisons import real_tables, synthetic_table
from harness import Bench, clean_environment, expect
from run import ROOT, default_signals
from scenarios_connections import reloaded
from scenarios_count import whole_stream
from scenarios_end import ended_by_gnu_timeout
from scenarios_engines import lines_of, own
from scenarios_unfinished import judged_times, of_the_record, queue, queue_flags, queue_record
from statistics_judge import judged
from stream import STOPPED, seconds

MEAN_MS = 50
"""Mean service time: the capacity is 20 requests a second."""

LOADS = (0.5, 0.8, 1.2, 2.0)
"""Arrival rates as shares of the capacity."""

SEEDS = (1, 2, 3)

AT_ONCE = 3
"""Runs at the same time: together they take a few percent of a core."""

START_DELAY = 4.0
"""Seconds until the shards of a run start together."""

NAMES = {"avg_us": "mean", "p50_us": "p50", "p90_us": "p90", "p95_us": "p95", "p99_us": "p99"}


def one_host(bench, load, seed, run_time):
    """A run at the queue by one process: its stream and the server's record."""
    record, path = bench.dir / "record", bench.stream_path()
    with queue(record, MEAN_MS, seed) as port:
        ran = bench.run(*queue_flags(port, load * 1000 / MEAN_MS, run_time, seed), "--telemetry", path, limit=run_time + 30)
    return whole_stream(bench, path, ran), queue_record(record)


def two_shards(bench, load, seed, run_time):
    """The same by two shards: the merged stream and the server's record."""
    record, merged = bench.dir / "record", bench.stream_path("merged.ndjson")
    paths = [bench.stream_path(f"{shard}.ndjson") for shard in range(2)]
    start = datetime.fromtimestamp(time.time() + START_DELAY, timezone.utc).isoformat().replace("+00:00", "Z")
    with queue(record, MEAN_MS, seed) as port:
        flags = [*queue_flags(port, load * 1000 / MEAN_MS, run_time, seed), "--run-id", f"queue-{seed}", "--start-at", start]
        with bench.start(*flags, "--shard", "0/2", "--telemetry", paths[0]) as first, \
                bench.start(*flags, "--shard", "1/2", "--telemetry", paths[1]) as second:
            for shard in (first, second):
                bench.finish(shard, time.monotonic(), run_time + 30)
    subprocess.run([bench.binary, "merge", *paths, "--telemetry", merged], stdin=subprocess.DEVNULL, capture_output=True,
                   env=clean_environment(), timeout=60)
    return own(lines_of(merged.read_bytes())), queue_record(record)


def queue_row(bench, name, load, seed, run_time):
    """One run at the queue: a row of the table, and the largest deviation of its figures from the record's, as a share."""
    stream, record = (two_shards if name == "2 shards" else one_host)(bench, load, seed, run_time)
    end = stream.end
    wanted, own, done, left = of_the_record(record, seconds(stream.one(STOPPED)["stopped_at"]))
    expect(len(record) == end["sent"], f"the server counted {len(record)}, sent {end['sent']}")
    expect(abs(done - end["completed"]) <= 2, f"the server had done {done}, completed {end['completed']}")
    judged = judged_times(stream)
    pairs = {key: (judged[key] / 1000, wanted[key] / 1000) for key in NAMES}
    pairs["completed"] = (stream.final["avg_response_time"], own["avg_us"] / 1000)
    worst = max(abs(ours - theirs) / theirs for ours, theirs in pairs.values())
    cells = [f"{ours:.1f} / {theirs:.1f}" for ours, theirs in pairs.values()]
    # Mean time in an M/M/1 system: 1 / (service rate - arrival rate); there is none at or above capacity.
    theory = f"{MEAN_MS / (1 - load):.0f}" if load < 1 else ""
    row = [name, f"{load:.0%}", seed, end["due"], end["completed"], left, *cells, theory, f"{worst:.2%}"]
    return row, worst


def queue_table(binary, directory, run_time):
    """All runs at the queue: lines of the page, and whether each figure is within 1 %."""
    cases = [("1 host", load, seed) for load in LOADS for seed in SEEDS] + [("2 shards", load, 1) for load in LOADS]

    def case(number):
        bench = Bench(binary, binary, None, directory / f"queue-{number}", [])
        bench.dir.mkdir()
        return queue_row(bench, *cases[number], run_time)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        rows = list(pool.map(case, range(len(cases))))
    worst = [share for _, share in rows]
    head = ["run", "load", "seed", "due", "completed", "left", *NAMES.values(), "mean of completed", "M/M/1", "most off"]
    is_met = max(worst) <= 0.01
    return [
        "## A queue with known answers",
        "",
        f"Poisson arrivals at one server with exponential service times of {MEAN_MS} ms on average, {run_time} s each. Times in "
        "ms, swarmline's / the server's own record: judged ones, with unfinished requests at the time that they had waited, "
        "and the mean of those completed. M/M/1: the mean of an endless run.",
        "",
        f"| bar | reached | ok |\n| --- | --- | --- |\n| every figure within 1 % of the server's record | "
        f"{max(worst):.2%} at most, {statistics.median(worst):.2%} in the middle | {'ok' if is_met else 'SHORT'} |",
        "",
        f"| {' | '.join(head)} |\n|{' --- |' * len(head)}",
        *(f"| {' | '.join(map(str, row))} |" for row, _ in rows),
        "",
    ], is_met


def reload_table(binary, directory, reloads):
    """nginx reloaded many times: lines of the page, and whether at most 1 in 200 failed."""
    bench = Bench(binary, binary, None, directory / "reloads", [])
    bench.dir.mkdir()
    stream, entries = reloaded(bench, reloads)
    end = stream.end
    is_met = end["failed"] * 200 <= end["sent"]
    return [
        "## nginx, reloaded",
        "",
        "50 users that POST with 50 to 200 ms of think time; what fails was closed between the look and the request.",
        "",
        "| bar | reached | ok |\n| --- | --- | --- |\n"
        f"| {reloads} reloads: at most 1 in 200 fails | {end['failed']} of {end['sent']} "
        f"({end['failed'] / end['sent']:.2%}), {end['reopened']} reopened, nginx's log {len(entries)} | "
        f"{'ok' if is_met else 'SHORT'} |",
        "",
    ], is_met


def timeout_table(binary, directory, times):
    """GNU timeout many times: lines of the page; a run that is not whole ends the study."""
    bench = Bench(binary, binary, None, directory / "timeouts", [])
    bench.dir.mkdir()
    sent = sum(ended_by_gnu_timeout(bench, str(number)).end["sent"] for number in range(times))
    return [
        "## Two signals within milliseconds",
        "",
        "`timeout 0.7 swarmline run -s 2s --html --junit`: SIGTERM comes twice.",
        "",
        "| bar | reached | ok |\n| --- | --- | --- |\n"
        f"| every stream and report whole, counts as in nginx's log | {times} of {times}, {sent} requests | ok |",
        "",
    ], True


def main():
    """Writes the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    parser.add_argument("--bin", type=Path, default=target / "release/swarmline", help="the binary under test")
    parser.add_argument("--seconds", type=int, default=60, help="run time at the queue")
    parser.add_argument("--results", type=Path, default=ROOT / "benches/STUDY.md", help="where the page goes")
    options = parser.parse_args()
    default_signals()
    binary = options.bin.resolve()
    with tempfile.TemporaryDirectory(prefix="swarmline-study-") as directory:
        parts = [
            queue_table(binary, Path(directory), options.seconds),
            reload_table(binary, Path(directory), 20),
            timeout_table(binary, Path(directory), 20),
            synthetic_table(),
            judged(Path(directory)),
            real_tables(binary, Path(directory)),
        ]
    build = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    head = [
        "# What is measured over many runs",
        "",
        "Written by `make study` (`tests/e2e/study.py`); `make e2e` holds the same with fewer and shorter runs.",
        "",
        f"{date.today()}; {os.cpu_count()} cores, Linux {platform.release().split('-')[0]}; swarmline {build}.",
        "",
    ]
    options.results.write_text("\n".join([*head, *(line for lines, _ in parts for line in lines)]).rstrip() + "\n")
    print(options.results.read_text())
    return 0 if all(is_met for _, is_met in parts) else 1


if __name__ == "__main__":
    sys.exit(main())
