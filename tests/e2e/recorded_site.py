#!/usr/bin/env python3
"""A small web shop to be recorded: recorded_site.py PORT ENTRY_PORT LOG.

Visitors enter by ENTRY_PORT, which redirects to PORT, another origin. Each session gets a token, form fields and numbers of its own,
and a request with those of another session, or without them, is refused with 403. Each request is a line of LOG (JSON).
"""

import base64
import hashlib
import itertools
import json
import re
import secrets
import signal
import struct
import sys
import threading
from email.parser import BytesParser
from email.policy import HTTP
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

LOCK = threading.Lock()
SESSIONS = {}
NUMBERS = itertools.count(48151, 7)

PAGES = {
    "/login": """<form method="post" action="/login"><input type="hidden" name="csrf_token" value="{csrf}">
        <input name="user"><input type="password" name="password"><input type="checkbox" name="role" value="a" checked>
        <input type="checkbox" name="role" value="b" checked></form>""",
    "/shop": """<meta name="api-nonce" content="{nonce}"><img src="/logo.png"><a href="/orders/{order}">your order</a>
        <form method="post" action="/upload" enctype="multipart/form-data"><input type="hidden" name="form_id" value="{form}">
        <input name="title"><input type="file" name="photo"></form>
        <script src="/shop.js"></script>""",
    "/orders": "<h1>order {number}</h1>",
    "/done": "<h1>{uploads} uploaded</h1>",
}

SCRIPT = """
async function buy() {
  const nonce = document.querySelector('meta[name=api-nonce]').content;
  const headers = { 'Content-Type': 'application/json;charset=utf-8', 'X-Nonce': nonce };
  const items = await (await fetch('/api/items?sort=price&page=1')).json();
  const item = items.items[1];
  const cart = await (await fetch('/api/carts', { method: 'POST', headers, body: '{"z":1.10,"a":"caf\\u00e9 ${x}","item":' + item.id + '}' })).json();
  await fetch(`/api/carts/${cart.cart.id}/items/${item.id}`, { method: 'PUT', headers, body: JSON.stringify({ item_id: item.id, quantity: 2 }) });
  const order = await fetch('/api/orders', { method: 'POST', headers, body: JSON.stringify({ cart_id: cart.cart.id, coupon: cart.cart.coupon_code }) });
  const place = order.headers.get('Location');
  await fetch(place + '/pay', { method: 'POST', headers: { 'X-XSRF-TOKEN': document.cookie.match(/XSRF-TOKEN=([^;]*)/)[1] } });
  const form = new FormData();
  form.append('form_id', document.querySelector('[name=form_id]').value);
  form.append('title', 'a "title" ${x}');
  form.append('photo', new File(['a photo'], 'photo.txt', { type: 'text/plain' }));
  await fetch('/photos', { method: 'POST', body: form });
  await new Promise((done) => { const s = new WebSocket(`ws://${location.host}/live`); s.onmessage = () => { s.close(); done(); }; });
}
"""


class Site(BaseHTTPRequestHandler):
    """Responds to a browser, and to whoever makes the same requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        """Also for the other methods."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.path_only = urlsplit(self.path).path
        cookie = SimpleCookie(self.headers.get("Cookie", ""))
        self.session = SESSIONS.get(cookie["sid"].value if "sid" in cookie else None)
        status, headers, content = self.route(body)
        with LOCK, open(LOG, "a", encoding="utf-8") as log:
            record = {"port": self.server.server_port, "method": self.command, "path": self.path, "status": status,
                      "type": self.headers.get("Content-Type"), "body": body.decode("latin-1")}
            log.write(json.dumps(record) + "\n")
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 101:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection |= status == 101

    do_POST = do_PUT = do_GET

    def route(self, body):
        """Status, headers and body of the response."""
        if self.server.server_port == ENTRY_PORT:
            return 301, [("Location", f"http://127.0.0.1:{PORT}{self.path}")], b""
        name = {"GET /": "enter", "GET /login": "page", "POST /login": "login", "GET /shop": "page", "POST /upload": "upload", "POST /photos": "upload",
                "GET /done": "page", "GET /shop.js": "script", "GET /logo.png": "logo", "GET /live": "live"}
        found = name.get(f"{self.command} {self.path_only}")
        if found is None:
            found = "api" if self.path_only.startswith("/api/") else "order"
        if found not in ("enter", "script", "logo") and self.session is None:
            return 403, [], b"no session"
        answer = getattr(self, found)(body)
        return answer or (403, [("Content-Type", "text/plain")], b"not of this session")

    def enter(self, _):
        """A new session."""
        sid, session = secrets.token_hex(16), {"id": secrets.token_hex(4), "uploads": 0, "is_in": False}
        session |= {"csrf": secrets.token_urlsafe(24) + "+/=", "nonce": secrets.token_hex(8), "xsrf": secrets.token_hex(12),
                    "form": secrets.token_hex(3)}
        session |= {key: next(NUMBERS) for key in ("order", "item", "other", "cart", "placed")}
        session["coupon"] = f"x{secrets.randbelow(90) + 10}y"
        SESSIONS[sid] = session
        cookies = [("Set-Cookie", f"sid={sid}; Path=/; HttpOnly"), ("Set-Cookie", f"XSRF-TOKEN={session['xsrf']}; Path=/")]
        return 302, [("Location", "/login"), *cookies], b""

    def page(self, _):
        """A page with the session's values."""
        if self.path_only != "/login" and not self.session["is_in"]:
            return None
        return self.html(PAGES[self.path_only], **self.session)

    @staticmethod
    def html(text, **values):
        """A page with values."""
        return 200, [("Content-Type", "text/html; charset=utf-8")], text.format(**values).encode()

    def login(self, body):
        """The form with the session's token, and both roles."""
        fields = parse_qsl(body.decode(), strict_parsing=True)
        wanted = [("csrf_token", self.session["csrf"]), ("user", "jo"), ("password", "a b&c"), ("role", "a"), ("role", "b")]
        if fields != wanted:
            return None
        self.session["is_in"] = True
        return 303, [("Location", "/shop")], b""

    def upload(self, body):
        """A form with the session's number and a file, or without one."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = {part.get_param("name", header="Content-Disposition"): part
                 for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()}
        if parts.keys() != {"form_id", "title", "photo"}:
            return None
        title, photo = parts["title"].get_content().strip(), parts["photo"]
        if parts["form_id"].get_content().strip() != self.session["form"] or title != 'a "title" ${x}':
            return None
        if (photo.get_filename(), photo.get_content_type()) not in (("photo.txt", "text/plain"), ("", "application/octet-stream")):
            return None
        self.session["uploads"] += 1
        if self.path_only == "/photos":
            return 201, [("Content-Type", "application/json")], b"{}"
        return 303, [("Location", f"/orders/{self.session['order']}?tab=1")], b""

    def order(self, _):
        """The page of an order of this session."""
        match = re.fullmatch(r"/orders/(\d+)", self.path_only)
        if not match or int(match[1]) != self.session["order"]:
            return None
        return self.html(PAGES["/orders"], number=match[1])

    def api(self, body):
        """The calls of the page's script."""
        session, data = self.session, json.loads(body or b"{}")
        if self.command != "GET" and not self.path_only.endswith("/pay") and self.headers.get("X-Nonce") != session["nonce"]:
            return None
        place = f"{self.command} {self.path_only}"
        answers = {
            "GET /api/items": ({}, 200, {"page": 1, "status": "1", "items": [
                {"id": session["other"], "price": 1}, {"id": session["item"], "price": 2}]}),
            "POST /api/carts": ({"z": 1.1, "a": "café ${x}", "item": session["item"]}, 201, {
                "ok": True, "cart": {"id": session["cart"], "coupon_code": session["coupon"], "count": 1}}),
            f"PUT /api/carts/{session['cart']}/items/{session['item']}": (
                {"item_id": session["item"], "quantity": 2}, 200, {"status": "1"}),
            "POST /api/orders": ({"cart_id": session["cart"], "coupon": session["coupon"]}, 201, {"status": "new"}),
            f"POST /api/orders/{session['placed']}/pay": ({}, 200, {"paid": True}),
        }
        if place not in answers or answers[place][0] != data:
            return None
        if place.endswith("/pay") and self.headers.get("X-XSRF-TOKEN") != session["xsrf"]:
            return None
        _, status, answer = answers[place]
        headers = [("Content-Type", "application/json")]
        if place == "POST /api/orders":
            headers.append(("Location", f"/api/orders/{session['placed']}"))
        return status, headers, json.dumps(answer).encode()

    def live(self, _):
        """A WebSocket that sends one message."""
        key = self.headers.get("Sec-WebSocket-Key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        headers = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)]
        return 101, headers, struct.pack("BB", 0x81, 2) + b"hi" + struct.pack("BB", 0x88, 0)

    @staticmethod
    def script(_):
        """The script of the shop's page."""
        return 200, [("Content-Type", "text/javascript; charset=utf-8")], SCRIPT.encode()

    @staticmethod
    def logo(_):
        """A picture of one pixel."""
        pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
        return 200, [("Content-Type", "image/png")], base64.b64decode(pixel)

    def log_message(self, *_):
        """Logs nothing to stderr."""


def main():
    """Serves until SIGTERM."""
    servers = [ThreadingHTTPServer(("127.0.0.1", port), Site) for port in (PORT, ENTRY_PORT)]
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    done.wait()


if __name__ == "__main__":
    PORT, ENTRY_PORT, LOG = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    main()
