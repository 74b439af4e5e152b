"""The service that locustfiles of the corpus load: locust_server.py PORT OTHER_PORT LIMIT RECORD.

A shop with accounts, items, orders, jobs, forms and uploads, on two ports. What it answers follows from the request alone,
or from how many of its kind came before. It prints a line at the first request and at number LIMIT, and writes its record
(JSON, one list per request) when SIGTERM ends it.
"""

import base64
import json
import re
import signal
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

ITEMS = 60
"""Items have the numbers 1 to this; others are answered with 404."""

COLOURS = ("red", "green", "blue")

FORM = ('<html><form method="post" action="/form"><input type="hidden" name="csrf_token" value="csrf-{0:04d}">'
        '<input name="q"></form></html>')


class Shop:
    """What the service knows, and the record of requests."""

    def __init__(self, limit):
        self.lock = threading.Lock()
        self.limit = limit
        self.record = []
        self.seen = Counter()
        self.names = set()

    def number(self, kind):
        """How many of this kind there have been, this one included."""
        with self.lock:
            self.seen[kind] += 1
            return self.seen[kind]

    def is_new(self, name):
        """Whether this account did not exist; it does from now on."""
        with self.lock:
            new = name not in self.names
            self.names.add(name)
            return new

    def note(self, entry):
        """Records a request; says when it is the first, or that of the limit."""
        with self.lock:
            self.record.append(entry)
            if len(self.record) in (1, self.limit):
                print("request", len(self.record), flush=True)


class Asked:
    """A request as the routes see it."""

    def __init__(self, method, target, headers, body):
        self.method = method
        parts = urlsplit(target)
        self.path = parts.path
        self.query = parse_qs(parts.query, keep_blank_values=True)
        self.headers = headers
        self.body = body

    def fields(self):
        """The fields of a JSON object or of a form; empty if it is neither."""
        text = self.body.decode("latin-1")
        try:
            value = json.loads(text)
        except ValueError:
            return {name: values[0] for name, values in parse_qs(text).items()}
        return value if isinstance(value, dict) else {}

    def bearer(self):
        """The user of the token, or None."""
        found = re.fullmatch(r"(?:Bearer|Token) tok-(.+)", self.headers.get("Authorization", ""))
        return found and found.group(1)


def item(number):
    """An item of the shop."""
    return {"id": number, "name": f"item {number}", "price": number * 10, "stock": 0 if number % 10 == 0 else number % 7 + 1,
            "color": COLOURS[number % 3], "owner": {"id": number % 5, "tags": ["a", "b"]}}


def login(shop, asked, _):
    """A token for anyone whose password is not wrong; a session cookie as well."""
    fields = asked.fields()
    name = fields.get("username") or fields.get("email") or fields.get("user")
    if not name or fields.get("password") in (None, "", "wrong"):
        return 401, {"detail": "bad credentials"}
    shop.number("login")
    return 200, {"token": f"tok-{name}", "access_token": f"tok-{name}", "token_type": "bearer",
                 "user": {"id": len(name), "name": name, "roles": ["buyer"]}}, {"Set-Cookie": "session=s-1; Path=/"}


def register(shop, asked, _):
    """201 for a new name, 409 for one that exists."""
    fields = asked.fields()
    name = str(fields.get("username") or fields.get("email") or "")
    return (201, {"id": len(name), "username": name}) if shop.is_new(name) else (409, {"detail": "exists"})


def items(_, asked, __):
    """A page of items, or a new one."""
    if asked.method == "POST":
        return 201, {"id": 7, "item": asked.fields()}
    first = (int(asked.query.get("page", ["1"])[0] or 1) - 1) % 6 * 10
    listed = [item(number) for number in range(first + 1, first + 11)]
    return 200, {"items": listed, "total": ITEMS, "next": "/items?page=2"} if "page" in asked.query else listed


def one_item(_, asked, found):
    """An item; 404 for numbers that do not exist."""
    number = int(found.group(1))
    if not 1 <= number <= ITEMS:
        return 404, {"detail": "no such item"}
    if asked.method == "DELETE":
        return 204, None
    return 200, item(number)


def account(_, asked, __):
    """The account that the token belongs to; 401 without one."""
    name = asked.bearer()
    return (200, {"name": name, "balance": 100, "active": True}) if name else (401, {"detail": "token missing"})


def orders(shop, asked, _):
    """An order of the account that the token belongs to."""
    if not asked.bearer():
        return 401, {"detail": "token missing"}
    return 201, {"id": shop.number("order") % 90 + 10, "order": {"state": "new", "lines": asked.fields()}}


def jobs(shop, _, __):
    """A job that is done when it has been asked for three times."""
    return 202, {"job_id": f"j{shop.number('job')}", "status": "pending"}


def one_job(shop, _, found):
    """The state of a job."""
    asked = shop.number(f"job {found.group(1)}")
    return 200, {"job_id": found.group(1), "status": "done" if asked >= 3 else "pending", "asked": asked}


def form(shop, asked, _):
    """A form with a hidden field, which has to be sent back."""
    if asked.method == "GET":
        return 200, FORM.format(shop.number("form") % 7)
    is_right = str(asked.fields().get("csrf_token", "")).startswith("csrf-")
    return (200, "<h1>saved</h1>") if is_right else (403, "<h1>CSRF token missing</h1>")


def flaky(shop, asked, _):
    """Every fourth request fails."""
    return (500, {"error": "broken"}) if shop.number(asked.path) % 4 == 0 else (200, {"ok": True})


def basic(_, asked, __):
    """Behind Basic authentication."""
    wanted = "Basic " + base64.b64encode(b"amy:secret").decode()
    return (200, {"ok": True}) if asked.headers.get("Authorization") == wanted else (401, {"detail": "who?"})


def session(_, asked, __):
    """Only with the session's cookie."""
    return (200, {"ok": True}) if "session=" in asked.headers.get("Cookie", "") else (403, {"detail": "no session"})


def echo(_, asked, __):
    """What was sent."""
    return 200, {"method": asked.method, "query": asked.query, "length": len(asked.body)}


ROUTES = [(re.compile(pattern), answer) for pattern, answer in (
    (r"/(?:api/)?(?:auth/)?login", login),
    (r"/(?:api/)?(?:auth/)?register", register),
    (r"/(?:api/v1/)?items", items),
    (r"/(?:api/v1/)?items/(\d+)", one_item),
    (r"/me", account),
    (r"/orders", orders),
    (r"/jobs", jobs),
    (r"/jobs/(\w+)", one_job),
    (r"/form", form),
    (r"/flaky/?\w*", flaky),
    (r"/basic", basic),
    (r"/session", session),
    (r"/status/(\d+)", lambda _, __, found: (int(found.group(1)), {"status": int(found.group(1))})),
    (r"/old", lambda *_: (302, None, {"Location": "/landed"})),
    (r"/empty", lambda *_: (200, {"items": [], "data": None})),
    (r"/text", lambda *_: (200, "Welcome to the shop")),
    (r"/echo.*|/landed|/upload|/search|/cart.*|/events?|/page/.*|/logout|/health|/setup|/", echo),
)]


class Handler(BaseHTTPRequestHandler):
    """Answers by the routes and records each request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    shop = None

    def answer(self):
        """Reads the request completely, answers, records."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.command, self.path, self.headers, body)
        found = next(((match, route) for pattern, route in ROUTES if (match := pattern.fullmatch(asked.path))), None)
        status, content, *more = found[1](self.shop, asked, found[0]) if found else (404, {"detail": "no such page"})
        self.shop.note([self.command, self.server.server_port, self.path, self.headers.items(), body.decode("latin-1"), status])
        is_text = isinstance(content, str)
        data = b"" if content is None or status == 204 else content.encode() if is_text else json.dumps(content).encode()
        self.send_response(status)
        for name, value in (more[0] if more else {}).items():
            self.send_header(name, value)
        if data:
            self.send_header("Content-Type", "text/html" if is_text else "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        """Logs nothing."""


class Server(ThreadingHTTPServer):
    """Handles many connections at once."""

    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, *_):
        """Says nothing of connections that a client that is ended breaks."""


def main():
    """Serves both ports until SIGTERM."""
    ports, limit, record = map(int, sys.argv[1:3]), int(sys.argv[3]), sys.argv[4]
    Handler.shop = Shop(limit)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    for port in ports:
        threading.Thread(target=Server(("127.0.0.1", port), Handler).serve_forever, daemon=True).start()
    ended.wait()
    with Handler.shop.lock, open(record, "w", encoding="utf-8") as file:
        json.dump(Handler.shop.record, file)


if __name__ == "__main__":
    main()
