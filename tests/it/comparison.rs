//! Comparing builds by their runs, and intervals of confidence: `report --baseline`.

use serde_json::Value;
use swarmline::server::Server;

use crate::support::{Run, Scratch, load, target};

/// Records a run of 3 s with a tick each 100 ms, of which 20 and more are steady, and returns its stream. Its requests are
/// named as those to the fast endpoint, so that both look like builds of one service.
fn record(target: &Server, scratch: &Scratch, name: &str, request: &str, users: &str) -> String {
    let file = scratch.file(name);
    let flags = ["-t", "3s", "-u", users, "-r", "1000", "--interval", "100ms", "--only-summary", "--testplan", "shop"];
    load(target, flags).with(["--telemetry", &file, request]).finish().exits(0);
    let text = std::fs::read_to_string(&file).unwrap().replace("/delay/60", "/delay/20");
    // The plans differ by the request; as builds of one service they are the same.
    let hash = text.split("\"plan_hash\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    scratch.write(name, text.replace(&hash, &hash.chars().map(|_| users.chars().next().unwrap()).collect::<String>()))
}

/// Copies of a stream as if they were of runs of their own: `count` files beside it, each with a run id of its own.
fn repeats(file: &str, count: usize) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let id = text.split("\"run_id\":\"").nth(1).unwrap().split('"').next().unwrap();
    let copy = |at: usize| {
        let copy = format!("{file}-{at}");
        std::fs::write(&copy, text.replace(id, &format!("{id}-{at}"))).unwrap();
        copy
    };
    (0..count).map(copy).collect()
}

fn read(scratch: &Scratch, name: &str) -> String {
    std::fs::read_to_string(scratch.file(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

#[test]
fn a_slower_build_is_worse_in_every_output_and_the_same_build_in_none() {
    let (target, scratch) = (target(), Scratch::new("builds"));
    let (fast, slow) =
        (record(&target, &scratch, "fast", "/delay/20", "8"), record(&target, &scratch, "slow", "/delay/60", "8"));
    let outputs = ["html", "json-file", "junit", "markdown"].map(|flag| (format!("--{flag}"), scratch.file(flag)));
    let outputs: Vec<&str> = outputs.iter().flat_map(|(flag, file)| [flag.as_str(), file]).collect();
    let worse = Run::new(["report", &slow, "--baseline", &fast]).with(outputs.iter().copied()).finish().exits(3);
    for part in ["p50 ms", "worse", "of 4 figures 3 worse, 1 the same", "run-to-run noise is unknown"] {
        assert!(worse.text().contains(part), "{part}: {}", worse.text());
    }
    let summary: Value = serde_json::from_str(&read(&scratch, "json-file")).unwrap();
    let findings = |summary: &Value| {
        let figures = summary["comparison"]["endpoints"][0]["figures"].as_array().unwrap().clone();
        figures.iter().map(|row| row["finding"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(findings(&summary), ["worse", "worse", "worse", "same", "not_judged", "not_judged"]);
    let change = summary["comparison"]["endpoints"][0]["figures"][0]["change"].as_f64().unwrap();
    assert!((1.5..3.0).contains(&change), "60 ms are three times 20 ms: {change}");
    assert!(summary["confidence"]["ticks"].as_u64().unwrap() >= 20, "{}", summary["confidence"]);
    let p50 = &summary["confidence"]["total"]["p50"];
    assert!(p50["low"].as_f64() <= p50["value"].as_f64() && p50["value"].as_f64() <= p50["high"].as_f64(), "{p50}");
    assert!(read(&scratch, "junit").contains("failures=\"3\""), "{}", read(&scratch, "junit"));
    assert!(read(&scratch, "html").contains("Comparison with the baseline"));
    assert!(read(&scratch, "markdown").contains("| worse |"), "{}", read(&scratch, "markdown"));

    let again = repeats(&fast, 1).remove(0);
    let same = Run::new(["report", &again, "--baseline", &fast, "--tolerance", "0"]).with(outputs).finish().exits(0);
    assert!(!same.text().contains("worse"), "{}", same.text());
    assert!(read(&scratch, "junit").contains("failures=\"0\""));
    assert_eq!(
        read(&scratch, "markdown").matches("### ").count(),
        2,
        "it is appended, so that several steps share a page"
    );
}

#[test]
fn several_runs_of_each_build_make_the_noise_between_runs_known() {
    let (target, scratch) = (target(), Scratch::new("repeats"));
    let (fast, slow) =
        (record(&target, &scratch, "fast", "/delay/20", "8"), record(&target, &scratch, "slow", "/delay/60", "8"));
    let (fasts, slows) = (repeats(&fast, 2), repeats(&slow, 3));
    let baseline = ["--baseline", &fasts[0], "--baseline", &fasts[1]];
    let worse = Run::new(["report", &slows[0], &slows[1], &slows[2]]).with(baseline).finish().exits(3);
    assert!(worse.text().contains("3 runs (") && worse.text().contains("2 runs ("), "{}", worse.text());
    assert!(!worse.text().contains("run-to-run noise is unknown"), "{}", worse.text());
    let other = record(&target, &scratch, "other", "/delay/20", "9");
    let refused = Run::new(["report", &slow, &other]).with(baseline).finish().exits(2);
    assert!(refused.complaint().starts_with("STREAM"), "{}", refused.stderr);
    assert!(refused.complaint().contains("users: 8 and 9"), "the setting that differs: {}", refused.stderr);
    let refused = Run::new(["report", &slow, "--baseline", &fast, "--baseline", &other]).finish().exits(2);
    assert!(refused.complaint().starts_with("--baseline"), "{}", refused.stderr);
    // With one baseline each stream is a build of its own.
    let apart = Run::new(["report", &slow, &other, "--baseline", &fast]).finish().exits(3);
    assert_eq!(apart.text().matches("compared with the baseline").count(), 2, "{}", apart.text());
    assert_eq!(apart.text().matches("the plans differ in users: 8 and 9").count(), 1, "{}", apart.text());
    // A run counts once, on whichever side.
    let copy = scratch.write("copy", read(&scratch, "fast"));
    for (streams, side) in [
        (vec![slow.as_str(), &copy, "--baseline", &fast], "STREAM"),
        (vec![&slow, "--baseline", &fast, "--baseline", &copy], "--baseline"),
        (vec![&fast, "--baseline", &fast], "STREAM"),
    ] {
        let refused = Run::new(["report"]).with(streams).finish().exits(2);
        let complaint = refused.complaint();
        assert!(complaint.starts_with(side) && complaint.contains("is the same run as"), "{complaint}");
        assert!(complaint.contains(&fast), "{complaint}");
    }
}

#[test]
fn a_margin_that_is_beyond_any_change_is_not_written_out_in_any_output() {
    let (target, scratch) = (target(), Scratch::new("no-margin"));
    let one = |name: &str, request: &str| record(&target, &scratch, name, request, "8");
    // Two runs a side that are far apart: the noise between runs hides every change.
    let (fast, slow) = (one("fast", "/delay/1"), one("slow", "/delay/300"));
    for file in [&fast, &slow] {
        let text = std::fs::read_to_string(file).unwrap().replace("/delay/300", "/delay/20");
        std::fs::write(file, text.replace("/delay/1\"", "/delay/20\"")).unwrap();
    }
    let [fasts, slows] = [&fast, &slow].map(|file| repeats(file, 2));
    let outputs = ["html", "junit", "markdown", "json-file"].map(|flag| (format!("--{flag}"), scratch.file(flag)));
    let outputs: Vec<&str> = outputs.iter().flat_map(|(flag, file)| [flag.as_str(), file]).collect();
    let baseline = ["--baseline", &fasts[0], "--baseline", &slows[0]];
    let report = Run::new(["report", &fasts[1], &slows[1]]).with(baseline).with(outputs).finish().exits(0);
    let texts = ["html", "junit", "markdown"].map(|flag| read(&scratch, flag).replace('\\', ""));
    for text in texts.iter().map(String::as_str).chain([report.text()]) {
        assert!(text.contains("cannot tell (more than ±1000 %)"), "{text}");
    }
    let summary: Value = serde_json::from_str(&read(&scratch, "json-file")).unwrap();
    let figure = &summary["comparison"]["endpoints"][0]["figures"][0];
    assert_eq!(figure["finding"], "cannot_tell", "{figure}");
    assert!(figure["margin"].as_f64().unwrap() > 10.0, "programs get the number: {figure}");
}

#[test]
fn too_few_ticks_or_requests_never_make_a_build_worse() {
    let (target, scratch) = (target(), Scratch::new("few"));
    let files = [("a", "/delay/1"), ("b", "/delay/90")].map(|(name, request)| {
        let file = scratch.file(name);
        load(&target, ["-n", "20", "--only-summary", "--telemetry", &file, request]).finish().exits(0);
        scratch.write(name, std::fs::read_to_string(&file).unwrap().replace("/delay/90", "/delay/1"))
    });
    let unknown = Run::new(["report", &files[1], "--baseline", &files[0]]).finish().exits(0);
    assert!(unknown.text().contains("cannot tell"), "{}", unknown.text());
}

#[test]
fn checks_of_a_comparison_are_shown_with_the_reasons_of_the_exit_code() {
    let (target, scratch) = (target(), Scratch::new("checked"));
    let files = ["before", "after"].map(|name| {
        let file = scratch.file(name);
        load(&target, ["-n", "20", "--only-summary", "--telemetry", &file, "/delay/5"]).finish().exits(0);
        file
    });
    let checks = ["--check", "p99 < 1ms", "--check", "failures == 0"];
    for more in [&["--baseline", &files[0]][..], &[&files[0]]] {
        let report = Run::new(["report", &files[1]]).with(more.iter().copied()).with(checks).finish().exits(3);
        let text = report.text();
        let (_, judged) = text.split_once(&format!("Checks of {}\n", files[1])).unwrap_or_else(|| panic!("{text}"));
        for part in
            ["NOT MET  p99 < 1ms", "met      failures == 0", "verdict: check_failed", "check not met: p99 < 1ms"]
        {
            assert!(judged.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn a_baseline_that_is_not_whole_makes_the_comparison_invalid() {
    let (target, scratch) = (target(), Scratch::new("cut-baseline"));
    let files = ["before", "after"].map(|name| {
        let file = scratch.file(name);
        load(&target, ["-n", "20", "--only-summary", "--telemetry", &file, "/ok"]).finish().exits(0);
        file
    });
    let text = std::fs::read_to_string(&files[0]).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let hole = [&lines[..8], &lines[10..]].concat().join("\n") + "\n";
    for part in [lines[..lines.len() - 1].join("\n") + "\n", hole] {
        let cut = scratch.write("cut", part);
        let report = Run::new(["report", &files[1], "--baseline", &cut]).finish().exits(4);
        assert!(report.text().contains("cut is not whole"), "{}", report.text());
    }
    Run::new(["report", &files[1], "--baseline", &files[0]]).finish().exits(0);
}

#[test]
fn junit_agrees_with_the_exit_code() {
    let (target, scratch) = (target(), Scratch::new("agrees"));
    let run = |flags: &[&str], code| {
        let file = scratch.file("j.xml");
        load(&target, ["-n", "4", "--only-summary", "--junit", &file, "/status/500"])
            .with(flags.iter().copied())
            .finish()
            .exits(code);
        read(&scratch, "j.xml")
    };
    let failed = run(&[], 1);
    assert!(failed.contains("failures=\"1\""), "{failed}");
    let checked = run(&["--check", "fail_ratio <= 100%"], 0);
    assert!(checked.contains("failures=\"0\"") && checked.contains("skipped=\"1\""), "{checked}");
    assert!(checked.contains("<skipped message=\"4 of 4 requests failed; a check decides about them\"/>"), "{checked}");
    let accepted = run(&["--exit-code-on-error", "0"], 0);
    assert!(accepted.contains("<skipped message=\"4 of 4 requests failed, which the run accepts\"/>"), "{accepted}");
}
