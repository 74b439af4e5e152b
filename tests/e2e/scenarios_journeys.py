"""Journeys from a scenario file against an existing application: httpbin, under gunicorn."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

from harness import Skip, child, end, equal, expect, free_port, wait_for_port
from scenarios_count import whole_stream

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

USERS, ROUNDS = 4, 5


@contextlib.contextmanager
def httpbin(directory):
    """httpbin with its own log; yields its URL and a function that ends it and returns [status, method, path] per request."""
    if subprocess.run([sys.executable, "-c", "import gunicorn, httpbin"], capture_output=True).returncode:
        raise Skip("the Python packages httpbin and gunicorn are not installed")
    port, log = free_port(), directory / "httpbin.log"
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "16",
               "--access-logfile", log, "--access-logformat", "%(s)s %(m)s %(U)s", "--log-level", "error", "httpbin:app"]
    with child(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for_port(port, process, "httpbin")

        def entries():
            end(process)
            return [line.split(" ", 2) for line in log.read_text().splitlines()]

        yield f"http://127.0.0.1:{port}", entries


def journey(host):
    """Cookies, redirects, basic authentication, gzip, dripping bodies, statuses, echoed templates: what httpbin offers."""
    return {
        "name": "httpbin", "host": host, "users": USERS, "spawn_rate": 100,
        "data": {"person": {"json": "people.json", "pick": "unique"}},
        "variables": {"password": {"env": "HTTPBIN_PASSWORD", "default": "pass word"}},
        "user_classes": [{
            "name": "visitor",
            "on_start": [
                {"get": "/cookies/set?session=${person.name}", "name": "/cookies/set",
                 "expect": {"status": 200, "json": {"/cookies/session": "${person.name}"}}}],
            "tasks": [{"name": "round", "requests": [
                {"get": "/cookies", "expect": {"json": {"/cookies/session": "${person.name}"}}},
                {"get": "/redirect/3", "expect": {"status": 200}},
                {"get": "/redirect/1", "name": "not followed", "redirects": 0, "expect": {"status": 302}},
                {"get": "/redirect-to?url=%2Fget&status_code=307", "name": "/redirect-to", "expect": {"status": 200}},
                {"get": "/basic-auth/jo/x", "headers": {"Authorization": "Basic am86eA=="},
                 "expect": {"status": 200, "json": {"/authenticated": True, "/user": "jo"}}},
                {"get": "/basic-auth/jo/x", "name": "unauthorized", "expect": {"status": 401}},
                {"get": "/gzip", "headers": {"Accept-Encoding": "gzip"},
                 "expect": {"json": {"/gzipped": True}, "header": {"Content-Encoding": "gzip"}}},
                {"get": "/deflate", "expect": {"json": {"/deflated": True}}},
                {"get": "/drip?numbytes=5&duration=0.2&delay=0", "name": "/drip", "expect": {"size": 5, "within": "10s"}},
                {"get": "/status/418", "expect": {"status": [418], "body_contains": "teapot"}},
                {"get": "/status/204", "expect": {"status": "2xx"}},
                {"get": "/uuid", "extract": {"id": {"json": "/uuid"}}},
                {"post": "/post", "json": {"id": "${id}", "name": "${person.name}", "quote": "\"${person.motto}\""},
                 "headers": {"X-Round": "${iteration}"},
                 "expect": {"json": {"/json/id": "${id}", "/json/name": "${person.name}",
                                     "/json/quote": "\"${person.motto}\"", "/headers/X-Round": "${iteration}"}}},
                {"post": "/post", "name": "form", "form": {"motto": "${person.motto}", "password": "${password}"},
                 "expect": {"json": {"/form/motto": "${person.motto}", "/form/password": "${password}"}}},
                {"get": "/get?q=${person.motto}", "name": "/get",
                 "expect": {"json": {"/args/q": "${person.motto}"}, "body_not_contains": "no such text"}},
                {"put": "/put", "body": "plain ${person.name}", "expect": {"json": {"/data": "plain ${person.name}"}}},
                {"get": "/response-headers?X-Ticket=t-${iteration}", "name": "/response-headers",
                 "extract": {"ticket": {"header": "X-Ticket"}}},
                {"get": "/anything/${ticket}", "name": "/anything",
                 "expect": {"json": {"/method": "GET"}, "body_contains": "/anything/t-${iteration}"}},
                {"get": "/cookies/delete?nothing=", "name": "/cookies/delete", "expect": {"status": 200}},
                {"delete": "/delete", "expect": {"status": 200}}]}],
        }],
    }


PEOPLE = [{"name": f"person-{k}", "motto": motto} for k, motto in
          enumerate(["a b&c=d", 'says "no"', "ümläut ☕", "100% +1 / \\ ?", "back`tick", "semi;colon"])]


def a_journey_through_httpbin_meets_every_expectation(bench):
    """Cookies, redirects, basic auth, gzip, drip, statuses and templates of all kinds: all pass, and the log agrees."""
    (bench.dir / "people.json").write_text(json.dumps(PEOPLE))
    with httpbin(bench.dir) as (url, entries):
        scenario = journey(url)
        a_round = len(scenario["user_classes"][0]["tasks"][0]["requests"])
        requests = USERS + USERS * a_round * ROUNDS
        scenario["requests"] = requests
        path = bench.dir / "httpbin.json"
        path.write_text(json.dumps(scenario))
        out = bench.stream_path()
        ran = bench.run("-f", path, "--telemetry", out)
        log = entries()
    ran.must_exit(0)
    stream = whole_stream(bench, out, ran)
    equal((stream.end["sent"], stream.end["ok"]), (requests, requests), "sent, ok")
    equal(len(log), requests + stream.end["redirects"], "requests in httpbin's log")
    expect(stream.end["redirects"] > 0, "no redirect was followed")
    return f"{requests} requests ok, {stream.end['redirects']} redirects followed, httpbin logged {len(log)}"


def the_examples_run_against_the_embedded_target(bench):
    """Every file in examples/, shortened, runs without a failed request, and its checks are met."""
    short = {"ramp": ["--stages", "1s:10,1s:10,500ms:0"]}
    said = []
    for path in sorted(EXAMPLES.glob("*.json")):
        port = free_port()
        with child([bench.binary, "target", "--listen", f"127.0.0.1:{port}"], stdin=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL) as target:
            wait_for_port(port, target, "the embedded target")
            out = bench.stream_path(f"{path.stem}.ndjson")
            ran = bench.run("-f", path, "-H", f"http://127.0.0.1:{port}", "--interval", "500ms", "--telemetry", out,
                            *short.get(path.stem, ["-t", "2s"]))
        ran.must_exit(0)
        stream = whole_stream(bench, out, ran)
        equal(stream.end["failed"], 0, f"failed requests of {path.name}")
        expect(stream.end["ok"] > 10, f"only {stream.end['ok']} requests of {path.name}")
        said.append(f"{path.stem} {stream.end['ok']}")
    return ", ".join(said)


SCENARIOS = [
    a_journey_through_httpbin_meets_every_expectation,
    the_examples_run_against_the_embedded_target,
]
