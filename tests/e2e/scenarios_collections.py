"""Collections and API descriptions: swarmline sends what the programs that they are written for send, request by request.

The other programs' requests are in second_opinions.json, which second_opinions.py makes: they come by npm, and that takes a
minute. Differences are listed here, each with its reason.
"""

import base64
import importlib.util
import json
import subprocess

from harness import Skip, clean_environment, expect
from request_recorder import comparable, recorder
from second_opinions import COLLECTIONS, CORPUS, DOCUMENTS, RECORDED, copied, environment_flags

NO_TYPE = "postman-to-k6 knows no Content-Type of a body's language, Postman sends it"
NO_KEYS = "postman-to-k6 leaves API keys out"
NO_NESTED = "postman-to-k6 does not resolve variables in values of variables"
ACCEPT = "swarmline asks for JSON where it sends JSON; the document names no type of the response"

CIRCULAR = "openapi-to-postmanv2 sends a text about the circular reference, swarmline ends the list"

DIFFERENCES = {
    ("postman", "addresses", "k6"): {"GET /items/7": "postman-to-k6 fails at a query field without a value"},
    ("postman", "authorization", "k6"): {"GET /key": NO_KEYS, "GET /query": NO_KEYS},
    ("postman", "bodies", "k6"): {
        "POST /json": NO_TYPE,
        "POST /bare": NO_TYPE,
        "POST /text": NO_TYPE,
        "PUT /xml": NO_TYPE,
        "POST /form": "postman-to-k6 sends disabled fields, and in the order of their names",
        "POST /repeated": "postman-to-k6 sends the last of several fields of one name",
        "POST /multipart": "postman-to-k6 sends disabled fields, calls each file's field `file`, and drops types",
        "POST /graphql": "postman-to-k6 sends the variables of GraphQL as a text",
        "POST /file": "postman-to-k6 sends a file as a form",
        "GET /pruned": "Postman sends no body with GET unless it is told to",
        "GET /kept": NO_TYPE,
        "POST /disabled": "postman-to-k6 sends a disabled body",
    },
    ("postman", "redirects", "k6"): {"GET /target": "postman-to-k6 follows redirects where the collection says not to"},
    ("postman", "scripts", "k6"): {"POST /login": NO_TYPE},
    ("postman", "variables", "newman"): {
        "GET /precedence": "newman takes a variable of an environment that is not enabled; Postman does not",
        "POST /body": "newman takes a variable of an environment that is not enabled; Postman does not",
    },
    ("postman", "variables", "k6"): {"GET /precedence": NO_NESTED, "POST /body": NO_NESTED},
    ("openapi", "bodies", "newman"): {
        "POST /json": ACCEPT,
        "POST /schema": CIRCULAR,
    },
    ("openapi", "bodies", "k6"): {
        "POST /json": ACCEPT,
        "POST /schema": CIRCULAR,
        "POST /form": "postman-to-k6 sends fields in the order of their names",
        "POST /upload": "postman-to-k6 sends an empty form",
    },
    ("openapi", "parameters", "newman"): {
        "GET /v1/pets": "openapi-to-postmanv2 leaves cookies out",
        "GET /v1/pets/3/photos/a b/c": "openapi-to-postmanv2 sends parameters that are neither required nor have an example",
    },
    ("openapi", "security", "newman"): {
        "GET /none": "openapi-to-postmanv2 takes an empty list of security as none of its own",
        "GET /oauth": "newman sends nothing for OAuth 2 without a token, swarmline reads it from the environment",
    },
    ("openapi", "version-3.1", "newman"): {
        "PUT /api/nodes/n-1": "openapi-to-postmanv2 does not know `const` or path items by reference, and sends a text about a cycle",
        "PUT /api/nodes/:id": "the same request",
    },
}
"""By input and program: the requests that differ, and why."""


def requested(request):
    """The method and path of a request."""
    return f"{request['method']} {request['path']}"


def compared(own, others, reasons):
    """Pairs the requests in their order; returns how many are equal and how many differ for a reason. Fails for all others."""
    left = list(others)
    equal, different = 0, []
    for request in own:
        other = next((other for other in left if requested(other) == requested(request)), None)
        if other is not None:
            left.remove(other)
        if other == request:
            equal += 1
        else:
            different.append((requested(request), request, other))
    different += [(requested(other), None, other) for other in left]
    unexplained = [part for part in different if part[0] not in reasons]
    expect(not unexplained, f"differs without a reason: {json.dumps(unexplained[:3], ensure_ascii=False)[:1500]}")
    missing = set(reasons) - {name for name, _, _ in different}
    expect(not missing, f"does not differ any more, shorten the table: {sorted(missing)}")
    return equal, len(different)


def call(bench, directory, *words, variables=(), codes=(0,)):
    """Runs swarmline with further variables; returns its standard output."""
    ran = subprocess.run([bench.binary, *words], cwd=directory, env={**clean_environment(), **dict(variables)}, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, timeout=60)
    expect(ran.returncode in codes, f"swarmline {words[0]} exits with {ran.returncode}: {ran.stderr[-600:]}")
    return ran.stdout


def sent(bench, server, kind, name, flags=(), variables=()):
    """The requests of the scenario that import makes of an input, each task done once."""
    directory = bench.dir / f"{kind}-{name}"
    directory.mkdir()
    copied(kind, directory, server.port)
    flags = [*flags, *environment_flags(name, directory, "--environment", "--environment")]
    scenario = call(bench, directory, "import", *flags, f"{name}.json", codes=(0, 1))
    (directory / "scenario.json").write_text(scenario)
    server.taken()
    call(bench, directory, "try", "-f", "scenario.json", variables=variables, codes=(0, 1))
    return [comparable(request) for request in server.taken()]


def judged(bench, kind, names, flags=(), variables=()):
    """Compares all inputs of a kind with what each program sent; returns the figures."""
    record = json.loads(RECORDED.read_text())
    figures = {}
    with recorder() as server:
        for name in names:
            own = sent(bench, server, kind, name, flags, variables)
            for program, others in record[kind][name].items():
                try:
                    equal, different = compared(own, others, DIFFERENCES.get((kind, name, program), {}))
                except Exception as why:
                    raise type(why)(f"{kind} {name}, {program}: {why}") from None
                counts = figures.setdefault(program, [0, 0])
                counts[0] += equal
                counts[1] += different
    return ", ".join(f"{program}: {equal} requests equal, {different} differ for a known reason" for program, (equal, different) in figures.items())


def a_collection_is_sent_as_postman_sends_it(bench):
    """Each request of a Postman collection has the method, path, query, headers and body that newman and k6 sent for it."""
    return judged(bench, "postman", COLLECTIONS, flags=["--keep-secrets"])


def an_openapi_document_is_sent_as_postman_sends_it(bench):
    """Each operation is requested as newman does after Postman's own import of the document, where that uses its examples."""
    variables = {"BEARER": "x", "KEY": "x", "QUERYKEY": "x", "OAUTH": "x", "BASIC": base64.b64encode(b"amy:pw").decode()}
    return judged(bench, "openapi", DOCUMENTS, variables=variables)


def the_openapi_documents_of_the_tests_are_valid(bench):
    """The public validator of the specification accepts every document that the tests import."""
    if importlib.util.find_spec("openapi_spec_validator") is None:
        raise Skip("the Python package openapi-spec-validator is not installed")
    from openapi_spec_validator import validate

    for name in DOCUMENTS:
        validate(json.loads((CORPUS / f"openapi/{name}.json").read_text()))
    return f"{len(DOCUMENTS)} documents"


SCENARIOS = [
    a_collection_is_sent_as_postman_sends_it,
    an_openapi_document_is_sent_as_postman_sends_it,
    the_openapi_documents_of_the_tests_are_valid,
]
