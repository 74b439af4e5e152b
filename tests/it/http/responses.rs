//! Responses of every framing, complete and broken.

use std::time::Duration;

use crate::process::{Finished, run, run_alone};
use crate::server::{CA_FILE, OK, Peer, Server};
use crate::support::Scratch;

/// Three requests to a server that always sends this response.
fn thrice(response: impl Into<String>) -> (Server, Finished) {
    let server = Server::responding(response);
    let run = run(&server, &["-n", "3", "/"]);
    (server, run)
}

/// Asserts that three requests fail with this error, and that the run ends cleanly.
fn fails_thrice(response: impl Into<String>, error: &str) {
    let (server, run) = thrice(response);
    // A run without a single response is not valid; one with error responses only is.
    let run = run.exits(if error.starts_with("http_") { 1 } else { 4 });
    assert_eq!(run.errors(), [(error, 3)]);
    assert_eq!((run.count("failed"), server.count()), (3, 3), "{error}");
}

/// Like [`fails_thrice`], with a server that closes the connection after the response.
fn closing_fails_thrice(response: &'static str, error: &str) {
    let server = Server::start(move |mut peer| {
        peer.respond(response);
    });
    let run = run(&server, &["-n", "3", "/"]).exits(4);
    assert_eq!(run.errors(), [(error, 3)], "{response}");
    assert_eq!(server.count(), 3);
}

#[test]
fn interim_responses_are_skipped() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
    let (server, run) = thrice(format!("{interim}{OK}"));
    let run = run.exits(0);
    assert_eq!((run.count("ok"), server.connections()), (3, 1));
    assert!((run.statistic("avg_content_length") - 2.0).abs() < 1e-9);
}

#[test]
fn an_unrequested_upgrade_is_a_protocol_error() {
    fails_thrice("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "protocol: upgrade not asked for");
}

#[test]
fn responses_without_a_body_leave_the_connection_usable() {
    for (method, response) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 1000\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"),
    ] {
        let server = Server::responding(response);
        let run = run(&server, &["-n", "3", "-X", method, "/"]).exits(0);
        assert_eq!((run.count("ok"), server.connections()), (3, 1), "{method} {response}");
        assert!(run.statistic("avg_content_length").abs() < 1e-9, "{method} {response}");
    }
}

#[test]
fn chunks_are_counted_without_their_framing() {
    let chunks = "5;name=\"a;b\"\r\nhello\r\n00b\r\nhello world\r\n0;last\r\nTrailer: x\r\nAnother: y\r\n\r\n";
    let (server, run) = thrice(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"));
    let run = run.exits(0);
    assert_eq!((run.count("ok"), server.connections()), (3, 1));
    assert!((run.statistic("avg_content_length") - 16.0).abs() < 1e-9);
}

#[test]
fn a_body_that_ends_with_the_connection_is_complete() {
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n"] {
        let server = Server::start(move |mut peer| {
            peer.respond(format!("{head}{}", "x".repeat(100_000)));
        });
        let run = run(&server, &["-n", "3", "/"]).exits(0);
        assert_eq!((run.count("ok"), run.count("reopened"), server.connections()), (3, 0, 3));
        assert!((run.statistic("avg_content_length") - 100_000.0).abs() < 1e-9);
    }
}

#[test]
fn the_average_length_is_exact_over_responses_of_several_lengths() {
    let server = Server::start(|mut peer| {
        for length in [0, 10, 1_000_000, 5] {
            peer.respond(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length)));
        }
    });
    let run = run(&server, &["-n", "4", "/"]).exits(0);
    assert!((run.statistic("avg_content_length") - 1_000_015.0 / 4.0).abs() < 1e-3);
}

#[test]
fn broken_framing_is_a_failure_with_a_name() {
    for (fields, error) in [
        ("Content-Length: 2\r\nContent-Length: 3", "protocol: conflicting content-length"),
        ("Content-Length: 2, 3", "protocol: conflicting content-length"),
        ("Content-Length: -2", "protocol: bad content-length"),
        ("Content-Length: 2\r\nTransfer-Encoding: chunked", "protocol: content-length beside transfer-encoding"),
        ("Transfer-Encoding: chunked, gzip", "protocol: chunked is not the last coding"),
        ("No colon in this line", "protocol: bad header field"),
    ] {
        fails_thrice(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\nok"), error);
    }
    fails_thrice("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "protocol: bad chunk size");
    fails_thrice("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n", "protocol: no CRLF after chunk");
}

#[test]
fn garbage_is_a_failure_at_once() {
    fails_thrice("SSH-2.0-OpenSSH_9.6\r\n", "protocol: not HTTP/1.0 or HTTP/1.1");
    fails_thrice("HTTP/2 200\r\n\r\n", "protocol: not HTTP/1.0 or HTTP/1.1");
    fails_thrice("\u{0}\u{1}\u{2}\u{3}", "protocol: not HTTP/1.0 or HTTP/1.1");
    fails_thrice("HTTP/1.1 2x0 OK\r\n\r\n", "protocol: bad status line");
}

#[test]
fn a_head_of_60_kib_is_read_and_one_of_70_is_not() {
    let head =
        |kib: usize| format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\nContent-Length: 2\r\n\r\nok", "x".repeat(kib * 1024));
    let (server, run) = thrice(head(60));
    assert_eq!((run.exits(0).count("ok"), server.connections()), (3, 1));
    fails_thrice(head(70), "protocol: head over 64 KiB");
    let many = |fields: usize| format!("HTTP/1.1 200 OK\r\n{}Content-Length: 2\r\n\r\nok", "A: b\r\n".repeat(fields));
    let (server, run) = thrice(many(10_000));
    assert_eq!((run.exits(0).count("ok"), server.connections()), (3, 1));
    fails_thrice(many(12_000), "protocol: head over 64 KiB");
}

#[test]
fn a_response_that_is_cut_off_is_closed_early() {
    let error = "closed_early: closed before the answer was complete";
    for response in [
        "",
        "HTTP",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n",
    ] {
        closing_fails_thrice(response, error);
    }
}

#[test]
fn a_reset_within_a_response_is_reported_as_a_reset() {
    for response in
        ["", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour", "HTTP/1.1 200 OK\r\n\r\nfour"]
    {
        let server = Server::start(move |mut peer| {
            peer.respond(response);
            peer.reset();
        });
        let run = run(&server, &["-n", "3", "/"]).exits(4);
        assert_eq!(run.errors(), [("reset: connection reset", 3)], "{response}");
    }
}

#[test]
fn statuses_from_400_on_fail_and_expect_status_replaces_the_rule() {
    for (status, error) in [(404, "http_4xx: 404"), (503, "http_5xx: 503")] {
        let response = format!("HTTP/1.1 {status} No\r\nContent-Length: 2\r\n\r\nno");
        fails_thrice(response.clone(), error);
        let server = Server::responding(response);
        let expected = status.to_string();
        run(&server, &["-n", "3", "--expect-status", &expected, "/"]).exits(0);
    }
    let server = Server::responding(OK);
    let run = run(&server, &["-n", "3", "--expect-status", "404", "/"]).exits(1);
    assert_eq!(run.errors(), [("expectation: status 200", 3)]);
}

#[test]
fn a_response_sent_before_the_entire_body_was_read_counts() {
    let server = Server::start(|mut peer| {
        peer.read_head();
        peer.send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        peer.finish_sending();
        peer.drain();
    });
    // More than the sockets' buffers hold.
    let body = "x".repeat(100_000);
    let run = run(&server, &["-n", "3", "--data", &body, "/"]).exits(1);
    assert_eq!(run.errors(), [("http_4xx: 413", 3)]);
    assert_eq!(server.count(), 3);
}

#[test]
fn a_response_received_before_a_reset_counts() {
    // As a server does that closes while the rest of a body is unread.
    let server = Server::start(|mut peer| {
        peer.read_head();
        peer.send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        peer.reset();
    });
    let body = "x".repeat(100_000);
    let run = run(&server, &["-n", "20", "--data", &body, "/"]).exits(1);
    assert_eq!(run.errors(), [("http_4xx: 413", 20)]);
}

/// Responds as soon as it has the head of a request, and reads nothing more while the client is connected.
fn responds_early(status: &'static str) -> impl Fn(Peer) + Send + Sync + 'static {
    move |mut peer| {
        peer.read_head();
        peer.send(format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno"));
        // Neither reads nor closes until the client closes.
        while peer.pause(Duration::from_secs(60)) {}
    }
}

/// A body that exceeds the buffers of two sockets.
fn large_body(name: &str) -> (Scratch, String) {
    let scratch = Scratch::new(name);
    let body = scratch.write("body", "x".repeat(32 << 20));
    (scratch, format!("@{body}"))
}

#[test]
fn an_early_response_counts_although_the_server_stops_reading() {
    let (_scratch, body) = large_body("early-answer");
    for (status, error) in [("413 Content Too Large", "http_4xx: 413"), ("401 Unauthorized", "http_4xx: 401")] {
        let server = Server::start(responds_early(status));
        let run = run(&server, &["-n", "3", "--timeout", "30s", "--data", &body, "/"]).exits(1);
        assert_eq!(run.errors(), [(error, 3)]);
        // The server would take the rest of a body for the next request.
        assert_eq!((server.count(), server.connections(), run.count("reopened")), (3, 3, 0));
        assert!(run.statistic("max_response_time") < 10_000.0, "not only at the timeout");
    }
    let server = Server::start(|peer| responds_early("413 Content Too Large")(peer.accept_tls()));
    let url = format!("https://{}/", server.addr());
    let run = run_alone(&["--cacert", CA_FILE, "-n", "2", "--data", &body, &url]).exits(1);
    assert_eq!(run.errors(), [("http_4xx: 413", 2)], "over TLS");
    assert!(run.statistic("max_response_time") < 10_000.0, "over TLS");
}

#[test]
fn a_response_that_begins_early_is_read_while_the_rest_of_the_body_is_sent() {
    let (_scratch, body) = large_body("duplex-answer");
    let responds = |mut peer: Peer| {
        while peer.read_head().is_some() {
            // First sends more than the client's buffers hold, then reads the rest of the body.
            peer.send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n");
            peer.send("y".repeat(16 << 20));
            peer.read_body(32 << 20);
        }
    };
    let server = Server::start(responds);
    let run = run(&server, &["-n", "3", "--data", &body, "/"]).exits(0);
    assert_eq!((run.count("ok"), server.count()), (3, 3));
    assert!((run.statistic("avg_content_length") - f64::from(16 << 20)).abs() < 1e-3);
    let server = Server::start(move |peer| responds(peer.accept_tls()));
    let url = format!("https://{}/", server.addr());
    let run = run_alone(&["--cacert", CA_FILE, "-n", "2", "--data", &body, &url]).exits(0);
    assert_eq!((run.count("ok"), server.count()), (2, 2), "over TLS");
}

#[test]
fn a_server_that_neither_reads_nor_responds_is_a_timeout() {
    let (_scratch, body) = large_body("deaf-answer");
    let server = Server::start(|mut peer| {
        peer.read_head();
        while peer.pause(Duration::from_secs(60)) {}
    });
    let run = run(&server, &["-n", "1", "--timeout", "300ms", "--data", &body, "/"]).exits(4);
    assert_eq!(run.errors(), [("timeout: request not sent within 0.3s", 1)]);
}

#[test]
fn folded_headers_and_spaces_before_a_colon_are_read_as_the_rfc_requires() {
    let folded = "HTTP/1.1 200 OK\r\nX-Long: one\r\n two\r\n\t three\r\nContent-Length :\r\n 2\r\n\r\nok";
    let (server, run) = thrice(folded);
    let run = run.exits(0);
    assert_eq!((run.count("ok"), server.connections()), (3, 1));
    assert!((run.statistic("avg_content_length") - 2.0).abs() < 1e-9);
    // Folded onto the status line: not a field (RFC 9112 section 2.2).
    fails_thrice("HTTP/1.1 200 OK\r\n folded: 1\r\nContent-Length: 2\r\n\r\nok", "protocol: bad header field");
    fails_thrice("HTTP/1.1 200 OK\r\nno colon\r\n : 1\r\nContent-Length: 2\r\n\r\nok", "protocol: bad header field");
    let moved =
        "HTTP/1.1 302 Found\r\nLocation:\r\n  /there\r\nSet-Cookie : a=1;\r\n\tPath=/\r\nContent-Length: 0\r\n\r\n";
    let server = Server::start(move |mut peer| {
        while let Some(request) = peer.read() {
            peer.send(if request.line() == "GET /" { moved } else { OK });
        }
    });
    run_alone(&["-n", "1", "--host", &server.host(), "/"]).exits(0);
    assert_eq!(server.request_lines(), ["GET /", "GET /there"]);
    assert_eq!(server.requests()[1].header("cookie"), Some("a=1"));
}
