"""What every scenario gets: the programs, the server, a folder, and where bars and tables are recorded."""

import itertools
import statistics
import time
from dataclasses import dataclass, field

import clients
from children import Child, Failed, Skip
from server import Counted
from stream import Stream, why_not

SLACK = 60.0
"""Seconds that a client may take beyond its run time; 10,000 TLS connections need some."""


@dataclass
class Bar:
    """A promise, and the value that was reached."""

    text: str
    reached: str
    word: str


@dataclass
class Table:
    """Figures with a heading."""

    title: str
    head: list
    rows: list


@dataclass
class Run:
    """The results of one run of a client."""

    requests: int
    cpu: float
    seconds: float
    start_cpu: float = 0.0

    @property
    def cpu_us(self):
        """CPU in microseconds per request, as counted by the server."""
        return self.cpu * 1e6 / self.requests

    @property
    def rate(self):
        """Requests per second."""
        return self.requests / self.seconds


@dataclass
class Bench:
    """The environment of the scenarios."""

    binary: object
    programs: dict
    server: object
    core: int
    folder: object
    seconds: float
    rounds: int
    long: bool
    bars: list = field(default_factory=list)
    tables: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    names: object = field(default_factory=itertools.count)

    def bar(self, text, reached, met):
        """Records a measured value and whether it meets its threshold; `met` is None if it has none."""
        word = {True: "ok", False: "SHORT", None: "info"}[met]
        self.bars.append(Bar(text, reached, word))
        print(f"  {word:<5} {text}: {reached}", flush=True)

    def skip(self, text, why):
        """Records that a value could not be measured, and why."""
        self.bars.append(Bar(text, why, "skip"))
        print(f"  skip  {text}: {why}", flush=True)

    def note(self, text):
        """Records a sentence next to the figures."""
        self.notes.append(text)
        print(f"  {text}", flush=True)

    def table(self, title, head, rows):
        """Figures with a heading."""
        rows = [[str(cell) for cell in row] for row in rows]
        self.tables.append(Table(title, head, rows))
        widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
        for row in [head, *rows]:
            print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip(), flush=True)

    def program(self, name):
        """A program that the scenario requires."""
        if not self.programs.get(name):
            raise Skip(f"{name} is not there")
        return self.programs[name]

    def stream_file(self):
        """A new path for a stream."""
        return self.folder / f"{next(self.names)}.ndjson"

    def client(self, argv):
        """Starts a client on its core; a context manager."""
        return Child(argv, self.core)

    def run(self, argv, seconds):
        """Runs a client to its end and counts the requests that the server received. `seconds` is its run time."""
        began = time.monotonic()
        with Counted(self.server) as counted, self.client(argv) as child:
            child.succeed(seconds + SLACK)
            cpu = child.cpu_seconds()
        if counted.requests < 1:
            raise Failed(f"{child.name} sent nothing")
        return Run(counted.requests, cpu, min(seconds, time.monotonic() - began))

    def rounds_of(self, contenders, seconds=None, rounds=None):
        """Runs of each client, as a list by name: the warm-up round is dropped, and the order changes each round.

        `contenders` maps names to functions that take the seconds and return a Run.
        """
        seconds = seconds or self.seconds
        runs = {name: [] for name in contenders}
        names = list(contenders)
        for number in range((rounds or self.rounds) + 1):
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                run = contenders[name](seconds)
                if number:
                    runs[name].append(run)
        return runs

    def swarmline(self, url, users, extra=()):
        """For `rounds_of`: swarmline."""

        def work(seconds):
            stream = self.stream_file()
            try:
                return self.run(clients.swarmline(self.binary, url, users, seconds, stream, extra), seconds)
            except Failed as why:
                raise Failed(f"{why} {why_not(stream)}".strip()) from None
            finally:
                stream.unlink(missing_ok=True)

        return work

    def other(self, command, name, url, users, extra=None):
        """For `rounds_of`: another client."""
        words = (extra,) if extra else ()
        return lambda seconds: self.run(command(self.program(name), url, users, seconds, *words), seconds)

    def stream(self, path):
        """Reads a stream and deletes its file."""
        try:
            return Stream.read(path)
        finally:
            path.unlink(missing_ok=True)


def ratios(runs, other, key):
    """swarmline's figure divided by that of `other`, round by round."""
    return [key(mine) / key(theirs) for mine, theirs in zip(runs["swarmline"], runs[other])]


def spread(values, digits=2):
    """The median, and the range of the rounds."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}..{max(values):.{digits}f})"


def cpu_us(run):
    """The key of most comparisons."""
    return run.cpu_us


def rate(run):
    """The key of the comparison of throughput."""
    return run.rate


def table_of(runs, key=cpu_us):
    """Rows of a comparison: CPU, throughput, and the paired ratios."""
    rows = []
    for name, own in runs.items():
        ratio = "" if name == "swarmline" else spread(ratios(runs, name, key))
        rows.append([name, spread([cpu_us(run) for run in own], 1), f"{statistics.median(map(rate, own)):,.0f}", ratio])
    return rows


HEAD = ["client", "CPU µs/request", "requests/s", "swarmline / it"]
"""Columns of a comparison of CPU."""
