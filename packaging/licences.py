#!/usr/bin/env python3
"""Prints the licences of everything that the static binary contains: swarmline's dependencies, Rust's library and glibc.

  licences.py TARGET [METADATA]

TARGET is the target triple. METADATA is a file with the output of `cargo metadata` (default: cargo is asked). Ends with 1, and
one line that names the package, where a licence is not among those that the archive may contain, or its text is missing.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ACCEPTED = {"0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-3-Clause", "BSL-1.0", "CDLA-Permissive-2.0", "ISC", "MIT",
            "Unicode-3.0", "Unlicense", "Zlib"}
"""Licences that allow the binary to be passed on with their texts beside it."""

TEXTS = ("COPYING", "COPYRIGHT", "LICENCE", "LICENSE", "NOTICE", "UNLICENSE")
"""How the names of files with a licence begin."""

LIBRARY_OF_C = ("/usr/share/doc/libc6-dev/copyright", "/usr/share/doc/libc6/copyright", "/usr/share/licenses/glibc/LICENSES")
LESSER_GPL = ("/usr/share/common-licenses/LGPL-2.1", "/usr/share/licenses/glibc/COPYING.LIB")
"""Where systems keep the licence of the C library, and the text that it refers to."""


class Refused(Exception):
    """The archive must not be made; the text says why."""


def is_accepted(expression):
    """Whether an SPDX expression can be fulfilled with accepted licences alone; cargo once wrote / for OR."""
    words = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def alternatives():
        value = together()
        while words and words[0] == "OR":
            words.pop(0)
            value = together() or value
        return value

    def together():
        value = one()
        while words and words[0] == "AND":
            words.pop(0)
            value = one() and value
        return value

    def one():
        if not words:
            return False
        word = words.pop(0)
        if word == "(":
            value = alternatives()
            return bool(words) and words.pop(0) == ")" and value
        if words[:1] == ["WITH"]:
            word = f"{word} WITH {words[1] if len(words) > 1 else ''}"
            del words[:2]
        return word in ACCEPTED

    return alternatives() and not words


def metadata(target, file):
    """The output of `cargo metadata`: read from `file`, or asked for."""
    if file:
        return json.loads(Path(file).read_bytes())
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    if done.returncode != 0:
        raise Refused("cargo metadata failed")
    return json.loads(done.stdout)


def contained(known):
    """The packages that become part of the program, sorted: reached by dependencies that are neither for tests nor for build
    scripts."""
    packages = {package["id"]: package for package in known["packages"]}
    nodes = {node["id"]: node for node in known["resolve"]["nodes"]}
    root = known["resolve"]["root"]
    found, left = set(), [root]
    while left:
        node = left.pop()
        if node in found:
            continue
        found.add(node)
        for dependency in nodes[node]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                left.append(dependency["pkg"])
    found.discard(root)
    return sorted((packages[node] for node in found), key=lambda package: (package["name"], package["version"]))


def texts_of(package):
    """The texts of a package's licence, as pairs of file name and text."""
    name = f"{package['name']} {package['version']}"
    licence = package["license"]
    if not licence:
        raise Refused(f"{name}: has no licence in its manifest")
    if not is_accepted(licence):
        raise Refused(f"{name}: licence {licence!r} is not known here; may the binary be passed on under it? See ACCEPTED")
    folder = Path(package["manifest_path"]).parent
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.name.upper().startswith(TEXTS)]
    if not files:
        raise Refused(f"{name}: has no file with the text of its licence ({licence})")
    return [(path.name, path.read_text(encoding="utf-8")) for path in files]


def first_text(places, what):
    """The text of the first of these files that exists."""
    for place in places:
        if Path(place).is_file():
            return Path(place).read_text(encoding="utf-8")
    raise Refused(f"{what}: no text of its licence at {', '.join(map(str, places))}")


def library_of_rust():
    """The copyright notices of Rust's standard library, as the compiler comes with them."""
    asked = subprocess.run(["rustc", "--print", "sysroot"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if asked.returncode != 0:
        raise Refused("rustc --print sysroot failed")
    folder = Path(asked.stdout.strip()) / "share/doc/rust"
    return first_text([folder / "COPYRIGHT-library.html", folder / "COPYRIGHT"], "Rust's standard library")


def section(title, text):
    """A part of the document."""
    return f"{'=' * 100}\n{title}\n{'=' * 100}\n\n{text.strip()}\n\n"


def document(packages):
    """All licences: a list, then the texts; a text that several packages share is there once."""
    shared = {}
    for package in packages:
        for name, text in texts_of(package):
            # The same licence is wrapped and ended in different ways.
            holders = shared.setdefault(" ".join(text.split()), (name, text, []))[2]
            holders.append(f"{package['name']} {package['version']}")
    lines = [f"{package['name']} {package['version']}: {package['license']}" for package in packages]
    parts = ["swarmline itself is under the licence in LICENSE. The program contains the following works.\n\n",
             *(f"{line}\n" for line in lines),
             "Rust's standard library: MIT OR Apache-2.0, with parts under other licences\n",
             "GNU C library (linked statically): LGPL-2.1-or-later. Its source is at https://sourceware.org/glibc/; from\n"
             "swarmline's source the program can be linked with another version of it.\n\n"]
    parts += [section(f"{name} of {', '.join(holders)}", text) for name, text, holders in shared.values()]
    parts.append(section("Rust's standard library", library_of_rust()))
    parts.append(section("GNU C library", first_text(LIBRARY_OF_C, "GNU C library")))
    parts.append(section("GNU Lesser General Public License 2.1", first_text(LESSER_GPL, "GNU C library")))
    return "".join(parts)


def main():
    """Prints the document; returns the exit code."""
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        text = document(contained(metadata(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else None)))
    except Refused as why:
        print(f"licences.py: {why}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(text.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
