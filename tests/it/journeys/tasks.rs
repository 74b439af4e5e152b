//! Which tasks are run, and what happens when something in a task goes wrong.

use serde_json::json;

use super::{Scenario, by_connection, count, empty_response, json_response};
use crate::server::{OK, Server};

#[test]
fn tasks_are_chosen_by_weight() {
    let server = Server::responding(OK);
    let tasks = json!({ "tasks": [
        { "weight": 3, "requests": [{ "get": "/a" }] },
        { "requests": [{ "get": "/b" }] },
    ]});
    let run = Scenario::of_class("weights", &tasks).run(&server, &["-n", "4000", "--run-id", "weights"]).exits(0);
    assert_eq!((server.count(), run.count("ok")), (4000, 4000));
    // Binomial: 3000 expected, standard deviation sqrt(4000 * 3/4 * 1/4) = 27.4; within 4 of these.
    assert!(count(&server, "GET /a").abs_diff(3000) <= 110, "{}", count(&server, "GET /a"));
}

#[test]
fn users_are_assigned_to_classes_by_weight_and_keep_their_class() {
    let server = Server::responding(OK);
    let classes = json!({ "user_classes": [
        { "name": "a", "weight": 3, "wait": "1h", "tasks": [{ "requests": [{ "get": "/a" }, { "get": "/a2" }] }] },
        { "name": "b", "wait": "10ms", "tasks": [{ "requests": [{ "get": "/b" }] }] },
    ]});
    let scenario = Scenario::new("classes", &classes);
    let process = scenario.start(&server, &["-u", "8", "-r", "10000", "-s", "30s"]);
    server.wait_for_requests(6 * 2 + 20);
    process.signal(rustix::process::Signal::INT);
    process.finish().exits(0);
    // Each class has its own wait: users of the first run one task, those of the other many.
    assert_eq!((count(&server, "GET /a"), count(&server, "GET /a2")), (6, 6));
    let firsts: Vec<String> = by_connection(&server).iter().map(|requests| requests[0].line().to_owned()).collect();
    assert_eq!(firsts.iter().filter(|line| *line == "GET /b").count(), 2, "{firsts:?}");
}

#[test]
fn the_requests_of_a_task_are_sent_in_their_order_by_each_user() {
    let server = Server::responding(OK);
    let task = json!({ "tasks": [{ "requests": [
        { "get": "/1?u=${user}&i=${iteration}" },
        { "post": "/2", "json": { "i": "${number(iteration)}" } },
        { "get": "/3" },
    ]}]});
    Scenario::of_class("order", &task).run(&server, &["-n", "90", "-u", "5", "-r", "10000"]).exits(0);
    let users = by_connection(&server);
    let mut numbers: Vec<String> = Vec::new();
    for requests in &users {
        let number = requests[0].line().trim_start_matches("GET /1?u=").split('&').next().unwrap().to_owned();
        for (place, request) in requests.iter().enumerate() {
            let round = place / 3;
            match place % 3 {
                0 => assert_eq!(request.line(), format!("GET /1?u={number}&i={round}")),
                1 => assert_eq!((request.line(), &*request.body), ("POST /2", format!("{{\"i\":{round}}}").as_bytes())),
                _ => assert_eq!(request.line(), "GET /3"),
            }
        }
        numbers.push(number);
    }
    numbers.sort();
    assert_eq!(numbers, ["0", "1", "2", "3", "4"]);
    assert_eq!(server.count(), 90);
}

/// A task whose second request needs a value from the first, and whose third needs none.
fn dependent_task() -> serde_json::Value {
    json!({ "wait": "1ms", "tasks": [{ "requests": [
        { "get": "/give", "extract": { "id": { "json": "/id" } } },
        { "get": "/take/${id}", "name": "/take" },
        { "get": "/rest" },
    ]}]})
}

/// Sends this response to `/give`, and 200 to everything else.
fn giving(response: String) -> Server {
    Server::start(move |mut peer| {
        while let Some(request) = peer.read() {
            peer.send(if request.line() == "GET /give" { &response } else { OK });
        }
    })
}

#[test]
fn a_value_from_a_response_is_in_the_next_request() {
    let server = giving(json_response("", &json!({ "id": 70 })));
    let run = Scenario::of_class("value", &dependent_task()).run(&server, &["-n", "6"]).exits(0);
    assert_eq!(server.request_lines(), ["GET /give", "GET /take/70", "GET /rest"].repeat(2));
    assert_eq!(run.stream().warnings(), [""; 0]);
}

#[test]
fn a_value_that_is_missing_fails_its_request_and_skips_the_rest_of_the_task() {
    let server = giving(json_response("", &json!({ "other": 70 })));
    let run = Scenario::of_class("missing", &dependent_task()).run(&server, &["-n", "5"]).exits(1);
    assert_eq!(server.request_lines(), ["GET /give"; 5]);
    assert_eq!(run.errors(), [("extract: no such JSON value", 5)]);
    let classes: u64 =
        run.stream().of("interval").iter().map(|line| line.get("failed_by_class")["extract"].as_u64().unwrap()).sum();
    assert_eq!(classes, 5);
    let own = |kind: &&str| *kind != "not_as_expected";
    let warnings: Vec<&str> = run.stream().warnings().into_iter().filter(own).collect();
    assert_eq!(warnings, ["extract_failed"], "reported once");
    let shown: Vec<&str> = run.stderr().lines().filter(|line| line.starts_with("swarmline: warning: ")).collect();
    assert_eq!(shown.len(), 1, "{}", run.stderr());
    assert!(shown[0].contains("${id}"), "{shown:?}");
}

#[test]
fn a_request_that_needs_a_missing_value_is_not_sent_nor_is_the_rest_of_its_task() {
    let server = giving(empty_response(500));
    let run = Scenario::of_class("unset", &dependent_task()).run(&server, &["-n", "5"]).exits(1);
    // Nothing is extracted from a failed response; the failure alone does not end the task.
    assert_eq!(server.request_lines(), ["GET /give"; 5]);
    assert_eq!(run.errors(), [("http_5xx: 500", 5)]);
    assert_eq!(run.stream().warnings(), ["unset_variable"], "reported once");
    assert!(run.stderr().contains("swarmline: warning: a step needs ${id}"), "{}", run.stderr());
}

#[test]
fn a_request_that_failed_does_not_end_its_task() {
    let server = giving(empty_response(500));
    let task = json!({ "tasks": [{ "requests": [{ "get": "/give" }, { "get": "/rest" }] }] });
    let run = Scenario::of_class("failed", &task).run(&server, &["-n", "6"]).exits(1);
    assert_eq!(server.request_lines(), ["GET /give", "GET /rest"].repeat(3));
    assert_eq!((run.count("ok"), run.count("failed")), (3, 3));
}

#[test]
fn a_task_that_can_send_nothing_does_not_spin() {
    let server = Server::responding(OK);
    let tasks = json!({ "tasks": [
        { "requests": [{ "get": "/never/${id}", "name": "/never" }, { "get": "/give", "extract": { "id": { "json": "/id" } } }] },
    ]});
    // At most two tasks start within the run time, a second apart.
    let run = Scenario::of_class("spin", &tasks).run(&server, &["-t", "1500ms"]).exits(4);
    assert_eq!((server.count(), run.count("sent")), (0, 0));
    assert_eq!(run.stream().warnings(), ["unset_variable"]);
    let cpu = run.stream().of("cpu").iter().skip(1).map(|line| line.float("value")).fold(0.0, f64::max);
    assert!(cpu < 90.0, "a core at full speed for nothing: {cpu} %");
}

#[test]
fn secrets_of_a_template_stay_with_their_origin() {
    let elsewhere = Server::responding(OK);
    let away = format!("{}/next", elsewhere.host());
    let moved = format!("HTTP/1.1 307 Away\r\nLocation: {away}\r\nContent-Length: 0\r\n\r\n");
    let server = Server::responding(moved);
    let task = json!({ "tasks": [{ "requests": [
        { "post": "/${user}", "name": "/", "json": { "i": "${iteration}" },
          "headers": { "Authorization": "Bearer t${iteration}", "X-Trace": "x${iteration}" } },
    ]}]});
    Scenario::of_class("secrets", &task).run(&server, &["-n", "2"]).exits(0);
    let (first, second) = (server.requests(), elsewhere.requests());
    assert_eq!((first[1].line(), first[1].header("authorization")), ("POST /0", Some("Bearer t1")));
    assert_eq!((second[1].line(), second[1].header("authorization")), ("POST /next", None));
    assert_eq!((second[1].header("x-trace"), &*second[1].body), (Some("x1"), &b"{\"i\":\"1\"}"[..]));
}
