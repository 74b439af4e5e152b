//! Answers of every framing, whole and broken.

use crate::process::{Finished, run};
use crate::server::{OK, Server};

/// Three requests to a server that always answers so.
fn thrice(answer: impl Into<String>) -> (Server, Finished) {
    let server = Server::answering(answer);
    let run = run(&server, &["-n", "3", "/"]);
    (server, run)
}

/// All three failed with this error, and the run ended in order.
fn fails_thrice(answer: impl Into<String>, error: &str) {
    let (server, run) = thrice(answer);
    // A run without a single answer is not valid; one in which all answers are errors is.
    let run = run.exits(if error.starts_with("http_") { 1 } else { 4 });
    assert_eq!(run.errors(), [(error, 3)]);
    assert_eq!((run.count("failed"), server.count()), (3, 3), "{error}");
}

/// As [`fails_thrice`], for a server that closes behind what it says.
fn closing_fails_thrice(answer: &'static str, error: &str) {
    let server = Server::start(move |mut peer| {
        peer.answer(answer);
    });
    let run = run(&server, &["-n", "3", "/"]).exits(4);
    assert_eq!(run.errors(), [(error, 3)], "{answer}");
    assert_eq!(server.count(), 3);
}

#[test]
fn interim_answers_are_skipped() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
    let (server, run) = thrice(format!("{interim}{OK}"));
    let run = run.exits(0);
    assert_eq!((run.count("ok"), server.connections()), (3, 1));
    assert!((run.statistic("avg_content_length") - 2.0).abs() < 1e-9);
}

#[test]
fn an_upgrade_that_nobody_asked_for_is_broken() {
    fails_thrice("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "protocol: upgrade not asked for");
}

#[test]
fn answers_without_a_body_leave_the_connection_usable() {
    for (method, answer) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 1000\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"),
    ] {
        let server = Server::answering(answer);
        let run = run(&server, &["-n", "3", "-X", method, "/"]).exits(0);
        assert_eq!((run.count("ok"), server.connections()), (3, 1), "{method} {answer}");
        assert!(run.statistic("avg_content_length").abs() < 1e-9, "{method} {answer}");
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
fn a_body_that_ends_with_the_connection_is_whole() {
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n"] {
        let server = Server::start(move |mut peer| {
            peer.answer(format!("{head}{}", "x".repeat(100_000)));
        });
        let run = run(&server, &["-n", "3", "/"]).exits(0);
        assert_eq!((run.count("ok"), run.count("reopened"), server.connections()), (3, 0, 3));
        assert!((run.statistic("avg_content_length") - 100_000.0).abs() < 1e-9);
    }
}

#[test]
fn the_average_length_is_exact_over_answers_of_several_lengths() {
    let server = Server::start(|mut peer| {
        for length in [0, 10, 1_000_000, 5] {
            peer.answer(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length)));
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
fn an_answer_that_is_cut_off_is_closed_early() {
    let error = "closed_early: closed before the answer was complete";
    for answer in [
        "",
        "HTTP",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n",
    ] {
        closing_fails_thrice(answer, error);
    }
}

#[test]
fn a_reset_within_an_answer_is_a_reset() {
    for answer in
        ["", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour", "HTTP/1.1 200 OK\r\n\r\nfour"]
    {
        let server = Server::start(move |mut peer| {
            peer.answer(answer);
            peer.reset();
        });
        let run = run(&server, &["-n", "3", "/"]).exits(4);
        assert_eq!(run.errors(), [("reset: connection reset", 3)], "{answer}");
    }
}

#[test]
fn statuses_from_400_on_fail_and_expect_status_replaces_the_rule() {
    for (status, error) in [(404, "http_4xx: 404"), (503, "http_5xx: 503")] {
        let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 2\r\n\r\nno");
        fails_thrice(answer.clone(), error);
        let server = Server::answering(answer);
        let expected = status.to_string();
        run(&server, &["-n", "3", "--expect-status", &expected, "/"]).exits(0);
    }
    let server = Server::answering(OK);
    let run = run(&server, &["-n", "3", "--expect-status", "404", "/"]).exits(1);
    assert_eq!(run.errors(), [("expectation: status 200", 3)]);
}

#[test]
fn an_answer_before_the_whole_body_was_read_counts() {
    let server = Server::start(|mut peer| {
        peer.read_head();
        peer.say("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
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
fn an_answer_that_came_before_a_reset_counts() {
    // As servers do that close with the rest of a body unread.
    let server = Server::start(|mut peer| {
        peer.read_head();
        peer.say("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        peer.reset();
    });
    let body = "x".repeat(100_000);
    let run = run(&server, &["-n", "20", "--data", &body, "/"]).exits(1);
    assert_eq!(run.errors(), [("http_4xx: 413", 20)]);
}
