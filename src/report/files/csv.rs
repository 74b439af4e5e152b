//! Locust's four CSV files with the columns of Locust 2; the first has additional columns at the end.
//!
//! Times are milliseconds with fractions, whereas Locust rounds them; the history has one row per tick and is
//! written at the end.

use std::fmt::Write as _;
use std::time::Duration;

use crate::clock::rfc3339;
use crate::report::model::traffic::TrafficSum;
use crate::report::model::{Numbers, ReportModel};
use crate::stats::packed::PackedTimes;
use crate::stats::times::Times;
use crate::stats::timing_summary::{TimesSummary, TimingSummary};

const STATS: &str = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,\
Max Response Time,Average Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%,\
Aborted,Unsent,Lower Bounds,TTFB Average,TTFB Min,TTFB 50%,TTFB 90%,TTFB 95%,TTFB 99%,TTFB 99.9%,TTFB Max,Connected,DNS,\
Connect,TLS,First Byte,Body,Warm-up Requests\r\n";

const HISTORY: &str = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,\
100%,Total Request Count,Total Failure Count,Total Median Response Time,Total Average Response Time,\
Total Min Response Time,Total Max Response Time,Total Average Content Size\r\n";

const FAILURES: &str = "Method,Name,Error,Occurrences,First Seen,Last Seen\r\n";

const EXCEPTIONS: &str = "Count,Message,Traceback,Nodes\r\n";

/// The percentiles of the columns, in millionths.
const PERCENTILES: [u64; 11] =
    [500_000, 660_000, 750_000, 800_000, 900_000, 950_000, 980_000, 990_000, 999_000, 999_900, 1_000_000];

/// The titles of their columns.
const TITLES: [&str; 11] = ["50%", "66%", "75%", "80%", "90%", "95%", "98%", "99%", "99.9%", "99.99%", "100%"];

/// `PREFIX_stats.csv`: one row per endpoint, and one for all requests.
#[must_use]
pub fn stats(model: &ReportModel) -> String {
    let run = &model.run;
    let mut text = STATS.to_owned();
    for endpoint in &run.endpoints {
        if let Some(numbers) = run.numbers(endpoint) {
            let times = [endpoint.timeline.total().response().clone(), run.together(Some(endpoint))];
            let name = (endpoint.method.as_str(), endpoint.name.as_str());
            row(&mut text, name, &numbers, &times, endpoint.timeline.warmup_requests());
        }
    }
    let times = [run.timeline.total().response().clone(), run.together(None)];
    row(&mut text, ("", "Aggregated"), &run.total_numbers(), &times, run.timeline.warmup_requests());
    text
}

/// `times` are those of the completed requests, and of completed and unfinished requests together: the larger
/// one counts. `warmup` requests are left out of everything else.
fn row(text: &mut String, (method, name): (&str, &str), numbers: &Numbers, times: &[PackedTimes; 2], warmup: u64) {
    let Numbers { statistics: row, bounds, unfinished, timing } = numbers;
    let mut lower_bounds: Vec<&str> = Vec::new();
    for (title, is_bound) in [
        ("Median Response Time", bounds.percentile_50),
        ("Average Response Time", bounds.avg),
        ("Max Response Time", bounds.max),
    ] {
        lower_bounds.extend(is_bound.then_some(title));
    }
    let mut percentiles = Vec::new();
    for (per_million, title) in PERCENTILES.into_iter().zip(TITLES) {
        let [completed, together] = times.each_ref().map(|times| percentile(times, per_million));
        if together > completed {
            lower_bounds.push(title);
        }
        percentiles.push(together.max(completed).map_or_else(|| "N/A".to_owned(), |us| millis(us).to_string()));
    }
    lower_bounds.extend(timing.iter().flat_map(bounds_of_first_byte));
    let _ = writeln!(
        text,
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{warmup}\r",
        field(method),
        field(name),
        row.num_requests,
        row.num_failures,
        row.percentile_50,
        row.avg_response_time,
        row.min_response_time,
        row.max_response_time,
        row.avg_content_length,
        row.total_rps,
        row.total_fail_per_sec,
        percentiles.join(","),
        unfinished.aborted,
        unfinished.unsent,
        lower_bounds.join(" "),
        timings(timing.as_ref()),
    );
}

/// Titles of the columns of times to the first byte that are lower bounds.
fn bounds_of_first_byte(timing: &TimingSummary) -> impl Iterator<Item = &'static str> {
    let bounds = &timing.bounds;
    let bounds = [
        ("TTFB Average", bounds.avg),
        ("TTFB 50%", bounds.percentile_50),
        ("TTFB 90%", bounds.percentile_90),
        ("TTFB 95%", bounds.percentile_95),
        ("TTFB 99%", bounds.percentile_99),
        ("TTFB 99.9%", bounds.percentile_99_9),
        ("TTFB Max", bounds.max),
    ];
    bounds.into_iter().filter(|(_, is_bound)| *is_bound).map(|(title, _)| title)
}

/// Times to the first byte, requests that connected, and the mean time of a request in each phase; `N/A` where the stream
/// does not say.
fn timings(timing: Option<&TimingSummary>) -> String {
    let Some(timing) = timing else { return ["N/A"; 14].join(",") };
    let TimesSummary { avg_us, min_us, p50_us, p90_us, p95_us, p99_us, p99_9_us, max_us } = timing.first_byte;
    let times = [avg_us, min_us, p50_us, p90_us, p95_us, p99_us, p99_9_us, max_us].map(|us| millis(us).to_string());
    let mean = timing.mean().map(|mean| [mean.dns, mean.connect, mean.tls, mean.first_byte, mean.body]);
    let mean = mean.map_or_else(|| ["N/A"; 5].map(str::to_owned), |mean| mean.map(|ms| ms.to_string()));
    format!("{},{},{}", times.join(","), timing.timings.connecting.requests, mean.join(","))
}

/// In microseconds; `None` if there are no requests.
fn percentile(times: &PackedTimes, per_million: u64) -> Option<u64> {
    (times.sum.count > 0).then(|| times.percentile_us(per_million))
}

/// `N/A` if there are no requests, as in Locust.
fn percentiles(times: &Times) -> String {
    let text = |us: u64| if times.sum().count > 0 { millis(us).to_string() } else { "N/A".to_owned() };
    times.percentiles_per_million_us(PERCENTILES).map(text).join(",")
}

/// `PREFIX_stats_history.csv`: one row per tick for all requests; percentiles and totals are cumulative.
#[must_use]
pub fn history(model: &ReportModel) -> String {
    let mut text = HISTORY.to_owned();
    let mut so_far = TrafficSum::default();
    for point in model.run.timeline.points() {
        so_far.add(&point.traffic);
        let (counts, times) = (so_far.counts(), so_far.response());
        let [median] = times.percentiles_per_million_us([500_000]);
        let rate = |count: u64| if point.seconds() > 0.0 { count as f64 / point.seconds() } else { 0.0 };
        let completed = counts.completed();
        let _ = writeln!(
            text,
            "{},{},,Aggregated,{:.6},{:.6},{},{completed},{},{},{},{},{},{}\r",
            point.end_ms / 1000,
            point.gauges.users,
            rate(point.traffic.completed()),
            rate(point.traffic.failed),
            percentiles(times),
            counts.failed,
            millis(median),
            millis(times.sum().mean_us()),
            millis(times.sum().min_us()),
            millis(times.sum().max_us),
            counts.bytes_received as f64 / completed.max(1) as f64,
        );
    }
    text
}

/// `PREFIX_failures.csv`: one row per error and endpoint.
#[must_use]
pub fn failures(model: &ReportModel) -> String {
    let mut text = FAILURES.to_owned();
    for error in &model.run.errors {
        let (method, name, what) = (field(&error.method), field(&error.name), field(&error.error));
        let (first, last) = (second(error.first_seen), second(error.last_seen));
        let _ = writeln!(text, "{method},{name},{what},{},{first},{last}\r", error.occurrences);
    }
    text
}

/// `PREFIX_exceptions.csv`: users are not programs here, so there are never any exceptions.
#[must_use]
pub fn exceptions(_: &ReportModel) -> String {
    EXCEPTIONS.to_owned()
}

/// First characters that make a spreadsheet treat a cell as a formula, or that it skips before one (OWASP,
/// "CSV Injection"; the wide forms come from East Asian input).
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Quotes a text according to RFC 4180 and so that no spreadsheet evaluates it: names and errors come from
/// servers and scenarios. Control characters are escaped, except line ends and tabs, which are allowed in a
/// cell.
fn field(text: &str) -> String {
    // A sign alone, or a signed number, is harmless.
    let is_harmless = text.len() == 1 || text.parse::<f64>().is_ok();
    let mut cell = if text.starts_with(FORMULA) && !is_harmless { "'".to_owned() } else { String::new() };
    for c in text.chars() {
        if c.is_control() && !matches!(c, '\r' | '\n' | '\t') {
            cell.extend(c.escape_default());
        } else {
            cell.push(c);
        }
    }
    // A semicolon separates cells in locales with a decimal comma.
    if cell.contains(['"', ',', ';', '\r', '\n', '\t']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

/// Unix seconds in Locust's format, `2026-11-23T04:47:28Z`.
fn second(unix: f64) -> String {
    let time = rfc3339(Duration::try_from_secs_f64(unix).unwrap_or_default());
    time.split('.').next().unwrap_or_default().to_owned() + "Z"
}

fn millis(us: u64) -> f64 {
    us as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_would_break_a_row_are_quoted() {
        assert_eq!(field("/plain?x=1"), "/plain?x=1");
        assert_eq!(field("a \"b\", c\nd"), "\"a \"\"b\"\", c\nd\"");
    }

    #[test]
    fn no_cell_is_a_formula_and_ordinary_names_are_unchanged() {
        for plain in ["/items", "-", "=", "-1.5", "+7", "GET", "a=b", "/a-b@c", "", "10", "http_4xx: 404", "é"] {
            assert_eq!(field(plain), plain);
        }
        for (text, cell) in [
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("=1,2", "\"'=1,2\""),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "\"'\t=1\""),
            ("\r=1", "\"'\r=1\""),
            ("\u{ff1d}1+1", "'\u{ff1d}1+1"),
            ("a;=1", "\"a;=1\""),
            ("a\u{1b}[2Jb\0", "a\\u{1b}[2Jb\\u{0}"),
        ] {
            assert_eq!(field(text), cell, "{text:?}");
        }
    }

    #[test]
    fn times_are_written_as_locust_does() {
        assert_eq!(second(1_795_409_248.7), "2026-11-23T04:47:28Z");
    }
}
