//! How a run ends.
//!
//! Upper bounds on time are the promised ones plus ample room for a debug build on a busy machine: they only tell a run
//! that stops from one that hangs.

use std::io::{BufRead as _, BufReader, PipeWriter, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process::{Process, prepare, start};
use crate::server::{Gate, OK, Server};
use crate::support::{Run, Scratch};

/// The end is promised within the stop timeout and a second; the rest is for a busy machine.
const ROOM: Duration = Duration::from_secs(1 + 14);

/// Responds to the first request of each connection, and never to the second.
fn hanging() -> Server {
    Server::start(|mut peer| {
        peer.respond(OK);
        peer.read();
        peer.hang();
    })
}

/// Responds to requests once the gate is open.
fn holding() -> (Server, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    let held = Arc::clone(&gate);
    let server = Server::start(move |mut peer| {
        while peer.read().is_some() {
            held.wait();
            peer.send(OK);
        }
    });
    (server, gate)
}

#[test]
fn each_of_the_three_signals_ends_a_run_cleanly() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let server = Server::responding(OK);
        let process = start(&server, &["-u", "3", "-r", "1000", "-s", "30s", "--wait", "1ms", "/"]);
        server.wait_for_requests(30);
        process.signal(signal);
        let run = process.finish().exits(0);
        assert_eq!(run.reason(), "signal", "{signal:?}");
        assert_eq!((run.count("aborted"), run.count("ok")), (0, server.count()), "{signal:?}");
    }
}

#[test]
fn a_signal_leaves_the_exit_code_of_failures() {
    let server = Server::responding("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
    for (arguments, code) in [(&["/"][..], 1), (&["--exit-code-on-error", "7", "/"], 7)] {
        let process = start(&server, arguments);
        let before = usize::try_from(server.count()).unwrap();
        server.wait_for_requests(before + 5);
        process.signal(Signal::INT);
        assert_eq!(process.finish().exits(code).reason(), "signal");
    }
}

#[test]
fn a_second_signal_ends_the_process_with_its_last_lines_and_reports() {
    for second in [Signal::TERM, Signal::HUP] {
        let (server, scratch) = (hanging(), Scratch::new("second-signal"));
        let page = scratch.file("r.html");
        let flags = ["-u", "3", "-r", "1000", "--stop-timeout", "60s", "--interval", "100ms", "--html", &page, "/"];
        let mut process = start(&server, &flags);
        server.wait_for_requests(6);
        process.await_tick(2);
        process.signal(Signal::INT);
        // Ticks are 100 ms apart, and the signal was sent at the second one or later.
        process.await_tick(20);
        let signalled = Instant::now();
        process.signal(second);
        let run = process.finish().exits(130);
        assert!(run.ended - signalled < ROOM, "{:?}", run.ended - signalled);
        assert_eq!((run.reason(), run.count("aborted"), run.count("ok")), ("signal", 3, 3));
        assert_eq!(run.stream().run_end().count("exit_code"), 130);
        assert!(std::fs::read_to_string(&page).unwrap().ends_with("</html>\n"));
    }
}

#[test]
fn signals_within_a_second_are_one() {
    for second in [Signal::INT, Signal::TERM] {
        let (server, scratch) = (Server::responding(OK), Scratch::new("two-signals"));
        let (page, tests) = (scratch.file("r.html"), scratch.file("j.xml"));
        let outputs = ["--html", &page, "--junit", &tests, "/"];
        let process = start(&server, &[&["-u", "3", "-r", "1000", "-s", "2s"][..], &outputs].concat());
        server.wait_for_requests(30);
        // As GNU timeout does.
        process.signal(Signal::TERM);
        process.signal(second);
        let run = process.finish().exits(0);
        assert_eq!(run.reason(), "signal");
        assert!(std::fs::read_to_string(&page).unwrap().ends_with("</html>\n"));
        assert!(std::fs::read_to_string(&tests).unwrap().ends_with("</testsuites>\n"));
    }
}

#[test]
fn with_a_request_limit_a_signal_allows_the_stop_timeout_and_no_more() {
    let server = hanging();
    let process = start(&server, &["-n", "6", "-u", "3", "-r", "1000", "-s", "1s", "--timeout", "60s", "/"]);
    server.wait_for_requests(6);
    let signalled = Instant::now();
    process.signal(Signal::TERM);
    let run = process.finish().exits(4);
    let took = run.ended - signalled;
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(1) + ROOM, "{took:?}");
    assert_eq!((run.reason(), run.count("ok"), run.count("aborted")), ("requests", 3, 3));
}

#[test]
fn a_hangup_that_was_ignored_at_the_start_stays_ignored() {
    let server = Server::responding(OK);
    let host = server.host();
    let run = ["run", "--host", &host, "-s", "30s", "--wait", "1ms", "/"];
    let process = Process::start(Run::in_shell("trap '' HUP", run));
    server.wait_for_requests(10);
    process.signal(Signal::HUP);
    // The run goes on, and the next signal counts as the first.
    let before = usize::try_from(server.count()).unwrap();
    server.wait_for_requests(before + 50);
    process.signal(Signal::TERM);
    let run = process.finish().exits(0);
    assert_eq!((run.reason(), run.count("ok")), ("signal", server.count()));
}

#[test]
fn a_run_time_ends_a_run_and_counts_from_the_start() {
    let server = Server::responding(OK);
    let process = start(&server, &["-t", "1s", "-s", "30s", "-u", "5", "-r", "10", "--wait", "1ms", "/"]);
    let began = process.began;
    let run = process.finish().exits(0);
    assert_eq!((run.reason(), run.count("ok")), ("run_time", server.count()));
    assert!(run.ended - began >= Duration::from_secs(1));
    assert!(run.ended - began < Duration::from_secs(1) + ROOM);
}

#[test]
fn the_first_of_run_time_and_requests_wins() {
    let server = Server::responding(OK);
    assert_eq!(start(&server, &["-t", "60s", "-n", "10", "/"]).finish().exits(0).reason(), "requests");
    let run = start(&server, &["-t", "2s", "-n", "100", "--wait", "30s", "/"]).finish().exits(0);
    assert_eq!((run.reason(), run.count("sent")), ("run_time", 1));
}

#[test]
fn with_a_request_limit_requests_in_flight_are_completed() {
    // The stop timeout of 0 applies to signals and the run time only.
    let server = Server::start(|mut peer| {
        while peer.read().is_some() {
            peer.pause(Duration::from_millis(1500));
            peer.send(OK);
        }
    });
    let run = start(&server, &["-n", "20", "-u", "20", "-r", "10000", "/"]).finish().exits(0);
    assert_eq!((run.reason(), run.count("ok"), run.count("aborted")), ("requests", 20, 0));
    assert_eq!(server.count(), 20);
    assert!(run.statistic("min_response_time") >= 1500.0);
}

#[test]
fn a_signal_after_the_last_request_gives_requests_in_flight_the_stop_timeout() {
    let server = hanging();
    let process = start(&server, &["-n", "6", "-u", "3", "-r", "1000", "--only-summary", "/"]);
    server.wait_for_requests(6);
    let signalled = Instant::now();
    process.signal(Signal::INT);
    let run = process.finish().exits(0);
    assert!(run.ended - signalled < ROOM);
    let sentence = "A signal ended the wait for the last responses: 3 requests were cut off.";
    assert!(run.stderr().contains(sentence), "{}", run.stderr());
    assert_eq!((run.reason(), run.count("ok"), run.count("aborted")), ("requests", 3, 3));
}

#[test]
fn the_stop_timeout_lets_requests_in_flight_finish() {
    let (server, gate) = holding();
    let process = start(&server, &["-u", "5", "-r", "1000", "-s", "60s", "/"]);
    server.wait_for_requests(5);
    process.signal(Signal::INT);
    gate.open();
    let run = process.finish().exits(0);
    assert_eq!((run.count("aborted"), run.count("ok")), (0, server.count()));
}

#[test]
fn without_a_stop_timeout_requests_in_flight_are_aborted() {
    let server = hanging();
    let process = start(&server, &["-u", "5", "-r", "1000", "/"]);
    server.wait_for_requests(10);
    let signalled = Instant::now();
    process.signal(Signal::INT);
    let run = process.finish().exits(0);
    assert!(run.ended - signalled < ROOM);
    assert_eq!((run.count("sent"), run.count("ok"), run.count("failed"), run.count("aborted")), (10, 5, 0, 5));
    assert_eq!(server.count(), 10);
    // Aborted requests are not in the statistics.
    assert!((run.statistic("avg_content_length") - 2.0).abs() < 1e-9);
}

#[test]
fn a_server_that_hangs_is_given_the_stop_timeout_and_no_more() {
    let server = hanging();
    let process = start(&server, &["-u", "5", "-r", "1000", "-s", "1s", "/"]);
    server.wait_for_requests(10);
    let signalled = Instant::now();
    process.signal(Signal::INT);
    let run = process.finish().exits(4);
    let took = run.ended - signalled;
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(1) + ROOM, "{took:?}");
    assert_eq!((run.count("ok"), run.count("aborted")), (5, 5));
}

#[test]
fn a_run_in_which_nothing_completed_is_not_valid() {
    let server = Server::start(|mut peer| {
        peer.read();
        peer.hang();
    });
    let process = start(&server, &["/"]);
    server.wait_for_requests(1);
    process.signal(Signal::INT);
    let run = process.finish().exits(4);
    assert_eq!((run.count("sent"), run.count("aborted")), (1, 1));
    let end = run.stream().run_end();
    assert_eq!(
        (end.text("verdict"), end.get("reasons")),
        (
            "invalid",
            &serde_json::json!([{"kind": "no_answer", "text": "no request completed before a signal ended the run"}])
        )
    );
}

#[test]
fn a_reader_that_closes_the_stream_ends_the_load_silently() {
    let server = Server::responding(OK);
    let (ours, theirs) = std::io::pipe().unwrap();
    let run = prepare(&server, &["--wait", "1ms", "--interval", "100ms", "/"]);
    let process = Process::start(run.stdout(theirs));
    server.wait_for_requests(10);
    let mut first = String::new();
    let mut ours = BufReader::new(ours);
    ours.read_line(&mut first).unwrap();
    assert!(first.contains("locust.tl.event.test.start"), "{first}");
    drop(ours);
    let run = process.finish();
    assert_eq!((run.code(), run.stderr()), (0, ""));
}

#[test]
fn a_reader_that_never_reads_does_not_delay_the_load_and_delays_the_end_only_briefly() {
    let server = Server::responding(OK);
    let (ours, theirs) = std::io::pipe().unwrap();
    fill(&theirs);
    let run = prepare(&server, &["-t", "2s", "--wait", "1ms", "--interval", "100ms", "/"]);
    let process = Process::start(run.stdout(theirs));
    let began = process.began;
    let run = process.finish();
    assert_eq!(run.code(), 4, "{}", run.stderr());
    assert_eq!(run.stderr().lines().count(), 1, "{}", run.stderr());
    assert!(run.stderr().starts_with("swarmline: ") && run.stderr().contains("reader"), "{}", run.stderr());
    let took = run.ended - began;
    assert!(took >= Duration::from_secs(2 + 5), "the reader was given its time: {took:?}");
    assert!(took < Duration::from_secs(2 + 5) + ROOM, "{took:?}");
    // The load went on although the stream was not read.
    let requests = server.requests();
    let (first, last) = (requests.first().unwrap().at, requests.last().unwrap().at);
    assert!(last - first > Duration::from_secs(1), "{:?}", last - first);
    drop(ours);
}

/// Fills the pipe, so that not even one line of the stream fits.
fn fill(mut pipe: &PipeWriter) {
    rustix::io::ioctl_fionbio(pipe, true).unwrap();
    while pipe.write(&[0; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(pipe, false).unwrap();
}

#[test]
fn a_body_cut_short_by_the_end_of_the_run_is_aborted_not_complete() {
    // The body ends with the connection, and to the client a socket that it shut down looks closed.
    let server = Server::start(|mut peer| {
        peer.respond("HTTP/1.1 200 OK\r\n\r\nsome of");
        peer.drain();
    });
    let process = start(&server, &["-u", "3", "-r", "1000", "/"]);
    server.wait_for_requests(3);
    process.signal(Signal::INT);
    let run = process.finish().exits(4);
    assert_eq!((run.count("ok"), run.count("failed"), run.count("aborted")), (0, 0, 3));
}

#[test]
fn an_unfinished_ramp_does_not_delay_the_end() {
    let server = Server::responding(OK);
    let process = start(&server, &["-u", "2", "-r", "0.001", "--wait", "1h", "-s", "60s", "/"]);
    server.wait_for_requests(1);
    let signalled = Instant::now();
    process.signal(Signal::INT);
    let run = process.finish().exits(0);
    assert!(run.ended - signalled < ROOM);
    assert_eq!((run.count("ok"), server.count()), (1, 1));
}

#[test]
fn a_stop_ends_tls_handshakes_and_bodies_that_are_still_being_sent() {
    let scratch = Scratch::new("stopped-body");
    let body = format!("@{}", scratch.write("body", "x".repeat(32 << 20)));
    // Reads neither the rest of a body nor a handshake.
    let unresponsive = || Server::start(|peer| while peer.pause(Duration::from_secs(60)) {});
    for (scheme, flags) in [("http", vec!["--data", &body]), ("https", vec!["-k", "--connect-timeout", "60s"])] {
        let server = unresponsive();
        let url = format!("{scheme}://{}/", server.addr());
        let arguments = [&["run", "-u", "2", "-r", "1000", "--timeout", "60s"], &flags[..], &[&url]].concat();
        let process = Process::start(Run::new(arguments));
        server.wait_for_connections(2);
        let signalled = Instant::now();
        process.signal(Signal::INT);
        let run = process.finish().exits(4);
        assert!(run.ended - signalled < ROOM, "{scheme}");
        assert_eq!((run.count("aborted"), run.count("failed")), (2, 0), "{scheme}");
    }
}
