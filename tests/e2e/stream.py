"""Reads a telemetry stream independently of swarmline's code, and checks the promises of its description.

`read` checks what is true of every line and of every stream, also of one that was cut off; `read_whole` checks the
order and the sums of one that came to its end.
"""

import json
import re
from datetime import datetime, timezone

from harness import Failed, equal, expect

LINE_LIMIT = 4096
"""Maximum bytes of a line including the newline: a pipe never splits a write of this size."""

CONTRACT = "locust.tl."
STATS = "locust.tl.request.metric.stats"
SPAWNED = "locust.tl.event.spawn.complete"
STOPPED = "locust.tl.event.test.stop"
RUN_END = "swarmline.event.run.end"
CHECK = "swarmline.event.check"
WARNING = "swarmline.event.warning"
UNFINISHED = "swarmline.metric.unfinished"
PIECE = "swarmline.metric.histogram"
CPU_WARNING = "locust.tl.event.cpu.warning"

ENVELOPE = ["time", "level", "name", "message", "telemetry"]
FIRST_SIX = ["telemetry_type", "telemetry_name", "source", "source_id", "run_id", "testplan"]
STATISTICS = ["method", "name", "num_requests", "num_failures", "min_response_time", "max_response_time", "current_rps",
              "current_fail_per_sec", "avg_response_time", "median_response_time", "total_rps", "total_fail_per_sec",
              "avg_content_length", "percentile_95", "percentile_99"]
ADDED_STATISTICS = ["percentile_50", "percentile_90", "percentile_99_9"]
OWN_KEYS = {
    "locust.tl.event.test.start": [],
    SPAWNED: ["user_count"],
    STOPPED: ["end_time", "stopped_at", "reason"],
    CPU_WARNING: ["value", "unit"],
    "locust.tl.system.metric.cpu": ["value", "unit", "available_cpus"],
    "locust.tl.system.metric.mem": ["value", "unit"],
    "locust.tl.system.metric.network": ["value", "unit", "direction", "delta"],
}
STATS_KEYS = {
    "current": ["stats_type", "user_count", *STATISTICS],
    "final": ["stats_type", "user_count", *STATISTICS],
    "error": ["stats_type", "status", "method", "name", "error", "occurrences", "first_seen", "last_seen"],
    "success": ["stats_type", "status", *STATISTICS],
}
INTEGERS = {"user_count", "num_requests", "num_failures", "occurrences", "tick", "seq"}
TEXTS = {"telemetry_type", "telemetry_name", "source", "source_id", "run_id", "testplan", "unit", "direction",
         "end_time", "stopped_at", "reason", "stats_type", "status", "method", "name", "error"}
MAY_BE_EMPTY = {"method"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def strict(text):
    """Standard JSON: no NaN, no Infinity, no duplicate keys."""

    def refuse(constant):
        raise ValueError(f"{constant} is not JSON")

    def once(pairs):
        keys = [key for key, _ in pairs]
        if len(set(keys)) != len(keys):
            raise ValueError(f"a key twice in {keys}")
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


def seconds(time):
    """A line's time as Unix seconds."""
    return datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()


class Line:
    """One line: its number, its envelope and its telemetry."""

    def __init__(self, number, raw):
        self.number = number
        expect(len(raw) + 1 <= LINE_LIMIT, f"line {number} has {len(raw) + 1} bytes")
        try:
            self.envelope = strict(raw.decode("utf-8"))
        except ValueError as error:
            raise Failed(f"line {number}: {error}: {raw[:200]!r}") from None
        equal(list(self.envelope), ENVELOPE, f"line {number}, keys of the envelope")
        self.telemetry = self.envelope["telemetry"]
        equal(list(self.telemetry)[:6], FIRST_SIX, f"line {number}, first keys of telemetry")
        equal(list(self.telemetry)[-1], "seq", f"line {number}, last key of telemetry")
        self.name = self.telemetry["telemetry_name"]

    def __getitem__(self, key):
        if key not in self.telemetry:
            raise Failed(f"line {self.number} ({self.name}) has no {key}")
        return self.telemetry[key]

    def get(self, key):
        """The value, or None."""
        return self.telemetry.get(key)

    @property
    def kind(self):
        """The kind of line: its name, and the type and status of a statistics line."""
        if self.name != STATS:
            return self.name
        return self["status"] if self["stats_type"] == "endpoint" else self["stats_type"]


class Stream:
    """The lines of one stream, by kind."""

    def __init__(self, lines):
        self.lines = lines

    def all(self, kind):
        """All lines of a kind, in order."""
        return [line for line in self.lines if line.kind == kind]

    def one(self, kind):
        """The only line of a kind."""
        found = self.all(kind)
        equal(len(found), 1, f"number of {kind} lines")
        return found[0]

    @property
    def end(self):
        """The last line's totals."""
        return self.one(RUN_END)

    @property
    def final(self):
        """The statistics over the whole run."""
        return self.one("final")

    @property
    def last_tick(self):
        """The number of the last tick."""
        return self.all("current")[-1]["tick"]

    def endpoints(self):
        """Endpoint lines by (method, name)."""
        return {(line["method"], line["name"]): line for line in self.all("success")}

    def errors(self):
        """Occurrences by (name, error)."""
        return {(line["name"], line["error"]): line["occurrences"] for line in self.all("error")}


def check_contract(line):
    """Checks the keys of a contract line: in order, each of its type, never null, numbers never as text."""
    wanted = STATS_KEYS[line.kind] if line.name == STATS else OWN_KEYS.get(line.name)
    expect(wanted is not None, f"line {line.number}: the contract knows no {line.name}")
    own = list(line.telemetry)[6:]
    equal([key for key in own if key in wanted], wanted, f"line {line.number} ({line.kind}), keys in order")
    if "num_requests" in wanted:
        for key in ADDED_STATISTICS:
            expect(key in own, f"line {line.number} ({line.kind}) has no {key}")
    for key in wanted + ADDED_STATISTICS * ("num_requests" in wanted):
        value = line[key]
        what = f"line {line.number} ({line.kind}): {key} = {value!r}"
        if key in TEXTS:
            expect(isinstance(value, str) and (value or key in MAY_BE_EMPTY), f"{what} is not a text")
        elif key in INTEGERS or (line.name.endswith(".network") and key == "value"):
            expect(type(value) is int and value >= 0, f"{what} is not a count")
        elif key != "delta":
            expect(type(value) is float and value >= 0, f"{what} is not a number with a fraction")


def check_statistics(line):
    """Checks any statistics: ascending percentiles, and 0 everywhere without a request."""
    t = line.telemetry
    what = f"line {line.number} ({line.kind} {t['name']})"
    expect(t["num_failures"] <= t["num_requests"], f"{what}: more failures than requests")
    if t["num_requests"] == 0:
        filled = [key for key in STATISTICS[2:] + ADDED_STATISTICS if t[key] != 0]
        expect(not filled, f"{what}: no request, but {filled} are not 0")
    ladder = ["min_response_time", "percentile_50", "percentile_90", "percentile_95", "percentile_99",
              "percentile_99_9", "max_response_time"]
    values = [t[key] for key in ladder]
    expect(values == sorted(values), f"{what}: {ladder} do not ascend: {values}")
    equal(t["median_response_time"], t["percentile_50"], f"{what}, median")
    expect(values[0] - 0.001 <= t["avg_response_time"] <= values[-1] + 0.001, f"{what}: average outside of min and max")


def read(data):
    """Checks every line by itself and against the previous one; `data` are bytes without an incomplete last line."""
    expect(data.endswith(b"\n"), f"the stream does not end with a newline: {data[-80:]!r}")
    lines = [Line(number, raw) for number, raw in enumerate(data[:-1].split(b"\n"), 1)]
    first = lines[0]
    before = ""
    for line in lines:
        what = f"line {line.number} ({line.name})"
        ours = not line.name.startswith(CONTRACT)
        expect(TIME.fullmatch(line.envelope["time"]), f"{what}: time {line.envelope['time']!r}")
        expect(line.envelope["time"] >= before, f"{what}: time went back from {before} to {line.envelope['time']}")
        before = line.envelope["time"]
        equal(line["seq"], line.number, f"{what}, seq")
        kind = "event" if ".event." in line.name else "metrics"
        equal(line["telemetry_type"], kind, f"{what}, telemetry_type")
        equal(line.envelope["message"], f"Recording telemetry {kind}: {line.name}", f"{what}, message")
        equal(line.envelope["name"], "swarmline" if ours else "locust_telemetry.recorders.json.handlers", f"{what}, name")
        equal(line.envelope["level"], "WARNING" if line.name in (WARNING, CPU_WARNING) else "INFO", f"{what}, level")
        for key in FIRST_SIX[2:]:
            equal(line[key], first[key], f"{what}, {key}")
        if not ours:
            check_contract(line)
        if line.kind in ("current", "final", "success"):
            check_statistics(line)
    equal((first["source"], first["source_id"]), ("LocalRunner", "local"), "source of a run on its own")
    stream = Stream(lines)
    check_start_and_ticks(stream)
    return stream


def check_start_and_ticks(stream):
    """Checks the order: test.start, config, tick 0; each tick current, cpu, mem, sent, recv, then ours, all with its number."""
    kinds = [line.kind for line in stream.lines]
    equal(kinds[0], "locust.tl.event.test.start", "first line")
    if len(kinds) > 1:
        equal(kinds[1], "swarmline.event.config", "second line")
    currents = stream.all("current")
    if not currents:
        return
    begin = currents[0].number - 1
    expect(set(kinds[1:begin]) <= {"swarmline.event.config", WARNING}, f"before tick 0: {sorted(set(kinds[1:begin]))}")
    equal([line["tick"] for line in currents], list(range(len(currents))), "ticks")
    equal(currents[0]["num_requests"], 0, "requests of tick 0")
    block = ["current", "locust.tl.system.metric.cpu", "locust.tl.system.metric.mem"]
    block += ["locust.tl.system.metric.network"] * 2
    for current in currents:
        whole = [line for line in stream.lines if line.get("tick") == current["tick"] and line.kind not in (WARNING, CPU_WARNING)]
        if current is not currents[-1] or len(whole) >= len(block):
            equal([line.kind for line in whole[:5]], block, f"first lines of tick {current['tick']}")
            equal([whole[3]["direction"], whole[4]["direction"]], ["sent", "recv"], "network's directions")
            expect(all(not line.name.startswith(CONTRACT) for line in whole[5:]), "a contract line late in its tick")
    newest = -1
    for line in stream.lines:
        tick = line.get("tick")
        if tick is not None and line.kind != WARNING:
            expect(tick >= newest, f"line {line.number}: tick {tick} after tick {newest}")
            newest = tick
    for key in ("num_requests", "num_failures", "max_response_time"):
        values = [line[key] for line in currents]
        expect(values == sorted(values), f"{key} falls over the ticks: {values}")


def read_whole(data):
    """Like `read`, and checks the order of the last lines and the sums of a complete stream."""
    stream = read(data)
    kinds = [line.kind for line in stream.lines]
    equal(kinds[-1], RUN_END, "last line")
    stop = kinds.index(STOPPED) if STOPPED in kinds else len(kinds)
    unfinished = {UNFINISHED, PIECE}
    behind = next((at for at in range(stop + 1, len(kinds)) if kinds[at] not in unfinished | {WARNING}), len(kinds))
    tail = [kind for at, kind in enumerate(kinds[stop:], stop) if kind != WARNING and not stop < at < behind]
    wanted = [STOPPED, "final", *["error"] * kinds.count("error"), *["success"] * kinds.count("success")]
    wanted += [*[CHECK] * kinds.count(CHECK), RUN_END]
    equal(tail, wanted, "lines of the end")
    before_stop = [line for line in stream.lines[:stop] if line.get("tick") is not None]
    late = [line for line in stream.lines[stop:] if line.get("tick") is not None and line.kind not in unfinished | {WARNING}]
    expect(before_stop[-1]["tick"] == stream.last_tick and not late, "lines of a tick after test.stop")
    end, final, last = stream.end, stream.final, stream.all("current")[-1]
    equal(end["lines"], len(kinds), "lines of run.end")
    equal(end["due"], end["sent"] + end["unsent"], "due")
    for key in ("aborted", "unsent", "overdue"):
        equal(sum(line[key] for line in stream.all(UNFINISHED)), end[key], f"{key} over the lines about unfinished requests")
    equal(end["sent"], end["completed"] + end["aborted"], "sent")
    equal(end["completed"], end["ok"] + end["failed"], "completed")
    equal((final["num_requests"], final["num_failures"]), (end["completed"], end["failed"]), "final and run.end")
    for key in ("user_count", "num_requests", "num_failures"):
        equal(last[key], final[key], f"{key} of the last tick and of final")
    endpoints = stream.all("success")
    for key in ("num_requests", "num_failures"):
        equal(sum(line[key] for line in endpoints), final[key], f"{key} over the endpoints")
    equal(sum(stream.errors().values()), final["num_failures"], "occurrences over the errors")
    return stream


def check_grid(stream, interval):
    """Checks that ticks are at start + k × interval, never early (but for the last one) and at most a second late."""
    currents = stream.all("current")
    start = seconds(currents[0].envelope["time"])
    for line in currents[1:-1]:
        late = seconds(line.envelope["time"]) - start - line["tick"] * interval
        expect(-0.25 <= late <= 1.0, f"tick {line['tick']} is {late:+.3f} s off its place")
