"""A headless Chromium, driven over a pipe by its DevTools protocol: no port, no driver, no package.

Messages are JSON, each terminated by a NUL byte; the browser reads them from descriptor 3 and responds on 4
(--remote-debugging-pipe).
"""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time

from harness import Failed, Skip, end

ANSWER_LIMIT = 30.0
"""Seconds within which the browser must respond."""

FIRST_FREE = 20
"""Descriptors from this on are not among those that the browser has at fixed numbers."""

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@contextlib.contextmanager
def browser(directory):
    """A browser with its own profile in `directory`; it is always ended when the block is left."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        raise Skip("chromium is not installed")
    command = [program, "--headless", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
               "--disable-background-networking", f"--user-data-dir={directory / 'profile'}", "--remote-debugging-pipe"]
    if os.geteuid() == 0:
        # Chromium's sandbox does not run as root.
        command.append("--no-sandbox")
    to_browser, ours_out = os.pipe()
    ours_in, from_browser = os.pipe()
    # Only another process can put two pipes at fixed numbers without a race in this one. Above those numbers first, as one
    # may be the other's; a shell would do, but some know only numbers of one digit.
    high = [fcntl.fcntl(pipe, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE) for pipe in (to_browser, from_browser)]
    os.close(to_browser)
    os.close(from_browser)
    to_browser, from_browser = high
    place = "import os, sys; [os.dup2(int(sys.argv[i]), i + 2) for i in (1, 2)]; os.execvp(sys.argv[3], sys.argv[3:])"
    process = subprocess.Popen([sys.executable, "-c", place, str(to_browser), str(from_browser), *command],
                               pass_fds=(to_browser, from_browser),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    os.close(to_browser)
    os.close(from_browser)
    try:
        yield Browser(ours_in, ours_out)
    finally:
        os.close(ours_out)
        os.close(ours_in)
        end(process)
        # Its children are in its session; those that outlive it are ended with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


class Browser:
    """The browser's end of the pipes."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.number = 0
        self.rest = b""
        self.events = []

    def ask(self, method, session=None, **parameters):
        """Sends one command and returns its result; events that arrive before it are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.sink, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + ANSWER_LIMIT
        while True:
            answer = self.receive(deadline, method)
            if answer.get("id") != self.number:
                self.events.append(answer)
            elif "error" in answer:
                raise Failed(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def receive(self, deadline, what):
        """Returns the next message."""
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.source], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise Failed(f"the browser did not respond within {ANSWER_LIMIT:g} s: {what}")
            piece = os.read(self.source, 1 << 16)
            if not piece:
                raise Failed(f"the browser has ended: {what}")
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def wait_for(self, event):
        """Returns when an event with this name has arrived, now or earlier."""
        deadline = time.monotonic() + ANSWER_LIMIT
        while not any(known.get("method") == event for known in self.events):
            self.events.append(self.receive(deadline, event))

    def page(self, path, width, scheme="light", mobile=False):
        """Opens a file, or a URL, in a tab with this width and colour scheme, and returns when it is loaded."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.ask(f"{domain}.enable")
        page.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=mobile)
        page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        page.ask("Page.navigate", url=path if isinstance(path, str) else path.resolve().as_uri())
        self.wait_for("Page.loadEventFired")
        return page


class Page:
    """One tab."""

    def __init__(self, browser, session):
        self.browser, self.session = browser, session

    def ask(self, method, **parameters):
        """Sends a command to this tab."""
        return self.browser.ask(method, self.session, **parameters)

    def run(self, expression):
        """Returns the value of a JavaScript expression."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise Failed(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def complaints(self):
        """Everything that the console would show: errors, warnings, exceptions, violations of the page's policy."""
        # Earlier messages are delivered before the response to a command.
        self.run("0")
        texts = []
        for event in self.browser.events:
            parameters = event.get("params", {})
            if event.get("method") == "Log.entryAdded":
                texts.append(parameters["entry"]["text"])
            elif event.get("method") == "Runtime.exceptionThrown":
                texts.append(json.dumps(parameters["exceptionDetails"]))
            elif event.get("method") == "Runtime.consoleAPICalled":
                texts.append(json.dumps(parameters["args"]))
        return texts

    def requests(self):
        """The addresses of everything that was requested."""
        sent = (event for event in self.browser.events if event.get("method") == "Network.requestWillBeSent")
        return [event["params"]["request"]["url"] for event in sent]

    def screenshot(self, path, height=None):
        """Saves the whole page as a PNG, or the top of it."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height or size["height"], "scale": 1}
        image = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        path.write_bytes(base64.b64decode(image))

    def pdf(self, path):
        """Saves the page as it is printed."""
        path.write_bytes(base64.b64decode(self.ask("Page.printToPDF", preferCSSPageSize=True)["data"]))

    def press(self, key):
        """Presses and releases a key."""
        text = {"Enter": "\r", " ": " "}.get(key, "")
        code = {"Enter": 13, " ": 32, "ArrowRight": 39, "ArrowLeft": 37}[key]
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **more)

    def move(self, x, y):
        """Moves the pointer to a position in the window."""
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x, y):
        """Clicks at a position."""
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
