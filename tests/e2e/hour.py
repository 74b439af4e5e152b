"""Makes a stream of an hour from one of seconds by repeating its ticks with later times."""

import json
from datetime import datetime, timedelta, timezone

TIMES = ("interval_start", "interval_end")


def moved(time, seconds):
    """A time of the stream, later by this number of seconds."""
    moment = datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def stretch(source, path, ticks):
    """Writes to `path` the stream of `source`, whose ticks are a second long, with `ticks` ticks in place of its own.

    Those between its second and its last one are taken in turn. It has no end, as that would not add up.
    """
    lines = [json.loads(raw) for raw in source.read_bytes().splitlines()]
    numbers = [line["telemetry"].get("tick") for line in lines]
    last = max(number for number in numbers if number is not None)
    by_tick = {}
    for line, number in zip(lines, numbers):
        if number is not None:
            by_tick.setdefault(number, []).append(line)
    head = lines[: numbers.index(1)]
    seq = 0
    with path.open("w") as out:

        def write(line, seconds=0, tick=None):
            nonlocal seq
            seq += 1
            telemetry = dict(line["telemetry"], seq=seq)
            telemetry.update({key: moved(telemetry[key], seconds) for key in TIMES if key in telemetry})
            if tick is not None:
                telemetry["tick"] = tick
            out.write(json.dumps(dict(line, time=moved(line["time"], seconds), telemetry=telemetry)) + "\n")

        for line in head:
            write(line)
        turn = range(2, last)
        for tick in range(1, ticks + 1):
            number = tick if tick < 2 else turn[(tick - 2) % len(turn)]
            for line in by_tick[number]:
                write(line, tick - number, tick)
