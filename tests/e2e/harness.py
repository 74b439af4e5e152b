"""The basis of all scenarios: processes that always end, bounded waiting, and sentences about what went wrong."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from http.server import ThreadingHTTPServer
from pathlib import Path

RUN_LIMIT = 60.0
"""Seconds after which a swarmline that should not take long is killed and the scenario fails."""

READY_LIMIT = 10.0
"""Seconds within which a server must accept connections."""


class Skip(Exception):
    """This machine cannot run the scenario; the text says why."""


class Failed(Exception):
    """A promise was not kept; the text says which one."""


class StoppableServer(ThreadingHTTPServer):
    """Python's server whose `shutdown()` always returns: a client may leave between the look for a connection and the call that
    accepts it, which would then wait for the next client."""

    daemon_threads = True

    def server_activate(self):
        """Listens; to accept does not wait."""
        super().server_activate()
        self.socket.setblocking(False)


def expect(condition, sentence):
    """Fails with `sentence` unless `condition` holds. Not `assert`, because `python -O` removes it."""
    if not condition:
        raise Failed(sentence)


def equal(actual, wanted, what):
    """Fails unless both are equal."""
    expect(actual == wanted, f"{what}: {actual!r}, not {wanted!r}")


def free_port():
    """A loopback port that is unused at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, limit, what):
    """Polls until `condition()` is true and returns its value; fails after `limit` seconds."""
    deadline = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        expect(time.monotonic() < deadline, f"waited {limit:g} s in vain: {what}")
        time.sleep(0.02)


def wait_for_port(port, process, what):
    """Returns when `port` accepts connections; fails if `process` ends before that, or after READY_LIMIT."""

    def connects():
        if process.poll() is not None:
            raise Failed(f"{what} ended at once with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    wait_until(connects, READY_LIMIT, f"{what} takes connections on port {port}")


def end(process, number=signal.SIGTERM, limit=10.0):
    """Ends a child by its id: the signal, bounded waiting, then SIGKILL. Returns its exit code."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


@contextlib.contextmanager
def child(command, number=signal.SIGTERM, **options):
    """A child process that is always ended when the block is left."""
    command = [str(part) for part in command]
    if not shutil.which(command[0]):
        raise Skip(f"{command[0]} is not installed")
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        end(process, number)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


def clean_environment():
    """Our environment without the variables that swarmline and curl read, so that only a scenario's flags have an effect."""
    own = ("LOCUST_", "SWARMLINE_", "SSL_CERT_", "CURL_", "OTEL_")
    proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    return {k: v for k, v in os.environ.items() if not k.startswith(own) and k.lower() not in proxies}


def namespace_prefix(*flags):
    """The `unshare` command that creates these namespaces, as root or as root of our own user namespace."""
    for command in (["unshare", *flags], ["unshare", "--user", "--map-root-user", *flags]):
        with contextlib.suppress(FileNotFoundError):
            if subprocess.run([*command, "true"], stdin=subprocess.DEVNULL, capture_output=True).returncode == 0:
                return command
    raise Skip(f"unshare {' '.join(flags)} is not permitted here")


class Ran:
    """How a swarmline run ended."""

    def __init__(self, code, stderr, seconds):
        self.code = code
        self.stderr = stderr
        self.seconds = seconds

    def must_exit(self, code):
        """Fails with the content of stderr unless the exit code is `code`."""
        expect(self.code == code, f"exit code {self.code}, not {code}; stderr: {self.stderr.strip()[-600:] or 'empty'}")

    def one_line_naming(self, word):
        """Fails unless stderr is one line that starts like an error and contains `word`."""
        lines = self.stderr.splitlines()
        expect(len(lines) == 1, f"stderr has {len(lines)} lines, not one: {self.stderr[:600]!r}")
        expect(lines[0].startswith("swarmline: "), f"stderr does not begin with 'swarmline: ': {lines[0]!r}")
        expect(str(word) in lines[0], f"stderr does not name {word}: {lines[0]!r}")


class Bench:
    """The environment of one scenario: the binary under test, a static one, a directory of its own, the streams seen so far,
    where to keep files that a person should look at, or None, and a binary that loads libraries: LD_PRELOAD has no effect on a
    static one."""

    def __init__(self, binary, static_binary, shared, directory, streams, keep=None, dynamic_binary=None):
        self.binary = binary
        self.static_binary = static_binary
        self.dynamic_binary = dynamic_binary or binary
        self.shared = shared
        self.dir = Path(directory)
        self.streams = streams
        self.keep = keep

    @contextlib.contextmanager
    def start(self, *flags, wrapper=(), binary=None, **options):
        """`swarmline run FLAGS` as a child that is always ended when the block is left; stderr is a pipe.

        `wrapper` is put in front of it (nohup, unshare), `binary` is its path from the wrapper's point of view.
        """
        options.setdefault("stdout", subprocess.DEVNULL)
        command = [*wrapper, binary or self.binary, "run", *flags]
        with child(command, signal.SIGKILL, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                   env=clean_environment(), **options) as process:
            yield process

    def finish(self, process, began, limit=RUN_LIMIT):
        """Waits for a started swarmline; it fails if it takes over `limit` seconds from now."""
        try:
            _, stderr = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            _, stderr = process.communicate()
            raise Failed(f"swarmline did not end within {limit:g} s; stderr: {stderr[-600:]!r}") from None
        return Ran(process.returncode, stderr.decode(errors="replace"), time.monotonic() - began)

    def run(self, *flags, limit=RUN_LIMIT, **options):
        """Runs `swarmline run FLAGS` to its end."""
        began = time.monotonic()
        with self.start(*flags, **options) as process:
            return self.finish(process, began, limit)

    def stream_path(self, name="s.ndjson"):
        """The path of the next stream."""
        return self.dir / name
