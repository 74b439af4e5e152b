//! Time to the first byte and where the time goes, in every report; and none of it where the stream has none.

use serde_json::Value;

use super::{lines, report};
use crate::support::lines::Stream;
use crate::support::{Run, Scratch, load, target};

const HEADING: &str = "Where the time goes";

/// The columns after those of Locust, and after ours for what had not ended.
const COLUMNS: [&str; 14] = [
    "TTFB Average",
    "TTFB Min",
    "TTFB 50%",
    "TTFB 90%",
    "TTFB 95%",
    "TTFB 99%",
    "TTFB 99.9%",
    "TTFB Max",
    "Connected",
    "DNS",
    "Connect",
    "TLS",
    "First Byte",
    "Body",
];

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The rows of a CSV file without quoted cells, as lists of cells.
fn rows(csv: &str) -> Vec<Vec<&str>> {
    csv.lines().map(|line| line.split(',').collect()).collect()
}

/// Writes the reports of a stream that has no times to the first byte; returns what each says of it.
fn is_left_out(stream: &str, scratch: &Scratch) {
    let [csv, json, page] = ["r", "r.json", "r.html"].map(|name| scratch.file(name));
    let run = report(stream).with(["--csv", &csv, "--json-file", &json, "--html", &page]).finish().exits(0);
    assert!(!run.text().contains(HEADING), "{}", run.text());
    assert!(!read(&page).contains(HEADING) && !read(&page).contains("<table class=\"timings\""));
    let csv = read(&format!("{csv}_stats.csv"));
    let rows = rows(&csv);
    let first = rows[0].iter().position(|name| *name == COLUMNS[0]).unwrap();
    let columns = first..first + COLUMNS.len();
    assert_eq!(rows[0][columns.clone()], COLUMNS);
    for row in &rows[1..] {
        assert_eq!(row[columns.clone()], ["N/A"; COLUMNS.len()], "{row:?}");
    }
    let json: Value = serde_json::from_str(&read(&json)).unwrap();
    let endpoints = json["endpoints"].as_array().unwrap().iter();
    for figures in endpoints.chain([&json["total"]]) {
        assert!(figures.get("first_byte").is_none() && figures.get("timings").is_none(), "{figures}");
        assert!(figures["p50"].as_f64().unwrap() > 0.0, "what it has is there");
    }
    let judged = report(stream).with(["--check", "ttfb.p95 < 1000s"]).finish().exits(3);
    assert!(judged.text().contains("NO DATA  ttfb.p95 < 1000s"), "{}", judged.text());
}

#[test]
fn a_stream_of_an_earlier_version_shows_no_time_to_the_first_byte_rather_than_zeros() {
    let scratch = Scratch::new("first-byte-earlier");
    for name in ["version-1-alone", "alone"] {
        let stream = format!("{}/tests/corpus/streams/{name}.ndjson", env!("CARGO_MANIFEST_DIR"));
        is_left_out(&stream, &scratch);
    }
}

#[test]
fn every_report_shows_where_the_time_goes_as_the_stream_says_it() {
    let (target, scratch) = (target(), Scratch::new("first-byte"));
    let [stream, csv, json, page] = ["s.ndjson", "r", "r.json", "r.html"].map(|name| scratch.file(name));
    let flags = ["-n", "40", "-u", "2", "-r", "100", "--telemetry", &stream, "--only-summary"];
    let outputs = ["--csv", &csv, "--json-file", &json, "--html", &page];
    let run = load(&target, flags).with(outputs).with(["/delay/20", "/bytes/100000"]).finish().exits(0);
    assert!(run.stderr.contains(HEADING), "{}", run.stderr);
    let said = Stream::parse(read(&stream).as_bytes());
    let (csv, json) = (read(&format!("{csv}_stats.csv")), serde_json::from_str::<Value>(&read(&json)).unwrap());
    let rows = rows(&csv);
    assert_eq!(rows.len(), 4, "head, two endpoints, all");
    for line in said.of("stats endpoint success").into_iter().chain([said.last()]) {
        let name = line.text("name");
        let endpoint = json["endpoints"].as_array().unwrap().iter().find(|endpoint| endpoint["name"] == name);
        let figures = endpoint.unwrap_or(&json["total"]);
        let requests = line.count("num_requests") as f64;
        let (timings, first_byte) = (line.get("timings"), line.get("first_byte"));
        let row = rows.iter().find(|row| row[1] == name).unwrap();
        let cell = |title: &str| -> f64 {
            row[rows[0].iter().position(|head| *head == title).unwrap()].parse().unwrap_or_else(|_| panic!("{row:?}"))
        };
        let mut total = 0.0;
        for (key, title) in
            [("dns", "DNS"), ("connect", "Connect"), ("tls", "TLS"), ("first_byte", "First Byte"), ("body", "Body")]
        {
            let mean = timings[format!("{key}_us")].as_f64().unwrap() / requests / 1000.0;
            let shown = figures["timings"][key].as_f64().unwrap();
            assert!((shown - mean).abs() < 1e-9 && (cell(title) - mean).abs() < 1e-9, "{key} of {name}");
            total += shown;
        }
        // Response time is service time here.
        let mean = figures["avg"].as_f64().unwrap();
        assert!((total - mean).abs() < 0.001, "{name}: the parts are {total}, the mean is {mean}");
        for (key, short, title) in [("p50_us", "p50", "TTFB 50%"), ("p99_9_us", "p99_9", "TTFB 99.9%")] {
            let ms = first_byte[key].as_f64().unwrap() / 1000.0;
            let shown = figures["first_byte"][short].as_f64().unwrap();
            assert!((shown - ms).abs() < 1e-9 && (cell(title) - ms).abs() < 1e-9, "{key} of {name}");
        }
        assert_eq!(figures["timings"]["connected"], timings["connected"]);
    }
    let page = read(&page);
    let table = page.split_once("<table class=\"timings\">").unwrap().1.split_once("</table>").unwrap().0;
    assert_eq!(table.matches("<svg ").count(), 3, "a bar for each endpoint and for all");
    assert!(table.contains(">/delay/20<") || table.contains("GET /delay/20"));
}

#[test]
fn a_stream_that_was_cut_off_shows_where_the_time_went_until_then() {
    let (target, scratch) = (target(), Scratch::new("first-byte-cut-off"));
    let stream = scratch.file("s.ndjson");
    load(&target, ["-n", "9", "--telemetry", &stream, "/ok"]).finish().exits(0);
    let whole = lines(&stream);
    let end = whole.iter().position(|line| line.contains("\"locust.tl.event.test.stop\"")).unwrap();
    let cut = scratch.write("cut.ndjson", whole[..end].join("\n") + "\n");
    let table = |text: &str| text.split_once(HEADING).unwrap().1.split_once("\n\n").unwrap().0.to_owned();
    let (cut, whole) = (report(&cut).finish().exits(4), report(&stream).finish().exits(0));
    assert_eq!(table(cut.text()), table(whole.text()));
}

#[test]
fn timings_that_do_not_add_up_are_reported_with_their_line() {
    let (target, scratch) = (target(), Scratch::new("first-byte-contradictions"));
    let stream = scratch.file("s.ndjson");
    load(&target, ["-n", "9", "--telemetry", &stream, "/ok"]).finish().exits(0);
    let is_of = |line: &str, kind: &str| line.contains(kind) && line.contains("\"timings\"");
    for (kind, key, said) in [
        ("\"swarmline.metric.interval\"", "body_us", "timings that do not add up to the service time"),
        ("\"swarmline.metric.interval\"", "tls_us", "timings that do not add up to the first byte"),
        ("\"swarmline.metric.interval\"", "connected", "more requests that connected than completed"),
        ("\"stats_type\":\"final\"", "dns_us", "timings that do not add up to the first byte"),
    ] {
        let mut changed = lines(&stream);
        let at = changed.iter().position(|line| is_of(line, kind)).unwrap();
        let mut line: Value = serde_json::from_str(&changed[at]).unwrap();
        line["telemetry"]["timings"][key] = Value::from(77_777_777);
        changed[at] = line.to_string();
        let run = Run::new(["report", &scratch.write("changed.ndjson", changed.join("\n") + "\n")]).finish().exits(4);
        assert!(run.text().contains(said) && run.text().contains(&format!("line {}", at + 1)), "{}", run.text());
    }
}
