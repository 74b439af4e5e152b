"""Are the numbers true? Servers that stall, hang or take a known time, with HdrHistogram's own reader as the reference."""

import contextlib
import os
import random
import signal
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from harness import Skip, StoppableServer, child, equal, expect, free_port, wait_for_port, wait_until
from scenarios_count import whole_stream
from servers import nginx
from stream import WARNING, seconds

INTERVAL = "swarmline.metric.interval"
PIECE = "swarmline.metric.histogram"
HEALTH = "swarmline.metric.health"
HOUR_US = 3_600_000_000


def new_histogram():
    """An empty histogram of the Python package with our parameters: 1 us to 1 h, 3 digits."""
    try:
        from hdrh.histogram import HdrHistogram
    except ImportError:
        raise Skip("the Python package hdrhistogram is not installed") from None
    return HdrHistogram(1, HOUR_US, 3)


def summed_histograms(stream, kind):
    """By (method, name): all histograms of a kind in the stream, parsed and added by the Python package."""
    sums = defaultdict(new_histogram)
    for line in stream.lines:
        key = line.get("method"), line.get("name")
        if line.name == INTERVAL:
            same = kind == "response" and line["response_is_service"]
            text = line.get("service_histogram" if same else f"{kind}_histogram")
            if text:
                sums[key].decode_and_add(text)
        elif line.name == PIECE:
            # A service histogram also counts as the response histogram if its interval says so.
            interval = [at for at in stream.all(INTERVAL) if at.number < line.number][-1]
            wanted = "service" if interval["response_is_service"] else kind
            if line["kind"] == wanted:
                sums[key].decode_and_add(line["histogram"])
    return sums


def at_percentile(histogram, percentile):
    """The smallest value with at least that share at or below it. The package's own method rounds the rank to the
    nearest, so it may be one too low; its counts are used here instead."""
    wanted = -(-histogram.get_total_count() * percentile // 100)
    seen = 0
    for item in histogram.get_recorded_iterator():
        seen += item.count_at_value_iterated_to
        if seen >= wanted:
            return item.value_iterated_to
    return 0


def histograms_add_up_to_the_run_in_another_library(bench):
    """The Python package parses every histogram; their sums have each endpoint's count and its percentiles."""
    new_histogram()
    path = bench.stream_path()
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run("-H", server.url, "-u", "16", "-r", "1000", "-n", "20000", "--interval", "200ms",
                        "--telemetry", path, "/ok", "/fail", "/missing")
    ran.must_exit(1)
    stream = whole_stream(bench, path, ran)
    compared = 0
    for key, histogram in summed_histograms(stream, "response").items():
        line = stream.endpoints()[key]
        equal(histogram.get_total_count(), line["num_requests"], f"count of {key}")
        for percentile, ours in ((50, "percentile_50"), (95, "percentile_95"), (99, "percentile_99")):
            theirs = at_percentile(histogram, percentile) / 1000
            # A histogram returns the highest value of a bucket; ours clamps it to the exact minimum and
            # maximum.
            clamped = min(max(theirs, line["min_response_time"]), line["max_response_time"])
            expect(abs(clamped - line[ours]) < 1e-9, f"{key} {ours}: {line[ours]}, the package says {theirs}")
            compared += 1
    pieces = len(stream.all(PIECE))
    return f"{stream.final['num_requests']} requests, {compared} percentiles equal, {pieces} pieces"


def workers_of(process):
    """The process ids of nginx's workers."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def a_server_that_stalls_shows_in_response_time(bench):
    """nginx stalls for 1 s under 1,000/s: none dropped, ~1,000 late in response time, service time stays low."""
    path = bench.stream_path()
    with nginx(bench.dir / "nginx") as server:
        workers = workers_of(server.process)
        began = time.monotonic()
        with bench.start("--rate", "1000", "-u", "100", "-t", "10s", "-s", "5s", "--interval", "1s",
                         "--telemetry", path, f"{server.url}/ok") as process:
            wait_until(lambda: path.exists() and b'"tick":3' in path.read_bytes(), 20, "the third tick")
            for worker in workers:
                os.kill(worker, signal.SIGSTOP)
            time.sleep(1)
            for worker in workers:
                os.kill(worker, signal.SIGCONT)
            ran = bench.finish(process, began)
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    final = stream.final
    equal((stream.end["sent"], stream.end["failed"], stream.end["aborted"]), (10000, 0, 0), "sent, failed, aborted")
    expect(final["max_response_time"] >= 900, f"longest response {final['max_response_time']} ms")
    expect(final["percentile_95"] >= 300, f"95 % of the responses within {final['percentile_95']} ms: the stall is gone")
    exhausted = [line for line in stream.all(WARNING) if line["kind"] == "users_exhausted"]
    equal(len(exhausted), 1, "warnings that the users are exhausted")
    service = summed_histograms(stream, "service")["GET", "/ok"].get_value_at_percentile(95) / 1000
    response = summed_histograms(stream, "response")["GET", "/ok"]
    late = sum(item.count_at_value_iterated_to for item in response.get_recorded_iterator()
               if item.value_iterated_to > 50_000)
    expect(service < 50, f"95 % of the service times within {service} ms: only 100 requests were in flight")
    expect(800 <= late <= 1500, f"{late} responses took over 50 ms")
    return f"p95 {final['percentile_95']:.0f} ms, service p95 {service:.2f} ms, {late} late, none dropped"


def is_stopped(process):
    """Whether SIGSTOP has reached the whole process."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def a_generator_that_stalls_makes_the_run_invalid(bench):
    """swarmline itself is stopped for 2 s under 200/s with enough users: requests are late, so verdict invalid, exit 4."""
    path = bench.stream_path()
    # It is stopped between two ticks, so that none is missed.
    with nginx(bench.dir / "nginx") as server:
        began = time.monotonic()
        with bench.start("--rate", "200", "-u", "1000", "-t", "7s", "-s", "5s", "--interval", "4s",
                         "--telemetry", path, f"{server.url}/ok") as process:
            wait_until(lambda: path.exists() and b'"tick":1' in path.read_bytes(), 20, "the first tick")
            process.send_signal(signal.SIGSTOP)
            wait_until(lambda: is_stopped(process), 10, "swarmline is stopped")
            time.sleep(2)
            process.send_signal(signal.SIGCONT)
            ran = bench.finish(process, began)
        entries = server.log()
    ran.must_exit(4)
    stream = whole_stream(bench, path, ran)
    end = stream.end
    equal(end["verdict"], "invalid", "verdict")
    equal({reason["kind"] for reason in end["reasons"]}, {"generator"}, "kinds of reasons")
    named = [reason["text"] for reason in end["reasons"] if "sent over 10 ms late although a user was free" in reason["text"]]
    equal(len(named), 1, "reasons about sending late")
    equal([line["kind"] for line in stream.all(WARNING)].count("generator_stalled"), 1, "standstills said")
    warnings = [line["detail"] for line in stream.all(WARNING) if line["kind"] == "generator_late"]
    equal(warnings, named, "warnings about the generator")
    expect(named[0] in ran.stderr, f"the summary does not say why: {ran.stderr[-600:]!r}")
    equal((end["sent"], end["failed"], len(entries)), (1400, 0, 1400), "sent, failed, nginx")
    late = sum(line["late_sends"] for line in stream.all(HEALTH))
    expect(named[0].startswith(f"{late} of 1400 "), f"the ticks have {late} late sends, the reason {named[0]!r}")
    # 2 s at 200/s are 400 requests, except the few that were due within 10 ms of the end.
    expect(late >= 380, f"{late} of 1400 were late, of 400 that were due while it was stopped")
    return named[0]


class ThreadingServer(StoppableServer):
    """Python's server with a long backlog: with its own 5 places, many clients would retry after a second."""

    request_queue_size = 1024


@contextlib.contextmanager
def served_by(handler):
    """The URL of a server in this process that uses `handler`."""
    with ThreadingServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


class HangsOnceInFive(BaseHTTPRequestHandler):
    """Responds to four requests out of five."""

    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    seen = 0
    over = threading.Event()

    def do_GET(self):
        """Every fifth request gets no response."""
        with self.lock:
            type(self).seen += 1
            hangs = self.seen % 5 == 0
        if hangs:
            self.over.wait(30)
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_):
        """Logs nothing."""


def a_request_that_never_ends_is_in_the_percentiles(bench):
    """A server hangs on one request in five: those count with the timeout as their time, which is the 90th percentile."""
    path = bench.stream_path()
    with served_by(HangsOnceInFive) as url:
        try:
            ran = bench.run(url, "-n", "100", "-u", "5", "-r", "100", "--timeout", "500ms", "--telemetry", path)
        finally:
            HangsOnceInFive.over.set()
    ran.must_exit(1)
    stream = whole_stream(bench, path, ran)
    equal(stream.errors(), {("/", "timeout: no first byte within 0.5s"): 20}, "errors")
    final = stream.final
    expect(final["percentile_50"] < 500 <= final["percentile_90"], f"p50 {final['percentile_50']}, p90 {final['percentile_90']}")
    expect(final["max_response_time"] < 1000, f"a timeout of 500 ms took {final['max_response_time']} ms")
    return f"20 of 100 timed out, p90 {final['percentile_90']:.0f} ms"


class TakesItsTime(BaseHTTPRequestHandler):
    """Responds after 1 to 300 ms, uniform on a logarithmic scale, so that every part of a histogram is used.

    Random, because regular times would compress to almost nothing.
    """

    protocol_version = "HTTP/1.1"
    # Head and body are sent separately, and the second would wait 40 ms for the acknowledgement of the first.
    disable_nagle_algorithm = True
    chance = random.Random(1)

    def do_GET(self):
        """Responds after its delay."""
        time.sleep(0.001 * 300 ** self.chance.random())
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_):
        """Logs nothing."""


def a_histogram_too_long_for_its_line_is_complete_in_pieces(bench):
    """Thousands of different times in one interval: its histogram is split into pieces that add up to what its line says."""
    new_histogram()
    path = bench.stream_path()
    with served_by(TakesItsTime) as url:
        ran = bench.run(url, "-n", "8000", "-u", "200", "-r", "1000", "--interval", "60s", "--telemetry", path)
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    interval, pieces = stream.one(INTERVAL), stream.all(PIECE)
    expect(len(pieces) >= 2, f"8000 times came in {len(pieces)} pieces: too few for this scenario")
    equal(interval["histogram_lines"], len(pieces), "pieces, as the interval says")
    equal((interval.get("service_histogram"), interval["response_is_service"]), (None, True), "what its line has itself")
    for part, line in enumerate(pieces, 1):
        equal((line["part"], line["parts"], line["kind"], line["interval_start"]),
              (part, len(pieces), "service", interval["interval_start"]), f"piece {part}")
        equal(line.number, interval.number + part, f"line of piece {part}")
    whole = new_histogram()
    for line in pieces:
        whole.decode_and_add(line["histogram"])
    equal((whole.get_total_count(), interval["ok"], stream.final["num_requests"]), (8000, 8000, 8000),
          "the pieces, their interval, the run")
    service = interval["service"]
    for percentile in (50, 90, 95, 99):
        equal(at_percentile(whole, percentile), service[f"p{percentile}_us"], f"p{percentile} of the pieces")
    for place, ours in ((whole.get_min_value(), service["min_us"]), (whole.get_max_value(), service["max_us"])):
        expect(abs(place - ours) <= ours / 1000, f"the pieces end at {place} us, the interval at {ours} us")
    return f"{len(pieces)} pieces of 8000 times, {service['min_us']} to {service['max_us']} us"


def known_delays_are_measured(bench):
    """The embedded target takes known times: no percentile is below them, and at most 1 % plus 1 ms above."""
    port = free_port()
    path = bench.stream_path()
    with child([bench.binary, "target", "--listen", f"127.0.0.1:{port}"]) as target:
        wait_for_port(port, target, "swarmline target")
        delays = (5, 20, 50, 100)
        ran = bench.run("-H", f"http://127.0.0.1:{port}", "-u", "10", "-r", "100", "-n", "1000", "--telemetry", path,
                        *(f"/delay/{delay}" for delay in delays))
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    worst = 0.0
    for delay in delays:
        line = stream.endpoints()["GET", f"/delay/{delay}"]
        expect(line["min_response_time"] >= delay, f"/delay/{delay} within {line['min_response_time']} ms")
        over = line["percentile_50"] - delay
        worst = max(worst, over)
        expect(over <= delay * 0.01 + 1, f"/delay/{delay}: half took over {line['percentile_50']} ms")
    return f"medians at most {worst:.2f} ms above the truth"


def a_schedule_is_kept(bench):
    """1,000 requests per second with free users: less than 1 % are over 10 ms late; the figures are in the stream."""
    path = bench.stream_path()
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run(f"{server.url}/ok", "--rate", "1000", "-u", "200", "-t", "5s", "-s", "5s", "--interval", "1s",
                        "--telemetry", path)
        entries = server.log()
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    equal((len(entries), stream.end["sent"]), (5000, 5000), "nginx, sent")
    health = stream.all(HEALTH)
    late = sum(line["late_sends"] for line in health)
    expect(late < 50, f"{late} of 5000 were sent over 10 ms late")
    worst = max(line["lateness_p99_us"] for line in health)
    return f"nginx 5000, {late} late, 99 % within {worst} us in the worst second"


def the_rate_falls_to_0_when_traffic_stops(bench):
    """After the last user has stopped, current_rps is 0 within 11 s, and total_rps is not."""
    path = bench.stream_path()
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run(f"{server.url}/ok", "--stages", "1s:5,1s:5,0s:0,12s:0", "--interval", "1s", "--telemetry", path)
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    currents = stream.all("current")
    equal(currents[-1]["current_rps"], 0.0, "current_rps at the end")
    expect(max(line["current_rps"] for line in currents) > 0, "there was traffic")
    expect(stream.final["total_rps"] > 0, "total_rps of the run")
    return f"{stream.final['num_requests']} requests in 2 s, 0/s at {currents[-1]['tick']} s"


def a_clock_set_back_does_not_turn_time_back(bench):
    """The system clock is set back by an hour during a run: the stream's time goes on."""
    library = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
    if library is None:
        raise Skip("faketime is not installed")
    if not bench.dynamic_binary.exists():
        raise Skip(f"no binary at {bench.dynamic_binary}, see cargo build")
    path, clock = bench.stream_path(), bench.dir / "clock"
    clock.write_text("+0\n")
    faked = ["env", f"LD_PRELOAD={library}", "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_NO_CACHE=1",
             f"FAKETIME_TIMESTAMP_FILE={clock}"]
    with nginx(bench.dir / "nginx") as server:
        began = time.monotonic()
        with bench.start(f"{server.url}/ok", "-u", "2", "-t", "3s", "--wait", "20ms", "--interval", "200ms",
                         "--telemetry", path, wrapper=faked, binary=bench.dynamic_binary) as process:
            wait_until(lambda: path.exists() and b'"tick":3' in path.read_bytes(), 20, "the third tick")
            clock.write_text("-3600\n")
            ran = bench.finish(process, began)
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    passed = seconds(stream.lines[-1].envelope["time"]) - seconds(stream.lines[0].envelope["time"])
    expect(2.9 <= passed <= 10, f"the stream's time went on by {passed} s")
    return f"{len(stream.lines)} lines over {passed:.1f} s"


SCENARIOS = [
    histograms_add_up_to_the_run_in_another_library,
    a_histogram_too_long_for_its_line_is_complete_in_pieces,
    a_server_that_stalls_shows_in_response_time,
    a_generator_that_stalls_makes_the_run_invalid,
    a_request_that_never_ends_is_in_the_percentiles,
    known_delays_are_measured,
    a_schedule_is_kept,
    the_rate_falls_to_0_when_traffic_stops,
    a_clock_set_back_does_not_turn_time_back,
]
