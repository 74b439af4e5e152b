#!/usr/bin/env python3
"""Three searches for the capacity of each of some existing servers, with steps of 3 s, beside what they can really do.

  capacity_study.py [--bin PATH] [--only WORD]

Prints the part of benches/STUDY.md; the exit code is 1 if a bar is missed. Takes a quarter of an hour on a quiet machine.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

from harness import Bench
from limited_servers import limited_haproxy, limited_nginx, sleeping_gunicorn
from scenarios_capacity import search

ROOT = Path(__file__).resolve().parents[2]

SEARCHES = 3

PRECISION = 0.05

CAPACITY = 200
"""Requests a second that each of the servers takes."""

STEPS = ("--step-time", "3s", "--settle", "1s", "--from", "30")


def servers(bench):
    """What is searched: a name, the check, and the server. The capacity of each is 200/s by its configuration; a little
    less where a worker or a connection needs time besides its sleep."""
    folder = bench.dir
    return [
        ("nginx, `limit_req` 200 r/s, burst=10 nodelay", "fail_ratio < 1%",
         limited_nginx(folder / "nodelay", 200, "burst=10 nodelay")),
        ("nginx, `limit_req` 200 r/s, burst=40, delayed", "p99 < 100ms", limited_nginx(folder / "delay", 200, "burst=40")),
        ("nginx, `limit_req` 200 r/s, no burst", "fail_ratio < 1%", limited_nginx(folder / "plain", 200)),
        ("gunicorn, 4 workers that sleep 20 ms", "p99 < 60ms", sleeping_gunicorn(folder / "gunicorn", 4, 0.02)),
        ("haproxy, `maxconn 4` before 20 ms", "p99 < 60ms", limited_haproxy(bench, folder / "haproxy", 4, 20)),
    ]


def table(bench, only):
    """The rows, and how many answers miss the bar."""
    missed = 0
    lines = ["| server | check | capacity | found | off | lowest failed | steps | time | |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for name, check, server in servers(bench):
        if only not in name:
            continue
        with server as (url, _):
            for _ in range(SEARCHES):
                found = search(bench, *STEPS, "--check", check, url, limit=600)
                answer = found.answer
                rate = answer.get("rate", 0)
                off = rate / CAPACITY - 1
                met = answer["answer"] == "found" and abs(off) <= PRECISION
                missed += not met
                word = "ok" if met else "off" if answer["answer"] == "found" else answer["answer"]
                lines.append(f"| {name} | `{check}` | {CAPACITY}/s | {rate}/s | {off:+.1%} | {answer.get('failed', '–')} | "
                             f"{len(found.steps)} | {found.seconds:.0f} s | {word} |")
                print(lines[-1], file=sys.stderr, flush=True)
    return lines, missed


def simulated():
    """What the bench `capacity` finds: its table, and whether every bar is met."""
    command = ["cargo", "bench", "--locked", "--bench", "capacity"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return [line for line in ran.stdout.splitlines() if line.startswith("|")], ran.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/swarmline", help="the binary under test")
    parser.add_argument("--only", default="", metavar="WORD", help="servers whose name contains WORD, and no simulation")
    options = parser.parse_args()
    rows, is_met = ([], True) if options.only else simulated()
    with tempfile.TemporaryDirectory(prefix="swarmline-capacity-") as folder:
        lines, missed = table(Bench(options.bin.resolve(), options.bin, None, folder, []), options.only)
    if rows:
        print("\n".join(["## The search for capacity, over simulated queues", "", *rows, ""]))
    print("\n".join(["## The search for capacity, against existing servers", "", *lines]))
    return 0 if is_met and not missed else 1


if __name__ == "__main__":
    sys.exit(main())
