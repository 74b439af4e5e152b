# Parses the Python source on standard input, without executing any of it, and prints its syntax tree as JSON: a table of nodes,
# each with its type "t", its line "l" and its fields, in which a number is the place of a node in the table.
import sys

if sys.version_info < (3, 8):
    sys.stdout.write('{"error": "version", "why": "%d.%d"}' % tuple(sys.version_info[:2]))
    sys.exit(0)

import ast
import json

MAX_DEPTH = 120
SKIPPED = ("ctx", "kind", "type_comment", "type_ignores", "returns", "annotation", "type_params")
nodes = []


def limit_memory():
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    except (ImportError, ValueError, OSError):
        pass


def text(value):
    return value.encode("utf-8", "replace").decode("utf-8")


def constant(value):
    if value is None:
        return "none", ""
    if isinstance(value, bool):
        return "bool", str(value)
    if isinstance(value, int):
        return "int", str(value) if abs(value) < 10**300 else "0"
    if isinstance(value, float):
        return "float", repr(value)
    if isinstance(value, str):
        return "str", text(value)
    if isinstance(value, bytes):
        return "bytes", value.decode("latin-1")
    return "other", ""


def field(value, depth):
    if isinstance(value, (ast.operator, ast.unaryop, ast.boolop, ast.cmpop)):
        return type(value).__name__
    if isinstance(value, ast.AST):
        return dump(value, depth + 1)
    if isinstance(value, list):
        return [field(item, depth) for item in value]
    if value is None:
        return None
    return text(str(value))


def dump(node, depth):
    kind = type(node).__name__
    if kind == "Index":
        return dump(node.value, depth)
    row = {"t": kind, "l": getattr(node, "lineno", 0)}
    if depth > MAX_DEPTH:
        row["t"] = "TooDeep"
    elif kind == "Constant":
        row["k"], row["v"] = constant(node.value)
    else:
        for name, value in ast.iter_fields(node):
            if name not in SKIPPED:
                row[name] = field(value, depth)
    nodes.append(row)
    return len(nodes) - 1


def main():
    limit_memory()
    try:
        tree = ast.parse(sys.stdin.buffer.read())
        root = dump(tree, 0)
    except SyntaxError as why:
        return {"error": "syntax", "line": why.lineno or 1, "why": text(str(why.msg))}
    except ValueError as why:
        return {"error": "syntax", "line": 1, "why": text(str(why))}
    except (RecursionError, MemoryError):
        return {"error": "size", "why": "too large or too deeply nested"}
    return {"root": root, "nodes": nodes}


json.dump(main(), sys.stdout)
