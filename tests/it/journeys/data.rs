//! Rows of data: which user gets which row, and what happens when they run out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Scenario, by_connection};
use crate::server::{OK, Server};

/// A CSV file with the names n0, n1 …
fn names(count: usize) -> String {
    (0..count).fold("name,number\n".to_owned(), |text, n| text + &format!("n{n},{n}\n"))
}

/// A scenario whose task sends the columns of a row.
fn naming(pick: &Value, on_start: &Value) -> Value {
    json!({
        "data": { "row": pick },
        "user_classes": [{
            "on_start": on_start,
            "tasks": [{ "requests": [{ "get": "/${row.name}", "name": "/" }, { "get": "/${row.number}/b", "name": "/b" }] }],
        }],
    })
}

/// The rows used by the tasks, in the order of the requests.
fn named(server: &Server) -> Vec<String> {
    let lines = server.request_lines();
    lines.iter().filter_map(|line| line.strip_prefix("GET /n")).map(str::to_owned).collect()
}

#[test]
fn each_unique_row_is_seen_exactly_once_over_many_users() {
    let server = Server::responding(OK);
    let scenario = Scenario::new("unique", &naming(&json!({ "csv": "rows.csv", "pick": "unique" }), &json!([])))
        .with("rows.csv", &names(200));
    let run = scenario.run(&server, &["-u", "10", "-r", "10000"]).exits(0);
    let rows = named(&server);
    assert_eq!(rows.len(), 200);
    assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), 200, "none is used twice");
    for requests in by_connection(&server) {
        for pair in requests.chunks(2) {
            let number = pair[0].line().strip_prefix("GET /n").unwrap();
            assert_eq!(pair[1].line(), format!("GET /{number}/b"), "a task keeps its row");
        }
    }
    assert_eq!((run.reason(), run.count("ok")), ("data_end", 400));
    assert_eq!(run.stream().warnings(), ["data_end"], "reported once");
}

#[test]
fn a_row_used_in_on_start_stays_with_its_user() {
    let server = Server::responding(OK);
    let login = json!([{ "post": "/login", "form": { "name": "${row.name}" } }]);
    let scenario = Scenario::new("life", &naming(&json!({ "csv": "rows.csv", "pick": "unique" }), &login))
        .with("rows.csv", &names(5));
    // There are three more users than rows: those end at once, the others go on.
    let run = scenario.run(&server, &["-n", "200", "-u", "8", "-r", "10000"]).exits(0);
    assert_eq!((server.count(), run.reason()), (200, "requests"));
    let users = by_connection(&server);
    assert_eq!(users.len(), 5);
    let mut request = BTreeSet::new();
    for requests in users {
        let body = String::from_utf8(requests[0].body.clone()).unwrap();
        let number = body.strip_prefix("name=n").unwrap().to_owned();
        let own = [format!("GET /n{number}"), format!("GET /{number}/b")];
        assert!(requests[1..].iter().all(|request| own.contains(&request.line().to_owned())));
        assert!(request.insert(number), "no other user has it");
    }
}

#[test]
fn a_run_ends_when_its_users_have_no_rows_left_although_the_ramp_goes_on() {
    let server = Server::responding(OK);
    let login = json!([{ "post": "/login", "form": { "name": "${row.name}" } }]);
    let scenario = naming(&json!({ "csv": "rows.csv", "pick": "unique" }), &login);
    let mut scenario = scenario;
    // The tasks use rows of another source, which soon run out; the ramp would go on for an hour.
    scenario["data"]["other"] = json!({ "csv": "rows.csv", "pick": "unique" });
    scenario["user_classes"][0]["tasks"] = json!([{ "requests": [{ "get": "/${other.name}", "name": "/" }] }]);
    let run = Scenario::new("no-more", &scenario).with("rows.csv", &names(30));
    let run = run.run(&server, &["-u", "3600", "-r", "1"]).exits(0);
    assert_eq!(run.reason(), "data_end");
    assert_eq!(named(&server).len(), 30);
}

#[test]
fn running_out_of_rows_with_on_end_fail_makes_the_run_not_valid() {
    let server = Server::responding(OK);
    let pick = json!({ "csv": "rows.csv", "pick": "unique", "on_end": "fail" });
    let scenario = Scenario::new("fail", &naming(&pick, &json!([]))).with("rows.csv", &names(20));
    let run = scenario.run(&server, &["-u", "4", "-r", "10000", "-s", "30s"]).exits(4);
    assert_eq!((run.reason(), named(&server).len()), ("data_end", 20));
    let reasons = run.stream().run_end().get("reasons").to_string();
    assert!(reasons.contains("row"), "{reasons}");
}

#[test]
fn rows_that_start_over_are_used_in_order_across_all_users() {
    for pick in [
        json!({ "csv": "rows.csv", "pick": "unique", "on_end": "again" }),
        json!({ "csv": "rows.csv", "pick": "sequential" }),
    ] {
        let server = Server::responding(OK);
        let scenario = Scenario::new("cycle", &naming(&pick, &json!([]))).with("rows.csv", &names(7));
        scenario.run(&server, &["-n", "60"]).exits(0);
        let expected: Vec<String> = (0..30).map(|n| (n % 7).to_string()).collect();
        assert_eq!(named(&server), expected, "one user gets them in order");

        let server = Server::responding(OK);
        scenario.run(&server, &["-n", "700", "-u", "5", "-r", "10000"]).exits(0);
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for row in named(&server) {
            *counts.entry(row).or_default() += 1;
        }
        // 350 tasks, and a few more that -n cut off: each row is used equally often, except for those in flight.
        assert!(counts.len() == 7 && counts.values().all(|count| count.abs_diff(50) <= 2), "{counts:?}");
    }
}

#[test]
fn random_rows_are_evenly_distributed() {
    let server = Server::responding(OK);
    let pick = json!({ "csv": "rows.csv", "pick": "random" });
    let scenario = Scenario::new("random", &naming(&pick, &json!([]))).with("rows.csv", &names(4));
    scenario.run(&server, &["-n", "1600", "--run-id", "even"]).exits(0);
    let rows = named(&server);
    for row in ["0", "1", "2", "3"] {
        // Binomial: 200 expected of 800, standard deviation sqrt(800 / 4 * 3 / 4) = 12.2; within 4 of these.
        let count = rows.iter().filter(|request| *request == row).count();
        assert!(count.abs_diff(200) <= 49, "{row}: {count}");
    }
}
