"""The recipes of deploy/logs: do they label and type every line of a real stream as its readers want it?"""

import contextlib
import json
import math
import re
import signal
import subprocess
from pathlib import Path

from harness import Failed, Skip, child, clean_environment, equal, expect, wait_for_port
from scenarios_page import target
from stream import seconds

LOGS = Path(__file__).resolve().parents[2] / "deploy/logs"

LABELS = ["container", "run_id", "telemetry_name", "testplan"]
"""Labels by which the dashboards of locust-telemetry select lines."""


def merged(bench):
    """The lines of a merged stream of two shards, as bytes: the master's own and those of workers."""
    flags = ["--start-align", "2s", "--run-id", "r1", "-q", "-u", "4", "-r", "100", "-t", "2s", "--interval", "500ms", "--wait", "10ms"]
    paths = [bench.dir / f"run-{index}.ndjson" for index in range(2)]
    serving, port = target(bench)
    with serving as served:
        wait_for_port(port, served, "swarmline target")
        command = [bench.binary, "run", "-H", f"http://127.0.0.1:{port}", *flags, "/ok", "/status/500", "POST /echo"]
        with contextlib.ExitStack() as shards:
            quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": clean_environment()}
            own = [child([*command, "--shard", f"{index}/2", "--telemetry", path], signal.SIGKILL, **quiet) for index, path in enumerate(paths)]
            for shard in [shards.enter_context(shard) for shard in own]:
                expect(shard.wait(30) in (0, 1), f"exit code {shard.returncode} of a shard")
    whole = bench.dir / "master.ndjson"
    done = subprocess.run([bench.binary, "merge", *paths, "--telemetry", whole, "--check", "p95 < 5s"], capture_output=True,
                          env=clean_environment(), timeout=60)
    expect(done.returncode in (0, 1), f"exit code {done.returncode} of merge: {done.stderr[-300:]!r}")
    return whole.read_bytes().splitlines()


def strict_yaml(path):
    """The content of a YAML file in which no key stands twice."""
    try:
        import yaml
    except ImportError:
        raise Skip("the Python package PyYAML is not installed") from None

    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader, node):
        keys = [loader.construct_object(key) for key, _ in node.value]
        expect(len(set(keys)) == len(keys), f"{path.name}: a key twice in {keys}")
        return {loader.construct_object(key): loader.construct_object(value, deep=True) for key, value in node.value}

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    return yaml.load(path.read_text(), Strict)


def wanted_labels(line):
    """The labels of a line."""
    telemetry = line["telemetry"]
    container = "locust-worker" if telemetry["source"] == "WorkerRunner" else "locust-master"
    return {"container": container} | {key: telemetry[key] for key in LABELS if key != "container"}


def vectors_program_labels_each_line_of_a_real_stream(bench):
    """The program of vector.yaml, run by PyPI's pyvrl, keeps each line and gives it the labels and the time that it should have."""
    try:
        import pyvrl
    except ImportError:
        raise Skip("the Python package pyvrl is not installed") from None
    recipe = strict_yaml(LOGS / "vector.yaml")
    # The last expression is what pyvrl returns: the event.
    program = pyvrl.Transform(recipe["transforms"]["telemetry"]["source"] + "\n.")
    labels = {key: value.strip("{} ") for key, value in recipe["sinks"]["loki"]["labels"].items()}
    equal(labels, {key: key for key in LABELS}, "labels of the sink")
    lines, containers = merged(bench), set()
    for raw in lines:
        text = raw.decode()
        event, line = program.remap({"message": text}), json.loads(text)
        equal(event["message"], text, "the line")
        equal({key: event[key] for key in LABELS}, wanted_labels(line), "labels")
        stamp = event["timestamp"]
        expect(abs((stamp.timestamp() if hasattr(stamp, "timestamp") else seconds(str(stamp))) - seconds(line["time"])) < 1e-3,
               f"the time of {text[:60]} is {stamp}")
        containers.add(event["container"])
    equal(containers, {"locust-master", "locust-worker"}, "containers")
    for torn in ("", "{", "[1]", '{"telemetry":1}'):
        try:
            program.remap({"message": torn})
        except ValueError:
            continue
        raise Failed(f"{torn!r} is taken for a line of the stream")
    return f"{len(lines)} lines"


def the_recipes_label_by_what_the_dashboards_select(bench):
    """Each recipe gives the labels by which the plugin's dashboards select, and says how far it was run."""
    found = set()
    for dashboard in (bench.shared / "dashboards").glob("*.json"):
        for selector in re.findall(r"\{(container=[^}]*)\}", json.loads(json.dumps(dashboard.read_text()))):
            found |= set(re.findall(r"(\w+)\s*=~?", selector))
    if found:
        equal(sorted(found), LABELS, "labels of the dashboards' selectors")
    fluent = strict_yaml(LOGS / "fluent-bit.yaml")
    (output,) = fluent["pipeline"]["outputs"]
    labels = dict(pair.split("=", 1) for pair in output["labels"].split(", "))
    equal(sorted(labels), LABELS, "labels of fluent-bit.yaml")
    for key in LABELS:
        equal(labels[key], "$container" if key == "container" else f"$telemetry['{key}']", f"fluent-bit.yaml, {key}")
    equal({name["name"] for name in fluent["parsers"]}, {item["parser"] for item in fluent["pipeline"]["filters"] if "parser" in item}, "parsers")
    alloy = (LOGS / "swarmline.alloy").read_text()
    block = re.search(r"stage\.labels \{\s*values = \{(.*?)\}", alloy, re.S)[1]
    equal(sorted(re.findall(r"(\w+)\s*=", block)), LABELS, "labels of swarmline.alloy")
    for key in LABELS:
        expect(key == "container" or re.search(rf'{key}\s*=\s*"telemetry\.{key}"', alloy), f"swarmline.alloy: {key} is not taken from the line")
    filebeat = strict_yaml(LOGS / "filebeat.yml")
    (decision,) = [step for step in filebeat["processors"] if "if" in step]
    equal(decision["if"], {"equals": {"telemetry.source": "WorkerRunner"}}, "filebeat.yml, who is a worker")
    for branch, wanted in (("then", "locust-worker"), ("else", "locust-master")):
        equal(decision[branch][0]["add_fields"], {"target": "labels", "fields": {"container": wanted}}, f"filebeat.yml, {branch}")
    for name in ("swarmline.alloy", "fluent-bit.yaml", "filebeat.yml", "vector.yaml"):
        expect("ot run" in (LOGS / name).read_text(), f"{name} does not say that it was not run")
    return f"{', '.join(LABELS)}; dashboards {'read' if found else 'not there'}"


def numbers(value, path=()):
    """Each number of a document with its path, as an index of Elasticsearch sees it: elements of lists have the list's path."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from numbers(part, (*path, key))
    elif isinstance(value, list):
        for part in value:
            yield from numbers(part, path)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


def mapped(mappings, path):
    """The type that the template gives a path; None where an index finds it out itself, "" where it does not look."""
    place = mappings
    for key in path:
        if place.get("enabled") is False:
            return ""
        place = place.get("properties", {}).get(key)
        if place is None:
            return None
    return place.get("type")


def the_index_template_types_every_number_of_real_streams(bench):
    """Floats are double by the template, in whichever form they first come; integers are left to the index, which makes them long."""
    mappings = json.loads((LOGS / "elasticsearch-template.json").read_text())["template"]["mappings"]
    lines = merged(bench)
    # What filebeat.yml makes the id of a document from tells lines apart.
    identities = {tuple(json.loads(raw)["telemetry"][key] for key in ("run_id", "source", "source_id", "seq")) for raw in lines}
    equal(len(identities), len(lines), "ids of documents")
    corpus = Path(__file__).resolve().parents[1] / "corpus/streams"
    for path in sorted(corpus.glob("*.ndjson")):
        lines += path.read_bytes().splitlines()
    floats, integers = set(), set()
    for raw in lines:
        try:
            line = json.loads(raw)
        except ValueError:
            continue
        for path, value in numbers(line):
            (floats if isinstance(value, float) else integers).add(path)
            expect(not isinstance(value, float) or math.isfinite(value), f"{path}: {value}")
    for path in floats:
        equal(mapped(mappings, path), "double", f"type of {'.'.join(path)}")
    for path in integers - floats:
        expect(mapped(mappings, path) in (None, "", "double"), f"{'.'.join(path)}: {mapped(mappings, path)}")
        # Integer in one line and float in another: it must not become long by its first line.
    expect(("telemetry", "value") in floats & integers, "telemetry.value is both")
    return f"{len(floats)} keys are double, {len(integers - floats)} are integers, {len(lines)} lines"


SCENARIOS = [
    vectors_program_labels_each_line_of_a_real_stream,
    the_recipes_label_by_what_the_dashboards_select,
    the_index_template_types_every_number_of_real_streams,
]
