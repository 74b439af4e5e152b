//! A thousand users stop in time, whatever they are doing.

use std::io::{BufRead as _, BufReader};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Signal, getrlimit, setrlimit};

use crate::process::{Finished, Process, start};
use crate::server::{BlackHole, OK, Server, WAIT_LIMIT};
use crate::support::Run;
use crate::support::lines::Stream;

const USERS: u64 = 1000;

/// Stop timeout of these runs.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// The end is promised within the stop timeout and a second; the rest is for a debug build beside a server with 1,000
/// threads on a busy machine with two CPUs.
const BOUND: Duration = Duration::from_secs(1 + 1 + 13);

const SWARM: [&str; 6] = ["-u", "1000", "-r", "100000", "-s", "1s"];

/// Allows the server side of 1,000 connections in this process, besides those of other tests.
fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// Sends the signal, and asserts that the run ends in time with a complete stream.
fn stops_in_time(process: Process, code: i32) -> Finished {
    let signalled = Instant::now();
    process.signal(Signal::INT);
    let run = process.finish().exits(code);
    let took = run.ended - signalled;
    assert!(took < BOUND, "took {took:?}");
    assert_eq!(run.reason(), "signal");
    assert_eq!(run.count("sent"), run.count("ok") + run.count("failed") + run.count("aborted"));
    run
}

#[test]
fn a_swarm_under_full_load_stops_in_time() {
    raise_open_files();
    let server = Server::responding(OK);
    let process = start(&server, &[&SWARM[..], &["/"]].concat());
    server.wait_for_requests(5000);
    let run = stops_in_time(process, 0);
    assert_eq!(run.count("failed"), 0);
    // An aborted request may or may not have reached the server.
    assert!(
        (run.count("ok")..=run.count("sent")).contains(&server.count()),
        "{} of {}",
        server.count(),
        run.count("sent")
    );
}

#[test]
fn a_swarm_in_front_of_a_server_that_hangs_stops_in_time() {
    raise_open_files();
    let server = Server::start(|mut peer| {
        peer.respond(OK);
        peer.read();
        peer.hang();
    });
    let process = start(&server, &[&SWARM[..], &["/"]].concat());
    server.wait_for_requests(2 * usize::try_from(USERS).unwrap());
    let began = Instant::now();
    // Half of the requests hang, so the run is not valid.
    let run = stops_in_time(process, 4);
    assert!(run.ended - began >= STOP_TIMEOUT, "requests in flight were given the stop timeout");
    assert_eq!((run.count("ok"), run.count("failed"), run.count("aborted")), (USERS, 0, USERS));
    assert_eq!(server.count(), run.count("sent"));
}

#[test]
fn a_swarm_that_connects_into_a_black_hole_stops_in_time() {
    let full = BlackHole::new();
    let (ours, theirs) = std::io::pipe().unwrap();
    let host = format!("http://{}", full.addr());
    let run = Run::new(["run", "--host", &host, "--connect-timeout", "10m", "/"]).with(SWARM).stdout(theirs);
    let process = Process::start(run);
    let (sender, lines) = channel();
    thread::spawn(move || BufReader::new(ours).lines().try_for_each(|line| sender.send(line.unwrap() + "\n")));
    let mut text = String::new();
    // Not spawn.complete, which is written when all threads exist: some of them may not have run yet.
    while !text.contains(&format!("\"in_flight\":{USERS},")) {
        text += &lines.recv_timeout(WAIT_LIMIT).expect("a thousand users connect");
    }
    let signalled = Instant::now();
    process.signal(Signal::INT);
    let finished = process.finish();
    let took = finished.ended - signalled;
    assert!(took < BOUND, "took {took:?}");
    assert_eq!(finished.code(), 4, "nothing completed: {}", finished.stderr());
    text.extend(lines);
    let stream = Stream::parse(text.as_bytes());
    let run = stream.run_end();
    assert_eq!((run.count("ok"), run.count("failed"), run.count("sent")), (0, 0, USERS));
    assert_eq!(run.count("aborted"), USERS);
}

#[test]
fn a_swarm_that_sleeps_stops_in_time() {
    raise_open_files();
    let server = Server::responding(OK);
    let process = start(&server, &[&SWARM[..], &["--wait", "1h", "/"]].concat());
    server.wait_for_requests(usize::try_from(USERS).unwrap());
    let run = stops_in_time(process, 0);
    assert_eq!((run.count("sent"), run.count("ok"), run.count("failed")), (USERS, USERS, 0));
    assert_eq!((server.count(), server.connections()), (USERS, usize::try_from(USERS).unwrap()));
}
