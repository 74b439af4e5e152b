"""Does the server receive what was requested? TLS from both sides, bodies, headers, credentials."""

import base64
import email
import email.policy
import json
import os
import subprocess

from harness import equal, expect
from scenarios_count import whole_stream
from servers import certificates, nginx, nginx_tls, python_server


def tls_run(bench, flags, code, verify_client=False):
    """40 requests by 2 users to an nginx with a certificate of our own CA: the stream, nginx's log."""
    certs = certificates(bench.dir)
    path = bench.stream_path()
    flags = [str(flag).replace("CERTS", str(certs)) for flag in flags]
    with nginx(bench.dir / "nginx", nginx_tls(certs, verify_client)) as server:
        ran = bench.run(f"{server.tls_url}/ok", "-n", "40", "-u", "2", "-r", "1000", "--telemetry", path, *flags)
        entries = server.log()
    ran.must_exit(code)
    return whole_stream(bench, path, ran), entries


def a_server_certificate_of_a_given_authority_is_trusted(bench):
    """`--cacert`: the certificate names 127.0.0.1, its CA is trusted, every request is ok."""
    stream, entries = tls_run(bench, ["--cacert", "CERTS/ca.pem"], 0)
    equal((len(entries), stream.end["ok"]), (40, 40), "nginx, ok")
    return f"nginx {len(entries)}, ok {stream.end['ok']}"


def an_unknown_authority_fails_every_request(bench):
    """Without `--cacert` nothing is sent to that server: each request fails with class tls, is counted, and the run is invalid."""
    stream, entries = tls_run(bench, [], 4)
    final = stream.final
    equal((final["num_requests"], final["num_failures"]), (40, 40), "requests, failures")
    wrong = [error for _, error in stream.errors() if not error.startswith("tls: ")]
    expect(stream.errors() and not wrong, f"errors of another class than tls: {wrong}")
    equal(len(entries), 0, "requests that nginx saw")
    return f"40 failures: {sorted(error for _, error in stream.errors())}"


def insecure_trusts_any_certificate(bench):
    """`-k` accepts a certificate of any authority."""
    stream, entries = tls_run(bench, ["-k"], 0)
    equal((len(entries), stream.end["ok"]), (40, 40), "nginx, ok")
    return f"nginx {len(entries)}, ok {stream.end['ok']}"


def a_client_certificate_is_shown(bench):
    """`--cert` and `--key`: a server that requires a client certificate gets it and verifies it."""
    flags = ["--cacert", "CERTS/ca.pem", "--cert", "CERTS/client.pem", "--key", "CERTS/client.key"]
    stream, entries = tls_run(bench, flags, 0, verify_client=True)
    equal((len(entries), stream.end["ok"]), (40, 40), "nginx, ok")
    expect(all(entry.client_certificate for entry in entries), "a request without a verified client certificate")
    return f"nginx verified {len(entries)} of 40"


def a_missing_client_certificate_is_a_failure(bench):
    """nginx responds with 400 to a client without the required certificate."""
    stream, entries = tls_run(bench, ["--cacert", "CERTS/ca.pem"], 1, verify_client=True)
    equal(stream.errors(), {("/ok", "http_4xx: 400"): 40}, "errors")
    equal([entry.status for entry in entries], [400] * 40, "nginx's statuses")
    return "40 × http_4xx: 400"


def tls_sessions_are_resumed(bench):
    """With a new connection for each request, most handshakes are resumed, according to nginx."""
    stream, entries = tls_run(bench, ["--cacert", "CERTS/ca.pem", "--no-keepalive"], 0)
    resumed = sum(entry.tls_reused for entry in entries)
    equal((len(entries), stream.end["ok"]), (40, 40), "nginx, ok")
    expect(resumed >= 20, f"{resumed} of 40 sessions were resumed")
    return f"{resumed} of 40 handshakes resumed"


def a_file_without_a_certificate_is_rejected_before_anything_is_sent(bench):
    """A wrong `--cacert`: exit 2, one line that names the file, and nginx receives nothing."""
    certs = certificates(bench.dir)
    wrong = bench.dir / "wrong.pem"
    wrong.write_text("not a certificate\n")
    with nginx(bench.dir / "nginx", nginx_tls(certs)) as server:
        ran = bench.run(f"{server.tls_url}/ok", "-n", "40", "--cacert", wrong, "--telemetry", bench.stream_path())
        entries = server.log()
    ran.must_exit(2)
    ran.one_line_naming("--cacert")
    equal(len(entries), 0, "requests that nginx saw")
    return ran.stderr.strip().replace(str(bench.dir), "…")


def recorded(bench, *flags):
    """What the recording server received from 5 requests with these flags; all are the same."""
    path = bench.stream_path()
    with python_server(bench.dir / "python") as server:
        ran = bench.run("-H", server.url, "-n", "5", "--telemetry", path, *flags)
        record = server.requests()
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    equal((len(record), stream.end["ok"]), (5, 5), "server, ok")
    for request in record:
        request["headers"] = sorted((name.lower(), value) for name, value in request["headers"])
        names = [name for name, _ in request["headers"]]
        equal(len(set(names)), len(names), f"header names, each once, of {names}")
    equal([{**r, "connection": 0} for r in record], [{**record[0], "connection": 0}] * 5, "five equal requests")
    first = record[0]
    first["headers"] = dict(first["headers"])
    equal(f"http://{first['headers']['host']}", server.url, "Host")
    return first


def a_json_body_arrives_with_headers_and_credentials(bench):
    """`--json`, `--header` and `--basic-auth` as received by the server, and no secret in the stream."""
    request = recorded(bench, "--json", '{"a":1}', "--header", "X-Test: 1", "--basic-auth", "u:pa55word", "POST /ok")
    equal((request["method"], request["path"]), ("POST", "/ok"), "method and path")
    equal(json.loads(request["body"]), {"a": 1}, "body")
    headers = request["headers"]
    equal(headers["content-type"], "application/json", "Content-Type")
    equal(headers["content-length"], "7", "Content-Length")
    equal(headers["x-test"], "1", "X-Test")
    secret = base64.b64encode(b"u:pa55word").decode()
    equal(headers["authorization"], f"Basic {secret}", "Authorization")
    text = bench.stream_path().read_text()
    expect("pa55word" not in text and secret not in text, "the password is in the stream")
    return f"{len(headers)} headers, body {request['body']}"


def a_file_as_body_arrives_byte_for_byte(bench):
    """`-d @FILE` sends every byte unchanged, by POST if no method is given, like curl's --data-binary."""
    body = bytes(range(256)) * 40 + b"\r\n\r\nend\n"
    file = bench.dir / "body.bin"
    file.write_bytes(body)
    request = recorded(bench, "-d", f"@{file}", "/ok")
    equal(request["method"], "POST", "method")
    expect(request["body"].encode("latin-1") == body, f"another body arrived, of {len(request['body'])} bytes")
    equal(request["headers"]["content-length"], str(len(body)), "Content-Length")
    return f"{len(body)} bytes"


def parts(request):
    """The parts of a recorded multipart request as Python's email parser reads them: headers, content."""
    headers = {name.lower(): value for name, value in request["headers"]}
    equal(headers["content-length"], str(len(request["body"])), "Content-Length")
    head = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + request["body"].encode("latin-1"), policy=email.policy.HTTP)
    expect(message.is_multipart() and not message.defects, f"not multipart: {message.defects}")
    return [(sorted(part.items()), part.get_payload(decode=True)) for part in message.iter_parts()]


def a_form_with_files_has_the_parts_that_curl_sends(bench):
    """`multipart`: Python's email parser reads the same headers and bytes of each part as from `curl -F`."""
    large, odd = os.urandom(3_000_000), bytes(range(256)) * 20
    for name, content in [("large.bin", large), ('od"d.PNG', odd), ("note.txt", b"two\r\nlines\n")]:
        (bench.dir / name).write_bytes(content)
    fields = [{"name": "title", "value": "a \u00fc\nb"}, {"name": 'q"x', "file": "large.bin"},
              {"name": "photo", "file": 'od"d.PNG'}, {"name": "note", "file": "note.txt", "filename": "n\u00f6te.html"},
              {"name": "plain", "file": "note.txt", "filename": None}, {"name": "empty", "value": ""},
              {"name": "meta", "json": {"a": [1, "x"]}},
              {"name": "typed", "value": "x", "filename": "x.bin", "content_type": "text/x; charset=utf-8"}]
    curl = ["title=a \u00fc\nb", 'q"x=@large.bin', 'photo=@"od\\"d.PNG"', "note=@note.txt;filename=n\u00f6te.html",
            "plain=<note.txt", "empty=", 'meta={"a":[1,"x"]};type=application/json',
            "typed=x;filename=x.bin;type=text/x; charset=utf-8"]
    with python_server(bench.dir / "python") as server:
        step = {"post": f"{server.url}/ok", "multipart": fields}
        (bench.dir / "form.json").write_text(json.dumps({"user_classes": [{"tasks": [{"requests": [step]}]}]}))
        run = bench.run("-f", bench.dir / "form.json", "-n", "2", "--telemetry", bench.stream_path())
        run.must_exit(0)
        flags = [flag for part in curl for flag in ("-F", part)]
        subprocess.run(["curl", "-sS", "--fail", *flags, f"{server.url}/ok"], check=True, cwd=bench.dir,
                       stdout=subprocess.DEVNULL)
        ours, again, theirs = server.requests()
    equal([headers for headers, _ in parts(ours)], [headers for headers, _ in parts(theirs)], "headers of the parts")
    expect(parts(ours) == parts(theirs) == parts(again), "the contents of the parts differ")
    expect([content for _, content in parts(ours)][1:3] == [large, odd], "a file arrived differently")
    return f"{len(curl)} parts, {len(ours['body'])} bytes"


def few_headers_are_sent_by_default(bench):
    """Without flags: GET, Host, User-Agent with our name and version, Accept, and no body."""
    request = recorded(bench, "/ok")
    headers = request["headers"]
    expect(headers["user-agent"].startswith("swarmline/"), f"User-Agent: {headers['user-agent']}")
    equal((request["method"], headers["accept"], request["body"]), ("GET", "*/*", ""), "method, Accept, body")
    extra = set(headers) - {"host", "user-agent", "accept"}
    expect(not extra, f"unrequested headers: {extra}")
    return f"User-Agent: {headers['user-agent']}"


SCENARIOS = [
    a_server_certificate_of_a_given_authority_is_trusted,
    an_unknown_authority_fails_every_request,
    insecure_trusts_any_certificate,
    a_client_certificate_is_shown,
    a_missing_client_certificate_is_a_failure,
    tls_sessions_are_resumed,
    a_file_without_a_certificate_is_rejected_before_anything_is_sent,
    a_json_body_arrives_with_headers_and_credentials,
    a_file_as_body_arrives_byte_for_byte,
    a_form_with_files_has_the_parts_that_curl_sends,
    few_headers_are_sent_by_default,
]
