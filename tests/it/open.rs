//! The open model and stages: every arrival that is due is sent, by as many users as it takes, and lateness counts as
//! response time.
//!
//! Stages that must send an exact number end with seconds at rate 0: at the end of a run an arrival that is due and not
//! yet taken is unsent, which on a busy machine sometimes happens to the last ones.

use rustix::process::Signal;

use crate::process::Process;
use crate::support::{Run, load, target};

#[test]
fn a_rate_sends_exactly_what_is_due_before_the_end() {
    let target = target();
    let flags = ["--rate", "200", "-t", "2s", "-s", "20s", "--interval", "500ms", "/ok"];
    let stream = load(&target, flags).finish().exits_0_unless_late().stream();
    let end = stream.run_end();
    assert_eq!((end.count("due"), end.count("sent") + end.count("unsent")), (400, 400));
    assert_eq!(end.count("sent"), target.requests());
    assert!(end.count("unsent") <= 40, "only a busy machine leaves some of the last ones: {}", end.0);
    assert_eq!(stream.only("test.stop").text("reason"), "run_time");
}

#[test]
fn stages_of_the_rate_send_its_integral() {
    let target = target();
    // From 100 to 300 within 1 s makes 200, 300 a second for 0.5 s makes 150, down to 0 within 1 s makes 150.
    let flags = ["--rate", "100", "--stages", "1s:300,500ms:300,1s:0,2s:0", "-s", "20s", "--interval", "500ms", "/ok"];
    let stream = load(&target, flags).finish().exits_0_unless_late().stream();
    assert_eq!((stream.run_end().count("sent"), target.requests()), (500, 500));
    assert_eq!(stream.only("test.stop").text("reason"), "stages");
}

#[test]
fn random_arrivals_depend_on_the_seed_and_not_on_the_number_of_users() {
    let target = target();
    let sent = |seed: &str, users: &str| {
        let stages = ["--rate", "300", "--stages", "1s:300,0s:0,1s:0", "-s", "20s"];
        let flags = ["--arrival", "poisson", "--seed", seed, "-u", users, "/ok"];
        load(&target, stages).with(flags).finish().stream().run_end().count("sent")
    };
    let first = sent("7", "100");
    assert_eq!(sent("7", "3"), first, "the same seed makes the same arrivals, whatever the number of users");
    // 4 sigma of a count of 300 are 69.
    assert!(first.abs_diff(300) <= 69, "{first}");
    assert!((8..12).any(|seed| sent(&seed.to_string(), "100") != first), "other seeds make other arrivals");
}

#[test]
fn users_are_started_as_they_are_needed() {
    let target = target();
    // 50 a second that take 100 ms each need at least 5 users.
    let flags = ["--rate", "50", "-u", "40", "-t", "1s", "-s", "20s", "--interval", "500ms", "/delay/100"];
    let stream = load(&target, flags).finish().exits_0_unless_late().stream();
    let users = stream.last().count("user_count");
    assert!((5..=40).contains(&users), "{users}");
    assert_eq!(target.connections(), users, "each has a connection of its own");
}

#[test]
fn a_server_that_is_too_slow_shows_in_response_time_and_the_run_is_valid() {
    let target = target();
    // 40 a second, but two users who take 100 ms a request send 20: half of a second's arrivals wait.
    let flags =
        ["--rate", "40", "--stages", "1s:40,2s:0,2s:0", "-u", "2", "-s", "20s", "--interval", "500ms", "/delay/100"];
    let stream = load(&target, flags).finish().exits_0_unless_late().stream();
    assert_eq!(stream.warnings(), ["users_exhausted"], "reported once");
    let intervals = stream.of("interval");
    assert!(intervals.iter().any(|line| !line.get("response_is_service").as_bool().unwrap()));
    let longest = |kind: &str| intervals.iter().map(|line| line.get(kind)["max_us"].as_u64().unwrap()).max().unwrap();
    assert!(longest("response") >= longest("service") + 300_000, "{} {}", longest("response"), longest("service"));
    let late: u64 = stream.of("health").iter().map(|line| line.count("late_sends")).sum();
    let is_valid = late * 20 <= stream.run_end().count("sent");
    assert_eq!(is_valid, stream.run_end().text("verdict") == "pass", "{late} sent late by the generator");
}

#[test]
fn stages_start_and_stop_users_which_end_after_their_request() {
    let target = target();
    let flags = ["--stages", "500ms:6,1s:6,500ms:2,1s:2", "-s", "20s", "--interval", "250ms", "/delay/20"];
    let stream = load(&target, flags).finish().exits(0).stream();
    let reached: Vec<u64> = stream.of("spawn.complete").iter().map(|line| line.count("user_count")).collect();
    assert_eq!(reached, [6, 2]);
    assert_eq!(stream.last().count("user_count"), 2);
    assert_eq!(stream.run_end().count("aborted"), 0);
    assert_eq!(stream.run_end().count("sent"), target.requests());
    assert_eq!(stream.only("test.stop").text("reason"), "stages");
}

#[test]
fn requests_in_flight_are_reported_with_their_age() {
    let target = target();
    let mut process = Process::start(load(&target, ["-u", "3", "-r", "1000", "--interval", "250ms", "/hang"]));
    process.await_output(|text| text.matches("\"in_flight\":3,").count() >= 3);
    process.signal(Signal::INT);
    let run = process.finish().exits(4);
    let stream = run.stream();
    let ages: Vec<f64> = stream
        .of("health")
        .iter()
        .filter(|line| line.count("in_flight") == 3)
        .map(|line| line.float("oldest_in_flight_ms"))
        .collect();
    assert!(ages.len() >= 2 && ages.is_sorted(), "{ages:?}");
    assert!(ages.last().unwrap() - ages[0] >= 200.0, "{ages:?}");
}

#[test]
fn flags_of_two_load_models_cannot_be_combined() {
    for (flag, line) in [
        ("--wait", "--rate 10 --wait 1s"),
        ("--spawn-rate", "--rate 10 -r 5"),
        ("--users", "--stages 1s:5 -u 5"),
        ("--spawn-rate", "--stages 1s:5 -r 5"),
        ("--arrival", "--arrival poisson"),
        ("--stages", "--stages 1s:0"),
        ("--rate", "--rate 0"),
    ] {
        let finished = Run::new(["run", "-t", "1s", "http://127.0.0.1:1/"]).with(line.split(' ')).finish().exits(2);
        assert!(finished.complaint().starts_with(flag), "{line}: {}", finished.complaint());
    }
}
