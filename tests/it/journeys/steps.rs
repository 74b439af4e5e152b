//! Steps besides requests: pauses, loops, conditions, variables. The server's requests in their order are the judge.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Scenario, by_connection, count, empty_response, json_response};
use crate::server::{OK, Server};

/// Runs one task once, by a request count that ends it, and returns the request lines.
fn lines(name: &str, requests: &Value, sent: u64) -> Vec<String> {
    let server = Server::responding(OK);
    let scenario = Scenario::of_class(name, &json!({ "tasks": [{ "requests": requests }] }));
    let run = scenario.run(&server, &["-n", &sent.to_string()]).exits(0);
    assert_eq!((server.count(), run.count("sent")), (sent, sent));
    server.request_lines()
}

#[test]
fn loops_repeat_their_steps_exactly_and_count_from_0() {
    let inner = json!({ "repeat": 2, "as": "j", "requests": [{ "get": "/${i}/${j}" }] });
    let requests = json!([
        { "repeat": 3, "as": "i", "requests": [inner, { "get": "/${i}" }] },
        { "get": "/end" },
    ]);
    let one =
        ["/0/0", "/0/1", "/0", "/1/0", "/1/1", "/1", "/2/0", "/2/1", "/2", "/end"].map(|path| format!("GET {path}"));
    assert_eq!(lines("repeat", &requests, 20), [&one[..], &one[..]].concat());
}

#[test]
fn steps_as_deep_as_they_may_be_nested_run_on_the_stack_of_a_user() {
    let step = |inner: Value, depth: usize| match depth % 3 {
        0 => json!({ "repeat": 1, "requests": [inner] }),
        1 => json!({ "when": "${user} == 0", "requests": [inner] }),
        _ => json!({ "until": "${user} == 0", "every": "1ms", "at_most": 1, "requests": [inner] }),
    };
    let deep = (0..15).fold(json!({ "get": "/deep" }), step);
    assert_eq!(lines("deep", &json!([deep]), 3), ["GET /deep"; 3]);
}

#[test]
fn a_range_repeats_each_number_of_times_in_it_and_no_other() {
    let server = Server::responding(OK);
    let requests = json!([{ "get": "/begin" }, { "repeat": "0..3", "requests": [{ "get": "/round" }] }]);
    let scenario = Scenario::of_class("range", &json!({ "tasks": [{ "requests": requests }] }));
    scenario.run(&server, &["-n", "4000", "--run-id", "range"]).exits(0);
    let all = server.request_lines();
    let tasks: Vec<usize> = all.split(|line| line == "GET /begin").skip(1).map(<[String]>::len).collect();
    // The last one may have been cut short by -n.
    let tasks = &tasks[..tasks.len() - 1];
    for rounds in 0..=3 {
        let found = tasks.iter().filter(|count| **count == rounds).count();
        // Binomial: a quarter of about 1600 tasks, standard deviation 17.3; within 4 of these.
        assert!(found.abs_diff(tasks.len() / 4) <= 70, "{rounds}: {found} of {}", tasks.len());
    }
    assert!(tasks.iter().all(|rounds| *rounds <= 3));
}

/// Sends the paths of `/give/X` back as JSON.
fn giving() -> Server {
    Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            let given = request.line().strip_prefix("GET /give/").map(str::to_owned);
            let response = given.map(|value| json_response("", &json!({ "value": value })));
            peer.send(response.as_deref().unwrap_or(OK));
        }
    })
}

#[test]
fn conditions_choose_by_what_was_extracted_and_never_read_it_as_a_test() {
    // The value, the condition, and whether it is met.
    let cases = [
        ("200", "${v} == 200", true),
        ("200.0", "${v} == 200", true),
        ("9", "${v} < 10", true),
        ("9", "${v} > 10", false),
        ("123456789012345678901234567891", "${v} > 123456789012345678901234567890", true),
        ("done", "${v} != done", false),
        ("in%20progress", "${v} == 'in%20progress'", true),
        ("x==x", "${v} == y", false),
        ("y==y", "${v} == 'y==y'", true),
        ("exists", "${v} contains xist", true),
        ("abc", "${v} contains d", false),
        ("abc", "${v} is_empty", false),
        ("abc", "${v} exists", true),
        ("abc", "${never} exists", false),
        ("abc", "${never} is_empty", true),
    ];
    let mut requests = Vec::new();
    let mut expected = Vec::new();
    for (at, (value, condition, is_met)) in cases.iter().enumerate() {
        requests.push(json!({ "get": format!("/give/{value}"), "extract": { "v": { "json": "/value" } } }));
        requests.push(json!({
            "when": condition, "requests": [{ "get": format!("/{at}/met") }], "else": [{ "get": format!("/{at}/else") }],
        }));
        let branch = if *is_met { "met" } else { "else" };
        expected.extend([format!("GET /give/{value}"), format!("GET /{at}/{branch}")]);
    }
    // Set by a task that is never chosen first: it only makes the name known.
    let tasks = json!([{ "requests": requests }, {
        "tags": ["other"], "requests": [{ "set": { "never": 1 } }, { "get": "/" }],
    }]);
    let server = giving();
    let scenario = Scenario::of_class("when", &json!({ "tasks": tasks }));
    let sent = expected.len().to_string();
    let run = scenario.run(&server, &["-n", &sent, "-E", "other"]).exits(0);
    assert_eq!(server.request_lines(), expected);
    assert_eq!(run.stream().warnings(), [""; 0]);
}

#[test]
fn a_poll_ends_with_its_condition_or_after_its_last_round() {
    // A job is done when it was asked for the fourth time.
    let server = Server::start(|mut peer| {
        let mut asked = 0;
        while let Some(request) = peer.read() {
            let state = match request.line() {
                "GET /job" => {
                    asked += 1;
                    if asked % 4 == 0 { "done" } else { "busy" }
                }
                _ => "busy",
            };
            peer.send(json_response("", &json!({ "state": state })));
        }
    });
    let poll = |path: &str, at_most: u32| {
        json!({ "until": "${state} == done", "every": "1ms", "at_most": at_most, "requests": [
            { "get": path, "extract": { "state": { "json": "/state" } } },
        ]})
    };
    let requests = json!([poll("/job", 20), { "get": "/next" }, poll("/never", 3), { "get": "/end" }]);
    let scenario = Scenario::of_class("poll", &json!({ "tasks": [{ "requests": requests }] }));
    let run = scenario.run(&server, &["-n", "45", "-u", "5", "-r", "10000"]).exits(0);
    let one = [&["GET /job"; 4][..], &["GET /next"], &["GET /never"; 3], &["GET /end"]].concat();
    for requests in by_connection(&server) {
        let lines: Vec<&str> = requests.iter().map(crate::server::Request::line).collect();
        assert!(one.iter().cycle().zip(&lines).all(|(expected, line)| expected == line), "{lines:?}");
    }
    assert_eq!((server.count(), run.stream().warnings()), (45, vec!["until_not_met"]));
}

#[test]
fn lists_grow_by_append_are_walked_by_for_each_and_emptied_by_null() {
    let requests = json!([
        { "for_each": "ids", "as": "id", "requests": [{ "get": "/never" }] },
        { "repeat": 3, "as": "i", "requests": [{ "append": { "ids": "${i}${i}" } }] },
        { "when": "${ids} contains 11", "requests": [{ "get": "/contains" }] },
        { "for_each": "ids", "as": "id", "requests": [
            { "when": "${id} == 22", "requests": [{ "leave": "loop" }] },
            { "append": { "ids": "not in this round" } },
            { "get": "/${id}" },
        ]},
        { "set": { "ids": null, "x": "${id}!" } },
        { "when": "${ids} is_empty", "requests": [{ "get": "/${raw(x)}" }, { "leave": "task" }] },
        { "get": "/never" },
    ]);
    let one = ["GET /contains", "GET /00", "GET /11", "GET /22!"];
    assert_eq!(lines("lists", &requests, 8), [one, one].concat());
}

#[test]
fn a_list_holds_10000_items_and_further_ones_are_reported() {
    let server = Server::responding(OK);
    let requests = json!([
        { "repeat": 10_001, "as": "i", "requests": [{ "append": { "ids": "${i}" } }] },
        { "for_each": "ids", "as": "id", "requests": [{ "set": { "last": "${id}" } }] },
        { "get": "/${last}" },
    ]);
    let scenario = Scenario::of_class("full", &json!({ "tasks": [{ "requests": requests }] }));
    let run = scenario.run(&server, &["-n", "1"]).exits(0);
    assert_eq!(server.request_lines(), ["GET /9999"]);
    assert_eq!(run.stream().warnings(), ["list_full"], "said once");
}

#[test]
fn a_pause_is_in_no_latency_and_can_be_read_off_the_server() {
    let server = Server::responding(OK);
    let requests = json!([{ "get": "/a" }, { "pause": "300ms..400ms" }, { "get": "/b" }]);
    let scenario = Scenario::of_class("pause", &json!({ "tasks": [{ "requests": requests }] }));
    let run = scenario.run(&server, &["-n", "4"]).exits(0);
    let at: Vec<_> = server.requests().iter().map(|request| request.at).collect();
    for (a, b) in [(0, 1), (2, 3)] {
        assert!(at[b] - at[a] >= Duration::from_millis(295), "{:?}", at[b] - at[a]);
    }
    let service: f64 =
        run.stream().of("stats endpoint success").iter().map(|line| line.float("min_response_time")).sum();
    assert!(service < 295.0, "no request takes as long as the pause: {service} ms");
}

#[test]
fn a_pause_before_the_first_request_of_an_arrival_is_no_lateness() {
    let server = Server::responding(OK);
    let requests = json!([{ "pause": "1s" }, { "get": "/a" }]);
    let scenario = Scenario::of_class("open-pause", &json!({ "tasks": [{ "requests": requests }] }));
    // The arrivals of the last second still pause when the run ends: their requests are not due, and so not unsent. One
    // that is due just before the end may be.
    let run = scenario.run(&server, &["--rate", "20", "-t", "3s", "-u", "100"]);
    let code = run.code();
    let run = run.exits(code);
    assert!(run.count("unsent") <= 2 && run.count("overdue") == 0, "{}", run.stderr());
    assert_eq!(server.count(), run.count("sent"));
    assert!((30..=42).contains(&server.count()), "{}", server.count());
    let line = run.stream().of("stats endpoint success").into_iter().next().unwrap();
    assert!(line.float("min_response_time") < 900.0, "{}", line.0);
}

#[test]
fn a_user_that_stops_ends_with_on_stop_and_the_run_when_no_user_is_left() {
    let server = Server::responding(OK);
    let class = json!({
        "tasks": [{ "requests": [{ "get": "/a" }, { "when": "${iteration} == 2", "requests": [{ "stop": "user" }] }] }],
        "on_stop": [{ "get": "/bye" }],
    });
    let run = Scenario::of_class("stop", &class).run(&server, &["-u", "4", "-r", "10000", "-s", "20s"]).exits(0);
    assert_eq!((count(&server, "GET /a"), count(&server, "GET /bye")), (12, 4));
    assert_eq!(run.reason(), "users_stopped");
}

#[test]
fn with_a_rate_a_user_that_stopped_is_replaced() {
    let server = Server::responding(OK);
    let class = json!({ "tasks": [{ "requests": [{ "get": "/a" }, { "stop": "user" }] }] });
    let scenario = Scenario::of_class("open-stop", &class);
    let run = scenario.run(&server, &["--rate", "100", "--stages", "1s:100,0s:0,1s:0", "-u", "5", "-s", "20s"]);
    let code = run.code();
    let run = run.exits(code);
    assert_eq!((server.count(), run.count("ok"), run.reason()), (100, 100, "stages"));
    assert_eq!(server.connections(), 100, "each arrival has a new user");
}

#[test]
fn a_missing_value_in_a_condition_skips_the_rest_of_the_task() {
    let server = Server::responding(OK);
    let requests = json!([
        { "set": { "x": null } },
        { "get": "/a" },
        { "when": "${x} == 1", "requests": [{ "get": "/b" }] },
        { "get": "/c" },
        { "set": { "x": 1 } },
    ]);
    let scenario = Scenario::of_class("unset", &json!({ "tasks": [{ "requests": requests }] }));
    let run = scenario.run(&server, &["-n", "3"]).exits(0);
    assert_eq!(
        (server.request_lines(), run.stream().warnings()),
        (vec!["GET /a".to_owned(); 3], vec!["unset_variable"])
    );
}

#[test]
fn a_task_that_sends_nothing_rests_for_a_second() {
    let server = Server::responding(OK);
    let requests = json!([{ "when": "${user} == 1", "requests": [{ "get": "/second" }] }]);
    let scenario = Scenario::of_class("idle", &json!({ "tasks": [{ "requests": requests }] }));
    let run = scenario.run(&server, &["-n", "50", "-u", "2", "-r", "10000"]).exits(0);
    assert_eq!((server.connections(), count(&server, "GET /second")), (1, 50), "{}", run.stderr());
}

#[test]
fn a_failed_request_in_a_loop_of_on_start_repeats_all_of_it() {
    let server = Server::start(|mut peer| {
        let mut polls = 0;
        while let Some(request) = peer.read() {
            polls += usize::from(request.line() == "GET /ready");
            peer.send(if polls == 2 && request.line() == "GET /ready" { empty_response(503) } else { OK.to_owned() });
        }
    });
    let class = json!({
        "on_start": [{ "get": "/first" }, { "repeat": 2, "requests": [{ "get": "/ready" }] }],
        "tasks": [{ "requests": [{ "get": "/a" }] }],
    });
    Scenario::of_class("start-loop", &class).run(&server, &["-n", "7"]).exits(1);
    let (first, ready) = ("GET /first", "GET /ready");
    assert_eq!(server.request_lines(), [first, ready, ready, first, ready, ready, "GET /a"]);
}
