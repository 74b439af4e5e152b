//! The life of a user: `on_start`, tasks, `on_stop`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Scenario, by_connection, count, empty_response, json_response};
use crate::server::{OK, Server};

/// Logs in, and sends the token from the login with every request.
fn shopper() -> Value {
    json!({
        "wait": "1ms",
        "on_start": [{ "post": "/login", "extract": { "token": { "json": "/token" } } }],
        "tasks": [{ "requests": [{ "get": "/items", "headers": { "Authorization": "Bearer ${token}" } }] }],
        "on_stop": [{ "post": "/logout", "headers": { "Authorization": "Bearer ${token}" } }],
    })
}

/// Sends each connection a token and a cookie of its own.
fn shop() -> Server {
    Server::start(|mut peer| {
        let number = peer.number;
        while let Some(request) = peer.read() {
            let login = json_response(&format!("Set-Cookie: s={number}\r\n"), &json!({ "token": number.to_string() }));
            peer.send(if request.line() == "POST /login" { &login } else { OK });
        }
    })
}

#[test]
fn values_from_on_start_are_in_all_requests_of_their_user_and_of_no_other() {
    let server = shop();
    let scenario = Scenario::of_class("token", &shopper());
    let run = scenario.run(&server, &["-n", "200", "-u", "10", "-r", "10000"]).exits(0);
    assert_eq!((server.count(), run.count("sent")), (200, 200), "-n counts the logins");
    assert_eq!(server.connections(), 10);
    for requests in by_connection(&server) {
        assert_eq!((requests[0].line(), requests[0].header("cookie")), ("POST /login", None));
        let number = requests[0].connection;
        for request in &requests[1..] {
            assert_eq!(request.line(), "GET /items");
            assert_eq!(request.header("authorization"), Some(format!("Bearer {number}").as_str()));
            assert_eq!(request.header("cookie"), Some(format!("s={number}").as_str()));
        }
    }
}

#[test]
fn values_from_on_start_can_be_used_in_the_common_headers() {
    let server = shop();
    let class = json!({
        "on_start": [{
            "post": "/login", "headers": { "authorization": null }, "extract": { "token": { "json": "/token" } },
        }],
        "tasks": [{ "requests": [{ "get": "/items" }] }],
    });
    let headers = json!({ "Authorization": "Bearer ${token}" });
    let scenario = Scenario::new("common-token", &json!({ "headers": headers, "user_classes": [class] }));
    scenario.run(&server, &["-n", "50", "-u", "5", "-r", "10000"]).exits(0);
    for requests in by_connection(&server) {
        assert_eq!((requests[0].line(), requests[0].header("authorization")), ("POST /login", None));
        let bearer = format!("Bearer {}", requests[0].connection);
        assert!(requests[1..].iter().all(|request| request.header("authorization") == Some(bearer.as_str())));
    }
}

#[test]
fn each_user_sends_on_stop_once_if_there_is_time() {
    for arguments in [&["-n", "100", "-s", "30s"][..], &["-t", "1s", "-s", "30s"]] {
        let server = shop();
        let run =
            Scenario::of_class("leave", &shopper()).run(&server, &[&["-u", "5", "-r", "10000"], arguments].concat());
        let run = run.exits(0);
        assert_eq!(run.stream().warnings(), [""; 0]);
        assert_eq!(server.count(), run.count("sent"));
        for requests in by_connection(&server) {
            let on_stop = requests.iter().position(|request| request.line() == "POST /logout");
            assert_eq!(on_stop, Some(requests.len() - 1), "once, and at the end");
            assert!(requests[requests.len() - 1].header("authorization").is_some());
        }
        if arguments[0] == "-n" {
            assert_eq!(server.count(), 105, "-n does not count the logouts");
        }
    }
}

#[test]
fn without_time_on_stop_is_not_sent_and_a_warning_is_given() {
    let server = shop();
    let run = Scenario::of_class("no-time", &shopper()).run(&server, &["-n", "50", "-u", "5", "-r", "10000"]).exits(0);
    assert_eq!((server.count(), count(&server, "POST /logout")), (50, 0));
    assert_eq!(run.stream().warnings(), ["on_stop_not_sent"]);
    assert!(run.stderr().contains("--stop-timeout"), "{}", run.stderr());
}

#[test]
fn users_stopped_by_a_stage_send_on_stop_too() {
    let server = shop();
    let stages = ["--stages", "1ms:4,1500ms:4,1ms:1,1s:1", "-s", "30s"];
    Scenario::of_class("stages", &shopper()).run(&server, &stages).exits(0);
    assert_eq!((count(&server, "POST /login"), count(&server, "POST /logout")), (4, 4));
}

#[test]
fn an_on_start_that_fails_is_repeated_after_a_second_before_any_task() {
    let server = Server::start(|mut peer| {
        let mut logins = 0;
        while let Some(request) = peer.read() {
            if request.line() == "POST /login" {
                logins += 1;
            }
            // A status that fails, a response without the token, then one that passes.
            match (request.line(), logins) {
                ("POST /login", 1) => peer.send(empty_response(503)),
                ("POST /login", 2) => peer.send(json_response("", &json!({}))),
                ("POST /login", _) => peer.send(json_response("", &json!({ "token": "t" }))),
                _ => peer.send(OK),
            }
        }
    });
    let class = json!({
        "on_start": [
            { "get": "/first" },
            { "post": "/login", "extract": { "token": { "json": "/token" } } },
            { "get": "/last" },
        ],
        "tasks": [{ "requests": [{ "get": "/items" }] }],
    });
    let run = Scenario::of_class("again", &class).run(&server, &["-n", "9"]).exits(1);
    let start = ["GET /first", "POST /login"];
    let expected = [&start[..], &start, &start, &["GET /last", "GET /items", "GET /items"]].concat();
    assert_eq!(server.request_lines(), expected);
    let requests = server.requests();
    for (before, after) in [(1, 2), (3, 4)] {
        let pause = requests[after].at - requests[before].at;
        assert!(pause >= Duration::from_millis(990), "{pause:?}");
    }
    assert_eq!(run.errors(), [("http_5xx: 503", 1), ("extract: no such JSON value", 1)]);
}

/// The end is promised within the stop timeout and a second; the rest is for a debug build on a busy machine.
const BOUND: Duration = Duration::from_secs(1 + 1 + 13);

#[test]
fn users_that_wait_to_repeat_on_start_stop_in_time() {
    let server = Server::responding(empty_response(503));
    let scenario = Scenario::of_class("stop-start", &shopper());
    let process = scenario.start(&server, &["-u", "300", "-r", "100000", "-s", "1s"]);
    server.wait_for_requests(300);
    let signalled = Instant::now();
    process.signal(Signal::INT);
    let run = process.finish().exits(1);
    assert!(run.ended - signalled < BOUND, "{:?}", run.ended - signalled);
    assert_eq!(count(&server, "POST /logout"), 0, "no on_stop after an on_start that failed");
}

#[test]
fn users_stop_in_time_between_requests_and_when_the_last_one_hangs() {
    let server = Server::start(|mut peer| {
        let mut answered = BTreeMap::new();
        while let Some(request) = peer.read() {
            *answered.entry(request.line().to_owned()).or_insert(0) += 1;
            match request.line() {
                "POST /logout" => return peer.hang(),
                "POST /login" => peer.send(json_response("", &json!({ "token": "t" }))),
                _ => peer.send(OK),
            }
        }
    });
    let scenario = Scenario::of_class("stop-leave", &shopper());
    let process = scenario.start(&server, &["-u", "100", "-r", "100000", "-s", "1s"]);
    server.wait_for_requests(1000);
    let signalled = Instant::now();
    process.signal(Signal::INT);
    let run = process.finish();
    // Not valid where over 5 % of all requests are older than a second, which depends on the machine's speed.
    let code = run.code();
    assert!([0, 4].contains(&code), "{code}: {}", run.stderr());
    let run = run.exits(code);
    assert!(run.ended - signalled < BOUND, "{:?}", run.ended - signalled);
    assert_eq!(run.count("failed"), 0);
    assert!(run.count("aborted") > 0, "requests that hung are aborted");
}
