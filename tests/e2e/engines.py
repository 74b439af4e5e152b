"""Engines that start the shards of a run; everything that they write is in the scenario's own directory."""

import contextlib
import os
import socket
import subprocess

from harness import RUN_LIMIT, Failed, Skip, child, clean_environment, free_port, wait_until

SLURM = """\
ClusterName=e2e
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={d_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={dir}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/linear
MpiDefault=none
ReturnToService=2
StateSaveLocation={dir}/state
SlurmdSpoolDir={dir}/spool
SlurmctldPidFile={dir}/ctld.pid
SlurmdPidFile={dir}/d.pid
SlurmctldLogFile={dir}/ctld.log
SlurmdLogFile={dir}/d.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
"""


class Shell:
    """How a pipeline ended: the exit code of its last command, and its output."""

    def __init__(self, code, stdout, stderr):
        self.code = code
        self.stdout = stdout
        self.stderr = stderr


def shell(script, directory, **environment):
    """Runs a bash pipeline in `directory`, with a time limit."""
    command = ["bash", "-c", script]
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": directory}
    with child(command, env={**clean_environment(), **environment}, start_new_session=True, **options) as process:
        try:
            stdout, stderr = process.communicate(timeout=RUN_LIMIT)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            raise Failed(f"{script} did not end within {RUN_LIMIT:g} s") from None
    return Shell(process.returncode, stdout, stderr.decode(errors="replace"))


@contextlib.contextmanager
def slurm(directory):
    """A Slurm with one node on this host; yields the value of SLURM_CONF."""
    if os.geteuid() != 0:
        raise Skip("Slurm's daemons need root")
    host = socket.gethostname().split(".")[0]
    for name in ("state", "spool"):
        (directory / name).mkdir()
    key = directory / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    conf = directory / "slurm.conf"
    conf.write_text(SLURM.format(host=host, dir=directory, ctld_port=free_port(), d_port=free_port()))
    # 22.05 has no way to leave cgroups out; without systemd this must be configured.
    (directory / "cgroup.conf").write_text("CgroupPlugin=autodetect\nIgnoreSystemd=yes\n")
    munge = ["munged", "-F", "--force", f"--socket={directory}/munge.socket", f"--key-file={key}"]
    munge += [f"--{name}={directory}/munged.{name}" for name in ("pid-file", "log-file", "seed-file")]
    environment = {**clean_environment(), "SLURM_CONF": str(conf)}
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    with child(munge, **options):
        wait_until((directory / "munge.socket").exists, 10, "munged listens")
        with child(["slurmctld", "-D", "-f", conf], **options), child(["slurmd", "-D", "-f", conf], **options) as node:

            def is_idle():
                if node.poll() is not None:
                    log = (directory / "d.log").read_text(errors="replace").strip().splitlines()
                    raise Skip(f"slurmd does not run here: {log[-1] if log else 'no log'}")
                state = subprocess.run(["sinfo", "-hN", "-o", "%T"], env=environment, capture_output=True, text=True)
                if state.stdout.strip().startswith(("unk", "down")):
                    subprocess.run(["scontrol", "update", f"nodename={host}", "state=resume"], env=environment,
                                   capture_output=True)
                return state.stdout.strip() == "idle"

            wait_until(is_idle, 30, "the node of Slurm is idle")
            yield str(conf)


@contextlib.contextmanager
def hosts_with_sshd(directory, count):
    """Hosts as network namespaces behind a bridge of veth, each with sshd: their addresses, ours, an ssh command, and the
    beginning of the names of their links."""
    if os.geteuid() != 0:
        raise Skip("network namespaces and sshd need root")
    tag = str(os.getpid() % 100000)
    ours = f"10.{200 + os.getpid() % 50}.7"
    run = lambda *words: subprocess.run([str(word) for word in words], check=True, capture_output=True)
    bridge, names = f"sb{tag}", [f"se{tag}{letter}" for letter in "abcdefgh"[:count]]
    with contextlib.ExitStack() as stack:
        undo = lambda *words: stack.callback(subprocess.run, [str(word) for word in words], capture_output=True)
        try:
            run("ip", "link", "add", bridge, "type", "bridge")
            undo("ip", "link", "del", bridge)
            run("ip", "addr", "add", f"{ours}.1/24", "dev", bridge)
            run("ip", "link", "set", bridge, "up")
            for number, name in enumerate(names):
                run("ip", "netns", "add", name)
                undo("ip", "netns", "del", name)
                run("ip", "link", "add", f"sv{tag}{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
                run("ip", "link", "set", f"sv{tag}{number}", "master", bridge, "up")
                run("ip", "-n", name, "addr", "add", f"{ours}.{number + 2}/24", "dev", "eth0")
                run("ip", "-n", name, "link", "set", "eth0", "up")
                run("ip", "-n", name, "link", "set", "lo", "up")
        except (subprocess.CalledProcessError, FileNotFoundError) as why:
            raise Skip(f"no network namespaces here: {why}") from None
        yield from _with_sshd(stack, directory, names, ours, f"sv{tag}")


def two_hosts(directory):
    """Two of them."""
    return hosts_with_sshd(directory, 2)


def _with_sshd(stack, directory, names, ours, link):
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / key], check=True)
    os.makedirs("/run/sshd", exist_ok=True)
    (directory / "authorized").write_text((directory / "user.pub").read_text())
    (directory / "authorized").chmod(0o600)
    config = directory / "sshd_config"
    config.write_text(f"HostKey {directory}/host\nAuthorizedKeysFile {directory}/authorized\nStrictModes no\n"
                      "PermitRootLogin yes\nSubsystem sftp internal-sftp\nUsePAM no\nPidFile none\nMaxStartups 100\n")
    for name in names:
        command = ["ip", "netns", "exec", name, "/usr/sbin/sshd", "-D", "-e", "-f", config]
        stack.enter_context(child(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    hosts = [f"{ours}.{number + 2}" for number in range(len(names))]
    options = f"-i {directory}/user -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
    options += " -o ServerAliveInterval=1 -o ServerAliveCountMax=2"
    ssh = f"ssh {options}"
    for host in hosts:
        ready = lambda: subprocess.run([*ssh.split(), host, "true"], capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
        wait_until(ready, 10, f"sshd on {host}")
    yield hosts, f"{ours}.1", ssh, link
