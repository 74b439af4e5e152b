"""The parts of a run's stream that the benches need."""

import json
from datetime import datetime

from children import Failed


def why_not(path):
    """Why a run did not pass, according to its stream: reasons and errors. The run itself was quiet."""
    try:
        lines = [line for _, line in Stream.read(path).lines]
    except (OSError, ValueError, Failed) as why:
        return f"no stream that could explain it ({why})"
    reasons = [reason for line in lines for reason in line.get("reasons", [])]
    errors = [f"{line['occurrences']:,} x {line['error']}" for line in lines if "occurrences" in line]
    return "; ".join([*reasons, *errors]) or "its stream gives no reason"


class Stream:
    """The lines of one run: the `telemetry` of each, with its time."""

    def __init__(self, lines):
        self.lines = lines

    @classmethod
    def read(cls, path):
        """Reads all lines of a file."""
        lines = []
        for text in path.read_text().splitlines():
            line = json.loads(text)
            lines.append((datetime.fromisoformat(line["time"].replace("Z", "+00:00")).timestamp(), line["telemetry"]))
        if not lines:
            raise Failed("swarmline wrote no line")
        return cls(lines)

    def time_of(self, name):
        """The time of the first line with this name, in Unix time."""
        for at, line in self.lines:
            if line["telemetry_name"] == name:
                return at
        raise Failed(f"the stream has no {name}")

    @property
    def started(self):
        """When the run began."""
        return self.time_of("locust.tl.event.test.start")

    @property
    def sent(self):
        """Number of requests sent, including those cut off at the end."""
        last = [line for _, line in self.lines if line["telemetry_name"] == "swarmline.event.run.end"]
        if not last:
            raise Failed("the stream has no end")
        return last[-1]["sent"]

    def spawn_seconds(self):
        """Time from the start until all requested users were running; None if they never were."""
        try:
            return self.time_of("locust.tl.event.spawn.complete") - self.started
        except Failed:
            return None

    def memory(self):
        """Resident memory over time: pairs of seconds since the start and MiB."""
        name = "locust.tl.system.metric.mem"
        return [(at - self.started, line["value"]) for at, line in self.lines if line["telemetry_name"] == name]
