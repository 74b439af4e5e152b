#!/usr/bin/env python3
"""Puts a static binary, its manual pages and completions, and all licences into one archive: archive.py BINARY TARGET FOLDER

TARGET is the target triple of the binary, FOLDER where the archive goes. The same binary and the same licences make the same
archive, to the byte, whoever makes it and where: times are SOURCE_DATE_EPOCH (default: the last commit's), owners are 0, and
names are sorted. Prints the archive's checksum as sha256sum does.
"""

import gzip
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
INTERPRETER = 3
"""The type of the program header that names the loader of libraries."""


class Refused(Exception):
    """There will be no archive; the text says why."""


def output(command, **options):
    """What a command prints; its complaints go where ours go."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **options)
    if done.returncode != 0:
        raise Refused(f"{Path(command[0]).name} {command[1]} ended with {done.returncode}")
    return done.stdout


def must_be_static(binary):
    """Refuses a program that asks for libraries of the system on which it was built."""
    if not binary.is_file():
        raise Refused(f"{binary}: no such program, see make static")
    head = binary.read_bytes()[:65536]
    if head[:6] != b"\x7fELF\x02\x01":
        raise Refused(f"{binary}: not a 64-bit program for Linux")
    start, = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    kinds = [struct.unpack_from("<I", head, start + number * size)[0] for number in range(count)]
    if INTERPRETER in kinds:
        raise Refused(f"{binary}: needs libraries of the system, see make static")


def epoch():
    """The time that all files have: SOURCE_DATE_EPOCH, or when the last commit was made."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        given = output(["git", "-C", ROOT, "log", "-1", "--format=%ct"]).decode().strip()
    if not given.isdecimal():
        raise Refused(f"SOURCE_DATE_EPOCH: {given!r} is not a number of seconds")
    return int(given)


def lay_out(binary, target, folder):
    """Writes all that the archive contains below `folder`."""
    output([HERE / "install.sh", binary, folder])
    papers = folder / "share/doc/swarmline"
    papers.mkdir(parents=True)
    for name in ("LICENSE", "CHANGELOG.md"):
        shutil.copyfile(ROOT / name, papers / name)
    (papers / "LICENCES").write_bytes(output([sys.executable, HERE / "licences.py", target], cwd=ROOT))
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="ascii")


def pack(folder, archive, moment):
    """Packs `folder` under its own name; nothing in the archive depends on where, when or by whom."""

    def neutral(entry):
        entry.mtime = moment
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with archive.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed, \
            tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted([folder, *folder.rglob("*")]):
            tar.add(path, path.relative_to(folder.parent).as_posix(), recursive=False, filter=neutral)


def main():
    """Makes the archive; returns the exit code."""
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    binary, target, to = Path(sys.argv[1]).absolute(), sys.argv[2], Path(sys.argv[3])
    try:
        must_be_static(binary)
        version = output([binary, "--version"]).decode().split()[1]
        name = f"swarmline-{version}-{target.split('-')[0]}-linux"
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / name
            folder.mkdir()
            lay_out(binary, target, folder)
            to.mkdir(parents=True, exist_ok=True)
            archive = to / f"{name}.tar.gz"
            pack(folder, archive, epoch())
    except (Refused, OSError) as why:
        print(f"archive.py: {why}", file=sys.stderr)
        return 1
    print(f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  {archive}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
