#!/usr/bin/env python3
"""Runs swarmline against existing servers: do both sides count the same, and does every run end as promised?

  run.py [--bin PATH] [--static-bin PATH] [--dynamic-bin PATH] [--only NAME] [--keep DIR] [--list]

Each scenario is a function whose name is a sentence and whose docstring is the promise. Each prints one line: ok, FAIL or
skip, how long it took, and the figures or the reason. The exit code is 1 if any failed. Uses only Python's standard library;
a scenario is skipped with a message if something else that it needs is missing (nginx, haproxy, GNU parallel, mpirun, Slurm,
sshd, buildah, prometheus, tinyproxy, microsocks, curl, openssl, unshare, faketime, tmux, chromium, mandoc, fish, zsh, make, the
packages jsonschema,
hdrhistogram, httpbin, gunicorn, kubernetes-validate, pyvrl, flask, opentelemetry-instrumentation-flask, opentelemetry-proto,
rotel, duckdb, cmarkgfm, check-jsonschema, openapi-spec-validator, bzt and locust).

The environment variable SWARMLINE_SHARED names the folder of dashboard_check.py (default: ../shared next to the clone).
"""

import argparse
import faulthandler
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True

import scenarios_capacity
import scenarios_certificates
import scenarios_ci
import scenarios_collections
import scenarios_connections
import scenarios_count
import scenarios_curl
import scenarios_dashboard
import scenarios_deploy
import scenarios_docs
import scenarios_end
import scenarios_engines
import scenarios_install
import scenarios_journeys
import scenarios_live
import scenarios_locust
import scenarios_page
import scenarios_pipelines
import scenarios_publish
import scenarios_recordings
import scenarios_request
import scenarios_requests
import scenarios_route
import scenarios_system
import scenarios_terminal
import scenarios_truth
import scenarios_unfinished
import scenarios_values
from harness import Bench, Failed, Skip

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = [
    *scenarios_count.SCENARIOS,
    *scenarios_request.SCENARIOS,
    *scenarios_certificates.SCENARIOS,
    *scenarios_route.SCENARIOS,
    *scenarios_connections.SCENARIOS,
    *scenarios_end.SCENARIOS,
    *scenarios_truth.SCENARIOS,
    *scenarios_unfinished.SCENARIOS,
    *scenarios_journeys.SCENARIOS,
    *scenarios_curl.SCENARIOS,
    *scenarios_values.SCENARIOS,
    *scenarios_collections.SCENARIOS,
    *scenarios_locust.SCENARIOS,
    *scenarios_page.SCENARIOS,
    *scenarios_live.SCENARIOS,
    *scenarios_publish.SCENARIOS,
    *scenarios_requests.SCENARIOS,
    *scenarios_capacity.SCENARIOS,
    *scenarios_recordings.SCENARIOS,
    *scenarios_ci.SCENARIOS,
    *scenarios_system.SCENARIOS,
    *scenarios_engines.SCENARIOS,
    *scenarios_dashboard.SCENARIOS,
    *scenarios_deploy.SCENARIOS,
    *scenarios_install.SCENARIOS,
    *scenarios_docs.SCENARIOS,
    *scenarios_pipelines.SCENARIOS,
    *scenarios_terminal.SCENARIOS,
]


HANG = 300
"""Seconds that no scenario needs, also on a slow machine."""


def parse():
    """Parses the command line."""
    static = f"target/{platform.machine()}-unknown-linux-gnu/release/swarmline"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / static, help="the binary under test")
    parser.add_argument("--static-bin", type=Path, default=ROOT / static, help="the static one, for an empty chroot")
    parser.add_argument("--dynamic-bin", type=Path, default=ROOT / "target/debug/swarmline",
                        help="one that loads libraries, for libfaketime")
    parser.add_argument("--only", metavar="NAME", help="scenarios whose name contains NAME, spaces as underscores")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave screenshots there, for a person to look at")
    parser.add_argument("--list", action="store_true", help="print names and promises, run nothing")
    return parser.parse_args()


def default_signals():
    """Children must not inherit ignored signals, and SIGTERM must still clean up."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def outcome(scenario, bench):
    """Runs one scenario; returns the word for its outcome and the text next to it. One that hangs ends the run and is shown."""
    faulthandler.dump_traceback_later(HANG, exit=True)
    try:
        return "ok", scenario(bench)
    except Skip as why:
        return "skip", str(why)
    except Failed as why:
        return "FAIL", str(why)
    except Exception:  # an error in a scenario is a failure too, with its position
        return "FAIL", traceback.format_exc().strip()
    finally:
        faulthandler.cancel_dump_traceback_later()


def main():
    """Runs the scenarios one after another; returns the exit code."""
    options = parse()
    wanted = (options.only or "").replace(" ", "_")
    chosen = [scenario for scenario in SCENARIOS if wanted in scenario.__name__]
    if options.list:
        for scenario in chosen:
            print(f"{scenario.__name__.replace('_', ' ')}\n    {scenario.__doc__}")
        return 0
    if not chosen:
        print(f"run.py: --only {options.only}: no scenario has that in its name, see --list", file=sys.stderr)
        return 2
    if not options.bin.exists():
        print(f"run.py: {options.bin}: no such binary, see make static", file=sys.stderr)
        return 2
    default_signals()
    shared = Path(os.environ.get("SWARMLINE_SHARED") or ROOT.parent / "shared")
    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    streams = []
    began = time.monotonic()
    everything = Path(tempfile.mkdtemp(prefix="swarmline-e2e-"))
    try:
        for scenario in chosen:
            directory = everything / scenario.__name__
            directory.mkdir()
            bench = Bench(options.bin.resolve(), options.static_bin.resolve(), shared, directory, streams, options.keep,
                          options.dynamic_bin.resolve())
            started = time.monotonic()
            word, text = outcome(scenario, bench)
            counts[word] += 1
            print(f"{word:4} {time.monotonic() - started:4.1f} s {scenario.__name__.replace('_', ' ')}: {text}", flush=True)
    finally:
        shutil.rmtree(everything, ignore_errors=True)
    print(f"{counts['ok']} ok, {counts['FAIL']} failed, {counts['skip']} skipped in {time.monotonic() - began:.0f} s")
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
