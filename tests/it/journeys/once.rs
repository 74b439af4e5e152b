//! `setup` and `teardown`, users that never get ready, and fixed numbers of users.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Scenario, by_connection, count, empty_response, json_response};
use crate::process::{Finished, run_alone};
use crate::server::{OK, Server};

/// Gives each product an id of its own, and a token to the one that logs in.
fn shop() -> Server {
    let products = std::sync::atomic::AtomicU32::new(0);
    Server::start(move |mut peer| {
        while let Some(request) = peer.read() {
            let body = match request.line() {
                "POST /admin" => json!({ "token": "t1" }),
                "POST /products" => {
                    json!({ "id": products.fetch_add(1, std::sync::atomic::Ordering::SeqCst) })
                }
                _ => json!({}),
            };
            peer.send(json_response("", &body));
        }
    })
}

/// Logs in once, makes three products, and removes them at the end.
fn scenario(name: &str) -> Scenario {
    let products = json!({ "repeat": 3, "requests": [
        { "post": "/products", "extract": { "id": { "json": "/id" } } },
        { "append": { "ids": "${id}" } },
    ]});
    Scenario::new(
        name,
        &json!({
            "headers": { "Authorization": "Bearer ${token}" },
            "setup": [
                { "post": "/admin", "headers": { "Authorization": null }, "extract": { "token": { "json": "/token" } } },
                products,
            ],
            "user_classes": [{ "tasks": [{ "requests": [{ "for_each": "ids", "as": "id", "requests": [
                { "get": "/products/${id}" },
            ]}] }] }],
            "teardown": [{ "for_each": "ids", "as": "id", "requests": [{ "delete": "/products/${id}" }] }],
        }),
    )
}

#[test]
fn setup_is_done_once_before_the_first_user_and_teardown_after_the_last() {
    let server = shop();
    let run = scenario("once").run(&server, &["-n", "500", "-u", "50", "-r", "100000", "-s", "20s"]).exits(0);
    let lines = server.request_lines();
    assert_eq!(lines[..4], ["POST /admin", "POST /products", "POST /products", "POST /products"]);
    let last = ["DELETE /products/0", "DELETE /products/1", "DELETE /products/2"];
    assert_eq!(lines[lines.len() - 3..], last);
    assert_eq!(lines.len(), 4 + 500 + 3, "-n counts neither");
    assert_eq!((run.count("sent"), run.count("ok")), (507, 507));
    let requests = server.requests();
    assert!(requests[1..].iter().all(|request| request.header("authorization") == Some("Bearer t1")));
    for id in 0..3 {
        assert!(count(&server, &format!("GET /products/{id}")) >= 130);
    }
    // At most 50 users, as the first ones may have sent all before the last one starts, and one connection each for setup and
    // teardown.
    assert!((3..=52).contains(&server.connections()), "{} connections", server.connections());
    let created = run.stream().of("stats endpoint success").into_iter().find(|line| line.text("name") == "/products");
    assert_eq!(created.unwrap().count("num_requests"), 3);
}

#[test]
fn each_shard_has_its_own_setup_and_a_shard_without_users_has_none() {
    let server = shop();
    let scenario = scenario("once-shards");
    let shard = |index: u32| {
        let shard = format!("{index}/3");
        scenario
            .run(&server, &["-n", "20", "-u", "2", "-r", "1000", "-s", "20s", "--run-id", "s", "--shard", &shard])
            .exits(0)
    };
    let sent: Vec<u64> = (0..3).map(|index| shard(index).count("sent")).collect();
    assert_eq!((sent, count(&server, "POST /admin")), (vec![4 + 10 + 3, 4 + 10 + 3, 0], 2));
}

#[test]
fn with_a_rate_setup_delays_the_schedule_and_no_arrival_is_late_by_it() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            if request.line() == "POST /admin" {
                peer.pause(Duration::from_secs(1));
            }
            peer.send(OK);
        }
    });
    let content =
        json!({ "setup": [{ "post": "/admin" }], "user_classes": [{ "tasks": [{ "requests": [{ "get": "/a" }] }] }] });
    let scenario = Scenario::new("open-setup", &content);
    let run = scenario.run(&server, &["--rate", "50", "--stages", "1s:50,0s:0,1s:0", "-s", "20s"]);
    let code = run.code();
    let run = run.exits(code);
    assert_eq!((run.count("sent"), count(&server, "GET /a")), (51, 50));
    let line =
        run.stream().of("stats endpoint success").into_iter().find(|line| line.text("name") == "/admin").unwrap();
    assert!(line.float("min_response_time") >= 990.0, "its time is its own");
    let late: u64 = run.stream().of("health").iter().map(|line| line.count("late_sends")).sum();
    assert!(late < 25, "{late} arrivals of 50 late");
}

/// The reason of this kind in the last line.
fn reason(run: &Finished, kind: &str) -> String {
    let reasons = run.stream().run_end().get("reasons").as_array().unwrap().clone();
    let reason = reasons.iter().find(|reason| reason["kind"] == kind).unwrap_or_else(|| panic!("{reasons:?}"));
    reason["text"].as_str().unwrap().to_owned()
}

#[test]
fn a_setup_that_fails_starts_no_user_and_says_why() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            peer.send(if request.line() == "POST /x" { empty_response(500) } else { OK.to_owned() });
        }
    });
    let task = json!([{ "tasks": [{ "requests": [{ "get": "/a" }] }] }]);
    let failing = |name: &str, setup: Value| {
        Scenario::new(name, &json!({ "setup": setup, "user_classes": task, "teardown": [{ "get": "/bye" }] }))
    };
    let scenario = failing("setup-500", json!([{ "get": "/first" }, { "post": "/x" }, { "get": "/never" }]));
    let run = scenario.run(&server, &["-u", "5", "-r", "1000", "-s", "5s"]).exits(4);
    assert_eq!(server.request_lines(), ["GET /first", "POST /x"], "not repeated, no user, no teardown");
    assert_eq!((run.reason(), run.count("sent"), run.count("failed")), ("setup_failed", 2, 1));
    assert_eq!(reason(&run, "setup"), "setup failed: POST /x: http_5xx: 500");
    assert!(run.stderr().contains("setup failed: POST /x: http_5xx: 500"), "{}", run.stderr());
    assert_eq!(run.stream().warnings(), ["setup_failed"]);
    let scenario = failing("setup-extract", json!([{ "get": "/first", "extract": { "t": { "json": "/t" } } }]));
    let run = scenario.run(&server, &["--rate", "5"]).exits(4);
    assert_eq!(reason(&run, "setup"), "setup failed: GET /first: extract: no such JSON value");
}

#[test]
fn a_signal_during_setup_ends_the_run_in_order() {
    let server = Server::start(|mut peer| {
        if peer.read().is_some() {
            peer.hang();
        }
    });
    let content =
        json!({ "setup": [{ "get": "/hang" }], "user_classes": [{ "tasks": [{ "requests": [{ "get": "/a" }] }] }] });
    let scenario = Scenario::new("setup-signal", &content);
    let process = scenario.start(&server, &["-u", "5", "-s", "1s"]);
    server.wait_for_requests(1);
    let signalled = Instant::now();
    process.signal(Signal::INT);
    let run = process.finish().exits(4);
    assert!(run.ended - signalled < Duration::from_secs(15), "{:?}", run.ended - signalled);
    assert_eq!((run.reason(), run.count("sent"), run.count("aborted")), ("signal", 1, 1));
    assert_eq!(server.count(), 1);
}

#[test]
fn without_a_stop_timeout_teardown_is_not_sent_and_a_warning_is_given() {
    let server = shop();
    let run = scenario("no-teardown").run(&server, &["-n", "10"]).exits(0);
    assert_eq!((server.count(), run.count("sent"), run.stream().warnings()), (14, 14, vec!["on_stop_not_sent"]));
    assert!(run.stderr().contains("the scenario's teardown is not sent"), "{}", run.stderr());
}

#[test]
fn users_that_never_got_ready_are_named_with_what_failed() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            peer.send(if request.line() == "POST /login" { empty_response(401) } else { OK.to_owned() });
        }
    });
    let class = json!({
        "on_start": [{ "get": "/first" }, { "post": "/login" }], "tasks": [{ "requests": [{ "get": "/a" }] }],
    });
    for (name, flags) in
        [("not-ready", &["-u", "5", "-r", "1000"][..]), ("not-ready-open", &["-u", "5", "--rate", "20"])]
    {
        let before = count(&server, "POST /login");
        let run = Scenario::of_class(name, &class).run(&server, &[flags, &["-t", "2500ms", "-s", "20s"]].concat());
        let code = run.code();
        let run = run.exits(code);
        let failed = count(&server, "POST /login") - before;
        let sentence = format!("0 of 5 users got ready: POST /login failed {failed} times");
        let warning =
            run.stream().of("warning").into_iter().find(|line| line.text("kind") == "users_not_ready").unwrap();
        assert_eq!(warning.text("detail"), sentence);
        assert!(run.stderr().contains(&format!("warning: {sentence}")), "{}", run.stderr());
    }
}

/// Number of users of each class, by their first request.
fn users(server: &Server) -> Vec<String> {
    let mut users: Vec<String> = by_connection(server).iter().map(|requests| requests[0].line().to_owned()).collect();
    users.sort();
    users
}

#[test]
fn a_fixed_count_is_exact_and_the_weights_deal_out_the_others() {
    let class = |name: &str, share: &str, number: u32| json!({ "name": name, share: number, "wait": "1h", "tasks": [{ "requests": [{ "get": format!("/{name}") }] }] });
    let classes =
        json!({ "user_classes": [class("a", "weight", 3), class("f", "fixed_count", 2), class("b", "weight", 1)] });
    let scenario = Scenario::new("fixed", &classes);
    let server = Server::responding(OK);
    let expected = |counts: [usize; 3]| {
        let lines =
            ["GET /a", "GET /b", "GET /f"].iter().zip(counts).flat_map(|(line, count)| vec![(*line).to_owned(); count]);
        lines.collect::<Vec<_>>()
    };
    let run_on = |server: &Server, users: &str, more: &[&str]| {
        scenario.run(server, &[&["-u", users, "-r", "1000", "-n", users][..], more].concat()).exits(0);
    };
    run_on(&server, "10", &[]);
    assert_eq!(users(&server), expected([6, 2, 2]));
    let few = Server::responding(OK);
    run_on(&few, "1", &[]);
    assert_eq!(users(&few), expected([0, 0, 1]), "the first users are of the classes with a fixed count");
    let shards = Server::responding(OK);
    for shard in ["0/3", "1/3", "2/3"] {
        run_on(&shards, "10", &["--run-id", "f", "--shard", shard]);
    }
    assert_eq!(users(&shards), users(&server), "all shards together are the one host");
    let refused = scenario.run(&server, &["--rate", "5"]);
    assert_eq!(refused.code(), 2);
    assert!(
        refused.stderr().contains("/user_classes/1/fixed_count: cannot be combined with --rate"),
        "{}",
        refused.stderr()
    );
}

#[test]
fn more_users_than_all_fixed_counts_are_refused() {
    let class = json!({ "fixed_count": 2, "tasks": [{ "requests": [{ "get": "http://127.0.0.1:9/" }] }] });
    let scenario = Scenario::of_class("all-fixed", &class);
    let refused = run_alone(&["-f", &scenario.path, "-u", "3"]);
    assert_eq!(refused.code(), 2);
    let why = "swarmline: --users: are more than the \"fixed_count\" of all classes together, 2";
    assert!(refused.stderr().starts_with(why), "{}", refused.stderr());
}
