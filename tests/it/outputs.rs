//! Outputs of a run and its report for programs: CSV, JSON, `JUnit`, percentiles; and checks given to a report.

use serde_json::Value;

use crate::support::{Finished, Run, Scratch, load, target};

const CHECKS: [&str; 6] =
    ["--check", "p95{GET /delay/20} < 10ms", "--check", "requests@steady > 0", "--check", "fail_ratio < 100%"];

const FILES: [&str; 8] = [
    "t_stats.csv",
    "t_stats_history.csv",
    "t_failures.csv",
    "t_exceptions.csv",
    "s.json",
    "j.xml",
    "m.markdown",
    "p.hgrm",
];

/// A run of a second with every output and its stream in a file; one check is missed.
fn recorded(scratch: &Scratch) -> Finished {
    let target = target();
    let flags = ["-t", "1s", "-u", "3", "-r", "50", "--interval", "200ms", "--wait", "5ms", "--only-summary"];
    let stream = scratch.file("s.ndjson");
    let run = load(&target, flags).with(["--telemetry", &stream, "/ok", "/delay/20", "/status/500"]);
    let outputs = outputs(scratch, "");
    run.with(CHECKS).with(outputs.iter().map(String::as_str)).finish()
}

fn outputs(scratch: &Scratch, kind: &str) -> Vec<String> {
    let file = |name: &str| scratch.file(&format!("{kind}{name}"));
    let flags = [
        ("--csv", "t"),
        ("--json-file", "s.json"),
        ("--junit", "j.xml"),
        ("--markdown", "m.markdown"),
        ("--hgrm", "p.hgrm"),
    ];
    flags.iter().flat_map(|(flag, name)| [(*flag).to_owned(), file(name)]).collect()
}

fn read(scratch: &Scratch, name: &str) -> String {
    std::fs::read_to_string(scratch.file(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

#[test]
fn a_report_of_the_stream_writes_the_same_files_as_its_run() {
    let scratch = Scratch::new("outputs");
    let run = recorded(&scratch).exits(3);
    let again = outputs(&scratch, "again-");
    let report = Run::new(["report", &scratch.file("s.ndjson")]).with(again.iter().map(String::as_str));
    report.finish().exits(0);
    for name in FILES {
        assert_eq!(read(&scratch, name), read(&scratch, &format!("again-{name}")), "{name}");
    }
    for name in ["t_stats.csv", "s.json", "j.xml", "p.hgrm"] {
        assert!(run.stderr.contains(&scratch.file(name)), "{name} is not named: {}", run.stderr);
    }
}

#[test]
fn a_report_evaluates_checks_as_the_run_did() {
    let scratch = Scratch::new("judged");
    let run = recorded(&scratch).exits(3);
    let stream = scratch.file("s.ndjson");
    let judged = Run::new(["report", &stream]).with(CHECKS).finish().exits(3);
    assert!(run.stderr.starts_with(judged.text()), "{}\n{}", run.stderr, judged.text());
    for (checks, code) in [
        (&["--check", "p95{GET /delay/20} < 10s"][..], 1),
        (&["--check", "p95{GET /delay/20} < 10s", "--check", "failures > 0"], 0),
        (&["--check", "service.max@ramp > 30s", "--check", "failures > 0"], 3),
        (&["--check", "p95{GET /nowhere} < 10s"], 3),
        (&["--check-avg-response-time", "0.001"], 3),
    ] {
        let report = Run::new(["report", &stream]).with(checks.iter().copied()).finish().exits(code);
        assert!(report.text().contains(checks[1]) || code == 3, "{}", report.text());
    }
    let judged = Run::new(["report", &stream, "--check", "p95{GET /nowhere} < 10s"]).finish().exits(3);
    assert!(judged.text().contains("NO DATA") && judged.text().contains("verdict: check_failed"), "{}", judged.text());
    Run::new(["report", &stream, "--check", "p95 <"]).finish().exits(2).complaint();
    let lines: Vec<String> = read(&scratch, "s.ndjson").lines().map(str::to_owned).collect();
    let cut = lines[..lines.len() - 1].join("\n");
    let cut = Run::new(["report", "-"]).with(CHECKS).input(&cut).finish().exits(4);
    assert!(cut.text().contains("verdict: invalid") && cut.text().contains("NOT MET"), "{}", cut.text());
}

#[test]
fn the_csv_files_have_the_format_of_locust() {
    let scratch = Scratch::new("csv");
    recorded(&scratch).exits(3);
    let stats = read(&scratch, "t_stats.csv");
    // As Locust 2.47 writes it.
    let head = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,\
                Max Response Time,Average Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,\
                99.99%,100%";
    assert!(
        stats.starts_with(&format!("{head},Aborted,Unsent,Lower Bounds,TTFB ")),
        "our columns follow them: {stats}"
    );
    let rows: Vec<Vec<&str>> = stats.split_terminator("\r\n").map(|row| row.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == 40), "{stats}");
    assert_eq!(rows.last().unwrap()[..2], ["", "Aggregated"]);
    let count = |row: &Vec<&str>| row[2].parse::<u64>().unwrap();
    assert_eq!(rows[1..rows.len() - 1].iter().map(count).sum::<u64>(), count(rows.last().unwrap()));
    let total = rows.last().unwrap();
    assert_eq!((total[11], total[21]), (total[4], total[7]), "50% is the median, 100% the maximum");
    let delay = rows.iter().find(|row| row[1] == "/delay/20").unwrap();
    assert!(delay[4].parse::<f64>().unwrap() >= 20.0, "milliseconds: {delay:?}");

    let history = read(&scratch, "t_stats_history.csv");
    let rows: Vec<Vec<&str>> = history.split_terminator("\r\n").map(|row| row.split(',').collect()).collect();
    assert!(history.starts_with("Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,"), "{history}");
    assert!(rows.len() > 4 && rows.iter().all(|row| row.len() == 24), "{history}");
    assert_eq!(rows.last().unwrap()[17], total[2], "the last row has every request");

    let failures = read(&scratch, "t_failures.csv");
    assert!(failures.starts_with("Method,Name,Error,Occurrences,First Seen,Last Seen\r\n"), "{failures}");
    assert!(failures.contains(&format!("GET,/status/500,http_5xx: 500,{},20", total[3])), "{failures}");
    assert_eq!(read(&scratch, "t_exceptions.csv"), "Count,Message,Traceback,Nodes\r\n");
}

#[test]
fn the_summary_conforms_to_its_schema() {
    let scratch = Scratch::new("json");
    recorded(&scratch).exits(3);
    let summary: Value = serde_json::from_str(&read(&scratch, "s.json")).unwrap();
    let schema: Value = serde_json::from_str(swarmline::report::files::json::SCHEMA).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&summary).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new(), "{summary}");
    assert_eq!((&summary["verdict"], &summary["exit_code"]), (&"check_failed".into(), &3.into()));
    assert_eq!(summary["checks"][0]["met"], false);
    assert!(summary["reasons"][0]["text"].as_str().unwrap().contains("p95{GET /delay/20} < 10ms"));
    let sum =
        |key: &str| summary["endpoints"].as_array().unwrap().iter().map(|e| e[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(summary["total"]["requests"], sum("requests"));
    assert_eq!(summary["counts"]["completed"], sum("requests"));
}

#[test]
fn junit_has_a_case_for_the_run_its_failures_and_each_check() {
    let scratch = Scratch::new("junit");
    recorded(&scratch).exits(3);
    let text = read(&scratch, "j.xml");
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites "), "{text}");
    assert!(text.contains("tests=\"5\" failures=\"1\" errors=\"0\""), "{text}");
    for (name, failed) in [
        ("the run is valid", false),
        ("no failed requests", false),
        ("p95{GET /delay/20} &lt; 10ms", true),
        ("requests@steady &gt; 0", false),
        ("fail_ratio &lt; 100%", false),
    ] {
        let case =
            text.lines().find(|line| line.contains(&format!("name=\"{name}\""))).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(case.contains("<failure message=\"it is "), failed, "{case}");
    }
}

#[test]
fn the_percentiles_are_in_the_format_of_the_plotter() {
    let scratch = Scratch::new("hgrm");
    recorded(&scratch).exits(3);
    let text = read(&scratch, "p.hgrm");
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(head, ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]);
    assert_eq!(lines.next(), Some(""));
    let rows: Vec<Vec<f64>> = lines
        .take_while(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().map(|number| number.parse().unwrap()).collect())
        .collect();
    assert!(rows.windows(2).all(|pair| pair[0][0] <= pair[1][0] && pair[0][1] <= pair[1][1]), "{text}");
    let last = rows.last().unwrap();
    assert_eq!((last.len(), last[1].total_cmp(&1.0)), (3, std::cmp::Ordering::Equal), "{text}");
    let total = read(&scratch, "t_stats.csv").lines().last().unwrap().split(',').nth(2).unwrap().to_owned();
    assert!(text.contains(&format!("Total count    = {total:>12}]")), "{text}");
    assert_eq!(last[2].to_string(), total);
}

#[test]
fn runs_are_shown_side_by_side() {
    let (target, scratch) = (target(), Scratch::new("beside"));
    let files = [("a", "/delay/20"), ("c", "/ok")].map(|(name, request)| {
        let file = scratch.file(&format!("{name}.ndjson"));
        load(&target, ["-n", "20", "--only-summary", "--telemetry", &file, request]).finish().exits(0);
        file
    });
    let beside = Run::new(["report", &files[0], &files[1]]).finish().exits(0);
    for part in ["a.ndjson", "c.ndjson", "GET /delay/20\n", "GET /ok\n", "Aggregated\n", "verdict"] {
        assert!(beside.text().contains(part), "{part}: {}", beside.text());
    }
    let refused = Run::new(["report", &files[0], &files[1], "--html", "x.html"]).finish().exits(2);
    assert!(refused.complaint().starts_with("--html"), "{}", refused.stderr);
}

#[test]
fn an_unwritable_file_is_reported_before_anything_is_sent() {
    let target = target();
    for flag in ["--csv", "--json-file", "--junit", "--markdown", "--hgrm"] {
        let refused = load(&target, ["-n", "1", flag, "/nowhere/at/all", "/ok"]).finish().exits(2);
        assert!(refused.complaint().starts_with(flag), "{}", refused.stderr);
    }
    assert_eq!(target.requests(), 0);
}
