//! The HTML report: one file that loads nothing, runs only its own script, and contains the numbers of the run.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::{lines, recorded, report};
use crate::support::{Run, Scratch, load, target};

/// The text between two marks; the first occurs once.
fn between<'p>(page: &'p str, start: &str, end: &str) -> &'p str {
    let (_, rest) = page.split_once(start).unwrap_or_else(|| panic!("{start} is missing"));
    assert!(!rest.contains(start), "{start} occurs twice");
    rest.split_once(end).unwrap_or_else(|| panic!("{end} is missing")).0
}

fn data(page: &str) -> Value {
    serde_json::from_str(between(page, "<script type=\"application/json\" id=\"data\">", "</script>")).unwrap()
}

fn page_of(stream: &str, scratch: &Scratch) -> String {
    let page = scratch.file("page.html");
    report(stream).with(["--html", &page]).finish().exits(0);
    std::fs::read_to_string(page).unwrap()
}

fn sum(column: &Value) -> u64 {
    column.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum()
}

#[test]
fn a_run_and_its_stream_give_the_same_page() {
    let (target, scratch) = (target(), Scratch::new("same-page"));
    let (stream, page) = (scratch.file("s.ndjson"), scratch.file("run-u{u}-r{r}-t{t}.html"));
    let flags = ["-u", "3", "-r", "10", "-t", "1s", "-s", "9s", "--telemetry", &stream, "--html", &page];
    let run = load(&target, flags).with(["--interval", "200ms", "/ok", "/bytes/100"]).finish().exits(0);
    let named = scratch.file("run-u3-r10-t1.html");
    assert!(run.stderr.ends_with(&format!("stream: {stream}\nreport: {named}\n")), "{}", run.stderr);
    let page = std::fs::read_to_string(named).unwrap();
    assert_eq!(page, page_of(&stream, &scratch), "written at the end of the run, and from its stream");
    let (whole, of_endpoints) = (data(&page)["course"].clone(), data(&page)["endpoints"].clone());
    assert_eq!(sum(&whole["ok"]), target.requests());
    let sums = of_endpoints.as_array().unwrap().iter().map(|endpoint| sum(&endpoint["ok"]));
    assert_eq!(sums.sum::<u64>(), target.requests());
    let cells = data(&page)["heat"]["cells"].clone();
    assert_eq!(cells.as_array().unwrap().iter().map(|cell| cell[2].as_u64().unwrap()).sum::<u64>(), target.requests());
    assert!(whole["phase"].as_str().unwrap().starts_with('r'), "{whole}");
    assert!(page.contains("<dd>3<small>at most at a time"), "users");
}

#[test]
fn a_run_to_standard_output_has_a_page_too() {
    let (target, scratch) = (target(), Scratch::new("piped-page"));
    let page = scratch.file("page.html");
    let run = load(&target, ["-n", "5", "/ok"]).env("LOCUST_HTML", &page).finish().exits(0);
    run.stream();
    let page = std::fs::read_to_string(page).unwrap();
    assert_eq!(sum(&data(&page)["course"]["ok"]), 5);
    assert!(page.contains(">passed</span>"));
}

#[test]
fn a_reader_that_goes_away_leaves_a_page_of_what_was_measured() {
    let (target, scratch) = (target(), Scratch::new("closed-page"));
    let page = scratch.file("page.html");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = load(&target, ["--html", &page, "--interval", "100ms", "-t", "20s", "/ok"]).stdout(writer).finish();
    assert_eq!(run.code, 4, "{}", run.stderr);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<dt>Requests</dt>"), "the page shows the run");
}

#[test]
fn the_policy_allows_the_style_and_the_script_of_the_page_and_nothing_else() {
    let scratch = Scratch::new("policy");
    let page = page_of(&recorded(&scratch).0, &scratch);
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes())));
    let style = hash(between(&page, "<style>", "</style>"));
    let script = hash(between(&page, "<script>", "</script>"));
    let expected = format!("default-src 'none'; style-src {style}; script-src {script}; img-src data:; ");
    assert_eq!(policy, format!("{expected}base-uri 'none'; form-action 'none'"));
    for loading in ["src=", "url(", "@import", "import(", "fetch(", " style=\"", "innerHTML", "<iframe", "<img"] {
        assert!(!page.contains(loading), "{loading} in the page");
    }
    let addresses = page.matches("href=").count();
    assert_eq!((addresses, page.matches("href=\"data:,\"").count()), (1, 1));
}

#[test]
fn a_hostile_name_is_text_wherever_it_appears() {
    let scratch = Scratch::new("hostile");
    let file = recorded(&scratch).0;
    let hostile = r#"</script><script>alert(1)</script><img src=x onerror=alert(2)>\" onload=alert(3) x=\"'<!--"#;
    let mut text = lines(&file).join("\n").replace("\"/ok\"", &format!("\"{hostile}\""));
    for (key, value) in [("testplan", hostile), ("error", hostile), ("run_id", "<b>"), ("text", hostile)] {
        let start = format!("\"{key}\":\"");
        let parts: Vec<&str> = text.split(&start).collect();
        let rest = parts[1..].iter().map(|part| format!("{start}{value}{}", &part[part.find('"').unwrap()..]));
        text = std::iter::once(parts[0].to_owned()).chain(rest).collect();
    }
    let page = page_of(&scratch.write("hostile.ndjson", text), &scratch);
    for marks in ["<script>alert", "<img", "<b>", "<!--"] {
        assert!(!page.contains(marks), "{marks} is in the page");
    }
    assert_eq!(page.matches("<script").count(), 2);
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"), "it is shown as text");
    assert!(!page.contains("\" onload"), "quotes are escaped");
}

#[test]
fn problems_of_the_stream_come_first_in_a_page() {
    let scratch = Scratch::new("troubled-page");
    let all = lines(&recorded(&scratch).0);
    let cut = scratch.write("cut.ndjson", all[..all.len() - 10].join("\n"));
    let page = scratch.file("page.html");
    report(&cut).with(["--html", &page]).finish().exits(4);
    let page = std::fs::read_to_string(page).unwrap();
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is missing"));
    assert!(place("is not whole") < place("<dt>Requests</dt>"));
    assert!(page.contains("cut off, no verdict"));
}

#[test]
fn a_page_shows_the_checks() {
    let (target, scratch) = (target(), Scratch::new("checked-page"));
    let path = scratch.file("page.html");
    let flags = ["-n", "10", "--html", &path, "--check", "p95 < 20s", "--check", "rps > 1000000000", "/ok"];
    load(&target, flags).finish().exits(3);
    let page = std::fs::read_to_string(&path).unwrap();
    let checks = between(&page, "<table class=\"checks\">", "</table>");
    assert!(checks.contains("<code>p95 &lt; 20s</code>") && checks.contains(">met<"), "{checks}");
    assert!(checks.contains("<code>rps &gt; 1000000000</code>") && checks.contains(">not met<"), "{checks}");
    assert!(page.contains("a check was not met</span>"));
    load(&target, ["-n", "1", "--html", &path, "/ok"]).finish().exits(0);
    assert!(!std::fs::read_to_string(&path).unwrap().contains("<h2>Checks</h2>"), "no checks were given");
}

#[test]
fn a_stream_without_data_still_makes_a_page() {
    let (target, scratch) = (target(), Scratch::new("empty-page"));
    let page = scratch.file("page.html");
    load(&target, ["-t", "2s", "--html", &page, "/hang"]).finish().exits(4);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("not valid") && page.contains("1 more cut off at the end"));
    let start = &lines(&recorded(&scratch).0)[..2];
    let file = scratch.write("start.ndjson", start.join("\n"));
    report(&file).with(["--html", &scratch.file("start.html")]).finish().exits(4);
}

#[test]
fn an_unwritable_page_is_reported_before_anything_is_sent() {
    let target = target();
    let refused = load(&target, ["-n", "1", "--html", "/missing/page.html", "/ok"]).finish().exits(2);
    assert!(refused.complaint().starts_with("--html /missing/page.html: No such file"), "{}", refused.stderr);
    assert_eq!(target.requests(), 0);
    let scratch = Scratch::new("unwritten");
    let file = recorded(&scratch).0;
    let refused = report(&file).with(["--html", "/missing/page.html"]).finish().exits(2);
    assert!(refused.complaint().starts_with("--html /missing/page.html: "), "{}", refused.stderr);
    let refused = Run::new(["report", &file, &file, "--html", "x.html"]).finish().exits(2);
    assert!(refused.complaint().contains("one STREAM"), "{}", refused.stderr);
}
