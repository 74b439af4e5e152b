"""Connections closed by the server while idle: nothing is lost, and both sides count the same."""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import child, end, equal, expect, free_port, wait_for_port, wait_until
from scenarios_count import whole_stream
from scenarios_truth import workers_of
from servers import HERE, certificates, nginx, nginx_tls

POST = ["-X", "POST", "-d", "x=1"]


def server_counts(stream, counted):
    """The documented formula, including failures after a byte was written, which may or may not be counted."""
    unsent = unsure = 0
    for (_, error), count in stream.errors().items():
        kind = error.split(":")[0]
        unsent += count if kind in ("dns", "tls") or kind.startswith("connect_") else 0
        unsure += count if kind in ("send", "reset", "closed_early", "timeout") else 0
    most = stream.end["sent"] - unsent + stream.end["redirects"]
    least = most - unsure - stream.end["aborted"]
    expect(least <= counted <= most, f"the server counted {counted}, by the documented formula it is {least} to {most}")


def idle_run(bench, flags, server_flags, url="{server.url}/ok", wait="150ms"):
    """60 POSTs by 10 users with think time to an nginx that closes after 100 ms: the stream, nginx's log."""
    directory = Path(tempfile.mkdtemp(dir=bench.dir))
    path = directory / "s.ndjson"
    with nginx(directory, idle="100ms", **server_flags) as server:
        ran = bench.run(url.format(server=server), *POST, "-n", "60", "-u", "10", "-r", "1000", "--wait", wait,
                        "--telemetry", path, *flags)
        entries = server.log()
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    server_counts(stream, len(entries))
    equal((len(entries), stream.end["ok"]), (60, 60), "nginx, ok")
    return stream, entries


def nginx_closes_idle_connections_of_users_who_think(bench):
    """`keepalive_timeout 100ms` and `--wait 150ms`: each POST finds its connection closed, and none fails."""
    stream, _ = idle_run(bench, [], {})
    equal(stream.end["reopened"], 50, "reopened: all but the first of 10 users")
    return f"60 ok, {stream.end['reopened']} reopened, nginx 60"


def nginx_closes_idle_connections_of_a_unix_socket(bench):
    """The same over a Unix socket."""
    socket = bench.dir / "s"
    stream, _ = idle_run(bench, ["--unix-socket", socket], {"unix_socket": socket}, url="http://shop.test/ok")
    equal(stream.end["reopened"], 50, "reopened")
    return f"60 ok, {stream.end['reopened']} reopened, nginx 60"


def nginx_closes_idle_connections_of_tls(bench):
    """The same over TLS 1.2 and 1.3, where close_notify is waiting in the connection."""
    certs = certificates(bench.dir)
    told = []
    for version in ("TLSv1.2", "TLSv1.3"):
        tls = f"{nginx_tls(certs)} ssl_protocols {version};"
        stream, _ = idle_run(bench, ["--cacert", certs / "ca.pem"], {"tls": tls}, url="{server.tls_url}/ok")
        equal(stream.end["reopened"], 50, f"reopened with {version}")
        told.append(f"{version} {stream.end['reopened']} reopened")
    return f"60 ok each, {', '.join(told)}"


def session_tickets_do_not_end_a_connection(bench):
    """nginx sends session tickets after the handshake; an idle connection that contains them is kept."""
    certs = certificates(bench.dir)
    path = bench.stream_path()
    tls = f"{nginx_tls(certs)} ssl_protocols TLSv1.3; ssl_session_tickets on;"
    with nginx(bench.dir / "nginx", tls) as server:
        ran = bench.run(f"{server.tls_url}/ok", *POST, "-n", "60", "-u", "10", "-r", "1000", "--wait", "150ms",
                        "--cacert", certs / "ca.pem", "--telemetry", path)
        entries = server.log()
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    equal((stream.end["reopened"], len({entry.connection for entry in entries})), (0, 10), "reopened, connections")
    return "60 ok on 10 connections"


def reloaded(bench, reloads):
    """50 POSTing users with think time at an nginx that is reloaded every second: the stream, nginx's log."""
    directory = Path(tempfile.mkdtemp(dir=bench.dir))
    path = directory / "s.ndjson"
    with nginx(directory) as server:
        began = time.monotonic()
        with bench.start(f"{server.url}/ok", *POST, "-u", "50", "-r", "1000", "--wait", "50ms..200ms",
                         "-t", f"{reloads + 2}s", "-s", "5s", "--interval", "500ms", "--telemetry", path) as process:
            for tick in range(2, 2 * reloads + 1, 2):
                mark = f'"tick":{tick}'.encode()
                wait_until(lambda: path.exists() and mark in path.read_bytes(), 20, f"tick {tick}")
                before = set(workers_of(server.process))
                server.process.send_signal(signal.SIGHUP)
                wait_until(lambda: set(workers_of(server.process)) - before, 10, "a new worker")
            ran = bench.finish(process, began)
        entries = server.log()
    stream = whole_stream(bench, path, ran)
    server_counts(stream, len(entries))
    wrong = [error for _, error in stream.errors() if error.split(":")[0] not in ("closed_early", "reset", "send")]
    equal(wrong, [], "errors of another kind than a close")
    return stream, entries


def nginx_is_reloaded_under_users_who_think(bench):
    """Four reloads under 50 POSTing users: at most 1 in 200 fails, because of a close just after the check."""
    stream, entries = reloaded(bench, 4)
    sent, failed = stream.end["sent"], stream.end["failed"]
    expect(failed * 200 <= sent, f"{failed} of {sent} failed")
    expect(stream.end["reopened"] >= 100, f"only {stream.end['reopened']} reopened in 4 reloads under 50 users")
    return f"{failed} of {sent} failed, {stream.end['reopened']} reopened, nginx {len(entries)}"


def a_408_on_an_idle_connection_is_not_a_response(bench):
    """A server sends 408 to connections that are idle for 300 ms: with `--wait 500ms` no request takes it as its response."""
    told = []
    for name, flags in (("GET", []), ("POST", POST)):
        port, path, count = free_port(), bench.stream_path(f"{name}.ndjson"), bench.dir / f"{name}.count"
        with child([sys.executable, HERE / "farewell_server.py", port, count], stdin=subprocess.DEVNULL) as process:
            wait_for_port(port, process, "the server that says goodbye")
            ran = bench.run(f"http://127.0.0.1:{port}/", "-n", "200", "-u", "50", "-r", "1000", "--wait", "500ms",
                            "--telemetry", path, *flags)
            equal(end(process), 0, "exit code of the server")
        ran.must_exit(0)
        stream = whole_stream(bench, path, ran)
        counted = int(count.read_text())
        server_counts(stream, counted)
        equal((stream.end["ok"], counted, stream.end["reopened"]), (200, 200, 150), f"{name}: ok, server, reopened")
        told.append(f"{name} 200 ok, server {counted}, 150 reopened")
    return "; ".join(told)


SCENARIOS = [
    nginx_closes_idle_connections_of_users_who_think,
    nginx_closes_idle_connections_of_a_unix_socket,
    nginx_closes_idle_connections_of_tls,
    session_tickets_do_not_end_a_connection,
    nginx_is_reloaded_under_users_who_think,
    a_408_on_an_idle_connection_is_not_a_response,
]
