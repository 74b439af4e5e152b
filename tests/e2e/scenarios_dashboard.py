"""Our Grafana dashboard over Prometheus: does each of its queries answer what the stream says?"""

import contextlib
import json
import math
import re
import shutil
import signal
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import stream as telemetry
from harness import Skip, child, clean_environment, equal, expect, free_port, wait_for_port, wait_until
from scenarios_page import target

DASHBOARD = Path(__file__).resolve().parents[2] / "deploy/grafana/swarmline.json"

BOUNDS = [0, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, math.inf]
"""Bounds of the buckets of our histograms, in seconds."""

WINDOW = 3
"""Seconds that a rate of the dashboard looks back, `$__rate_interval`: several scrapes."""

SLACK = 1.0
"""Seconds around that window of which the stream's intervals count too: an interval, and a scrape."""

CONFIG = """
global: {{scrape_interval: 250ms, evaluation_interval: 1s}}
scrape_configs:
  - job_name: swarmline
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Prometheus:
    """The HTTP interface of a Prometheus."""

    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}/api/v1/query?"

    def ask(self, query, at=None):
        """The answer to a query at a time: value by labels without those of the scrape."""
        parameters = {"query": query} | ({"time": f"{at:.3f}"} if at else {})
        with urllib.request.urlopen(self.base + urllib.parse.urlencode(parameters), timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
        labels = lambda series: frozenset((k, v) for k, v in series["metric"].items() if k not in ("__name__", "job", "instance"))
        return {labels(series): float(series["value"][1]) for series in result}

    def knows(self, query):
        """Whether there is an answer to a query now; False until it can be asked."""
        with contextlib.suppress(OSError):
            return bool(self.ask(query))
        return False


def queries():
    """Panel, query with the dashboard's variables resolved, and whether it is asked for one moment."""
    dashboard = json.loads(DASHBOARD.read_text())
    variables = {"$job": "swarmline", "$instance": ".*", "$__rate_interval": f"{WINDOW}s"}
    for panel in dashboard["panels"]:
        for asked in panel.get("targets", ()):
            expression = re.sub(r"\$\w+", lambda found: variables[found[0]], asked["expr"])
            yield panel["title"], expression, asked["instant"]


class Said:
    """What the stream says of the time around a window."""

    def __init__(self, stream, at):
        self.stream = stream
        near = lambda line: (telemetry.seconds(line["interval_end"]) > at - WINDOW - SLACK
                             and telemetry.seconds(line["interval_start"]) < at + SLACK)
        self.intervals = [line for line in stream.all("swarmline.metric.interval") if near(line)]
        self.health = [line for line in stream.all("swarmline.metric.health") if near(line)]
        self.last_health = stream.all("swarmline.metric.health")[-1]
        ticks = {line["tick"] for line in self.health}
        self.gauges = {name: [line["value"] for line in stream.all(f"locust.tl.system.metric.{name}") if line["tick"] in ticks]
                       for name in ("cpu", "mem")}

    def rates(self, of, per=lambda line: ()):
        """Lowest and highest sum of a count a second of an interval, by a key."""
        keys = {per(line) for line in self.intervals}
        rates = {key: [] for key in keys}
        for health in self.health:
            length = telemetry.seconds(health["interval_end"]) - telemetry.seconds(health["interval_start"])
            for key in keys if length > 0.1 else ():
                lines = (line for line in self.intervals if line["tick"] == health["tick"] and per(line) == key)
                rates[key].append(sum(map(of, lines)) / length)
        return {key: (min(values), max(values)) for key, values in rates.items()}

    def times(self, kind, key, per=lambda line: ()):
        """Lowest and highest value of a time in seconds over intervals and endpoints, by a key."""
        found = {}
        for line in self.intervals:
            times = line[kind]
            count = times.get("count", line["ok"] + line["failed"])
            if count:
                value = times["sum_us"] / count if key == "mean" else times[key]
                found.setdefault(per(line), []).append(value / 1e6)
        return {key: (min(values), max(values)) for key, values in found.items()}


def names(line):
    """The labels of an endpoint."""
    return ("method", line["method"]), ("name", line["name"])


def within(answer, wanted, what, widen):
    """Each value lies between the lowest and the highest that the stream says, widened, and each one is there."""
    wanted = {frozenset(key): value for key, value in wanted.items()}
    equal(set(answer), set(wanted), f"{what}: labels")
    for labels, value in answer.items():
        low, high = widen(*wanted[labels])
        expect(low <= value <= high, f"{what} {dict(labels)}: {value:g}, by the stream {low:g} to {high:g}")


def near(low, high):
    """A rate over the window, extrapolated by Prometheus to its ends."""
    return 0.85 * low - 1, 1.15 * high + 1


def in_buckets(low, high):
    """Values as exactly as buckets tell them."""
    return max(bound for bound in BOUNDS if bound <= low), min(bound for bound in BOUNDS if bound >= high)


def exact(low, high):
    """The values themselves, as floats."""
    return low - 1e-6 * abs(low), high + 1e-6 * abs(high)


def one(value):
    """The only value, without labels."""
    return {(): (value, value)}


def all_of(values):
    """Any of these values, without labels."""
    return {(): (min(values), max(values))}


def by_result(said):
    """Rates of requests by result."""
    rates = {result: said.rates(lambda line, key=result: line[key])[()] for result in ("ok", "failed")}
    return {(("result", result),): rate for result, rate in rates.items()}


def by_class(said):
    """Rates of failures by class."""
    classes = {name for line in said.intervals for name in line["failed_by_class"]}
    rates = {name: said.rates(lambda line, key=name: line["failed_by_class"].get(key, 0))[()] for name in classes}
    return {(("class", name),): rate for name, rate in rates.items()}


def percentiles(said, kind):
    """50, 95 and 99 % of a time."""
    return [(said.times(kind, key), in_buckets) for key in ("p50_us", "p95_us", "p99_us")]


def whole_run(said):
    """The table of endpoints: exact counts and mean, percentiles as exactly as buckets tell them."""
    endpoints = {names(line): line for line in said.stream.endpoints().values()}
    column = lambda of: {key: (of(line), of(line)) for key, line in endpoints.items()}
    exactly = [column(lambda line: line["num_requests"]), column(lambda line: line["num_failures"]),
               column(lambda line: line["avg_response_time"] / 1000)]
    keys = ("percentile_50", "percentile_95", "percentile_99")
    bucketed = [column(lambda line, key=key: line[key] / 1000) for key in keys]
    return [(wanted, lambda low, high: (low - 1e-5, high + 1e-5)) for wanted in exactly] + [(wanted, in_buckets) for wanted in bucketed]


def checks(said):
    """The table of checks."""
    lines = said.stream.all("swarmline.event.check")
    met = {(("check", line["check"]),): (float(line["met"]),) * 2 for line in lines}
    value = {(("check", line["check"]), ("unit", line["unit"])): (line["value"],) * 2 for line in lines}
    data = {(("check", line["check"]),): (1.0, 1.0) for line in lines}
    return [(met, exact), (value, exact), (data, exact)]


def panels(said):
    """Of each panel what its queries must answer: lowest and highest value by labels, and how exactly."""
    end, health = said.stream.end, said.last_health
    gauge = lambda key, scale=1: [line[key] / scale for line in said.health]
    completed = lambda line: line["ok"] + line["failed"]
    verdict = {(("verdict", end["verdict"]),): (1, 1)}
    machine = lambda name, scale: {(("source_id", "local"),): (min(said.gauges[name]) * scale, max(said.gauges[name]) * scale)}
    share = said.stream.final["num_failures"] / said.stream.final["num_requests"]
    lateness = {(("percentile", label),): (min(gauge(f"lateness_{key}_us", 1e6)), max(gauge(f"lateness_{key}_us", 1e6)))
                for label, key in (("50", "p50"), ("99", "p99"), ("100", "max"))}
    sides = {(("direction", side),): said.rates(lambda line, key=key: line[key])[()]
             for side, key in (("sent", "bytes_sent"), ("recv", "bytes_received"))}
    unfinished = {(("state", state),): (end[state],) * 2 for state in ("aborted", "unsent", "overdue")}
    return {
        "Users": [(one(health["users"]), exact)],
        "Requests per second": [(said.rates(completed), near), (by_result(said), near)],
        "Failed": [(one(share), lambda low, high: (0.8 * low, 1.2 * high))],
        "Response time, 95 %": [(said.times("response", "p95_us"), in_buckets)],
        "Phase": [({(("phase", "steady"),): (1, 1)}, exact)],
        "Verdict": [(verdict, exact)],
        "Failures per second, by class": [(by_class(said), near)],
        "Response time": percentiles(said, "response"),
        "Service time": percentiles(said, "service"),
        "Time to first byte": percentiles(said, "first_byte"),
        "Mean times": [(said.times(kind, "mean"), exact) for kind in ("response", "service", "first_byte")],
        "Response time 95 %, by endpoint": [(said.times("response", "p95_us", names), in_buckets)],
        "Requests per second, by endpoint": [(said.rates(completed, names), near)],
        "Endpoints, over the whole run": whole_run(said),
        "Checks": checks(said),
        "Users and requests in flight": [(all_of(gauge(key)), exact) for key in ("users", "users_wanted", "in_flight")],
        "Connections per second": [(said.rates(lambda line: line["connections"]["count"]), near), (said.rates(lambda line: line["reopened"]), near)],
        "Bodies": [(sides, near)],
        "Redirects per second": [(said.rates(lambda line: line["redirects"]), near)],
        "Unfinished at the end": [(unfinished, exact)],
        "Lateness of sends": [(lateness, exact)],
        "CPU of the generator": [(machine("cpu", 1), exact)],
        "Memory of the generator": [(machine("mem", 1 << 20), exact)],
        "Held back by the cgroup": [(all_of(gauge("throttled_ms", 500)), near)],
        "Warnings": [(one(len(said.stream.all("swarmline.event.warning"))), exact)],
        "Requests cut off": [(one(end["aborted"]), exact)],
    }


AT_THE_END = {"Users", "Verdict", "Endpoints, over the whole run", "Checks", "Unfinished at the end", "Warnings", "Requests cut off"}
"""Panels whose queries are asked when the run is over; the others are asked for a moment of the load."""


@contextlib.contextmanager
def prometheus(bench, port):
    """A Prometheus that scrapes a port; yields its interface."""
    if not shutil.which("prometheus"):
        raise Skip("prometheus is not installed")
    own = free_port()
    config = bench.dir / "prometheus.yml"
    config.write_text(CONFIG.format(port=port))
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={bench.dir / 'tsdb'}",
               f"--web.listen-address=127.0.0.1:{own}"]
    with child(command, signal.SIGTERM, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for_port(own, process, "prometheus")
        database = Prometheus(own)
        # It finds its targets some seconds after it has started.
        wait_until(lambda: database.knows("up"), 30, "prometheus scrapes")
        yield database


def each_query_of_the_dashboard_answers_what_the_stream_says(bench):
    """Prometheus scrapes a run; each query of our Grafana dashboard is asked, and its answer held against the stream."""
    told = subprocess.run([bench.binary, "run", "--help"], capture_output=True, text=True, check=True, timeout=10).stdout
    if "--web-port" not in told:
        raise Skip("this binary has no --web-port")
    port, path = free_port(), bench.stream_path()
    serving, target_port = target(bench)
    flags = ["-H", f"http://127.0.0.1:{target_port}", "-u", "6", "-r", "600", "--wait", "pacing:50ms", "-t", "6s", "-s", "2s",
             "--interval", "500ms", "--web-port", str(port), "--web-linger", "30s", "--telemetry", path,
             "--check", "p95 < 5s", "--check", "p50{GET /delay/20} < 1ms", "--check", "fail_ratio@steady < 50%"]
    with serving as served, prometheus(bench, port) as database:
        wait_for_port(target_port, served, "swarmline target")
        with bench.start(*flags, "/ok", "/delay/20", "/status/500", "/bytes/1000") as process:
            wait_until(lambda: database.knows("swarmline_run_finished == 1"), 40, "prometheus has the run's end")
            stream = telemetry.read_whole(path.read_bytes())
            stopped = telemetry.seconds(stream.one("locust.tl.event.test.stop")["stopped_at"])
            under_load = stopped - 0.6
            wanted, asked = panels(Said(stream, under_load)), {}
            for title, expression, _ in queries():
                answer = database.ask(expression, None if title in AT_THE_END else under_load)
                place = asked[title] = asked.get(title, -1) + 1
                expect(title in wanted and place < len(wanted[title]), f"nothing is known of query {place} of panel {title}")
                values, widen = wanted[title][place]
                within(answer, values, f"{title}, {expression}", widen)
            process.send_signal(signal.SIGINT)
            process.wait(10)
    equal({title: count + 1 for title, count in asked.items()}, {title: len(answers) for title, answers in wanted.items()}, "queries")
    return f"{sum(count + 1 for count in asked.values())} queries of {len(asked)} panels"


SCENARIOS = [each_query_of_the_dashboard_answers_what_the_stream_says]
