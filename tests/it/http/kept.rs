//! Connections that are kept, and what happens when the server does not keep them.

use crate::process::run;
use crate::server::{OK, Peer, Server};

#[test]
fn a_user_keeps_its_connection() {
    let server = Server::answering(OK);
    let run = run(&server, &["-n", "20", "/"]).exits(0);
    assert_eq!((server.connections(), server.count()), (1, 20));
    assert_eq!((run.count("ok"), run.count("reopened")), (20, 0));
}

#[test]
fn a_connection_that_was_closed_while_idle_is_reopened_for_a_get() {
    let server = Server::start(|mut peer| {
        peer.answer(OK);
    });
    let run = run(&server, &["-n", "5", "/"]).exits(0);
    assert_eq!((run.count("ok"), run.count("failed"), run.count("reopened")), (5, 0, 4));
    assert_eq!((server.connections(), server.count()), (5, 5));
}

#[test]
fn a_connection_that_was_reset_while_idle_is_reopened_for_a_get() {
    let server = Server::start(|mut peer| {
        peer.answer(OK);
        peer.reset();
    });
    let run = run(&server, &["-n", "5", "/"]).exits(0);
    assert_eq!((run.count("ok"), run.count("failed"), run.count("reopened")), (5, 0, 4));
    assert_eq!((server.connections(), server.count()), (5, 5));
}

#[test]
fn every_method_that_may_be_repeated_is_and_no_other() {
    for (method, is_repeated) in [
        ("GET", true),
        ("HEAD", true),
        ("PUT", true),
        ("DELETE", true),
        ("OPTIONS", true),
        ("POST", false),
        ("PATCH", false),
    ] {
        // The first connection takes a second request and closes without a word.
        let server = Server::start(|mut peer| {
            peer.answer("HTTP/1.1 204 No Content\r\n\r\n");
            if peer.number == 0 {
                peer.read();
            } else {
                while peer.answer("HTTP/1.1 204 No Content\r\n\r\n") {}
            }
        });
        let run = run(&server, &["-n", "2", "-X", method, "/"]).exits(i32::from(!is_repeated));
        let expected = if is_repeated { (2, 0, 1) } else { (1, 1, 0) };
        assert_eq!((run.count("ok"), run.count("failed"), run.count("reopened")), expected, "{method}");
        assert_eq!(server.count(), if is_repeated { 3 } else { 2 }, "{method}");
        let early = [("closed_early: closed before the answer was complete", 1)];
        assert_eq!(run.errors(), if is_repeated { &[][..] } else { &early[..] }, "{method}");
    }
}

#[test]
fn a_post_whose_connection_is_reset_is_not_repeated() {
    let server = Server::start(|mut peer| {
        peer.answer(OK);
        peer.read();
        peer.reset();
    });
    let run = run(&server, &["-n", "2", "--data", "x", "/"]).exits(1);
    assert_eq!(run.errors(), [("reset: connection reset", 1)]);
    assert_eq!((server.count(), run.count("reopened")), (2, 0));
}

#[test]
fn nothing_is_repeated_once_a_byte_of_the_answer_came() {
    let server = Server::start(|mut peer| {
        peer.answer(OK);
        peer.answer("H");
    });
    let run = run(&server, &["-n", "2", "/"]).exits(1);
    assert_eq!(run.errors(), [("closed_early: closed before the answer was complete", 1)]);
    assert_eq!((server.count(), run.count("reopened")), (2, 0));
}

#[test]
fn a_new_connection_that_breaks_is_not_repeated() {
    let server = Server::start(|mut peer| {
        peer.read();
    });
    let run = run(&server, &["-n", "3", "/"]).exits(4);
    assert_eq!(run.errors(), [("closed_early: closed before the answer was complete", 3)]);
    assert_eq!((server.count(), run.count("reopened")), (3, 0));
}

#[test]
fn before_a_post_a_connection_idle_for_over_a_second_is_probed() {
    for (what, then) in [("closed", drop as fn(Peer)), ("reset", Peer::reset)] {
        let server = Server::start(move |mut peer| {
            peer.answer(OK);
            then(peer);
        });
        let run = run(&server, &["-n", "2", "--wait", "1100ms", "--data", "x", "/"]).exits(0);
        assert_eq!((run.count("ok"), run.count("reopened")), (2, 1), "{what}");
        assert_eq!((server.connections(), server.count()), (2, 2), "{what}");
    }
}

#[test]
fn a_last_word_that_nobody_asked_for_is_not_taken_for_an_answer() {
    // As Apache httpd says goodbye to an idle connection.
    let server = Server::start(|mut peer| {
        peer.answer(OK);
        peer.say("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        peer.drain();
    });
    let run = run(&server, &["-n", "2", "--wait", "1100ms", "--data", "x", "/"]).exits(0);
    assert_eq!((run.count("ok"), run.count("failed")), (2, 0));
    assert_eq!((server.connections(), server.count()), (2, 2));
}

#[test]
fn bytes_behind_an_answer_are_not_taken_for_the_next_one() {
    let extra = "HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n";
    let server = Server::answering(format!("{OK}{extra}"));
    let run = run(&server, &["-n", "3", "/"]).exits(0);
    assert_eq!((run.count("ok"), run.count("failed")), (3, 0));
    assert_eq!((server.connections(), server.count()), (3, 3));
}

#[test]
fn a_server_that_says_close_is_believed() {
    for answer in [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let server = Server::answering(answer);
        let run = run(&server, &["-n", "3", "/"]).exits(0);
        assert_eq!((run.count("ok"), run.count("reopened")), (3, 0), "{answer}");
        assert_eq!((server.connections(), server.count()), (3, 3), "{answer}");
    }
}

#[test]
fn without_keep_alive_each_request_has_its_own_connection_and_says_so() {
    let server = Server::answering(OK);
    let run = run(&server, &["-n", "7", "--no-keepalive", "/"]).exits(0);
    assert_eq!((run.count("ok"), run.count("reopened")), (7, 0));
    assert_eq!((server.connections(), server.count()), (7, 7));
    assert!(server.requests().iter().all(|seen| seen.field("connection") == Some("close")));
}
