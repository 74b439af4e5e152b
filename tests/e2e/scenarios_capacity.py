"""`swarmline capacity` against existing servers whose highest rate is known, and every way in which a search can end."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

from harness import Skip, child, clean_environment, equal, expect, free_port, wait_for_port, wait_until
from limited_servers import limited_nginx, sleeping_gunicorn
from scenarios_terminal import target
from stream import read_whole

QUICK = ("--step-time", "300ms", "--settle", "100ms")
"""Steps that a test can wait for."""


class Search:
    """A search that has ended: its exit code, what it printed, its answer and steps from the stream, and how long it took."""

    def __init__(self, code, stderr, stream, seconds):
        self.code = code
        self.stderr = stderr
        self.seconds = seconds
        lines = [json.loads(line)["telemetry"] for line in stream.read_text().splitlines()]
        self.steps = [line["step"] for line in lines if line["telemetry_name"] == "swarmline.event.step"]
        self.answer = next(line["capacity"] for line in lines if line["telemetry_name"] == "swarmline.event.run.end")

    def must_be(self, answer, code):
        """Fails unless this is the kind of answer, and this the exit code."""
        what = (self.answer["answer"], self.code)
        if what != (answer, code) and "generator" in self.answer.get("why", ""):
            raise Skip(f"this machine is too busy: {self.answer}")
        expect(what == (answer, code), f"{what}, not {(answer, code)}: {self.answer}; {self.stderr[-900:]}")

    def must_be_near(self, rate, share):
        """Fails unless the answer is a rate that was found, and near `rate`."""
        self.must_be("found", 0)
        off = self.answer["rate"] / rate - 1
        expect(abs(off) <= share, f"found {self.answer['rate']}/s where {rate}/s is the truth; {self.stderr[-900:]}")
        return off


def search_command(bench, stream, *flags):
    return [bench.binary, "capacity", "--telemetry", stream, *flags]


@contextlib.contextmanager
def started(bench, *flags, wrapper=()):
    """A search as a child; yields the process and a function that waits for it."""
    stream = bench.stream_path(f"capacity-{time.monotonic_ns()}.ndjson")
    began = time.monotonic()
    with child([*wrapper, *search_command(bench, stream, *flags)], signal.SIGKILL, stdin=subprocess.DEVNULL,
               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=clean_environment()) as process:

        def ended(limit=120):
            _, stderr = process.communicate(timeout=limit)
            return Search(process.returncode, stderr.decode(), stream, time.monotonic() - began)

        yield process, stream, ended


def search(bench, *flags, wrapper=(), limit=120):
    """A search to its end."""
    with started(bench, *flags, wrapper=wrapper) as (_, _, ended):
        return ended(limit)


def capacity_finds_the_rate_that_nginx_lets_through(bench):
    """The answer is within 10 % of the rate in `limit_req`, with steps of a third of a second."""
    with limited_nginx(bench.dir / "nginx", 200, "burst=10 nodelay") as (url, _):
        found = search(bench, *QUICK, "--from", "100", "--check", "fail_ratio < 1%", url)
    off = found.must_be_near(200, 0.10)
    return f"{found.answer['rate']}/s ({off:+.1%}) in {len(found.steps)} steps, {found.seconds:.1f} s"


def capacity_finds_what_the_workers_of_gunicorn_can_do(bench):
    """Four workers that sleep for 20 ms serve at most 200 requests a second: the answer is not above that, and near; a higher
    --min-rate is exit code 3."""
    with sleeping_gunicorn(bench.dir / "gunicorn", 4, 0.02) as (url, _):
        found = search(bench, *QUICK, "--from", "100", "--check", "p99 < 60ms", "--min-rate", "300", url)
    found.must_be("found", 3)
    rate = found.answer["rate"]
    expect(150 <= rate <= 210, f"found {rate}/s; {found.stderr[-900:]}")
    expect("300" in found.stderr, f"--min-rate is named: {found.stderr[-600:]}")
    return f"{rate}/s in {len(found.steps)} steps, {found.seconds:.1f} s"


def capacity_says_at_least_where_it_cannot_go_on(bench):
    """`--to` reached is exit code 0; users or data that run out say which, and are exit code 4."""
    data = bench.dir / "names.csv"
    data.write_text("name\n" + "".join(f"n{number}\n" for number in range(60)))
    scenario = bench.dir / "scenario.json"
    scenario.write_text(json.dumps({
        "data": {"names": {"csv": "names.csv", "pick": "unique"}},
        "user_classes": [{"tasks": [{"requests": [{"get": "/ok?n=${names.name}", "name": "/ok"}]}]}],
    }))
    with target(bench) as url:
        to = search(bench, *QUICK, "--to", "40", "--from", "20", "--check", "p99 < 5s", f"{url}/ok")
        to.must_be("reached_to", 0)
        equal(to.answer["rate"], 40, "the rate of --to")
        users = search(bench, *QUICK, "--from", "40", "-u", "4", "--check", "p99 < 100ms", f"{url}/delay/50")
        users.must_be("at_least", 4)
        expect("-u" in users.answer["why"], f"it says what to raise: {users.answer}")
        rows = search(bench, *QUICK, "--from", "20", "-f", scenario, "-H", url, "--check", "p99 < 5s")
        rows.must_be("at_least", 4)
        expect("data" in rows.answer["why"], f"it names the data: {rows.answer}")
    return f"{to.answer['rate']}/s, {users.answer['rate']}/s, {rows.answer['rate']}/s"


def capacity_says_where_there_is_no_rate_to_be_found(bench):
    """No rate meets the checks: exit code 3. A burst that only short steps fit into is not stable: exit code 4."""
    with target(bench) as url:
        none = search(bench, "--step-time", "2s", "--settle", "0s", "--from", "1", "--check", "p50 < 10ms", f"{url}/delay/20")
        none.must_be("no_rate", 3)
        equal(none.answer["rate"], 1, "the lowest rate tried")
    with limited_nginx(bench.dir / "nginx", 50, "burst=100 nodelay") as (url, _):
        noisy = search(bench, *QUICK, "--from", "200", "--check", "fail_ratio < 1%", url)
    noisy.must_be("not_stable", 4)
    return f"no rate in {none.seconds:.1f} s, not stable near {noisy.answer['rate']}/s in {noisy.seconds:.1f} s"


def capacity_ends_when_the_server_or_a_person_ends_it(bench):
    """A server that is killed leaves the bounds that were known, with exit code 4; so does Ctrl-C, in order."""
    flags = (*QUICK, "--from", "20", "--check", "fail_ratio < 1%")

    def steps(stream, count):
        return lambda: stream.exists() and stream.read_text().count('"swarmline.event.step"') >= count

    port = free_port()
    with child([bench.binary, "target", "--listen", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL,
               stderr=subprocess.DEVNULL) as server:
        wait_for_port(port, server, "the target")
        url = f"http://127.0.0.1:{port}/ok"
        with started(bench, *flags, url) as (process, stream, ended):
            wait_until(steps(stream, 2), 20, "two steps")
            process.send_signal(signal.SIGINT)
            stopped = ended()
        equal(stopped.answer["answer"], "interrupted", "the answer after Ctrl-C")
        expect(stopped.answer["passed"] >= 40, f"what had passed: {stopped.answer}")
        with started(bench, *flags, url) as (process, stream, ended):
            wait_until(steps(stream, 2), 20, "two steps")
            server.kill()
            dead = ended()
    expect(dead.code == 4 and dead.answer["answer"] == "not_stable", f"exit code {dead.code}, {dead.answer}")
    expect(dead.answer["failed"] > 30, f"the bounds: {dead.answer}")
    return f"exit codes {stopped.code} and {dead.code}; {dead.seconds:.1f} s"


def capacity_blames_itself_where_it_has_too_little_cpu(bench):
    """With a tenth of a core the generator is late before the server is: at least, or not known, and never a rate found."""
    burn = "import os\nos.sched_setaffinity(0, {%d})\nwhile True: pass"
    cpu = min(os.sched_getaffinity(0))
    with target(bench) as url, child([sys.executable, "-c", burn % cpu]):
        # Nice 10 has a tenth of the weight of nice 0.
        wrapper = ("taskset", "-c", str(cpu), "nice", "-n", "10")
        late = search(bench, *QUICK, "--from", "500", "--check", "p99 < 1s", f"{url}/ok", wrapper=wrapper)
    expect(late.code == 4 and late.answer["answer"] in ("at_least", "not_measured"), f"exit code {late.code}, {late.answer}")
    expect("generator" in late.answer["why"], f"it names the generator: {late.answer}")
    return f"{late.answer.get('rate', 0)}/s at least, in {late.seconds:.1f} s"


SCENARIOS = [
    capacity_finds_the_rate_that_nginx_lets_through,
    capacity_finds_what_the_workers_of_gunicorn_can_do,
    capacity_says_at_least_where_it_cannot_go_on,
    capacity_says_where_there_is_no_rate_to_be_found,
    capacity_ends_when_the_server_or_a_person_ends_it,
    capacity_blames_itself_where_it_has_too_little_cpu,
]
