//! Requests as they arrive, byte for byte.

use crate::process::run;
use crate::server::{OK, Request, Server};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The request that the server receives, and the server.
fn one(arguments: &[&str]) -> (Request, Server) {
    let server = Server::responding(OK);
    run(&server, &[&["-n", "1"], arguments].concat()).exits(0);
    (server.requests().remove(0), server)
}

#[test]
fn a_request_has_only_the_default_headers() {
    let (request, server) = one(&["/a/b?c=d&e=%20"]);
    let host = server.addr();
    let expected = format!(
        "GET /a/b?c=d&e=%20 HTTP/1.1\r\nHost: {host}\r\nUser-Agent: swarmline/{VERSION}\r\nAccept: */*\r\n\r\n"
    );
    assert_eq!((request.head, request.body), (expected, vec![]));
}

#[test]
fn custom_headers_replace_add_and_remove() {
    let own = ["--header", "user-agent: mine", "--header", "Accept:", "--header", "X-A: 1", "--header", "X-A: 2"];
    let (request, server) = one(&[&own[..], &["--header", "X-Empty;", "/"]].concat());
    let host = server.addr();
    let expected =
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nuser-agent: mine\r\nX-A: 1\r\nX-A: 2\r\nX-Empty: \r\n\r\n");
    assert_eq!(request.head, expected);
}

#[test]
fn a_custom_host_header_replaces_that_of_the_url() {
    let (request, _) = one(&["--header", "Host: shop.test", "/"]);
    assert_eq!(request.header("host"), Some("shop.test"));
    assert_eq!(request.head.to_lowercase().matches("host:").count(), 1);
}

#[test]
fn data_is_posted_as_a_form() {
    let (request, _) = one(&["--data", "a=1&b=ü", "/"]);
    assert_eq!((request.line(), request.body.as_slice()), ("POST /", "a=1&b=ü".as_bytes()));
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(request.header("content-length"), Some("8"));
}

#[test]
fn json_is_posted_with_the_headers_that_go_with_it() {
    let (request, _) = one(&["--json", "{\"a\": 1}", "/"]);
    assert_eq!((request.line(), request.body.as_slice()), ("POST /", &b"{\"a\": 1}"[..]));
    assert_eq!(
        (request.header("content-type"), request.header("accept")),
        (Some("application/json"), Some("application/json"))
    );
}

#[test]
fn the_method_of_a_request_wins_over_the_flag() {
    assert_eq!(one(&["-X", "DELETE", "/"]).0.line(), "DELETE /");
    assert_eq!(one(&["-X", "DELETE", "PURGE /x"]).0.line(), "PURGE /x");
    assert_eq!(one(&["-X", "PUT", "--data", "x", "/"]).0.line(), "PUT /");
    let (request, _) = one(&["POST /"]);
    assert_eq!((request.line(), request.header("content-length")), ("POST /", Some("0")));
}

#[test]
fn basic_auth_is_the_header_that_curl_sends() {
    let (request, _) = one(&["--basic-auth", "Aladdin:open sesame", "/"]);
    // The example of RFC 7617.
    assert_eq!(request.header("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

#[test]
fn a_large_body_arrives_complete_each_time() {
    let body: String = ('a'..='z').cycle().take(100_000).collect();
    let server = Server::responding(OK);
    run(&server, &["-n", "3", "--data", &body, "/"]).exits(0);
    assert_eq!(server.connections(), 1);
    assert!(server.requests().iter().all(|request| request.body == body.as_bytes()));
}
