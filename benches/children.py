"""Child processes with bounded running time, each on one core; their CPU time is read from the kernel when they end."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time


class Skip(Exception):
    """This machine cannot run the scenario; the text says why."""


class Failed(Exception):
    """A client or server did not do its work; the text says which one."""


class Child:
    """A child process. As a context manager it is always ended, by its process id."""

    def __init__(self, argv, core=None, env=None):
        self.name = os.path.basename(str(argv[0]))
        self.output = tempfile.TemporaryFile()
        self.usage = None
        self.ended_unix = None
        place = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
        self.process = subprocess.Popen(
            [str(part) for part in argv], stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output,
            preexec_fn=place, env=env, start_new_session=True,
        )
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        self.output.close()

    def poll(self):
        """Returns the exit code, or None while it runs; the first call after its end records its resource usage."""
        if self.process.returncode is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.ended_unix = time.time()
                self.usage = usage
                self.process.returncode = os.waitstatus_to_exitcode(status)
        return self.process.returncode

    def wait(self, limit, every=0.01):
        """Waits for its end and returns the exit code; fails after `limit` seconds."""
        deadline = time.monotonic() + limit
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise Failed(f"{self.name} still ran after {limit:g} s: {self.said()}")
            time.sleep(every)
        return self.process.returncode

    def succeed(self, limit):
        """Waits for its end like `wait`; the exit code must be 0."""
        code = self.wait(limit)
        if code:
            raise Failed(f"{self.name} ended with {code}: {self.said()}")

    def end(self, limit=10.0):
        """Ends it if it is still running: SIGTERM, bounded waiting, SIGKILL."""
        for number, patience in ((signal.SIGTERM, limit), (signal.SIGKILL, limit)):
            if self.poll() is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            with contextlib.suppress(Failed):
                self.wait(patience)

    def said(self, most=400):
        """The end of its output."""
        self.output.seek(0)
        return self.output.read().decode(errors="replace").strip()[-most:]

    def cpu_seconds(self):
        """User and system time: exact for an ended child, to a hundredth of a second for a running one."""
        if self.usage is not None:
            return self.usage.ru_utime + self.usage.ru_stime
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def status_kib(self, field):
        """A field of its status in KiB, such as `VmHWM` (maximum resident) or `VmRSS`; None if it has ended."""
        with contextlib.suppress(OSError), open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
        return None


def cores():
    """One core for the server and one for the client."""
    mine = sorted(os.sched_getaffinity(0))
    if len(mine) < 2:
        raise Failed("the bench needs two cores: one for the server, one for the client")
    return mine[0], mine[1]


def output_of(argv, limit=60.0):
    """The output of a short command on both streams, whatever its exit code; empty if it is not installed."""
    try:
        done = subprocess.run([str(part) for part in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=limit, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").strip()
