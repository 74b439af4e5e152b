//! `--proxy socks5://…` and `socks5h://…`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process::{Finished, Process, ms, run_alone};
use crate::server::{BlackHole, CA_FILE, OK, Peer, Reply, Server, Socks};
use crate::support::Run;

/// The promise is a second, or the timeout that was set; the rest is for a busy machine.
const ROOM: Duration = Duration::from_secs(1 + 14);

/// A proxy without login that connects to `origin` whatever the destination.
fn proxy(origin: &Server) -> Socks {
    let origin = origin.addr();
    Socks::start(None, move |_| Reply::Connected(origin))
}

/// Runs two requests, which must fail with the same error; returns it.
fn fails(proxy: &str, arguments: &[&str]) -> (String, Finished) {
    let run = run_alone(&[&["--proxy", proxy, "-n", "2"], arguments].concat()).exits(4);
    let errors = run.errors();
    assert!(errors.len() == 1 && errors[0].1 == 2, "{errors:?}");
    (errors[0].0.to_owned(), run)
}

#[test]
fn with_socks5h_the_proxy_resolves_the_name() {
    let origin = Server::responding(OK);
    let proxy = proxy(&origin);
    let url = format!("socks5h://{}", proxy.addr());
    let run = run_alone(&["--proxy", &url, "-n", "4", "http://shop.test:81/a?b"]).exits(0);
    assert_eq!((run.count("ok"), origin.count(), origin.connections()), (4, 4, 1), "the connection is kept");
    assert_eq!(proxy.destinations(), ["name shop.test:81"]);
    let request = &origin.requests()[0];
    assert_eq!((request.line(), request.header("host")), ("GET /a?b", Some("shop.test:81")), "as without a proxy");
    assert_eq!(run.stream().setting("proxy"), Some((url.as_str(), "flag")));
    let no_addresses = serde_json::json!([{"host": "shop.test:81", "addresses": []}]);
    assert_eq!(*run.stream().only("config").get("targets"), no_addresses);
    // Addresses are not sent as names.
    run_alone(&["--proxy", &url, "-n", "1", "http://127.0.0.9:81/"]).exits(0);
    run_alone(&["--proxy", &url, "-n", "1", "http://[::9]:81/"]).exits(0);
    assert_eq!(proxy.destinations()[1..], ["address 127.0.0.9:81", "address [::9]:81"]);
}

#[test]
fn with_socks5_the_name_is_resolved_locally() {
    let origin = Server::responding(OK);
    let proxy = proxy(&origin);
    let url = format!("socks5://{}", proxy.addr());
    let resolve = ["--resolve", "shop.test:81:127.0.0.9"];
    let run = run_alone(&[&["--proxy", &url, "-n", "2"], &resolve[..], &["http://shop.test:81/"]].concat()).exits(0);
    assert_eq!((run.count("ok"), origin.count()), (2, 2));
    assert_eq!(proxy.destinations(), ["address 127.0.0.9:81"]);
    let looked_up = serde_json::json!([{"host": "shop.test:81", "addresses": ["127.0.0.9"]}]);
    assert_eq!(*run.stream().only("config").get("targets"), looked_up);
    // There is no address of the requested family: nothing is sent to the proxy.
    let (error, _) = fails(&url, &["-4", "--resolve", "shop.test:81:::1", "http://shop.test:81/"]);
    assert_eq!((error.as_str(), proxy.destinations().len()), ("dns: no address", 1));
}

#[test]
fn an_address_that_the_proxy_cannot_reach_is_skipped() {
    let origin = Server::responding(OK);
    let origin_addr = origin.addr();
    let bad = |destination: &str| destination == "address 127.0.0.8:81";
    let proxy = Socks::start(
        None,
        move |destination| if bad(destination) { Reply::Failed(5) } else { Reply::Connected(origin_addr) },
    );
    let url = format!("socks5://{}", proxy.addr());
    let flags = ["--proxy", &url, "-n", "4", "--no-keepalive", "--resolve", "shop.test:81:127.0.0.8,127.0.0.9"];
    let run = run_alone(&[&flags[..], &["http://shop.test:81/"]].concat()).exits(0);
    assert_eq!((run.count("ok"), run.count("failed"), origin.count()), (4, 0, 4));
    // Connections start with the addresses in turn: every second one tries the bad one first.
    assert_eq!(proxy.destinations().iter().filter(|destination| bad(destination)).count(), 2);
}

#[test]
fn tls_goes_through_the_proxy_to_the_host_of_the_url() {
    let origin = Server::start(|peer| {
        let mut peer = peer.accept_tls();
        while peer.respond(OK) {}
    });
    let proxy = proxy(&origin);
    let url = format!("socks5h://{}", proxy.addr());
    run_alone(&["--proxy", &url, "--cacert", CA_FILE, "-n", "4", "https://shop.test/"]).exits(0);
    assert_eq!((origin.count(), proxy.destinations()), (4, vec!["name shop.test:443".to_owned()]));
    let (error, _) = fails(&url, &["--cacert", CA_FILE, "https://other.test/"]);
    assert_eq!(error, "tls: certificate for another name");
}

#[test]
fn credentials_are_sent_to_the_proxy_and_masked_in_the_stream() {
    let origin = Server::responding(OK);
    let origin_addr = origin.addr();
    let proxy = Socks::start(Some(("am:y", "p@:s/s")), move |_| Reply::Connected(origin_addr));
    let url = format!("socks5h://am%3Ay:p%40:s/s@{}", proxy.addr());
    let run = run_alone(&["--proxy", &url, "-n", "2", "http://shop.test/"]).exits(0);
    assert_eq!((run.count("ok"), origin.count()), (2, 2));
    let masked = format!("socks5h://***@{}", proxy.addr());
    assert_eq!(run.stream().setting("proxy"), Some((masked.as_str(), "flag")));
    let output = format!("{}{}", run.text(), run.stderr());
    assert!(!output.contains("s/s@") && !output.contains("p%40") && !output.contains("p@:s"), "{output}");
    for login in ["", "am%3Ay:wrong@", "am%3Ay@"] {
        let (error, _) = fails(&format!("socks5h://{login}{}", proxy.addr()), &["http://shop.test/"]);
        assert_eq!(error, "connect_other: the proxy wants other credentials", "{login}");
    }
    assert_eq!(origin.count(), 2);
}

#[test]
fn credentials_that_the_proxy_does_not_need_do_no_harm() {
    let origin = Server::responding(OK);
    let proxy = proxy(&origin);
    run_alone(&["--proxy", &format!("socks5h://amy:pass@{}", proxy.addr()), "-n", "2", "http://shop.test/"]).exits(0);
    assert_eq!(origin.count(), 2);
}

#[test]
fn a_failure_reported_by_the_proxy_has_the_class_that_it_has_without_a_proxy() {
    for (reply, expected) in [
        (1, "connect_other: refused by the proxy"),
        (2, "connect_other: refused by the proxy"),
        (3, "connect_other: unreachable"),
        (4, "connect_other: unreachable"),
        (5, "connect_refused: connection refused"),
        (6, "connect_other: unreachable"),
        (7, "connect_other: refused by the proxy"),
        (8, "connect_other: refused by the proxy"),
        (99, "connect_other: refused by the proxy"),
    ] {
        let proxy = Socks::start(None, move |_| Reply::Failed(reply));
        let (error, _) = fails(&format!("socks5h://{}", proxy.addr()), &["http://shop.test/"]);
        assert_eq!(error, expected, "{reply}");
    }
}

#[test]
fn a_peer_that_is_not_a_socks_proxy_has_errors_of_its_own() {
    for (response, expected) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "connect_other: no proper answer from the proxy"),
        (&[4, 0], "connect_other: no proper answer from the proxy"),
        (&[5, 1], "connect_other: no proper answer from the proxy"),
        (&[5, 2], "connect_other: no proper answer from the proxy"),
        (&[5, 0xff], "connect_other: the proxy wants other credentials"),
        (&[5, 0, 4, 0], "connect_other: no proper answer from the proxy"),
        (&[5, 0, 5, 0, 0, 9], "connect_other: no proper answer from the proxy"),
        (&[5, 0, 5, 1], "connect_other: refused by the proxy"),
        (&[5, 0, 5, 0, 0, 1, 0, 0], "connect_other: closed by the proxy"),
        (&[5], "connect_other: closed by the proxy"),
        (&[], "connect_other: closed by the proxy"),
    ] {
        let server = Server::start(move |mut peer| {
            peer.read_exact(3);
            peer.send(response);
            peer.finish_sending();
            peer.drain();
        });
        let (error, _) = fails(&format!("socks5h://{}", server.addr()), &["http://shop.test/"]);
        assert_eq!(error, expected, "{response:?}");
    }
}

#[test]
fn a_proxy_that_cannot_be_reached_is_a_failure_to_connect() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (error, _) = fails(&format!("socks5://{free}"), &["http://127.0.0.1/"]);
    assert_eq!(error, "connect_refused: connection refused");
    let full = BlackHole::new();
    let (error, _) = fails(&format!("socks5://{}", full.addr()), &["--connect-timeout", "400ms", "http://127.0.0.1/"]);
    assert_eq!(error, "connect_timeout: not connected in time");
}

/// The behaviour of a server, with a name.
type Behaviour = (&'static str, fn(Peer));

/// Proxies that never complete their reply: silent from the start, silent later, or dripping bytes.
fn silent() -> Vec<(&'static str, Server)> {
    let behaviours: [Behaviour; 3] = [
        ("silent", |mut peer| {
            peer.read_exact(3);
            peer.hang();
        }),
        ("silent after the greeting", |mut peer| {
            peer.read_exact(3);
            peer.send([5, 0]);
            peer.hang();
        }),
        ("dripping", |mut peer| {
            // The bound address is a name of 255 bytes.
            peer.read_exact(3);
            peer.send([5, 0, 5, 0, 0, 3, 255]);
            while peer.pause(Duration::from_millis(100)) {
                peer.send("x");
            }
        }),
    ];
    behaviours.map(|(what, behaviour)| (what, Server::start(behaviour))).into()
}

#[test]
fn a_proxy_that_never_responds_is_a_connect_timeout() {
    for (what, server) in silent() {
        let url = format!("socks5h://{}", server.addr());
        let (error, run) = fails(&url, &["--connect-timeout", "400ms", "http://shop.test/"]);
        assert_eq!(error, "connect_timeout: not connected in time", "{what}");
        let (shortest, longest) = (run.statistic("min_response_time"), run.statistic("max_response_time"));
        assert!(shortest >= 400.0 && longest < ms(ROOM), "{what}: {shortest} to {longest}");
        let (error, _) = fails(&url, &["--timeout", "400ms", "http://shop.test/"]);
        assert_eq!(error, "timeout: not connected within 0.4s", "{what}");
    }
}

#[test]
fn a_proxy_that_never_responds_does_not_delay_the_end() {
    for (what, server) in silent() {
        let url = format!("socks5h://{}", server.addr());
        let flags = ["run", "--proxy", &url, "--connect-timeout", "10m", "--timeout", "10m", "-u", "20"];
        let process = Process::start(Run::new(flags).with(["-r", "1000", "http://shop.test/"]));
        server.wait_for_connections(20);
        let signalled = Instant::now();
        process.signal(Signal::TERM);
        let run = process.finish().exits(4);
        assert!(run.ended - signalled < ROOM, "{what}: {:?}", run.ended - signalled);
        assert_eq!((run.count("sent"), run.count("failed"), run.count("aborted")), (20, 0, 20), "{what}");
    }
}

#[test]
fn a_name_too_long_for_socks_is_a_dns_failure() {
    let proxy = Socks::start(None, |_| Reply::Connected(SocketAddr::from(([127, 0, 0, 1], 1))));
    let url = format!("http://{}.test/", "x".repeat(251));
    let (error, _) = fails(&format!("socks5h://{}", proxy.addr()), &[&url]);
    assert_eq!((error.as_str(), proxy.destinations().len()), ("dns: no address", 0));
}

#[test]
fn a_wrong_url_is_refused_before_the_run_without_quoting_it() {
    let long = format!("socks5://amy:{}@127.0.0.1:1080", "sesame".repeat(43));
    for (url, why) in [
        ("socks4://amy:sesame@127.0.0.1:1080", "only version 5 of SOCKS is supported"),
        ("socks://amy:sesame@127.0.0.1:1080", "only version 5 of SOCKS is supported"),
        ("socks5://amy:sesame@127.0.0.1", "HOST:PORT"),
        ("socks5://:sesame@127.0.0.1:1080", "the name is missing"),
        (&long, "at most 255 bytes"),
    ] {
        let finished = Run::new(["run", "--proxy", url, "-n", "1", "http://127.0.0.1:1/"]).finish().exits(2);
        let line = finished.complaint();
        assert!(line.starts_with("--proxy: ") && line.contains(why), "{url}: {line}");
        assert!(!line.contains("sesame"), "{line}");
    }
}
