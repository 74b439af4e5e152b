//! The closed model: who asks when, and how often. Judged by the server's own count and clock, which is this
//! machine's monotonic one; bounds are one-sided, as a busy machine may always be late, never early.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::process::{ms, run, start};
use crate::server::{OK, Server};

#[test]
fn exactly_as_many_requests_are_sent_as_asked_for() {
    for (users, requests) in [("1", 1), ("1", 100), ("7", 1), ("7", 100), ("50", 49), ("50", 1000)] {
        let server = Server::answering(OK);
        let count = requests.to_string();
        let run = run(&server, &["-n", &count, "-u", users, "-r", "10000", "/"]).exits(0);
        assert_eq!((server.count(), run.count("sent"), run.count("ok")), (requests, requests, requests), "{users}");
        assert_eq!(run.reason(), "requests");
    }
}

#[test]
fn each_user_has_a_connection_of_its_own() {
    let server = Server::answering(OK);
    let process = start(&server, &["-u", "20", "-r", "10000", "-s", "30s", "--wait", "10ms", "/"]);
    server.wait_for_connections(20);
    server.wait_for_requests(200);
    process.signal(rustix::process::Signal::INT);
    let run = process.finish().exits(0);
    assert_eq!((server.connections(), run.count("reopened")), (20, 0));
    assert_eq!(server.count(), run.count("ok"));
    let used: BTreeSet<usize> = server.requests().iter().map(|seen| seen.connection).collect();
    assert_eq!(used.len(), 20, "every one of them carried requests");
}

#[test]
fn requests_are_taken_at_random_with_equal_weight() {
    let server = Server::answering(OK);
    // The run's id seeds what is random, so this run is the same each time.
    let run = run(&server, &["-n", "1200", "--run-id", "even", "/a", "/b", "POST /c"]).exits(0);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for asked in server.asked() {
        *counts.entry(asked).or_default() += 1;
    }
    // Binomial: 400 expected, standard deviation sqrt(1200 / 3 * 2 / 3) = 16.3; within 4 of these.
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["GET /a", "GET /b", "POST /c"]);
    assert!(counts.values().all(|count| count.abs_diff(400) <= 65), "{counts:?}");
    for line in run.stream().of("stats endpoint success") {
        let endpoint = format!("{} {}", line.text("method"), line.text("name"));
        assert_eq!(line.count("num_requests"), u64::from(counts[&endpoint]), "{endpoint}");
    }
}

/// The shortest time from a server's answer to the next request over the same connection.
fn shortest_pause(requests: &str, arguments: &[&str]) -> Duration {
    let shortest = Arc::new(Mutex::new(Duration::MAX));
    let shared = Arc::clone(&shortest);
    let server = Server::start(move |mut peer| {
        let mut answered: Option<Instant> = None;
        while let Some(seen) = peer.read() {
            if let Some(answered) = answered {
                let mut shortest = shared.lock().unwrap();
                *shortest = shortest.min(seen.at - answered);
            }
            // Before the answer goes out, so the client cannot have had it earlier.
            answered = Some(Instant::now());
            peer.say(OK);
        }
    });
    run(&server, &[&["-n", requests, "/"], arguments].concat()).exits(0);
    assert_eq!(server.connections(), 1);
    *shortest.lock().unwrap()
}

#[test]
fn a_constant_wait_lies_between_an_answer_and_the_next_request() {
    assert!(shortest_pause("5", &["--wait", "150ms"]) >= Duration::from_millis(150));
}

#[test]
fn a_wait_between_two_times_is_no_shorter_than_the_first() {
    assert!(shortest_pause("8", &["--wait", "80ms..160ms"]) >= Duration::from_millis(80));
}

#[test]
fn pacing_and_throughput_count_from_one_beginning_to_the_next() {
    for wait in ["pacing:150ms", "throughput:6.666"] {
        let server = Server::answering(OK);
        let process = start(&server, &["-n", "5", "--wait", wait, "/"]);
        let began = process.began;
        process.finish().exits(0);
        let last = server.requests().last().unwrap().at;
        assert!(last - began >= Duration::from_millis(4 * 150), "{wait}: {:?}", last - began);
    }
}

#[test]
fn under_pacing_an_overrun_is_late_once_and_not_caught_up() {
    // The first answer takes three paces.
    let server = Server::start(|mut peer| {
        let mut pause = Duration::from_millis(1500);
        while peer.read().is_some() {
            peer.dawdle(std::mem::take(&mut pause));
            peer.say(OK);
        }
    });
    let run = run(&server, &["-n", "4", "--wait", "pacing:500ms", "/"]).exits(0);
    // The first took 1.5 s; the second was due 0.5 s after the first began, and late by 1 s; the others were not late,
    // or the median would be at least the 0.5 s that a third one would be late by if all were caught up.
    assert!(run.statistic("max_response_time") >= 1500.0);
    assert!(run.statistic("avg_response_time") >= (1500.0 + 1000.0) / 4.0);
    assert!(run.statistic("percentile_50") < 500.0, "{}", run.statistic("percentile_50"));
    let requests = server.requests();
    assert!(requests[3].at - requests[0].at >= Duration::from_millis(1500 + 2 * 500 - 250), "nothing is caught up");
}

#[test]
fn without_pacing_response_time_is_service_time() {
    let server = Server::start(|mut peer| {
        while peer.read().is_some() {
            peer.dawdle(Duration::from_millis(100));
            peer.say(OK);
        }
    });
    let run = run(&server, &["-n", "3", "--wait", "700ms", "/"]).exits(0);
    assert!(run.statistic("min_response_time") >= ms(Duration::from_millis(100)));
    assert!(run.statistic("percentile_50") < 700.0, "the wait is no part of it");
}

/// A moment of the host's monotonic clock, seconds, as an instant; at most a little early.
fn instant(monotonic: f64) -> Instant {
    let now = Instant::now();
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u32::try_from(clock.tv_sec).unwrap();
    let nanos = u32::try_from(clock.tv_nsec).unwrap();
    let age = f64::from(seconds) + f64::from(nanos) / 1e9 - monotonic;
    now.checked_sub(Duration::from_secs_f64(age)).unwrap()
}

#[test]
fn user_k_starts_at_k_over_the_spawn_rate() {
    let server = Server::answering(OK);
    let process = start(&server, &["-u", "10", "-r", "20", "-t", "700ms", "--wait", "1h", "-s", "30s", "/"]);
    let began = process.began;
    let run = process.finish().exits(0);
    let start = instant(run.stream().of("config")[0].float("started_monotonic"));
    assert!(start >= began, "the stream's start lies in the run");
    let mut first: Vec<Duration> = server.requests().iter().map(|seen| seen.at - start).collect();
    first.sort_unstable();
    assert_eq!((first.len(), server.connections()), (10, 10), "each asked once, then waited");
    for (k, at) in (0_u32..).zip(first) {
        assert!(at >= Duration::from_millis(50) * k, "user {k} asked at {at:?}");
    }
    assert_eq!(run.stream().only("spawn.complete").count("user_count"), 10);
    assert_eq!(run.reason(), "run_time");
}

#[test]
fn the_ramp_is_complete_once_and_only_when_it_is() {
    let spawned = |arguments: &[&str]| {
        let server = Server::answering(OK);
        let run = run(&server, &[arguments, &["--wait", "10ms", "/"]].concat()).exits(0);
        run.stream().of("spawn.complete").len()
    };
    assert_eq!(spawned(&["-u", "3", "-r", "100", "-t", "500ms"]), 1);
    assert_eq!(spawned(&["-u", "3", "-r", "1", "-t", "500ms"]), 0);
}
