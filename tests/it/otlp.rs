//! `--otlp`: what goes to the backend and to no other place, and how the last push ends. Others' backends are in tests/e2e.

use std::sync::mpsc::channel;
use std::time::Duration;

use rustix::process::Signal;

use crate::process;
use crate::server::{CA_FILE, OK, Peer, Server};
use crate::support::{Finished, Run, target};

/// A backend that takes every push.
const TAKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// `ExportMetricsServiceResponse` whose `partial_success` has three rejected data points and an `error_message`.
const PARTLY_TAKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n\n\u{10}\u{8}\u{3}\u{12}\u{c}out of order";

/// A backend that speaks TLS, with a certificate of the tests' own CA.
fn tls_backend() -> (Server, String) {
    let backend = Server::start(|peer| {
        let mut peer = peer.accept_tls();
        while peer.respond(TAKEN) {}
    });
    let url = format!("https://{}", backend.addr());
    (backend, url)
}

/// A run of one request that pushes to this URL, with these variables.
fn pushed(url: &str, variables: &[(&str, &str)]) -> Finished {
    let target = target();
    let host = format!("http://{}", target.addr());
    let mut run = Run::new(["run", "-H", &host, "-n", "1", "--only-summary", "--otlp", url, "/ok"]);
    for (name, value) in variables {
        run = run.env(name, value);
    }
    run.finish()
}

#[test]
fn pushes_go_to_the_backend_whatever_proxy_the_environment_names() {
    let (backend, proxy) = (Server::responding(TAKEN), Server::start(Peer::hang));
    let url = proxy.host();
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let variables = names.map(|name| (name, url.as_str()));
    let run = pushed(&backend.host(), &variables).exits(0);
    assert!(run.stderr.contains("the last has the complete run"), "{}", run.stderr);
    assert!(backend.count() > 0);
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn a_second_signal_ends_the_last_push_and_leaves_the_result_of_the_run() {
    let (backend, server) = (Server::start(Peer::hang), Server::responding(OK));
    let mut run = process::start(&server, &["-n", "3", "--otlp", &backend.host(), "/"]);
    run.await_output(|text| text.contains("swarmline.event.run.end"));
    run.signal(Signal::INT);
    // Signals within a second are one: that time itself has to pass.
    let (_open, silent) = channel::<()>();
    assert!(silent.recv_timeout(Duration::from_millis(1100)).is_err());
    run.signal(Signal::INT);
    let run = run.finish().exits(0);
    assert!(run.stderr().contains("none has the complete run"), "{}", run.stderr());
    assert!(run.stderr().contains("a signal ended the last push"), "{}", run.stderr());
}

#[test]
fn why_a_push_failed_is_said_in_plain_words() {
    let garbage = Server::responding("garbage\r\n\r\n");
    let closing = Server::start(|mut peer| drop(peer.read()));
    let (hanging, quick) = (Server::start(Peer::hang), [("OTEL_EXPORTER_OTLP_TIMEOUT", "300")]);
    let cases = [
        (crate::support::dead_host(), "connection refused"),
        ("http://no-such-host.invalid".to_owned(), "the host has no address"),
        (garbage.host(), "not an HTTP answer"),
        (closing.host(), "the connection was closed before the answer"),
        (hanging.host(), "no answer within 0.3 s"),
    ];
    std::thread::scope(|scope| {
        for (url, why) in &cases {
            scope.spawn(move || {
                let run = pushed(url, &quick).exits(0);
                assert!(run.stderr.contains(&format!("failed: {why}\n")), "{why}: {}", run.stderr);
            });
        }
    });
}

#[test]
fn pushes_over_tls_trust_the_authority_of_the_variable() {
    let (backend, url) = tls_backend();
    let run = pushed(&url, &[("OTEL_EXPORTER_OTLP_CERTIFICATE", CA_FILE)]).exits(0);
    assert!(run.stderr.contains("the last has the complete run\n"), "{}", run.stderr);
    let last = backend.requests().pop().unwrap();
    assert_eq!(last.header("content-type"), Some("application/x-protobuf"));
    assert!(!last.body.is_empty());
}

#[test]
fn nothing_goes_to_a_backend_whose_authority_is_not_trusted() {
    let (backend, url) = tls_backend();
    let run = pushed(&url, &[]).exits(0);
    assert!(run.stderr.contains("none has the complete run"), "{}", run.stderr);
    assert!(run.stderr.contains("UnknownIssuer"), "{}", run.stderr);
    assert_eq!(backend.count(), 0);
}

#[test]
fn data_points_that_the_backend_refuses_are_counted_with_its_words() {
    let (backend, server) = (Server::responding(PARTLY_TAKEN), Server::responding(OK));
    let line = ["-u", "1", "--wait", "10ms", "--interval", "100ms", "--otlp", &backend.host(), "/"];
    let mut run = process::start(&server, &line);
    run.await_output(|text| text.contains("\"otlp_rejected\":3"));
    run.signal(Signal::INT);
    let run = run.finish().exits(0);
    let pushes = backend.count();
    assert!(run.stderr().contains(&format!("metrics: {pushes} pushes to ")), "{}", run.stderr());
    let words = format!("none has the complete run; 0 failed, and {} data points were refused", pushes * 3);
    assert!(run.stderr().contains(&words), "{}", run.stderr());
    assert!(run.stderr().contains("the backend refused data points: out of order"), "{}", run.stderr());
    let warned = run.stream().warnings().iter().filter(|kind| **kind == "otlp_rejected").count();
    assert_eq!(warned, 1, "once a run");
}

#[test]
fn a_stream_that_is_watched_is_pushed_as_its_run_would_be() {
    let backend = Server::responding(TAKEN);
    let stream = include_str!("../corpus/streams/alone.ndjson");
    let watch = Run::new(["watch", "-", "--otlp", &backend.host()]).input(stream).finish().exits(0);
    assert!(watch.stderr.contains("the last has the complete run\n"), "{}", watch.stderr);
    let last = backend.requests().pop().unwrap();
    let names =
        ["swarmline.run_id", "http.client.request.duration", "swarmline.requests", "locust.tl.event.test.events"];
    for name in names {
        assert!(last.body.windows(name.len()).any(|part| part == name.as_bytes()), "{name}");
    }
}
