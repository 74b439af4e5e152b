//! Requests that are unfinished at the end of a run are counted and judged, rates are over the time of the load, and
//! every run ends. Expected values come from the schedule, the server's own count, and calculation by hand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::Value;

use crate::merge::{files, merge};
use crate::process::{Finished, prepare, run, start};
use crate::server::{OK, Server};
use crate::shards::{START_DELAY, seconds_from_now};
use crate::support::lines::Line;
use crate::support::{Run, Scratch, dead_host};

/// A server that responds to `good` requests at once and never to the others.
fn hanging_after(good: u64) -> Server {
    let responses = AtomicU64::new(0);
    Server::start(move |mut peer| {
        while peer.read().is_some() {
            if responses.fetch_add(1, Ordering::SeqCst) >= good {
                return peer.hang();
            }
            peer.send(OK);
        }
    })
}

/// Asserts this exit code, or 4 where the machine was too slow to keep to the schedule and the run reports it.
fn exits(run: Finished, code: i32) -> Finished {
    let is_late = run.code() == 4 && run.stderr().contains("though a user was free");
    run.exits(if is_late { 4 } else { code })
}

fn check<'r>(run: &'r Finished, text: &str) -> &'r Line {
    run.stream().of("check").into_iter().find(|line| line.text("check") == text).unwrap()
}

fn reason<'r>(run: &'r Finished, kind: &str) -> Option<&'r str> {
    let reasons = run.stream().run_end().get("reasons").as_array().unwrap();
    reasons.iter().find(|reason| reason["kind"] == kind).map(|reason| reason["text"].as_str().unwrap())
}

#[test]
fn a_server_that_stops_responding_passes_no_check_on_times() {
    let server = hanging_after(25);
    let checks = ["--check", "p99 < 300ms", "--check", "p50{GET /} < 300ms", "--check", "fail_ratio < 1%"];
    let flags = ["--rate", "50", "-u", "500", "-t", "3s", "/"];
    let run = exits(run(&server, &[&flags[..], &checks].concat()), 3);
    assert_eq!((run.count("due"), run.count("ok")), (150, 25), "every arrival in the schedule");
    assert_eq!(run.count("sent"), 25 + run.count("aborted"));
    let judged = check(&run, "p99 < 300ms").float("value");
    assert!(run.stream().last().float("percentile_99") < judged, "contract lines are of completed requests");
    for text in ["p99 < 300ms", "p50{GET /} < 300ms"] {
        let line = check(&run, text);
        assert_eq!((line.get("met"), line.get("is_bound")), (&false.into(), &true.into()), "{}", line.0);
    }
    // Of 150, the 25 that completed and the 50 youngest of the others are at or below the median: 50 / 50 s, and more
    // where a busy machine stops late.
    let median = check(&run, "p50{GET /} < 300ms").float("value");
    assert!((900.0..2000.0).contains(&median), "{median}");
    assert_eq!(check(&run, "fail_ratio < 1%").get("met"), true);
    assert!(reason(&run, "unfinished").unwrap().contains("--stop-timeout"));
}

#[test]
fn without_checks_such_a_run_is_not_valid() {
    let server = hanging_after(25);
    let run = run(&server, &["--rate", "50", "-u", "500", "-t", "3s", "/"]).exits(4);
    assert_eq!(run.stream().run_end().text("verdict"), "invalid");
    let overdue = run.count("overdue");
    assert!(reason(&run, "unfinished").unwrap().starts_with(&format!("{overdue} of 150 ")));
    assert!(run.stderr().contains('≥') && run.stderr().contains("cut off"), "{}", run.stderr());
}

#[test]
fn arrivals_that_no_user_could_take_are_counted_with_their_waiting_time() {
    let server = hanging_after(10);
    let run = exits(run(&server, &["--rate", "50", "-u", "5", "-t", "3s", "--check", "max < 1s", "/"]), 3);
    let sent = server.count();
    assert_eq!((run.count("due"), run.count("sent"), run.count("unsent")), (150, sent, 150 - sent));
    let line = run.stream().only("unfinished");
    assert_eq!((line.count("aborted"), line.count("unsent")), (run.count("aborted"), run.count("unsent")));
    // Those due in the first two seconds, except the ten that completed, had waited for over a second at the end.
    assert!(run.count("overdue") >= 80, "{}", line.0);
    let oldest = check(&run, "max < 1s").float("value");
    assert!((2500.0..10_000.0).contains(&oldest), "{oldest}");
}

#[test]
fn arrivals_are_counted_although_all_users_are_still_in_on_start() {
    let server = Server::start(|mut peer| {
        peer.read();
        peer.hang();
    });
    let scratch = Scratch::new("never-ready");
    let scenario = r#"{"user_classes": [{"on_start": [{"get": "/login"}], "tasks": [{"requests": [{"get": "/a"}]}]}]}"#;
    let file = scratch.write("s.json", scenario);
    let run = run(&server, &["-f", &file, "--rate", "20", "-u", "3", "-t", "2s"]).exits(4);
    assert_eq!((run.count("unsent"), run.count("sent")), (40, 3), "of /a, and of /login");
    let names: Vec<&str> = run.stream().of("unfinished").iter().map(|line| line.text("name")).collect();
    assert_eq!(names, ["/login", "/a"]);
}

#[test]
fn with_a_request_limit_no_more_than_that_are_due() {
    let server = hanging_after(10);
    let run = run(&server, &["--rate", "200", "-u", "5", "-t", "1500ms", "-n", "30", "/"]).exits(4);
    assert_eq!((run.count("due"), run.count("sent")), (30, server.count()));
}

#[test]
fn an_endpoint_that_never_responds_has_a_row_everywhere_and_no_contract_line() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            if request.line() == "GET /hang" {
                return peer.hang();
            }
            peer.send(OK);
        }
    });
    let scratch = Scratch::new("hung-endpoint");
    let outputs =
        ["--html", &scratch.file("r.html"), "--json-file", &scratch.file("s.json"), "--csv", &scratch.file("t")];
    let flags = ["-u", "8", "--seed", "5", "-r", "100", "-t", "3s", "--wait", "1ms", "/ok", "/hang"];
    let run = run(&server, &[&flags[..], &outputs].concat());
    let code = run.code();
    let run = run.exits(code);
    let rows: Vec<&str> = run.stream().of("stats endpoint success").iter().map(|row| row.text("name")).collect();
    assert_eq!(rows, ["/ok"], "a p95 of 0 ms would read as fast");
    assert!(run.stderr().lines().any(|line| line.contains("/hang") && line.contains('≥')), "{}", run.stderr());
    let read = |name: &str| std::fs::read_to_string(scratch.file(name)).unwrap();
    let stream = scratch.write("run.ndjson", run.text());
    let beside = Run::new(["report", &stream, &stream]).finish().exits(0);
    let block = beside.text().split("GET /hang\n").nth(1).unwrap();
    let times: Vec<&str> = block.lines().skip(3).take(6).collect();
    assert!(times.iter().all(|line| line.contains(" ms ") && line.matches('≥').count() == 2), "{times:?}");
    assert!(read("r.html").contains("GET /hang") && read("r.html").contains('≥'));
    let summary: Value = serde_json::from_str(&read("s.json")).unwrap();
    let row = summary["endpoints"].as_array().unwrap().iter().find(|row| row["name"] == "/hang").unwrap();
    assert_eq!((&row["requests"], &row["aborted"]), (&0.into(), &8.into()), "{row}");
    assert!(row["p50"].as_f64().unwrap() > 500.0 && row["lower_bounds"].as_array().unwrap().len() == 7, "{row}");
    let table = read("t_stats.csv");
    let row: Vec<&str> = table.lines().find(|row| row.starts_with("GET,/hang,")).unwrap().split(',').collect();
    assert_eq!((row[2], row[22], row[23]), ("0", "8", "0"), "{table}");
    assert!(row[24].contains("95%") && row[16].parse::<f64>().unwrap() > 500.0, "{table}");
}

#[test]
fn a_healthy_run_looks_as_if_nothing_had_been_cut_off() {
    let server = Server::start(|mut peer| {
        while peer.read().is_some() {
            if !peer.pause(std::time::Duration::from_millis(200)) {
                return;
            }
            peer.send(OK);
        }
    });
    let run = run(&server, &["-u", "20", "-r", "1000", "-t", "1900ms", "--check", "avg > 200ms", "/"]).exits(0);
    assert!(run.count("aborted") > 0, "some are always in flight");
    let average = check(&run, "avg > 200ms");
    assert_eq!(average.get("is_bound"), false, "{}", average.0);
}

#[test]
fn rates_are_over_the_time_of_the_load_in_every_output() {
    let server = hanging_after(60);
    let scratch = Scratch::new("rates");
    let stream = scratch.file("s.ndjson");
    let checks = ["--check", "rps < 25", "--check", "rps > 8"];
    let more = ["--json-file", &scratch.file("s.json"), "--csv", &scratch.file("t"), "--telemetry", &stream];
    let flags = ["-u", "2", "-r", "100", "-t", "3s", "--wait", "1ms", "/"];
    prepare(&server, &[&flags[..], &checks, &more].concat()).start().finish().exits(0);
    let report = Run::new(["report", &stream]).with(checks).finish().exits(0);
    let summary: Value = serde_json::from_str(&std::fs::read_to_string(scratch.file("s.json")).unwrap()).unwrap();
    let rate = summary["total"]["rps"].as_f64().unwrap();
    assert!((8.0..=20.0).contains(&rate), "60 requests in 3 s, or more where a busy machine stops late: {rate}");
    assert!(report.text().contains(&format!(" {rate:.1}")), "{rate}: {}", report.text());
    let table = std::fs::read_to_string(scratch.file("t_stats.csv")).unwrap();
    let row: Vec<&str> = table.lines().last().unwrap().split(',').collect();
    assert_eq!(row[9], summary["total"]["rps"].to_string(), "{table}");
}

#[test]
fn requests_that_end_after_the_load_are_counted_but_in_no_rate() {
    // The first response on a connection is sent at once, the second long after the load has ended.
    let server = Server::start(|mut peer| {
        let mut wait = 0;
        while peer.read().is_some() {
            if !peer.pause(std::time::Duration::from_millis(wait)) {
                return;
            }
            peer.send(OK);
            wait = 4000;
        }
    });
    let run = run(&server, &["-u", "10", "-r", "1000", "-t", "1s", "-s", "20s", "/"]).exits(0);
    assert_eq!((run.count("ok"), run.count("aborted")), (20, 0));
    let rate = run.statistic("total_rps");
    let during_load = rate * run.stream().run_end().float("load_seconds");
    assert!((during_load - 10.0).abs() < 1e-6, "{rate}/s");
}

#[test]
fn a_report_and_a_merge_judge_unfinished_requests_as_the_run_did() {
    let scratch = Scratch::new("judged-again");
    let checks = ["--check", "p90 < 300ms", "--check", "avg < 300ms", "--check", "p99@steady < 300ms"];
    let server = hanging_after(25);
    let one = scratch.file("one.ndjson");
    // Few users, so that a busy machine starts them in time; arrivals beyond their capacity are unsent.
    let flags = ["--rate", "50", "-u", "60", "-t", "3s", "--interval", "500ms", "/"];
    let more = ["--telemetry", one.as_str()];
    let alone = prepare(&server, &[&flags[..], &checks, &more].concat()).start().finish();
    assert!([3, 4].contains(&alone.code), "{}", alone.stderr);
    let again = Run::new(["report", &one]).with(checks).finish().exits(alone.code);
    let values = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.trim_start().starts_with("NOT MET")).map(str::to_owned).collect()
    };
    assert_eq!(values(again.text()), values(&alone.stderr));
    assert!(values(again.text()).len() == 3 && values(again.text()).iter().all(|line| line.contains('≥')));

    // Two shards: their counts, unfinished ones included, add up to the schedule.
    let server = hanging_after(25);
    let at = seconds_from_now(START_DELAY);
    let shard = |index: u32| {
        let shard = format!("{index}/2");
        let more = ["--shard", &shard, "--run-id", "u", "--start-at", &at];
        prepare(&server, &[&flags[..], &checks, &more].concat()).start()
    };
    let running = [shard(0), shard(1)];
    let streams: Vec<Vec<u8>> = running.into_iter().map(|shard| shard.finish().stdout).collect();
    let merged = merge(&files(&scratch, &streams), &[]);
    assert!([3, 4].contains(&merged.code), "{}", merged.stderr);
    let end = merged.stream().run_end().clone();
    assert_eq!((end.count("due"), end.count("ok")), (150, 25));
    assert!(merged.stderr.contains("≥"), "{}", merged.stderr);
    assert_eq!(end.get("checks_missed"), 3);
    let master = scratch.write("master.ndjson", &merged.stdout);
    let report = Run::new(["report", &master]).with(checks).finish().exits(merged.code);
    assert_eq!(values(report.text()), values(&merged.stderr));
}

#[test]
fn a_run_in_which_no_request_got_a_response_is_not_valid() {
    let (scratch, dead) = (Scratch::new("refused"), dead_host());
    let junit = scratch.file("t.xml");
    let checks = ["--check", "fail_ratio <= 100%", "--junit", &junit];
    let run = Run::new(["run", "-n", "80", "-H", &dead, "/"]).with(checks).finish().exits(4);
    assert!(run.stderr.contains("none of 80 requests got a response"), "{}", run.stderr);
    let tests = std::fs::read_to_string(junit).unwrap();
    assert!(tests.contains("the run is valid") && tests.contains("<error message=\"none of 80"), "{tests}");
}

#[test]
fn every_run_ends_however_fast_arrivals_come() {
    let server = Server::responding(OK);
    for flags in [&["-n", "5", "--rate", "100000"][..], &["-n", "1000", "--rate", "50000"]] {
        let before = server.count();
        let requests: u64 = flags[1].parse().unwrap();
        let run = run(&server, &[flags, &["-u", "100", "/"]].concat());
        let code = run.code();
        assert!([0, 4].contains(&code), "{code}: it may be late, on a busy machine");
        assert_eq!((server.count() - before, run.exits(code).reason()), (requests, "requests"));
    }
    let began = Instant::now();
    let missed = run(&server, &["--rate", "100000", "-u", "100", "--check", "requests < 2000 abort", "/"]);
    assert!([3, 4].contains(&missed.code()), "{}", missed.code());
    assert!(began.elapsed().as_secs() < 20, "the check ended it");
    let process = start(&server, &["--rate", "100000", "-u", "100", "/"]);
    server.wait_for_requests(usize::try_from(server.count()).unwrap() + 100);
    process.signal(rustix::process::Signal::INT);
    let ended = process.finish();
    let code = ended.code();
    assert_eq!(ended.exits(code).reason(), "signal");
}

#[test]
fn requests_not_sent_because_unique_data_ran_out_are_reported() {
    let (server, scratch) = (Server::responding(OK), Scratch::new("two-rows"));
    let scenario = r#"{"data": {"row": {"csv": "rows.csv", "pick": "unique"}},
        "user_classes": [{"on_start": [{"get": "/${row.name}", "name": "/"}], "tasks": [{"requests": [{"get": "/t"}]}]}]}"#;
    scratch.write("rows.csv", "name\na\nb\n");
    let file = scratch.write("s.json", scenario);
    let more = ["-f", &file, "-n", "9", "-u", "5", "-r", "1000", "--wait", "1ms"];
    let run = run(&server, &more).exits(0);
    assert_eq!((run.reason(), server.count()), ("requests", 9));
    let spawned: Vec<u64> = run.stream().of("spawn.complete").iter().map(|line| line.count("user_count")).collect();
    assert_eq!(spawned, [2], "of five users two have a row");

    let scenario = r#"{"data": {"row": {"csv": "rows.csv", "pick": "unique"}},
        "user_classes": [{"tasks": [{"requests": [{"get": "/${row.name}", "name": "/"}]}]}]}"#;
    let file = scratch.write("s.json", scenario);
    let run = crate::process::run(&server, &["-f", &file, "-n", "5"]).exits(0);
    assert_eq!(run.reason(), "data_end");
    assert!(reason(&run, "data_end").unwrap().starts_with("3 requests were not sent"));
    assert!(run.stderr().contains("3 requests were not sent"), "{}", run.stderr());
}

/// Requests of one class that each need a row, of which there are two; classes after it need none.
fn two_rows(scratch: &Scratch, classes_after: &str) -> String {
    scratch.write("rows.csv", "name\na\nb\n");
    let class = r#"{"name": "rows", "tasks": [{"requests": [{"get": "/${row.name}", "name": "/"}]}]}"#;
    let data = r#""data": {"row": {"csv": "rows.csv", "pick": "unique"}}"#;
    scratch.write("s.json", format!(r#"{{{data}, "user_classes": [{class}{classes_after}]}}"#))
}

#[test]
fn requests_of_the_open_model_that_have_no_data_are_reported_up_to_n() {
    let (server, scratch) = (Server::responding(OK), Scratch::new("open-rows"));
    let file = two_rows(&scratch, "");
    let run = exits(run(&server, &["-f", &file, "--rate", "100", "-u", "5", "-n", "10"]), 0);
    assert_eq!((run.reason(), server.count()), ("data_end", 2));
    assert!(reason(&run, "data_end").unwrap().starts_with("8 requests were not sent"), "{}", run.stderr());
}

#[test]
fn requests_that_were_not_sent_for_lack_of_time_are_not_put_down_to_the_data() {
    let (server, scratch) = (Server::responding(OK), Scratch::new("rows-and-time"));
    let file = two_rows(&scratch, r#", {"name": "others", "tasks": [{"requests": [{"get": "/t"}]}]}"#);
    let flags = ["-n", "1000000", "-t", "1s", "-u", "2", "-r", "1000", "--wait", "10ms"];
    let run = run(&server, &[&["-f", &file], &flags[..]].concat()).exits(0);
    assert_eq!((run.reason(), run.count("sent")), ("run_time", server.count()));
    assert_eq!(reason(&run, "data_end"), None, "the other class went on to the end");
}
