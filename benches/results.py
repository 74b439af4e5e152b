"""Writes RESULTS.md: the machine, the bars, the tables; text below the mark is kept."""

import datetime
import os
import platform
import re
from pathlib import Path

MARK = "<!-- Written by hand from here on; a new run leaves it as it is. -->"


def machine():
    """Describes this machine in one line."""
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    model = found.group(1).strip() if found else platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, Linux {platform.release()}"


def markdown(bench, versions):
    """The page, without the text below the mark."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    tools = ", ".join(f"{name} {version}" for name, version in versions.items())
    parts = [
        "# What it costs, measured",
        "Written by `make bench` (`benches/run.py`). nginx on one core, each client in turn on the other; requests as "
        "nginx counted them, CPU as the kernel did; medians of paired rounds in rotating order after a warm-up round, "
        "with the least and the most. Absolute figures drift with the machine, ratios of the same round much less.",
        f"{today}; {machine()}; {tools}; {bench.rounds} rounds of {bench.seconds:g} s, of keep-alive "
        "and TLS twice as many, half as long.",
        "## Bars",
        rows(["bar", "reached", "ok"], [[bar.text, bar.reached, bar.word] for bar in bench.bars]),
    ]
    for table in bench.tables:
        parts += [f"## {table.title}", rows(table.head, table.rows)]
    if bench.notes:
        parts += ["## Beside", "\n".join(f"* {note}" for note in bench.notes)]
    return "\n\n".join(parts) + "\n"


def rows(head, body):
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def write(path, bench, versions):
    """Writes the page and keeps the text below the mark."""
    old = path.read_text() if path.exists() else ""
    kept = old.partition(MARK)[2].strip("\n")
    path.write_text(markdown(bench, versions) + f"\n{MARK}\n" + (f"\n{kept}\n" if kept else ""))
