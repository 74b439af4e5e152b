"""Single requests: traces as an instrumented application sees them, and logs as DuckDB and Taurus read them."""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

from harness import Skip, child, equal, expect, free_port, namespace_prefix, wait_for_port
from scenarios_count import whole_stream
from servers import nginx
from stream import read

SAMPLE = "swarmline.event.sample"
PERCENTILES = {"percentile_50": 500, "percentile_90": 900, "percentile_95": 950, "percentile_99": 990,
               "percentile_99_9": 999}


def need_packages(*names):
    """Skips the scenario unless these Python modules are installed."""
    for name in names:
        try:
            found = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise Skip(f"the Python module {name} is not installed")


@contextlib.contextmanager
def traced_app(directory):
    """The instrumented application; yields its URL and a function that returns the lines that it wrote."""
    need_packages("flask", "gunicorn", "opentelemetry.sdk", "opentelemetry.instrumentation.flask")
    port, spans = free_port(), directory / "spans.ndjson"
    command = [sys.executable, "-B", "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "16",
               "--chdir", Path(__file__).parent, "--log-level", "error", "traced_app:app"]
    with child(command, env={**os.environ, "TRACED_APP_SPANS": str(spans)}) as process:
        wait_for_port(port, process, "gunicorn")
        yield f"http://127.0.0.1:{port}", lambda: [json.loads(line) for line in spans.read_text().splitlines()]


def within_sigmas(count, number, share, what):
    """Fails unless `count` of `number` is within 4 sigma of `share`."""
    sigma = (number * share * (1 - share)) ** 0.5
    expect(abs(count - number * share) <= 4 * sigma, f"{what}: {count} of {number}, not {share:.0%} within 4 sigma")


def an_instrumented_application_sees_our_traces_and_keeps_its_own_sampling(bench):
    """opentelemetry-instrumentation-flask: 10 % of the requests have our trace ids, all of which it keeps; of the others it
    keeps a quarter, as its sampler says, with ids of its own."""
    path, log, count = bench.stream_path(), bench.dir / "r.ndjson", 3000
    with traced_app(bench.dir) as (url, lines):
        ran = bench.run(f"{url}/fast", "-u", "8", "-r", "100", "-n", str(count), "--traceparent", "10%", "--log-requests", log,
                        "--telemetry", path)
        ran.must_exit(0)
        seen = lines()
    stream = whole_stream(bench, path, ran)
    ours = {record["trace_id"] for record in map(json.loads, log.read_text().splitlines()) if "trace_id" in record}
    within_sigmas(len(ours), count, 0.1, "traced by us")
    spans = [line for line in seen if line["kind"] == "span"]
    from_outside = [span["trace_id"] for span in spans if span["from_outside"]]
    equal(sorted(from_outside), sorted(ours), "traces that came from outside")
    equal(sum(line["kind"] == "request" for line in seen), count, "requests")
    own = len(spans) - len(from_outside)
    within_sigmas(own, count - len(ours), 0.25, "traced by its own sampling")
    samples = {line.get("trace_id") for line in stream.all(SAMPLE)} - {None}
    expect(samples and samples <= ours, f"samples of other traces: {samples - ours}")
    return f"{len(ours)} of {count} traced by us, all seen; {own} of the others by its own sampling"


def the_reason_of_a_slow_endpoint_is_found_by_the_trace_id_in_the_report(bench):
    """The summary names the slowest traced request; the application's trace with that id has the span that took the time."""
    path, page, summary = bench.stream_path(), bench.dir / "r.html", bench.dir / "s.json"
    with traced_app(bench.dir) as (url, lines):
        ran = bench.run("-H", url, "/fast", "/slow", "-u", "4", "-r", "100", "-n", "200", "--traceparent", "20%", "--html", page,
                        "--json-file", summary, "--telemetry", path)
        ran.must_exit(0)
        spans = [line for line in lines() if line["kind"] == "span"]
    whole_stream(bench, path, ran)
    traced = json.loads(summary.read_text())["samples"]["slowest_traced"]
    # The first requests of all may be slow as well, while the application warms up.
    slowest = next(sample for sample in traced if sample["name"] == "/slow")
    shown = next(line for line in ran.stderr.splitlines() if line.endswith(slowest["trace_id"]))
    expect(slowest["trace_id"] in page.read_text(), "the page lacks the trace id")
    found = {span["name"]: span["ms"] for span in spans if span["trace_id"] == slowest["trace_id"]}
    expect(found.get("look up the stock", 0) >= 120, f"{slowest} has the spans {found}")
    return f"{shown.strip()} -> {found}"


def duck(sql):
    """The rows of a query."""
    need_packages("duckdb")
    import duckdb
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection.execute(sql).fetchall()


def hdr(value):
    """SQL: the highest value that HdrHistogram with 3 digits does not tell from `value`: 2048 slots to each power of two."""
    shift = f"greatest(0, length(bin({value})) - 11)"
    return f"((({value} >> {shift}) << {shift}) + (1::BIGINT << {shift}) - 1)"


def final_numbers(log, load_us, keys):
    """Statistics by `keys` as DuckDB computes them from the records of a log."""
    group = f"{keys}," if keys else ""
    ranked = f"row_number() OVER ({f'PARTITION BY {keys}' if keys else ''} ORDER BY response_us)"
    percentiles = ", ".join(
        f"min({hdr('response_us')}) FILTER (rank = (n * {permille} + 999) // 1000)" for permille in PERCENTILES.values())
    return duck(f"""
        WITH completed AS (SELECT * FROM read_json('{log}') WHERE result <> 'aborted'),
             ranks AS (SELECT *, {ranked} AS rank, count(*) OVER ({f'PARTITION BY {keys}' if keys else ''}) AS n FROM completed)
        SELECT {group} count(*), count(*) FILTER (result = 'failed'), min(response_us), max(response_us),
               sum(response_us)::DOUBLE / count(*), avg(content_length),
               count(*) FILTER (done_us <= {load_us}), {percentiles}
        FROM ranks {f'GROUP BY {keys}' if keys else ''}""")


def agrees(line, row, load_us):
    """Fails unless a line of the stream has the numbers that DuckDB computed."""
    requests, failures, low, high, mean, content, in_load, *percentiles = row
    exact = {"num_requests": requests, "num_failures": failures, "min_response_time": low / 1000,
             "max_response_time": high / 1000}
    for key, us in zip(PERCENTILES, percentiles):
        exact[key] = min(max(us, low), high) / 1000
    for key, number in exact.items():
        equal(line[key], number, f"{key} of {line['name']}")
    # A request that ended in the microsecond in which the load did is on one side here and on the other there.
    # The mean has the digits of whole microseconds.
    near = {"avg_response_time": (mean / 1000, 0.00051), "avg_content_length": (content, 1e-9),
            "total_rps": (in_load / load_us * 1e6, 1.5 / load_us * 1e6)}
    for key, (number, tolerance) in near.items():
        expect(abs(line[key] - number) <= tolerance + number * 1e-9, f"{key} of {line['name']}: {line[key]}, not {number}")


def duckdb_recomputes_the_final_lines_from_the_log(bench):
    """All counts, errors, sums and percentiles of the final lines, from the log at share 1; from one at 20 % the counts of
    failures exactly, and by their weights the others within 4 sigma."""
    need_packages("duckdb")
    path, log, part = bench.stream_path(), bench.dir / "r.ndjson.gz", bench.dir / "part.ndjson"
    with nginx(bench.dir / "nginx") as server:
        flags = ["-H", server.url, "/ok", "/missing", "/r", "-u", "20", "-r", "1000", "-t", "2s", "-s", "9s", "--interval",
                 "500ms", "--exit-code-on-error", "0"]
        ran = bench.run(*flags, "--log-requests", log, "--telemetry", path)
        ran.must_exit(0)
        other = bench.stream_path("part.stream.ndjson")
        sampled = bench.run(*flags, "--log-requests", part, "--log-share", "20%", "--telemetry", other)
        sampled.must_exit(0)
    stream = whole_stream(bench, path, ran)
    load_us = stream.end["load_seconds"] * 1e6
    agrees(stream.final, final_numbers(log, load_us, "")[0], load_us)
    by_endpoint = {row[:2]: row[2:] for row in final_numbers(log, load_us, "method, name")}
    equal(set(by_endpoint), set(stream.endpoints()), "endpoints")
    for key, line in stream.endpoints().items():
        agrees(line, by_endpoint[key], load_us)
    errors = duck(f"SELECT name, error, count(*) FROM read_json('{log}') WHERE result = 'failed' GROUP BY ALL")
    equal({(name, error): count for name, error, count in errors}, stream.errors(), "errors")
    whole = whole_stream(bench, other, sampled).final
    [(failed, ok, weighted)] = duck(f"""SELECT count(*) FILTER (result = 'failed'), count(*) FILTER (result = 'ok'), sum(weight)
                                        FROM read_json('{part}')""")
    equal(failed, whole["num_failures"], "failures in the log of a share")
    within_sigmas(ok, whole["num_requests"] - failed, 0.2, "requests in the log of a share")
    return f"{stream.final['num_requests']} requests at 3 endpoints; weights of 20 % add up to {weighted:g} of " \
           f"{whole['num_requests']}"


def taurus_reads_the_log_in_jmeters_form(bench):
    """Taurus' own reader of JMeter's results counts the requests and failures of the final line, by endpoint and status, and
    finds the mean response time."""
    # Taurus pins what it depends on, so it may have a folder of its own.
    paths = os.pathsep.join(filter(None, [os.environ.get("TAURUS_PYTHONPATH"), os.environ.get("PYTHONPATH")]))
    taurus = {"args": [sys.executable, "-c", TAURUS], "env": {**os.environ, "PYTHONPATH": paths}}
    if subprocess.run([*taurus["args"][:2], "import bzt.modules.jmeter"], env=taurus["env"], capture_output=True).returncode:
        raise Skip("the Python package bzt (Taurus) is not installed")
    path, log = bench.stream_path(), bench.dir / "r.jtl"
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run("-H", server.url, "/ok", "/missing", "-u", "5", "-r", "1000", "-t", "3s", "-s", "9s", "--log-requests",
                        log, "--exit-code-on-error", "0", "--telemetry", path)
        ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    read_back = subprocess.run([*taurus["args"], log], env=taurus["env"], capture_output=True, text=True, cwd=bench.dir)
    expect(read_back.returncode == 0, f"Taurus: {read_back.stderr.strip()[-600:]}")
    seen = json.loads(read_back.stdout.splitlines()[-1])
    for line in [stream.final, *stream.endpoints().values()]:
        label = f"{line['method']} {line['name']}" if line["method"] else ""
        numbers = seen[label]
        equal(numbers["throughput"], line["num_requests"], f"requests of {label or 'all'}")
        equal(numbers["fail"], line["num_failures"], f"failures of {label or 'all'}")
        # JMeter's times are whole milliseconds.
        mean_ms = numbers["avg_rt"] * 1000
        expect(abs(mean_ms - line["avg_response_time"]) <= 0.5, f"mean of {label or 'all'}: {mean_ms} ms")
    equal(seen["GET /missing"]["codes"], {"404": seen["GET /missing"]["throughput"]}, "statuses")
    return f"{seen['']['throughput']} requests, {seen['']['fail']} failures"


TAURUS = """
import json, logging, sys
from bzt.modules.aggregator import ConsolidatingAggregator, DataPoint, KPISet
from bzt.modules.jmeter import JTLReader

reader = JTLReader(sys.argv[1], logging.getLogger("e2e"))
aggregator = ConsolidatingAggregator()
aggregator.engine = None
totals = {}
for point in reader.datapoints(True):
    for label, kpis in point[DataPoint.CURRENT].items():
        total = totals.setdefault(label, {"throughput": 0, "fail": 0, "sum": 0.0, "codes": {}})
        total["throughput"] += kpis[KPISet.SAMPLE_COUNT]
        total["fail"] += kpis[KPISet.FAILURES]
        total["sum"] += kpis[KPISet.AVG_RESP_TIME] * kpis[KPISet.SAMPLE_COUNT]
        for code, count in kpis[KPISet.RESP_CODES].items():
            total["codes"][code] = total["codes"].get(code, 0) + count
for total in totals.values():
    total["avg_rt"] = total.pop("sum") / total["throughput"]
print(json.dumps(totals))
"""


def a_disk_that_fills_up_ends_the_log_and_not_the_load(bench):
    """A file system of 256 KiB: the log ends with its last whole record, the load and the stream go on, exit 4, and what is
    not in the log is counted."""
    unshare = namespace_prefix("--mount")
    small, kept, path = bench.dir / "small", bench.dir / "kept.ndjson", bench.stream_path()
    small.mkdir()
    log = small / "r.ndjson"
    script = 'mount -t tmpfs -o size=256k e2e "$1" || exit 99; log=$2; kept=$3; shift 3; "$@"; code=$?; ' \
             'cp "$log" "$kept"; exit $code'
    wrapper = [*unshare, "sh", "-c", script, "sh", small, log, kept]
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run(f"{server.url}/ok", "-u", "5", "-n", "20000", "--log-requests", log, "--telemetry", path,
                        wrapper=wrapper)
    ran.must_exit(4)
    stream = read(path.read_bytes())
    end = stream.end
    equal((end["ok"], end["verdict"]), (20000, "pass"), "the run")
    records = [json.loads(line) for line in kept.read_text().splitlines()]
    said = next(line for line in ran.stderr.splitlines() if line.startswith("requests: "))
    equal(said, f"requests: {log} ({len(records)} records; {20000 - len(records)} more were lost)", "what is said")
    expect(kept.read_text().endswith("\n"), "the last record is not whole")
    return f"{len(records)} of 20000 records, all whole; {ran.stderr.splitlines()[-1]}"


SCENARIOS = [
    an_instrumented_application_sees_our_traces_and_keeps_its_own_sampling,
    the_reason_of_a_slow_endpoint_is_found_by_the_trace_id_in_the_report,
    duckdb_recomputes_the_final_lines_from_the_log,
    taurus_reads_the_log_in_jmeters_form,
    a_disk_that_fills_up_ends_the_log_and_not_the_load,
]
