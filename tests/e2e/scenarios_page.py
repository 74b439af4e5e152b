"""The HTML report in a browser: does it show its data, does it load and run nothing else, how large does it get?"""

import json
import re
import shutil
import signal
import subprocess
import time

import hour
from browser import browser
from harness import child, clean_environment, equal, expect, free_port, wait_for_port

CHARTS = ["rate", "latency", "users", "bytes", "heat", "spectrum", "cpu", "lateness"]

SIZE_LIMIT = 2_000_000
"""Maximum size in bytes of the page about an hour with ticks of one second and 20 endpoints."""

OPEN_LIMIT = 1000
"""Milliseconds within which such a page is loaded and drawn."""

HOSTILE = "</script><script>window.hostile=1</script><img src=x onerror=window.hostile=2>\" onfocus=\"window.hostile=3"
"""A name that would run as a script."""


def target(bench):
    """`swarmline target` on a free port, as a child; yields the host."""
    port = free_port()
    command = [bench.binary, "target", "--listen", f"127.0.0.1:{port}"]
    return child(command, signal.SIGTERM, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL), port


def report(bench, stream, page, code=0):
    """Runs `swarmline report --html`; returns how long it took."""
    began = time.monotonic()
    command = [bench.binary, "report", stream, "--html", page]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=clean_environment(), timeout=120)
    equal(done.returncode, code, f"exit code of report, stderr {done.stderr[-300:]!r}")
    return time.monotonic() - began


def recorded(bench, *flags):
    """A short run against the embedded target: its stream and its page."""
    stream, page = bench.stream_path(), bench.dir / "page.html"
    serving, port = target(bench)
    with serving as process:
        wait_for_port(port, process, "swarmline target")
        bench.run("-H", f"http://127.0.0.1:{port}", "--telemetry", stream, "--html", page, *flags).must_exit(1)
    return stream, page


def check_charts(page):
    """Every chart exists, has a size, and has drawn something."""
    for name in CHARTS:
        found = page.run(f"""(() => {{
            const svg = document.querySelector('#chart-{name} .plot svg');
            const box = svg?.getBoundingClientRect();
            const paths = [...svg?.querySelectorAll('path') ?? []].filter((path) => path.getBoundingClientRect().width > 0);
            return svg && [box.width, box.height, paths.length, svg.textContent.includes('NaN') || svg.innerHTML.includes('NaN')];
        }})()""")
        expect(found, f"no chart {name}")
        expect(found[0] > 200 and found[1] > 100, f"chart {name} is {found[0]:g} by {found[1]:g}")
        expect(found[2] > 0 or name == "lateness", f"chart {name} shows nothing")
        expect(not found[3], f"chart {name} contains NaN")


def check_quiet(page, path):
    """No error on the console, and nothing was loaded except the page."""
    equal(page.complaints(), [], "console messages")
    loaded = [url for url in page.requests() if not url.startswith("data:")]
    equal(loaded, [path.resolve().as_uri()], "what was loaded")


def middle(page, selector):
    """The centre of an element, after scrolling to it."""
    return page.run(f"""(() => {{
        const element = document.querySelector({json.dumps(selector)});
        element.scrollIntoView({{ block: 'center' }});
        const box = element.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2];
    }})()""")


def column(page, number):
    """The texts of a column of the endpoint table."""
    return page.run(f"[...document.querySelectorAll('.endpoints tbody tr')].map((row) => row.children[{number}].textContent)")


def check_sort(page):
    """A click sorts numbers, largest first, and again in the other direction; the keyboard does the same with names."""
    largest_first = lambda texts: sorted(texts, key=lambda text: -int(text.replace(",", "")))
    head = ".endpoints th:nth-child(2) button"
    page.click(*middle(page, head))
    counts = column(page, 1)
    equal(counts, largest_first(counts), "requests after a click")
    page.click(*middle(page, head))
    equal(column(page, 1), largest_first(counts)[::-1], "requests after another click")
    page.run("document.querySelector('.endpoints th:first-child button').focus()")
    page.press("Enter")
    names = column(page, 0)
    equal(names, sorted(names), "names after Enter")
    sorting = page.run("[...document.querySelectorAll('.endpoints [aria-sort]')].map((head) => head.ariaSort)")
    equal(sorting, ["ascending"], "aria-sort")
    equal(page.run("document.querySelector('.endpoints tfoot td').textContent"), "All requests", "last line")


def tip(page):
    """The text of the tooltip; empty if there is none."""
    return page.run("document.getElementById('tip').hidden ? '' : document.getElementById('tip').innerText")


def check_hover(page):
    """Values are shown under the pointer and with the arrow keys, in every chart, and disappear."""
    for name in CHARTS:
        page.move(*middle(page, f"#chart-{name} .plot svg"))
        expect(re.search(r"\d", tip(page)), f"chart {name} shows no value under the pointer")
    page.move(1, 1)
    equal(tip(page), "", "what is shown when the pointer is elsewhere")
    page.run("document.querySelector('#chart-rate .plot svg').focus()")
    page.press("ArrowRight")
    page.press("ArrowRight")
    expect("requests/s" in tip(page), "the arrow keys show nothing")


def the_page_shows_its_charts_and_sorts_its_tables(bench):
    """In Chromium: no console message, each chart drawn, values under the pointer, tables sorted by click and by key."""
    flags = ["-u", "8", "-r", "4", "-t", "5s", "-s", "1s", "--interval", "500ms", "--wait", "pacing:20ms"]
    _, path = recorded(bench, *flags, "/ok", "/bytes/1000", "/delay/50", "/status/500")
    with browser(bench.dir) as chromium:
        page = chromium.page(path, 1280)
        check_charts(page)
        check_quiet(page, path)
        check_hover(page)
        check_sort(page)
        before = page.run("document.querySelector('#chart-rate .plot .line').getAttribute('d')")
        page.run("(() => { const s = document.getElementById('endpoint'); s.selectedIndex = 1; s.dispatchEvent(new Event('change', { bubbles: true })); })()")
        expect(before != page.run("document.querySelector('#chart-rate .plot .line').getAttribute('d')"), "the choice of an endpoint changes nothing")
        check_charts(page)
        check_quiet(page, path)
    return f"{len(CHARTS)} charts, {path.stat().st_size:,} bytes"


def the_page_fits_a_phone_and_paper_and_both_colour_schemes(bench):
    """Light and dark differ, nothing is wider than a phone, and it prints; screenshots are taken of each."""
    _, path = recorded(bench, "-u", "4", "-r", "4", "-t", "3s", "--interval", "500ms", "--wait", "10ms", "/ok", "/status/503")
    backs = {}
    with browser(bench.dir) as chromium:
        for width, scheme in ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")):
            page = chromium.page(path, width, scheme, mobile=width < 500)
            check_charts(page)
            check_quiet(page, path)
            backs[scheme] = page.run("getComputedStyle(document.body).backgroundColor")
            equal(page.run("document.documentElement.scrollWidth"), width, f"width of the page at {width}")
            image = bench.dir / f"{scheme}-{width}.png"
            page.screenshot(image)
            expect(image.stat().st_size > 30_000, f"{image.name} has {image.stat().st_size} bytes")
        page.pdf(bench.dir / "page.pdf")
    expect(backs["light"] != backs["dark"], f"light and dark are both {backs['light']}")
    if bench.keep:
        for made in (*bench.dir.glob("*.png"), path, bench.dir / "page.pdf"):
            shutil.copy(made, bench.keep)
    return f"backgrounds {backs}"


def charts_on_paper_have_readable_texts_and_the_plan_is_open(bench):
    """Printed, each chart is drawn for its place on A4 paper, so its texts keep their size; afterwards the screen is as before."""
    _, path = recorded(bench, "-u", "4", "-r", "4", "-t", "3s", "--interval", "500ms", "--wait", "10ms", "/ok", "/status/503")
    scales = """[...document.querySelectorAll('.plot svg')].map((svg) => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"""
    is_open = "document.querySelector('table.plan').closest('details').open"
    with browser(bench.dir) as chromium:
        page = chromium.page(path, 1280)
        on_screen = page.run(scales)
        # 210 mm less two margins of 12 mm, at 96 pixels an inch.
        page.ask("Emulation.setDeviceMetricsOverride", width=703, height=1032, deviceScaleFactor=1, mobile=False)
        page.ask("Emulation.setEmulatedMedia", media="print")
        page.run("window.dispatchEvent(new Event('beforeprint'))")
        on_paper = page.run(scales)
        equal(len(on_paper), len(CHARTS), "charts on paper")
        expect(all(0.97 < scale < 1.1 for scale in on_paper), f"charts on paper are scaled by {on_paper}")
        expect(page.run(is_open), "the plan is closed on paper")
        equal(page.run("document.documentElement.scrollWidth"), 703, "width of the page on paper")
        page.ask("Emulation.setEmulatedMedia", media="")
        page.ask("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)
        page.run("window.dispatchEvent(new Event('afterprint'))")
        equal([round(scale, 3) for scale in page.run(scales)], [round(scale, 3) for scale in on_screen], "charts on the screen again")
        expect(not page.run(is_open), "the plan stays open on the screen")
        page.pdf(bench.dir / "paper.pdf")
        check_quiet(page, path)
    pages = len(re.findall(rb"/Type\s*/Page\b", (bench.dir / "paper.pdf").read_bytes()))
    expect(2 <= pages <= 4, f"{pages} pages of paper")
    return f"{pages} pages, charts scaled by {min(on_paper):.2f} to {max(on_paper):.2f}"


def a_short_last_interval_is_no_incident_in_the_charts(bench):
    """The interval after the load is shorter than a tick: no line of a chart goes through it, and the pointer shows it."""
    flags = ["-u", "8", "-r", "100", "-t", "3s", "-s", "1s", "--interval", "1s", "--wait", "pacing:20ms"]
    stream, path = recorded(bench, *flags, "/ok", "/delay/150", "/status/500")
    with browser(bench.dir) as chromium:
        page = chromium.page(path, 1280)
        course = json.loads(page.run("document.getElementById('data').textContent"))["course"]
        drain = course["phase"][-1], course["to"][-1] - course["from"][-1]
        equal(drain[0], "e", "phase of the last interval")
        expect(drain[1] < 0.5, f"the drain took {drain[1]} s")
        for name in ("rate", "latency", "users", "bytes", "cpu"):
            place, end = page.run(f"""(() => {{
                const svg = document.querySelector('#chart-{name} .plot svg');
                const ends = [...svg.querySelectorAll('path.line')].map((path) => path.getBBox()).map((box) => box.x + box.width);
                const drain = svg.querySelector('rect.drain').getBBox();
                return [Math.max(...ends), drain.x];
            }})()""")
            expect(place < end, f"a line of chart {name} goes on to {place}, where the load ended at {end}")
        page.run("document.querySelector('#chart-rate .plot svg').focus()")
        page.press("ArrowLeft")
        expect("drain" in tip(page), f"the pointer shows {tip(page)!r}")
        equal(course["wanted"][:-1], [8] * (len(course["wanted"]) - 1), "users wanted until the load ended")
        for table in ("timings", "endpoints"):
            page.ask("Emulation.setDeviceMetricsOverride", width=1200, height=900, deviceScaleFactor=1, mobile=False)
            room = page.run(f"(() => {{ const box = document.querySelector('.{table}').parentElement; return box.scrollWidth - box.clientWidth; }})()")
            equal(room, 0, f"how far the table of {table} scrolls sideways at 1,200 pixels")
    return f"a drain of {drain[1] * 1000:.0f} ms"


def a_hostile_name_in_a_page_does_not_run(bench):
    """Names, errors and settings full of markup are shown as text, and run nothing."""
    stream, path = recorded(bench, "-n", "40", "-u", "2", "/ok", "/status/500")
    text = stream.read_text().replace('"/ok"', json.dumps(HOSTILE)).replace("http_5xx: 500", json.dumps(HOSTILE)[1:-1])
    hostile = bench.dir / "hostile.ndjson"
    hostile.write_text(text)
    report(bench, hostile, path)
    with browser(bench.dir) as chromium:
        page = chromium.page(path, 1280)
        check_charts(page)
        check_quiet(page, path)
        check_hover(page)
        page.run("document.querySelectorAll('th button').forEach((button) => button.click())")
        equal(page.run("typeof window.hostile"), "undefined", "what the name left behind")
        equal(page.run("document.images.length"), 0, "images")
        expect(f"GET {HOSTILE}" in column(page, 0), "the name is not shown as it is")
        # The policy itself: scripts added to the page later do not run either.
        page.run("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.hostile=4>')")
        page.run("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.hostile=5' }))")
        equal(page.run("new Promise((done) => setTimeout(() => done(typeof window.hostile), 200))"), "undefined", "what ran")
    return "escaped, and refused by the policy"


def an_hour_of_20_endpoints_is_a_page_below_2_mb_that_opens_within_a_second(bench):
    """3,600 ticks of one second, 20 endpoints: size of the page, time to create it, time to open it."""
    paths = [f"/bytes/{100 * n}" for n in range(1, 20)] + ["/status/503"]
    stream, path = recorded(bench, "--rate", "2000", "--arrival", "poisson", "-t", "12s", "-s", "1s", "--interval", "1s", *paths)
    whole = bench.dir / "hour.ndjson"
    hour.stretch(stream, whole, 3600)
    took = report(bench, whole, path, 4)
    empty = bench.dir / "empty.html"
    empty.write_text("<!doctype html><title>empty</title>")
    size = path.stat().st_size
    expect(size < SIZE_LIMIT, f"{size:,} bytes")
    with browser(bench.dir) as chromium:
        # The first page includes the start of the browser.
        chromium.page(empty, 1280)
        page = chromium.page(path, 1280)
        opened = page.run("performance.getEntriesByType('navigation')[0].loadEventEnd")
        check_charts(page)
        check_quiet(page, path)
        expect(opened < OPEN_LIMIT, f"opened after {opened:.0f} ms")
    return f"{size:,} bytes, made in {took:.1f} s from {whole.stat().st_size:,}, opened in {opened:.0f} ms"


SCENARIOS = [
    the_page_shows_its_charts_and_sorts_its_tables,
    the_page_fits_a_phone_and_paper_and_both_colour_schemes,
    charts_on_paper_have_readable_texts_and_the_plan_is_open,
    a_short_last_interval_is_no_incident_in_the_charts,
    a_hostile_name_in_a_page_does_not_run,
    an_hour_of_20_endpoints_is_a_page_below_2_mb_that_opens_within_a_second,
]
