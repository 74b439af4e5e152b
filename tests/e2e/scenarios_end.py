"""Is the stream complete when a run ends early? Signals, full disks, closed and unread pipes, SIGKILL."""

import contextlib
import fcntl
import os
import signal
import subprocess
import time
import zlib

from harness import Failed, child, clean_environment, equal, expect, namespace_prefix, wait_until
from scenarios_count import counts_agree, whole_stream
from servers import hanging_server, nginx
from stream import STOPPED, read, read_whole, seconds

F_SETPIPE_SZ = 1031
"""Linux's fcntl command; Python defines it since 3.10."""


def ticks_in(data):
    """Number of ticks that have started in these bytes of a stream."""
    return data.count(b'"stats_type":"current"')


def wait_for_ticks(process, path, count):
    """Waits until the stream in `path`, compressed or not, contains this many ticks, while `process` writes it."""

    def enough():
        still_running(process)
        return ticks_in(so_far(path)) >= count

    wait_until(enough, 20, f"{count} ticks in {path.name}")


def still_running(process):
    """Fails with the content of stderr if a swarmline that should be running has ended."""
    if process.poll() is not None:
        said = process.stderr.read().decode(errors="replace")
        raise Failed(f"it ended too early, with {process.returncode}; stderr: {said[-600:] or 'empty'}")


def so_far(path):
    """The current content of the stream's file, decompressed."""
    data = path.read_bytes() if path.exists() else b""
    return zlib.decompressobj(31).decompress(data) if path.suffix == ".gz" else data


def whole_lines(data):
    """Without the last line if it is incomplete."""
    return data[:data.rfind(b"\n") + 1]


def ended_by_a_signal(bench, number):
    """A run without end against nginx, ended by one signal after its second tick."""
    path = bench.stream_path()
    with nginx(bench.dir / "nginx") as server:
        with bench.start(f"{server.url}/ok", "-u", "5", "-r", "1000", "--interval", "300ms", "--telemetry",
                         path) as process:
            wait_for_ticks(process, path, 2)
            sent_at = time.monotonic()
            process.send_signal(number)
            ran = bench.finish(process, sent_at, 10)
        entries = server.log()
    ran.must_exit(0)
    stream = whole_stream(bench, path, ran)
    counts_agree(stream, entries)
    equal((stream.one(STOPPED)["reason"], stream.end["verdict"]), ("signal", "pass"), "reason and verdict")
    expect(ran.seconds < 3, f"took {ran.seconds:.1f} s to end")
    return f"nginx {len(entries)}, completed {stream.end['completed']}, ended after {ran.seconds:.2f} s"


def sigint_ends_a_run_with_all_its_lines(bench):
    """Ctrl-C: every line is there, exit code of a pass."""
    return ended_by_a_signal(bench, signal.SIGINT)


def sigterm_ends_a_run_with_all_its_lines(bench):
    """The signal of engines: every line is there, exit code of a pass."""
    return ended_by_a_signal(bench, signal.SIGTERM)


def sighup_ends_a_run_with_all_its_lines(bench):
    """A closed terminal: every line is there, exit code of a pass."""
    return ended_by_a_signal(bench, signal.SIGHUP)


def ended_by_gnu_timeout(bench, name):
    """One run that GNU timeout ends after 0.7 s, with two SIGTERMs within milliseconds: its stream."""
    directory = bench.dir / name
    directory.mkdir()
    path = directory / "s.ndjson"
    page, junit = directory / "r.html", directory / "j.xml"
    with nginx(directory / "nginx") as server:
        ran = bench.run(f"{server.url}/ok", "-u", "5", "-r", "1000", "--wait", "20ms", "-s", "2s", "--html", page, "--junit", junit,
                        "--telemetry", path, wrapper=["timeout", "0.7"], limit=10)
        entries = server.log()
    # The code with which timeout says that it ended the command.
    ran.must_exit(124)
    stream = read_whole(path.read_bytes())
    bench.streams.append(path)
    equal(stream.end["exit_code"], 0, "exit code in run.end")
    counts_agree(stream, entries)
    expect(page.stat().st_size > 10_000 and "</testsuites>" in junit.read_text(), "a report is not whole")
    return stream


def gnu_timeout_ends_a_run_with_all_its_lines(bench):
    """`timeout 0.7 swarmline run ...` sends SIGTERM twice: all lines and reports are there, each of three times."""
    sent = [ended_by_gnu_timeout(bench, f"timeout-{number}").end["sent"] for number in range(3)]
    return f"3 of 3 whole, {sum(sent)} requests"


def a_second_signal_ends_at_once(bench):
    """While the first signal waits for a hanging server with a long stop-timeout, a second one exits with 130."""
    path = bench.stream_path()
    with hanging_server() as (port, someone_came):
        with bench.start(f"http://127.0.0.1:{port}/", "-s", "50s", "--timeout", "55s", "--telemetry", path) as process:
            someone_came()
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)
            expect(process.poll() is None, f"the first signal ended it with {process.returncode}, a request in flight")
            again_at = time.monotonic()
            process.send_signal(signal.SIGINT)
            ran = bench.finish(process, again_at, 10)
    ran.must_exit(130)
    expect(ran.seconds < 2, f"took {ran.seconds:.1f} s to end")
    return f"ended {ran.seconds:.2f} s after the second signal"


def a_hanging_server_does_not_hold_up_the_end(bench):
    """With stop-timeout 0 and a server that never responds: 50 requests are aborted, none is a failure."""
    path = bench.stream_path()
    with hanging_server() as (port, someone_came):
        with bench.start(f"http://127.0.0.1:{port}/", "-u", "50", "-r", "1000", "--interval", "500ms", "--telemetry",
                         path) as process:
            someone_came()
            wait_for_ticks(process, path, 2)
            sent_at = time.monotonic()
            process.send_signal(signal.SIGTERM)
            ran = bench.finish(process, sent_at, 10)
    ran.must_exit(4)
    stream = whole_stream(bench, path, ran)
    equal((stream.end["sent"], stream.end["aborted"], stream.end["completed"]), (50, 50, 0), "sent, aborted, completed")
    expect(ran.seconds < 2, f"took {ran.seconds:.1f} s to end")
    return f"50 aborted, ended after {ran.seconds:.2f} s"


def nohup_keeps_a_run_alive(bench):
    """A SIGHUP that was ignored at the start stays ignored; SIGTERM still ends the run cleanly."""
    path = bench.stream_path()
    with nginx(bench.dir / "nginx") as server:
        with bench.start(f"{server.url}/ok", "--interval", "300ms", "--telemetry", path, wrapper=["nohup"]) as process:
            wait_for_ticks(process, path, 2)
            process.send_signal(signal.SIGHUP)
            wait_for_ticks(process, path, ticks_in(so_far(path)) + 2)
            sent_at = time.monotonic()
            process.send_signal(signal.SIGTERM)
            ran = bench.finish(process, sent_at, 10)
    ran.must_exit(0)
    whole_stream(bench, path, ran)
    return f"2 more ticks after SIGHUP, ended {ran.seconds:.2f} s after SIGTERM"


def a_full_disk_ends_the_run_with_one_sentence(bench):
    """Telemetry to /dev/full: the load stops, exit 4, one line that names the path."""
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run(f"{server.url}/ok", "-u", "5", "-t", "30s", "--quiet", "--telemetry", "/dev/full")
    ran.must_exit(4)
    ran.one_line_naming("/dev/full")
    expect(ran.seconds < 15, f"load went on for {ran.seconds:.1f} s")
    return f"{ran.stderr.strip()} ({ran.seconds:.2f} s)"


def a_disk_that_fills_up_keeps_what_was_written(bench):
    """A file system of 16 KiB: the load stops, exit 4, one line that names the path; what was written can be read."""
    unshare = namespace_prefix("--mount")
    small, kept = bench.dir / "small", bench.dir / "kept.ndjson"
    small.mkdir()
    path = small / "s.ndjson"
    script = 'mount -t tmpfs -o size=16k e2e "$1" || exit 99; small=$2; kept=$3; shift 3; "$@"; code=$?; ' \
             'cp "$small" "$kept"; exit $code'
    wrapper = [*unshare, "sh", "-c", script, "sh", small, path, kept]
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run(f"{server.url}/ok", "-u", "5", "-t", "30s", "--interval", "200ms", "--quiet", "--telemetry",
                        path, wrapper=wrapper)
    ran.must_exit(4)
    ran.one_line_naming(path)
    expect(ran.seconds < 15, f"load went on for {ran.seconds:.1f} s")
    data = kept.read_bytes()
    stream = read(whole_lines(data))
    return f"{len(stream.lines)} whole lines in {len(data)} bytes, ended after {ran.seconds:.2f} s"


def a_closed_pipe_is_a_quiet_end(bench):
    """`swarmline run --telemetry - | head -n 3`: the load stops, exit 0, nothing on stderr."""
    with nginx(bench.dir / "nginx") as server:
        began = time.monotonic()
        with bench.start(f"{server.url}/ok", "-u", "5", "-t", "30s", "--interval", "500ms", "--telemetry", "-",
                         stdout=subprocess.PIPE) as process:
            head = subprocess.run(["head", "-n", "3"], stdin=process.stdout, capture_output=True)
            process.stdout.close()
            process.stdout = None
            ran = bench.finish(process, began)
    ran.must_exit(0)
    equal(ran.stderr, "", "stderr")
    expect(ran.seconds < 15, f"load went on for {ran.seconds:.1f} s")
    equal(len(read(head.stdout).lines), 3, "lines that head printed")
    return f"3 lines, ended after {ran.seconds:.2f} s"


def a_reader_that_never_reads_does_not_slow_the_load(bench):
    """A full pipe: requests continue to the end of the run time; then, after stop-timeout + 5 s, exit 4 with one line."""
    reading, writing = os.pipe()
    try:
        fcntl.fcntl(writing, F_SETPIPE_SZ, 4096)
        with nginx(bench.dir / "nginx") as server:
            ran = bench.run(f"{server.url}/ok", "-u", "5", "-r", "1000", "-t", "3s", "--interval", "200ms", "--quiet",
                            "--telemetry", "-", stdout=writing)
            entries = server.log()
    finally:
        os.close(reading)
        os.close(writing)
    ran.must_exit(4)
    expect(entries, "nginx saw no request")
    lasted = entries[-1].at - entries[0].at
    expect(len(ran.stderr.splitlines()) == 1, f"stderr is not one line: {ran.stderr!r}")
    expect(ran.seconds < 3 + 5 + 2, f"took {ran.seconds:.1f} s in all")
    expect(lasted > 2.5, f"requests went on for {lasted:.1f} s of 3 s")
    return f"{len(entries)} requests over {lasted:.1f} s, ended after {ran.seconds:.1f} s: {ran.stderr.strip()}"


def a_compressed_stream_is_the_same_stream(bench):
    """`.gz`: one gzip file that ends properly, with every line in it."""
    path = bench.stream_path("s.ndjson.gz")
    with nginx(bench.dir / "nginx") as server:
        ran = bench.run(f"{server.url}/ok", "-u", "5", "-r", "1000", "-t", "2s", "--interval", "500ms",
                        "--telemetry", path)
        entries = server.log()
    ran.must_exit(0)
    reader = zlib.decompressobj(31)
    data = reader.decompress(path.read_bytes())
    expect(reader.eof and not reader.unused_data, "the gzip file has no proper end")
    stream = read_whole(data)
    counts_agree(stream, entries)
    plain = bench.stream_path()
    plain.write_bytes(data)
    bench.streams.append(plain)
    return f"{len(stream.lines)} lines, {len(data)} bytes in {path.stat().st_size}"


def after_sigkill_only_the_tick_in_progress_is_lost(bench):
    """A compressed stream, flushed at each tick: after SIGKILL it can be read up to the last tick."""
    path = bench.stream_path("s.ndjson.gz")
    with nginx(bench.dir / "nginx") as server:
        with bench.start(f"{server.url}/ok", "-u", "5", "--interval", "500ms", "--telemetry", path) as process:
            wait_for_ticks(process, path, 4)
            killed_at = time.time()
            process.kill()
            process.wait()
    data = whole_lines(so_far(path))
    stream = read(data)
    plain = bench.stream_path()
    plain.write_bytes(data)
    bench.streams.append(plain)
    elapsed = killed_at - seconds(stream.lines[0].envelope["time"])
    expect(stream.last_tick >= int(elapsed / 0.5) - 1, f"killed after {elapsed:.2f} s, last tick {stream.last_tick}")
    return f"killed after {elapsed:.2f} s, {len(stream.lines)} lines up to tick {stream.last_tick}"


def the_demo_leaves_a_stream_that_can_be_trusted(bench):
    """`swarmline demo`: loads its own target, exits like a run with failures or a pass, and prints where its files are."""
    with child([bench.binary, "demo"], cwd=bench.dir, env=clean_environment(), stdin=subprocess.DEVNULL,
               stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        text = process.communicate(timeout=40)[0].decode(errors="replace")
    expect(process.returncode in (0, 1), f"exit code {process.returncode}: {text[-600:]}")
    streams = sorted(bench.dir.glob("*.ndjson"))
    equal(len(streams), 1, "streams that the demo left in its directory")
    expect(streams[0].name in text, f"the demo does not say where {streams[0].name} is")
    stream = read_whole(streams[0].read_bytes())
    bench.streams.append(streams[0])
    return f"{len(stream.lines)} lines, {stream.final['num_requests']} requests, exit {process.returncode}"


SCENARIOS = [
    sigint_ends_a_run_with_all_its_lines,
    sigterm_ends_a_run_with_all_its_lines,
    sighup_ends_a_run_with_all_its_lines,
    gnu_timeout_ends_a_run_with_all_its_lines,
    a_second_signal_ends_at_once,
    a_hanging_server_does_not_hold_up_the_end,
    nohup_keeps_a_run_alive,
    a_full_disk_ends_the_run_with_one_sentence,
    a_disk_that_fills_up_keeps_what_was_written,
    a_closed_pipe_is_a_quiet_end,
    a_reader_that_never_reads_does_not_slow_the_load,
    a_compressed_stream_is_the_same_stream,
    after_sigkill_only_the_tick_in_progress_is_lost,
    the_demo_leaves_a_stream_that_can_be_trusted,
]
