"""Prints the names of the installed Locust as JSON: flags, variables, events, and what its modules define."""

import ast
import importlib
import inspect
import json
from pathlib import Path

import locust
import locust.argument_parser

MODULES = (
    "argument_parser", "clients", "contrib.csv_request_logger", "contrib.fasthttp", "debug", "dispatch", "env", "event",
    "exception", "html", "log", "opentelemetry", "runners", "shape", "stats", "user.inspectuser", "user.markov_taskset",
    "user.sequential_taskset", "user.task", "user.users", "user.wait_time", "web",
)

CLIENTS = ("dns", "milvus", "mongodb", "mqtt", "oai", "postgres", "qdrant", "socketio")
"""Modules that need packages of their own: their classes are read from the source."""

FROM_BASES = {"mro", "register"}


def defined(module):
    """Classes with their members, and functions, that a module defines itself."""
    names = set()
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value) or inspect.isclass(value):
            names.add(name)
        if inspect.isclass(value):
            names |= {member for member in vars(value) if not member.startswith("_")} - FROM_BASES
    return names


def classes_of_source(name):
    """The public classes of a module that is not imported."""
    tree = ast.parse((Path(locust.__file__).parent / "contrib" / f"{name}.py").read_text())
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")}


def main():
    """Prints the names."""
    actions = locust.argument_parser.get_parser()._actions
    names = set(locust.__all__)
    for module in MODULES:
        names |= defined(importlib.import_module(f"locust.{module}"))
    for client in CLIENTS:
        names |= classes_of_source(client)
    environment = locust.env.Environment(events=locust.Events())
    print(json.dumps({
        "version": locust.__version__,
        "flags": sorted({flag for action in actions for flag in action.option_strings}),
        "variables": sorted({action.env_var for action in actions if getattr(action, "env_var", None)}),
        "events": sorted(inspect.get_annotations(locust.event.Events)),
        "environment": sorted(name for name in vars(environment) if not name.startswith("_")),
        "arguments": sorted({argument for session in (locust.clients.HttpSession, locust.contrib.fasthttp.FastHttpSession)
                             for argument in inspect.signature(session.request).parameters} - {"self", "kwargs", "method"}),
        "names": sorted(name for name in names if not name.startswith("_")),
    }))


if __name__ == "__main__":
    main()
