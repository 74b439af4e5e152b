//! `--timeout` covers a request from start to end, however the server spends the time.
//!
//! Upper bounds are far above the promised time, as the machine may be busy, and below the time that these servers would
//! take without a timeout.

use std::time::Duration;

use crate::process::{Finished, ms, run, run_alone};
use crate::server::{BlackHole, OK, Server};
use crate::support::Scratch;

const TIMEOUT: Duration = Duration::from_millis(400);

/// All servers here take longer than this to respond.
const FAR_TOO_LONG: Duration = Duration::from_secs(15);

/// Runs two requests, which must time out while they wait for this, and count with the time that they took.
fn times_out(server: &Server, arguments: &[&str], waiting: &str) -> Finished {
    let run = takes_too_long(server, arguments);
    assert_eq!(run.errors(), [(format!("timeout: {waiting} 0.4s").as_str(), 2)]);
    run
}

fn takes_too_long(server: &Server, arguments: &[&str]) -> Finished {
    let arguments = [&["-n", "2", "--timeout", "400ms"], arguments].concat();
    let run = run(server, &arguments).exits(4);
    for statistic in ["min_response_time", "avg_response_time", "percentile_50", "percentile_99"] {
        let took = run.statistic(statistic);
        assert!(took >= ms(TIMEOUT), "{statistic} {took}: a request counts with the time that it took");
        assert!(took < ms(FAR_TOO_LONG), "{statistic} {took}: a request ends in time");
    }
    run
}

#[test]
fn a_server_that_never_responds_is_a_timeout() {
    let server = Server::start(|mut peer| {
        peer.read();
        peer.hang();
    });
    times_out(&server, &["/"], "no first byte within");
    assert_eq!((server.connections(), server.count()), (2, 2));
}

#[test]
fn a_kept_connection_that_falls_silent_is_a_timeout() {
    let server = Server::start(|mut peer| {
        if peer.number == 0 {
            peer.respond(OK);
        }
        peer.read();
        peer.hang();
    });
    let run = run(&server, &["-n", "3", "--timeout", "1s", "/"]).exits(1);
    assert_eq!(run.errors(), [("timeout: no first byte within 1s", 2)]);
    assert_eq!((run.count("ok"), run.count("reopened"), server.count()), (1, 0, 3));
}

#[test]
fn a_server_that_drips_its_response_is_a_timeout() {
    for head in ["HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nX: "]
    {
        let server = Server::start(move |mut peer| {
            peer.respond(head);
            for _ in 0..400 {
                peer.send("x");
                peer.pause(Duration::from_millis(50));
            }
        });
        times_out(&server, &["/"], "body incomplete after");
    }
}

#[test]
fn a_server_that_only_sends_interim_responses_is_a_timeout() {
    let server = Server::start(|mut peer| {
        peer.read();
        for _ in 0..400 {
            peer.send("HTTP/1.1 100 Continue\r\n\r\n");
            peer.pause(Duration::from_millis(50));
        }
    });
    times_out(&server, &["/"], "body incomplete after");
}

#[test]
fn a_server_that_reads_slowly_is_a_timeout() {
    // It reads a little now and then, so that no single write blocks for long.
    let server = Server::start(|mut peer| {
        peer.read_head();
        for _ in 0..200 {
            if !peer.pause(Duration::from_millis(100)) || !peer.read_some(64 * 1024) {
                return;
            }
        }
    });
    let scratch = Scratch::new("slow_reader");
    let body = scratch.write("body", vec![b'x'; 32 * 1024 * 1024]);
    times_out(&server, &["--data", &format!("@{body}"), "/"], "request not sent within");
}

#[test]
fn the_hops_of_a_redirect_share_one_timeout() {
    // A hop is far within the limit; a thousand of them are not.
    let server = Server::start(|mut peer| {
        while peer.read().is_some() {
            peer.pause(Duration::from_millis(20));
            peer.send("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let run = takes_too_long(&server, &["--max-redirects", "1000", "/"]);
    assert!(run.errors().iter().all(|(error, _)| error.starts_with("timeout: ")), "{:?}", run.errors());
    assert!(run.count("redirects") >= 2, "the first hop is within the timeout");
}

#[test]
fn the_request_timeout_also_covers_connecting() {
    let full = BlackHole::new();
    let host = format!("http://{}", full.addr());
    let arguments = ["--host", &host, "-n", "2", "--timeout", "400ms", "--connect-timeout", "30s", "/"];
    let run = run_alone(&arguments).exits(4);
    assert_eq!(run.errors(), [("timeout: not connected within 0.4s", 2)]);
    let arguments = ["--host", &host, "-n", "2", "--timeout", "30s", "--connect-timeout", "400ms", "/"];
    let run = run_alone(&arguments).exits(4);
    assert_eq!(run.errors(), [("connect_timeout: not connected in time", 2)]);
    let shortest = run.statistic("min_response_time");
    assert!(shortest >= ms(TIMEOUT) && shortest < ms(FAR_TOO_LONG), "{shortest}");
}
