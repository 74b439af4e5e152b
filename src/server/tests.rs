//! Tests of the embedded server over real sockets.

#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod client;
mod limits;
mod shop;

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::error::Exit;
use crate::server::tests::client::{Client, WAIT_LIMIT, field};
use crate::server::{Server, check_listen};

fn server() -> Server {
    Server::start("127.0.0.1:0".parse().unwrap()).unwrap()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < WAIT_LIMIT, "timed out waiting until {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_keep_alive_connection_serves_many_requests() {
    let server = server();
    let mut client = Client::connect(&server);
    for _ in 0..100 {
        let answer = client.get("/ok");
        assert_eq!((answer.status, answer.text()), (200, r#"{"ok":true}"#));
        assert_eq!(field(&answer.head, "Content-Type"), Some("application/json"));
        assert_eq!(field(&answer.head, "Server"), Some("swarmline-target"));
        assert_eq!(field(&answer.head, "Connection"), None);
    }
    assert_eq!((server.connections(), server.requests(), server.requests_to("ok")), (1, 100, 100));
}

#[test]
fn requests_are_counted_by_their_first_segment() {
    let server = server();
    let mut client = Client::connect(&server);
    for path in ["/bytes/3", "/bytes/x", "/nothing", "/", "/ok?query=1", "http://host:1/ok", "/other"] {
        client.get(path);
    }
    let counts = ["ok", "bytes", "other", "delay", "unknown"].map(|name| server.requests_to(name));
    assert_eq!((counts, server.requests()), ([2, 2, 3, 0, 0], 7));
}

#[test]
fn pipelined_requests_get_their_responses_in_order() {
    let server = server();
    let mut client = Client::connect(&server);
    let one = |path| format!("POST {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody");
    client.send(["/bytes/1", "/delay/20", "/bytes/2", "/bytes/3"].map(one).concat());
    assert_eq!([(); 4].map(|()| client.answer().body.len()), [1, 11, 2, 3]);
}

#[test]
fn a_request_that_arrives_byte_by_byte_gets_a_response() {
    let server = server();
    let mut client = Client::connect(&server);
    let request = "\r\nPUT /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: Chunked\r\n\r\n\
                   3;a=\"b\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
    for byte in request.bytes() {
        client.send([byte]);
    }
    let echo: serde_json::Value = serde_json::from_slice(&client.answer().body).unwrap();
    assert_eq!(echo["body"], "abc0123456789");
    assert_eq!(client.get("/ok").status, 200);
}

#[test]
fn an_echo_contains_method_target_headers_and_body() {
    let server = server();
    let mut client = Client::connect(&server);
    client.send("PATCH /echo?a=%20 HTTP/1.1\r\nHost: t\r\nX-Two: 1\r\nx-two: 2\r\nContent-Length: 3\r\n\r\n\"\n\u{1}");
    let echo: serde_json::Value = serde_json::from_slice(&client.answer().body).unwrap();
    let headers = [["Host", "t"], ["X-Two", "1"], ["x-two", "2"], ["Content-Length", "3"]];
    let expected =
        serde_json::json!({"method": "PATCH", "target": "/echo?a=%20", "headers": headers, "body": "\"\n\u{1}"});
    assert_eq!(echo, expected);
}

#[test]
fn a_body_is_read_completely_whatever_the_response() {
    let server = server();
    let mut client = Client::connect(&server);
    for (path, length, status) in
        [("/ok", 3_000_000, 200), ("/echo", 1 << 19, 200), ("/echo", (1 << 19) + 1, 413), ("/nothing", 70_000, 404)]
    {
        let body = "b".repeat(length);
        client.send(format!("POST {path} HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n\r\n{body}"));
        assert_eq!(client.answer().status, status, "{path} {length}");
        let half = length / 2;
        client.send(format!("POST {path} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"));
        for size in [half, length - half] {
            client.send(format!("{size:x}\r\n{}\r\n", &body[..size]));
        }
        assert_eq!(client.send("0\r\n\r\n").answer().status, status, "{path} {length}, chunked");
    }
}

#[test]
fn a_client_that_expects_100_continue_gets_it() {
    let server = server();
    let mut client = Client::connect(&server);
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.head().1, "HTTP/1.1 100 Continue\r\n\r\n");
    let answer = client.send("hi").answer();
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains(r#""body":"hi""#));
}

#[test]
fn bytes_has_the_requested_length() {
    let server = server();
    let mut client = Client::connect(&server);
    for count in [0, 1, 65_535, 65_536, 65_537, 5_000_000] {
        let answer = client.get(&format!("/bytes/{count}"));
        assert_eq!((answer.status, answer.body.len()), (200, count));
        assert!(answer.body.iter().all(|byte| *byte == b'x'));
    }
}

#[test]
fn an_argument_out_of_range_is_a_bad_request_and_a_longer_path_is_not_found() {
    let server = server();
    let mut client = Client::connect(&server);
    for path in [
        "/bytes",
        "/bytes/",
        "/bytes/-1",
        "/bytes/+1",
        "/bytes/1073741825",
        "/delay/3600001",
        "/delay/18446744073709551616",
        "/status/199",
        "/status/600",
        "/status/2x0",
        "/drip/1",
        "/drip/1000001/0",
        "/redirect/x",
        "/redirect/1?status=200",
        "/redirect/1?to=/a%0d%0ab",
        "/redirect/1?to=/%f",
    ] {
        assert_eq!(client.get(path).status, 400, "{path}");
    }
    for path in ["/", "/no", "/ok/", "/ok/1", "/bytes/1/2", "/drip/1/1/1"] {
        assert_eq!(client.get(path).status, 404, "{path}");
    }
}

#[test]
fn status_responds_with_the_requested_status_and_a_body_where_allowed() {
    let server = server();
    let mut client = Client::connect(&server);
    for (status, has_body) in
        [(200, true), (204, false), (205, false), (304, false), (404, true), (503, true), (599, true)]
    {
        let answer = client.get(&format!("/status/{status}"));
        assert_eq!((answer.status, !answer.body.is_empty()), (status, has_body));
        assert_eq!(field(&answer.head, "Content-Length").is_none(), [204, 304].contains(&status), "{}", answer.head);
    }
}

#[test]
fn a_head_request_gets_the_same_head_without_the_body() {
    let server = server();
    let mut client = Client::connect(&server);
    for path in ["/ok", "/bytes/100000", "/status/404", "/drip/3/0", "/cookies", "/redirect/1", "/nothing"] {
        let of_get = Client::connect(&server).send(format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n")).head();
        assert_eq!(client.send(format!("HEAD {path} HTTP/1.1\r\nHost: t\r\n\r\n")).head(), of_get, "{path}");
    }
    assert_eq!(client.get("/ok").status, 200);
}

#[test]
fn a_delay_takes_at_least_its_time() {
    let server = server();
    let start = Instant::now();
    assert_eq!(Client::connect(&server).get("/delay/50").status, 200);
    assert!(start.elapsed() >= Duration::from_millis(50));
}

#[test]
fn a_drip_arrives_in_chunks_with_pauses() {
    let server = server();
    let start = Instant::now();
    let mut client = Client::connect(&server);
    let (_, head) = client.send("GET /drip/3/20 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").head();
    assert_eq!(field(&head, "Transfer-Encoding"), Some("chunked"));
    assert_eq!(client.rest(), "1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n0\r\n\r\n");
    assert!(start.elapsed() >= Duration::from_millis(40));

    let mut client = Client::connect(&server);
    client.send("GET /drip/0/0 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").head();
    assert_eq!(client.rest(), "0\r\n\r\n");

    let mut client = Client::connect(&server);
    let (_, head) = client.send("GET /drip/3/0 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").head();
    assert_eq!((field(&head, "Transfer-Encoding"), field(&head, "Connection")), (None, Some("close")));
    assert_eq!(client.rest(), "xxx");
}

#[test]
fn redirects_lead_step_by_step_to_a_response() {
    let server = server();
    let mut client = Client::connect(&server);
    for (path, status, location) in [
        ("/redirect/2", 302, Some("/redirect/1")),
        ("/redirect/1", 302, Some("/redirect/0")),
        ("/redirect/0", 200, None),
        ("/redirect/2?status=307", 307, Some("/redirect/1?status=307")),
        ("/redirect/1?status=308&to=http%3A%2F%2Fh%2Fp%3Fq", 308, Some("http://h/p?q")),
        ("/redirect/2?to=/ok", 302, Some("/redirect/1?to=/ok")),
    ] {
        let answer = client.get(path);
        assert_eq!((answer.status, field(&answer.head, "Location")), (status, location), "{path}");
    }
}

#[test]
fn cookies_are_set_and_echoed() {
    let server = server();
    let mut client = Client::connect(&server);
    let answer = client.get("/cookies");
    assert_eq!(field(&answer.head, "Set-Cookie"), Some("swarm=1; Path=/"));
    assert_eq!(answer.text(), r#"{"cookie":null}"#);
    let answer = client.send("GET /cookies HTTP/1.1\r\nHost: t\r\nCookie: swarm=1; b=2\r\n\r\n").answer();
    assert_eq!(answer.text(), r#"{"cookie":"swarm=1; b=2"}"#);
}

#[test]
fn a_connection_is_kept_or_closed_depending_on_version_and_header() {
    let server = server();
    for (request, header, closes) in [
        ("GET /ok HTTP/1.1\r\nHost: t\r\nConnection: close", Some("close"), true),
        ("GET /ok HTTP/1.1\r\nHost: t\r\nConnection: x, Close", Some("close"), true),
        ("GET /ok HTTP/1.1\r\nHost: t\r\nConnection: keep-alive", None, false),
        ("GET /ok HTTP/1.0", Some("close"), true),
        ("GET /ok HTTP/1.0\r\nConnection: Keep-Alive", Some("keep-alive"), false),
    ] {
        let mut client = Client::connect(&server);
        let answer = client.send(format!("{request}\r\n\r\n")).answer();
        assert_eq!((answer.status, field(&answer.head, "Connection")), (200, header), "{request}");
        if closes {
            assert_eq!(client.rest(), "", "{request}");
        } else {
            assert_eq!(client.get("/ok").status, 200, "{request}");
        }
    }
}

#[test]
fn a_broken_request_is_refused_and_the_connection_closed() {
    let server = server();
    let many = "A: b\r\n".repeat(129);
    let long = "a".repeat(64 * 1024);
    let post = |fields: &str| format!("POST /ok HTTP/1.1\r\nHost: t\r\n{fields}\r\n\r\n");
    for (request, status) in [
        ("nonsense\r\n\r\n".to_owned(), "400"),
        ("GET /ok HTTP/2.0\r\nHost: t\r\n\r\n".to_owned(), "400"),
        ("GET /ok HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("GET /ok HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n".to_owned(), "400"),
        ("GET /ok HTTP/1.1\r\nHost : t\r\n\r\n".to_owned(), "400"),
        (post("Content-Length: -1"), "400"),
        (post("Content-Length: 1, 1"), "400"),
        (post("Content-Length: 18446744073709551616"), "400"),
        (post("Content-Length: 1\r\nContent-Length: 2"), "400"),
        (post("Content-Length: 1\r\nTransfer-Encoding: chunked"), "400"),
        (post("Transfer-Encoding: gzip, chunked"), "400"),
        (post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), "400"),
        ("POST /ok HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), "400"),
        (post("Transfer-Encoding: chunked") + "x\r\n", "400"),
        (post("Transfer-Encoding: chunked") + "\r\n", "400"),
        (post("Transfer-Encoding: chunked") + "1\r\nabc\r\n0\r\n\r\n", "400"),
        (post("Transfer-Encoding: chunked") + "1;" + &long + "\r\n", "400"),
        (format!("GET /ok HTTP/1.1\r\nHost: t\r\n{many}\r\n"), "431"),
        (format!("GET /ok HTTP/1.1\r\nHost: t\r\nA: {long}\r\n\r\n"), "431"),
        (format!("GET /{long} HTTP/1.1\r\nHost: t\r\n\r\n"), "431"),
    ] {
        let mut client = Client::connect(&server);
        let answer = client.send(&request).rest();
        let shown = &request[..request.len().min(120)];
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?}: {answer:?}");
        assert!(answer.contains("Connection: close\r\n"), "{shown:?}: {answer:?}");
    }
}

#[test]
fn a_head_of_almost_64_kib_gets_a_response() {
    let server = server();
    let mut client = Client::connect(&server);
    let request = format!("GET /ok HTTP/1.1\r\nHost: t\r\nA: {}\r\n\r\n", "a".repeat(65_000));
    for _ in 0..3 {
        assert_eq!(client.send(&request).answer().status, 200);
    }
}

#[test]
fn a_reset_is_a_reset() {
    let server = server();
    let mut client = Client::connect(&server);
    let error = client.send("GET /reset HTTP/1.1\r\nHost: t\r\n\r\n").stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn dropping_the_target_ends_all_connections_in_any_state() {
    let server = server();
    let addr = server.addr();
    let mut waiting: Vec<Client> = ["/hang", "/delay/3600000", "/drip/9/3600000", "/bytes/1073741824", "/ok"]
        .map(|path| {
            let mut client = Client::connect(&server);
            client.send(format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n"));
            client
        })
        .into();
    waiting.push(Client::connect(&server));
    wait_until("the requests have come", || server.requests() == 5 && server.connections() == 6);
    let open = server.acceptor.open();
    drop(server);
    wait_until("all connections have ended", || open.lock().is_empty());
    for client in &mut waiting {
        wait_until("the client sees the end", || client.is_closed());
    }
    assert_eq!(TcpStream::connect(addr).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_client_that_disconnects_ends_its_wait() {
    let server = server();
    for path in ["/hang", "/delay/3600000", "/drip/9/3600000"] {
        let before = server.requests();
        let mut client = Client::connect(&server);
        client.send(format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n"));
        wait_until("the request has come", || server.requests() > before);
        drop(client);
        wait_until("its connection has ended", || server.acceptor.open().lock().is_empty());
    }
}

#[test]
fn many_clients_are_served_concurrently() {
    let server = server();
    let mut clients: Vec<Client> = (0..400).map(|_| Client::connect(&server)).collect();
    for client in &mut clients {
        client.send("GET /delay/1 HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    assert!(clients.iter_mut().all(|client| client.answer().status == 200));
    assert_eq!((server.connections(), server.requests_to("delay")), (400, 400));
}

#[test]
fn only_loopback_is_allowed_for_listening_by_default() {
    for addr in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        assert!(check_listen(addr.parse().unwrap(), false).is_ok(), "{addr}");
    }
    for addr in ["0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[2001:db8::1]:1"] {
        let error = check_listen(addr.parse().unwrap(), false).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        let text = error.to_string();
        assert!(text.contains("--listen") && text.contains("--allow-remote"), "{text}");
        assert!(check_listen(addr.parse().unwrap(), true).is_ok(), "{addr}");
    }
}

#[test]
fn a_port_in_use_is_a_usage_error_that_names_the_flag() {
    let server = server();
    let error = Server::start(server.addr()).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert!(error.to_string().starts_with(&format!("--listen {}: ", server.addr())), "{error}");
}
