"""CPU per request, compared with other clients: paired rounds on one core, with requests counted by the server."""

import contextlib
import json
import statistics
import time

import clients
from bench import HEAD, SLACK, Run, cpu_us, rate, ratios, spread, table_of
from children import Failed, Skip
from server import Counted
from tools import bench_program

USERS = 64
"""Connections of most comparisons of CPU."""

MANY = 5000
"""Connections of the comparison of throughput."""


def fine(bench):
    """Twice as many rounds of half the length: disturbances by other users of the machine change within five seconds."""
    return {"rounds": 2 * bench.rounds, "seconds": max(1, bench.seconds / 2)}


def compare(bench, title, contenders, bars, key=cpu_us, **rounds):
    """Runs the installed contenders and records the bars: (text, other, most), on the median of paired ratios."""
    there = {}
    for name, work in contenders.items():
        if name == "swarmline" or bench.programs.get(name.partition(" ")[0]):
            there[name] = work
    runs = bench.rounds_of(there, **rounds)
    conclude(bench, title, runs, bars, key)
    return runs


def conclude(bench, title, runs, bars, key=cpu_us):
    """Records the table of the runs, and its bars."""
    bench.table(title, HEAD, table_of(runs, key))
    for text, other, most in bars:
        if other not in runs:
            bench.skip(text, f"{other} is not there")
            continue
        values = ratios(runs, other, key)
        middle = statistics.median(values)
        met = None if most is None else (middle >= most if key is rate else middle <= most)
        is_close = most and (most < 0.1 or 1 < most < 1.05)
        bench.bar(text, spread(values, 3 if is_close else 2), met)


USER_COUNTS = {2: (0.6, None), 8: (0.8, None), 64: (0.85, 1.05), 1000: (0.95, 1.15), 5000: (0.95, 1.15)}
"""Numbers of users, and the most that a request may cost beside oha's and beside that of bare threads."""


def by_users(bench):
    """Small answers over keep-alive connections, stream on, by the number of users; with the floor on bare threads and epoll."""
    beside = {}
    for users, (oha, bare) in USER_COUNTS.items():
        runs = by_users_with(bench, users, oha, bare)
        for name in runs:
            beside.setdefault(name, {})[users] = spread(ratios(runs, name, cpu_us))
    rows = [[name, *(own.get(users, "") for users in USER_COUNTS)] for name, own in beside.items() if name != "swarmline"]
    bench.table("CPU a request, swarmline / another client, by users", ["client", *map(str, USER_COUNTS)], rows)


def by_users_with(bench, users, oha, bare):
    """One number of users; returns the runs."""
    url = bench.server.url()
    others = {"bare threads": clients.bare("threads"), "bare epoll": clients.bare("epoll"), "oha": clients.oha,
              "wrk": clients.wrk, "h2load": clients.h2load, "k6": clients.k6, "hey": clients.hey}
    contenders = {"swarmline": bench.swarmline(url, users)}
    for name, command in others.items():
        contenders[name] = bench.other(command, name.partition(" ")[0], url, users)
    bars = [(f"CPU a request, {users:,} users: at most {oha} x oha", "oha", oha),
            (f"CPU a request, {users:,} users: at most 0.3 x k6", "k6", 0.3)]
    if bare:
        bars.append((f"CPU a request, {users:,} users: at most {bare} x bare threads", "bare threads", bare))
    if users == USERS:
        bars.append((f"CPU a request, {users:,} users: at most 1.2 x wrk", "wrk", 1.2))
    # Starting thousands of users takes a part of a short run.
    rounds = {} if users > USERS else fine(bench) if users == USERS else {"seconds": max(1, bench.seconds / 2)}
    return compare(bench, f"{users:,} keep-alive connections, small answers, stream on", contenders, bars, **rounds)


def stream_cost(bench):
    """Stream and statistics: the whole program against only the users' loop, half of the users each, at the same time.

    One after the other, two runs of the same program differ by more than the 3 % to be measured; at the same time on one
    core, five rounds are within 1 %.
    """
    program = bench_program("users_loop")
    if not program:
        raise Skip("the bench users_loop could not be built")
    runs = {"swarmline": [], "users loop": []}
    for number in range(bench.rounds + 1):
        pair = side_by_side(bench, program, number)
        if number:
            for name, run in zip(runs, pair):
                runs[name].append(run)
    bars = [("Stream and statistics: at most 1.03 x the users' loop alone", "users loop", 1.03)]
    conclude(bench, "The whole and the users' loop alone, at the same time", runs, bars)


def side_by_side(bench, program, number):
    """Runs the whole program and the users' loop at the same time on the clients' core; who starts first alternates.

    Each counts its own requests, and the server must have received their sum; it may miss requests cut off at the end.
    """
    url, users, stream = bench.server.url(), USERS // 2, bench.stream_file()
    commands = [clients.swarmline(bench.binary, url, users, bench.seconds, stream),
                clients.users_loop(program, url, users, bench.seconds)]
    with Counted(bench.server) as counted, contextlib.ExitStack() as stack:
        order = [number % 2, 1 - number % 2]
        children = {which: stack.enter_context(bench.client(commands[which])) for which in order}
        whole, loop = children[0], children[1]
        for child in (whole, loop):
            child.succeed(bench.seconds + SLACK)
        runs = [Run(requests, child.cpu_seconds(), bench.seconds)
                for child, requests in ((whole, bench.stream(stream).sent), (loop, int(loop.said().split()[0])))]
    lost = sum(run.requests for run in runs) - counted.requests
    if not 0 <= lost <= 2 * users:
        raise Failed(f"the server got {counted.requests:,} requests, {lost:,} fewer than were said to be sent")
    return runs


def locust(bench):
    """Locust's users as whole processes, like all others; and the rest without its start-up, a second of imports."""
    url = bench.server.url()
    host = url.removesuffix("/ok")

    def work(user_class):
        return lambda seconds: locust_run(bench, user_class, host, seconds)

    contenders = {
        "swarmline": bench.swarmline(url, USERS),
        "locust FastHttpUser": work("Fast"),
        "locust HttpUser": work("Plain"),
    }
    bars = [
        ("CPU a request: at most 1/15 (0.067) of Locust's FastHttpUser", "locust FastHttpUser", 1 / 15),
        ("CPU a request: at most 1/60 (0.017) of Locust's HttpUser", "locust HttpUser", 1 / 60),
    ]
    runs = compare(bench, "Locust, 64 users, its start-up included", contenders, bars, rounds=min(3, bench.rounds))
    for name in runs.keys() - {"swarmline"}:
        warm = [run.cpu_us - run.start_cpu * 1e6 / run.requests for run in runs[name]]
        share = [mine.cpu_us / theirs for mine, theirs in zip(runs["swarmline"], warm)]
        bench.bar(f"CPU a request: beside {name}, its start-up left out ({spread(warm, 0)} µs)", spread(share, 3), None)


def locust_run(bench, user_class, host, seconds):
    """One complete run of Locust; its CPU time is read at its first request to separate the start-up."""
    argv = clients.locust(bench.program("locust"), user_class, host, USERS, seconds)
    idle = bench.server.requests()
    with bench.client(argv) as child:
        deadline = time.monotonic() + 30
        looks = 1
        while bench.server.requests() - idle <= looks:
            looks += 1
            if child.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"locust sent nothing: {child.said()}")
            time.sleep(0.05)
        start = child.cpu_seconds()
        child.succeed(seconds + SLACK)
        requests = bench.server.requests() - idle - looks - 1
        return Run(requests, child.cpu_seconds(), seconds, start)


def tls_keep_alive(bench):
    """HTTPS with TLS 1.3, 64 keep-alive connections."""
    url = bench.server.url(port="tls")
    contenders = {
        "swarmline": bench.swarmline(url, USERS, ["-k"]),
        "oha": bench.other(clients.oha, "oha", url, USERS, ["--insecure"]),
        "wrk": bench.other(clients.wrk, "wrk", url, USERS),
    }
    bars = [
        ("CPU a request, HTTPS keep-alive: at most 1.0 x oha", "oha", 1.0),
        ("CPU a request, HTTPS keep-alive: beside wrk (OpenSSL)", "wrk", None),
    ]
    compare(bench, "HTTPS (TLS 1.3), 64 keep-alive connections", contenders, bars, **fine(bench))


def tls_new(bench):
    """A new TLS 1.3 connection for every request."""
    url = bench.server.url(port="tls")
    ours, theirs = ["-k", "--no-keepalive"], ["--insecure", "--disable-keepalive"]
    contenders = {
        "swarmline": bench.swarmline(url, USERS, ours),
        "oha": bench.other(clients.oha, "oha", url, USERS, theirs),
    }
    bars = [("CPU a request, new TLS connection each: at most 1.0 x oha", "oha", 1.0)]
    compare(bench, "A new TLS 1.3 connection for every request", contenders, bars, **fine(bench))
    logged = bench.server.url(port="logged")
    short = {
        "swarmline": bench.swarmline(logged, USERS, ours),
        "oha": bench.other(clients.oha, "oha", logged, USERS, theirs),
    }
    for name in contenders:
        if name == "swarmline" or bench.programs.get(name):
            resumed, every = bench.server.resumed()
            run_resumption(bench, name, short[name], (resumed, every))


def run_resumption(bench, name, work, before):
    """Records how many of a client's connections resumed a session, from nginx's log of them."""
    work(1.0)
    resumed, every = (now - then for now, then in zip(bench.server.resumed(), before))
    bench.note(f"{name} resumed {resumed} of {every} TLS sessions, a new connection for every request")


def bodies(bench):
    """Bodies of 100 KB."""
    url = bench.server.url("/100k")
    contenders = {
        "swarmline": bench.swarmline(url, USERS),
        "wrk": bench.other(clients.wrk, "wrk", url, USERS),
        "oha": bench.other(clients.oha, "oha", url, USERS),
    }
    bars = [
        ("CPU a request, bodies of 100 KB: at most 1.1 x wrk", "wrk", 1.1),
        ("CPU a request, bodies of 100 KB: beside oha", "oha", None),
    ]
    compare(bench, "64 keep-alive connections, bodies of 100 KB", contenders, bars)


def throughput(bench):
    """Requests per second at 5,000 connections."""
    url = bench.server.url()
    contenders = {
        "swarmline": bench.swarmline(url, MANY),
        "oha": bench.other(clients.oha, "oha", url, MANY),
        "wrk": bench.other(clients.wrk, "wrk", url, MANY),
    }
    bars = [
        ("Throughput at 5,000 users: at least oha's", "oha", 1.0),
        ("Throughput at 5,000 users: at least wrk's", "wrk", 1.0),
    ]
    compare(bench, "5,000 keep-alive connections (ratio of requests/s)", contenders, bars, key=rate)


def templates(bench):
    """A templated request compared with a prepared one: the same scenario with fixed values in place of expressions."""
    holes = scenario(bench, "templated", "${random(100000,999999)}", "${uuid}", "${user}-${iteration}")
    values = scenario(bench, "fixed", "123456", "0b4f8a52-6d3c-4b7e-9c41-5f2f6f1f8f11", "17-1234")
    runs = bench.rounds_of({"swarmline": holes, "swarmline, prepared": values})
    bars = [("CPU a request with templates: at most 1.15 x a prepared one", "swarmline, prepared", 1.15)]
    conclude(bench, "Templates in path, header and JSON body", runs, bars)


def loops(bench):
    """A request in a loop, with a condition around it, compared with the same request as a task of its own."""
    values = "123456", "0b4f8a52-6d3c-4b7e-9c41-5f2f6f1f8f11", "17-1234"
    repeated = scenario(bench, "repeated", *values,
                        lambda step: {"repeat": 1000, "as": "i", "requests": [{"when": "${i} < 1000", "requests": [step]}]})
    alone = scenario(bench, "alone", *values)
    runs = bench.rounds_of({"swarmline": repeated, "swarmline, alone": alone})
    bars = [("CPU a request in a loop with a condition: at most 1.15 x one alone", "swarmline, alone", 1.15)]
    conclude(bench, "A loop and a condition around a request", runs, bars)


def scenario(bench, name, number, identity, place, within=lambda step: step):
    """For `rounds_of`: a scenario of one POST with these values in its path, a header and its JSON body."""
    step = {
        "post": f"/ok?page={number}", "name": "/ok",
        "headers": {"X-Request-Id": identity},
        "json": {"item": number, "user": place, "note": "as long as a small order usually is, which is not much"},
    }
    path = bench.folder / f"{name}.json"
    path.write_text(json.dumps({"user_classes": [{"tasks": [{"requests": [within(step)]}]}]}))
    return bench.swarmline(None, USERS, ["-f", path, "-H", bench.server.url("")])


SCENARIOS = [by_users, stream_cost, templates, loops, tls_keep_alive, tls_new, bodies, throughput, locust]
