//! Checks: the verdict is the same in the stream, on stderr and in the exit code.

use crate::support::{Finished, Run, load, target};

/// A second of four users on an endpoint that is fast and one that is slow.
const SECOND: [&str; 12] =
    ["-t", "1s", "-u", "4", "-r", "1000", "--wait", "20ms", "--interval", "200ms", "/ok", "/delay/50"];

/// The result of a check in the stream: whether it was met, whether it had data, the value.
fn check_result(run: &Finished, check: &str) -> (bool, bool, f64) {
    let stream = run.stream();
    let lines = stream.of("check");
    let line = lines.iter().find(|line| line.text("check") == check).unwrap_or_else(|| panic!("no line of {check}"));
    (line.get("met") == true, line.get("has_data") == true, line.float("value"))
}

#[test]
fn checks_that_are_met_pass() {
    let target = target();
    let checks =
        ["p95{GET /delay/50} >= 50ms", "service.min < 1s", "fail_ratio == 0%", "requests@steady > 1", "rps > 1"];
    let flags = checks.into_iter().flat_map(|check| ["--check", check]);
    let run = load(&target, SECOND).with(flags).finish().exits(0);
    let stream = run.stream();
    assert_eq!(stream.run_end().text("verdict"), "pass");
    assert_eq!(stream.run_end().count("checks_met"), 5);
    for check in checks {
        let (met, has_data, value) = check_result(&run, check);
        assert!(met && has_data, "{check}: {value}");
        assert!(run.stderr.contains(check), "{check} is shown: {}", run.stderr);
    }
    assert!(check_result(&run, checks[0]).2 >= 50.0);
    let (_, _, rps) = check_result(&run, "rps > 1");
    assert!((rps - stream.last().float("total_rps")).abs() < 1e-6, "rps as in the final line");
    assert_eq!(stream.setting("check"), Some((checks[0], "flag")));
}

#[test]
fn a_check_that_is_missed_is_exit_3_and_named_everywhere() {
    let target = target();
    let missed = "p50{GET /delay/50} < 10ms";
    let run = load(&target, SECOND).with(["--check", "rps > 0", "--check", missed]).finish().exits(3);
    let stream = run.stream();
    let end = stream.run_end();
    assert_eq!((end.text("verdict"), end.count("checks_met"), end.count("checks_missed")), ("check_failed", 1, 1));
    let reason = end.get("reasons")[0]["text"].as_str().unwrap();
    assert!(reason.contains(missed) && reason.ends_with("ms"), "{reason}");
    let (met, has_data, value) = check_result(&run, missed);
    assert!(!met && has_data && value >= 50.0, "{value}");
    assert!(run.stderr.contains(missed) && run.stderr.contains("verdict: check_failed"), "{}", run.stderr);
}

#[test]
fn a_check_without_data_is_not_met_and_reported_as_such() {
    let target = target();
    // A run that is all ramp has no steady phase.
    let run = load(&target, ["-n", "3", "-u", "9", "-r", "1", "--check", "failures@down == 0", "/ok"]);
    let run = run.finish().exits(3);
    assert_eq!(check_result(&run, "failures@down == 0"), (false, false, 0.0));
    assert!(run.stderr.contains("without data"), "{}", run.stderr);
}

#[test]
fn a_check_on_failures_decides_the_exit_code_in_place_of_the_usual_rule() {
    let target = target();
    for (checks, code) in [
        (&[][..], 1),
        (&["--check", "p95 < 30s"], 1),
        (&["--check", "fail_ratio <= 100%"], 0),
        (&["--check-fail-ratio", "1"], 0),
        (&["--check-fail-ratio", "0.1"], 3),
        (&["--check", "failures{GET /status/500} == 40"], 3),
        (&["--check", "failures{GET /status/500} < 40"], 1),
        (&["--check", "failures{GET /status/500} < 40", "--check", "failures{GET /status/503} > 0"], 0),
    ] {
        let run = load(&target, ["-n", "40", "/status/500", "/status/503"]).with(checks.iter().copied());
        run.finish().exits(code).stream();
    }
}

#[test]
fn a_check_with_abort_ends_the_run_when_it_is_clearly_missed() {
    let target = target();
    for (check, requests) in [
        ("fail_ratio < 50% abort", "/status/500"),
        ("failures == 0 abort", "/status/500"),
        ("p95{GET /delay/20}@steady < 10ms abort", "/delay/20"),
    ] {
        let flags = ["-t", "1h", "-u", "10", "-r", "1000", "--wait", "5ms", "--interval", "100ms", "--check", check];
        let run = load(&target, flags).with([requests]).finish().exits(3);
        let stream = run.stream();
        assert_eq!(stream.only("test.stop").text("reason"), "check_abort");
        assert!(!check_result(&run, check).0, "{check}");
        assert!(run.stderr.contains(check), "{}", run.stderr);
    }
}

#[test]
fn a_shard_records_checks_but_does_not_decide_them() {
    let target = target();
    let shard = ["-n", "10", "--shard", "0/2", "--run-id", "r", "/ok"];
    let run = load(&target, shard).with(["--check", "max < 1us", "--check", "p95 < 1us"]).finish().exits(0);
    let stream = run.stream();
    assert_eq!(stream.setting("check"), Some(("max < 1us", "flag")));
    assert!(stream.of("check").is_empty());
    let refused = load(&target, shard).with(["--check", "max < 1us abort"]).finish().exits(2);
    assert!(refused.complaint().contains("shard"), "{}", refused.stderr);
}

#[test]
fn a_check_with_abort_that_is_met_ends_nothing() {
    let target = target();
    let flags = ["-n", "200", "--interval", "100ms", "--check", "failures == 0 abort", "--check", "max < 30s abort"];
    let run = load(&target, flags).with(["/ok"]).finish().exits(0);
    assert_eq!(run.stream().only("test.stop").text("reason"), "requests");
}

#[test]
fn the_flags_and_variables_of_locust_plugins_are_checks() {
    let target = target();
    let flags = ["-n", "5", "--check-rps", "0.001", "--check-avg-response-time", "1", "/delay/20"];
    let run = load(&target, flags).env("LOCUST_CHECK_FAIL_RATIO", "0.25").finish().exits(3);
    assert!(check_result(&run, "rps >= 0.001").0 && check_result(&run, "fail_ratio <= 0.25").0);
    let (met, _, value) = check_result(&run, "avg <= 1ms");
    assert!(!met && value >= 20.0, "{value} is in milliseconds");
    let checks: Vec<_> = run.stream().of("check").iter().map(|line| line.text("check").to_owned()).collect();
    assert_eq!(checks, ["rps >= 0.001", "fail_ratio <= 0.25", "avg <= 1ms"]);
}

#[test]
fn a_check_that_cannot_be_parsed_is_refused_with_the_position() {
    let target = target();
    for (check, why) in [
        ("p95 < 300", "--check 'p95 < 300': character 10: expected a unit of time"),
        ("p95{GET /nowhere} < 1s", "no endpoint 'GET /nowhere'; did you mean 'GET /ok'?"),
        ("rps > 10 abort", "character 10: abort needs a phase"),
    ] {
        let refused = load(&target, ["-n", "1", "--check", check, "/ok"]).finish().exits(2);
        assert!(refused.complaint().contains(why), "{}", refused.stderr);
    }
    let refused = load(&target, ["-n", "1", "--check-rps", "many", "/ok"]).finish().exits(2);
    assert!(refused.complaint().starts_with("--check-rps"), "{}", refused.stderr);
    assert_eq!(target.requests(), 0, "nothing was sent");
}

#[test]
fn a_limit_that_no_run_can_miss_or_meet_is_refused() {
    let share = "a share is at most 1, which is 100%";
    for (flag, value, why) in [
        ("--check-fail-ratio", "5", share),
        ("--check-fail-ratio", "-0.1", "must not be negative"),
        ("--check-rps", "-1", "must not be negative"),
        ("--check-avg-response-time", "-3", "must not be negative"),
    ] {
        for arguments in [["run", "http://127.0.0.1:9/"], ["report", "run.ndjson"], ["merge", "run.ndjson"]] {
            let refused = Run::new(arguments).with([flag, value]).finish().exits(2);
            let complaint = refused.complaint();
            assert!(complaint.starts_with(flag) && complaint.contains(why), "{complaint}");
        }
    }
    let variable = Run::new(["run", "http://127.0.0.1:9/"]).env("LOCUST_CHECK_FAIL_RATIO", "5").finish().exits(2);
    let complaint = variable.complaint();
    assert!(complaint.contains("LOCUST_CHECK_FAIL_RATIO") && complaint.contains(share), "{complaint}");
}
