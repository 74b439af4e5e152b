"""One run on many hosts: engines that exist start the shards, merge is the master, and the server's count is the judge."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

from engines import shell, slurm, two_hosts
from harness import Skip, clean_environment, equal, expect, wait_until
from scenarios_truth import at_percentile, new_histogram, summed_histograms
from servers import nginx
from stream import Line, Stream

SHARDS = 4


def flags(server):
    """What every shard is started with: 9 users, a ramp, both of nginx's endpoints, a common start in a while."""
    return (f"run -q -H {server.url} --run-id e2e -u 9 -r 20 -t 2s -s 5s --wait 5ms --interval 500ms "
            f"--start-at {time.time() + 4:.3f} --exit-code-on-error 0 /ok /fail")


def lines_of(data):
    """A merged stream, each line strictly read, numbers without a gap."""
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
    """GNU parallel's own word that it is there, and that nobody need cite it again."""
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
    # The Python package adds up what the shards wrote, and must come to what the master says.
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
    """Inside a plain sbatch script SLURM_PROCID=0 stands without a step: exit 2, srun is named, nothing is sent."""
    with slurm(bench.dir) as conf, nginx(bench.dir / "nginx") as server:
        script = bench.dir / "job.sh"
        script.write_text(f"#!/bin/bash\n{bench.binary} {flags(server)} --shard auto; echo code $?\n")
        ran = shell(f"sbatch --wait -n{SHARDS} --overcommit --output=job.txt job.sh", bench.dir, SLURM_CONF=conf)
        said = (bench.dir / "job.txt").read_text()
        expect("srun" in said and "code 2" in said, f"sbatch {ran.code}: {said}")
        equal(len(server.log()), 0, "requests that nginx counted")
        return said.splitlines()[0]


def a_host_that_is_cut_off_and_a_shard_that_is_killed_are_named(bench):
    """Two hosts behind parallel -S; one loses its link mid-run, a shard of the other is killed: merge names both, exit 4."""
    parallel_installed(bench.dir)
    tag = f"e2e-{os.getpid()}"
    with two_hosts(bench.dir) as (hosts, ours, ssh, link):
        command = f"{bench.binary} target --allow-remote --listen {ours}:18080".split()
        target = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment())
        try:
            run = (f"cd {bench.dir} && {bench.binary} run -q -H http://{ours}:18080 --run-id {tag} -u 8 -r 50 -t 8s -s 1s "
                   f"--wait 10ms --interval 500ms --start-align 2s --connect-timeout 1s --timeout 1s "
                   f"--exit-code-on-error 0 /ok --shard {{}}/{SHARDS}")
            places = ",".join(f"2/{host}" for host in hosts)
            script = (f"seq 0 {SHARDS - 1} | parallel --will-cite --ssh '{ssh}' -S {places} --line-buffer '{run}' | "
                      f"tee raw.ndjson | {bench.binary} merge -")
            trouble = threading.Thread(target=break_things, args=(bench, link, tag))
            trouble.start()
            ran = shell(script, bench.dir)
            trouble.join()
        finally:
            target.send_signal(signal.SIGTERM)
            target.wait(10)
    equal(ran.code, 4, f"exit code of merge, which said {ran.stderr[-600:]}")
    stream = lines_of(ran.stdout)
    cut = [line["detail"] for line in stream.lines if line.name == "swarmline.event.warning" and line["kind"] == "shard_cut_off"]
    expect(cut, f"no shard is said to be cut off: {ran.stderr[-600:]}")
    equal(stream.end["verdict"], "invalid", "verdict")
    return f"{'; '.join(cut)}; {stream.end['completed']} requests of the others and of those until then"


def break_things(bench, link, tag):
    """Once all shards have told of a tick: the second host's link goes down, and shard 0 is killed wherever it is."""
    raw = bench.dir / "raw.ndjson"
    told = lambda: raw.exists() and all(f'"worker-{k}"'.encode() in raw.read_bytes() for k in range(SHARDS))
    wait_until(told, 30, "all shards tell")
    subprocess.run(["ip", "link", "set", f"{link}1", "down"], check=True)
    # Namespaces of the network share the processes.
    found = subprocess.run(["pgrep", "-f", f"run-id {tag} .*--shard 0/"], capture_output=True, text=True)
    for process in found.stdout.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)


SCENARIOS = [
    parallel_starts_the_shards_into_one_live_pipe,
    parallel_starts_the_shards_into_files,
    mpirun_starts_the_shards,
    srun_starts_the_shards,
    a_batch_script_without_srun_is_refused,
    a_host_that_is_cut_off_and_a_shard_that_is_killed_are_named,
]
