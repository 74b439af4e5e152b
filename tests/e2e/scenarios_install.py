"""What people install: manual pages as mandoc reads them, completions as three shells use them, and the archive."""

import hashlib
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from harness import Skip, clean_environment, equal, expect
from scenarios_system import run_in_chroot
from servers import nginx

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
MACHINE = f"{os.uname().machine}-unknown-linux-gnu"
ASKED = {"swarmline mer": ["merge"], "swarmline run --spawn": ["--spawn-rate"], "swarmline run --arrival ": ["constant", "poisson"]}
"""Beginnings of command lines, and what a shell must offer for them."""


def installed(bench):
    """The folder into which `make install` has put everything, as a package would: below DESTDIR."""
    make = ["make", "-s", "-C", ROOT, "install", f"BINARY={bench.binary}", f"DESTDIR={bench.dir}", "PREFIX=/usr"]
    done = subprocess.run(make, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    expect(done.returncode == 0, f"make install: {done.stderr.strip()[-600:]}")
    return bench.dir / "usr"


def needs(program):
    """Skips the scenario where a program is not installed."""
    if not shutil.which(program):
        raise Skip(f"{program} is not installed")


def said(command, **environment):
    """What a command prints; it must end well."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
                          env={**clean_environment(), **environment})
    expect(done.returncode == 0, f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout


def mandoc_has_no_complaint_about_a_manual_page(bench):
    """`mandoc -T lint` says nothing, about style neither; a page for each command, and the page of the program names them."""
    needs("mandoc")
    prefix = installed(bench)
    pages = sorted((prefix / "share/man/man1").iterdir())
    for page in pages:
        done = subprocess.run(["mandoc", "-T", "lint", page], capture_output=True, text=True)
        equal((done.stdout, done.returncode), ("", 0), page.name)
    help_text = said([bench.binary, "--help"])
    commands = re.findall(r"^  ([a-z]+) ", help_text.split("Commands:")[1].split("Options:")[0], re.MULTILINE)
    wanted = {"swarmline.1", *(f"swarmline-{name}.1" for name in commands if name != "help")}
    equal({page.name for page in pages}, wanted, "manual pages")
    shown = said(["mandoc", "-T", "ascii", prefix / "share/man/man1/swarmline-run.1"])
    shown = re.sub(".\b", "", shown)
    expect("--spawn-rate" in shown and "LOCUST_USERS" in shown, "the page of run has its flags and variables")
    return f"{len(pages)} pages"


def bash_completes(bench):
    """Bash offers commands, flags and values from the installed script."""
    needs("bash")
    script = installed(bench) / "share/bash-completion/completions/swarmline"
    for line, wanted in ASKED.items():
        # As bash itself calls the function that the script registers.
        words = re.split(" ", line)
        code = (f'source "{script}"; f=$(complete -p swarmline | sed -E "s/.* -F ([^ ]+).*/\\1/"); COMP_WORDS=("$@"); '
                'COMP_CWORD=$(($# - 1)); $f swarmline "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"; '
                'printf "%s\\n" "${COMPREPLY[@]}"')
        equal(said(["bash", "--norc", "--noprofile", "-c", code, "bash", *words]).split(), wanted, f"after {line!r}")
    return "commands, flags, values"


def fish_completes(bench):
    """Fish finds the installed script by itself, and offers commands, flags and values."""
    needs("fish")
    prefix = installed(bench)
    places = {"XDG_DATA_DIRS": str(prefix / "share"), "PATH": f"{prefix / 'bin'}:{os.environ['PATH']}", "HOME": str(bench.dir)}
    for line, wanted in ASKED.items():
        offered = said(["fish", "-c", f'complete -C "{line}"'], **places)
        equal(sorted(offer.split("\t")[0] for offer in offered.splitlines()), wanted, f"after {line!r}")
    return "commands, flags, values"


class Zsh:
    """An interactive zsh on a terminal of its own; Ctrl-T shows the line that is being edited."""

    def __init__(self, functions):
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.execvpe("zsh", ["zsh", "-f", "-i"], {**clean_environment(), "TERM": "dumb", "PS1": ""})
        self.pid = pid
        self.seen = b""
        self.type(f'fpath=("{functions}" $fpath); autoload -Uz compinit; compinit -u -D; '
                  'show() { print -r -- "<$BUFFER>" }; zle -N show; bindkey "^T" show; unsetopt beep; '
                  'zle-line-init() { print -r -- "<re""ady>" }; zle -N zle-line-init\n')
        self.await_text(rb"<ready>")

    def type(self, text):
        """Presses these keys."""
        os.write(self.terminal, text.encode())

    def await_text(self, pattern):
        """Reads until `pattern` matches what was shown since the last call; returns the match."""
        deadline = time.monotonic() + 20
        while True:
            found = re.search(pattern, self.seen, re.DOTALL)
            if found:
                self.seen = self.seen[found.end():]
                return found
            expect(select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0],
                   f"zsh shows {self.seen[-300:]!r} and nothing more")
            self.seen += os.read(self.terminal, 65536)

    def close(self):
        """Ends the shell by closing its terminal."""
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def zsh_completes(bench):
    """Zsh finds the installed function by its folder, and Tab completes a command, a flag and the beginning of a value."""
    needs("zsh")
    shell = Zsh(installed(bench) / "share/zsh/site-functions")
    try:
        for typed, line in {"swarmline mer": "swarmline merge ", "swarmline run --spawn": "swarmline run --spawn-rate=",
                            "swarmline run --arrival po": "swarmline run --arrival poisson "}.items():
            shell.type(f"{typed}\t\x14\x15")
            equal(shell.await_text(rb"<(swarmline [^>]*)>")[1].decode(), line, f"Tab after {typed!r}")
    finally:
        shell.close()
    return "commands, flags, values"


def archive(bench, name, **options):
    """The archive of the static binary, made into a folder of its own."""
    if not bench.static_binary.exists():
        raise Skip(f"no static binary at {bench.static_binary}, see make static")
    folder = bench.dir / name
    command = [sys.executable, PACKAGING / "archive.py", bench.static_binary, MACHINE, folder]
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          **options)
    expect(done.returncode == 0, f"archive.py: {done.stderr.strip()[-600:]}")
    made, = folder.iterdir()
    equal(done.stdout.split()[0], hashlib.sha256(made.read_bytes()).hexdigest(), "the checksum that is printed")
    return made


def the_archive_is_complete_and_runs_in_an_empty_chroot(bench):
    """Unpacked alone in a root: the checksums are right, and the program sends 100 requests."""
    made = archive(bench, "dist")
    root = bench.dir / "root"
    with tarfile.open(made) as tar:
        tar.extractall(root, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(root)
    unpacked, = root.iterdir()
    equal(f"{unpacked.name}.tar.gz", made.name, "the folder in the archive")
    said(["sh", "-c", f"cd '{unpacked}' && sha256sum --strict -c SHA256SUMS"])
    named = {line.split("  ", 1)[1] for line in (unpacked / "SHA256SUMS").read_text().splitlines()}
    files = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    equal(named, files - {"SHA256SUMS"}, "files with a checksum")
    wanted = {"bin/swarmline", "share/man/man1/swarmline-run.1", "share/bash-completion/completions/swarmline",
              "share/zsh/site-functions/_swarmline", "share/fish/vendor_completions.d/swarmline.fish",
              *(f"share/doc/swarmline/{name}" for name in ("LICENSE", "LICENCES", "CHANGELOG.md"))}
    expect(wanted <= files, f"the archive lacks {sorted(wanted - files)}")
    with nginx(bench.dir / "nginx") as server:
        run_in_chroot(bench, root, f"{server.url}/ok", f"/{unpacked.name}/bin/swarmline")
        equal(len(server.log()), 100, "requests that nginx saw")
    return f"{len(files)} files in {made.stat().st_size / 1e6:.1f} MB, 100 requests"


def the_archive_is_the_same_whoever_makes_it(bench):
    """Made twice, with other folders, time zone, language and umask: equal to the byte."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1000000000"}
    first = archive(bench, "first", umask=0o022, env=environment)
    environment |= {"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "7"}
    second = archive(bench, "second", umask=0o077, cwd=bench.dir, env=environment)
    expect(first.read_bytes() == second.read_bytes(), "the two archives differ")
    with tarfile.open(first) as tar:
        equal({(entry.mtime, entry.uid, entry.gid) for entry in tar}, {(1000000000, 0, 0)}, "times and owners in the archive")
    return f"{first.stat().st_size} bytes"


def an_unknown_licence_is_refused(bench):
    """No archive where a dependency has no licence, one that is not known, or no text of it: one line names the package."""
    needs("cargo")
    metadata = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", MACHINE]
    known = json.loads(subprocess.run(metadata, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout)
    known_file = bench.dir / "metadata.json"
    (bench.dir / "empty").mkdir()

    def licences(**change):
        changed = [{**package, **(change if package["name"] == "rustls" else {})} for package in known["packages"]]
        known_file.write_text(json.dumps({**known, "packages": changed}))
        return subprocess.run([sys.executable, PACKAGING / "licences.py", MACHINE, known_file], cwd=ROOT, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL)

    good = licences()
    equal((good.returncode, good.stderr), (0, ""), "the dependencies as they are")
    for word in ("rustls 0.", "ISC", "Permission is hereby granted", "GNU LESSER GENERAL PUBLIC LICENSE"):
        expect(word in good.stdout, f"the licences lack {word!r}")
    for package in ("jsonschema", "cc"):
        expect(not re.search(rf"^{package} \d", good.stdout, re.MULTILINE), f"{package} is not part of the program")
    changes = [{"license": licence} for licence in (None, "SSPL-1.0", "MIT AND SSPL-1.0", "(MIT OR", "MIT WITH Fun-exception")]
    changes.append({"manifest_path": str(bench.dir / "empty/Cargo.toml")})
    for change in changes:
        bad = licences(**change)
        equal((bad.returncode, bad.stdout, bad.stderr.count("\n")), (1, "", 1), f"with {change}")
        expect(bad.stderr.startswith("licences.py: rustls 0."), f"{change}: {bad.stderr!r}")
    for licence in ("SSPL-1.0 OR MIT", "MIT/Apache-2.0", "(MIT OR SSPL-1.0) AND ISC"):
        equal(licences(license=licence).returncode, 0, licence)
    return f"{len(changes)} refused"


SCENARIOS = [
    mandoc_has_no_complaint_about_a_manual_page,
    bash_completes,
    fish_completes,
    zsh_completes,
    the_archive_is_complete_and_runs_in_an_empty_chroot,
    the_archive_is_the_same_whoever_makes_it,
    an_unknown_licence_is_refused,
]
