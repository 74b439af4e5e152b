//! What one client can make the server hold, and for how long.

use std::time::Duration;

use super::client::Client;
use super::server;

#[test]
fn an_echo_of_the_worst_bytes_comes_whole() {
    let server = server();
    let mut client = Client::connect(&server);
    // Six bytes of JSON each, and what is no UTF-8.
    let worst = [vec![1; 300_000], vec![0xff; 224_288]].concat();
    for method in ["POST", "GET"] {
        let head = format!("{method} /echo HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n", worst.len());
        client.send([head.as_bytes(), &worst].concat());
        let echo: serde_json::Value = serde_json::from_slice(&client.answer().body).unwrap();
        assert_eq!(echo["body"], String::from_utf8_lossy(&worst).as_ref());
    }
}

#[test]
fn a_client_that_sends_or_takes_nothing_is_closed_after_a_while() {
    let server = server();
    let mut client = Client::connect(&server);
    client.get("/ok");
    let open = server.shared.open();
    let limits: Vec<_> = open.values().map(|s| [s.read_timeout(), s.write_timeout()].map(Result::unwrap)).collect();
    assert_eq!(limits, [[Some(Duration::from_secs(30)); 2]]);
}
