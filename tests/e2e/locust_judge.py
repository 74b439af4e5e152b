"""Locust runs a locustfile, swarmline runs what `import` makes of it, both against a fresh counting server; this compares the
two records: kinds of request, their shares, their values, and failures."""

import collections
import csv
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from math import sqrt
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from harness import Skip, child, clean_environment, end, expect, free_port, wait_for_port

SIGMAS = 4.0
"""How far two shares may be apart."""

START_LIMIT = 60.0
"""Seconds within which Locust must have sent a request, and have ended when it is told to."""

FEW = 8
"""Values that Locust sent are compared one by one if there are at most so many of them."""

SAMPLE = 40
"""Requests of a kind from which its values are compared."""

HEADERS = ("authorization", "content-type", "cookie", "accept", "user-agent", "referer", "origin")
"""Headers that matter, besides X-*."""

DEFAULTS = ("*/*", "python-requests/", "python/gevent-http-client", "swarmline/")
"""Beginnings of values that a client sends of its own."""

DIGITS = re.compile(r"\d+(\.\d+)?")
UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
RANDOM_TEXT = re.compile(r"\bn_[a-z0-9]+")
"""How the files of the corpus mark texts of random letters."""

BOUNDARY = re.compile(r"boundary=\"?([^\";]+)\"?")


def locust_command():
    """The command that starts Locust, and its environment."""
    environment = clean_environment()
    if path := os.environ.get("LOCUST_PYTHONPATH"):
        environment["PYTHONPATH"] = path
    command = [sys.executable, "-m", "locust"]
    if subprocess.run([*command, "--version"], env=environment, capture_output=True, stdin=subprocess.DEVNULL).returncode:
        raise Skip("the Python package locust is not installed")
    return command, environment


class Record:
    """What the server counted, and the client's own counts by (method, name): requests, failures, kinds of failures."""

    def __init__(self, requests, port):
        self.requests = requests
        self.raw = collections.defaultdict(list)
        for method, at, target, headers, body, status in requests:
            kind, values = kind_of(method, at == port, target, headers, body)
            self.raw[f"{kind} -> {status}"].append(values)
        self.counted = collections.defaultdict(lambda: [0, 0, set()])

    def counts(self):
        """Requests by kind."""
        return {kind: len(values) for kind, values in self.raw.items()}

    def count(self, method, name, requests, failures):
        """Adds what the client says of an endpoint."""
        entry = self.counted[method, label(name)]
        entry[0] += requests
        entry[1] += failures

    def error(self, method, name, kind):
        """Adds a kind of failure."""
        self.counted[method, label(name)][2].add(kind)


def label(name):
    """The name of an endpoint without query and host: Locust has the query in it, swarmline a host that is not the first."""
    return template(re.sub(r"^(https?://)?127\.0\.0\.1:\d+/", "/", name.partition("?")[0]))


def template(text):
    """The text without what differs from request to request."""
    text = re.sub(r"\$\{[^}]*\}", "#", text)
    return DIGITS.sub("#", UUID.sub("#", RANDOM_TEXT.sub("#", text)))


def kind_of(method, is_first_host, target, headers, body):
    """What kind of request this is, and the values that the kind leaves out."""
    parts = urlsplit(target)
    given = {name.lower(): value for name, value in headers}
    content_type = given.get("content-type", "")
    if found := BOUNDARY.search(content_type):
        body = body.replace(found.group(1), "BOUNDARY")
        given["content-type"] = "multipart/form-data"
    wanted = {name: value for name, value in sorted(given.items())
              if (name in HEADERS or name.startswith("x-")) and not value.startswith(DEFAULTS)}
    if "urlencoded" in content_type:
        # FastHttpUser says the encoding, which this type does not have.
        wanted["content-type"] = content_type.partition(";")[0]
    if "cookie" in wanted:
        wanted["cookie"] = "; ".join(sorted(wanted["cookie"].split("; ")))
    query = json.dumps(sorted(parse_qsl(parts.query, keep_blank_values=True)), ensure_ascii=False)
    raw = [method, "" if is_first_host else "other host", parts.path, query, json.dumps(wanted), canonical(body, content_type)]
    text = " ".join(part for part in raw if part not in ("", "[]", "{}"))
    return template(text), [match.group() for match in DIGITS.finditer(UUID.sub("#", RANDOM_TEXT.sub("#", text)))]


def canonical(body, content_type):
    """A body whose spelling does not matter: JSON and forms in one form of their own."""
    if "urlencoded" in content_type:
        return json.dumps(sorted(parse_qsl(body, keep_blank_values=True)), ensure_ascii=False)
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except ValueError:
        return body if body.startswith("--BOUNDARY") is False else multipart(body)


def multipart(body):
    """The parts of a form with files, in order, each with its headers in one spelling."""
    parts = [part.strip("\r\n") for part in body.split("--BOUNDARY")[1:-1]]
    split = [part.partition("\r\n\r\n") for part in parts]
    # What of no known type is sent as such or without a type means the same.
    heads = [sorted(set(head.lower().split("\r\n")) - {"content-type: application/octet-stream"}) for head, _, _ in split]
    return json.dumps([[head, content] for head, (_, _, content) in zip(heads, split)])


class Arena:
    """A folder with a copy of a locustfile that points to ports of ours."""

    def __init__(self, directory, source):
        self.dir = Path(directory)
        self.ports = free_port(), free_port()
        folder = source if source.is_dir() else source.parent
        for path in folder.rglob("*"):
            if path.is_dir() or "__pycache__" in path.parts:
                continue
            if not source.is_dir() and path.suffix == ".py" and path != source:
                continue
            copy = self.dir / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text()
            for known, port in zip(("8001", "8002"), self.ports):
                text = text.replace(f"127.0.0.1:{known}", f"127.0.0.1:{port}")
            copy.write_text(text)
        self.file = self.dir / ("locustfile.py" if source.is_dir() else source.name)
        self.target = self.dir if source.is_dir() else self.file

    @property
    def host(self):
        """The base URL."""
        return f"http://127.0.0.1:{self.ports[0]}"

    def against(self, name, limit, work):
        """Starts a counting server, does `work` with it, and returns its record."""
        path = self.dir / f"{name}.record"
        server = [sys.executable, Path(__file__).with_name("locust_server.py"), *self.ports, limit, path]
        with child(server, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
            wait_for_port(self.ports[0], process, "the counting server")
            wait_for_port(self.ports[1], process, "the counting server")
            work(process.stdout)
            end(process)
        return Record(json.loads(path.read_text()), self.ports[0])


def by_locust(arena, case, locust):
    """Locust's record of the file."""
    command, environment = locust
    flags = [*command, "-f", arena.file, "--headless", "-u", case.users, "-r", 100, "-H", arena.host, "-s", 2,
             "--csv", arena.dir / "locust", "--only-summary", "-L", "CRITICAL", *case.flags]

    kept = []

    def work(said):
        with child(flags, cwd=arena.dir, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL) as process:
            # Locust takes a second of CPU to start, and many on a busy machine.
            for seconds in (START_LIMIT, case.seconds):
                ends = time.monotonic() + seconds
                while process.poll() is None and time.monotonic() < ends:
                    if select.select([said], [], [], 0.05)[0]:
                        said.readline()
                        break
            kept.extend(statistics(arena.dir, process))
            end(process, signal.SIGTERM, START_LIMIT)

    record = arena.against("locust", case.requests, work)
    counted, failed = kept
    expect(counted, f"{case.name}: Locust ended without its statistics")
    for row in counted:
        if row["Name"] != "Aggregated":
            record.count(row["Type"], row["Name"], int(row["Request Count"]), int(row["Failure Count"]))
    for row in failed:
        is_status = re.search(r"\d{3} (Client|Server) Error|code=\d{3}", row["Error"])
        record.error(row["Method"], row["Name"], "status" if is_status else "expectation")
    return record


def statistics(directory, process):
    """Locust's statistics and failures from now on. It writes both files anew each second, and ends without a last time
    where a signal comes in between, so they are read as soon as they are newer than the last request."""
    now = time.time()
    files = [directory / "locust_stats.csv", directory / "locust_failures.csv"]
    ends = time.monotonic() + START_LIMIT
    while True:
        counted, failed = map(rows, files)
        is_new = all(file.exists() and file.stat().st_mtime > now for file in files)
        # Its last row: the file is whole.
        is_whole = bool(counted) and counted[-1]["Name"] == "Aggregated" and None not in counted[-1].values()
        if is_new and is_whole or process.poll() is not None or time.monotonic() > ends:
            return counted, failed
        time.sleep(0.05)


def rows(path):
    """The rows of a CSV file, none if it is missing."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class Imported:
    """What `swarmline import` said: exit code, the scenario (None without one) and stderr."""

    def __init__(self, bench, arena):
        ran = subprocess.run([bench.binary, "import", arena.target], stdin=subprocess.DEVNULL, capture_output=True,
                             cwd=arena.dir, env=clean_environment(), timeout=60)
        self.code = ran.returncode
        self.stderr = ran.stderr.decode(errors="replace").replace(str(arena.dir) + "/", "")
        self.scenario = json.loads(ran.stdout) if ran.stdout.strip() else None
        self.path = arena.dir / "scenario.json"
        if self.scenario is not None:
            self.path.write_bytes(ran.stdout)


def by_swarmline(bench, arena, case, imported):
    """swarmline's record of the imported scenario, and stderr of the run."""
    summary = arena.dir / "summary.json"
    flags = ["-f", imported.path, "-H", arena.host, "-s", "2s", "--telemetry", arena.dir / "stream.ndjson",
             "--json-file", summary, "--only-summary", *case.flags]
    if "stages" not in imported.scenario:
        flags += ["-u", str(case.users), "-r", "100", "-n", str(case.requests), "-t", f"{case.seconds}s"]
    said = []

    def work(_):
        said.append(bench.run(*map(str, flags), limit=case.seconds + 20, cwd=arena.dir))

    record = arena.against("swarmline", 1_000_000, work)
    if said[0].code in (2, 130) or not summary.exists():
        return record, said[0]
    counts = json.loads(summary.read_text())
    for entry in counts["endpoints"]:
        record.count(entry["method"], entry["name"], entry["requests"], entry["failures"])
    for entry in counts["errors"]:
        is_status = entry["error"].startswith(("http_4xx", "http_5xx"))
        record.error(entry["method"], entry["name"], "status" if is_status else entry["error"].partition(":")[0])
    return record, said[0]


def apart(first, of_first, second, of_second, cluster):
    """How many standard deviations two shares are apart. Requests of a task come together, up to `cluster` of a kind."""
    share = (first + second) / max(1, of_first + of_second)
    deviation = sqrt(share * (1 - share) * (1 / max(1, of_first) + 1 / max(1, of_second)) * cluster)
    return abs(first / max(1, of_first) - second / max(1, of_second)) / deviation if deviation else 0.0


def differences(theirs, ours, case):
    """What is not the same, in sentences; empty if nothing."""
    return [*kinds_apart(theirs, ours, case), *values_apart(theirs, ours, case), *failures_apart(theirs, ours, case)]


def kinds_apart(theirs, ours, case):
    """Kinds of request that only one side has, or in other shares."""
    wanted, got = ({kind: count for kind, count in record.counts().items() if not any(text in kind for text in case.left_out)}
                   for record in (theirs, ours))
    found = []
    for kind in sorted({*wanted, *got}):
        one, other = wanted.get(kind, 0), got.get(kind, 0)
        if not one or not other:
            found.append(f"only {'Locust' if one else 'swarmline'} sends {kind} ({one or other})")
        elif one == case.users:
            # Once a user, as on_start is.
            if one != other:
                found.append(f"{kind}: {one} by Locust, {other} by swarmline")
        elif apart(one, sum(wanted.values()), other, sum(got.values()), case.cluster) > SIGMAS:
            found.append(f"{kind}: {one} of {sum(wanted.values())} by Locust, {other} of {sum(got.values())} by swarmline")
    return found


def values_apart(theirs, ours, case):
    """Numbers in requests of one kind that only one side sends."""
    found = []
    for kind, sent in theirs.raw.items():
        got = ours.raw.get(kind, [])
        if any(text in kind for text in case.left_out):
            continue
        if min(len(sent), len(got)) < SAMPLE and len({str(values) for values in sent}) > 1:
            continue
        for place, column in enumerate(zip(*sent)):
            wanted = set(column)
            mine = {values[place] for values in got if place < len(values)}
            if mine and len(wanted) <= FEW and not all(len(value) > 8 for value in wanted) and mine != wanted:
                found.append(f"{kind}, number {place + 1}: {sorted(wanted)} by Locust, {sorted(mine)[:12]} by swarmline")
    return found


def failures_apart(theirs, ours, case):
    """Endpoints whose counts or failures are not the same."""
    found = []
    for key in sorted({*theirs.counted, *ours.counted}):
        wanted, got = theirs.counted.get(key, [0, 0, set()]), ours.counted.get(key, [0, 0, set()])
        method, name = key
        if name in case.uncounted or any(text in name for text in case.left_out):
            continue
        if not wanted[0] or not got[0]:
            found.append(f"only {'Locust' if wanted[0] else 'swarmline'} counts {method} {name} ({wanted[0] or got[0]})")
        elif bool(wanted[1]) != bool(got[1]) or apart(wanted[1], wanted[0], got[1], got[0], case.cluster) > SIGMAS:
            found.append(f"{method} {name} failed {wanted[1]} of {wanted[0]} by Locust, {got[1]} of {got[0]} by swarmline")
        elif "status" in wanted[2] and "status" not in got[2]:
            found.append(f"{method} {name} fails with {sorted(wanted[2])} by Locust, {sorted(got[2])} by swarmline")
    return found


def fresh(directory):
    """An empty folder."""
    shutil.rmtree(directory, ignore_errors=True)
    Path(directory).mkdir(parents=True)
    return Path(directory)
