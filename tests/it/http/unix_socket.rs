//! `--unix-socket`: every request goes there, whatever its host.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::Signal;

use crate::process::{Process, ms, run_alone};
use crate::server::{CA_FILE, OK, Server};
use crate::support::{Run, Scratch};

/// The end is promised within a second; the rest is for a busy machine.
const ROOM: Duration = Duration::from_secs(1 + 14);

#[test]
fn many_users_have_a_connection_each_and_the_host_stays_that_of_the_url() {
    let scratch = Scratch::new("unix-many");
    let path = scratch.file("s");
    let server = Server::on_unix_socket(&path, |mut peer| while peer.respond(OK) {});
    let arguments = ["--unix-socket", &path, "-u", "50", "-r", "5000", "-n", "1000", "http://shop.test:81/a?b"];
    let run = run_alone(&arguments).exits(0);
    assert_eq!((run.count("ok"), server.count()), (1000, 1000));
    assert!(server.connections() <= 50, "{} connections", server.connections());
    assert_eq!(server.requests()[0].line(), "GET /a?b");
    assert_eq!(server.requests()[0].header("host"), Some("shop.test:81"));
    assert_eq!(run.stream().setting("unix-socket"), Some((path.as_str(), "flag")));
    let no_addresses = serde_json::json!([{"host": "shop.test:81", "addresses": []}]);
    assert_eq!(*run.stream().only("config").get("targets"), no_addresses);
}

#[test]
fn a_redirect_to_another_host_stays_on_the_socket() {
    let scratch = Scratch::new("unix-redirect");
    let path = scratch.file("s");
    let server = Server::on_unix_socket(&path, |mut peer| {
        while let Some(request) = peer.read() {
            let elsewhere = "HTTP/1.1 302 Found\r\nLocation: http://other.test/b\r\nContent-Length: 0\r\n\r\n";
            peer.send(if request.line() == "GET /a" { elsewhere } else { OK });
        }
    });
    let run = run_alone(&["--unix-socket", &path, "-n", "3", "http://shop.test/a"]).exits(0);
    assert_eq!((run.count("ok"), run.count("redirects"), server.count()), (3, 3, 6));
    assert_eq!(server.requests()[1].header("host"), Some("other.test"));
}

#[test]
fn tls_over_a_unix_socket_uses_the_host_of_the_url() {
    let scratch = Scratch::new("unix-tls");
    let path = scratch.file("s");
    let server = Server::on_unix_socket(&path, |peer| {
        let mut peer = peer.accept_tls();
        while peer.respond(OK) {}
    });
    let flags = ["--unix-socket", &path, "--cacert", CA_FILE, "-n", "4"];
    run_alone(&[&flags[..], &["https://shop.test/"]].concat()).exits(0);
    assert_eq!((server.connections(), server.count()), (1, 4));
    let run = run_alone(&[&flags[..], &["https://other.test/"]].concat()).exits(4);
    assert_eq!(run.errors(), [("tls: certificate for another name", 4)]);
    assert_eq!(server.count(), 4);
}

#[test]
fn each_request_fails_after_the_socket_was_removed() {
    let scratch = Scratch::new("unix-gone");
    let path = scratch.file("s");
    let gone = path.clone();
    let server = Server::on_unix_socket(&path, move |mut peer| {
        peer.read();
        std::fs::remove_file(&gone).unwrap();
        peer.send(OK);
    });
    let run = run_alone(&["--unix-socket", &path, "--no-keepalive", "-n", "3", "http://shop.test/"]).exits(1);
    assert_eq!(run.errors(), [("connect_other: the socket is gone", 2)]);
    assert_eq!((run.count("ok"), server.count()), (1, 1));
}

#[test]
fn a_socket_without_a_listener_refuses_connections() {
    let scratch = Scratch::new("unix-refused");
    let path = scratch.file("s");
    drop(UnixListener::bind(&path).unwrap());
    let run = run_alone(&["--unix-socket", &path, "-n", "3", "http://shop.test/"]).exits(4);
    assert_eq!(run.errors(), [("connect_refused: connection refused", 3)]);
}

/// A socket whose accept queue is full while the listener exists: connecting to it blocks.
fn full_queue(path: &str) -> (UnixListener, Vec<std::os::fd::OwnedFd>) {
    let listener = UnixListener::bind(path).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let mut queued = Vec::new();
    for _ in 0..16 {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
        match rustix::net::connect(&socket, &SocketAddrUnix::new(path).unwrap()) {
            Ok(()) => queued.push(socket),
            Err(error) => {
                assert_eq!(error, Errno::AGAIN);
                return (listener, queued);
            }
        }
    }
    panic!("the queue of a backlog of 0 never fills");
}

#[test]
fn a_server_that_never_accepts_is_a_connect_timeout() {
    let scratch = Scratch::new("unix-full");
    let path = scratch.file("s");
    let _full = full_queue(&path);
    let flags = ["--unix-socket", &path, "-n", "2", "--connect-timeout", "400ms", "http://shop.test/"];
    let run = run_alone(&flags).exits(4);
    assert_eq!(run.errors(), [("connect_timeout: not connected in time", 2)]);
    let shortest = run.statistic("min_response_time");
    assert!(shortest >= 400.0 && shortest < ms(ROOM), "{shortest}");
}

#[test]
fn users_that_are_still_connecting_stop_in_time() {
    let scratch = Scratch::new("unix-stop");
    let path = scratch.file("s");
    let _full = full_queue(&path);
    let flags =
        ["run", "--unix-socket", &path, "-u", "20", "-r", "1000", "--connect-timeout", "10m", "--interval", "100ms"];
    let mut process = Process::start(Run::new(flags).with(["http://shop.test/"]));
    process.await_output(|text| text.contains("\"in_flight\":20,"));
    let signalled = Instant::now();
    process.signal(Signal::INT);
    let run = process.finish().exits(4);
    assert_eq!((run.count("sent"), run.count("aborted")), (20, 20));
    assert!(run.ended - signalled < ROOM, "{:?}", run.ended - signalled);
}

#[test]
fn a_path_that_cannot_be_a_socket_is_refused_before_the_run() {
    let scratch = Scratch::new("unix-wrong");
    let file = scratch.write("file", "no socket");
    let missing = scratch.file("missing");
    let long = format!("/{}", "x".repeat(107));
    for (path, why) in [
        (missing.as_str(), "No such file"),
        ("", "needs a value"),
        (&file, "is not a socket"),
        (&long, "has 108 bytes, a socket's path has at most 107"),
    ] {
        let finished = Run::new(["run", "--unix-socket", path, "-n", "1", "http://shop.test/"]).finish().exits(2);
        let line = finished.complaint();
        assert!(line.starts_with("--unix-socket") && line.contains(why), "{path}: {line}");
    }
}
