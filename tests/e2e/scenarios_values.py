"""Values of a scenario, judged by Python's own re, html.parser and datetime: random pages, patterns and moments."""

import contextlib
import datetime
import http.server
import json
import random
import re
import threading
import urllib.parse
from html.parser import HTMLParser

from harness import StoppableServer, equal, expect

PAGES = 60
"""Pages, each with a pattern, an input and two texts to be found in it."""

PATTERNS = [r"id=(\d+)", r"(?i)TOKEN[:=]\s*(\w+)", r"<li>([^<]*)</li>", r"(?s)<ul>(.*?)</ul>", r"(?m)^(\w+)$", r"\b(\w{3,5})\b",
            r"[^<>=]+=\"([^\"]*)\"", r"(a|b)+c?", r"(\d{2,4})-(\d\d)", r"x*y", r"<a href=\"([^\"?]+)\??", r"[äöü]+"]

PIECES = ["id=17", "id=4", "Token: Ab_1", "token=zz", "<ul><li>one</li>\n<li></li></ul>", "\nword\n", "2026-11", "1999-01-07", "aabc", "xxxy",
          '<a href="/p?x=1">p</a>', "süß", "<b>", "</b>", "&amp;", " ", "\n", "<!-- id=9 <input name=t value=comment> -->",
          "<script>'<input name=t value=script>'</script>"]

INPUTS = ['<input type="hidden" name="t" value="{}">', "<input value='{}' name='t'/>", "<INPUT NAME=t DATA-X='>' VALUE=\"{}\">",
          '<input\n\tname = "t"\n\tvalue = "{}"\n>', '<input name="other" value="{}">', '<input disabled name=t value="{}" value="no">']

VALUES = ["a1", "a b", "x&amp;y", "&#43;&#x2F;=", "&lt;&gt;", "", "ü", "a&b=c", "&unknown;"]

FORMATS = ["%Y-%m-%d", "%d.%m.%y %H:%M", "%a, %d %b %Y %H:%M:%S GMT", "%A %B %j", "%I:%M %p", "%FT%TZ", "%u %w %%", "%Y-%m-%dT%H:%M:%S%z"]

OFFSETS = {"+0s": 0, "-1s": -1, "+90m": 5400, "+1d": 86400, "-3w": -1814400, "+1d12h": 129600, "-20000d": -1728000000, "+36525d": 3155760000}


class Inputs(HTMLParser):
    """The values of the inputs named t."""

    def __init__(self):
        super().__init__()
        self.values = []

    def handle_starttag(self, tag, attributes):
        first = dict(reversed(attributes))
        if tag == "input" and first.get("name") == "t":
            self.values.append(first.get("value") or "")

    handle_startendtag = handle_starttag


class Handler(http.server.BaseHTTPRequestHandler):
    """Gives the page of its number, and keeps the forms that are sent."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        body = self.server.pages[int(self.path.removeprefix("/"))].encode()
        self.answer(body)

    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.forms.append((self.path, dict(urllib.parse.parse_qsl(form, keep_blank_values=True))))
        self.answer(b"ok")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(pages):
    """A server of these pages."""
    with StoppableServer(("127.0.0.1", 0), Handler) as server:
        server.pages, server.forms = pages, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def page(chance):
    """A page of random pieces."""
    pieces = [chance.choice(PIECES) for _ in range(chance.randrange(12))]
    pieces += [chance.choice(INPUTS).format(chance.choice(VALUES)) for _ in range(chance.randrange(3))]
    chance.shuffle(pieces)
    return "".join(pieces)


def picked(values, pick):
    """The value that `pick` takes; "none" without one."""
    if pick == "all":
        return f"{len(values)} {values[0]}" if values else "0 none"
    place = {"first": 0, "last": -1}.get(pick, pick)
    return values[place] if values and place < len(values) else "none"


def values_in_pages_are_those_of_python(bench):
    """Patterns, inputs and texts between two others are found in random pages as by re and html.parser."""
    chance = random.Random(7)
    pages, wanted, steps = [], [], []
    for number in range(PAGES):
        text, pattern, pick = page(chance), chance.choice(PATTERNS), chance.choice(["first", "last", 1, "all"])
        pages.append(text)
        compiled, inputs = re.compile(pattern, re.ASCII if "ä" not in pattern else 0), Inputs()
        inputs.feed(text)
        inputs.close()
        group = min(1, compiled.groups)
        matches = [found.group(group) for found in compiled.finditer(text) if found.group(group) is not None]
        between = re.findall("<b>(.*?)</b>", text, re.S)
        wanted.append({"regex": picked(matches, pick), "input": picked(inputs.values, pick), "between": picked(between, pick)})
        ways = {"regex": {"regex": pattern}, "input": {"input": "t"}, "between": {"between": ["<b>", "</b>"]}}
        default = [] if pick == "all" else "none"
        extract = {f"{way}{number}": {**found, "pick": pick, "default": default} for way, found in ways.items()}
        steps.append({"get": f"/{number}", "extract": extract})
        form = {}
        for way in ways:
            name = f"{way}{number}"
            form[way] = f"${{count({name})}}" if pick == "all" else f"${{{name}}}"
            if pick == "all" and not wanted[-1][way].startswith("0 "):
                form[way] += f" ${{first({name})}}"
            elif pick == "all":
                form[way] += " none"
        steps.append({"post": f"/{number}", "form": form})
    with serving(pages) as server:
        path = bench.dir / "values.json"
        path.write_text(json.dumps({"host": f"http://127.0.0.1:{server.server_port}", "user_classes": [{"tasks": [{"requests": steps}]}]}))
        bench.run("-f", path, "-n", str(2 * PAGES), "--telemetry", bench.stream_path()).must_exit(0)
        forms = list(server.forms)
    equal(len(forms), PAGES, "forms sent")
    for (place, form), text, values in zip(forms, pages, wanted, strict=True):
        equal(form, values, f"values of page {place}, {text!r}")
    found = sum(value not in ("none", "0 none") for values in wanted for value in values.values())
    expect(found > PAGES / 2, f"only {found} values were found at all")
    return f"{3 * PAGES} extractions, {found} with values"


def times_are_those_of_python(bench):
    """Times at every distance and in every format are those of datetime for the same moment, which the request names too."""
    cases = [(offset, format) for offset in OFFSETS for format in FORMATS]
    form = {"now": "${now}", **{f"{number}": f"${{now({offset}, {format})}}" for number, (offset, format) in enumerate(cases)}}
    with serving([]) as server:
        path = bench.dir / "times.json"
        host = f"http://127.0.0.1:{server.server_port}"
        path.write_text(json.dumps({"host": host, "user_classes": [{"tasks": [{"requests": [{"post": "/", "form": form}]}]}]}))
        bench.run("-f", path, "-n", "20", "--telemetry", bench.stream_path()).must_exit(0)
        forms = list(server.forms)
    for _, sent in forms:
        now = datetime.datetime.fromtimestamp(0, datetime.timezone.utc) + datetime.timedelta(milliseconds=int(sent["now"]))
        for number, (offset, format) in enumerate(cases):
            moment = now + datetime.timedelta(seconds=OFFSETS[offset])
            equal(sent[f"{number}"], moment.strftime(format), f"now({offset}, {format}) at {sent['now']}")
    return f"{len(forms)} requests of {len(cases)} times"


SCENARIOS = [values_in_pages_are_those_of_python, times_are_those_of_python]
