//! Keep-alive, and what happens when the server closes a connection.

use crate::process::{run, run_alone};
use crate::server::{CA_FILE, OK, Peer, Server};
use crate::support::Scratch;

#[test]
fn a_user_keeps_its_connection() {
    let server = Server::responding(OK);
    let run = run(&server, &["-n", "20", "/"]).exits(0);
    assert_eq!((server.connections(), server.count()), (1, 20));
    assert_eq!((run.count("ok"), run.count("reopened")), (20, 0));
}

#[test]
fn a_connection_that_was_closed_while_idle_is_reopened_for_a_get() {
    let server = Server::start(|mut peer| {
        peer.respond(OK);
    });
    let run = run(&server, &["-n", "5", "/"]).exits(0);
    assert_eq!((run.count("ok"), run.count("failed"), run.count("reopened")), (5, 0, 4));
    assert_eq!((server.connections(), server.count()), (5, 5));
}

#[test]
fn a_connection_that_was_reset_while_idle_is_reopened_for_a_get() {
    let server = Server::start(|mut peer| {
        peer.respond(OK);
        peer.reset();
    });
    let run = run(&server, &["-n", "5", "/"]).exits(0);
    assert_eq!((run.count("ok"), run.count("failed"), run.count("reopened")), (5, 0, 4));
    assert_eq!((server.connections(), server.count()), (5, 5));
}

#[test]
fn only_idempotent_methods_are_repeated() {
    for (method, is_repeated) in [
        ("GET", true),
        ("HEAD", true),
        ("PUT", true),
        ("DELETE", true),
        ("OPTIONS", true),
        ("POST", false),
        ("PATCH", false),
    ] {
        // The first connection reads a second request and closes without a response.
        let server = Server::start(|mut peer| {
            peer.respond("HTTP/1.1 204 No Content\r\n\r\n");
            if peer.number == 0 {
                peer.read();
            } else {
                while peer.respond("HTTP/1.1 204 No Content\r\n\r\n") {}
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
        peer.respond(OK);
        peer.read();
        peer.reset();
    });
    let run = run(&server, &["-n", "2", "--data", "x", "/"]).exits(1);
    assert_eq!(run.errors(), [("reset: connection reset", 1)]);
    assert_eq!((server.count(), run.count("reopened")), (2, 0));
}

#[test]
fn nothing_is_repeated_once_a_byte_of_the_response_was_received() {
    let server = Server::start(|mut peer| {
        peer.respond(OK);
        peer.respond("H");
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

/// The response of haproxy and Apache httpd to an idle connection that they close.
const IDLE_TIMEOUT: &str = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// What a server does to a connection after a response.
type After = fn(Peer);

const ENDS: [(&str, After); 3] = [
    ("closed", drop),
    ("reset", Peer::reset),
    ("sent a 408", |mut peer| {
        peer.send(IDLE_TIMEOUT);
        peer.drain();
    }),
];

#[test]
fn an_idle_connection_is_checked_before_a_request_whatever_the_method() {
    for (what, then) in ENDS {
        for method in ["GET", "POST", "PATCH"] {
            let server = Server::start(move |mut peer| {
                peer.respond(OK);
                then(peer);
            });
            let run = run(&server, &["-n", "3", "--wait", "200ms", "-X", method, "--data", "x", "/"]).exits(0);
            assert_eq!((run.count("ok"), run.count("reopened")), (3, 2), "{what}, {method}");
            assert_eq!((server.connections(), server.count()), (3, 3), "{what}, {method}");
        }
    }
}

#[test]
fn a_unix_socket_that_was_closed_while_idle_is_reopened_for_a_post() {
    for (what, then) in [ENDS[0], ENDS[2]] {
        let scratch = Scratch::new("kept-unix");
        let path = scratch.file("s.sock");
        let server = Server::on_unix_socket(&path, move |mut peer| {
            peer.respond(OK);
            then(peer);
        });
        let flags = ["--unix-socket", &path, "-n", "3", "--wait", "200ms", "-d", "x", "http://shop.test/"];
        let run = run_alone(&flags).exits(0);
        assert_eq!((run.count("ok"), run.count("reopened"), server.count()), (3, 2, 3), "{what}");
    }
}

#[test]
fn over_tls_the_end_of_a_session_is_noticed_and_a_key_update_is_not_mistaken_for_it() {
    let ends: [(&str, After); 4] = [
        ("close_notify", |mut peer| {
            peer.close_notify();
            peer.hang();
        }),
        ("closed without close_notify", drop),
        ("reset", Peer::reset),
        ("sent a 408", |mut peer| {
            peer.send(IDLE_TIMEOUT);
            peer.drain();
        }),
    ];
    for (what, then) in ends {
        let server = Server::start(move |peer| {
            let mut peer = peer.accept_tls();
            peer.respond(OK);
            then(peer);
        });
        let url = format!("https://{}/", server.addr());
        let run = run_alone(&["--cacert", CA_FILE, "-n", "3", "--wait", "200ms", "-d", "x", &url]).exits(0);
        assert_eq!((run.count("ok"), run.count("reopened"), server.count()), (3, 2, 3), "{what}");
    }
    let server = Server::start(|peer| {
        let mut peer = peer.accept_tls();
        while peer.respond(OK) {
            peer.update_keys();
        }
    });
    let url = format!("https://{}/", server.addr());
    let run = run_alone(&["--cacert", CA_FILE, "-n", "5", "--wait", "200ms", "-d", "x", &url]).exits(0);
    assert_eq!((run.count("ok"), run.count("reopened")), (5, 0), "key update");
    assert_eq!((server.connections(), server.count()), (1, 5), "key update");
}

#[test]
fn a_late_408_is_not_the_response_to_a_request_that_may_be_repeated() {
    let kept = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
    for (method, wait, response, is_repeated) in [
        ("GET", "120ms", IDLE_TIMEOUT, true),
        ("GET", "120ms", "HTTP/1.0 408 Request Time-out\r\n\r\nlate", true),
        ("PUT", "120ms", IDLE_TIMEOUT, true),
        ("POST", "120ms", IDLE_TIMEOUT, false),
        // The connection stays open, so this is about the request.
        ("GET", "120ms", kept, false),
        // No server closes a connection that was idle for such a short time.
        ("GET", "0", IDLE_TIMEOUT, false),
    ] {
        // Sent after the client's check of the idle connection: the request has arrived.
        let server = Server::start(move |mut peer| {
            peer.respond(OK);
            peer.respond(if peer.number == 0 { response } else { OK });
        });
        let flags = ["-n", "2", "--wait", wait, "-X", method, "/"];
        let run = run(&server, &flags).exits(i32::from(!is_repeated));
        let expected = if is_repeated { (2, 0, 1) } else { (1, 1, 0) };
        assert_eq!((run.count("ok"), run.count("failed"), run.count("reopened")), expected, "{flags:?} {response}");
        assert_eq!(run.errors(), if is_repeated { &[][..] } else { &[("http_4xx: 408", 1)][..] }, "{flags:?}");
    }
}

#[test]
fn a_408_on_a_connection_that_was_not_idle_is_the_response() {
    let server = Server::responding(IDLE_TIMEOUT);
    let run = run(&server, &["-n", "3", "--wait", "120ms", "/"]).exits(1);
    assert_eq!((run.errors(), run.count("reopened")), (vec![("http_4xx: 408", 3)], 0));
}

#[test]
fn bytes_after_a_response_are_not_taken_for_the_next_one() {
    let extra = "HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n";
    let server = Server::responding(format!("{OK}{extra}"));
    let run = run(&server, &["-n", "3", "/"]).exits(0);
    assert_eq!((run.count("ok"), run.count("failed"), run.count("reopened")), (3, 0, 2));
    assert_eq!((server.connections(), server.count()), (3, 3));
}

#[test]
fn connection_close_is_honoured() {
    for response in [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let server = Server::responding(response);
        let run = run(&server, &["-n", "3", "/"]).exits(0);
        assert_eq!((run.count("ok"), run.count("reopened")), (3, 0), "{response}");
        assert_eq!((server.connections(), server.count()), (3, 3), "{response}");
    }
}

#[test]
fn without_keep_alive_each_request_has_its_own_connection_and_announces_the_close() {
    let server = Server::responding(OK);
    let run = run(&server, &["-n", "7", "--no-keepalive", "/"]).exits(0);
    assert_eq!((run.count("ok"), run.count("reopened")), (7, 0));
    assert_eq!((server.connections(), server.count()), (7, 7));
    assert!(server.requests().iter().all(|request| request.header("connection") == Some("close")));
}
