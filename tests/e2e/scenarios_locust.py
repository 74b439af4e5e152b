"""Locustfiles: Locust itself runs each file of the corpus, swarmline runs what `import` makes of it."""

import json
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness import Failed, Skip, clean_environment, expect
from locust_judge import Arena, Imported, by_locust, by_swarmline, differences, fresh, locust_command

CORPUS = Path(__file__).resolve().parents[1] / "corpus/locust"

PAGE = Path(__file__).resolve().parents[2] / "docs/from-locust.md"

AT_ONCE = 3
"""Files compared at the same time: Locust takes a second of CPU to start."""


@dataclass(frozen=True)
class Case:
    """A locustfile, and what is known of it."""

    name: str
    """Its name in the corpus; a folder ends with a slash."""

    users: int = 4

    requests: int = 300
    """After so many requests the run ends."""

    cluster: int = 2
    """So many requests of one kind come together, by which their number scatters more."""

    seconds: float = 10.0
    """The run ends so long after the first request at the latest."""

    waits: tuple = ()
    """The think times of the classes."""

    code: int = 0
    """The exit code of `import`."""

    notes: tuple = ()
    """What `import` says."""

    left_out: tuple = ()
    """Kinds of request that contain one of these texts are not compared."""

    uncounted: tuple = ()
    """Names of requests that Locust sends and does not count, also those of on_stop at its end: only what the server counts is
    compared."""

    always: bool = False
    """Whether it is compared in each run of the tests; the others only in the study."""

    flags: tuple = ()
    """Flags that both understand."""


CASES = (
    Case("basic_auth.py", waits=("10ms",)),
    Case("catch_text.py", waits=("10ms..20ms",), always=True),
    Case("catch_without_with.py", waits=("10ms",), uncounted=("/page/not-counted", "/status/#"), always=True),
    Case("conditions.py", waits=("10ms",), requests=600, code=1, notes=("startswith",), left_out=("/page/not-b",)),
    Case("cookies.py", waits=("10ms..20ms",), code=1, notes=("in place of those",), left_out=("/echo/cookie",)),
    Case("counters_on_self.py", waits=("10ms",), code=1, notes=("counters_on_self.py:15",),
         left_out=("/page/fifth", "/page/later")),
    Case("csrf_regex.py", waits=("10ms..20ms",), always=True),
    Case("csv_accounts.py", waits=("10ms..20ms",)),
    Case("early_returns.py", waits=("10ms..20ms",)),
    Case("environment_defaults.py", waits=("10ms..20ms",)),
    Case("errors_caught.py", waits=("10ms",)),
    Case("errors_in_tasks.py", waits=("10ms..20ms",), always=True),
    Case("failed_login_guard.py", waits=("10ms..20ms",), requests=150, always=True),
    Case("fast_http.py", waits=("10ms..20ms",), always=True),
    Case("fast_http_rest.py", waits=("10ms",)),
    Case("files_upload.py", waits=("10ms",)),
    Case("fixed_count.py", waits=("20ms", "20ms")),
    Case("graphql.py", waits=("10ms..20ms",)),
    Case("headers_of_answers.py", waits=("10ms",), code=1, notes=("a value that only a run gives",), left_out=("/landed",)),
    Case("helper_methods.py", waits=("10ms..20ms",), always=True),
    Case("inheritance.py", waits=("10ms..20ms", "10ms..20ms"), requests=600, cluster=4),
    Case("json_answers.py", waits=("10ms..20ms",), always=True),
    Case("list_of_accounts.py", waits=("10ms..20ms",)),
    Case("lists_of_answers.py", waits=("10ms",), cluster=4, code=1,
         notes=("lists_of_answers.py:15", "lists_of_answers.py:22"), left_out=("/items/#", "/items/[each]", "/items/[green]")),
    Case("loops.py", waits=("10ms",), cluster=4, code=1, notes=("loops.py:17",), left_out=("/page/down",)),
    Case("name_grouping.py", waits=("10ms..20ms",), cluster=4),
    Case("nested_interrupt.py", waits=("10ms",), code=1, notes=("Forum",), left_out=("/page/thread",)),
    Case("old_style.py", waits=("10ms..20ms",)),
    Case("on_stop_logout.py", waits=("10ms..20ms",), requests=150, uncounted=("/logout",)),
    Case("one_after_the_other.py", waits=("10ms",), requests=1000, seconds=3),
    Case("overridden_tasks.py", waits=("10ms",)),
    Case("pagination.py", waits=("10ms",), cluster=4),
    Case("plain_failures.py", waits=("10ms",)),
    Case("polling.py", waits=("10ms",), cluster=6),
    Case("polling_while.py", waits=("10ms",), cluster=6),
    Case("pool_of_ids.py", waits=("10ms..20ms",)),
    Case("random_values.py", waits=("10ms..20ms",), requests=800, always=True),
    Case("register_taken_name.py", waits=("20ms",)),
    Case("register_then_login.py", waits=("10ms..20ms",), always=True),
    Case("request_options.py", waits=("10ms..20ms",), requests=600, cluster=4, always=True),
    Case("same_name_twice.py", waits=("10ms",)),
    Case("sequential_repeat.py", waits=("10ms",), always=True),
    Case("sequential_state.py", waits=("5ms..15ms",)),
    Case("sequential_tasks_list.py", waits=("10ms",)),
    Case("session_headers.py", waits=("10ms..30ms",)),
    Case("session_settings.py", waits=("10ms", "10ms")),
    Case("several_hosts.py", waits=("10ms..20ms",), always=True),
    Case("shape_stages.py", waits=("50ms",), requests=100_000),
    Case("shop.py", waits=("50ms",)),
    Case("sleeps_and_loops.py", waits=("10ms",), cluster=6),
    Case("status_chain.py", waits=("10ms..20ms",), requests=600),
    Case("tagged.py", waits=("10ms",), flags=("-T", "read")),
    Case("tasks_dict.py", waits=("10ms..20ms",), uncounted=("/logout",)),
    Case("tasks_list.py", waits=("10ms..20ms",)),
    Case("tasksets_and_classes.py", waits=("20ms", "20ms", "20ms"), users=40, requests=800, cluster=30),
    Case("tasksets_without_interrupt.py", waits=("20ms", "20ms"), users=40, requests=800, cluster=30),
    Case("test_start_listener.py", waits=("10ms..20ms",), code=1, notes=("on_test_start",)),
    Case("token_in_self.py", waits=("10ms..30ms",), always=True),
    Case("try_except.py", waits=("10ms..20ms",)),
    Case("values_by_code.py", waits=("10ms..20ms",)),
    Case("wait_kinds.py", waits=("50ms", "40ms..60ms", "pacing:50ms", "throughput:20")),
    Case("weighted_choice.py", waits=("10ms",), code=1, notes=("weighted_choice.py:24", "weighted_choice.py:32"),
         left_out=("/search", "/health", "/page/", "/#")),
    Case("weights_by_class.py", waits=("20ms", "20ms")),
    Case("with_modules/", waits=("10ms..20ms",), always=True),
)


@dataclass
class Judged:
    """What was found of one file."""

    case: Case
    code: int
    """The exit code of `import`."""

    stderr: str
    """What `import` said."""

    differences: list
    kinds: int = 0
    requests: int = 0


def judge(bench, case, locust, itself=False):
    """Compares what Locust and swarmline send for one file; with `itself` Locust stands for swarmline as well."""
    source = CORPUS / case.name
    arena = Arena(fresh(bench.dir / source.stem), source)
    imported = Imported(bench, arena)
    theirs = by_locust(arena, case, locust)
    judged = Judged(case, imported.code, imported.stderr, [], len(theirs.raw), len(theirs.requests))
    expect(theirs.requests, f"{case.name}: Locust sent nothing")
    if itself:
        judged.differences = differences(theirs, by_locust(arena, case, locust), case)
        return judged
    if imported.scenario is None:
        judged.differences = said(case, imported) if case.code == 2 else ["nothing is imported"]
        return judged
    ours, ran = by_swarmline(bench, arena, case, imported)
    if ran.code == 2:
        judged.differences = [f"run refuses the scenario: {ran.stderr.strip().replace(str(arena.dir), '')[:300]}"]
        return judged
    judged.differences = [*said(case, imported), *differences(theirs, ours, case)]
    return judged


def said(case, imported):
    """Where exit code, notes and think times of an import are not those of the case."""
    found = []
    if imported.code != case.code:
        stderr = " / ".join(imported.stderr.strip().splitlines())
        found.append(f"import exits with {imported.code}, not {case.code}: {stderr[:600]}")
    found += [f"import does not say {note!r}" for note in case.notes if note not in imported.stderr]
    if imported.scenario is None:
        return found
    waits = tuple(user.get("wait", imported.scenario.get("wait")) for user in imported.scenario["user_classes"])
    if [milliseconds(wait) for wait in waits] != [milliseconds(wait) for wait in case.waits]:
        found.append(f"waits {waits}, not {case.waits}")
    return found


def milliseconds(wait):
    """A think time with its durations in milliseconds, to compare `0.01s` and `10ms`."""
    kind, _, value = (wait or "").rpartition(":")
    if kind == "throughput":
        return kind, [1000 / float(value)]
    return kind, [float(part[:-2]) if part.endswith("ms") else float(part.rstrip("s") or 0) * 1000 for part in value.split("..")]


def judge_all(bench, cases, itself=False):
    """Compares many files, a few at a time."""
    locust = locust_command()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda case: judge(bench, case, locust, itself), cases))


def what_import_makes_of_a_locustfile_sends_what_locust_sends(bench):
    """Each file under Locust and imported, against the same counting server: the same kinds of requests in the same shares,
    the same failures. A quarter of the files; `make study` has all."""
    began = time.monotonic()
    judged = judge_all(bench, [case for case in CASES if case.always])
    wrong = [f"{one.case.name}: {'; '.join(one.differences)}" for one in judged if one.differences]
    if wrong:
        raise Failed("\n     ".join(wrong))
    return (f"{len(judged)} files, {sum(one.kinds for one in judged)} kinds, {sum(one.requests for one in judged)} requests by "
            f"Locust, in {time.monotonic() - began:.0f} s")


def every_name_of_locust_stands_on_the_page_for_those_who_come_from_it(_):
    """Flags, variables, events, attributes of the environment, arguments of requests, and all that Locust's modules define."""
    command, environment = locust_command()
    ran = subprocess.run([command[0], Path(__file__).with_name("locust_names.py")], env=environment, capture_output=True,
                         stdin=subprocess.DEVNULL, timeout=60)
    expect(ran.returncode == 0, f"locust_names.py: {ran.stderr.decode()[-300:]}")
    names = json.loads(ran.stdout)
    version = names.pop("version")
    if not version.startswith("2.47."):
        raise Skip(f"the page is about Locust 2.47, this is {version}")
    codes = re.findall(r"`([^`\n]+)`", PAGE.read_text())
    told = {word for code in codes for word in (code, *re.split(r"[^A-Za-z0-9_-]+", code))}
    missing = {kind: [name for name in group if name not in told] for kind, group in names.items()}
    expect(not any(missing.values()), f"not on {PAGE.name}: {({kind: group for kind, group in missing.items() if group})}")
    return ", ".join(f"{len(group)} {kind}" for kind, group in names.items())


def a_locustfile_is_read_and_never_executed(bench):
    """Neither the file nor a module beside it that is called as Python's own is run; what cannot be read is one line."""
    folder = bench.dir / "trap"
    folder.mkdir()
    victim, trap = folder / "victim", folder / "sprung"
    victim.write_text("still here")
    for module in ("ast", "json", "sys", "locust"):
        (folder / f"{module}.py").write_text(f"open({str(trap)!r}, 'w')\n")
    file = folder / "locustfile.py"
    file.write_text(f"import os, ast\nos.remove({str(victim)!r})\n" + (CORPUS / "same_name_twice.py").read_text())
    for given in (file, folder):
        ran = imported(bench, given)
        expect(ran.returncode in (0, 1) and b"/page/second" in ran.stdout, f"{given.name}: {ran.stderr.decode()[-300:]}")
    expect(victim.exists() and not trap.exists(), "something of the folder was executed")
    broken, long = bench.dir / "broken.py", bench.dir / "long.py"
    broken.write_text("from locust import HttpUser\n\nclass User(HttpUser)\n    pass\n")
    with long.open("wb") as sparse:
        sparse.truncate((64 << 20) + 1)
    one_line(imported(bench, broken), "broken.py", "3")
    one_line(imported(bench, long), "long.py", "64 MiB")
    one_line(imported(bench, file, PATH=str(folder)), "python3")
    return "two files read, nothing executed; a syntax error, 64 MiB, no python3: a line each"


def imported(bench, path, **variables):
    """Runs `swarmline import` with these variables of the environment changed."""
    return subprocess.run([bench.binary, "import", path], stdin=subprocess.DEVNULL, capture_output=True, cwd=bench.dir,
                          env={**clean_environment(), **variables}, timeout=60)


def one_line(ran, *words):
    """Fails unless it ended with 2 and a line that contains all the words."""
    said = ran.stderr.decode(errors="replace")
    is_right = ran.returncode == 2 and not ran.stdout and len(said.splitlines()) == 1 and all(word in said for word in words)
    expect(is_right, f"exit {ran.returncode}, {said[:400]!r}: not one line with {words}")


SCENARIOS = [
    a_locustfile_is_read_and_never_executed,
    every_name_of_locust_stands_on_the_page_for_those_who_come_from_it,
    what_import_makes_of_a_locustfile_sends_what_locust_sends,
]
