//! What people are told of failures: whole exchanges with `--debug-failures`, and always what was found beside what was
//! wanted.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::server::{OK, Server};
use crate::support::lines::{Line, Stream};
use crate::support::{Finished, Run, Scratch};

fn response(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A server that rejects `/a` in two ways, does not have `/b`, and likes everything else.
fn moody() -> Server {
    Server::start(|mut peer| {
        let mut count = 0;
        while let Some(request) = peer.read() {
            count += 1;
            peer.send(match request.line() {
                "GET /a" if count % 2 == 0 => response("500 No", "out of memory"),
                "GET /a" => response("400 No", "a must be a number"),
                "GET /b" => response("404 No", ""),
                _ => OK.to_owned(),
            });
        }
    })
}

fn run(server: &Server, flags: &[&str]) -> Finished {
    Run::new(["run", "-H", &server.host()]).with(flags.iter().copied()).finish()
}

/// Exchanges of a stream by name and error: the texts, in order.
fn exchanges(stream: &Stream) -> BTreeMap<(String, String), Vec<String>> {
    let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut last = (String::new(), 0);
    for line in stream.of("exchange") {
        let texts = found.entry((line.text("name").to_owned(), line.text("error").to_owned())).or_default();
        let place = (line.text("source_id").to_owned(), line.count("exchange"));
        if line.count("part") == 1 {
            texts.push(String::new());
        } else {
            assert_eq!(place, last, "parts follow one another");
        }
        texts.last_mut().unwrap().push_str(line.text("text"));
        last = place;
    }
    found
}

#[test]
fn so_many_failed_exchanges_of_each_endpoint_and_error_are_in_the_stream() {
    let server = moody();
    let stream = run(&server, &["-n", "60", "--debug-failures", "2", "/a", "/b", "/c"]).exits(1).stream();
    let found = exchanges(&stream);
    let kinds: Vec<_> = found.keys().map(|(name, error)| (name.as_str(), error.as_str())).collect();
    assert_eq!(kinds, [("/a", "http_4xx: 400"), ("/a", "http_5xx: 500"), ("/b", "http_4xx: 404")]);
    assert!(found.values().all(|texts| texts.len() == 2), "{found:?}");
    let text = &found[&("/a".to_owned(), "http_4xx: 400".to_owned())][0];
    for part in
        ["GET /a: http_4xx: 400, ", "  > GET /a HTTP/1.1\n", "  < HTTP/1.1 400 No\n", "  < a must be a number\n"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    let without = run(&server, &["-n", "10", "/a", "/b"]).exits(1);
    assert_eq!(without.stream().of("exchange").len(), 0);
    assert!(!without.stderr.contains("a must be a number"));
}

#[test]
fn there_are_at_most_200_exchanges_of_at_most_4_kib() {
    let long = "y\u{1b}\"".repeat(2000);
    let server = Server::responding(response("404 No", &long));
    let scratch = Scratch::new("debug-many");
    let list: Vec<String> = (0..250).map(|number| format!("/{number}{}", "x".repeat(300))).collect();
    let list = format!("@{}", scratch.write("list", list.join("\n")));
    let stream = run(&server, &["-n", "2000", "--seed", "1", "--debug-failures", "3", &list]).exits(1).stream();
    let texts: Vec<String> = exchanges(&stream).into_values().flatten().collect();
    assert_eq!(texts.len(), 200);
    assert!(texts.iter().all(|text| text.len() <= 4096), "{:?}", texts.iter().map(String::len).max());
    assert!(texts.iter().all(|text| text.contains("NOT  status is 404, not below 400")));
}

#[test]
fn every_report_has_the_exchanges_and_explanations_also_later() {
    let server = Server::responding(response("200 OK", r#"{"price": 37}"#));
    let scratch = Scratch::new("debug-reports");
    let file = |name: &str| scratch.file(name);
    let class = json!({"tasks": [{"requests": [{"get": "/price", "expect": {"json": {"/price": 5}}}]}]});
    let scenario = scratch.write("scenario.json", json!({ "user_classes": [class] }).to_string());
    let flags = ["-f", &scenario, "-n", "5", "--debug-failures", "1", "--telemetry", &file("s.ndjson")];
    let outputs = |run: Run, round: &str| {
        run.with(["--html", &file(&format!("{round}.html")), "--json-file", &file(&format!("{round}.json"))])
            .with(["--junit", &file(&format!("{round}.xml"))])
            .finish()
    };
    let at_end = outputs(Run::new(["run", "-H", &server.host()]).with(flags), "end").exits(1);
    let later = outputs(Run::new(["report", &file("s.ndjson")]), "later").exits(0);
    let read = |name: &str| std::fs::read_to_string(file(name)).unwrap();
    for text in [&at_end.stderr, later.text()] {
        assert!(
            text.contains("  < {\n  <   \"price\": 37\n  < }\n") && text.contains("NOT  /price is 37, not 5\n"),
            "{text}"
        );
        let report = &text[text.find("Error report").unwrap()..];
        assert!(
            report.contains("GET /price: expectation: json\n") && report.contains("/price is 37, not 5\n"),
            "{report}"
        );
    }
    for name in ["html", "json", "xml"] {
        assert_eq!(read(&format!("end.{name}")), read(&format!("later.{name}")));
        assert!(read(&format!("end.{name}")).contains("/price is 37, not 5"), "{name}");
    }
    assert!(read("end.html").contains("<details><summary>GET /price: expectation: json"));
    let summary: Value = serde_json::from_str(&read("end.json")).unwrap();
    assert_eq!(summary["errors"][0]["error"], "expectation: json", "outcomes have no texts");
    assert_eq!(summary["errors"][0]["explanation"], "/price is 37, not 5");
    assert!(summary["failed_exchanges"][0]["text"].as_str().unwrap().contains("> GET /price HTTP/1.1"));
}

#[test]
fn an_explanation_comes_once_a_tick_for_each_endpoint_and_kind() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            peer.send(if request.line() == "GET /id" {
                response("200 OK", "{\"a\":1}")
            } else {
                response("200 OK", "no")
            });
        }
    });
    let scratch = Scratch::new("debug-ticks");
    let class = json!({"tasks": [
        {"requests": [{"get": "/text", "expect": {"body_contains": "yes"}}]},
        {"requests": [{"get": "/id", "extract": {"id": {"json": "/id"}}}]},
    ]});
    let file = scratch.write("scenario.json", json!({ "user_classes": [class] }).to_string());
    let flags = ["-f", &file, "-u", "4", "-r", "100", "-t", "1s", "--interval", "200ms"];
    let stream = run(&server, &flags).exits(1).stream();
    let explained = stream.of("warning");
    let explained: Vec<&&Line> = explained.iter().filter(|line| line.text("kind") == "not_as_expected").collect();
    let mut told: Vec<_> = explained.iter().map(|line| (line.text("name"), line.text("detail"))).collect();
    // The last line may be of a part of a tick; a slow machine needs longer to stop, and may skip lines of ticks.
    let ticks = stream.of("stats current").last().unwrap().count("tick") + 1;
    assert!(told.len() as u64 <= 2 * ticks, "in {ticks} ticks {told:?}");
    told.sort_unstable();
    told.dedup();
    let text = "the body does not contain \"yes\"";
    assert_eq!(told, [("/id", "no ${id}: no /id: the response has a"), ("/text", text)]);
    let errors: Vec<_> = explained.iter().map(|line| line.text("error")).collect();
    assert!(errors.iter().all(|error| ["expectation: body_contains", "extract: no such JSON value"].contains(error)));
}

#[test]
fn users_that_never_got_ready_are_told_with_what_failed() {
    let server = Server::responding(response("403 No", ""));
    let scratch = Scratch::new("not-ready");
    let class = json!({"on_start": [{"post": "/login"}], "tasks": [{"requests": [{"get": "/"}]}]});
    let file = scratch.write("scenario.json", json!({ "user_classes": [class] }).to_string());
    let run = run(&server, &["-f", &file, "-u", "2", "-r", "100", "-t", "1500ms"]).exits(1);
    let told = format!("0 of 2 users got ready: POST /login failed {} times", server.count());
    assert!(run.stderr.contains(&format!("swarmline: warning: {told}\n")), "{told} in {}", run.stderr);
    let stream = run.stream();
    let warnings = stream.of("warning");
    assert_eq!(warnings.iter().map(|line| line.text("detail")).collect::<Vec<_>>(), [told]);
}

#[test]
fn merge_passes_on_as_many_exchanges_as_one_host_would_show() {
    let server = moody();
    let scratch = Scratch::new("debug-merge");
    let shard = |index: u32| {
        let name = scratch.file(&format!("{index}.ndjson"));
        let of = format!("{index}/2");
        let flags = ["-n", "40", "--debug-failures", "3", "--run-id", "r1", "--shard", &of, "--telemetry", &name];
        run(&server, &[&flags[..], &["-u", "2", "/a", "/b"]].concat());
        name
    };
    let files = [shard(0), shard(1)];
    let each: Vec<usize> = files
        .iter()
        .map(|file| exchanges(&Stream::parse(&std::fs::read(file).unwrap())).values().map(Vec::len).sum())
        .collect();
    assert_eq!(each, [9, 9]);
    let merged = Run::new(["merge"]).with(files.iter().map(String::as_str)).finish();
    let found = exchanges(&merged.stream());
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.values().all(|texts| texts.len() == 3), "{found:?}");
    assert!(merged.stderr.contains("  < a must be a number\n"), "{}", merged.stderr);
}
