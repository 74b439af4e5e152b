//! The live page: what it answers to whom, byte by byte, and what it does at the end. Chromium looks at it in tests/e2e.

mod client;
mod flags;
mod watch;

use std::net::TcpListener;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Run, Running, Scratch, host, target};
use client::{Client, get, page_url, signal};
use swarmline::server::Server;

/// A run with a page that goes on until it is stopped, and the page's `HOST:PORT`.
fn live(target: &Server, scratch: &Scratch, more: &[&str]) -> (Running, String) {
    let (stream, host) = (scratch.file("s.ndjson"), host(target));
    let fixed =
        ["run", "-H", &host, "--wait", "10ms", "--interval", "100ms", "--web-port", "0", "--telemetry", &stream];
    let mut running = Run::in_shell("exec 2>&1", fixed).with(more.iter().copied()).with(["/ok"]).start();
    let page = page_url(&mut running);
    (running, page)
}

/// Waits for the end of the run, whose exit code is the one that its stream says: on a starved machine, 4.
fn finish(running: Running, scratch: &Scratch) -> Value {
    let done = running.finish();
    let stream = std::fs::read_to_string(scratch.file("s.ndjson")).unwrap();
    let end: Value = serde_json::from_str(stream.lines().last().unwrap()).unwrap();
    assert_eq!(end["telemetry"]["exit_code"], done.code, "{}", done.stderr);
    end["telemetry"].clone()
}

/// Requests, and the status that each gets. `$` is the page's host.
const ANSWERED: [(&str, u16); 21] = [
    ("GET / HTTP/1.1\r\nHost: $\r\n\r\n", 200),
    ("GET / HTTP/1.1\r\nHost: localhost:1\r\n\r\n", 200),
    ("GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", 200),
    ("GET /metrics HTTP/1.0\r\nHost: $\r\n\r\n", 200),
    ("GET /data?base=x HTTP/1.1\r\nHost: $\r\n\r\n", 200),
    ("GET /data?base=-1&endpoint=99999999999999999999&reader=x HTTP/1.1\r\nHost: $\r\n\r\n", 200),
    ("GET /data?endpoint=18446744073709551615 HTTP/1.1\r\nHost: $\r\n\r\n", 200),
    ("GET /favicon.ico HTTP/1.1\r\nHost: $\r\n\r\n", 404),
    ("GET /../etc/passwd HTTP/1.1\r\nHost: $\r\n\r\n", 404),
    ("POST / HTTP/1.1\r\nHost: $\r\nContent-Length: 2\r\n\r\nhi", 405),
    ("GET /stop HTTP/1.1\r\nHost: $\r\n\r\n", 405),
    ("OPTIONS /stop HTTP/1.1\r\nHost: $\r\nOrigin: http://$\r\n\r\n", 405),
    ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    ("GET /data HTTP/1.1\r\nHost: evil.example:8089\r\n\r\n", 421),
    ("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n", 421),
    ("POST /stop HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    ("GET / HTTP/1.0\r\n\r\n", 421),
    ("GET / HTTP/1.1\r\n\r\n", 400),
    ("\u{16}\u{3}\u{1}\u{0}garbage\r\n\r\n", 400),
    ("POST /stop HTTP/1.1\r\nHost: $\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
    ("POST /stop HTTP/1.1\r\nHost: $\r\nContent-Length: 9000\r\n\r\n", 413),
];

#[test]
fn every_request_gets_the_status_that_is_right_for_it_and_the_run_goes_on() {
    let (target, scratch) = (target(), Scratch::new("live-answered"));
    let (running, page) = live(&target, &scratch, &[]);
    for (request, status) in ANSWERED {
        let answer = Client::connect(&page).ask(&request.replace('$', &page));
        assert_eq!(answer.status, status, "{request:?}: {}", answer.head);
    }
    for length in [8 * 1024, 1 << 20] {
        let long = format!("GET / HTTP/1.1\r\nHost: {page}\r\nX: {}", "x".repeat(length));
        assert_eq!(Client::connect(&page).ask(&long).status, 431);
    }
    let head =
        Client::connect(&page).ask_head(&format!("HEAD / HTTP/1.1\r\nHost: {page}\r\nConnection: close\r\n\r\n"));
    for field in [
        "Content-Security-Policy: default-src 'none'; ",
        "frame-ancestors 'none'",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
    ] {
        assert!(head.contains(field), "{head}");
    }
    assert!(!head.contains("Access-Control"), "{head}");
    let mut client = Client::connect(&page);
    let twice = format!("GET /metrics HTTP/1.1\r\nHost: {page}\r\n\r\n").repeat(2);
    assert_eq!([client.ask(&twice).status, client.answer().status], [200, 200], "two in one segment");
    signal(&running, Signal::INT);
    finish(running, &scratch);
}

#[test]
fn only_the_button_of_the_page_itself_stops_the_run() {
    let (target, scratch) = (target(), Scratch::new("live-stop"));
    let (running, page) = live(&target, &scratch, &[]);
    let shown = get(&page, "/").body;
    let token = shown.split("data-token=\"").nth(1).unwrap().split('"').next().unwrap();
    let wrong = token.replace(|c: char| c.is_ascii_digit(), "a");
    let stop = |origin: &str, token: &str| {
        let field = |name, value: &str| if value.is_empty() { String::new() } else { format!("{name}: {value}\r\n") };
        let fields = field("Origin", origin) + &field("X-Swarmline-Token", token);
        Client::connect(&page).ask(&format!("POST /stop HTTP/1.1\r\nHost: {page}\r\n{fields}\r\n")).status
    };
    let own = format!("http://{page}");
    for (origin, token) in
        [("", ""), ("", token), (&own, ""), (&own, &wrong), ("http://evil.example", token), ("null", token)]
    {
        assert_eq!(stop(origin, token), 403, "{origin} {token}");
    }
    assert_eq!(stop(&own, token), 202);
    finish(running, &scratch);
    let stream = std::fs::read_to_string(scratch.file("s.ndjson")).unwrap();
    assert!(stream.contains("\"reason\":\"signal\""), "as a first Ctrl-C");
}

#[test]
fn a_page_gets_what_it_does_not_have_and_at_last_the_end() {
    let (target, scratch) = (target(), Scratch::new("live-data"));
    let (running, page) = live(&target, &scratch, &["-t", "1s", "--check", "requests > 0"]);
    let mut version = "x".to_owned();
    let mut points = 0;
    let is_passed = loop {
        let answer = get(&page, &format!("/data?reader=7&base={version}"));
        if answer.status == 204 {
            continue;
        }
        let update: Value = serde_json::from_str(&answer.body).unwrap();
        let (keep, course) = (update["data"]["keep"].as_u64().unwrap(), &update["data"]["course"]);
        assert!(keep <= points, "{keep} of {points} are kept");
        points = keep + course["ok"].as_array().unwrap().len() as u64;
        version = update["version"].as_str().unwrap().to_owned();
        if update["is_over"] == true {
            break update["header"].as_str().unwrap().contains("passed");
        }
    };
    assert_eq!(finish(running, &scratch)["verdict"] == "pass", is_passed);
    let stream = std::fs::read_to_string(scratch.file("s.ndjson")).unwrap();
    let ticks = stream.lines().filter(|line| line.contains("\"swarmline.metric.health\"")).count() as u64;
    assert_eq!(points, ticks - 1, "one point a tick, but for the first, which has no length");
}

/// Requests whose responses the buffers of the sockets do not hold.
const MANY: usize = 200;

#[test]
fn the_65th_reader_is_refused_and_those_that_do_nothing_are_dropped() {
    let (target, scratch) = (target(), Scratch::new("live-readers"));
    let (running, page) = live(&target, &scratch, &[]);
    let ok = format!("GET /metrics HTTP/1.1\r\nHost: {page}\r\n\r\n");
    let mut readers: Vec<Client> = (0..64).map(|_| Client::connect(&page)).collect();
    assert!(readers.iter_mut().all(|reader| reader.ask(&ok).status == 200));
    assert_eq!(Client::connect(&page).answer().status, 503);
    // One takes nothing of what it asks for, one stops within a request, the others ask for nothing more.
    readers[0].take_little();
    readers[0].send(&format!("GET /data?base=x HTTP/1.1\r\nHost: {page}\r\n\r\n").repeat(MANY));
    readers[1].send("GET / HTTP/1.1\r\nHo");
    for reader in &readers {
        reader.await_end();
    }
    assert_eq!(Client::connect(&page).ask(&ok).status, 200, "there is room again");
    signal(&running, Signal::INT);
    finish(running, &scratch);
}

#[test]
fn a_port_in_use_is_refused_before_anything_is_sent() {
    let target = target();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = || Run::new(["run", "-H", &host(&target), "-n", "1", "/ok"]);
    let told = run().with(["--web-port", &port]).finish().exits(2);
    assert!(told.stderr.starts_with(&format!("swarmline: --web-port {port}: ")), "{}", told.stderr);
    assert_eq!(target.requests(), 0);
}

#[test]
fn after_the_end_the_page_lingers_until_a_signal_and_the_exit_code_stays() {
    let (target, scratch) = (target(), Scratch::new("live-linger"));
    let (mut running, page) = live(&target, &scratch, &["-n", "3", "--web-linger", "1h", "--check", "requests > 3"]);
    running.await_output(|text| text.contains("the live page stays for 3600 s"));
    let shown = get(&page, "/").body;
    assert!(
        shown.contains("a check was not met") && !shown.contains("id=\"stop\""),
        "the report, without a stop button"
    );
    signal(&running, Signal::TERM);
    assert_eq!(finish(running, &scratch)["checks_missed"], 1);
}
