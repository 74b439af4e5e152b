//! `--traceparent`: which requests carry the field, and with which ids.

use std::collections::BTreeSet;

use crate::process::run;
use crate::server::{OK, Request, Server};

fn traces(server: &Server) -> Vec<Option<String>> {
    server.requests().iter().map(|request| request.header("traceparent").map(str::to_owned)).collect()
}

/// The trace id of a field value, which must have the form that W3C Trace Context gives.
fn trace_id(value: &str) -> String {
    let parts: Vec<&str> = value.split('-').collect();
    let [version, trace, span, flags] = parts[..] else { panic!("{value}") };
    assert_eq!((version, flags), ("00", "01"), "{value}");
    for (id, digits) in [(trace, 32), (span, 16)] {
        let is_hex = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        assert!(id.len() == digits && is_hex && id.bytes().any(|byte| byte != b'0'), "{value}");
    }
    trace.to_owned()
}

#[test]
fn the_share_asked_for_carries_a_trace_of_its_own_and_the_others_none() {
    let server = Server::responding(OK);
    run(&server, &["-n", "4000", "-u", "4", "-r", "1000", "--traceparent", "5%", "--seed", "3", "/"]).exits(0);
    let with: Vec<String> = traces(&server).into_iter().flatten().collect();
    // Within 4 sigma of 5 % of 4,000: sigma = sqrt(4000 * 0.05 * 0.95) = 13.8.
    assert!(with.len().abs_diff(200) <= 55, "{}", with.len());
    let ids: BTreeSet<String> = with.iter().map(|value| trace_id(value)).collect();
    assert_eq!(ids.len(), with.len(), "no id comes twice");
}

#[test]
fn which_requests_carry_it_follows_from_the_seed() {
    let positions = |seed: &str| {
        let server = Server::responding(OK);
        run(&server, &["-n", "200", "--traceparent", "0.2", "--seed", seed, "/"]).exits(0);
        traces(&server).iter().map(Option::is_some).collect::<Vec<bool>>()
    };
    let first = positions("7");
    assert_eq!(first, positions("7"));
    assert_ne!(first, positions("8"));
}

#[test]
fn without_the_flag_no_request_carries_it() {
    let server = Server::responding(OK);
    run(&server, &["-n", "20", "/"]).exits(0);
    assert!(traces(&server).iter().all(Option::is_none));
}

#[test]
fn a_header_of_ones_own_is_left_alone() {
    let own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let server = Server::responding(OK);
    let header = format!("TraceParent: {own}");
    run(&server, &["-n", "5", "--traceparent", "1", "--header", &header, "/"]).exits(0);
    for request in server.requests() {
        assert_eq!(request.head.to_ascii_lowercase().matches("traceparent").count(), 1, "{}", request.head);
        assert_eq!(request.header("traceparent"), Some(own));
    }
}

#[test]
fn every_hop_of_a_redirect_and_a_reopened_connection_carry_the_same_trace() {
    let server = Server::start(|mut peer| {
        let number = peer.number;
        while let Some(request) = peer.read() {
            match (request.line(), number) {
                ("GET /first", _) => peer.send("HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n"),
                // The server closes the kept connection in place of a response.
                ("GET /next", 0) => return,
                _ => peer.send(OK),
            }
        }
    });
    let run = run(&server, &["-n", "1", "--traceparent", "1", "/first"]).exits(0);
    assert_eq!((run.count("redirects"), run.count("reopened")), (1, 1));
    assert_eq!(server.request_lines(), ["GET /first", "GET /next", "GET /next"]);
    let ids: BTreeSet<String> = traces(&server).into_iter().map(|value| trace_id(&value.unwrap())).collect();
    assert_eq!(ids.len(), 1);
}

#[test]
fn a_traced_request_has_its_cookies_and_its_body_too() {
    let server = Server::start(|mut peer| {
        peer.respond(OK.replace("\r\n\r\n", "\r\nSet-Cookie: a=1\r\n\r\n"));
        while peer.respond(OK) {}
    });
    run(&server, &["-n", "3", "--traceparent", "1", "--data", "body", "/"]).exits(0);
    let seen = |request: &Request| (request.header("cookie").map(str::to_owned), request.body.clone());
    let seen: Vec<_> = server.requests().iter().map(seen).collect();
    let body = b"body".to_vec();
    assert_eq!(seen, [(None, body.clone()), (Some("a=1".to_owned()), body.clone()), (Some("a=1".to_owned()), body)]);
    assert!(traces(&server).into_iter().all(|value| !trace_id(&value.unwrap()).is_empty()));
}

#[test]
fn shards_of_one_run_have_different_ids() {
    let server = Server::responding(OK);
    for shard in ["0/2", "1/2"] {
        let shard =
            ["--shard", shard, "--run-id", "one", "-n", "100", "-u", "2", "-r", "1000", "--traceparent", "1", "/"];
        run(&server, &shard).exits(0);
    }
    let ids: BTreeSet<String> = traces(&server).into_iter().map(|value| trace_id(&value.unwrap())).collect();
    assert_eq!(ids.len(), 100);
}
