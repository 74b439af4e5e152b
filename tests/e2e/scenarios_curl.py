"""import of curl commands, with curl as the judge: both send the same to a server that keeps every byte, or import says
what differs."""

import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import threading

from curl_commands import DIFFERENT, ENVIRONMENT, FILES, SAME
from harness import Skip, equal, expect

AT_A_TIME = 4


class Capture:
    """A server that keeps each request as it was sent. /redirect leads to /target."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.at = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.requests = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with connection, connection.makefile("rb") as stream, contextlib.suppress(OSError):
            while request := self.read(stream, connection):
                self.requests.append(request)
                redirect = b" /redirect " in request.split(b"\r\n")[0]
                answer = b"HTTP/1.1 302 Found\r\nLocation: /target\r\n" if redirect else b"HTTP/1.1 200 OK\r\n"
                connection.sendall(answer + b"Content-Length: 0\r\n\r\n")

    @staticmethod
    def read(stream, connection):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return None
            head += line
        fields = head.lower()
        if b"\r\nexpect: 100-continue" in fields:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if length := re.search(rb"\r\ncontent-length: *(\d+)", fields):
            return head + stream.read(int(length[1]))
        if b"\r\ntransfer-encoding: chunked" not in fields:
            return head
        body = b""
        while not body.endswith(b"\r\n0\r\n\r\n") and body != b"0\r\n\r\n":
            body += stream.readline()
        return head + body

    def taken(self):
        """The requests since the last call."""
        requests, self.requests = self.requests, []
        return requests


def normal(request):
    """A request without what differs for no reason of the command: the name of the sender, the boundary of a form and with
    it the length, and, as the order of fields with different names means nothing (RFC 9110 section 5.3) and neither do
    blanks around a value (section 5.5), both of these. All else stays, byte for byte."""
    head, body = request.split(b"\r\n\r\n", 1)
    line, *fields = head.split(b"\r\n")
    fields = sorted(re.sub(rb"^([^:]*):[ \t]*(.*?)[ \t]*$", rb"\1: \2", field) for field in fields)
    fields = [re.sub(rb"^(User-Agent): (curl|swarmline)/.*", rb"\1: *", field) for field in fields]
    if boundary := re.search(rb"boundary=(\S+)", head):
        length = b"Content-Length: %d" % len(body)
        fields = [re.sub(rb"boundary=.*", b"boundary=*", field) for field in fields if field != length]
        body = body.replace(boundary[1], b"*")
    return line, fields, body


def outcome(bench, folder, text):
    """What curl sends, what the scenario sends that import makes, and what import says."""
    server = Capture()
    environment = {**os.environ, **ENVIRONMENT, "PATH": f"{folder}:{os.environ['PATH']}"}
    common = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 60, "cwd": folder, "env": environment}
    command = text.format(url=f"http://{server.at}", at=server.at, port=server.at.split(":")[1])
    subprocess.run(["bash", "-c", command.removeprefix("$ ")], **common)
    asked = server.taken()
    made = subprocess.run([bench.binary, "import", "--keep-secrets", command], **common)
    said = made.stderr.decode()
    if made.returncode not in (0, 1):
        return [normal(request) for request in asked], [], said, made.returncode
    steps = json.loads(made.stdout)["user_classes"][0]["tasks"][0]["requests"]
    scenario = folder / f"{server.at.split(':')[1]}.json"
    scenario.write_bytes(made.stdout)
    environment["AUTHORIZATION"] = "Basic set by hand"
    run = [bench.binary, "run", "-f", scenario, "-n", str(len(steps)), "--telemetry", os.devnull, "--quiet"]
    done = subprocess.run(run, **common)
    sent = server.taken()
    server.listener.close()
    expect(done.returncode in (0, 1), f"run of {command!r} ended with {done.returncode}: {done.stderr.decode()}")
    return [normal(request) for request in asked], [normal(request) for request in sent], said, made.returncode


def an_imported_curl_command_sends_what_curl_sends_or_says_what_differs(bench):
    """Over a hundred commands of every kind: the bytes that curl sends and those of the imported scenario, from one server."""
    if not shutil.which("curl"):
        raise Skip("curl is not installed")
    for name, content in FILES.items():
        (bench.dir / name).write_bytes(content)
    (bench.dir / "options.txt").write_text('header = "A: b"\n')
    (bench.dir / "cookies.txt").write_text("127.0.0.1\tFALSE\t/\tFALSE\t0\ta\tb\n")
    (bench.dir / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (bench.dir / "sudo").chmod(0o755)
    commands = [(text, None) for text in SAME] + DIFFERENT
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        outcomes = pool.map(lambda command: outcome(bench, bench.dir, command[0]), commands)
        outcomes = list(zip(commands, outcomes, strict=True))
    wrong, identical = [], 0
    for (text, difference), (asked, sent, said, code) in outcomes:
        is_same = asked == sent and asked != []
        identical += is_same
        if not asked or (difference is None and not is_same) or (difference is not None and difference not in said):
            wrong.append(f"{text}\n  curl      {asked}\n  swarmline {sent}\n  said {said!r}, exit {code}")
        if difference is not None and is_same:
            wrong.append(f"{text}: does not differ any more")
    expect(not wrong, f"{len(wrong)} of {len(commands)} commands:\n" + "\n".join(wrong))
    equal((len(commands), identical), (IN_ALL, IDENTICAL), "commands, and how many of them are sent as curl does")
    return f"{identical} of {len(commands)} commands byte for byte, what differs in the others is said"


IN_ALL, IDENTICAL = 164, 134


def every_option_that_takes_a_value_takes_it(bench):
    """The options of this curl's own help: none of their values is taken for a URL, in any spelling."""
    if not shutil.which("curl"):
        raise Skip("curl is not installed")
    page = subprocess.run(["curl", "--help", "all"], capture_output=True, text=True, timeout=30, check=True).stdout
    spellings = []
    for short, long in re.findall(r"^ *(?:(-.), )? *(--[\w.-]+) [<\[](?!category)", page, re.MULTILINE):
        spellings += [[long, "2"]] + ([[short, "2"], [short + "2"]] if short else [])

    def hosts(words):
        made = subprocess.run([bench.binary, "import", "curl", *words, "http://h.example/health"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=30)
        return words, made.returncode, made.stdout, made.stderr

    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        results = list(pool.map(hosts, spellings))
    wrong = []
    for words, code, scenario, said in results:
        refused = code == 2 and f"curl {words[0][:2] if len(words) == 1 else words[0]}" in said
        requests = [] if code == 2 else json.loads(scenario)["user_classes"][0]["tasks"][0]["requests"]
        hosts_of = {json.loads(scenario)["host"]} if requests else set()
        is_url = words[0] == "--url"
        if not refused and (hosts_of != ({"http://2"} if is_url else {"http://h.example"}) or len(requests) != 1 + is_url):
            wrong.append((words, code, said, hosts_of))
    expect(not wrong, f"{len(wrong)} of {len(results)} spellings: {wrong}")
    expect(len(results) > 120, f"only {len(results)} spellings in curl's help")
    return f"{len(results)} spellings"


SCENARIOS = [
    an_imported_curl_command_sends_what_curl_sends_or_says_what_differs,
    every_option_that_takes_a_value_takes_it,
]
