"""Does swarmline count what servers count? Compared with nginx, haproxy and Python's server."""

from harness import equal, expect
from servers import haproxy, nginx, per_uri, python_server
from stream import STOPPED, check_grid, read_whole


def whole_stream(bench, path, ran):
    """The checked stream of a complete run, kept for the schema; its exit code is that of the process."""
    expect(path.exists(), f"no stream was written; exit code {ran.code}, stderr: {ran.stderr.strip()[-600:] or 'empty'}")
    stream = read_whole(path.read_bytes())
    bench.streams.append(path)
    equal(stream.end["exit_code"], ran.code, "exit code in run.end")
    return stream


def counts_agree(stream, entries):
    """Compares nginx's log with the stream, in total and for each path; exact except for aborted requests."""
    aborted, completed = stream.end["aborted"], stream.final["num_requests"]
    expect(len(entries) - aborted <= completed <= len(entries),
           f"nginx saw {len(entries)}, swarmline completed {completed} and aborted {aborted}")
    seen, known = per_uri(entries), stream.endpoints()
    for uri in set(seen) | {name for _, name in known}:
        line = known.get(("GET", uri))
        completed = line["num_requests"] if line else 0
        expect(seen[uri] - aborted <= completed <= seen[uri],
               f"{uri}: nginx saw {seen[uri]}, swarmline completed {completed} and aborted {aborted} in all")


def what_nginx_logs_is_what_swarmline_says(bench):
    """Over 6 s with three endpoints, two of them failing: totals, endpoints, statuses and ticks agree with nginx."""
    path = bench.stream_path("demo.ndjson")
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run("-H", server.url, "-u", "20", "-r", "20", "-t", "6s", "--interval", "2s", "--testplan", "demo",
                        "--telemetry", path, "/ok", "/fail", "/missing")
        entries = server.log()
    ran.must_exit(1)
    stream = whole_stream(bench, path, ran)
    counts_agree(stream, entries)
    aborted = stream.end["aborted"]
    errors = stream.errors()
    equal(set(errors), {("/fail", "http_5xx: 500"), ("/missing", "http_4xx: 404")}, "errors")
    for (name, _), occurrences in errors.items():
        logged = per_uri(entries)[name]
        expect(logged - aborted <= occurrences <= logged, f"{name}: {occurrences} errors, nginx logged {logged}")
        equal(stream.endpoints()["GET", name]["num_failures"], occurrences, f"failures of {name}")
    equal(stream.endpoints()["GET", "/ok"]["num_failures"], 0, "failures of /ok")
    expect(stream.last_tick in (3, 4), f"6 s in ticks of 2 s end with tick {stream.last_tick}")
    check_grid(stream, 2.0)
    equal(stream.one("locust.tl.event.spawn.complete")["user_count"], 20, "users in spawn.complete")
    equal(stream.final["user_count"], 20, "users in final")
    equal((stream.one(STOPPED)["reason"], stream.end["verdict"]), ("run_time", "failures"), "reason and verdict")
    equal(stream.final["testplan"], "demo", "testplan")
    return f"nginx {len(entries)}, completed {stream.final['num_requests']}, aborted {aborted}, {ran.seconds:.1f} s"


def with_a_stop_timeout_nothing_is_aborted_and_counts_are_equal(bench):
    """A stop-timeout that is long enough aborts nothing, so every count is exactly nginx's, bodies included."""
    path = bench.stream_path()
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run("-H", server.url, "-u", "16", "-r", "1000", "-t", "2s", "-s", "10s", "--interval", "500ms",
                        "--telemetry", path, "/ok", "/fail", "/missing")
        entries = server.log()
    ran.must_exit(1)
    stream = whole_stream(bench, path, ran)
    equal(stream.end["aborted"], 0, "aborted")
    counts_agree(stream, entries)
    for name, body in (("/ok", "ok\n"), ("/fail", "failed\n"), ("/missing", "missing\n")):
        equal(stream.endpoints()["GET", name]["avg_content_length"], float(len(body)), f"body bytes of {name}")
    return f"nginx {len(entries)} = completed {stream.final['num_requests']}, {ran.seconds:.1f} s"


def a_number_of_requests_is_sent_exactly(bench):
    """`-n 1000` with 7 users sends 1,000 requests: not one more, and none is aborted."""
    path = bench.stream_path()
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run(f"{server.url}/ok", "-n", "1000", "-u", "7", "-r", "1000", "--telemetry", path)
        entries = server.log()
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    equal((len(entries), stream.end["sent"], stream.final["num_requests"]), (1000, 1000, 1000), "nginx, sent, completed")
    equal((stream.one(STOPPED)["reason"], stream.end["verdict"]), ("requests", "pass"), "reason and verdict")
    return f"nginx 1000 = sent 1000, {ran.seconds:.2f} s"


def haproxy_counts_the_same(bench):
    """A second HTTP implementation, by its own statistics: requests in total and by class of status."""
    path = bench.stream_path()
    with haproxy(bench.dir / "haproxy") as server:
        before = server.statistics()
        ran = bench.run("-H", server.url, "-n", "600", "-u", "5", "-r", "1000", "--telemetry", path,
                        "/ok", "/fail", "/missing")
        after = server.statistics()
    grown = {key: after[key] - before[key] for key in ("req_tot", "hrsp_2xx", "hrsp_4xx", "hrsp_5xx")}
    ran.must_exit(1)
    stream = whole_stream(bench, path, ran)
    equal((grown["req_tot"], stream.final["num_requests"]), (600, 600), "haproxy, completed")
    by_name = {name: line["num_requests"] for (_, name), line in stream.endpoints().items()}
    by_class = {"/ok": grown["hrsp_2xx"], "/fail": grown["hrsp_5xx"], "/missing": grown["hrsp_4xx"]}
    equal(by_name, by_class, "requests by endpoint, haproxy's by class of status")
    return f"haproxy {grown['req_tot']} = completed 600 {by_name}, {ran.seconds:.2f} s"


def python_server_agrees(bench, protocol):
    """300 requests to Python's server of this protocol version."""
    path = bench.stream_path()
    with python_server(bench.dir / "python", protocol) as server:
        ran = bench.run("-H", server.url, "-n", "300", "-u", "4", "-r", "1000", "--telemetry", path, "/ok", "/fail")
        record = server.requests()
    ran.must_exit(1)
    stream = whole_stream(bench, path, ran)
    equal((len(record), stream.final["num_requests"]), (300, 300), "server, completed")
    equal({("/fail", "http_5xx: 500"): sum(r["path"] == "/fail" for r in record)}, stream.errors(), "errors")
    equal(stream.final["avg_content_length"], 6.0, "body bytes")
    return record, ran


def a_server_of_http_1_0_that_closes_is_counted(bench):
    """Bodies without a length end with the connection; a close after each response is not a failure."""
    record, ran = python_server_agrees(bench, "HTTP/1.0")
    equal(len({r["connection"] for r in record}), 300, "connections")
    return f"300 requests on 300 connections, {ran.seconds:.2f} s"


def a_python_server_of_http_1_1_is_counted(bench):
    """Keep-alive connections to Python's own server: one per user."""
    record, ran = python_server_agrees(bench, "HTTP/1.1")
    connections = len({r["connection"] for r in record})
    expect(connections <= 4, f"{connections} connections for 4 users")
    return f"300 requests on {connections} connections, {ran.seconds:.2f} s"


def a_user_keeps_one_connection(bench):
    """Keep-alive: as many connections as users, over the whole run."""
    path = bench.stream_path()
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run(f"{server.url}/ok", "-u", "5", "-r", "1000", "-t", "1s", "-s", "10s", "--telemetry", path)
        entries = server.log()
    ran.must_exit(0)
    counts_agree(whole_stream(bench, path, ran), entries)
    equal(len({entry.connection for entry in entries}), 5, "connections of 5 users")
    return f"{len(entries)} requests on 5 connections"


def without_keepalive_each_request_has_its_own_connection(bench):
    """`--no-keepalive`: as many connections as requests."""
    path = bench.stream_path()
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run(f"{server.url}/ok", "-n", "200", "-u", "4", "-r", "1000", "--no-keepalive", "--telemetry", path)
        entries = server.log()
    ran.must_exit(0)
    counts_agree(whole_stream(bench, path, ran), entries)
    equal((len(entries), len({entry.connection for entry in entries})), (200, 200), "requests, connections")
    return "200 requests on 200 connections"


def redirects_are_followed_and_counted_beside(bench):
    """A followed redirect is part of its request: nginx sees two, the stream says one request and one redirect."""
    path = bench.stream_path()
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run(f"{server.url}/r", "-n", "60", "-u", "3", "-r", "1000", "--telemetry", path)
        entries = server.log()
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    equal((stream.final["num_requests"], stream.end["redirects"]), (60, 60), "requests, redirects")
    equal(dict(per_uri(entries)), {"/r": 60, "/ok": 60}, "nginx's count")
    equal(set(stream.endpoints()), {("GET", "/r")}, "endpoints")
    return "60 requests + 60 redirects = nginx 120"


def a_redirect_can_be_the_answer(bench):
    """`--max-redirects 0`: the redirect is the response, it is ok, and nothing follows."""
    path = bench.stream_path()
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run(f"{server.url}/r", "-n", "60", "--max-redirects", "0", "--telemetry", path)
        entries = server.log()
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    equal((stream.final["num_requests"], stream.end["redirects"]), (60, 0), "requests, redirects")
    equal(dict(per_uri(entries)), {"/r": 60}, "nginx's count")
    return "60 requests, 0 redirects"


SCENARIOS = [
    what_nginx_logs_is_what_swarmline_says,
    with_a_stop_timeout_nothing_is_aborted_and_counts_are_equal,
    a_number_of_requests_is_sent_exactly,
    haproxy_counts_the_same,
    a_server_of_http_1_0_that_closes_is_counted,
    a_python_server_of_http_1_1_is_counted,
    a_user_keeps_one_connection,
    without_keepalive_each_request_has_its_own_connection,
    redirects_are_followed_and_counted_beside,
    a_redirect_can_be_the_answer,
]
