"""The live page in a browser: does it move, does it leave alone what its reader does, and does it end with what the stream says?"""

import contextlib
import json
import os
import signal
import subprocess
import time

from browser import browser
from harness import child, clean_environment, end, equal, expect, free_port, wait_for_port
from scenarios_page import CHARTS, check_charts, middle, report, target

UNTIL = """new Promise((done, fail) => {
    const end = performance.now() + 20000;
    const look = () => (%s) ? done(true) : performance.now() > end ? fail(new Error('never')) : setTimeout(look, 30);
    look();
})"""
"""Resolves when an expression holds."""

PATHS = ("/ok", "/bytes/1000", "/delay/20", "/status/500")


def until(page, expression):
    """Waits in the page until an expression holds."""
    page.run(UNTIL % expression)


def tile(page, title):
    """The figure of a tile, without the line below it."""
    return page.run(f"""[...document.querySelectorAll('.tiles div')].find((tile) => tile.querySelector('dt').textContent
        === {json.dumps(title)}).querySelector('dd').firstChild.textContent""")


@contextlib.contextmanager
def live(bench, *flags, paths=PATHS):
    """A run with a live page against the embedded target; yields the process, the page's URL and the stream."""
    stream, port = bench.stream_path(), free_port()
    serving, target_port = target(bench)
    with serving as served:
        wait_for_port(target_port, served, "swarmline target")
        command = [bench.binary, "run", "-H", f"http://127.0.0.1:{target_port}", "-u", "4", "-r", "40", "--wait", "pacing:20ms",
                   "--interval", "500ms", "--web-port", str(port), "--telemetry", stream, *flags, *paths]
        with child(command, signal.SIGKILL, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                   env=clean_environment()) as process:
            wait_for_port(port, process, "the live page")
            yield process, f"http://127.0.0.1:{port}/", stream


def use(page):
    """Does what a reader does: opens details, sorts a table, scrolls, selects a text, puts the focus on a chart."""
    page.run("document.querySelector('.plan').closest('details').open = true")
    page.click(*middle(page, ".endpoints th:nth-child(2) button"))
    page.run("document.querySelector('#chart-rate .plot svg').focus({ preventScroll: true })")
    page.run("window.scrollTo(0, 700)")
    page.run("getSelection().selectAllChildren(document.querySelector('.endpoints tbody .name'))")


def check_use(page):
    """What the reader did is still there."""
    expect(page.run("document.querySelector('.plan').closest('details').open"), "the details were closed")
    equal(page.run("document.querySelector('.endpoints [aria-sort]')?.ariaSort"), "descending", "order of the table")
    counts = page.run("[...document.querySelectorAll('.endpoints tbody tr')].map((row) => Number(row.children[1].dataset.value))")
    equal(counts, sorted(counts, reverse=True), "rows of the sorted table")
    equal(page.run("window.scrollY"), 700, "scroll position")
    equal(page.run("document.activeElement.closest('figure')?.id"), "chart-rate", "focus")
    expect(page.run("getSelection().toString()") in [f"GET {path}" for path in PATHS], "the selected text changed")


def drawn(page):
    """What each chart has drawn, and every text of the page."""
    charts = {name: page.run(f"document.querySelector('#chart-{name} .plot svg').innerHTML") for name in CHARTS}
    return charts, page.run("document.querySelector('main').innerText"), page.run("document.querySelector('h1 + .verdict').innerText")


def the_live_page_moves_keeps_what_its_reader_does_and_ends_as_the_report(bench):
    """In Chromium: figures move; scroll, focus, details, order and selection stay; a reload has the history; the end equals the report."""
    # The page is there before the run begins, and every part of it appears under the reader's eyes.
    start = str(int(time.time()) + 6)
    flags = ("--start-at", start, "-t", "7s", "-s", "1s", "--check", "p95 < 10s", "--check", "failures < 1", "--web-linger", "1m", "--debug-failures", "1")
    with browser(bench.dir) as chromium, live(bench, *flags) as (process, url, stream):
        page = chromium.page(url, 1280)
        expect("waiting for the run" in page.run("document.querySelector('.verdict').innerText"), "the page before the run")
        page.run("[...document.querySelectorAll('main *')].forEach((element) => { element.isOld = true; })")
        until(page, "document.querySelectorAll('.endpoints tbody tr').length === 4")
        early = tile(page, "Requests")
        use(page)
        until(page, f"document.querySelector('.tiles dd').firstChild.textContent !== {json.dumps(early)}")
        until(page, "parseFloat(document.querySelector('#progress').innerText) >= 4.5")
        check_use(page)
        replaced = page.run("['.charts', '#chart-heat', '.tiles', '.phases', '.endpoints'].filter((part) => !document.querySelector(part).isOld)")
        equal(replaced, [], "parts of the page that were replaced")
        expect(int(tile(page, "Requests").replace(",", "")) > int(early.replace(",", "")), "the requests do not grow")
        expect("running" in page.run("document.querySelector('.verdict').innerText"), "the verdict is not one so far")
        expect("not met so far" in page.run("document.querySelector('.checks').innerText"), "the checks so far are not shown")
        screenshots(bench, chromium, url)
        page.ask("Page.reload")
        until(page, "document.querySelector('#data') && document.querySelectorAll('.endpoints tbody tr').length === 4")
        course = page.run("JSON.parse(document.getElementById('data').textContent).course")
        equal(course["from"][0], 0, "begin of the history after a reload")
        expect(len(course["from"]) >= 8, f"{len(course['from'])} intervals after a reload")
        page.run("(() => { const s = document.getElementById('endpoint'); s.selectedIndex = 2; s.dispatchEvent(new Event('change', { bubbles: true })); })()")
        until(page, "document.body && document.querySelector('#progress').innerText.includes('over')")
        page.run("(() => { const s = document.getElementById('endpoint'); s.selectedIndex = 0; s.dispatchEvent(new Event('change', { bubbles: true })); })()")
        check_charts(page)
        path = bench.dir / "report.html"
        report(bench, stream, path)
        equal(drawn(page), drawn(chromium.page(path, 1280)), "the live page at its end, beside the report of the stream")
        equal(page.complaints(), [], "console messages")
        process.send_signal(signal.SIGTERM)
        equal(process.wait(10), 3, "exit code after the linger was ended by a signal")
    return f"{len(course['from'])} intervals at the reload, the end equals the report"


def screenshots(bench, chromium, url):
    """The page during the run, for a person to look at; nothing is wider than a phone."""
    for width, scheme in ((1280, "light"), (1280, "dark"), (390, "light")):
        page = chromium.page(url, width, scheme, mobile=width < 500)
        equal(page.run("document.documentElement.scrollWidth"), width, f"width of the live page at {width}")
        if bench.keep:
            page.screenshot(bench.keep / f"live-{scheme}-{width}.png")
        page.ask("Page.close")


def the_stop_button_stops_the_run_and_pages_elsewhere_cannot(bench):
    """Two presses end the run as a signal does, and the page learns of it; a page of another origin changes nothing; a lost run is said."""
    with browser(bench.dir) as chromium, live(bench, "-t", "1m", paths=("/ok",)) as (process, url, stream):
        page = chromium.page(url, 800)
        stranger = chromium.page(url.replace("127.0.0.1", "localhost"), 800)
        token = page.run("document.getElementById('stop').dataset.token")
        ask = "fetch(%s, { method: 'POST', headers: { 'X-Swarmline-Token': %s } }).then((r) => r.status, () => 'blocked')"
        equal(stranger.run(ask % (json.dumps(url + "stop"), json.dumps(token))), "blocked", "a stop from another origin, with the token")
        plain = "fetch(%s, { method: 'POST', mode: 'no-cors' }).then((r) => r.type, () => 'blocked')"
        equal(stranger.run(plain % json.dumps(url + "stop")), "blocked", "a plain POST from another origin")
        equal(page.run("fetch('stop', { method: 'POST' }).then((r) => r.status)"), 403, "a stop without the token")
        stranger.ask("Page.close")
        until(page, "document.querySelector('.verdict').innerText.includes('passing')")
        expect(process.poll() is None, "the run was stopped from elsewhere")
        chromium.events.clear()
        page.click(*middle(page, "#stop"))
        equal(page.run("document.getElementById('stop').innerText"), "Press again to stop the run", "after one press")
        page.click(*middle(page, "#stop"))
        equal(process.wait(10), 0, "exit code")
        until(page, "document.querySelector('.verdict').innerText === 'passed' && !document.getElementById('stop')")
        equal(page.complaints(), [], "console messages")
    end_line = json.loads(stream.read_text().splitlines()[-1])
    equal(end_line["telemetry"]["telemetry_name"], "swarmline.event.run.end", "last line of the stream")
    with browser(bench.dir) as chromium, live(bench, "-t", "1m", paths=("/ok",)) as (process, url, _):
        page = chromium.page(url, 800)
        until(page, "document.querySelector('.verdict').innerText.includes('passing')")
        end(process, signal.SIGKILL)
        until(page, "!document.getElementById('connection').hidden")
        expect("Trying again" in page.run("document.getElementById('connection').innerText"), "the lost run is not said")
        expect(int(tile(page, "Requests").replace(",", "")) > 0, "what was received is not kept")
    return "stopped by two presses; a killed run is said"


def a_cluster_is_watched_behind_merge(bench):
    """Two shards, `merge - | watch -`: the page shows both while they run, and ends as the report of the merged stream."""
    port, merged, page_path = free_port(), bench.dir / "merged.ndjson", bench.dir / "merged.html"
    serving, target_port = target(bench)
    shard = (f"{bench.binary} run -H http://127.0.0.1:{target_port} -u 4 -r 40 -t 4s --wait pacing:20ms --interval 500ms "
             "--run-id cluster --start-align 1s --shard $i/2 --quiet /ok /delay/20")
    script = (f"for i in 0 1; do {shard} & done | {bench.binary} merge --quiet - | tee {merged} "
              f"| {{ exec sh -c 'echo $$ > {bench.dir}/pid; exec {bench.binary} watch --web-port {port} --web-linger 1m -'; }}")
    with serving as served, browser(bench.dir) as chromium:
        wait_for_port(target_port, served, "swarmline target")
        with child(["sh", "-c", script], signal.SIGKILL, stdin=subprocess.DEVNULL,
                   stderr=subprocess.PIPE, env=clean_environment()) as process:
            wait_for_port(port, process, "the page of the watched stream")
            page = chromium.page(f"http://127.0.0.1:{port}/", 1280)
            equal(page.run("document.getElementById('stop')"), None, "a stop button on a page that only watches")
            until(page, "document.querySelector('#progress').innerText.includes('4 users')")
            until(page, "document.querySelector('#progress').innerText.includes('over')")
            report(bench, merged, page_path)
            equal(drawn(page), drawn(chromium.page(page_path, 1280)), "the watched page at its end, beside the report")
            equal(page.complaints(), [], "console messages")
            os.kill(int((bench.dir / "pid").read_text()), signal.SIGTERM)
            equal(process.wait(10), 0, "exit code of watch")
    return "the page of two shards equals the report of the merged stream"


SCENARIOS = [
    the_live_page_moves_keeps_what_its_reader_does_and_ends_as_the_report,
    the_stop_button_stops_the_run_and_pages_elsewhere_cannot,
    a_cluster_is_watched_behind_merge,
]
