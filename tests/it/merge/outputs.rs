//! A merge writes the files that a run writes, and that a report of its stream writes.

use serde_json::Value;

use super::{files, interleaved, merge, shards};
use crate::support::lines::Stream;
use crate::support::{Finished, Run, Scratch, target};

/// Flags for every output, with files whose names start with `kind`.
fn outputs(scratch: &Scratch, kind: &str) -> Vec<String> {
    let file = |name: &str| scratch.file(&format!("{kind}{name}"));
    let flags = [
        ("--html", "u{u}-r{r}-t{t}.html"),
        ("--csv", "u{u}"),
        ("--json-file", "s.json"),
        ("--junit", "j.xml"),
        ("--markdown", "m.markdown"),
        ("--hgrm", "p.hgrm"),
    ];
    flags.iter().flat_map(|(flag, name)| [(*flag).to_owned(), file(name)]).collect()
}

const FILES: [&str; 9] = [
    "u7-r50-t0.7.html",
    "u7_stats.csv",
    "u7_stats_history.csv",
    "u7_failures.csv",
    "u7_exceptions.csv",
    "s.json",
    "j.xml",
    "m.markdown",
    "p.hgrm",
];

fn read(scratch: &Scratch, name: &str) -> String {
    std::fs::read_to_string(scratch.file(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Each check and whether it was met.
fn check_results(run: &Finished) -> Vec<(String, bool)> {
    let stream = run.stream();
    stream.of("check").iter().map(|line| (line.text("check").to_owned(), line.get("met") == true)).collect()
}

#[test]
fn a_live_merge_writes_the_files_that_a_report_of_its_stream_writes() {
    let (target, scratch) = (target(), Scratch::new("merge-outputs"));
    let streams = shards(&target, 3, &["-t", "700ms", "--check", "failures >= 0"]);
    let (master, flags) = (scratch.file("master.ndjson"), outputs(&scratch, "live-"));
    let run = Run::new(["merge", "-", "--telemetry", &master]).with(flags.iter().map(String::as_str));
    let run = run.input(&interleaved(&streams)).finish().exits(0);
    let again = outputs(&scratch, "again-");
    let report = Run::new(["report", &master]).with(again.iter().map(String::as_str)).finish().exits(0);
    for name in FILES {
        assert_eq!(read(&scratch, &format!("live-{name}")), read(&scratch, &format!("again-{name}")), "{name}");
        assert!(name.contains('_') || run.stderr.contains(&scratch.file(&format!("live-{name}"))), "{}", run.stderr);
    }
    let (summary, _) = report.text().split_once("report: ").unwrap();
    assert!(run.stderr.starts_with(summary), "{}\n{summary}", run.stderr);
    let summary: Value = serde_json::from_str(&read(&scratch, "live-s.json")).unwrap();
    // An aborted request may not have reached the target.
    let count = |key: &str| summary["counts"][key].as_u64().unwrap();
    assert!((count("completed")..=count("sent")).contains(&target.requests()), "{summary}");
    let quiet = Run::new(["merge", "-", "-q"]).input(&interleaved(&streams)).finish().exits(0);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn checks_given_to_a_merge_replace_those_of_the_plan_as_in_a_report() {
    let (target, scratch) = (target(), Scratch::new("merge-judged"));
    let paths = files(&scratch, &shards(&target, 2, &["-t", "500ms", "--check", "p95 < 1us"]));
    let master = scratch.write("master.ndjson", merge(&paths, &[]).exits(3).stdout);
    for (checks, code) in [
        (&["--check", "p95 < 30s"][..], 1),
        (&["--check", "p95 < 30s", "--check", "fail_ratio < 100%"], 0),
        (&["--check", "p99{GET /delay/5}@steady < 5ms", "--check", "failures > 0"], 3),
        (&["--check", "p95{GET /nowhere} < 10s"], 3),
        (&["--check-rps", "1000000"], 3),
    ] {
        let merged = merge(&paths, checks).exits(code);
        let report = Run::new(["report", &master]).with(checks.iter().copied()).finish().exits(code);
        let summary = report.text();
        assert!(merged.stderr.starts_with(summary), "{}\n{summary}", merged.stderr);
        let stream = merged.stream();
        let checked: Vec<String> = check_results(&merged).into_iter().map(|(check, _)| check).collect();
        assert_eq!(checked.len(), checks.len() / 2, "{checked:?}");
        assert_eq!(stream.setting("check"), Some((checked[0].as_str(), "flag")));
        assert_eq!(stream.run_end().count("checks_missed") > 0, code == 3);
    }
    let of_environment = Run::new(["merge"]).with(paths.iter().map(String::as_str)).env("LOCUST_CHECK_FAIL_RATIO", "1");
    assert_eq!(check_results(&of_environment.finish().exits(0)), [("fail_ratio <= 1".to_owned(), true)]);
    let refused = merge(&paths, &["--check", "p95 <"]).exits(2);
    assert!(refused.complaint().starts_with("--check 'p95 <'"), "{}", refused.stderr);
}

#[test]
fn an_invalid_run_is_invalid_in_every_output() {
    let (target, scratch) = (target(), Scratch::new("merge-not-valid"));
    let mut paths = files(&scratch, &shards(&target, 3, &["-t", "500ms"]));
    paths.pop();
    let flags = outputs(&scratch, "");
    merge(&paths, &flags.iter().map(String::as_str).collect::<Vec<_>>()).exits(4);
    let summary: Value = serde_json::from_str(&read(&scratch, "s.json")).unwrap();
    assert_eq!((&summary["verdict"], &summary["exit_code"]), (&"invalid".into(), &4.into()));
    assert!(summary["reasons"][0]["text"].as_str().unwrap().contains("shard 2 of 3 is missing from "), "{summary}");
    assert!(read(&scratch, "j.xml").contains("shard 2 of 3 is missing from "));
}

#[test]
fn an_unwritable_file_is_reported_before_anything_is_read() {
    for flag in ["--html", "--csv", "--json-file", "--junit", "--markdown", "--hgrm"] {
        let refused = Run::new(["merge", "/nowhere/s.ndjson", flag, "/nowhere/at/all"]).finish().exits(2);
        assert!(refused.complaint().starts_with(flag), "{}", refused.stderr);
    }
    // The name of the file is only known once the plan has been read.
    let (target, scratch) = (target(), Scratch::new("merge-unwritable"));
    let paths = files(&scratch, &shards(&target, 2, &["-n", "40"]));
    let late = merge(&paths, &["--html", "/nowhere/u{u}.html"]);
    assert_eq!(late.code, 4);
    assert!(late.stderr.contains("swarmline: --html /nowhere/u7.html: "), "{}", late.stderr);
    assert_eq!(Stream::parse(&late.stdout).run_end().count("sent"), target.requests());
}

#[test]
fn requested_outputs_are_written_although_the_reader_goes_away() {
    let (target, scratch) = (target(), Scratch::new("merge-closed"));
    let paths = files(&scratch, &shards(&target, 2, &["-n", "40"]));
    let closed = |flags: &[&str]| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = Run::new(["merge"]).with(flags.iter().copied()).with(paths.iter().map(String::as_str));
        run.stdout(writer).finish().code
    };
    let page = scratch.file("page.html");
    assert_eq!((closed(&[]), closed(&["--check", "rps > 0"]), closed(&["--html", &page])), (0, 4, 4));
    assert!(std::fs::read_to_string(page).unwrap().starts_with("<!doctype html>"));
}
