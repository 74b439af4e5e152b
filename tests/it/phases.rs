//! Phases: which one a tick belongs to, and that run, report and merge agree on it, for the checks' sake.

use serde_json::Value;

use crate::merge::{files, merge};
use crate::shards::{START_DELAY, seconds_from_now};
use crate::support::lines::{Line, millis};
use crate::support::{Run, Scratch, load, target};

/// Requests that take longer than several ticks: most ticks have none that ended.
const SLOW: [&str; 9] = ["-t", "1250ms", "-u", "2", "-r", "1000", "--interval", "100ms", "/delay/500"];

/// The rate of each phase that can have one, and of the whole run.
const RATES: [&str; 6] = ["--check", "rps@steady > 0", "--check", "rps@ramp >= 0", "--check", "rps > 0"];

/// The results of the checks in a summary's file: expression, whether there was data, value.
fn check_results(summary: &str) -> Vec<(String, bool, f64)> {
    let summary: Value = serde_json::from_str(&std::fs::read_to_string(summary).unwrap()).unwrap();
    let checks = summary["checks"].as_array().unwrap().iter();
    let result = |check: &Value| {
        let value = check["value"].as_f64();
        (check["check"].as_str().unwrap().to_owned(), value.is_some(), value.unwrap_or_default())
    };
    checks.map(result).collect()
}

fn assert_agree(one: &[(String, bool, f64)], two: &[(String, bool, f64)]) {
    assert_eq!(one.len(), two.len());
    for ((check, has_data, value), (check_2, has_data_2, value_2)) in one.iter().zip(two) {
        assert_eq!((check, has_data), (check_2, has_data_2));
        // Times in a stream are whole milliseconds.
        assert!((value - value_2).abs() <= 0.01 * value, "{check}: {value} and {value_2}");
    }
}

#[test]
fn a_tick_without_an_answer_counts_for_its_phase_in_the_run_and_in_its_report() {
    let target = target();
    let scratch = Scratch::new("phases-report");
    let summary = scratch.file("run.json");
    let run = load(&target, SLOW).with(RATES).with(["--json-file", &summary]).finish_any();
    let of_run = check_results(&summary);
    let stream = scratch.write("run.ndjson", &run.stdout);
    let reported = scratch.file("report.json");
    Run::new(["report", &stream, "--json-file", &reported]).with(RATES).finish();
    assert_agree(&of_run, &check_results(&reported));
    let of = |check: &str| of_run.iter().find(|(name, ..)| name.starts_with(check)).unwrap();
    // All of it was under full load, the four fifths in which no request ended included.
    let (steady, whole) = (of("rps@steady").2, of("rps >").2);
    assert!((steady - whole).abs() <= 0.02 * whole, "{steady} and {whole}");
}

#[test]
fn shards_merged_have_the_phases_that_a_report_of_the_merged_stream_has() {
    let target = target();
    let scratch = Scratch::new("phases-merge");
    let at = seconds_from_now(START_DELAY);
    let start = |index: u32| {
        let shard = format!("{index}/2");
        load(&target, SLOW).with(["--run-id", "r1", "--start-at", &at, "--shard", &shard]).start()
    };
    let running: Vec<_> = (0..2).map(start).collect();
    let streams: Vec<Vec<u8>> = running.into_iter().map(|run| run.finish().exits(0).stdout).collect();
    let summary = scratch.file("merged.json");
    let merged = merge(&files(&scratch, &streams), &[&RATES[..], &["--json-file", &summary]].concat());
    let of_merge = check_results(&summary);
    let stream = scratch.write("merged.ndjson", &merged.stdout);
    let reported = scratch.file("report.json");
    Run::new(["report", &stream, "--json-file", &reported]).with(RATES).finish();
    assert_agree(&of_merge, &check_results(&reported));
    // The ramp takes a millisecond.
    let length = |health: &Line| millis(health.text("interval_end")) - millis(health.text("interval_start"));
    let stream = merged.stream();
    let health = stream.of("health");
    let lasted = |phase: &str| -> u64 {
        health.iter().filter(|health| health.get("phase") == phase).map(|health| length(health)).sum()
    };
    assert!(lasted("steady") >= 1100 && lasted("ramp") <= 10, "{} and {} ms", lasted("steady"), lasted("ramp"));
}

#[test]
fn short_runs_have_a_steady_part() {
    let steady = ["--check", "requests@steady > 0", "--check", "p95@steady < 30s", "--check", "failures@steady == 0"];
    let target = target();
    let runs: [&[&str]; 6] = [
        &["-t", "2s", "-u", "5", "-r", "5", "--wait", "5ms"],
        &["-t", "3s", "-u", "5", "-r", "5", "--wait", "5ms"],
        &["-t", "4s", "-u", "10", "-r", "5", "--wait", "5ms"],
        &["-t", "2s", "--rate", "50"],
        &["--stages", "500ms:3,2s:3,500ms:0", "--wait", "5ms"],
        &["-n", "300", "-u", "3", "-r", "30", "--wait", "5ms"],
    ];
    let running: Vec<_> =
        runs.iter().map(|flags| load(&target, ["/ok"]).with(flags.iter().copied()).with(steady).start()).collect();
    for run in running {
        let stream = run.finish().exits_0_unless_late().stream();
        assert!(stream.of("check").iter().all(|check| check.get("has_data") == true), "a steady part");
    }
}

#[test]
fn users_are_wanted_until_the_load_ends_and_none_after() {
    let target = target();
    let flags = ["-t", "1s", "-u", "3", "-r", "1000", "--interval", "400ms", "-s", "9s", "/delay/300", "/delay/900"];
    for arguments in [&flags[..], &["--stages", "0s:3,1s:3", "--interval", "400ms", "-s", "9s", "/delay/900"]] {
        let stream = load(&target, arguments.iter().copied()).finish().exits(0).stream();
        let stopped = millis(stream.only("test.stop").text("stopped_at"));
        let is_under_load = |health: &&&Line| millis(health.text("interval_start")) < stopped;
        let health = stream.of("health");
        // The first is of the moment of the start, when the first user is due.
        let (load, after): (Vec<&&Line>, Vec<&&Line>) = health.iter().skip(1).partition(is_under_load);
        assert!(load.len() >= 3 && !after.is_empty(), "{} and {}", load.len(), after.len());
        assert!(load.iter().all(|health| health.count("users_wanted") == 3), "{load:?}");
        assert!(after.iter().all(|health| health.count("users_wanted") == 0), "{after:?}");
    }
}
