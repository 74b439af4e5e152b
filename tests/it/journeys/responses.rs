//! Responses whose content matters: compressed ones, expectations, and extractions.

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

/// A complete response with this body.
fn response(coding: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Runs a task whose first request gets this response, and whose second needs a value from it.
fn extract_id(name: &str, response: Vec<u8>) -> (Server, Finished) {
    let server = Server::start(move |mut peer| {
        while let Some(request) = peer.read() {
            peer.send(if request.line() == "GET /give" { &response } else { OK.as_bytes() });
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
fn values_are_extracted_from_compressed_responses_whose_size_is_that_on_the_wire() {
    let text = json!({ "id": "x1", "filler": "f".repeat(5000) }).to_string();
    for (coding, body) in [("gzip", gzip(text.as_bytes())), ("deflate", zlib(text.as_bytes()))] {
        let length = body.len();
        let (server, run) = extract_id(coding, response(coding, &body));
        let run = run.exits(0);
        assert_eq!(server.request_lines(), ["GET /give", "GET /take/x1"].repeat(2), "{coding}");
        let expected = (length + 2) as f64 / 2.0;
        assert!((run.statistic("avg_content_length") - expected).abs() < 1e-3, "{coding}: {length} bytes on the wire");
    }
}

#[test]
fn an_unknown_content_coding_fails_whatever_needs_the_body() {
    let (server, run) = extract_id("unknown", response("compress", b"whatever"));
    assert_eq!(run.exits(1).errors(), [("extract: body cannot be decoded", 4)]);
    assert_eq!(server.request_lines(), ["GET /give"; 4]);
    let (_, run) = extract_id("broken", response("gzip", b"no gzip"));
    assert_eq!(run.exits(1).errors(), [("extract: body cannot be decoded", 4)]);
    let server = Server::start(move |mut peer| while peer.respond(response("compress", b"whatever")) {});
    let task = json!({ "tasks": [{ "requests": [{ "get": "/" }] }] });
    Scenario::of_class("unneeded", &task).run(&server, &["-n", "2"]).exits(0);
}

/// Runs this request against a server that always sends this response.
fn run_request(name: &str, response: Vec<u8>, request: &Value, flags: &[&str]) -> Finished {
    let server = Server::start(move |mut peer| while peer.respond(&response) {});
    let task = json!({ "tasks": [{ "requests": [request] }] });
    Scenario::of_class(name, &task).run(&server, &[&["-n", "2"], flags].concat())
}

#[test]
fn texts_are_searched_in_the_entire_body_whatever_its_size() {
    let text = format!("{}<id>7</id> the end", "filler ".repeat(300_000));
    for (coding, body) in [("identity", text.clone().into_bytes()), ("gzip", gzip(text.as_bytes()))] {
        let full = response(coding, &body);
        let request = json!({
            "get": "/", "extract": { "id": { "between": ["<id>", "</id>"] } },
            "expect": { "body_contains": ["the end", "filler <id>"], "body_not_contains": "beginning" },
        });
        run_request("full", full.clone(), &request, &["--max-body", "1KiB"]).exits(0);
        for (expect, error) in [
            (json!({ "body_contains": "beginning" }), "expectation: body_contains"),
            (json!({ "body_not_contains": "the end" }), "expectation: body_not_contains"),
        ] {
            let run = run_request("late", full.clone(), &json!({ "get": "/", "expect": expect }), &[]).exits(1);
            assert_eq!(run.errors(), [(error, 2)], "{coding}");
        }
    }
}

#[test]
fn json_longer_than_max_body_fails_positive_and_negative_expectations_and_extractions() {
    let body = |filler: usize| {
        response("gzip", &gzip(json!({ "filler": "f".repeat(filler), "id": 1 }).to_string().as_bytes()))
    };
    for (part, over, request) in [
        ("positive", "8 MiB", json!({ "get": "/", "expect": { "json": { "/id": 1 } } })),
        ("negative", "1 KiB", json!({ "get": "/", "expect": { "json": { "/no": { "exists": false } } } })),
        ("extraction", "1000 bytes", json!({ "get": "/", "extract": { "id": { "json": "/id" } } })),
        ("between", "1 KiB", json!({ "get": "/", "extract": { "id": { "between": ["fff", "\""] } } })),
    ] {
        let (filler, size) = if over == "8 MiB" { (8 << 20, &[][..]) } else { (2000, &["--max-body", over][..]) };
        let run = run_request(part, body(filler), &request, size).exits(1);
        assert_eq!(run.errors(), [(format!("expectation: body over {over}").as_str(), 2)], "{part}");
        run_request(part, body(filler), &request, &["--max-body", "9M"]).exits(0);
    }
    let undecodable = response("compress", b"whatever");
    let negative = json!({ "get": "/", "expect": { "body_not_contains": "whatever" } });
    let run = run_request("undecodable", undecodable, &negative, &[]).exits(1);
    assert_eq!(run.errors(), [("expectation: body cannot be decoded", 2)]);
}

#[test]
fn the_scenario_can_set_max_body() {
    let server = Server::responding("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"id\":12345}");
    let class = json!({ "tasks": [{ "requests": [{ "get": "/", "expect": { "json": { "/id": 12345 } } }] }] });
    for (size, is_enough) in [(json!(12), true), (json!("11 bytes"), false)] {
        let file = json!({ "max_body": size, "user_classes": [class] });
        let run = Scenario::new("max-body", &file).run(&server, &["-n", "1"]).exits(i32::from(!is_enough));
        assert_eq!(run.stream().setting("max-body").map(|(_, origin)| origin), Some("file"));
        assert_eq!(run.errors(), if is_enough { &[][..] } else { &[("expectation: body over 11 bytes", 1)][..] });
    }
}

/// Runs a request with these expectations.
fn run_expecting(name: &str, expect: &Value) -> Finished {
    let body = r#"{"order":7,"items":[{"id":"a"}]}"#;
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Id: 7\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let server = Server::start(move |mut peer| {
        while peer.read().is_some() {
            peer.pause(Duration::from_millis(5));
            peer.send(&response);
        }
    });
    let task = json!({ "tasks": [{ "requests": [{ "get": "/", "expect": expect }] }] });
    Scenario::of_class(name, &task).run(&server, &["-n", "3"])
}

#[test]
fn responses_as_expected_are_ok() {
    let expect = json!({
        "status": 200,
        "header": { "content-type": { "contains": "json" }, "X-Id": "7", "X-No": { "exists": false } },
        "body_contains": "\"order\"",
        "body_not_contains": "error",
        "json": { "/order": 7, "/items/0/id": "a", "/none": { "exists": false } },
        "within": "30s",
        "size": { "min": 10, "max": 100 },
    });
    assert_eq!(run_expecting("expected", &expect).exits(0).count("ok"), 3);
}

#[test]
fn unexpected_responses_fail_with_a_class_of_their_own() {
    for (name, expect, error) in [
        ("x-status", json!({ "status": 201 }), "expectation: status 200"),
        ("x-header", json!({ "header": { "X-Id": "8" } }), "expectation: header"),
        ("x-contains", json!({ "body_contains": "nothing" }), "expectation: body_contains"),
        ("x-not", json!({ "body_not_contains": "order" }), "expectation: body_not_contains"),
        ("x-json", json!({ "json": { "/order": 8 } }), "expectation: json"),
        ("x-within", json!({ "within": "4ms" }), "expectation: within"),
        ("x-size", json!({ "size": { "max": 3 } }), "expectation: size"),
    ] {
        assert_eq!(run_expecting(name, &expect).exits(1).errors(), [(error, 3)], "{name}");
    }
}
