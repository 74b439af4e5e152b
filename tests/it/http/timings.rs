//! Where the time of a request goes, held against the times at which the server did its part.
//!
//! The server decides by the order of things and by its own clock: what it did before it sent the first byte is at most
//! the client's time to the first byte, whatever else the machine does. So these hold on any machine, however busy.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::process::{Finished, run, run_alone};
use crate::server::{CA_FILE, OK, Peer, Server};

/// How long the server takes for a step.
const STEP: Duration = Duration::from_millis(60);

/// More than the buffers of a connection hold: when the server has sent it, the client has read its first byte.
const MORE_THAN_BUFFERS: usize = 48 * 1024 * 1024;

/// Times by the server's clock.
#[derive(Clone, Default)]
struct Stopwatch(Arc<Mutex<Duration>>);

impl Stopwatch {
    fn add(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.0.lock().unwrap().as_micros()).unwrap()
    }
}

/// A part of the time of all requests, in microseconds.
fn part(run: &Finished, key: &str) -> u64 {
    run.stream().last().get("timings")[key].as_u64().unwrap()
}

/// The sum of all times to the first byte, in microseconds.
fn first_byte(run: &Finished) -> u64 {
    run.stream().last().get("first_byte")["sum_us"].as_u64().unwrap()
}

/// The sum of all service times, in microseconds.
fn service(run: &Finished) -> u64 {
    let intervals = run.stream().of("interval");
    intervals.iter().map(|interval| interval.get("service")["sum_us"].as_u64().unwrap()).sum()
}

/// Pauses, and measures for how long.
fn pause(peer: &Peer, time: &Stopwatch) {
    let began = Instant::now();
    peer.pause(STEP);
    time.add(began.elapsed());
}

#[test]
fn time_before_the_head_is_in_the_first_byte_and_time_within_the_body_is_in_the_body() {
    let (head, body) = (Stopwatch::default(), Stopwatch::default());
    let times = (head.clone(), body.clone());
    let server = Server::start(move |mut peer| {
        while peer.read().is_some() {
            pause(&peer, &times.0);
            peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", MORE_THAN_BUFFERS + 1));
            peer.send(vec![b'x'; MORE_THAN_BUFFERS]);
            pause(&peer, &times.1);
            peer.send("x");
        }
    });
    let run = run(&server, &["-n", "2", "/"]).exits(0);
    assert!(first_byte(&run) >= head.micros(), "{} of {}", first_byte(&run), head.micros());
    assert!(part(&run, "body_us") >= body.micros(), "{} of {}", part(&run, "body_us"), body.micros());
    assert!(first_byte(&run) <= service(&run) - body.micros());
    assert_eq!(part(&run, "connected"), 1, "the second used the connection of the first");
}

#[test]
fn a_slow_tls_handshake_is_in_tls_and_not_in_the_first_byte() {
    let handshake = Stopwatch::default();
    let time = handshake.clone();
    let server = Server::start(move |peer| {
        pause(&peer, &time);
        let mut peer = peer.accept_tls();
        while peer.respond(OK) {}
    });
    let url = format!("https://{}/", server.addr());
    let run = run_alone(&["--cacert", CA_FILE, "-n", "3", "--no-keepalive", &url]).exits(0);
    // The server begins to wait when the connection is accepted, which may be before the client has noticed.
    let connecting = part(&run, "connect_us") + part(&run, "tls_us");
    assert!(connecting >= handshake.micros(), "{connecting} of {}", handshake.micros());
    assert_eq!(part(&run, "connected"), 3);
    assert!(part(&run, "first_byte_us") + part(&run, "body_us") <= service(&run) - handshake.micros());
}

#[test]
fn a_request_without_a_first_byte_counts_with_the_time_that_it_waited() {
    let server = Server::start(|mut peer| {
        peer.read();
        peer.hang();
    });
    let run = run(&server, &["-n", "2", "--timeout", "200ms", "/"]).exits(4);
    let last = run.stream().last();
    let first_byte = last.get("first_byte");
    assert_eq!(first_byte["count"], 2);
    assert!(first_byte["min_us"].as_u64().unwrap() >= 200_000, "{first_byte}");
    assert_eq!(part(&run, "body_us"), 0);
    // Both times are those of the same moments, one of them cut to the microsecond in milliseconds.
    let min = first_byte["min_us"].as_f64().unwrap() / 1000.0;
    assert!((min - last.float("min_response_time")).abs() < 0.002, "{min}");
}

#[test]
fn a_redirect_is_time_before_the_first_byte_of_the_last_response() {
    let hops = Stopwatch::default();
    let time = hops.clone();
    let server = Server::start(move |mut peer| {
        while let Some(request) = peer.read() {
            pause(&peer, &time);
            let is_last = request.line() == "GET /last";
            let redirect = "HTTP/1.1 302 Found\r\nLocation: /last\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            peer.send(if is_last { OK } else { redirect });
            if !is_last {
                return;
            }
        }
    });
    let run = run(&server, &["-n", "2", "/first"]).exits(0);
    assert_eq!(run.count("redirects"), 2);
    assert!(first_byte(&run) >= hops.micros(), "{} of {}", first_byte(&run), hops.micros());
    assert_eq!(part(&run, "connected"), 2, "each connected at least once, and counts once");
}

#[test]
fn checks_judge_the_time_to_the_first_byte() {
    let server = Server::start(|mut peer| {
        while peer.read().is_some() {
            peer.pause(STEP);
            peer.send(OK);
        }
    });
    let flags = ["--check", "ttfb.min > 59ms", "--check", "ttfb.p99.9{GET /} > 59ms", "--check", "ttfb.max < 1ms"];
    let run = run(&server, &[&["-n", "3", "/"][..], &flags].concat()).exits(3);
    let met: Vec<bool> = run.stream().of("check").iter().map(|check| check.get("met") == true).collect();
    assert_eq!(met, [true, true, false]);
}
