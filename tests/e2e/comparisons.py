"""Comparisons of builds, measured: synthetic runs whose truth is known, one nginx against itself, and a slower server.

Used by study.py; takes about ten minutes on a quiet machine.
"""

import json
import random
import subprocess
from pathlib import Path

from harness import Bench
from run import ROOT
from scenarios_terminal import target
from servers import nginx

RUNS = 40
"""Runs of one nginx."""

PAIRS = 100
"""Comparisons of three of them with three others."""

MOST_WORSE = 6
"""Of these, how many may find something worse."""

FLAGS = ("--rate", "200", "-u", "50", "-t", "12s", "--interval", "200ms", "--testplan", "same")
"""A low rate, so that a run disturbs neither the server nor itself."""


def synthetic_table():
    """What the bench `confidence` finds: its table, and whether every bar is met."""
    command = ["cargo", "bench", "--locked", "--bench", "confidence"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    table = [line for line in ran.stdout.splitlines() if line.startswith("|")]
    head = ["## Intervals of confidence and comparisons, over synthetic runs", "",
            "60 ticks of 200 requests; a tick's level varies by 3 %, a run's by 1 %. 1,000 runs for each interval, 2,000 "
            "comparisons of a build with itself, 500 with a slower one.", ""]
    return [*head, *table, ""], ran.returncode == 0


def compared(bench, runs, baseline, tolerance):
    """The exit code of a comparison, and its document."""
    document = bench.dir / "compared.json"
    flags = [flag for stream in baseline for flag in ("--baseline", stream)]
    ran = subprocess.run([bench.binary, "report", *runs, *flags, "--tolerance", tolerance, "--json-file", document],
                         capture_output=True, text=True)
    return ran.returncode, json.loads(document.read_text())["comparison"], ran.stdout


def recorded(bench, url, name, *flags):
    """The stream of a run."""
    stream = bench.dir / f"{name}.ndjson"
    bench.run(*(flags or FLAGS), "--quiet", "--telemetry", stream, url, limit=60)
    return stream


def real_tables(binary, directory):
    """nginx against itself, and the embedded target against one that is 5 % slower."""
    bench = Bench(binary, binary, None, Path(directory) / "comparisons", [])
    bench.dir.mkdir()
    with nginx(bench.dir / "nginx") as server:
        streams = [recorded(bench, f"{server.url}/", f"run-{number}") for number in range(RUNS)]
    dealt = random.Random(1)
    worse = 0
    for _ in range(PAIRS):
        chosen = dealt.sample(streams, 6)
        code, _, _ = compared(bench, chosen[:3], chosen[3:], "2%")
        worse += code == 3
    same_met = worse <= MOST_WORSE
    text, found = slower(bench)
    lines = [
        "## Comparisons of real runs", "",
        "| bar | reached | ok |", "| --- | --- | --- |",
        f"| {RUNS} runs of one nginx of 12 s, dealt into {PAIRS} pairs of 3 against 3, tolerance 2 %: at most {MOST_WORSE} find "
        f"something worse | {worse} | {'ok' if same_met else 'MISSED'} |",
        f"| the embedded target with 21 ms against 20 ms, 5 runs each of 12 s, tolerance 2 %: found | "
        f"{'found' if found else 'not found'} | {'ok' if found else 'MISSED'} |",
        "", "```", *text.splitlines(), "```", "",
    ]
    return lines, same_met and found


def slower(bench):
    """Five runs at 20 ms and five at 21 ms, in turn: the text of their comparison, and whether it found a difference."""
    streams = {20: [], 21: []}
    with target(bench) as url:
        for number in range(5):
            for delay, known in streams.items():
                stream = recorded(bench, f"{url}/delay/{delay}", f"delay-{delay}-{number}", *FLAGS[:-2], "--testplan", "slower")
                stream.write_text(stream.read_text().replace("/delay/21", "/delay/20"))
                known.append(stream)
    code, _, text = compared(bench, streams[21], streams[20], "2%")
    return text.replace(f"{bench.dir}/", ""), code == 3
