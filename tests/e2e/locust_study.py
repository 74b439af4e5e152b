#!/usr/bin/env python3
"""All locustfiles of the corpus under Locust and imported: locust_study.py [--bin PATH] [--only NAME]... [-v]."""

import argparse
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

from harness import Bench
from run import ROOT, default_signals
from scenarios_locust import CASES, judge_all


def main():
    """Prints a line a file; returns 1 if one differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/swarmline")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--itself", action="store_true", help="Locust beside Locust: what differs is the judge's own error")
    options = parser.parse_args()
    default_signals()
    cases = [case for case in CASES if not options.only or any(name in case.name for name in options.only)]
    with tempfile.TemporaryDirectory(prefix="swarmline-locust-") as directory:
        bench = Bench(options.bin.resolve(), options.bin.resolve(), None, directory, [])
        judged = judge_all(bench, cases, options.itself)
    for one in judged:
        print(f"{'ok ' if not one.differences else 'NOT'} {one.case.name}: import {one.code}, {one.kinds} kinds, {one.requests} requests")
        for text in one.differences:
            print(f"      {text}")
    return any(one.differences for one in judged)


if __name__ == "__main__":
    sys.exit(main())
