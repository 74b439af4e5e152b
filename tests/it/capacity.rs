//! `swarmline capacity`: one run whose rate is decided step by step, one stream, and an answer.
//!
//! Where a busy machine sent requests late, a step is void and the search ends there, as it should: then only what holds for
//! every search is asserted.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::process::Process;
use crate::server::{OK, Server};
use crate::support::lines::Stream;
use crate::support::{Finished, Run, Scratch, host, target};

/// Short steps and a coarse answer.
const QUICK: [&str; 6] = ["--step-time", "300ms", "--settle", "100ms", "--precision", "100%"];

fn capacity<'a>(host: &str, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    Run::new(["capacity", "--host", host, "--interval", "200ms"]).with(QUICK).with(arguments)
}

/// The stream of a search, whose promises are checked, and its answer; `None` where the generator was late.
fn searched(finished: &Finished) -> Option<(Stream, Value)> {
    let stream = finished.stream();
    let answer = stream.run_end().get("capacity").clone();
    let steps = steps(&stream);
    assert_eq!(answer["steps"], steps.len());
    for (number, step) in (1..).zip(&steps) {
        let count = |key: &str| step[key].as_u64().unwrap();
        assert_eq!(count("number"), number);
        assert_eq!(count("due"), count("sent") + count("unsent"), "{step}");
        assert_eq!(step["result"] == "passed", step["reasons"].as_array().unwrap().is_empty(), "{step}");
    }
    let reason = stream.only("test.stop").text("reason");
    assert!(["search_end", "data_end", "signal"].contains(&reason), "{reason}");
    let is_late = answer["why"].as_str().is_some_and(|why| why.contains("the generator could not keep up"));
    if is_late {
        assert_eq!(finished.code, 4);
    }
    (!is_late).then_some((stream, answer))
}

fn steps(stream: &Stream) -> Vec<Value> {
    stream.of("step").iter().map(|line| line.get("step").clone()).collect()
}

fn rates(stream: &Stream) -> Vec<f64> {
    steps(stream).iter().map(|step| step["rate"].as_f64().unwrap()).collect()
}

#[test]
fn the_highest_rate_allowed_is_confirmed_by_a_step_three_times_as_long() {
    let target = target();
    let flags = ["--from", "100", "--to", "150", "--check", "max < 30s", "/ok"];
    let finished = capacity(&host(&target), flags).finish();
    let Some((stream, answer)) = searched(&finished) else { return };
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert_eq!(
        (rates(&stream), &answer["answer"], &answer["rate"]),
        (vec![100.0, 150.0, 150.0], &json!("reached_to"), &json!(150.0))
    );
    for (step, due) in steps(&stream).iter().zip([30, 45, 135]) {
        assert!(step["due"].as_u64().unwrap().abs_diff(due) <= 1, "the arrivals of the measured part: {step}");
        assert_eq!((&step["completed"], &step["unsent"]), (&step["due"], &json!(0)));
    }
    assert_eq!(stream.run_end().count("sent"), target.requests(), "those of settling are sent and counted too");
    assert!(
        finished.stderr.contains("capacity: at least 150/s, the highest rate that --to allows"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_rate_at_which_too_many_requests_fail_is_not_found() {
    // Answers 503 while the last 4 requests came within less than 4 fiftieths of a second.
    let recent = std::sync::Mutex::new(std::collections::VecDeque::new());
    let server = Server::start(move |mut peer| {
        while let Some(request) = peer.read() {
            let mut recent = recent.lock().unwrap();
            recent.push_back(request.at);
            let first = if recent.len() > 4 { recent.pop_front() } else { None };
            let is_fast = first.is_some_and(|first| request.at.duration_since(first).as_millis() < 80);
            drop(recent);
            peer.send(if is_fast { "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" } else { OK });
        }
    });
    let flags = ["--from", "20", "--check", "fail_ratio < 30%", "/"];
    let finished = capacity(&server.host(), flags).finish();
    let Some((stream, answer)) = searched(&finished) else { return };
    let found = answer["rate"].as_f64().unwrap();
    assert!(answer["answer"] == "found" && (25.0..=50.0).contains(&found), "{answer}");
    let failed: Vec<Value> = steps(&stream).into_iter().filter(|step| step["result"] == "failed").collect();
    assert!(failed.iter().all(|step| step["reasons"][0].as_str().unwrap().starts_with("fail_ratio")));
    assert_eq!(stream.only("check").get("met"), true, "the checks are those of the step that was confirmed");
    assert_eq!(finished.code, 0, "failed requests make a step fail, and not the run");
}

#[test]
fn users_that_are_too_few_end_the_search_with_what_passed() {
    let target = target();
    // Two users who take 100 ms a request send 20 a second, and the service is not to blame.
    let flags = ["--from", "8", "-u", "2", "--check", "p99 < 150ms", "/delay/100"];
    let finished = capacity(&host(&target), flags).finish();
    let Some((stream, answer)) = searched(&finished) else { return };
    assert_eq!((&answer["answer"], &answer["rate"], finished.code), (&json!("at_least"), &json!(16.0), 4));
    let last = steps(&stream).pop().unwrap();
    assert_eq!((&last["result"], &last["reasons"][0]), (&json!("void"), &json!("all users were busy; raise -u")));
    assert_eq!(stream.run_end().get("reasons")[0]["kind"], "generator");
}

#[test]
fn a_service_that_only_fails_meets_no_rate() {
    let target = target();
    let flags = ["--from", "40", "--check", "p99 < 30s", "/status/503"];
    let finished = capacity(&host(&target), flags).finish();
    let Some((stream, answer)) = searched(&finished) else { return };
    assert_eq!((&answer["answer"], finished.code), (&json!("no_rate"), 3), "a quick error is not a quick answer");
    let mut rates = rates(&stream);
    // A step is done again where this machine stalled.
    rates.dedup();
    assert_eq!(rates, [40.0, 20.0, 10.0, 5.0, 2.5, 1.25, 1.0]);
    assert!(steps(&stream)[0]["reasons"][0].as_str().unwrap().contains("requests failed"));
}

#[test]
fn the_rate_that_is_needed_at_least_decides_on_the_exit_code() {
    let target = target();
    let flags = ["--from", "50", "--to", "50", "--min-rate", "50", "--check", "max < 30s", "/ok"];
    let finished = capacity(&host(&target), flags).finish();
    if searched(&finished).is_some() {
        assert_eq!(finished.code, 0);
    }
    let server = Server::responding("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    let flags = ["--from", "1", "--min-rate", "50", "--check", "max < 30s", "/"];
    let finished = capacity(&server.host(), flags).finish();
    if searched(&finished).is_some() {
        assert_eq!(finished.code, 3);
    }
}

#[test]
fn one_run_goes_through_all_steps_so_that_no_row_is_used_twice_and_data_may_run_out() {
    let scratch = Scratch::new("capacity-data");
    let names: String = (0..60).fold("name\n".to_owned(), |text, number| text + &format!("n{number}\n"));
    scratch.write("rows.csv", names);
    let scenario = json!({
        "wait": "1s", "run_time": "1s", "users": 50,
        "data": { "row": { "csv": "rows.csv", "pick": "unique" } },
        "user_classes": [{ "tasks": [{ "requests": [{ "get": "/${row.name}", "name": "/" }] }] }],
    });
    let file = scratch.write("scenario.json", scenario.to_string());
    let server = Server::responding(OK);
    let finished = capacity(&server.host(), ["-f", &file, "--from", "50", "--check", "max < 30s"]).finish();
    let mut lines = server.request_lines();
    let sent = lines.len();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), sent, "no row is used twice");
    for key in ["run_time", "users"] {
        assert!(
            finished.stderr.contains(&format!("\"{key}\" of the scenario file has no effect")),
            "{}",
            finished.stderr
        );
    }
    let Some((_, answer)) = searched(&finished) else { return };
    assert_eq!((sent, finished.code), (60, 4));
    assert!(answer["why"].as_str().unwrap().contains("data of the scenario was used up"), "{answer}");
}

#[test]
fn a_signal_ends_the_search_in_order_with_what_is_known_so_far() {
    let target = target();
    let flags = ["--from", "50", "--check", "max < 30s", "/ok"];
    let mut process = Process::start(capacity(&host(&target), flags).with(["--only-summary"]));
    process.await_output(|text| text.matches("swarmline.event.step").count() >= 4);
    process.signal(Signal::INT);
    let finished = process.finish().exits(4);
    let end = finished.stream().run_end();
    assert_eq!(end.count("due"), end.count("sent") + end.count("unsent"));
    let answer = end.get("capacity");
    if answer["answer"] == "interrupted" {
        assert!(answer["passed"].as_f64().unwrap() >= 50.0, "{answer}");
        assert!(finished.stderr().contains("not known, the search was ended: "), "{}", finished.stderr());
    }
}

#[test]
fn a_report_of_the_stream_shows_the_same_steps_and_the_same_answer() {
    let target = target();
    let scratch = Scratch::new("capacity-report");
    let files = ["s.ndjson", "a.json", "b.json", "a.html", "b.html", "a.markdown", "b.markdown", "a.xml", "b.xml"]
        .map(|name| scratch.file(name));
    let [stream, json_a, json_b, html_a, html_b, md_a, md_b, xml_a, xml_b] = files.each_ref().map(String::as_str);
    let outputs =
        ["--telemetry", stream, "--json-file", json_a, "--html", html_a, "--markdown", md_a, "--junit", xml_a];
    let flags = ["--from", "100", "--to", "200", "--check", "max < 30s", "--check", "p95 < 30s", "/ok"];
    let finished = capacity(&host(&target), flags).with(outputs).finish();
    let again = ["report", stream, "--json-file", json_b, "--html", html_b, "--markdown", md_b, "--junit", xml_b];
    let report = Run::new(again).finish().exits(0);
    for (one, other) in [(json_a, json_b), (html_a, html_b), (md_a, md_b), (xml_a, xml_b)] {
        let [one, other] = [one, other].map(|file| std::fs::read_to_string(file).unwrap());
        assert_eq!(one, other);
    }
    let summary: Value = serde_json::from_str(&std::fs::read_to_string(json_a).unwrap()).unwrap();
    let lines = Stream::parse(&std::fs::read(stream).unwrap());
    assert_eq!(summary["capacity"]["steps"], Value::Array(steps(&lines)));
    assert_eq!(&summary["capacity"]["answer"], lines.run_end().get("capacity"));
    let sentence = format!("capacity: {}", summary["capacity"]["sentence"].as_str().unwrap());
    for text in [report.text(), &finished.stderr] {
        assert!(text.contains(&sentence) && text.contains("\nSteps\n"), "{text}");
        assert!(!text.contains("confidence"), "the steady phase of a search is several loads: {text}");
    }
    let page = std::fs::read_to_string(html_a).unwrap();
    assert!(page.contains("id=\"chart-capacity\"") && page.contains("step 1, 100/s: p50 "), "a drawing with each step");
    assert!(std::fs::read_to_string(xml_a).unwrap().contains("name=\"capacity\""));
}

#[test]
fn what_cannot_be_done_with_the_stream_of_a_search_is_refused_in_a_line() {
    let target = target();
    let scratch = Scratch::new("capacity-refused");
    let stream = scratch.file("s.ndjson");
    let flags = ["--from", "20", "--to", "20", "--check", "max < 30s", "--telemetry", &stream, "/ok"];
    capacity(&host(&target), flags).finish();
    let judged = Run::new(["report", &stream, "--check", "p99 < 1s"]).finish().exits(2);
    assert!(judged.complaint().contains("search for capacity"), "{}", judged.stderr);
    let compared = Run::new(["report", &stream, "--baseline", &stream]).finish().exits(2);
    assert!(compared.complaint().contains("search for capacity"), "{}", compared.stderr);
    let merged = Run::new(["merge", &stream]).finish();
    assert!(
        merged.code == 4 && merged.stderr.contains("a run on its own; swarmline report reads it"),
        "{} {}",
        merged.code,
        merged.stderr
    );
}

#[test]
fn a_search_that_makes_no_sense_is_refused_before_anything_is_sent() {
    let target = target();
    let with = |arguments: &[&str]| {
        let run = Run::new(["capacity", "--host", &host(&target), "/ok"]).with(arguments.iter().copied());
        run.finish().exits(2).complaint().to_owned()
    };
    assert!(with(&[]).starts_with("--check: is needed"));
    assert!(with(&["--check", "p99@steady < 1s"]).contains("has a phase"));
    assert!(with(&["--check", "p99 < 1s abort"]).contains("has abort"));
    // A lower rate has to meet a check more easily, and a step of three times the length as well.
    assert!(with(&["--check", "rps >= 60"]).contains("--min-rate R holds the answer to it"));
    assert!(with(&["--check", "failures < 5"]).contains("is about a number of requests"));
    assert!(with(&["--check", "min > 5ms"]).contains("is not an upper limit"));
    for (flag, value) in [
        ("--run-time", "5s"),
        ("--requests", "5"),
        ("--rate", "5"),
        ("--stages", "1s:5"),
        ("--spawn-rate", "5"),
        ("--wait", "1s"),
        ("--shard", "0/2"),
        ("--exit-code-on-error", "0"),
    ] {
        let complaint = with(&["--check", "p99 < 1s", flag, value]);
        assert!(complaint.starts_with(&format!("{flag}: has no meaning for swarmline capacity: ")), "{complaint}");
    }
    let check = ["--check", "p99 < 1s"];
    let refused = |more: &[&str]| with(&[&check[..], more].concat());
    assert!(refused(&["--from", "20", "--to", "10"]).starts_with("--to: must not be below --from"));
    assert!(refused(&["--to", "20", "--min-rate", "30"]).starts_with("--min-rate: must not be above --to"));
    assert!(refused(&["--step-time", "10ms"]).starts_with("--step-time: must be at least 100ms"));
    assert!(refused(&["--precision", "0"]).starts_with("--precision: "));
    assert_eq!(target.requests(), 0);
}

#[test]
fn the_plan_of_a_search_is_in_the_stream_and_its_hash() {
    let target = target();
    let run = |to: &str| {
        let flags = ["--from", "20", "--to", to, "--min-rate", "20", "--check", "max < 30s", "/ok"];
        capacity(&host(&target), flags).finish().stream()
    };
    let stream = run("20");
    for (key, value) in [
        ("from", "20"),
        ("to", "20"),
        ("step-time", "0.3s"),
        ("settle", "0.1s"),
        ("precision", "1"),
        ("min-rate", "20"),
    ] {
        assert_eq!(stream.setting(key), Some((value, "flag")), "{key}");
    }
    assert_eq!(stream.setting("rate"), None, "it is decided by the search");
    assert_ne!(run("21").plan_hash(), stream.plan_hash());
}
