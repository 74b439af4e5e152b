//! `swarmline report`: reads complete and damaged streams, and refuses input that is not a stream.

mod contradictions;
mod first_byte;
mod page;

use std::path::Path;

use swarmline::report::model::ReportModel;
use swarmline::telemetry::interrupt::Interrupt;
use swarmline::vocabulary::Phase;

use crate::support::{Run, Scratch, load, target};

/// A run of two endpoints, one of which fails, with a ramp and with response times that differ from service times: its
/// stream as a file, and its summary.
fn recorded(scratch: &Scratch) -> (String, String) {
    let file = scratch.file("s.ndjson");
    let target = target();
    let flags = ["-u", "4", "-r", "8", "-t", "1500ms", "-s", "5s", "--interval", "300ms", "--wait", "pacing:20ms"];
    let run =
        load(&target, flags).with(["--telemetry", &file, "--only-summary", "/ok", "/status/500"]).finish().exits(1);
    (file, run.stderr)
}

fn lines(file: &str) -> Vec<String> {
    std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

fn report(file: &str) -> Run {
    Run::new(["report", file])
}

#[test]
fn a_stream_read_back_gives_the_summary_of_its_run() {
    let scratch = Scratch::new("summary");
    let (file, summary) = recorded(&scratch);
    let read = report(&file).finish().exits(0);
    assert_eq!(format!("{}stream: {file}\n", read.text()), summary);
    assert_eq!(read.stderr, "");
    let input = std::fs::read_to_string(&file).unwrap();
    assert_eq!(report("-").input(&input).finish().exits(0).text(), read.text(), "from standard input");
    let labelled = format!("[pod/x] {}", input.trim_end().replace('\n', "\r\n\n[pod/x] "));
    assert_eq!(report("-").input(&labelled).finish().exits(0).text(), read.text(), "with labels in front");
}

#[test]
fn a_compressed_stream_is_read_back() {
    let (target, scratch) = (target(), Scratch::new("zipped"));
    let file = scratch.file("s.ndjson.gz");
    let run = load(&target, ["-n", "20", "--telemetry", &file, "/ok"]).finish().exits(0);
    let read = report(&file).finish().exits(0);
    assert_eq!(format!("{}stream: {file}\n", read.text()), run.stderr);
    let bytes = std::fs::read(&file).unwrap();
    let half = scratch.write("half.gz", &bytes[..bytes.len() / 2]);
    let read = report(&half).finish().exits(4);
    assert!(read.text().starts_with("the stream is not whole"), "{}", read.text());
    assert!(read.text().contains("the compressed stream breaks off"), "{}", read.text());
}

#[test]
#[allow(clippy::float_cmp, reason = "both are made of the same whole number")]
fn intervals_add_up_to_the_counts_of_the_run() {
    let scratch = Scratch::new("model");
    let model = ReportModel::read(Path::new(&recorded(&scratch).0), &Interrupt::new().unwrap()).unwrap();
    let (story, whole) = (&model.run, model.run.timeline.total());
    assert!(model.troubles.is_empty());
    let (last, counts) = (story.total(), story.counts());
    assert_eq!((whole.ok, whole.failed, whole.aborted), (counts.ok, counts.failed, counts.aborted));
    assert_eq!(whole.completed(), last.num_requests);
    assert_eq!(whole.response().histogram.count(), last.num_requests);
    for (per_million, reported) in [(500_000, last.percentile_50), (999_000, last.percentile_99_9)] {
        assert_eq!(whole.response().percentile_us(per_million) as f64 / 1000.0, reported, "{per_million}");
    }
    assert_eq!(whole.response().sum.max_us as f64 / 1000.0, last.max_response_time);
    for endpoint in &story.endpoints {
        assert_eq!(endpoint.timeline.total().completed(), endpoint.last.unwrap().num_requests, "{}", endpoint.title());
    }
    let of_phases: u64 = story.phases.iter().map(|phase| phase.counts.completed()).sum();
    assert_eq!(of_phases, last.num_requests);
    let phases: Vec<Phase> = story.phases.iter().map(|phase| phase.phase).collect();
    assert_eq!(phases[..2], [Phase::Ramp, Phase::Steady]);
    assert!((1.4..10.0).contains(&story.seconds()), "{}", story.seconds());
    assert_eq!(story.timeline.points().map(|point| point.gauges.users).max(), Some(4));
    assert_eq!(story.plan.setting("users"), Some("4"));
}

#[test]
fn a_stream_without_its_end_is_summarized_from_its_intervals() {
    let scratch = Scratch::new("cut");
    let (file, summary) = recorded(&scratch);
    let all = lines(&file);
    let stop = all.iter().position(|line| line.contains("event.test.stop")).unwrap();
    let cut = scratch.write("cut.ndjson", all[..stop].join("\n"));
    let read = report(&cut).finish().exits(4);
    let text = read.text();
    assert!(
        text.starts_with(&format!("the stream is not whole; below is what it still holds:\n  line {stop}: ")),
        "{text}"
    );
    let row = |text: &str| text.lines().find(|line| line.trim_start().starts_with("Aggregated")).unwrap().to_owned();
    // All except the rate, which is over the time until the last outcome in one and until the last tick in the other.
    let numbers = |text: &str| row(text).split_whitespace().take(7).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(numbers(text), numbers(&summary));
    assert!(text.contains("GET /status/500: http_5xx\n"), "{text}");
    assert!(text.contains("verdict: unknown"), "{text}");
    let torn = scratch.write("torn.ndjson", format!("{}\n{}", all[..30].join("\n"), &all[30][..100]));
    let read = report(&torn).finish().exits(4);
    assert!(read.text().contains("  line 31: a line that is torn\n"), "{}", read.text());
}

#[test]
fn lost_repeated_and_foreign_lines_are_reported() {
    let scratch = Scratch::new("gaps");
    let (file, summary) = recorded(&scratch);
    let all = lines(&file);
    let mut lines: Vec<&str> = all.iter().map(String::as_str).collect();
    lines.swap(2, 3);
    let swapped = report("-").input(&lines.join("\n")).finish().exits(0);
    assert_eq!(format!("{}stream: {file}\n", swapped.text()), summary, "reordering loses nothing");

    lines.insert(5, lines[4]);
    lines.insert(7, "a line of somebody else");
    let noisy = report("-").input(&lines.join("\n")).finish().exits(0);
    let text = noisy.text();
    assert!(
        text.starts_with("the stream is whole, but not clean:\n  line 6: line 5 of the stream was there"),
        "{text}"
    );
    assert!(text.contains("  line 8: not a line of the stream\n"), "{text}");

    lines.drain(10..13);
    let gap = report("-").input(&lines.join("\n")).finish().exits(4);
    let text = gap.text();
    assert!(text.contains("  line 11: 3 lines, 9 to 11, of the stream missing"), "{text}");
}

#[test]
fn input_that_is_not_a_stream_is_refused_with_one_line() {
    let scratch = Scratch::new("none");
    let (file, _) = recorded(&scratch);
    let text = std::fs::read_to_string(&file).unwrap();
    let second = format!("line {} another", text.lines().count() + 1);
    let other = text.replacen("\"run_id\":\"", "\"run_id\":\"x", usize::MAX);
    let plugin = r#"{"time": "2026-11-22T21:03:09.016Z", "level": "INFO", "name": "x", "message": "x", "telemetry": {"telemetry_type": "event", "telemetry_name": "locust.tl.event.test.start", "source": "MasterRunner", "source_id": "master", "run_id": "d6d1d7b4", "testplan": "demo"}}"#;
    for (name, content, words) in [
        ("empty", String::new(), vec!["line 1", "empty"]),
        ("text", "one\ntwo\n".to_owned(), vec!["line 1", "none of 2 lines"]),
        ("json", "{\"a\":1}\n".to_owned(), vec!["line 1", "its only line is not swarmline's"]),
        ("plugin", format!("INFO\n{plugin}\n"), vec!["line 2", "Python plugin"]),
        ("twice", text.repeat(2), vec!["two runs", "line 1 begins one", &second]),
        ("others", text.clone() + &other, vec!["two runs", "line 1 is of run"]),
        ("shards", text.clone() + &text.replace("\"local\"", "\"worker-1\""), vec!["two processes", "worker-1"]),
    ] {
        let file = scratch.write(name, content);
        let finished = report(&file).finish().exits(2);
        let line = finished.complaint();
        assert!(line.starts_with(&format!("{file}: ")), "{line}");
        assert!(words.iter().all(|word| line.contains(word)), "{name}: {line}");
    }
    let finished = report("/missing.ndjson").finish().exits(2);
    assert!(
        finished.complaint().starts_with("/missing.ndjson: does not exist; expected a stream"),
        "{}",
        finished.stderr
    );
    let finished = report("/").finish().exits(2);
    assert!(finished.complaint().starts_with("/: "), "{}", finished.stderr);
    assert!(Run::new(["report"]).finish().exits(2).complaint().contains("STREAM"));
}

#[test]
fn an_implausible_line_is_reported_and_does_no_harm() {
    let scratch = Scratch::new("nonsense");
    let all = lines(&recorded(&scratch).0);
    let interval = all.iter().position(|line| line.contains("metric.interval")).unwrap();
    let hostile = [
        ("\"ok\":", "\"ok\":18446744073709551615,\"x\":", "implausible"),
        ("\"ok\":", "\"ok\":-1,\"x\":", "interval cannot be read"),
        ("\"service_histogram\":\"", "\"service_histogram\":\"AAAA", "a histogram is"),
        ("\"phase\":\"", "\"phase\":7,\"x\":\"", "interval cannot be read"),
    ];
    for (key, wrong, words) in hostile {
        let mut lines = all.clone();
        lines[interval] = lines[interval].replacen(key, wrong, 1);
        let read = report("-").input(&lines.join("\n")).finish().exits(4);
        let text = read.text();
        assert!(text.lines().any(|l| l.contains(words) && l.contains(&format!("line {}: ", interval + 1))), "{text}");
    }
    // A very long line that is not JSON.
    let long = format!("{}\n{}\n", all.join("\n"), "x".repeat(3_000_000));
    assert!(report("-").input(&long).finish().exits(0).text().contains("not a line of the stream"));
}

#[test]
fn a_report_exits_with_0_whatever_the_verdict_unless_a_check_judges_the_run_again() {
    let (target, scratch) = (target(), Scratch::new("report-exit"));
    let file = scratch.file("failing.ndjson");
    let flags = ["-n", "20", "-q", "--check", "max < 1us", "--telemetry", &file, "/status/500"];
    load(&target, flags).finish().exits(3);
    let shown = report(&file).finish().exits(0);
    assert!(shown.text().contains("verdict: check_failed"), "{}", shown.text());
    report(&file).with(["--check", "max < 60s"]).finish().exits(1);
    report(&file).with(["--check", "fail_ratio < 1%"]).finish().exits(3);
    let help = Run::new(["report", "--help"]).finish().exits(0);
    assert!(help.text().contains("Exit code 0: whatever the verdict of the run"), "{}", help.text());
}
