"""A server in this process that records its requests, and what of a request counts when two programs are compared."""

import contextlib
import email.parser
import email.policy
import json
import threading
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, unquote, urlsplit

from harness import StoppableServer

LOGIN = {"token": "tok-1", "items": [{"id": 42}]}


class Recorder(StoppableServer):
    """Records every request; answers a login with a token, and what is below /redirect with a redirect."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.record = []
        self.lock = threading.Lock()

    @property
    def port(self):
        """The port that it listens on."""
        return self.server_address[1]

    def taken(self):
        """The requests since the last call."""
        with self.lock:
            record, self.record = self.record, []
        return record


class Handler(BaseHTTPRequestHandler):
    """Reads a request completely, records it, and responds."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def body(self):
        """The body, whether its length is given or it comes in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def respond(self):
        """Records the request; responds with JSON."""
        body = self.body()
        with self.server.lock:
            self.server.record.append({"method": self.command, "path": self.path, "headers": self.headers.items(),
                                       "body": body.decode("utf-8", "replace")})
        path = self.path.split("?")[0]
        answer = json.dumps(LOGIN if path.endswith("/login") else {}).encode()
        self.send_response(302 if path.startswith("/redirect/") else 200)
        if path.startswith("/redirect/"):
            self.send_header("Location", "/target")
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Type", "kind")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def __getattr__(self, name):
        """Every method is answered alike."""
        if name.startswith("do_"):
            return self.respond
        raise AttributeError(name)

    def log_message(self, *_):
        """Logs nothing."""


@contextlib.contextmanager
def recorder():
    """A recorder that serves until the block is left."""
    server = Recorder()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def parts(content_type, body):
    """The parts of a multipart body: name, file name, type and content."""
    text = f"Content-Type: {content_type}\n\n{body}"
    message = email.parser.Parser(policy=email.policy.HTTP).parsestr(text)
    found = []
    for part in message.iter_parts():
        named = part.get_param("name", header="content-disposition"), part.get_filename()
        kind = part.get("Content-Type", "").split(";")[0]
        found.append([*named, kind, part.get_payload().strip("\r\n")])
    return found


def comparable(request):
    """What of a request counts: the method, the decoded path and query, the headers that people set, and the body's
    meaning."""
    # Bytes beyond ASCII, which a client should have encoded.
    url = urlsplit(request["path"].encode("latin-1").decode("utf-8", "replace"))
    query = [[unquote(half) for half in field.split("=", 1)] for field in url.query.split("&")] if url.query else []
    headers = {name.lower(): value for name, value in request["headers"]}
    content_type = headers.get("content-type", "")
    kind = content_type.split(";")[0].strip().lower()
    kept = {name: value for name, value in headers.items() if name in ("authorization", "cookie") or name.startswith("x-")}
    body = request["body"]
    if headers.get("accept", "*/*") != "*/*":
        kept["accept"] = headers["accept"]
    if body and kind:
        kept["content-type"] = kind
    if not body:
        body = ""
    elif kind == "multipart/form-data":
        body = parts(content_type, body)
    elif kind == "application/x-www-form-urlencoded":
        body = [list(pair) for pair in parse_qsl(body, keep_blank_values=True)]
    elif kind == "application/json" or kind.endswith("+json"):
        with contextlib.suppress(ValueError):
            body = json.loads(body)
    return {"method": request["method"], "path": unquote(url.path), "query": query, "headers": kept, "body": body}
