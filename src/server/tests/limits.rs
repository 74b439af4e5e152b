//! How much a single client can make the server hold, and for how long.

use std::time::Duration;

use super::client::Client;
use super::server;

#[test]
fn an_echo_of_the_worst_bytes_is_complete() {
    let server = server();
    let mut client = Client::connect(&server);
    // Characters that take six bytes each in JSON, and invalid UTF-8.
    let worst = [vec![1; 300_000], vec![0xff; 224_288]].concat();
    for method in ["POST", "GET"] {
        let head = format!("{method} /echo HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n", worst.len());
        client.send([head.as_bytes(), &worst].concat());
        let echo: serde_json::Value = serde_json::from_slice(&client.answer().body).unwrap();
        assert_eq!(echo["body"], String::from_utf8_lossy(&worst).as_ref());
    }
}

#[test]
fn a_client_that_neither_sends_nor_reads_is_disconnected_after_a_while() {
    let server = server();
    let mut client = Client::connect(&server);
    client.get("/ok");
    let open = server.acceptor.open();
    let streams = open.lock();
    let limits: Vec<_> = streams.values().map(|s| [s.read_timeout(), s.write_timeout()].map(Result::unwrap)).collect();
    assert_eq!(limits, [[Some(Duration::from_secs(30)); 2]]);
}
