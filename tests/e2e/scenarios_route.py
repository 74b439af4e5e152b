"""Proxies and Unix sockets: does the server behind them count what swarmline counts?"""

import tempfile

from harness import equal, expect
from proxies import LOGIN, microsocks, tinyproxy
from scenarios_count import counts_agree, whole_stream
from servers import certificates, nginx, nginx_tls

FLAGS = ["-n", "400", "-u", "8", "-r", "1000"]


def no_secret_in(path):
    """Fails where the password is in the stream."""
    expect("sesame" not in path.read_text(), "the password stands in the stream")


def through(bench, proxy, host, flags, code, tls=None):
    """400 requests by 8 users through `proxy` to an nginx: the stream, nginx's log. `host` has a {} for the port."""
    path = bench.stream_path()
    # A scenario may call this twice, and each nginx has a log of its own.
    with nginx(tempfile.mkdtemp(dir=bench.dir), tls or "") as server:
        ran = bench.run("-H", host.format(server.port), *FLAGS, "--proxy", proxy, "--telemetry", path, *flags)
        entries = server.log()
    ran.must_exit(code)
    no_secret_in(path)
    stream = whole_stream(bench, path, ran)
    equal((stream.end["sent"], stream.final["num_requests"]), (400, 400), "sent, completed")
    return stream, entries


def equal_counts(stream, entries):
    """Fails unless nginx logged each of the 400 requests once; returns its number of connections."""
    equal(len(entries), 400, "requests that nginx saw")
    counts_agree(stream, entries)
    return f"nginx 400 = completed 400, over {len({entry.connection for entry in entries})} connections"


def an_http_proxy_passes_on_every_request_once(bench):
    """Plain HTTP through tinyproxy with a login: whole URLs, and nginx behind it counts the same for each path."""
    with tinyproxy(bench.dir / "tinyproxy") as proxy:
        stream, entries = through(bench, f"http://{LOGIN}@{proxy}", "http://127.0.0.1:{}", ["/ok", "/fail"], 1)
    equal(set(stream.errors()), {("/fail", "http_5xx: 500")}, "errors")
    return equal_counts(stream, entries)


def tls_through_an_http_proxy_takes_a_tunnel(bench):
    """HTTPS by CONNECT through tinyproxy: nginx's own certificate is verified, and each user keeps its tunnel."""
    certs = certificates(bench.dir)
    with tinyproxy(bench.dir / "tinyproxy") as proxy:
        flags = ["--cacert", certs / "ca.pem", "/ok"]
        stream, entries = through(bench, f"http://{LOGIN}@{proxy}", "https://127.0.0.1:{}", flags, 0, nginx_tls(certs))
    expect(len({entry.connection for entry in entries}) <= 8, "more connections than users")
    return equal_counts(stream, entries)


def an_http_proxy_that_refuses_is_distinguished_from_the_server(bench):
    """A wrong password: a response 407 to plain HTTP, connect_other to CONNECT; nothing is sent to nginx."""
    with tinyproxy(bench.dir / "tinyproxy") as proxy:
        wrong = f"http://amy:wrong@{proxy}"
        stream, entries = through(bench, wrong, "http://127.0.0.1:{}", ["/ok"], 1)
        plain = stream.errors()
        stream, more = through(bench, wrong, "https://127.0.0.1:{}", ["/ok"], 4)
    refused = sorted({error for _, error in [*plain, *stream.errors()]})
    # tinyproxy sends 401 where others send 407.
    expect(refused[0] in ("connect_other: refused by the proxy", "connect_other: the proxy wants other credentials"),
           f"errors of CONNECT: {refused}")
    expect(refused[1:] in (["http_4xx: 401"], ["http_4xx: 407"]), f"errors of plain HTTP: {refused}")
    equal((len(entries), len(more)), (0, 0), "requests that nginx saw")
    return f"800 failures: {refused}"


def a_socks_proxy_passes_on_every_request_once(bench):
    """microsocks with a login, the name looked up here and by the proxy: nginx behind it counts the same."""
    said = []
    with microsocks() as proxy:
        for scheme in ("socks5", "socks5h"):
            url = f"{scheme}://{LOGIN}@{proxy}"
            stream, entries = through(bench, url, "http://localhost:{}", ["-4", "/ok", "/fail"], 1)
            expect(len({entry.connection for entry in entries}) <= 8, "more connections than users")
            said.append(f"{scheme}: {equal_counts(stream, entries)}")
    return "; ".join(said)


def a_socks_proxy_that_refuses_is_distinguished_from_the_server(bench):
    """A wrong password; and a port without a listener behind the proxy, which is a failure of the server."""
    with microsocks() as proxy:
        stream, entries = through(bench, f"socks5://amy:wrong@{proxy}", "http://127.0.0.1:{}", ["/ok"], 4)
        equal(stream.errors(), {("/ok", "connect_other: the proxy wants other credentials"): 400}, "errors")
        equal(len(entries), 0, "requests that nginx saw")
        stream, entries = through(bench, f"socks5://{LOGIN}@{proxy}", "http://127.0.0.1:1", ["/ok"], 4)
    equal(stream.errors(), {("/ok", "connect_refused: connection refused"): 400}, "errors")
    return "400 × the proxy wants other credentials, 400 × connection refused"


def a_unix_socket_is_a_server_too(bench):
    """nginx on a Unix socket counts the same, over one connection a user."""
    path, socket = bench.stream_path(), bench.dir / "s"
    with nginx(bench.dir / "nginx", unix_socket=socket) as server:
        ran = bench.run("-H", "http://shop.test", *FLAGS, "--unix-socket", socket, "--telemetry", path, "/ok", "/fail")
        entries = server.log()
    ran.must_exit(1)
    stream = whole_stream(bench, path, ran)
    expect(len({entry.connection for entry in entries}) <= 8, "more connections than users")
    return equal_counts(stream, entries)


SCENARIOS = [
    an_http_proxy_passes_on_every_request_once,
    tls_through_an_http_proxy_takes_a_tunnel,
    an_http_proxy_that_refuses_is_distinguished_from_the_server,
    a_socks_proxy_passes_on_every_request_once,
    a_socks_proxy_that_refuses_is_distinguished_from_the_server,
    a_unix_socket_is_a_server_too,
]
