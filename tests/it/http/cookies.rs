//! Cookies: each user has a jar, which keeps cookies from response to request and across redirects.

use std::collections::BTreeSet;

use crate::process::run;
use crate::server::{OK, Request, Server};

/// [`OK`] with these header lines.
fn ok_with(lines: &str) -> String {
    OK.replace("\r\n\r\n", &format!("\r\n{lines}\r\n\r\n"))
}

fn cookies(server: &Server) -> Vec<Option<String>> {
    server.requests().iter().map(|request| request.header("cookie").map(str::to_owned)).collect()
}

#[test]
fn a_user_sends_back_the_cookies_that_it_received() {
    let server = Server::start(|mut peer| {
        peer.respond(ok_with("Set-Cookie: a=1; Path=/\r\nset-cookie: b=2; HttpOnly"));
        peer.respond(ok_with("Set-Cookie: a=; Max-Age=0"));
        while peer.respond(OK) {}
    });
    let run = run(&server, &["-n", "4", "--data", "body", "/x"]).exits(0);
    let expected = [None, Some("a=1; b=2"), Some("b=2"), Some("b=2")];
    assert_eq!(cookies(&server), expected.map(|cookie| cookie.map(str::to_owned)));
    assert!(server.requests().iter().all(|request| request.body == b"body"), "the body follows the cookies");
    assert_eq!(run.count("ok"), 4);
}

#[test]
fn users_never_send_cookies_of_other_users() {
    let server = Server::start(|mut peer| {
        let number = peer.number;
        while peer.respond(ok_with(&format!("Set-Cookie: user={number}"))) {}
    });
    run(&server, &["-n", "400", "-u", "20", "-r", "10000", "--wait", "1ms", "/"]).exits(0);
    let with = |request: &&Request| request.header("cookie").is_some();
    for request in server.requests().iter().filter(with) {
        assert_eq!(request.header("cookie"), Some(format!("user={}", request.connection).as_str()));
    }
    let fresh: BTreeSet<usize> =
        server.requests().iter().filter(|request| !with(request)).map(|request| request.connection).collect();
    assert_eq!(fresh.len(), server.connections(), "each user starts without cookies");
    assert_eq!(
        server.requests().iter().filter(with).count(),
        400 - fresh.len(),
        "and has one from its second request on"
    );
}

#[test]
fn a_redirect_sets_cookies_for_the_next_request() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            let moved = "HTTP/1.1 302 Found\r\nLocation: /home\r\nSet-Cookie: s=1; Path=/\r\nContent-Length: 0\r\n\r\n";
            peer.send(if request.line() == "POST /login" { moved } else { OK });
        }
    });
    run(&server, &["-n", "2", "-X", "POST", "/login"]).exits(0);
    assert_eq!(server.request_lines(), ["POST /login", "GET /home", "POST /login", "GET /home"]);
    assert_eq!(cookies(&server)[0], None);
    assert!(cookies(&server)[1..].iter().all(|cookie| cookie.as_deref() == Some("s=1")), "{:?}", cookies(&server));
}

#[test]
fn cookies_stay_with_their_host_when_a_redirect_leaves_it() {
    let elsewhere = Server::responding(ok_with("Set-Cookie: there=1"));
    // Another name of the same host: cookies depend on the host, not on the port.
    let away = format!("http://localhost:{}/next", elsewhere.addr().port());
    let moved = format!("HTTP/1.1 302 Found\r\nLocation: {away}\r\nSet-Cookie: here=1\r\nContent-Length: 0\r\n\r\n");
    let server = Server::responding(moved);
    run(&server, &["-n", "2", "-4", "/"]).exits(0);
    assert_eq!(cookies(&server), [None, Some("here=1".to_owned())]);
    assert_eq!(cookies(&elsewhere), [None, Some("there=1".to_owned())]);
}

#[test]
fn a_custom_cookie_header_wins() {
    let server = Server::responding(ok_with("Set-Cookie: a=1"));
    run(&server, &["-n", "3", "--header", "cookie: own=1", "/"]).exits(0);
    assert!(cookies(&server).iter().all(|cookie| cookie.as_deref() == Some("own=1")), "{:?}", cookies(&server));
    assert!(server.requests().iter().all(|request| request.head.to_ascii_lowercase().matches("cookie").count() == 1));
}
