//! Locust's quickstart as a scenario, and many users in loops.

use std::time::{Duration, Instant};

use rustix::process::{Resource, Signal, getrlimit, setrlimit};
use serde_json::{Value, json};

use super::{Scenario, by_connection, count};
use crate::server::{OK, Request, Server};

/// The text of the example, with pauses that a test can wait for.
fn quickstart() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart.json");
    let mut text = std::fs::read_to_string(path).unwrap();
    for (long, short) in [("\"1s..5s\"", "\"1ms..5ms\""), ("{\"pause\": \"1s\"}", "{\"pause\": \"1ms\"}")] {
        assert_eq!(text.matches(long).count(), 1, "{long}");
        text = text.replace(long, short);
    }
    text
}

#[test]
fn the_quickstart_of_locust_sends_what_the_locustfile_sends() {
    let server = Server::responding(OK);
    let scenario = Scenario::new("quickstart", &json!({})).with("scenario.json", &quickstart());
    let run = scenario.run(&server, &["-n", "4000", "-u", "5", "-r", "10000", "--run-id", "q"]).exits(0);
    assert_eq!((server.count(), run.count("sent"), count(&server, "POST /login")), (4000, 4000, 5));
    let mut tasks = [0_usize; 2];
    for requests in by_connection(&server) {
        let lines: Vec<&str> = requests.iter().map(Request::line).collect();
        assert_eq!(
            (lines[0], requests[0].body.as_slice()),
            ("POST /login", &br#"{"username":"foo","password":"bar"}"#[..])
        );
        let mut rest = &lines[1..];
        while let Some(first) = rest.first() {
            let items: Vec<String> = (0..10).map(|id| format!("GET /item?id={id}")).collect();
            let task: Vec<&str> = match *first {
                "GET /hello" => vec!["GET /hello", "GET /world"],
                _ => items.iter().map(String::as_str).collect(),
            };
            let length = task.len().min(rest.len());
            // Only the last task of a user may have been cut short, by -n.
            assert!(rest[..length] == task[..length] && (length == task.len() || rest.len() == length), "{rest:?}");
            tasks[usize::from(task.len() == 10)] += 1;
            rest = &rest[length..];
        }
    }
    // Binomial: weights 1 and 3 of about 500 tasks, standard deviation 9.7; within 4 of these.
    let [hello, items] = tasks;
    assert!(items.abs_diff((hello + items) * 3 / 4) <= 39, "{hello} and {items}");
    let endpoints: Vec<String> =
        run.stream().of("stats endpoint success").iter().map(|line| line.text("name").to_owned()).collect();
    assert_eq!(endpoints.iter().filter(|name| *name == "/item").count(), 1, "{endpoints:?}");
}

/// The end is promised within the stop timeout and a second; the rest is for a debug build on a busy machine.
const BOUND: Duration = Duration::from_secs(5 + 1 + 13);

#[test]
fn users_stop_in_time_in_any_loop_pause_or_poll() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    let server = Server::responding(OK);
    let class = |name: &str, requests: Value| {
        json!({ "name": name, "tasks": [{ "requests": requests }],
                "on_stop": [{ "repeat": 1_000_000, "requests": [{ "get": "/bye" }, { "pause": "1h" }] }] })
    };
    let spin = json!([{ "get": "/spin" }, { "repeat": 1_000_000, "requests": [
        { "repeat": 1_000_000, "requests": [{ "set": { "x": "${user}" } }] },
    ]}]);
    let classes = json!({ "user_classes": [
        class("pause", json!([{ "get": "/pause" }, { "pause": "1h" }])),
        class("repeat", json!([{ "repeat": 1_000_000, "requests": [{ "get": "/repeat" }, { "pause": "10ms" }] }])),
        class("poll", json!([{ "until": "${user} == x", "every": "1h", "at_most": 1_000_000, "requests": [
            { "get": "/poll" },
        ]}])),
        class("spin", spin),
    ]});
    let scenario = Scenario::new("loops-stop", &classes);
    let process = scenario.start(&server, &["-u", "80", "-r", "100000", "-s", "5s"]);
    server.wait_for_requests(200);
    let signalled = Instant::now();
    process.signal(Signal::INT);
    let run = process.finish();
    let code = run.code();
    let run = run.exits(code);
    assert!(run.ended - signalled < BOUND, "{:?}", run.ended - signalled);
    assert_eq!((run.reason(), run.count("failed")), ("signal", 0));
    assert_eq!((server.count(), run.count("aborted")), (run.count("sent"), 0));
    assert_eq!(count(&server, "GET /bye"), 80, "once a user, and the pause after it ends with the stop timeout");
}
