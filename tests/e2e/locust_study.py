#!/usr/bin/env python3
"""Locustfiles, imported: all of the corpus beside Locust, Locust's own examples, and one load by both.

  locust_study.py [--bin PATH] [--only NAME]... [--itself] [--results FILE]

Every file of the corpus runs under Locust and imported, against the same counting server. The examples are those of Locust's
source package on PyPI; the newest that has them is 2.29.0. Writes benches/LOCUST.md (with --only it prints the files that
contain NAME, and no more); exits with 1 if a file of the corpus differs.
"""

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
from datetime import date
from pathlib import Path

sys.dont_write_bytecode = True

from harness import Bench, child, clean_environment, free_port, wait_for_port
from locust_judge import locust_command
from run import ROOT, default_signals
from scenarios_locust import CASES, judge_all

EXAMPLES = "locust==2.29.0"
"""The newest source package with the folder of examples."""

SHOP = Path(__file__).resolve().parents[1] / "corpus/locust/shop.py"
"""The locustfile that both run for the comparison of cost: the shop of `swarmline target`."""

USERS = 20

WORDS = {0: "whole", 1: "in part", 2: "not at all"}


def corpus(bench, only, itself):
    """The files of the corpus: lines of the page, and whether all are the same."""
    judged = judge_all(bench, [case for case in CASES if not only or any(name in case.name for name in only)], itself)
    same = [one for one in judged if not one.differences]
    codes = [one.code for one in judged]
    return [
        "## Files in the styles of public ones",
        "",
        f"Of {len(judged)} files {codes.count(0)} are taken over whole, {codes.count(1)} in part, {codes.count(2)} not at all; what "
        f"is left out is said by line. {len(same)} are as they should be: beside Locust the same kinds of requests, shares within 4 "
        "sigma and failures, but for what is left out. Requests are those that Locust sent.",
        "",
        "| file | import | kinds | requests | beside Locust |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {one.case.name} | {WORDS[one.code]} | {one.kinds} | {one.requests} | "
          f"{cell('; '.join(one.differences)) or ('the same' if one.code < 2 else 'nothing to compare')} |" for one in judged),
        "",
    ], len(same) == len(judged)


def cell(text):
    """A text as a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def examples_folder(directory):
    """The folder of examples, unpacked from the source package."""
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary",
                    ":all:", EXAMPLES, "-d", directory], check=True, stdin=subprocess.DEVNULL, timeout=300)
    archive = next(Path(directory).glob("locust-*.tar.gz"))
    folder = Path(directory) / "examples"
    with tarfile.open(archive) as packed:
        for entry in packed:
            _, found, name = entry.name.partition("/examples/")
            if found and entry.isfile() and name.endswith(".py") and ".." not in name:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(packed.extractfile(entry).read())
    return folder


def examples(bench):
    """What `import` makes of Locust's own examples: lines of the page."""
    folder = examples_folder(bench.dir)
    rows, counts = [], {0: 0, 1: 0, 2: 0}
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text()
        name = path.relative_to(folder)
        if not any(word in text for word in ("User)", "User,", "TaskSet)", "LoadTestShape)")):
            rows.append(f"| {name} | | no users in it |")
            continue
        ran = subprocess.run([bench.binary, "import", path], stdin=subprocess.DEVNULL, capture_output=True,
                             env=clean_environment(), timeout=60)
        counts[ran.returncode] += 1
        said = ran.stderr.decode(errors="replace").replace(f"{path}", path.name).splitlines()
        why = "; ".join(line.removeprefix("swarmline: ").removeprefix("import: ") for line in said)
        rows.append(f"| {name} | {WORDS[ran.returncode]} | {cell(why)} |")
    return [
        "## Locust's own examples",
        "",
        f"Of {sum(counts.values())} with users, in the source package of {EXAMPLES} (later ones have none): {counts[0]} whole, "
        f"{counts[1]} in part, {counts[2]} not at all.",
        "",
        "| file | taken over | why not, or not all |",
        "| --- | --- | --- |",
        *rows,
        "",
    ]


def measured(command, core, **options):
    """Runs a program on one core; returns its CPU time in seconds."""
    process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, {core}), **options)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def under_locust(directory, source, host, seconds, core):
    """Locust's requests, failures, p50, p99 in ms, and CPU seconds."""
    command, environment = locust_command()
    path = directory / source[0]
    path.write_text(source[1])
    cpu = measured([*command, "-f", path, "--headless", "-u", USERS, "-r", 100, "-t", f"{seconds}s", "-H", host, "--csv",
                    directory / path.stem, "--only-summary", "-L", "CRITICAL"], core, env=environment)
    with open(directory / f"{path.stem}_stats.csv", newline="") as file:
        row = [row for row in csv.DictReader(file) if row["Name"] == "Aggregated"][0]
    return int(row["Request Count"]), int(row["Failure Count"]), float(row["50%"]), float(row["99%"]), cpu


def imported(bench, path, host, seconds, core):
    """The same of what `import` made of the file."""
    scenario, summary = bench.dir / "shop.json", bench.dir / "summary.json"
    made = subprocess.run([bench.binary, "import", path], stdin=subprocess.DEVNULL, capture_output=True, env=clean_environment())
    scenario.write_bytes(made.stdout)
    cpu = measured([bench.binary, "run", "-f", scenario, "-H", host, "-u", USERS, "-r", 100, "-t", f"{seconds}s", "--telemetry",
                    bench.dir / "shop.ndjson", "--json-file", summary, "-q"], core, env=clean_environment())
    total = json.loads(summary.read_text())["total"]
    return total["requests"], total["failures"], total["p50"], total["p99"], cpu


def side_by_side(bench, seconds):
    """One file under Locust, with both of its clients, and imported: lines of the page."""
    port, text = free_port(), SHOP.read_text()
    cores = sorted(os.sched_getaffinity(0))
    host = f"http://127.0.0.1:{port}"
    fast = text.replace("HttpUser", "FastHttpUser")
    with child([bench.binary, "target", "--listen", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL,
               preexec_fn=lambda: os.sched_setaffinity(0, {cores[0]})) as server:
        wait_for_port(port, server, "swarmline target")
        runs = {
            "Locust, HttpUser": under_locust(bench.dir, ("http.py", text), host, seconds, cores[-1]),
            "Locust, FastHttpUser": under_locust(bench.dir, ("fast.py", fast), host, seconds, cores[-1]),
            "imported": imported(bench, SHOP, host, seconds, cores[-1]),
        }
    own = runs["imported"][4] / max(1, runs["imported"][0])
    return [
        "## One file, by both",
        "",
        f"tests/corpus/locust/{SHOP.name} against `swarmline target`, each on a core of its own; {USERS} users with 50 ms of "
        f"think time, {seconds} s, start-up included. Locust rounds its times.",
        "",
        "| load by | requests | failures | p50 ms | p99 ms | CPU µs a request | imported / it |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(f"| {name} | {requests} | {failures} | {p50:g} | {p99:g} | {cpu / requests * 1e6:.0f} | {own / (cpu / requests):.3f} |"
          for name, (requests, failures, p50, p99, cpu) in runs.items()),
        "",
    ]


def main():
    """Writes the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    parser.add_argument("--bin", type=Path, default=target / "release/swarmline", help="the binary under test")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only these files of the corpus")
    parser.add_argument("--itself", action="store_true", help="Locust beside Locust: what differs is the comparison's own error")
    parser.add_argument("--seconds", type=int, default=20, help="run time of the load by both")
    parser.add_argument("--results", type=Path, default=ROOT / "benches/LOCUST.md", help="where the page goes")
    options = parser.parse_args()
    default_signals()
    binary = options.bin.resolve()
    with tempfile.TemporaryDirectory(prefix="swarmline-locust-") as directory:
        bench = Bench(binary, binary, None, directory, [])
        lines, is_met = corpus(bench, options.only, options.itself)
        if options.only or options.itself:
            print("\n".join(lines))
            return not is_met
        lines += examples(bench) + side_by_side(bench, options.seconds)
    build = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    head = [
        "# Locustfiles, imported",
        "",
        "Written by `make study` (`tests/e2e/locust_study.py`); `make e2e` holds a quarter of the files.",
        "",
        f"{date.today()}; {os.cpu_count()} cores, Linux {platform.release().split('-')[0]}; swarmline {build}, Locust 2.47.",
        "",
    ]
    options.results.write_text("\n".join([*head, *lines]).rstrip() + "\n")
    print(options.results.read_text())
    return not is_met


if __name__ == "__main__":
    sys.exit(main())
