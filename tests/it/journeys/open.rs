//! Journeys in the open model: an arrival starts a task. On a busy machine such a run may be late, and so not valid, but
//! sends the same requests: stages end with a time at rate 0, so that no arrival is unsent because the run ended.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Scenario, by_connection, count};
use crate::process::Finished;
use crate::server::{OK, Server};

/// Runs to the end, whether the machine kept up with the schedule or not.
fn run(scenario: &Scenario, server: &Server, arguments: &[&str]) -> Finished {
    let run = scenario.run(server, &[&["-s", "20s"], arguments].concat());
    let code = run.code();
    assert!([0, 4].contains(&code), "{}", run.stderr());
    run.exits(code)
}

fn one_class(requests: &Value) -> Value {
    json!({ "tasks": [{ "requests": requests }] })
}

#[test]
fn weights_are_shares_of_arrivals_though_one_class_is_slow() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            if request.line() == "GET /slow" {
                peer.pause(Duration::from_millis(300));
            }
            peer.send(OK);
        }
    });
    let classes = json!({ "user_classes": [
        { "name": "slow", "weight": 3, "tasks": [{ "requests": [{ "get": "/slow" }] }] },
        { "name": "fast", "tasks": [{ "requests": [{ "get": "/fast" }] }] },
    ]});
    let scenario = Scenario::new("shares", &classes);
    // Enough users for both classes, then too few for the slow one: 75 a second that take 300 ms need 23.
    for users in ["100", "10"] {
        let (slow, fast) = (count(&server, "GET /slow"), count(&server, "GET /fast"));
        let flags = ["--rate", "100", "--stages", "2s:100,0s:0,1s:0", "-u", users];
        let run = run(&scenario, &server, &flags);
        assert_eq!(run.count("sent"), run.count("ok"), "{users}");
        let (slow, fast) = (count(&server, "GET /slow") - slow, count(&server, "GET /fast") - fast);
        if users == "100" {
            assert_eq!((slow, fast), (150, 50));
        } else {
            // Slow ones that still wait at the end are not sent; the fast ones do not wait for them.
            assert_eq!(fast, 50);
            assert!((10..150).contains(&slow), "{slow}");
        }
    }
}

#[test]
fn a_shard_may_have_arrivals_of_some_classes_only() {
    let server = Server::responding(OK);
    let classes = json!({ "user_classes": [
        { "name": "a", "tasks": [{ "requests": [{ "get": "/a" }] }] },
        { "name": "b", "tasks": [{ "requests": [{ "get": "/b" }] }] },
    ]});
    let scenario = Scenario::new("shard", &classes);
    let flags = ["--rate", "100", "-u", "2", "--stages", "1s:100,0s:0,1s:0", "--run-id", "x"];
    let second = run(&scenario, &server, &[&flags[..], &["--shard", "1/2"]].concat());
    assert_eq!((count(&server, "GET /a"), count(&server, "GET /b")), (0, 50));
    assert_eq!(second.count("sent"), 50);
    run(&scenario, &server, &[&flags[..], &["--shard", "0/2"]].concat());
    assert_eq!((count(&server, "GET /a"), count(&server, "GET /b")), (50, 50));
}

#[test]
fn each_class_needs_a_user_of_its_own() {
    let server = Server::responding(OK);
    let class = |name: &str| json!({ "name": name, "tasks": [{ "requests": [{ "get": format!("/{name}") }] }] });
    let scenario = Scenario::new("few", &json!({ "user_classes": [class("a"), class("b"), class("c")] }));
    let flags = ["--rate", "50", "--stages", "1s:50,0s:0,1s:0", "-s", "20s"];
    let run_with = |users: &str| scenario.run(&server, &[&flags[..], &["-u", users]].concat());
    let refused = run_with("2");
    assert_eq!(refused.code(), 2);
    assert!(
        refused.stderr().starts_with("swarmline: --users: must be at least 1 per user class"),
        "{}",
        refused.stderr()
    );
    run_with("3");
    let counts = ["GET /a", "GET /b", "GET /c"].map(|line| count(&server, line));
    assert_eq!(counts.iter().sum::<usize>(), 50);
    assert!(counts.iter().all(|count| (16..=17).contains(count)), "{counts:?}");
}

#[test]
fn an_arrival_runs_a_complete_task() {
    let server = Server::responding(OK);
    let scenario = Scenario::of_class("whole", &one_class(&json!([{ "get": "/a" }, { "get": "/b" }])));
    let run = run(&scenario, &server, &["--rate", "100", "--stages", "1s:100,0s:0,1s:0"]);
    assert_eq!((count(&server, "GET /a"), count(&server, "GET /b")), (100, 100));
    assert_eq!(run.count("sent"), server.count());
}

#[test]
fn the_time_a_new_user_spends_in_on_start_is_not_lateness_of_the_generator() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            if request.line() == "POST /login" {
                peer.pause(Duration::from_secs(1));
            }
            peer.send(OK);
        }
    });
    let class = json!({ "on_start": [{ "post": "/login" }], "tasks": [{ "requests": [{ "get": "/a" }] }] });
    let run = run(&Scenario::of_class("ready", &class), &server, &["--rate", "50", "-u", "30", "-n", "60"]);
    for requests in by_connection(&server) {
        assert_eq!(requests[0].line(), "POST /login");
        assert!(requests[1..].iter().all(|request| request.line() == "GET /a"));
    }
    let line = run.stream().of("stats endpoint success").into_iter().find(|line| line.text("name") == "/a").unwrap();
    assert!(line.float("max_response_time") >= 990.0, "the arrival keeps its due time");
    let late: u64 = run.stream().of("health").iter().map(|line| line.count("late_sends")).sum();
    // Each of the 30 users was started for an arrival and delayed it by a second; a busy machine may be late with a few.
    assert!(late < 15, "{late} arrivals during on_start of their user count as late");
}

#[test]
fn running_out_of_rows_ends_the_users_and_then_the_run() {
    let server = Server::responding(OK);
    let scenario = json!({
        "data": { "row": { "csv": "rows.csv", "pick": "unique" } },
        "user_classes": [one_class(&json!([{ "get": "/${row.name}", "name": "/" }]))],
    });
    let rows = (0..40).fold("name\n".to_owned(), |text, n| text + &format!("n{n}\n"));
    let run = run(&Scenario::new("open-end", &scenario).with("rows.csv", &rows), &server, &["--rate", "200"]);
    assert_eq!((run.reason(), server.count()), ("data_end", 40));
}

#[test]
fn arrivals_whose_data_is_used_up_are_reported_and_the_others_are_sent() {
    let server = Server::responding(OK);
    let scenario = json!({
        "data": { "row": { "csv": "rows.csv", "pick": "unique" } },
        "user_classes": [{ "tasks": [
            { "requests": [{ "get": "/${row.name}", "name": "/row" }] },
            { "weight": 4, "requests": [{ "get": "/none" }] },
        ] }],
    });
    let scenario = Scenario::new("used-up", &scenario).with("rows.csv", "name\nn\nn\nn\n");
    let run = run(&scenario, &server, &["--rate", "200", "--stages", "500ms:200,1ms:0,500ms:0", "--run-id", "h"]);
    assert_eq!((run.reason(), server.count()), ("stages", run.count("ok")));
    assert_eq!(count(&server, "GET /n"), 3);
    // 100 arrivals, and one more while the rate falls.
    let reasons = run.stream().run_end().get("reasons").as_array().unwrap().clone();
    let reason = reasons.iter().find(|reason| reason["kind"] == "data_end").unwrap();
    let missing: u64 = reason["text"].as_str().unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((100..=101).contains(&(server.count() + missing)), "{} sent, {missing} not", server.count());
    assert!(run.stream().warnings().contains(&"data_end"));
}
