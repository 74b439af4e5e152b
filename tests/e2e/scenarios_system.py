"""Does it work in its target environments? A silent name server, an empty chroot, the dashboards, the schema."""

import copy
import json
import shutil
import subprocess
import sys
from pathlib import Path

from harness import Skip, clean_environment, equal, expect, namespace_prefix
from scenarios_count import whole_stream
from servers import nginx
from stream import STOPPED, read_whole

HERE = Path(__file__).resolve().parent


def a_silent_name_server_does_not_hold_up_the_end(bench):
    """1,000 users wait for a name server that never responds: the end takes stop-timeout + 1 s, and no user is lost."""
    prefix = namespace_prefix("--net", "--mount")
    path = bench.stream_path()
    command = [*prefix, sys.executable, HERE / "silent_name_server.py", bench.binary, path, bench.dir]
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True,
                          env=clean_environment(), timeout=60)
    if done.returncode == 99:
        raise Skip(done.stderr.decode(errors="replace").strip())
    expect(done.returncode == 0, f"the name server's side failed: {done.stderr.decode(errors='replace')[-600:]}")
    said = json.loads(done.stdout)
    equal(said["code"], 4, f"exit code (no request completed), stderr {said['stderr'][-300:]!r}")
    stream = read_whole(path.read_bytes())
    bench.streams.append(path)
    end = stream.end
    expect(said["questions"] > 0, "the name server received no question")
    expect(said["seconds"] <= 1 + 1 + 0.5, f"took {said['seconds']:.2f} s after SIGTERM, stop-timeout being 1 s")
    equal((end["sent"], end["aborted"]), (1000, 1000), "sent, aborted")
    equal(stream.one(STOPPED)["reason"], "signal", "reason")
    return f"1000 aborted, ended {said['seconds']:.2f} s after SIGTERM, {said['questions']} questions asked"


def run_in_chroot(bench, root, url, binary="/swarmline"):
    """100 requests by a static binary inside `root`, counted by its checked stream."""
    path = root / "s.ndjson"
    wrapper = [*namespace_prefix("--mount"), "chroot", root]
    ran = bench.run(url, "-n", "100", "--telemetry", "/s.ndjson", wrapper=wrapper, binary=binary)
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    equal(stream.end["ok"], 100, f"ok from {url}")


def new_root(bench, name):
    """A directory that contains only the static binary."""
    if not bench.static_binary.exists():
        raise Skip(f"no static binary at {bench.static_binary}, see make static")
    root = bench.dir / name
    root.mkdir()
    shutil.copy(bench.static_binary, root / "swarmline")
    return root


def the_static_binary_runs_in_an_empty_chroot(bench):
    """Only the binary: an address works, and localhost without a hosts file."""
    root = new_root(bench, "empty")
    said = subprocess.run(["ldd", bench.static_binary], capture_output=True, text=True)
    words = said.stdout + said.stderr
    expect("statically linked" in words or "not a dynamic executable" in words, f"ldd says: {words.strip()}")
    with nginx(bench.dir / "nginx") as server:
        run_in_chroot(bench, root, f"{server.url}/ok")
        run_in_chroot(bench, root, f"http://localhost:{server.port}/ok")
        entries = server.log()
    equal(len(entries), 200, "requests that nginx saw")
    return f"{bench.static_binary.stat().st_size / 1e6:.1f} MB, 100 by address, 100 by localhost"


def the_static_binary_resolves_names_with_two_files(bench):
    """/etc/hosts and /etc/resolv.conf are all that name lookup needs."""
    root = new_root(bench, "names")
    (root / "etc").mkdir()
    (root / "etc/hosts").write_text("127.0.0.1 shop.example.test\n")
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    with nginx(bench.dir / "nginx") as server:
        run_in_chroot(bench, root, f"http://shop.example.test:{server.port}/ok")
        entries = server.log()
    equal(len(entries), 100, "requests that nginx saw")
    return "100 by a name of /etc/hosts"


def the_dashboards_find_what_they_need(bench):
    """The stream of the first scenario feeds every panel of the plugin's dashboards."""
    checker = bench.shared / "dashboard_check.py"
    if not checker.exists():
        raise Skip(f"no {checker.name} in {bench.shared} (SWARMLINE_SHARED)")
    stream = demo_stream(bench)
    done = subprocess.run([sys.executable, checker, "--master", stream, "--worker", stream], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL)
    words = done.stdout.strip().splitlines() or [done.stderr.strip()]
    bad = [line for line in words if "MISSING" in line or "NO LINES" in line or "NOT A NUMBER" in line]
    expect(done.returncode == 0 and words[-1] == "RESULT: OK", f"{words[-1]}: {bad[:5]}")
    return words[-1]


def demo_stream(bench):
    """The stream of the first scenario; if that did not run, one created for this purpose."""
    for path in bench.streams:
        if path.name == "demo.ndjson":
            return path
    path = bench.stream_path("demo.ndjson")
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run("-H", server.url, "-u", "4", "-r", "4", "-t", "3s", "--interval", "1s", "--testplan", "demo",
                        "--telemetry", path, "/ok", "/fail", "/missing")
    ran.must_exit(1)
    whole_stream(bench, path, ran)
    return path


def every_line_of_every_stream_matches_the_schema(bench):
    """`swarmline schema` describes all streams of these scenarios, and rejects broken lines."""
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        raise Skip("the Python package jsonschema is not installed") from None
    example = demo_stream(bench)
    done = subprocess.run([bench.binary, "schema"], capture_output=True, stdin=subprocess.DEVNULL,
                          env=clean_environment())
    equal((done.returncode, done.stderr), (0, b""), "exit code and stderr of swarmline schema")
    schema = json.loads(done.stdout)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    count = 0
    for path in bench.streams:
        for number, raw in enumerate(path.read_bytes().splitlines(), 1):
            problem = next(validator.iter_errors(json.loads(raw)), None)
            expect(problem is None, f"{path.parent.name}, line {number}: {problem and problem.message[:300]}")
            count += 1
    spoiled = 0
    for raw in example.read_bytes().splitlines():
        line = json.loads(raw)
        for where, key, value in (("telemetry", "seq", "1"), ("telemetry", "run_id", None),
                                  ("telemetry", "telemetry_name", "x"), (None, "time", 1), (None, "extra", 1)):
            bad = copy.deepcopy(line)
            (bad[where] if where else bad)[key] = value
            expect(not validator.is_valid(bad), f"the schema accepts {key} = {value!r} in {line['message']}")
            spoiled += 1
    return f"{count} lines of {len(bench.streams)} streams valid, {spoiled} spoiled ones refused"


SCENARIOS = [
    a_silent_name_server_does_not_hold_up_the_end,
    the_static_binary_runs_in_an_empty_chroot,
    the_static_binary_resolves_names_with_two_files,
    the_dashboards_find_what_they_need,
    every_line_of_every_stream_matches_the_schema,
]
