"""The command lines of the clients, chosen so that all do the same work."""

from pathlib import Path

LOCUSTFILE = Path(__file__).with_name("locust_users.py")

K6_SCRIPT = Path(__file__).with_name("k6_users.js")


def swarmline(binary, url, users, seconds, stream, extra=()):
    """swarmline, with its stream written to a file; without a URL for a scenario."""
    return [binary, "run", "-u", users, "-r", 100_000, "-t", f"{seconds:g}s", "--interval", "1s",
            "--telemetry", stream, "--quiet", *extra, *([url] if url else [])]


def users_loop(program, url, users, seconds):
    """Only the users' loop: benches/users_loop.rs."""
    return [program, "-u", users, "-r", 100_000, "-t", f"{seconds:g}s", url]


def oha(program, url, users, seconds, extra=()):
    """oha, which keeps connections alive by default."""
    return [program, "--no-tui", "--output-format", "quiet", "-z", f"{seconds:g}s", "-c", users, *extra, url]


def wrk(program, url, users, seconds):
    """wrk on one thread, because it has one core; it accepts only whole seconds."""
    return [program, "-t", 1, "-c", users, "-d", f"{max(1, round(seconds))}s", "--timeout", "30s", url]


def hey(program, url, users, seconds):
    """hey on one core."""
    return [program, "-cpus", 1, "-z", f"{seconds:g}s", "-c", users, url]


def h2load(program, url, users, seconds):
    """h2load with HTTP/1.1 on one thread; it accepts only whole seconds."""
    return [program, "--h1", "-t", 1, "-c", users, "-D", max(1, round(seconds)), url]


def k6(program, url, users, seconds):
    """k6 without its summary and usage report; the script takes the address from the environment."""
    return [program, "run", "--quiet", "--no-usage-report", "--no-summary", "--address", "", "-u", users, "-d",
            f"{seconds:g}s", "-e", f"URL={url}", K6_SCRIPT]


def bare(mode):
    """The bare client of bare_threads.c in one of its modes: `threads` or `epoll`."""

    def command(program, url, users, seconds):
        address, _, path = url.removeprefix("http://").partition("/")
        return [program, mode, users, max(1, round(seconds)), address.rpartition(":")[2], "/" + path]

    return command


def locust(program, user_class, url, users, seconds):
    """Locust without its web interface; `user_class` is a class in locust_users.py."""
    return [program, "-f", LOCUSTFILE, user_class, "--headless", "-u", users, "-r", users, "-t", f"{round(seconds)}s",
            "-H", url, "--only-summary", "--loglevel", "ERROR"]
