//! Values that are made for each request, taken from responses of every kind, and fields that are sent by chance: by
//! what the server receives.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Scenario, by_connection, json_response};
use crate::server::{OK, Server};
use crate::support::Run;

/// Shares of the requests, counted by the server.
fn shares(server: &Server) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    server.request_lines().into_iter().for_each(|line| *counts.entry(line).or_insert(0) += 1);
    counts
}

/// Whether a count is within 4 sigma of `share` of `all`.
fn is_near(count: usize, all: usize, share: f64) -> bool {
    let (expected, sigma) = (all as f64 * share, (all as f64 * share * (1.0 - share)).sqrt());
    (count as f64 - expected).abs() <= 4.0 * sigma
}

/// The bodies of the requests with this request line.
fn bodies(server: &Server, line: &str) -> Vec<Vec<u8>> {
    server.requests().into_iter().filter(|request| request.line() == line).map(|request| request.body).collect()
}

/// A class whose only request is this.
fn requesting(request: &Value) -> Value {
    json!({ "tasks": [{ "requests": [request] }] })
}

/// A response with this HTML.
fn html(lines: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{lines}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// A server with this response to the first request of a task, and `ok` to all others.
fn giving(response: impl Into<Vec<u8>>) -> Server {
    let response = response.into();
    Server::start(move |mut peer| {
        while let Some(request) = peer.read() {
            peer.send(if request.line().ends_with("/give") { &response } else { OK.as_bytes() });
        }
    })
}

/// Runs a task that extracts values from `/give` and sends the expression `take`; returns the targets of the second
/// request.
fn taken(name: &str, server: &Server, extract: &Value, take: &str) -> Vec<String> {
    let task = json!({ "tasks": [{ "requests": [
        { "get": "/give", "extract": extract },
        { "get": format!("/take?{take}"), "name": "/take" },
    ]}]});
    Scenario::of_class(name, &task).run(server, &["-n", "2"]).exits(0);
    let lines = server.request_lines();
    lines.iter().filter_map(|line| line.strip_prefix("GET /take?")).map(str::to_owned).collect()
}

#[test]
fn counters_of_fifty_users_on_two_shards_are_those_of_one_host_each_once() {
    let server = Server::responding(OK);
    let scenario = Scenario::of_class("counter", &requesting(&json!({ "get": "/${counter}", "name": "/" })));
    for shard in ["0/2", "1/2"] {
        let flags = ["-n", "1000", "-u", "50", "-r", "10000", "--run-id", "r1", "--shard", shard];
        let run = scenario.run(&server, &flags).exits(0);
        assert_eq!(run.count("ok"), 500, "the half of this shard");
    }
    let lines = server.request_lines();
    let numbers: BTreeSet<u64> =
        lines.iter().map(|line| line.strip_prefix("GET /").unwrap().parse().unwrap()).collect();
    assert_eq!((lines.len(), numbers.len()), (1000, 1000), "no number twice");
    // A request that was rendered when none was left to be sent leaves a gap: at most one a user.
    assert!(numbers.iter().all(|number| *number < 1000 + 2 * 50), "{numbers:?}");
}

#[test]
fn choices_and_chances_are_within_four_sigma() {
    const ALL: usize = 4000;
    let server = Server::responding(OK);
    let request = json!({ "get": "/${choice(red,green,green,'b, c')}/${chance(0.2)}", "name": "/" });
    Scenario::of_class("choices", &requesting(&request))
        .run(&server, &["-n", "4000", "-u", "4", "-r", "1000"])
        .exits(0);
    let counts = shares(&server);
    let with =
        |part: &str| counts.iter().filter(|(line, _)| line.contains(part)).map(|(_, count)| count).sum::<usize>();
    for (part, share) in [("/red/", 0.25), ("/green/", 0.5), ("/b%2C%20c/", 0.25), ("/true", 0.2), ("/false", 0.8)] {
        assert!(is_near(with(part), ALL, share), "{part}: {counts:?}");
    }
    assert_eq!(counts.len(), 6, "{counts:?}");
}

#[test]
fn optional_fields_are_there_as_often_as_they_should_and_the_rest_stays_whole() {
    const ALL: usize = 2000;
    let server = Server::responding(OK);
    let class = json!({ "tasks": [{ "requests": [
        { "get": "/q", "query": { "a": { "value": "x y", "optional": 0.5 }, "b": { "value": 7, "optional": 0.25 } } },
        { "post": "/form", "form": { "a": { "value": "&", "optional": 0.5 }, "b": [1, { "value": 2, "optional": 0.25 }] } },
        { "post": "/json", "json": { "a": { "${optional(0.5)}": { "c": [1, { "${optional(0.25)}": "${counter}" }] } },
                                     "b": { "value": "x", "optional": 0.5 } } },
    ]}]});
    Scenario::of_class("optional", &class).run(&server, &["-n", "6000", "-u", "4", "-r", "1000"]).exits(0);
    let lines = shares(&server);
    for (query, share) in [("", 0.375), ("?a=x+y", 0.375), ("?b=7", 0.125), ("?a=x+y&b=7", 0.125)] {
        let count = lines.get(&format!("GET /q{query}")).copied().unwrap_or_default();
        assert!(is_near(count, ALL, share), "{query}: {lines:?}");
    }
    let mut forms = BTreeMap::new();
    for body in bodies(&server, "POST /form") {
        *forms.entry(String::from_utf8(body).unwrap()).or_insert(0) += 1;
    }
    for (form, share) in [("b=1", 0.375), ("a=%26&b=1", 0.375), ("b=1&b=2", 0.125), ("a=%26&b=1&b=2", 0.125)] {
        assert!(is_near(forms.get(form).copied().unwrap_or_default(), ALL, share), "{form}: {forms:?}");
    }
    let documents: Vec<Value> =
        bodies(&server, "POST /json").into_iter().map(|body| serde_json::from_slice(&body).unwrap()).collect();
    let with_a = documents.iter().filter(|document| document.get("a").is_some()).count();
    let with_counter = documents.iter().filter(|document| document["a"]["c"].get(1).is_some()).count();
    assert!(is_near(with_a, ALL, 0.5) && is_near(with_counter, ALL, 0.125), "{with_a} {with_counter}");
    let data = json!({ "value": "x", "optional": 0.5 });
    assert!(documents.iter().all(|document| document["b"] == data), "data that looks like it is sent as it is");
    let scenario = Scenario::of_class("optional-names", &class);
    let run = Run::new(["run", "--dry-run", "-H", "http://127.0.0.1:9", "-f", &scenario.path]).finish().exits(0);
    let text = run.text();
    assert!(text.contains("| GET /q?a=x+y&b=7 HTTP/1.1") && text.contains("request = GET /q"), "{text}");
}

#[test]
fn one_of_many_values_is_picked_at_random_or_all_are_kept() {
    const ALL: usize = 2000;
    let items = json!({ "items": [{ "id": "a" }, { "id": "b" }, { "id": null }, { "id": "c" }] });
    let response = json_response("", &items);
    let server = giving(response);
    let class = json!({ "tasks": [{ "requests": [
        { "get": "/give", "extract": {
            "one": { "json": "/items/*/id", "pick": "random" }, "all": { "json": "/items/*/id", "pick": "all" } } },
        { "get": "/one/${one}", "name": "/one" },
        { "get": "/all/${pick(all)}/${first(all)}/${count(all)}", "name": "/all" },
    ]}]});
    Scenario::of_class("picks", &class).run(&server, &["-n", "6000", "-u", "4", "-r", "1000"]).exits(0);
    let counts = shares(&server);
    for id in ["a", "b", "c"] {
        for line in [format!("GET /one/{id}"), format!("GET /all/{id}/a/3")] {
            assert!(is_near(counts[&line], ALL, 1.0 / 3.0), "{line}: {counts:?}");
        }
    }
    assert_eq!(counts.len(), 7, "{counts:?}");
}

#[test]
fn values_are_found_in_html_by_expression_input_and_texts() {
    let body = r#"<form><input type="hidden" value="a&amp;b&#43;/=" name=csrfmiddlewaretoken>
        <a href="/p?id=1">one</a><a href="/p?id=22">two</a></form>"#;
    let extract = json!({
        "csrf": { "input": "csrfmiddlewaretoken" },
        "second": { "regex": r"id=(\d+)", "pick": 1 },
        "whole": { "regex": r"id=(\d+)", "group": 0, "pick": "last" },
        "word": { "between": [">", "</a>"], "pick": "last" },
        "none": { "regex": "nothing", "default": "d&d" },
        "order": { "regex": r"/orders/(\d+)", "header": "Location" },
        "place": { "from": "url" },
        "code": { "from": "status" },
    });
    let server = giving(html("Location: /orders/7?x\r\n", body));
    let take = "${csrf}|${second}|${whole}|${word}|${none}|${order}|${code}|${status}|${raw(place)}";
    let place = format!("http://{}/give", server.addr());
    let expected = format!("a%26b%2B%2F%3D%7C22%7Cid%3D22%7Ctwo%7Cd%26d%7C7%7C200%7C200%7C{place}");
    let found = taken("html", &server, &extract, take).join(" ");
    assert_eq!(found.replace('|', "%7C"), expected);
}

#[test]
fn the_url_is_the_one_that_redirects_led_to() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            let to = "HTTP/1.1 302 Found\r\nLocation: /end?code=c7\r\nContent-Length: 0\r\n\r\n";
            peer.send(if request.line() == "GET /give" { to } else { OK });
        }
    });
    let extract = json!({ "code": { "regex": "code=(.*)", "from": "url" } });
    assert_eq!(taken("final-url", &server, &extract, "${code}"), ["c7"]);
}

#[test]
fn the_status_is_extracted_from_a_failed_response_too_and_is_0_without_one() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            match request.line() {
                "GET /missing" => peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
                "POST /cut" => return,
                _ => peer.send(OK),
            }
        }
    });
    let class = json!({ "tasks": [{ "requests": [
        { "get": "/missing", "extract": { "code": { "from": "status" }, "id": { "json": "/id", "default": "none" } } },
        { "get": "/after/${status}/${code}" },
        { "get": "/then/${status}/${code}" },
        { "post": "/cut" },
        { "get": "/last/${status}" },
    ]}]});
    let run = Scenario::of_class("statuses", &class).run(&server, &["-n", "5"]).exits(1);
    let lines = server.request_lines();
    assert_eq!(
        lines,
        ["GET /missing", "GET /after/404/404", "GET /then/200/404", "POST /cut", "GET /last/0"],
        "{}",
        run.stderr()
    );
    assert_eq!(run.count("failed"), 2);
}

#[test]
fn a_body_must_match_the_expression() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            peer.send(html("", if request.line() == "GET /good" { "order 17" } else { "order x" }));
        }
    });
    let expect = json!({ "body_matches": r"^order \d+$" });
    let class = json!({ "tasks": [{ "requests": [
        { "get": "/good", "expect": expect }, { "get": "/bad", "expect": expect },
    ]}]});
    let run = Scenario::of_class("matches", &class).run(&server, &["-n", "6"]).exits(1);
    assert_eq!(run.errors(), [("expectation: body_matches", 3)]);
}

#[test]
fn a_coding_that_is_not_decoded_is_named_where_the_body_is_looked_at() {
    for (coding, word) in [("br", "br"), ("zstd", "zstd")] {
        let response = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 2\r\n\r\nok");
        let server = Server::responding(response);
        let class = json!({ "tasks": [{ "requests": [
            { "get": "/count" },
            { "get": "/expect", "expect": { "body_contains": "ok" } },
            { "get": "/extract", "extract": { "id": { "json": "/id" } } },
        ]}]});
        let run = Scenario::of_class(&format!("coding-{coding}"), &class).run(&server, &["-n", "3"]).exits(1);
        let expected = ["expectation", "extract"].map(|class| format!("{class}: body in {word} cannot be decoded"));
        let mut errors: Vec<&str> = run.errors().into_iter().map(|(error, _)| error).collect();
        errors.sort_unstable();
        assert_eq!(errors, expected);
    }
}

#[test]
fn a_row_per_user_is_kept_for_life_and_dealt_round_robin() {
    let server = Server::responding(OK);
    let scenario = json!({
        "data": {
            "account": { "csv": "accounts.csv", "delimiter": ";", "per": "user" },
            "word": { "lines": "words.txt" },
        },
        "user_classes": [{ "tasks": [{ "requests": [{ "get": "/${account.name}/${word}", "name": "/" }] }] }],
    });
    let scenario = Scenario::new("per-user", &scenario)
        .with("accounts.csv", "\u{feff}name;city\na;\"x;y\"\nb;\nc;z\n")
        .with("words.txt", "\u{feff}w0\r\nw1\r\n");
    scenario.run(&server, &["-n", "300", "-u", "6", "-r", "10000"]).exits(0);
    let mut users_of = BTreeMap::new();
    for requests in by_connection(&server) {
        let names: BTreeSet<&str> = requests.iter().map(|request| request.line().split('/').nth(1).unwrap()).collect();
        assert_eq!(names.len(), 1, "a user keeps its row: {names:?}");
        *users_of.entry(names.into_iter().next().unwrap().to_owned()).or_insert(0) += 1;
    }
    let expected: BTreeMap<String, i32> = ["a", "b", "c"].map(|name| (name.to_owned(), 2)).into();
    assert_eq!(users_of, expected);
    let words = shares(&server).into_iter().fold(BTreeMap::new(), |mut counts, (line, count)| {
        *counts.entry(line.rsplit('/').next().unwrap().to_owned()).or_insert(0) += count;
        counts
    });
    assert_eq!(words, [("w0".to_owned(), 150), ("w1".to_owned(), 150)].into(), "one after the other, as usual");
}

#[test]
fn a_list_that_is_empty_skips_the_task_with_a_warning() {
    let server = giving(json_response("", &json!({ "ids": [] })));
    let class = json!({ "tasks": [{ "requests": [
        { "get": "/give", "extract": { "ids": { "json": "/ids/*", "pick": "all", "default": [] } } },
        { "get": "/${count(ids)}" },
        { "get": "/${pick(ids)}" },
        { "get": "/never" },
    ]}]});
    let run = Scenario::of_class("empty-list", &class).run(&server, &["-n", "4"]).exits(0);
    assert_eq!(server.request_lines(), ["GET /give", "GET /0"].repeat(2));
    assert_eq!(run.stream().warnings(), ["unset_variable"]);
    assert!(run.stderr().contains("an item of ids, which is empty"), "{}", run.stderr());
}
