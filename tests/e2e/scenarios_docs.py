"""The commands of the README and of docs/ run as they are written, in the order of their pages.

A fenced block of `sh` or `console` is run, unless the line before it is `<!-- not run: REASON -->`. `<!-- exit N -->` or `<!-- exit N or M -->`
there tells the exit code, 0 otherwise. Of a `console` block the lines after `$ ` are run, and those that go on with one.
"""

import concurrent.futures
import json
import os
import re
import shutil
import signal
import stat
import subprocess
from pathlib import Path

from engines import hosts_with_sshd
from harness import child, clean_environment, equal, expect, free_port, wait_for_port

ROOT = Path(__file__).resolve().parents[2]

PAGES = ["README.md", "examples/README.md", "deploy/README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]
"""What users read."""

BLOCK = re.compile(r"^(?:<!-- (.*?) -->\n)?```(sh|console)\n(.*?)^```", re.M | re.S)

LIMIT = 60
"""Seconds for a block."""

BUSY = (b"late", b"no request completed", b" s ago")
"""What a run of half a second says, with exit code 4, on a machine that is busy with other things."""

WRAPPER = '''#!/usr/bin/env python3
"""swarmline as the documentation calls it, but for half a second, against a server of the test."""
import os, re, sys
words = [word.replace("http://127.0.0.1:8080", os.environ["TARGET_URL"]) for word in sys.argv[1:]]
command = words[0] if words else ""
if command == "target":
    sys.exit(0)
if command == "run" and "--dry-run" not in words:
    short = []
    for word, before in zip(words, ["", *words]):
        if before == "--stages":
            word = re.sub(r"\\d+[sm]:", "200ms:", word)
        short.append({"-t": "500ms", "-r": "1000", "--interval": "100ms", "--web-port": "0"}.get(before, word))
    if not {"-t", "-n", "--stages"} & set(words):
        short += ["-t", "500ms"]
    if "-u" in words and not {"-r", "--rate", "--stages"} & set(words):
        short += ["-r", "1000"]
    words = short if "--interval" in words else [*short, "--interval", "100ms"]
if command == "watch":
    words += ["--web-port", "0"]
if command == "capacity":
    given = {"--from", "--to", "--min-rate", "--step-time", "--settle"}
    words = [word for word, before in zip(words, ["", *words]) if not given & {word, before}]
    words += ["--from", "20", "--to", "40", "--step-time", "1s", "--settle", "500ms", "--interval", "100ms"]
prefix = ["timeout", "-s", "INT", "1"] if command == "demo" else []
os.execvp((prefix + [os.environ["SWARMLINE"]])[0], [*prefix, os.environ["SWARMLINE"], *words])
'''


GIVEN = {
    "locustfile.py": """from locust import HttpUser, task

class Visitor(HttpUser):
    host = "http://127.0.0.1:8080"

    @task
    def look(self):
        self.client.get("/items")
""",
    "shop.postman_collection.json": json.dumps({
        "info": {"name": "shop", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "item": [{"name": "look", "request": {"method": "GET", "url": "{{base}}/items"}}]}),
    "test.postman_environment.json": json.dumps({"name": "test", "_postman_variable_scope": "environment", "values": [
        {"key": "base", "value": "http://127.0.0.1:8080", "enabled": True}]}),
    "openapi.json": json.dumps({
        "openapi": "3.0.3", "info": {"title": "shop", "version": "1"}, "servers": [{"url": "http://127.0.0.1:8080"}],
        "paths": {"/items": {"get": {"responses": {"200": {"description": "ok"}}}}}}),
}
"""Files that a reader would have."""


class Block:
    """A block of commands: page, line, mark before it, and what a person types."""

    def __init__(self, page, text, found):
        self.place = f"{page}, line {text[:found.start(2)].count(chr(10)) + 1}"
        self.mark = found.group(1) or ""
        self.stops_at_an_error = found.group(2) == "sh" and not self.mark
        self.script = typed(found.group(3)) if found.group(2) == "console" else found.group(3)

    @property
    def is_run(self):
        """Whether it is run."""
        return not self.mark.startswith("not run: ")

    @property
    def exits(self):
        """The exit codes that the page tells."""
        told = re.fullmatch(r"exit ([\d or]+)", self.mark)
        return [int(code) for code in told.group(1).split(" or ")] if told else [0]


def typed(transcript):
    """The commands of a transcript."""
    lines, goes_on = [], False
    for line in transcript.splitlines():
        command = line[2:] if line.startswith("$ ") else line if goes_on else None
        goes_on = command is not None and command.endswith("\\")
        if command is not None:
            lines.append(command)
    return "\n".join(lines) + "\n" if lines else ""


def blocks(page):
    """The blocks of a page that have commands."""
    text = (ROOT / page).read_text()
    return [block for block in (Block(page, text, found) for found in BLOCK.finditer(text)) if block.script]


def executable(path, text):
    """Writes a program."""
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def prepared(bench, url):
    """A folder with what a reader has by then: the examples, and streams of runs of before."""
    folder, tools = bench.dir / "given", bench.dir / "tools"
    shutil.copytree(ROOT / "examples", folder / "examples")
    for part in ("schema", "deploy"):
        shutil.copytree(ROOT / part, folder / part)
    for name in ("shop.json", "accounts.csv"):
        shutil.copy(ROOT / "examples" / name, folder)
    shutil.copy(ROOT / "tests/corpus/import/shop.har", folder / "recording.har")
    for name, text in GIVEN.items():
        (folder / name).write_text(text)
    for file in [*folder.rglob("*.json"), folder / "locustfile.py"]:
        file.write_text(file.read_text().replace("http://127.0.0.1:8080", url))
    made = {"s": [], "closed": [], "over": ["--rate", "100"], "run": [], **{f"{side}-{n}": [] for side in ("before", "after") for n in (1, 2, 3)}}
    shards = {f"run-{n}": ["--shard", f"{n}/4"] for n in range(4)}
    shards |= {f"sh-{n}": ["--shard", f"{n}/4"] for n in range(3)}
    start = [bench.binary, "run", "-q", "-H", url, "-u", "4", "-t", "2500ms", "--interval", "100ms"]
    running = []
    for name, extra in (made | shards).items():
        extra = [*extra, *(["--run-id", name.split("-")[0], "--start-align", "3s"] if name in shards else [])]
        command = [*start, "--telemetry", folder / f"{name}.ndjson", *extra, "/ok", "/delay/20"]
        running.append(subprocess.Popen(command, env=clean_environment()))
    codes = [process.wait(LIMIT) for process in running]
    expect(set(codes) <= {0, 4}, f"exit codes of the runs of before, 4 where this machine is busy: {codes}")
    whole = (folder / "s.ndjson").read_bytes().splitlines(keepends=True)
    (folder / "cut.ndjson").write_bytes(b"".join(whole[:-1]))
    tools.mkdir()
    executable(tools / "swarmline", WRAPPER)
    return folder, tools


def run_page(page, given, tools, home, url, binary):
    """Runs the blocks of a page one after another; returns how many, and what failed."""
    shutil.copytree(given, home)
    (home / ".local/share/bash-completion/completions").mkdir(parents=True)
    environment = clean_environment() | {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(home), "TARGET_URL": url,
                                         "SWARMLINE": str(binary), "MANPAGER": "cat", "PAGER": "cat"}
    ran, failed = 0, []
    for block in blocks(page):
        if not block.is_run:
            continue
        options = "-euo" if block.stops_at_an_error else "-uo"
        with child(["bash", options, "pipefail", "-c", block.script.replace("+5 sec", "+8 sec")], cwd=home, env=environment, start_new_session=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as shell:
            try:
                _, said = shell.communicate(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                os.killpg(shell.pid, signal.SIGKILL)
                failed.append(f"{block.place}: did not end within {LIMIT} s")
                continue
        ran += 1
        is_late = shell.returncode == 4 and any(sign in said for sign in BUSY)
        if shell.returncode not in block.exits and not is_late:
            failed.append(f"{block.place}: exit code {shell.returncode}, not {block.exits}: {said.decode()[-700:].strip()}")
    return ran, failed


def every_command_of_the_documentation_runs(bench):
    """Each block of commands in the README and docs/ ends with the exit code that its page tells, or says why it is not run."""
    for page in PAGES:
        for block in blocks(page):
            expect(not block.mark or block.exits != [0] or block.mark.startswith("not run: "), f"{block.place}: the mark {block.mark!r}")
    port = free_port()
    with child([bench.binary, "target", "--listen", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL) as server:
        wait_for_port(port, server, "target")
        url = f"http://127.0.0.1:{port}"
        given, tools = prepared(bench, url)
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            run = lambda page: run_page(page, given, tools, bench.dir / page.replace("/", "-"), url, bench.binary)
            results = list(pool.map(run, PAGES))
    failed = [why for _, whys in results for why in whys]
    expect(not failed, "\n".join(failed))
    left = sum(not block.is_run for page in PAGES for block in blocks(page))
    return f"{sum(ran for ran, _ in results)} blocks of {len(PAGES)} pages run, {left} say why not"


SSH = '#!/bin/sh\n# ssh to a host of the test, whose folder is its home.\n' \
      'own=; while [ "${1#-}" != "$1" ]; do own="$own $1"; shift; done\nhost=$1; shift\n' \
      'exec /usr/bin/ssh OPTIONS $own "$host" "cd FOLDER/$host && $*"\n'

SCP = '#!/bin/bash\nwords=()\nfor word in "$@"; do words+=("$(echo "$word" | sed -E "s,^(HOSTS):,\\1:FOLDER/\\1/,")"); done\n' \
      'exec /usr/bin/scp -q OPTIONS "${words[@]}"\n'


def three_hosts_by_plain_ssh_make_one_run(bench):
    """docs/many-hosts.md, as written: binary, scenario and data go to three hosts, their clocks are compared, each does a third
    of the run under `ssh -tt`, and the merged stream is whole."""
    text = (ROOT / "docs/many-hosts.md").read_text()
    section = text.split("\n## With plain ssh\n")[1].split("\n## ")[0]
    script = "".join(found.group(3) for found in BLOCK.finditer(section) if found.group(2) == "sh")
    expect("ssh -tt" in script and "scp" in script, "the section has its commands")
    with hosts_with_sshd(bench.dir, 3) as (hosts, ours, ssh, _):
        port = free_port()
        command = [bench.binary, "target", "--listen", f"{ours}:{port}", "--allow-remote"]
        with child(command, stderr=subprocess.DEVNULL):
            folder, tools = bench.dir / "homes", bench.dir / "tools"
            for place in (tools, *(folder / host for host in hosts)):
                place.mkdir(parents=True)
            fill = lambda text: (text.replace("OPTIONS", ssh.removeprefix("ssh ")).replace("FOLDER", str(folder))
                                 .replace("HOSTS", "|".join(hosts)))
            executable(tools / "ssh", fill(SSH))
            executable(tools / "scp", fill(SCP))
            (tools / "swarmline").symlink_to(bench.binary)
            for name in ("shop.json", "accounts.csv"):
                shutil.copy(ROOT / "examples" / name, bench.dir)
            script = (script.replace("host0 host1 host2", " ".join(hosts)).replace("http://service:8080", f"http://{ours}:{port}")
                      .replace("+30 sec", "+3 sec").replace("-t 5m", "-t 2s"))
            environment = clean_environment() | {"PATH": f"{tools}:{os.environ['PATH']}"}
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=bench.dir, env=environment, timeout=LIMIT,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True)
    equal(done.returncode, 0, f"exit code of the script, which said {done.stderr[-800:]} {done.stdout[-400:]}")
    offsets = [int(word) for word in re.findall(r"(-?\d+) ms off", done.stdout)]
    equal(len(offsets), 3, f"clocks compared, {done.stdout!r}")
    end = json.loads((bench.dir / "master.ndjson").read_text().splitlines()[-1])["telemetry"]
    equal((end["verdict"], end["failed"]), ("pass", 0), "verdict and failures of the merged run")
    expect(end["sent"] > 50, f"{end['sent']} requests")
    return f"{end['sent']} requests of 3 hosts, clocks at most {max(map(abs, offsets))} ms off"


SCENARIOS = [
    every_command_of_the_documentation_runs,
    three_hosts_by_plain_ssh_make_one_run,
]
