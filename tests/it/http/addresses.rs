//! Which address a connection is made to.

use std::net::{Ipv4Addr, TcpListener};

use crate::process::run_alone;
use crate::server::{OK, Server};

const FIRST: Ipv4Addr = Ipv4Addr::LOCALHOST;
const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

fn serve(listener: TcpListener) -> Server {
    Server::on_listener(listener, |mut peer| while peer.respond(OK) {})
}

/// Two listeners with one port on two addresses.
fn pair() -> (TcpListener, TcpListener) {
    for _ in 0..100 {
        let first = TcpListener::bind((FIRST, 0)).unwrap();
        if let Ok(second) = TcpListener::bind((SECOND, first.local_addr().unwrap().port())) {
            return (first, second);
        }
    }
    panic!("no port that is free on both addresses");
}

#[test]
fn resolve_gives_a_name_its_address() {
    let server = serve(TcpListener::bind((FIRST, 0)).unwrap());
    let port = server.addr().port();
    let url = format!("http://shop.test:{port}/a");
    run_alone(&["-n", "2", "--resolve", &format!("shop.test:{port}:127.0.0.1"), &url]).exits(0);
    assert_eq!(server.requests()[0].header("host"), Some(format!("shop.test:{port}").as_str()));
    assert_eq!(server.count(), 2);
}

#[test]
fn a_name_without_an_address_is_a_dns_failure_and_nothing_is_sent() {
    let run = run_alone(&["-n", "2", "-6", "http://127.0.0.1:1/"]).exits(4);
    assert_eq!(run.errors(), [("dns: no address", 2)]);
}

#[test]
fn a_port_without_a_listener_refuses_connections() {
    let free = TcpListener::bind((FIRST, 0)).unwrap().local_addr().unwrap();
    let run = run_alone(&["-n", "2", &format!("http://{free}/")]).exits(4);
    assert_eq!(run.errors(), [("connect_refused: connection refused", 2)]);
}

#[test]
fn localhost_is_this_machine_in_the_requested_address_family() {
    let server = serve(TcpListener::bind((FIRST, 0)).unwrap());
    let url = format!("http://localhost:{}/", server.addr().port());
    run_alone(&["-n", "2", &url]).exits(0);
    run_alone(&["-n", "2", "-4", &url]).exits(0);
    assert_eq!(server.count(), 4);
    assert_eq!(server.requests()[0].header("host"), url.strip_prefix("http://").and_then(|url| url.strip_suffix('/')));
    // Nothing listens on ::1, where it exists at all.
    let run = run_alone(&["-n", "2", "-6", &url]).exits(4);
    assert!(run.errors()[0].0.starts_with("connect_"), "{:?}", run.errors());
    assert_eq!(server.count(), 4);
}

#[test]
fn ipv6_is_used_where_the_machine_has_it() {
    // Without IPv6 there is nothing to test.
    let Ok(listener) = TcpListener::bind("[::1]:0") else { return };
    let server = serve(listener);
    let port = server.addr().port();
    run_alone(&["-n", "1", &format!("http://[::1]:{port}/")]).exits(0);
    assert_eq!(server.requests()[0].header("host"), Some(format!("[::1]:{port}").as_str()));
    // 127.0.0.1 refuses, ::1 is tried next.
    run_alone(&["-n", "1", &format!("http://localhost:{port}/")]).exits(0);
    run_alone(&["-n", "1", "-6", &format!("http://localhost:{port}/")]).exits(0);
    let run = run_alone(&["-n", "1", "-4", &format!("http://localhost:{port}/")]).exits(4);
    assert_eq!(run.errors(), [("connect_refused: connection refused", 1)]);
    assert_eq!(server.count(), 3);
}

#[test]
fn new_connections_use_the_addresses_in_turn() {
    let (first, second) = pair();
    let (first, second) = (serve(first), serve(second));
    let port = first.addr().port();
    let addresses = format!("shop.test:{port}:127.0.0.1,127.0.0.2");
    let url = format!("http://shop.test:{port}/");
    let run = run_alone(&["-n", "20", "--no-keepalive", "--resolve", &addresses, &url]).exits(0);
    assert_eq!((first.count(), second.count(), run.count("ok")), (10, 10, 20));
}

#[test]
fn an_address_that_refuses_is_skipped() {
    let (first, second) = pair();
    let port = second.local_addr().unwrap().port();
    drop(second);
    let first = serve(first);
    let addresses = format!("shop.test:{port}:127.0.0.2,127.0.0.1");
    let url = format!("http://shop.test:{port}/");
    let run = run_alone(&["-n", "20", "--no-keepalive", "--resolve", &addresses, &url]).exits(0);
    assert_eq!((first.count(), run.count("ok"), run.count("failed")), (20, 20, 0));
}
