//! The closed model: which user sends when, and how often. Checked with the server's own count and clock, which is this
//! machine's monotonic one; bounds on time are one-sided, as a busy machine may be late but never early.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::process::{ms, run, start};
use crate::server::{OK, Server};

#[test]
fn exactly_the_requested_number_of_requests_is_sent() {
    for (users, requests) in [("1", 1), ("1", 100), ("7", 1), ("7", 100), ("50", 49), ("50", 1000)] {
        let server = Server::responding(OK);
        let count = requests.to_string();
        let run = run(&server, &["-n", &count, "-u", users, "-r", "10000", "/"]).exits(0);
        assert_eq!((server.count(), run.count("sent"), run.count("ok")), (requests, requests, requests), "{users}");
        assert_eq!(run.reason(), "requests");
    }
}

#[test]
fn each_user_has_a_connection_of_its_own() {
    let server = Server::responding(OK);
    let process = start(&server, &["-u", "20", "-r", "10000", "-s", "30s", "--wait", "10ms", "/"]);
    server.wait_for_connections(20);
    server.wait_for_requests(200);
    process.signal(rustix::process::Signal::INT);
    let run = process.finish().exits(0);
    assert_eq!((server.connections(), run.count("reopened")), (20, 0));
    assert_eq!(server.count(), run.count("ok"));
    let used: BTreeSet<usize> = server.requests().iter().map(|request| request.connection).collect();
    assert_eq!(used.len(), 20, "each was used for requests");
}

#[test]
fn requests_are_chosen_at_random_with_equal_weight() {
    let server = Server::responding(OK);
    // The run id is the default seed, so this run is the same each time.
    let run = run(&server, &["-n", "1200", "--run-id", "even", "/a", "/b", "POST /c"]).exits(0);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for line in server.request_lines() {
        *counts.entry(line).or_default() += 1;
    }
    // Binomial: 400 expected, standard deviation sqrt(1200 / 3 * 2 / 3) = 16.3; within 4 of these.
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["GET /a", "GET /b", "POST /c"]);
    assert!(counts.values().all(|count| count.abs_diff(400) <= 65), "{counts:?}");
    for line in run.stream().of("stats endpoint success") {
        let endpoint = format!("{} {}", line.text("method"), line.text("name"));
        assert_eq!(line.count("num_requests"), u64::from(counts[&endpoint]), "{endpoint}");
    }
}

/// The shortest time from a response to the next request on the same connection, as seen by the server.
fn shortest_pause(requests: &str, arguments: &[&str]) -> Duration {
    let shortest = Arc::new(Mutex::new(Duration::MAX));
    let shared = Arc::clone(&shortest);
    let server = Server::start(move |mut peer| {
        let mut responded: Option<Instant> = None;
        while let Some(request) = peer.read() {
            if let Some(responded) = responded {
                let mut shortest = shared.lock().unwrap();
                *shortest = shortest.min(request.at - responded);
            }
            // Taken before the response is sent, so the client cannot have received it earlier.
            responded = Some(Instant::now());
            peer.send(OK);
        }
    });
    run(&server, &[&["-n", requests, "/"], arguments].concat()).exits(0);
    assert_eq!(server.connections(), 1);
    *shortest.lock().unwrap()
}

#[test]
fn a_constant_wait_lies_between_a_response_and_the_next_request() {
    assert!(shortest_pause("5", &["--wait", "150ms"]) >= Duration::from_millis(150));
}

#[test]
fn a_wait_between_two_times_is_no_shorter_than_the_first() {
    assert!(shortest_pause("8", &["--wait", "80ms..160ms"]) >= Duration::from_millis(80));
}

#[test]
fn pacing_and_throughput_count_from_start_to_start() {
    for wait in ["pacing:150ms", "throughput:6.666"] {
        let server = Server::responding(OK);
        let process = start(&server, &["-n", "5", "--wait", wait, "/"]);
        let began = process.began;
        process.finish().exits(0);
        let last = server.requests().last().unwrap().at;
        assert!(last - began >= Duration::from_millis(4 * 150), "{wait}: {:?}", last - began);
    }
}

#[test]
fn under_pacing_an_overrun_is_late_once_and_not_caught_up() {
    // The first response takes three paces.
    let server = Server::start(|mut peer| {
        let mut pause = Duration::from_secs(3);
        while peer.read().is_some() {
            peer.pause(std::mem::take(&mut pause));
            peer.send(OK);
        }
    });
    let run = run(&server, &["-n", "4", "--wait", "pacing:1s", "/"]).exits(0);
    // The first took 3 s; the second was due 1 s after the first began, and late by 2 s; the others were not late. If
    // all were caught up, the third would be late by another second.
    assert!(run.statistic("max_response_time") >= 3000.0);
    assert!(run.statistic("avg_response_time") >= (3000.0 + 2000.0) / 4.0);
    let sum = |kind: &str| -> u64 {
        run.stream().of("interval").iter().map(|line| line.get(kind)["sum_us"].as_u64().unwrap()).sum()
    };
    let late = sum("response") - sum("service");
    assert!((2_000_000..3_000_000).contains(&late), "{late} us");
    let requests = server.requests();
    // 5 s, or 3 s if all were caught up; the server may have read the first one late.
    assert!(requests[3].at - requests[0].at >= Duration::from_secs(4), "nothing is caught up");
}

#[test]
fn without_pacing_response_time_is_service_time() {
    let server = Server::start(|mut peer| {
        while peer.read().is_some() {
            peer.pause(Duration::from_millis(100));
            peer.send(OK);
        }
    });
    let process = start(&server, &["-n", "3", "--wait", "1s", "/"]);
    let began = process.began;
    let run = process.finish().exits(0);
    assert!(run.statistic("min_response_time") >= ms(Duration::from_millis(100)));
    // Three response times and two waits fit into the time of the process, so no wait is part of a response time.
    let sum = run.statistic("avg_response_time") * 3.0;
    assert!(sum <= ms(run.ended - began) - 2000.0 + 1.0, "{sum} ms include waits");
}

/// Part of the line that reports that all users have started.
const SPAWN_COMPLETE: &str = "locust.tl.event.spawn.complete";

/// Converts a time of the host's monotonic clock in seconds; the result is at most a little early.
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
    let server = Server::responding(OK);
    let mut process =
        start(&server, &["-u", "10", "-r", "20", "--interval", "100ms", "--wait", "1h", "-s", "30s", "/"]);
    let began = process.began;
    server.wait_for_requests(10);
    process.await_output(|text| text.contains(SPAWN_COMPLETE));
    process.signal(rustix::process::Signal::INT);
    let run = process.finish().exits(0);
    let start = instant(run.stream().of("config")[0].float("started_monotonic"));
    assert!(start >= began, "the start in the stream lies within the run");
    let mut first: Vec<Duration> = server.requests().iter().map(|request| request.at - start).collect();
    first.sort_unstable();
    assert_eq!((first.len(), server.connections()), (10, 10), "each sent one request, then waited");
    for (k, at) in (0_u32..).zip(first) {
        assert!(at >= Duration::from_millis(50) * k, "user {k} sent its request at {at:?}");
    }
    assert_eq!(run.stream().only("spawn.complete").count("user_count"), 10);
}

#[test]
fn the_ramp_is_reported_complete_once_and_only_when_it_is() {
    let server = Server::responding(OK);
    let mut process = start(&server, &["-u", "3", "-r", "100", "--interval", "100ms", "--wait", "10ms", "/"]);
    process.await_output(|text| text.contains(SPAWN_COMPLETE));
    server.wait_for_requests(usize::try_from(server.count()).unwrap() + 30);
    process.signal(rustix::process::Signal::INT);
    let run_with_all = process.finish();
    let code = run_with_all.code();
    assert_eq!(run_with_all.exits(code).stream().of("spawn.complete").len(), 1);
    // The second user is due after 100 s.
    let run = run(&server, &["-u", "3", "-r", "0.01", "-t", "500ms", "--wait", "10ms", "/"]);
    let code = run.code();
    assert!(run.exits(code).stream().of("spawn.complete").is_empty());
}
