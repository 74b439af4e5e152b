"""What a person at a terminal sees: one line during the run, tables at its end, within the width."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import time
import uuid

from harness import Skip, child, clean_environment, equal, expect, free_port, wait_for_port, wait_until


class Terminal:
    """A terminal with a given width, in its own tmux server."""

    def __init__(self, width, height=50):
        self.socket = f"swarmline-e2e-{uuid.uuid4().hex[:8]}"
        self.tmux("new-session", "-d", "-s", "t", "-x", str(width), "-y", str(height), "sh")

    def tmux(self, *arguments):
        environment = {**clean_environment(), "PS1": "$ ", "TERM": os.environ.get("TERM") or "xterm-256color"}
        done = subprocess.run(["tmux", "-L", self.socket, "-f", "/dev/null", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, env=environment, timeout=20)
        expect(done.returncode == 0, f"tmux {arguments[0]}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode()

    def type(self, command):
        self.tmux("send-keys", "-t", "t", "-l", command)
        self.tmux("send-keys", "-t", "t", "Enter")

    def lines(self):
        """The lines on the screen, without the empty ones at the end."""
        return self.tmux("capture-pane", "-p", "-t", "t").rstrip().splitlines()

    def escapes(self):
        """The same with its colours."""
        return self.tmux("capture-pane", "-p", "-e", "-t", "t")

    def resize(self, width):
        self.tmux("resize-window", "-t", "t", "-x", str(width))


@contextlib.contextmanager
def terminal(width, height=50):
    """A terminal that is removed when the block is left."""
    if not shutil.which("tmux"):
        raise Skip("tmux is not installed")
    screen = Terminal(width, height)
    try:
        yield screen
    finally:
        screen.tmux("kill-server")


@contextlib.contextmanager
def target(bench):
    """The embedded target; yields its URL."""
    port = free_port()
    with child([bench.binary, "target", "--listen", f"127.0.0.1:{port}"], signal.SIGTERM,
               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for_port(port, process, "the target")
        yield f"http://127.0.0.1:{port}"


def command(bench, host, *flags, before="", paths=("/ok", "/delay/20", "/status/500")):
    flags = [str(bench.binary), "run", "-H", host, "-u", "5", "-r", "100", "--wait", "5ms", "--interval", "500ms", *flags,
             "--telemetry", str(bench.stream_path()), *paths]
    return f"clear; {before} {shlex.join(flags)}; echo exit=$?"


def is_line(text):
    return " req/s" in text and " of 0:0" in text


def ended(screen):
    lines = screen.lines()
    return lines if any(line.startswith("exit=") for line in lines) else None


def watch(screen, width, what):
    """Waits for the line; it is the only thing on the screen and stays within the width."""
    def seen():
        lines = screen.lines()
        return lines if lines and is_line(lines[-1]) and "failed (" in lines[-1] and " 0 failed" not in lines[-1] else None
    lines = wait_until(seen, 10, f"{what}: the line")
    equal(len([line for line in lines if line.strip()]), 1, f"{what}: lines while it runs, {lines!r}")
    expect(len(lines[-1]) < width, f"{what}: the line takes {len(lines[-1])} columns of {width}")
    return lines[-1]


def a_terminal_shows_one_line_and_then_the_tables(bench):
    """At 80 and at 140 columns: a line redrawn in place, then Locust's tables and the verdict, and no trace of the line."""
    said = []
    for width in (80, 140):
        with target(bench) as host, terminal(width) as screen:
            screen.type(command(bench, host, "-t", "3s", "--check", "p95{GET /delay/20} < 10ms"))
            said.append(watch(screen, width, f"{width} columns"))
            lines = wait_until(lambda: ended(screen), 15, "the end")
            equal([line for line in lines if line.startswith("exit=")], ["exit=3"], "exit code")
            expect(not any(is_line(line) for line in lines), f"the line is still there: {lines!r}")
            expect(all(len(line) <= width for line in lines), f"wider than {width}: {lines!r}")
            text = "\n".join(lines)
            for part in ("Type ", "Aggregated", "Response time percentiles", "Error report", "Checks",
                         "NOT MET  p95{GET /delay/20} < 10ms", "verdict: check_failed", "stream: "):
                expect(part in text, f"no {part!r} at {width} columns:\n{text}")
            heads = [line for line in lines if line.startswith("Type ")]
            columns = ["# reqs", "# reqs", "# conn"]
            whole = len(heads) == len(columns) and all(column in head for column, head in zip(columns, heads))
            expect(whole, f"tables' heads: {heads!r}")
    return "; ".join(said)


def a_terminal_that_becomes_narrower_keeps_one_line(bench):
    """From 140 to 40 columns during the run: the line is redrawn within the width, and nothing of the longer one remains."""
    with target(bench) as host, terminal(140) as screen:
        screen.type(command(bench, host, "-t", "6s"))
        watch(screen, 140, "140 columns")
        screen.resize(40)

        def narrow():
            lines = [line for line in screen.lines() if line.strip()]
            return lines if len(lines) == 1 and len(lines[0]) < 40 and is_line(lines[0]) else None
        return wait_until(narrow, 5, "one line of less than 40 columns")[0]


def colours_are_left_out_with_no_color(bench):
    """Failures are red, and with NO_COLOR they are not."""
    with target(bench) as host:
        for before, coloured in (("", True), ("NO_COLOR=1", False), ("NO_COLOR=", True)):
            with terminal(140) as screen:
                screen.type(command(bench, host, "-t", "4s", before=before))
                watch(screen, 140, before or "colours")
                equal("\x1b[31m" in screen.escapes(), coloured, f"red with {before or 'nothing'}")


def a_second_interrupt_leaves_a_clean_line(bench):
    """Repeated Ctrl-C while requests are in flight: exit 130 with the last lines, a second or two after the first;
    what follows starts on its own line."""
    with target(bench) as host, terminal(120) as screen:
        screen.type(command(bench, host, "-t", "9s", "-s", "60s", paths=["/delay/50000"]))
        # Not `watch`: no request ends, so that some are in flight whenever the key is pressed.
        wait_until(lambda: any(map(is_line, screen.lines())), 10, "the line")
        screen.tmux("send-keys", "-t", "t", "C-c")
        wait_until(lambda: "stopping" in "".join(screen.lines()), 5, "the line says that it stops")

        def ended():
            """The screen once the run has ended; until then, presses the key again, which is ignored for one second."""
            lines = screen.lines()
            if "exit=" in "".join(lines):
                return lines
            screen.tmux("send-keys", "-t", "t", "C-c")
            time.sleep(0.3)
            return None

        lines = wait_until(ended, 8, "the end")
        expect("exit=130" in lines, f"no line of its own for what comes next: {lines!r}")
        return " / ".join(lines)


def a_paused_terminal_does_not_hold_up_the_run(bench):
    """XOFF (Ctrl-S) on the terminal: the run continues, and ends shortly after stop-timeout with a complete stream."""
    with target(bench) as host, terminal(80) as screen:
        path = bench.stream_path()
        done = bench.dir / "done"
        screen.type(f"{command(bench, host, '-t', '3s')} > {shlex.quote(str(done))}")
        watch(screen, 80, "before it is paused")
        screen.tmux("send-keys", "-t", "t", "C-s")
        wait_until(lambda: path.exists() and b"run.end" in path.read_bytes(), 10, "the end of the stream")
        wait_until(lambda: done.exists() and b"exit=1" in done.read_bytes(), 5, "the end of the process")
        screen.tmux("send-keys", "-t", "t", "C-q")


SCENARIOS = [
    a_terminal_shows_one_line_and_then_the_tables,
    a_terminal_that_becomes_narrower_keeps_one_line,
    colours_are_left_out_with_no_color,
    a_second_interrupt_leaves_a_clean_line,
    a_paused_terminal_does_not_hold_up_the_run,
]
