"""Recordings: a browser is recorded, and the scenario made of it does the same, with values of its own."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from browser import browser
from harness import child, clean_environment, equal, expect, free_port, wait_for_port, wait_until
from recorder import Recorder

HERE = Path(__file__).resolve().parent

THOUGHT = 0.3
"""Seconds for which the user looks at a page."""


class Shop:
    """The site that is recorded, and its log."""

    def __init__(self, port, entry, log):
        self.url, self.entry, self.log = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{entry}", log
        self.taken = 0

    def requests(self):
        """The requests since the last call, without static files and WebSockets, which an import leaves out."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        new, self.taken = lines[self.taken:], len(lines)
        return [line for line in new if line["path"] not in ("/shop.js", "/logo.png", "/favicon.ico", "/live")]


@contextlib.contextmanager
def shop(directory):
    """The recorded site as a child."""
    port, entry, log = free_port(), free_port(), directory / "site.ndjson"
    log.touch()
    command = [sys.executable, "-B", HERE / "recorded_site.py", port, entry, log]
    with child(command, signal.SIGTERM, stdin=subprocess.DEVNULL) as process:
        wait_for_port(port, process, "the site")
        wait_for_port(entry, process, "the site's entry")
        yield Shop(port, entry, log)


class Visit:
    """What a user does in a tab that is recorded."""

    def __init__(self, chromium, directory):
        empty = directory / "empty.html"
        empty.write_text("<!doctype html><title>empty</title>")
        self.page = chromium.page(empty, 1280)
        # As the DevTools ask for it: texts of this length come with their requests.
        self.page.ask("Network.enable", maxPostDataSize=65536)
        self.page.ask("Fetch.enable", patterns=[{"urlPattern": "*/photos"}])
        chromium.events.clear()
        self.recorder = Recorder(self.page)

    def loads(self):
        """How many pages have been loaded."""
        return sum(event.get("method") == "Page.loadEventFired" for event in self.page.browser.events)

    def load(self, action):
        """Does something that loads a page, waits until it is loaded, and looks at it."""
        before = self.loads()
        action()
        deadline = time.monotonic() + 20
        while self.loads() == before:
            self.page.browser.events.append(self.page.browser.receive(deadline, "a page is loaded"))
        # The bodies of a page are gone with it.
        self.recorder.read()
        time.sleep(THOUGHT)

    def go(self, url):
        """Types an address."""
        self.load(lambda: self.page.ask("Page.navigate", url=url))

    def submit(self, **fields):
        """Fills in the page's form and sends it."""
        for name, value in fields.items():
            self.page.run(f"document.querySelector('[name={name}]').value = {json.dumps(value)}")
        self.load(lambda: self.page.run("document.forms[0].requestSubmit(), 0"))


def record(bench, site):
    """A visit to the shop; returns its recording."""
    with browser(bench.dir) as chromium:
        visit = Visit(chromium, bench.dir)
        visit.go(f"{site.entry}/?from=ad")
        visit.submit(user="jo", password="a b&c")
        visit.page.run("window.bought = false, buy().then(() => { window.bought = true }), 0")
        wait_until(lambda: (visit.recorder.read(), visit.page.run("window.bought"))[1], 20, "the script has bought")
        time.sleep(THOUGHT)
        visit.load(lambda: visit.page.run("document.querySelector('a').click(), 0"))
        visit.go(f"{site.url}/shop")
        visit.submit(title='a "title" ${x}')
        visit.go(f"{site.url}/done")
        return visit.recorder.har()


def imported(bench, har, *flags):
    """The scenario that `swarmline import` makes, its file, and what it says."""
    command = [bench.binary, "import", *flags, har]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=clean_environment(), timeout=60, text=True)
    expect(done.returncode in (0, 1), f"import exits with {done.returncode}: {done.stderr}")
    path = bench.dir / "imported.json"
    path.write_text(done.stdout)
    return json.loads(done.stdout), path, done.stderr


def shape(request):
    """A request without the values that differ from session to session; JSON to the byte, as key order and digits count."""
    kind = (request["type"] or "").split("; boundary")[0]
    body = request["body"] if "json" in kind else ""
    text = re.sub(r"\bx\d\dy\b", "C", re.sub(r"\b\d{5,}\b", "N", f"{request['path']} {kind} {body}"))
    return f"{request['port']} {request['method']} {text}".strip()


def a_recorded_visit_is_repeated_with_values_of_its_own(bench):
    """Chromium visits a shop that gives each session other tokens and numbers, and refuses those of another: the imported scenario
    makes the same requests in the same order, and each is accepted."""
    har = bench.dir / "visit.har"
    with shop(bench.dir) as site:
        har.write_text(record(bench, site))
        recorded = site.requests()
        scenario, path, said = imported(bench, har)
        steps = scenario["user_classes"][0]["tasks"][0]["requests"]
        count = sum("pause" not in step for step in steps)
        if bench.keep:
            (bench.keep / "visit.har").write_text(har.read_text())
            (bench.keep / "imported.json").write_text(path.read_text())
        bench.run("-f", path, "-u", "1", "-n", str(count), "--telemetry", bench.stream_path()).must_exit(0)
        repeated = site.requests()
        if bench.keep:
            lines = [f"{shape(a):95} {a['status']} {b['status']} {a['path']} -> {b['path']}" for a, b in zip(recorded, repeated)]
            (bench.keep / "recording.txt").write_text("\n".join([*lines, "", said]))
    equal([shape(request) for request in repeated], [shape(request) for request in recorded], "requests of the run")
    equal([request["status"] for request in repeated], [request["status"] for request in recorded], "statuses of the run")
    expect(all(request["status"] < 400 for request in repeated), "a request of the run is refused")
    numbers = [set(re.findall(r"\d{5,}", json.dumps([request["path"] for request in one]))) for one in (recorded, repeated)]
    expect(numbers[0] and not numbers[0] & numbers[1], f"numbers of the recorded session are sent again: {numbers}")
    equal(scenario["host"], site.url, "the host, where the entry redirects to")
    for sentence in ("a WebSocket", "images, fonts", "redirects: followed", "the value of password"):
        expect(sentence in said, f"import does not say {sentence!r}: {said}")
    pauses = sum("pause" in step for step in steps)
    equal(pauses, 5, f"pauses, one before each page but the first, of {steps}")
    without, _, _ = imported(bench, har, "--no-pauses")
    expect("pause" not in json.dumps(without), "a pause in spite of --no-pauses")
    extracted = [name for step in steps for name in step.get("extract", {})]
    return f"{len(repeated)} requests, {len(extracted)} values of the session ({', '.join(extracted)}), {pauses} pauses"


SCENARIOS = [a_recorded_visit_is_repeated_with_values_of_its_own]
