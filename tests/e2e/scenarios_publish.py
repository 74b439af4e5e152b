"""Metrics for other systems: do Prometheus, OpenTelemetry's own decoder and an agent get what the stream says?"""

import contextlib
import gzip
import importlib.util
import json
import math
import queue
import shutil
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from harness import (Failed, Skip, StoppableServer, child, clean_environment, end, equal, expect, free_port, wait_for_port,
                     wait_until)
from scenarios_page import target
from stream import read_whole

DASHBOARD = "dashboards/otel-dashboard.json"
PATHS = ("/ok", "POST /ok", "/delay/20", "/bytes/1000", "/status/500", "/status/404")
SECRET = "s3cr3t-of-the-test"


@contextlib.contextmanager
def loaded(bench, *flags, environment=(), paths=PATHS, name="s"):
    """A run against the embedded target; yields the process and its stream's path."""
    stream = bench.stream_path(f"{name}.ndjson")
    serving, port = target(bench)
    with serving as served:
        wait_for_port(port, served, "swarmline target")
        command = [bench.binary, "run", "-H", f"http://127.0.0.1:{port}", "--interval", "1s", "--telemetry", stream,
                   *flags, *paths]
        with child(command, signal.SIGKILL, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                   env={**clean_environment(), **dict(environment)}) as process:
            yield process, stream


def ended(process, limit=40):
    """What a run said, when it is over."""
    _, stderr = process.communicate(timeout=limit)
    return stderr.decode()


def close(actual, wanted, what, within=1e-9):
    """Fails unless two numbers are nearly equal."""
    expect(math.isclose(actual, wanted, rel_tol=within, abs_tol=1e-9), f"{what}: {actual!r}, not {wanted!r}")


class Prometheus:
    """Debian's Prometheus, which scrapes one port each second."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, query):
        """The answer to an instant query: a list of labels and value."""
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}", timeout=5) as answer:
            result = json.load(answer)["data"]
        if result["resultType"] == "scalar":
            return [({}, float(result["result"][1]))]
        return [(entry["metric"], float(entry["value"][1])) for entry in result["result"]]

    def one(self, query):
        """The single value of a query."""
        found = self.ask(query)
        expect(len(found) == 1, f"{query} has {len(found)} values")
        return found[0][1]


@contextlib.contextmanager
def prometheus(bench, scraped):
    """A Prometheus that scrapes `scraped`."""
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        raise Skip("prometheus is not installed")
    port, config = free_port(), bench.dir / "prometheus.yml"
    config.write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: swarmline\n  static_configs:\n"
                      f"  - targets: ['127.0.0.1:{scraped}']\n")
    with child(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={bench.dir / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for_port(port, process, "prometheus")

        def is_ready():
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5):
                return True
            return False

        wait_until(is_ready, 20, "prometheus is ready")
        server = Prometheus(port)
        # It takes seconds until it knows whom to scrape.
        wait_until(lambda: server.ask("up"), 20, "prometheus scrapes")
        yield server


def check_counters(server, stream):
    """Every counter of Prometheus beside the stream's last lines."""
    final = stream.final
    equal(server.one("sum(swarmline_requests_total)"), final["num_requests"], "requests")
    equal(server.one('sum(swarmline_requests_total{result="failed"})'), final["num_failures"], "failures")
    equal(server.one("sum(swarmline_failures_total)"), final["num_failures"], "failures by class")
    for kind in ("response", "service", "first_byte"):
        for end_of_name in ("_count", '_bucket{le="+Inf"}'):
            equal(server.one(f"sum(swarmline_{kind}_time_seconds{end_of_name})"), final["num_requests"], f"{kind} times")
    plugin = "locust_tl_request_metric"
    equal(server.one(f"sum({plugin}_success_milliseconds_count)"), final["num_requests"] - final["num_failures"], "successes")
    equal(server.one(f"sum({plugin}_error_milliseconds_count)"), final["num_failures"], "errors")
    close(server.one("sum(swarmline_response_time_seconds_sum)") * 1000 / final["num_requests"], final["avg_response_time"],
          "mean response time", 5e-4)
    intervals = stream.all("swarmline.metric.interval")
    service_ms = sum(line["service"]["sum_us"] for line in intervals) / 1000
    close(server.one(f"sum({plugin}_success_milliseconds_sum) + sum({plugin}_error_milliseconds_sum)"), service_ms,
          "service times of the plugin's names")
    failed_ms = sum(sum((line.get("failed_service_us") or {}).values()) for line in intervals) / 1000
    close(server.one(f"sum({plugin}_error_milliseconds_sum)"), failed_ms, "service times of failures")
    for line in stream.endpoints().values():
        labels = f'{{method="{line["method"]}",name="{line["name"]}"}}'
        equal(server.one(f"sum(swarmline_requests_total{labels})"), line["num_requests"], f"requests of {labels}")
    for key, family in (("aborted", "requests_aborted"), ("redirects", "redirects")):
        equal(server.one(f"sum(swarmline_{family}_total)"), sum(line[key] for line in intervals), key)
    for key, direction in (("bytes_sent", "sent"), ("bytes_received", "recv")):
        bytes_of = f'sum(swarmline_body_bytes_total{{direction="{direction}"}})'
        equal(server.one(bytes_of), sum(line[key] for line in intervals), key)


def check_quantiles(server, stream):
    """Quantiles are in the bucket of the stream's percentiles."""
    bounds = sorted(float(labels["le"]) for labels, _ in server.ask("sum by (le) (swarmline_response_time_seconds_bucket)"))
    seen = []
    for quantile, key in ((0.5, "percentile_50"), (0.95, "percentile_95"), (0.99, "percentile_99")):
        got = server.one(f"histogram_quantile({quantile}, sum by (le) (swarmline_response_time_seconds_bucket))")
        wanted = stream.final[key] / 1000
        upper = next(bound for bound in bounds if bound >= wanted * 0.999)
        lower = max([bound for bound in bounds if bound < wanted * 0.999], default=0)
        expect(lower <= got <= upper, f"quantile {quantile} is {got}, not from {lower} to {upper} ({wanted})")
        seen.append(f"{key[11:]} %: {got * 1000:.2f} ms beside {wanted * 1000:.2f}")
    return ", ".join(seen)


def queries(bench):
    """All queries of the plugin's dashboard for Prometheus."""
    path = Path(bench.shared) / DASHBOARD
    if not path.exists():
        return []

    def of(panels):
        for panel in panels:
            yield from ((panel["title"], target["expr"]) for target in panel.get("targets", []))
            yield from of(panel.get("panels", []))

    return list(of(json.loads(path.read_text())["panels"]))


def check_dashboard(bench, server, stream):
    """Each query of the plugin's dashboard has an answer, and it is what the stream says."""
    asked = queries(bench)
    for title, query in asked:
        query = query.replace("$__rate_interval", "1h").replace("$run_id", ".*").replace("$testplan", ".*")
        found = server.ask(query)
        if "cpu.warning" in query:
            equal(sum(value for _, value in found) > 0, bool(stream.all("locust.tl.event.cpu.warning")), title)
            continue
        expect(found and all(math.isfinite(value) for _, value in found), f"{title}: {query} has no answer: {found}")
    if asked:
        equal(server.one("max(locust_tl_user_metric_count_ratio)"), stream.final["user_count"], "users")
        memory = [line["value"] for line in stream.all("locust.tl.system.metric.mem")][-1]
        close(server.one("locust_tl_system_metric_mem_bytes"), memory * 1024 * 1024, "memory in bytes", 1e-6)
        events = '{event="locust.tl.event.test.start"}'
        equal(server.one(f"count(locust_tl_event_test_events_total{events})"), 1, "tests started")
    return len(asked)


def check_format(port):
    """promtool finds no fault but with the names that are the plugin's."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        equal(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8", "content type")
        text = answer.read()
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=20)
    said = (done.stdout + done.stderr).decode().splitlines()
    ours = [line for line in said if line and not line.startswith("locust_tl_")]
    equal(ours, [], "what promtool says of our metrics")


def prometheus_counts_what_the_stream_counts(bench):
    """Debian's Prometheus scrapes a run each second: each counter equals the final line, quantiles are within a bucket."""
    port = free_port()
    flags = ("-u", "6", "-r", "6", "-t", "5s", "--wait", "pacing:20ms", "--web-port", str(port), "--web-linger", "1m",
             "--check", "p95 < 10s")
    with prometheus(bench, port) as server, loaded(bench, *flags) as (process, path):
        wait_for_port(port, process, "the live page")
        counts = []

        def is_over():
            now = server.ask("sum(swarmline_requests_total)")
            counts.extend(value for _, value in now)
            return server.ask("swarmline_run_finished == 1")

        wait_until(is_over, 30, "Prometheus has the end of the run")
        equal(counts, sorted(counts), "requests over time")
        expect(len(set(counts)) > 2, "Prometheus saw the run only once")
        stream = read_whole(path.read_bytes())
        check_counters(server, stream)
        quantiles = check_quantiles(server, stream)
        equal(server.one('swarmline_check_met{check="p95 < 10s"}'), 1, "the check")
        panels = check_dashboard(bench, server, stream)
        check_format(port)
        end(process)
    return f"{stream.final['num_requests']} requests, {quantiles}; {panels} queries of the plugin's dashboard"


class Backend:
    """Takes pushes; each is decoded by OpenTelemetry's own classes. `answers` are used first, one a push: a status, headers
    and a pause before them."""

    def __init__(self, answers=(), body=b""):
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        self.taken, self.tried, self.headers = [], [], []
        waiting = queue.SimpleQueue()
        for answer in answers:
            waiting.put(answer)
        self.release = threading.Event()
        backend = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                data = self.rfile.read(int(self.headers["content-length"]))
                # The agent compresses, whatever it is told.
                plain = gzip.decompress(data) if self.headers["content-encoding"] == "gzip" else data
                request = ExportMetricsServiceRequest.FromString(plain)
                backend.tried.append((time.monotonic(), self.path))
                backend.headers.append(dict(self.headers.items()))
                status, fields = (200, {}) if waiting.empty() else waiting.get()
                if status is None:
                    backend.release.wait(60)
                    return
                if status == 200:
                    backend.taken.append(request)
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.handler = Handler

    @contextlib.contextmanager
    def serving(self, port=0):
        """Serves until the block is left."""
        server = StoppableServer(("127.0.0.1", port), self.handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            self.release.set()
            server.shutdown()
            server.server_close()
            thread.join()


def has_package(name):
    """Skips the scenario without a Python package."""
    try:
        found = importlib.util.find_spec(name)
    except ImportError:
        found = None
    if not found:
        raise Skip(f"the Python package {name} is not installed")


def points(request):
    """The data points of a message by metric and attributes."""
    found = defaultdict(dict)
    for metric in request.resource_metrics[0].scope_metrics[0].metrics:
        kind = metric.WhichOneof("data")
        for point in getattr(metric, kind).data_points:
            key = tuple(sorted((a.key, a.value.string_value or a.value.int_value) for a in point.attributes))
            expect(key not in found[metric.name], f"{metric.name} has {key} twice")
            found[metric.name][key] = point
    return found


def percentile(found, share):
    """The upper bound of the bucket of an exponential histogram where a share of all is reached."""
    counts = defaultdict(int)
    scale = min(point.scale for point in found)
    for point in found:
        for at, count in enumerate(point.positive.bucket_counts):
            counts[(point.positive.offset + at) >> (point.scale - scale)] += count
    wanted, below = math.ceil(sum(counts.values()) * share), 0
    for index in sorted(counts):
        below += counts[index]
        if below >= wanted:
            base = 2 ** (2**-scale)
            return base ** (index + 1), base
    raise Failed("an empty histogram")


def check_message(request, stream):
    """The last message beside the stream."""
    found = points(request)
    final, intervals = stream.final, stream.all("swarmline.metric.interval")
    client = found["http.client.request.duration"]
    response = found["swarmline.response.duration"].values()
    failed = [point for key, point in client.items() if "error.type" in dict(key)]
    equal(sum(point.count for point in client.values()), final["num_requests"], "requests in exponential histograms")
    equal(sum(point.count for point in failed), final["num_failures"], "failures in them")
    by_class = defaultdict(int)
    for line in intervals:
        for name, count in line["failed_by_class"].items():
            by_class[name] += count
    of_type = defaultdict(int)
    for key, point in client.items():
        if "error.type" in dict(key):
            of_type[dict(key)["error.type"]] += point.count
    equal(of_type, by_class, "failures by error.type")
    for point in [*client.values(), *response]:
        equal(sum(point.positive.bucket_counts) + point.zero_count, point.count, "sum of the buckets")
        expect(len(point.positive.bucket_counts) <= 160, "more than 160 buckets")
    for what, some, kind in (("service", client.values(), "service"), ("response", response, "response")):
        close(sum(point.sum for point in some), sum(line[kind]["sum_us"] for line in intervals) / 1e6, f"sum of {what} times")
    shown = []
    for share, key in ((0.5, "percentile_50"), (0.95, "percentile_95"), (0.99, "percentile_99")):
        upper, base = percentile(response, share)
        wanted = final[key] / 1000
        expect(upper / base / base / 1.001 <= wanted <= upper * base * 1.001, f"{key}: {wanted} is not in {upper / base} … {upper}")
        shown.append(f"{key[11:]} %: up to {upper * 1000:.2f} ms beside {final[key]:.2f}")
    names = ("success", "error")
    success, error = (found[f"locust.tl.request.metric.{name}"].values() for name in names)
    equal(sum(point.count for point in success), final["num_requests"] - final["num_failures"], "the plugin's successes")
    equal(sum(point.count for point in error), final["num_failures"], "the plugin's errors")
    for point in [*success, *error]:
        equal(sum(point.bucket_counts), point.count, "sum of explicit buckets")
        equal(len(point.bucket_counts), len(point.explicit_bounds) + 1, "explicit buckets")
    start = stream.all("swarmline.event.config")[0]["started_at"]
    equal(len({point.start_time_unix_nano for point in client.values()}), 1, f"start times, {start}")
    return ", ".join(shown)


def check_never_falls(requests):
    """No count, sum or time falls from push to push, and no scale rises."""
    for before, after in zip(requests, requests[1:]):
        before, after = points(before), points(after)
        for name, known in before.items():
            for key, point in known.items():
                then = after[name].get(key)
                expect(then is not None, f"{name}{key} went away")
                for field in ("count", "sum", "as_int", "time_unix_nano"):
                    if hasattr(point, field):
                        expect(getattr(then, field) >= getattr(point, field), f"{field} of {name}{key} fell")
                if hasattr(point, "scale"):
                    expect(then.scale <= point.scale, f"the scale of {name}{key} rose")


def opentelemetry_decodes_each_push_and_it_is_what_the_stream_says(bench):
    """opentelemetry-proto decodes each message: counts and sums equal the stream's, percentiles are within one bucket; secrets stay."""
    has_package("opentelemetry.proto")
    backend = Backend()
    with backend.serving() as port:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={SECRET}",
                       "OTEL_RESOURCE_ATTRIBUTES": "team=shop", "OTEL_SERVICE_NAME": "checkout"}
        with loaded(bench, "-u", "6", "-r", "3", "-t", "5s", "--wait", "pacing:20ms", environment=environment) as (process, path):
            said = ended(process)
    stream = read_whole(path.read_bytes())
    expect(SECRET not in said and SECRET not in path.read_text(), "a secret was shown")
    equal({headers["api-key"] for headers in backend.headers}, {SECRET}, "header")
    equal({path for _, path in backend.tried}, {"/v1/metrics"}, "path")
    resource = {a.key: a.value.string_value for a in backend.taken[-1].resource_metrics[0].resource.attributes}
    equal((resource["service.name"], resource["team"]), ("checkout", "shop"), "resource")
    check_never_falls(backend.taken)
    shown = check_message(backend.taken[-1], stream)
    return f"{len(backend.taken)} messages, {stream.final['num_requests']} requests, {shown}"


def an_agent_takes_the_pushes_and_passes_on_what_the_stream_says(bench):
    """rotel takes the pushes and passes them on: the exponential histograms that arrive behind it equal the stream's."""
    has_package("opentelemetry.proto")
    has_package("rotel")
    agent = Path(importlib.util.find_spec("rotel").origin).with_name("rotel-agent")
    if not agent.exists():
        raise Skip("rotel has no agent for this machine")
    backend, port, grpc = Backend(), free_port(), free_port()
    with backend.serving() as behind:
        command = [agent, "start", "--otlp-http-endpoint", f"127.0.0.1:{port}", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}",
                   "--exporter", "otlp", "--otlp-exporter-endpoint", f"http://127.0.0.1:{behind}", "--otlp-exporter-protocol",
                   "http", "--metrics-batch-timeout", "200ms"]
        with child(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=bench.dir) as process:
            wait_for_port(port, process, "rotel-agent")
            with loaded(bench, "-u", "4", "-t", "3s", "--wait", "pacing:20ms", "--otlp", f"http://127.0.0.1:{port}") as (run, path):
                said = ended(run)
            stream = read_whole(path.read_bytes())

            def is_there():
                last = backend.taken and points(backend.taken[-1])["swarmline.response.duration"].values()
                return last and sum(point.count for point in last) == stream.final["num_requests"]

            wait_until(is_there, 10, f"the last push is behind the agent; {said}")
    return check_message(backend.taken[-1], stream)


def a_backend_that_fails_loses_nothing_and_costs_no_load(bench):
    """429 with Retry-After, 503, an endless answer, 400, no backend at all: the load is as planned, and the last push has all of it."""
    has_package("opentelemetry.proto")
    faults = {
        "429": [(429, {"retry-after": "2"}), (429, {"retry-after": "1"})],
        "503": [(503, {})] * 3,
        "hangs": [(None, {})],
        "refuses": [(400, {})] * 2,
        "away": [],
    }
    with ThreadPoolExecutor(len(faults)) as pool:
        told = list(pool.map(lambda fault: with_fault(bench, *fault), faults.items()))
    return "; ".join(told)


def with_fault(bench, name, answers):
    """A run whose backend answers so at first; `away` is one that is not there at first."""
    backend, flags = Backend(answers), ("--rate", "50", "-u", "10", "-t", "6s", "-s", "2s")
    if name == "away":
        port = free_port()
        with loaded(bench, *flags, "--otlp", f"http://127.0.0.1:{port}", name=name) as (process, path):
            wait_until(lambda: path.exists() and b'"otlp_failed":1' in path.read_bytes(), 10, "a push failed")
            with backend.serving(port):
                said = ended(process)
    else:
        with backend.serving() as port, loaded(bench, *flags, "--otlp", f"http://127.0.0.1:{port}", name=name) as (process, path):
            said = ended(process)
    if name == "429":
        pause = backend.tried[1][0] - backend.tried[0][0]
        expect(pause >= 2, f"{pause:.2f} s after a Retry-After of 2")
    return f"{name}: {check_fault(name, backend, path, said)}"


def check_fault(name, backend, path, said):
    """What must hold after a fault of the backend."""
    stream = read_whole(path.read_bytes())
    due = stream.final["num_requests"]
    expect(295 <= due <= 300, f"{name}: {due} requests, not 300 as planned")
    check_message(backend.taken[-1], stream)
    expect("the last has the complete run" in said, f"{name}: {said}")
    health = stream.all("swarmline.metric.health")[-1]
    warned = [line["kind"] for line in stream.all("swarmline.event.warning")]
    failed = health["otlp_failed"]
    if name != "hangs":
        expect(failed > 0 and "otlp_failed" in warned, f"{name}: {failed} failed pushes in the stream, warnings {warned}")
    expect("failed" in said or name == "hangs", f"{name}: the summary does not say so: {said}")
    return f"{due} requests, {len(backend.tried)} pushes, {failed} failed in the stream"


def a_backend_that_never_answers_is_left_after_five_seconds(bench):
    """A backend that hangs to the end, or is not there: the run ends at most six seconds later, says so, and its exit code stays."""
    has_package("opentelemetry.proto")
    backend, told = Backend([(None, {})] * 20), []
    with backend.serving() as port:
        for url in (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"):
            began = time.monotonic()
            with loaded(bench, "-n", "20", "--otlp", url, paths=("/ok",), name=url[-5:]) as (process, path):
                said = ended(process)
                equal(process.returncode, 0, "exit code")
            took = time.monotonic() - began
            expect("none has the complete run" in said, said)
            read_whole(path.read_bytes())
            told.append(f"{took:.1f} s")
    return " and ".join(told)


def wrong_settings_are_refused_before_the_load(bench):
    """grpc by name, a URL that is none, headers that are none: one line, exit 2, no secret."""
    for variables, flag, word in (
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http://127.0.0.1:1", "grpc"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": SECRET}, "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_HEADERS"),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_TIMEOUT"),
        ({}, f"ftp://me:{SECRET}@host", "--otlp"),
        ({"OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere"}, "https://127.0.0.1:1", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
    ):
        command = [str(bench.binary), "run", "http://127.0.0.1:1/", "-n", "1", "--otlp", flag]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, env={**clean_environment(), **variables})
        equal((done.returncode, len(done.stderr.splitlines())), (2, 1), f"exit code and lines of {variables} {flag}: {done.stderr}")
        expect(word in done.stderr and SECRET not in done.stderr, done.stderr)
    return "5 refused"


SCENARIOS = [
    prometheus_counts_what_the_stream_counts,
    opentelemetry_decodes_each_push_and_it_is_what_the_stream_says,
    an_agent_takes_the_pushes_and_passes_on_what_the_stream_says,
    a_backend_that_fails_loses_nothing_and_costs_no_load,
    a_backend_that_never_answers_is_left_after_five_seconds,
    wrong_settings_are_refused_before_the_load,
]
