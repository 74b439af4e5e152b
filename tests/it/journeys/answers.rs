//! Answers that are looked at: coded ones, unexpected ones, and what is taken out of them.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::{Value, json};

use super::Scenario;
use crate::process::Finished;
use crate::server::{OK, Server};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// A whole answer of this body.
fn answer(coding: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Gives this answer to the first request of a task, and ok to the second, which needs a value from it.
fn take_id(name: &str, answer: Vec<u8>) -> (Server, Finished) {
    let server = Server::start(move |mut peer| {
        while let Some(seen) = peer.read() {
            peer.say(if seen.asked() == "GET /give" { &answer } else { OK.as_bytes() });
        }
    });
    let task = json!({ "tasks": [{ "requests": [
        { "get": "/give", "extract": { "id": { "json": "/id" } } },
        { "get": "/take/${id}" },
    ]}]});
    let run = Scenario::of_class(name, &task).run(&server, &["-n", "4"]);
    (server, run)
}

#[test]
fn values_are_taken_out_of_coded_answers_and_their_bytes_are_those_of_the_wire() {
    let text = json!({ "id": "x1", "filler": "f".repeat(5000) }).to_string();
    for (coding, body) in [("gzip", gzip(text.as_bytes())), ("deflate", zlib(text.as_bytes()))] {
        let length = body.len();
        let (server, run) = take_id(coding, answer(coding, &body));
        let run = run.exits(0);
        assert_eq!(server.asked(), ["GET /give", "GET /take/x1"].repeat(2), "{coding}");
        let expected = (length + 2) as f64 / 2.0;
        assert!((run.statistic("avg_content_length") - expected).abs() < 1e-3, "{coding}: {length} bytes on the wire");
    }
}

#[test]
fn a_coding_that_is_not_known_fails_what_looks_at_the_body() {
    let (server, run) = take_id("unknown", answer("br", b"whatever"));
    assert_eq!(run.exits(1).errors(), [("extract: body cannot be decoded", 4)]);
    assert_eq!(server.asked(), ["GET /give"; 4]);
    let (_, run) = take_id("broken", answer("gzip", b"no gzip"));
    assert_eq!(run.exits(1).errors(), [("extract: body cannot be decoded", 4)]);
    let server = Server::start(move |mut peer| while peer.answer(answer("br", b"whatever")) {});
    let task = json!({ "tasks": [{ "requests": [{ "get": "/" }] }] });
    Scenario::of_class("unlooked", &task).run(&server, &["-n", "2"]).exits(0);
}

#[test]
fn a_body_is_kept_only_up_to_its_bound() {
    let large = json!({ "filler": "f".repeat(2 * 1024 * 1024), "id": "x1" }).to_string();
    let (_, run) = take_id("bomb", answer("gzip", &gzip(large.as_bytes())));
    assert_eq!(run.exits(1).errors(), [("extract: no such JSON value", 4)]);
}

/// What comes of an answer that is expected to be so.
fn judged(name: &str, expect: &Value) -> Finished {
    let body = r#"{"order":7,"items":[{"id":"a"}]}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Id: 7\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let server = Server::start(move |mut peer| {
        while peer.read().is_some() {
            peer.dawdle(Duration::from_millis(5));
            peer.say(&answer);
        }
    });
    let task = json!({ "tasks": [{ "requests": [{ "get": "/", "expect": expect }] }] });
    Scenario::of_class(name, &task).run(&server, &["-n", "3"])
}

#[test]
fn answers_as_expected_are_ok() {
    let expect = json!({
        "status": 200,
        "header": { "content-type": { "contains": "json" }, "X-Id": "7", "X-No": { "exists": false } },
        "body_contains": "\"order\"",
        "body_not_contains": "error",
        "json": { "/order": 7, "/items/0/id": "a", "/none": { "exists": false } },
        "within": "30s",
        "size": { "min": 10, "max": 100 },
    });
    assert_eq!(judged("expected", &expect).exits(0).count("ok"), 3);
}

#[test]
fn answers_that_are_not_are_failures_of_a_class_of_their_own() {
    for (name, expect, error) in [
        ("x-status", json!({ "status": 201 }), "expectation: status 200"),
        ("x-header", json!({ "header": { "X-Id": "8" } }), "expectation: header"),
        ("x-contains", json!({ "body_contains": "nothing" }), "expectation: body_contains"),
        ("x-not", json!({ "body_not_contains": "order" }), "expectation: body_not_contains"),
        ("x-json", json!({ "json": { "/order": 8 } }), "expectation: json"),
        ("x-within", json!({ "within": "4ms" }), "expectation: within"),
        ("x-size", json!({ "size": { "max": 3 } }), "expectation: size"),
    ] {
        assert_eq!(judged(name, &expect).exits(1).errors(), [(error, 3)], "{name}");
    }
}
