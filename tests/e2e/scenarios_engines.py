"""A run on many hosts: real engines start the shards, merge is the master, and the result is compared with the server's count."""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

from engines import shell, slurm, two_hosts
from harness import Skip, equal, expect, wait_until
from scenarios_truth import INTERVAL, at_percentile, new_histogram, summed_histograms
from servers import nginx
from stream import RUN_END, Line, Stream, seconds

SHARDS = 4


def flags(server):
    """Flags of every shard: 9 users, a ramp, both endpoints of nginx, a common start in a few seconds."""
    return (f"run -q -H {server.url} --run-id e2e -u 9 -r 20 -t 2s -s 5s --wait 5ms --interval 500ms "
            f"--start-at {time.time() + 4:.3f} --exit-code-on-error 0 /ok /fail")


def lines_of(data):
    """Reads a merged stream: each line strictly, numbers without a gap."""
    lines = [Line(number, raw) for number, raw in enumerate(data.strip().split(b"\n"), 1)]
    equal([line["seq"] for line in lines], list(range(1, len(lines) + 1)), "seq of the merged stream")
    return Stream(lines)


def own(stream):
    """The master's own lines."""
    return Stream([line for line in stream.lines if line["source_id"] == "master"])


def judged(server, ran, code=1):
    """Fails unless merge ended with `code` and counted what nginx did; the merged stream and the counts, for reading."""
    expect(ran.code == code, f"merge ended with {ran.code}, not {code}: {ran.stderr[-800:]}")
    stream = lines_of(ran.stdout)
    sent, aborted = stream.end["sent"], stream.end["aborted"]
    counted = len(server.log())
    equal(counted, sent - aborted, "nginx's count and the merged count of sent less aborted")
    return stream, f"{sent} sent by {SHARDS} shards, {aborted} aborted, nginx counted {counted}"


def parallel_installed(directory):
    """Skips without GNU parallel, and turns off its request for a citation."""
    with contextlib.suppress(FileNotFoundError):
        if b"GNU parallel" in subprocess.run(["parallel", "--version"], capture_output=True).stdout:
            return
    raise Skip("GNU parallel is not installed")


def parallel_starts_the_shards_into_one_live_pipe(bench):
    """GNU parallel, 4 shards, one pipe by --line-buffer: the merged count is nginx's, percentiles are the union's."""
    parallel_installed(bench.dir)
    with nginx(bench.dir / "nginx") as server:
        run = f"{bench.binary} {flags(server)} --shard {{}}/{SHARDS}"
        ran = shell(f"seq 0 {SHARDS - 1} | parallel --will-cite -j{SHARDS} --line-buffer '{run}' | tee raw.ndjson | "
                    f"{bench.binary} merge -", bench.dir)
        stream, text = judged(server, ran)
    # The Python package adds up the histograms of the shards, which must give the percentiles of the merged stream.
    whole = new_histogram()
    shards = Stream([Line(n, raw) for n, raw in enumerate((bench.dir / "raw.ndjson").read_bytes().splitlines(), 1)])
    for histogram in summed_histograms(shards, "response").values():
        whole.add(histogram)
    equal(whole.get_total_count(), stream.final["num_requests"], "requests in all histograms of all shards")
    for percentile in (50, 95, 99):
        value = at_percentile(whole, percentile) / 1000
        value = min(max(value, stream.final["min_response_time"]), stream.final["max_response_time"])
        equal(stream.final[f"percentile_{percentile}"], value, f"percentile {percentile} of the union")
    return text


def parallel_starts_the_shards_into_files(bench):
    """GNU parallel, 4 shards, a file each; the plugin's dashboards show the merged stream and the workers."""
    parallel_installed(bench.dir)
    with nginx(bench.dir / "nginx") as server:
        run = f"{bench.binary} {flags(server)} --shard {{}}/{SHARDS} --telemetry run-%s.ndjson"
        ran = shell(f"seq 0 {SHARDS - 1} | parallel --will-cite -j{SHARDS} '{run}' && "
                    f"{bench.binary} merge run-*.ndjson", bench.dir)
        stream, text = judged(server, ran)
    checker = bench.shared / "dashboard_check.py"
    if not checker.exists():
        return f"{text}; dashboards not looked at, no {checker.name}"
    (bench.dir / "master.ndjson").write_bytes(ran.stdout)
    command = [sys.executable, checker, "--master", bench.dir / "master.ndjson"]
    for shard in range(SHARDS):
        command += ["--worker", bench.dir / f"run-{shard}.ndjson"]
    checked = subprocess.run(command, capture_output=True, text=True)
    expect(checked.returncode == 0, checked.stdout[-1500:] + checked.stderr[-500:])
    return f"{text}; all panels of both dashboards fed"


def mpirun_starts_the_shards(bench):
    """mpirun with 4 ranks, --shard auto, a file each; without --run-id, as Open MPI names the job."""
    with nginx(bench.dir / "nginx") as server:
        command = flags(server).replace("--run-id e2e ", "")
        allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        if shell("command -v mpirun", bench.dir).code != 0:
            raise Skip("mpirun is not installed")
        ran = shell(f"mpirun --oversubscribe -n {SHARDS} {bench.binary} {command} --shard auto "
                    f"--telemetry run-%s.ndjson && {bench.binary} merge run-*.ndjson", bench.dir, **allowed)
        return judged(server, ran)[1]


def srun_starts_the_shards(bench):
    """Slurm, one node, 4 tasks: srun -l into one live pipe, whose 1024-byte pieces are joined; then a file a task."""
    with slurm(bench.dir) as conf:
        with nginx(bench.dir / "nginx") as server:
            run = f"{bench.binary} {flags(server)} --shard auto".replace("--run-id e2e ", "")
            ran = shell(f"srun -l -n{SHARDS} --overcommit {run} | tee raw.txt | {bench.binary} merge -", bench.dir,
                        SLURM_CONF=conf)
            text = judged(server, ran)[1]
        longest = max(len(line) for line in (bench.dir / "raw.txt").read_bytes().splitlines())
        with nginx(bench.dir / "nginx-files") as server:
            run = f"{bench.binary} {flags(server)} --shard auto"
            ran = shell(f"srun -n{SHARDS} --overcommit --output=run-%t.ndjson {run} && {bench.binary} merge run-*.ndjson",
                        bench.dir, SLURM_CONF=conf)
            return f"srun -l: {text}, pieces of at most {longest} bytes; files: {judged(server, ran)[1]}"


def a_batch_script_without_srun_is_refused(bench):
    """Inside a plain sbatch script SLURM_PROCID=0 is set without a step: exit 2, srun is named, nothing is sent."""
    with slurm(bench.dir) as conf, nginx(bench.dir / "nginx") as server:
        script = bench.dir / "job.sh"
        script.write_text(f"#!/bin/bash\n{bench.binary} {flags(server)} --shard auto; echo code $?\n")
        ran = shell(f"sbatch --wait -n{SHARDS} --overcommit --output=job.txt job.sh", bench.dir, SLURM_CONF=conf)
        said = (bench.dir / "job.txt").read_text()
        expect("srun" in said and "code 2" in said, f"sbatch {ran.code}: {said}")
        equal(len(server.log()), 0, "requests that nginx counted")
        return said.splitlines()[0]


USERS = 8
WAIT = 0.010
"""Users over all shards of the scenario below, and their think time in seconds."""

ASKED = {"wait": f"{WAIT * 1000:g}ms", "user_classes": [{"name": "user", "tasks": [{"name": "ok", "requests": [
    {"get": "/ok?user=${user}", "name": "/ok"}]}]}]}
"""Each request names its user, and user k is of shard k mod SHARDS: so nginx's log can be counted by shard."""


def a_host_that_is_cut_off_and_a_shard_that_is_killed_are_named(bench):
    """Two hosts behind parallel -S; one loses its link mid-run, a shard of the other is killed: merge names them, exit 4.
    Of whole shards nginx counted what the stream says, of the others no less, and no more than fits after their last tick."""
    parallel_installed(bench.dir)
    tag = f"e2e-{os.getpid()}"
    (bench.dir / "asked.json").write_text(json.dumps(ASKED))
    with two_hosts(bench.dir) as (hosts, ours, ssh, link), nginx(bench.dir / "nginx", also=ours) as server:
        run = (f"cd {bench.dir} && {bench.binary} run -q -f asked.json -H http://{ours}:{server.port} --run-id {tag} "
               f"-u {USERS} -r 50 -t 8s -s 1s --interval 500ms --start-align 2s --connect-timeout 1s --timeout 1s "
               f"--exit-code-on-error 0 --shard {{}}/{SHARDS}")
        places = ",".join(f"{SHARDS // 2}/{host}" for host in hosts)
        script = (f"seq 0 {SHARDS - 1} | parallel --will-cite --ssh '{ssh}' -S {places} --line-buffer '{run}' | "
                  f"tee raw.ndjson | {bench.binary} merge -")
        broken = {}
        trouble = threading.Thread(target=break_things, args=(bench, link, tag, broken))
        trouble.start()
        ran = shell(script, bench.dir)
        trouble.join()
        entries = server.log()
    equal(ran.code, 4, f"exit code of merge, which said {ran.stderr[-600:]}")
    equal(len(broken), SHARDS - 1, f"shards that were broken, {sorted(broken)}")
    stream = lines_of(ran.stdout)
    cut = [line["detail"] for line in stream.lines if line.name == "swarmline.event.warning" and line["kind"] == "shard_cut_off"]
    equal([named_shards(detail) for detail in cut], [sorted(broken)], f"the shards that are named as cut off in {cut}")
    equal(stream.end["verdict"], "invalid", "verdict")
    return compare_by_shard(stream, told_by_shard(bench), Counter(shard_of(entry) for entry in entries), broken)


def named_shards(detail):
    """The numbers at the end of a warning: `shard 0, 2–4`."""
    runs = [[int(end) for end in run.split("–")] for run in detail.rpartition("shard ")[2].split(", ")]
    return [shard for run in runs for shard in range(run[0], run[-1] + 1)]


def shard_of(entry):
    """Which shard a request of nginx's log came from."""
    return int(entry.uri.rpartition("=")[2]) % SHARDS


def told_by_shard(bench):
    """The content of each shard's stream: (completed, end of the last interval, totals of the last line or None). The last
    line is incomplete where the shard was cut off."""
    told = {shard: (0, 0.0, None) for shard in range(SHARDS)}
    torn = 0
    for raw in (bench.dir / "raw.ndjson").read_bytes().splitlines():
        try:
            line = json.loads(raw)["telemetry"]
        except ValueError:
            torn += 1
            continue
        shard = int(line["source_id"].removeprefix("worker-"))
        completed, last, end = told[shard]
        if line["telemetry_name"] == INTERVAL:
            told[shard] = (completed + line["ok"] + line["failed"], seconds(line["interval_end"]), end)
        elif line["telemetry_name"] == RUN_END:
            told[shard] = (completed, last, line)
    expect(torn < SHARDS, f"{torn} lines that are no JSON")
    return told


def compare_by_shard(stream, told, counted, broken):
    """Compares nginx's count with each shard's and the total with the merged one; returns the figures."""
    texts, beyond = [], 0
    for shard, (completed, last, end) in told.items():
        unseen = counted[shard] - completed
        beyond += unseen
        if shard not in broken:
            expect(end is not None, f"shard {shard} was left alone and has no end")
            equal(counted[shard], end["sent"] - end["aborted"], f"nginx's count of shard {shard} and its sent less aborted")
            equal(unseen, 0, f"nginx's count of shard {shard} beyond its intervals")
            texts.append(f"shard {shard} whole: {completed} told, {counted[shard]} counted")
            continue
        equal(end, None, f"the end of shard {shard}, which was broken")
        # A user waits after each response; besides, one request was in flight and the outcome of one not yet processed.
        room = USERS // SHARDS * (math.ceil((broken[shard] - last) / WAIT) + 2)
        expect(0 <= unseen <= room, f"shard {shard}: nginx counted {counted[shard]}, {completed} were told until "
                                    f"{broken[shard] - last:.3f} s before it was broken, in which {room} have room")
        texts.append(f"shard {shard} broken {broken[shard] - last:.3f} s after its last tick: {completed} told, "
                     f"{counted[shard]} counted, {unseen} of at most {room} untold")
    merged = stream.end["sent"] - stream.end["aborted"]
    equal(merged, sum(completed for completed, _, _ in told.values()), "the merged sent less aborted and what was told")
    equal(counted.total(), merged + beyond, "nginx's count, and the merged one with what was untold")
    return f"{'; '.join(texts)}; nginx {counted.total()} = merged {merged} + {beyond} untold"


def break_things(bench, link, tag, broken):
    """Once all shards have reported requests, takes down the link of the second host and kills a shard of the first one.
    Adds the shards concerned and the time to `broken`."""
    raw = bench.dir / "raw.ndjson"
    is_told = lambda shard, data: any(f'"worker-{shard}"'.encode() in line and INTERVAL.encode() in line for line in data)
    told = lambda: raw.exists() and (data := raw.read_bytes().splitlines()) and all(is_told(k, data) for k in range(SHARDS))
    wait_until(told, 30, "all shards tell")
    first, second = (shards_of_host(bench, tag, host) for host in "ab")
    subprocess.run(["ip", "link", "set", f"{link}1", "down"], check=True)
    broken.update((shard, time.time()) for shard in second)
    shard, process = min(first.items())
    os.kill(process, signal.SIGKILL)
    broken[shard] = time.time()


def shards_of_host(bench, tag, host):
    """The shards that run in a host's network namespace, and their processes."""
    found = {}
    for process in subprocess.run(["pgrep", "-f", f"run-id {tag} "], capture_output=True, text=True).stdout.split():
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{process}/exe") != str(bench.binary):
                continue
            where = subprocess.run(["ip", "netns", "identify", process], capture_output=True, text=True).stdout.strip()
            words = open(f"/proc/{process}/cmdline").read().split("\0")
            if where.endswith(host):
                found[int(words[words.index("--shard") + 1].partition("/")[0])] = int(process)
    return found


SCENARIOS = [
    parallel_starts_the_shards_into_one_live_pipe,
    parallel_starts_the_shards_into_files,
    mpirun_starts_the_shards,
    srun_starts_the_shards,
    a_batch_script_without_srun_is_refused,
    a_host_that_is_cut_off_and_a_shard_that_is_killed_are_named,
]
