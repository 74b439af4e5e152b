"""Unfinished requests: a queue with known results, servers that stop responding, and a stalled generator. The expected
values are computed from the server's own record, or by hand."""

import contextlib
import json
import math
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from harness import child, equal, expect, free_port, wait_for_port, wait_until
from scenarios_count import whole_stream
from scenarios_truth import is_stopped, served_by
from servers import nginx
from stream import CHECK, STOPPED, WARNING, seconds

PERCENTILES = {"p50_us": 0.5, "p90_us": 0.9, "p95_us": 0.95, "p99_us": 0.99}


def queue_record(path):
    """The queue server's own record: arrival and done, or None, of each request."""
    arrivals, done = {}, {}
    for line in path.read_text().splitlines():
        kind, number, moment = line.split()
        (arrivals if kind == "arrival" else done)[int(number)] = float(moment)
    return [(at, done.get(number)) for number, at in arrivals.items()]


def queue_flags(port, rate, run_time, seed=11):
    """The flags of Poisson arrivals at a queue, with patience: a request that times out would be completed, but not done."""
    return [f"http://127.0.0.1:{port}/", "--rate", f"{rate}", "--arrival", "poisson", "--seed", f"{seed}", "-u", "2000",
            "-t", f"{run_time}s", "--timeout", "1h"]


@contextlib.contextmanager
def queue(record, mean_ms, seed=7):
    """A running queue_server.py: its port."""
    port = free_port()
    with child([sys.executable, Path(__file__).parent / "queue_server.py", port, mean_ms, seed, record]) as process:
        wait_for_port(port, process, "the queue's server")
        yield port


def queued(bench, name, rate, mean_ms, run_time):
    """A run of Poisson arrivals at a queue: how it ended, its stream, and the server's own record."""
    record, path = bench.dir / f"{name}.record", bench.stream_path(f"{name}.ndjson")
    with queue(record, mean_ms) as port:
        ran = bench.run(*queue_flags(port, rate, run_time), "--telemetry", path)
    return ran, whole_stream(bench, path, ran), queue_record(record)


def figures(times):
    """Mean and percentiles in microseconds: the smallest value with at least that share at or below it."""
    ordered = sorted(times)
    found = {key: ordered[math.ceil(share * len(ordered)) - 1] * 1e6 for key, share in PERCENTILES.items()}
    return {"avg_us": sum(ordered) / len(ordered) * 1e6, **found}


def of_the_record(record, stopped):
    """From the server's record, for a load that ended at `stopped`: the judged figures, those of completed requests, and
    how many were done and left. Judged is the larger of the figure over completed requests and that over all, each
    unfinished one with the time so far."""
    completed = [done - came for came, done in record if done is not None and done <= stopped]
    left = [stopped - came for came, done in record if done is None or done > stopped]
    own = figures(completed)
    return {key: max(value, own[key]) for key, value in figures(completed + left).items()}, own, len(completed), len(left)


def judged_times(stream):
    """The judged times of a run in microseconds: those of the last line, which has none where all requests completed."""
    final = stream.final
    completed = {key: final[f"percentile_{key[1:-3]}"] * 1000 for key in PERCENTILES}
    return stream.end.get("judged") or {"avg_us": final["avg_response_time"] * 1000, **completed}


def held_against_its_record(bench, name, rate, mean_ms, run_time):
    """Mean and percentiles, judged and of completed requests, within 1 % (or 1 ms) of those of the server's record."""
    ran, stream, record = queued(bench, name, rate, mean_ms, run_time)
    end = stream.end
    wanted, own, done, left = of_the_record(record, seconds(stream.one(STOPPED)["stopped_at"]))
    equal(len(record), end["sent"], "requests of the server's record and sent")
    # A request whose response was in transit at the end may count as either.
    expect(abs(done - end["completed"]) <= 2, f"the server had done {done}, completed {end['completed']}")
    judged, worst = judged_times(stream), 0.0
    for key, value in wanted.items():
        off = abs(judged[key] - value)
        expect(off <= max(0.01 * value, 1000), f"{name}: {key} is {judged[key]} us, the server's record says {value:.0f} us")
        worst = max(worst, off / value)
    mean, ours = own["avg_us"], stream.final["avg_response_time"] * 1000
    expect(abs(ours - mean) <= max(0.01 * mean, 1000), f"{name}: mean of completed {ours:.0f} us, by the record {mean:.0f} us")
    return ran, end, f"{name}: {end['completed']} done, {left} left, {worst * 100:.2f} % off at most"


def a_queue_is_measured_as_its_server_records_it(bench):
    """Poisson arrivals at one server with exponential service times, below and above capacity, cut off in the backlog."""
    ran, end, below = held_against_its_record(bench, "below", 12, 60, 10)
    ran.must_exit(0)
    expect(end["unsent"] == 0, "no arrival is left below capacity")
    ran, end, above = held_against_its_record(bench, "above", 30, 60, 10)
    # Over a third of the due requests are still in the queue. None of them is older than the longest served
    # one, so this does not indicate a hanging server: the judged times show how slow it has become.
    ran.must_exit(0)
    expect(end["aborted"] > end["due"] / 4, f"{end['aborted']} of {end['due']} left in the queue")
    return f"{below}; {above}"


class AnswersForTwoSeconds(BaseHTTPRequestHandler):
    """Responds for two seconds after the first request, and then leaves everything unanswered."""

    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    first = None
    seen = 0
    over = threading.Event()

    def do_GET(self):
        """Responds at once, or never."""
        with self.lock:
            cls = type(self)
            cls.first = cls.first or time.monotonic()
            cls.seen += 1
        if time.monotonic() - self.first > 2:
            self.over.wait(30)
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_):
        """Silent."""


def a_server_that_stops_answering_passes_no_check(bench):
    """50/s for 8 s at a server that responds for 2 s: every arrival is sent or reported, and no check on time is met."""
    checks = ["--check", "rps > 40", "--check", "p99 < 1s", "--check", "fail_ratio < 1%"]
    told = []
    for users in ("500", "20"):
        class Handler(AnswersForTwoSeconds):
            """A separate class for each run."""

            lock, over, first, seen = threading.Lock(), threading.Event(), None, 0

        path = bench.stream_path(f"hung-{users}.ndjson")
        with served_by(Handler) as url:
            ran = bench.run(url, "--rate", "50", "-u", users, "-t", "8s", *checks, "--telemetry", path)
            Handler.over.set()
        ran.must_exit(3)
        stream = whole_stream(bench, path, ran)
        end = stream.end
        equal((end["due"], end["verdict"]), (400, "check_failed"), "arrivals due, verdict")
        equal(end["sent"], Handler.seen, "sent, and what the server counted")
        met = {line["check"]: (line["met"], line["is_bound"]) for line in stream.all(CHECK)}
        equal(met, {"rps > 40": (False, False), "p99 < 1s": (False, True), "fail_ratio < 1%": (True, False)}, "checks")
        rate = stream.final["total_rps"]
        expect(abs(rate - end["ok"] / 8) < 0.05, f"{rate}/s of {end['ok']} in 8 s")
        told.append(f"-u {users}: ok {end['ok']}, aborted {end['aborted']}, unsent {end['unsent']}, {rate:.1f}/s")
    return "; ".join(told)


def a_healthy_closed_run_shows_the_time_of_its_server(bench):
    """300 users at a constant 1 s: the mean is 1 s, although 300 requests are always in flight at the end."""

    class Slow(BaseHTTPRequestHandler):
        """Takes a second each time."""

        protocol_version = "HTTP/1.1"

        def do_GET(self):
            """Responds after a second."""
            time.sleep(1)
            self.send_response(200)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"ok\n")

        def log_message(self, *_):
            """Silent."""

    path, summary = bench.stream_path(), bench.dir / "s.json"
    with served_by(Slow) as url:
        ran = bench.run(url, "-u", "300", "-r", "1000", "-t", "5500ms", "--json-file", summary, "--telemetry", path)
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    shown = json.loads(summary.read_text())["total"]
    expect(250 <= shown["aborted"] <= 300, f"{shown['aborted']} requests in flight at the end, of 300 users")
    mean = shown["avg"]
    expect(abs(mean - stream.final["avg_response_time"]) < 0.001, f"{mean} ms is not the mean of completed ones")
    expect(1000 <= mean <= 1250, f"a mean of {mean} ms")
    return f"mean {mean:.0f} ms, {shown['requests']} done, {shown['aborted']} cut off"


def a_stalled_generator_blames_itself(bench):
    """SIGSTOP of swarmline for 2 s: reported as a stall in the open model with few users, in the closed one, and with pacing."""
    told = []
    for name, flags in (("open", ["--rate", "100", "-u", "5"]), ("closed", ["-u", "5", "-r", "100", "--wait", "50ms"]),
                        ("pacing", ["-u", "5", "-r", "100", "--wait", "pacing:100ms"])):
        path = bench.stream_path(f"{name}.ndjson")
        with nginx(bench.dir / f"nginx-{name}") as server:
            began = time.monotonic()
            with bench.start(*flags, "-t", "5s", "-s", "2s", "--interval", "2s", "--telemetry", path, f"{server.url}/ok") as process:
                wait_until(lambda: path.exists() and b'"tick":1' in path.read_bytes(), 20, "the first tick")
                process.send_signal(signal.SIGSTOP)
                wait_until(lambda: is_stopped(process), 10, "swarmline is stopped")
                time.sleep(2)
                process.send_signal(signal.SIGCONT)
                ran = bench.finish(process, began)
        stream = whole_stream(bench, path, ran)
        details = [line["detail"] for line in stream.all(WARNING) if line["kind"] == "generator_stalled"]
        equal(len(details), 1, f"{name}: standstills said")
        length = float(details[0].split(" still for ")[1].split(" s")[0])
        expect(1.5 <= length <= 3.0, f"{name}: a stall of 2 s is reported as {length} s")
        kinds = [reason["kind"] for reason in stream.end["reasons"]]
        told.append(f"{name} {length} s, {stream.end['verdict']}")
        if name == "open":
            # 200 of 500 arrivals were due during the stall.
            ran.must_exit(4)
            expect("generator" in kinds, f"{name}: the generator is not blamed: {stream.end['reasons']}")
    return "; ".join(told)


SCENARIOS = [
    a_queue_is_measured_as_its_server_records_it,
    a_server_that_stops_answering_passes_no_check,
    a_healthy_closed_run_shows_the_time_of_its_server,
    a_stalled_generator_blames_itself,
]
