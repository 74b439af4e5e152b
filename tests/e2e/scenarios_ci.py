"""The contents of deploy/ci/, and the summary in Markdown, judged by the software that reads them."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from harness import Skip, clean_environment, equal, expect
from scenarios_terminal import target

CI = Path(__file__).resolve().parents[2] / "deploy/ci"

FLAGS = ["-u", "4", "-r", "100", "-t", "3s"]
"""30 ticks of 100 ms."""


def load_test(bench, folder, url, *flags):
    """deploy/ci/load-test.sh in a folder, with the binary in its PATH."""
    bench.dir.joinpath("bin").mkdir(exist_ok=True)
    link = bench.dir / "bin/swarmline"
    if not link.exists():
        link.symlink_to(bench.binary)
    environment = {**clean_environment(), "PATH": f"{link.parent}:{os.environ['PATH']}", "INTERVAL": "100ms", "SUMMARY": "summary.txt"}
    return subprocess.run([CI / "load-test.sh", "-H", url, *flags], cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=120)


def the_ci_script_compares_with_the_last_good_build(bench):
    """The first build is shown, the second compared with the first one's runs, a failing one leaves its report and its code."""
    folder = bench.dir / "checkout"
    folder.mkdir()
    with target(bench) as url:
        first = load_test(bench, folder, url, *FLAGS, "/delay/20")
        equal(first.returncode, 0, f"exit code of the first build, {first.stderr[-300:]}")
        (folder / "results").rename(folder / "baseline")
        slow = load_test(bench, folder, url, *FLAGS, "--testplan", "x", "/delay/60")
        # Another endpoint: nothing to compare it with.
        equal(slow.returncode, 0, f"exit code of a build with another endpoint, {slow.stderr[-300:]}")
        for run in (folder / "results").glob("run-*.ndjson"):
            (folder / "baseline" / run.name).write_text(run.read_text().replace("/delay/60", "/delay/20"))
        failing = load_test(bench, folder, url, "-n", "5", "/status/500")
        equal(failing.returncode, 1, "exit code of a build whose requests fail")
        left = sorted(file.name for file in (folder / "results").glob("run-*"))
        equal(left, ["run-1.ndjson"], "runs left of a build whose first run failed, none of the build before")
    summary = (folder / "summary.txt").read_text()
    expect("cannot tell" in summary and "5 of 5 requests failed" in (folder / "results/junit.xml").read_text(), "its files")
    return "exit codes 0, 0, 1"


def each_ci_snippet_calls_the_script_as_it_is(bench):
    """Both YAML files are valid by the schemas of GitHub and GitLab; the flags that the snippets give the script are accepted by swarmline."""
    calls = []
    for name in ("github-actions.yml", "gitlab-ci.yml", "Jenkinsfile"):
        text = (CI / name).read_text()
        found = re.search(r"deploy/ci/load-test\.sh ([^'\n]*)", text)
        expect(found, f"{name} calls the script")
        flags = shlex.split(found[1])
        ran = subprocess.run([bench.binary, "run", "--dry-run", *flags], capture_output=True, text=True, env=clean_environment())
        equal(ran.returncode, 0, f"exit code of swarmline run with the flags of {name}, {ran.stderr}")
        calls.append(name)
    try:
        import yaml
    except ImportError:
        raise Skip("PyYAML is not installed") from None
    gitlab = yaml.safe_load((CI / "gitlab-ci.yml").read_text())["load-test"]
    for command in gitlab["script"]:
        checked = subprocess.run(["sh", "-n"], input=command, text=True, capture_output=True)
        equal(checked.returncode, 0, f"sh -n of {command!r}: {checked.stderr}")
    for kind, name in (("github-workflows", "github-actions.yml"), ("gitlab-ci", "gitlab-ci.yml")):
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{kind}", CI / name]
        checked = subprocess.run(command, capture_output=True, text=True)
        if "No module named" in checked.stderr:
            raise Skip("the Python package check-jsonschema is not installed")
        equal(checked.returncode, 0, f"exit code of check-jsonschema: {checked.stdout}{checked.stderr}")
    return ", ".join(calls)


HOSTILE = "/a|b`c`*d*_e_<img src=x>[l](http://h.test)?q=<b>&www.h.test@user"


def the_summary_in_markdown_is_what_cmark_reads(bench):
    """By GitHub's own parser: each table has its rows, and no name becomes a tag, a link or an image."""
    try:
        import cmarkgfm
        from cmarkgfm.cmark import Options
    except ImportError:
        raise Skip("the Python package cmarkgfm is not installed") from None
    page = bench.dir / "summary.txt"
    scenario = bench.dir / "s.json"
    tasks = [{"name": name, "requests": [{"get": path, "name": name}]} for path, name in (("/ok", HOSTILE), ("/status/500", "/status|500"))]
    scenario.write_text(json.dumps({"name": "**shop** <i>", "user_classes": [{"name": "A", "tasks": tasks}]}))
    with target(bench) as url:
        bench.run("-f", scenario, "-H", url, "-n", "40", "--telemetry", bench.stream_path(), "--markdown", page, "--check", "p95{GET /status|500} < 0.001ms", "--only-summary").must_exit(3)
    html = cmarkgfm.github_flavored_markdown_to_html(page.read_text(), Options.CMARK_OPT_UNSAFE)
    tags = set(re.findall(r"<(/?[a-z0-9]+)", html))
    allowed = {"h3", "ul", "li", "p", "table", "thead", "tbody", "tr", "th", "td", "strong", "code", "blockquote"}
    equal({tag.strip("/") for tag in tags} - allowed, set(), "tags that are not ours")
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.S)
    cells = [[re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S)] for row in rows]
    named = [row for row in cells if "img src=x" in row[0]]
    equal(len(named), 1, f"rows of the endpoint with the hostile name, in {cells}")
    equal(len(named[0]), 7, "cells of its row")
    return f"{len(rows)} rows, {len(html)} characters"


SCENARIOS = [
    the_ci_script_compares_with_the_last_good_build,
    each_ci_snippet_calls_the_script_as_it_is,
    the_summary_in_markdown_is_what_cmark_reads,
]
