//! Redirects: which request follows, to which server, and how it is counted.

use crate::process::run;
use crate::server::{OK, Server};

fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 4\r\n\r\nmove")
}

/// Redirects `/` to `location`, and sends 200 to everything else.
fn redirecting(status: u16, location: &str) -> Server {
    let away = redirect(status, location);
    Server::start(move |mut peer| {
        while let Some(request) = peer.read() {
            peer.send(if request.line().ends_with(" /") { &away } else { OK });
        }
    })
}

#[test]
fn a_chain_of_redirects_is_one_request() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            match request.line() {
                "GET /hop" => peer.send(redirect(301, "/hop/1")),
                "GET /hop/1" => peer.send(redirect(302, "../hop/2?a=b")),
                "GET /hop/2?a=b" => peer.send(redirect(308, "?c=d")),
                "GET /hop/2?c=d" => peer.send(OK),
                other => panic!("{other}"),
            }
        }
    });
    let run = run(&server, &["-n", "5", "/hop"]).exits(0);
    assert_eq!((run.count("sent"), run.count("ok"), run.count("redirects")), (5, 5, 15));
    assert_eq!(server.count(), run.count("sent") + run.count("redirects"));
    assert_eq!(server.connections(), 1);
    assert!((run.statistic("avg_content_length") - 2.0).abs() < 1e-9, "the length of the last response");
}

#[test]
fn a_post_becomes_a_get_after_302_and_stays_one_after_307() {
    for (status, next, body) in [(302, "GET /next", ""), (303, "GET /next", ""), (307, "POST /next", "{\"a\":1}")] {
        let server = redirecting(status, "/next");
        run(&server, &["-n", "1", "--json", "{\"a\":1}", "/"]).exits(0);
        assert_eq!(server.request_lines(), ["POST /", next], "{status}");
        let second = &server.requests()[1];
        assert_eq!(second.body, body.as_bytes(), "{status}");
        assert_eq!(second.header("content-type").is_some(), !body.is_empty(), "{status}");
        assert_eq!(second.header("content-length").is_some(), !body.is_empty(), "{status}");
    }
}

#[test]
fn secrets_stay_with_their_origin() {
    let secrets = ["--header", "Authorization: Bearer x", "--header", "Cookie: a=b", "--header", "X-Trace: y"];
    let elsewhere = Server::responding(OK);
    let away = redirecting(302, &format!("{}/next", elsewhere.host()));
    run(&away, &[&["-n", "1", "/"], &secrets[..]].concat()).exits(0);
    let first = &away.requests()[0];
    assert_eq!((first.header("authorization"), first.header("cookie")), (Some("Bearer x"), Some("a=b")));
    let second = &elsewhere.requests()[0];
    assert_eq!((second.header("authorization"), second.header("cookie")), (None, None));
    assert_eq!(second.header("x-trace"), Some("y"));
    assert_eq!(second.header("host"), Some(elsewhere.addr().to_string().as_str()));

    let same = redirecting(302, "/next");
    run(&same, &[&["-n", "1", "/"], &secrets[..]].concat()).exits(0);
    assert_eq!(same.requests()[1].header("authorization"), Some("Bearer x"));
}

#[test]
fn too_many_redirects_are_a_failure() {
    let server = Server::responding(redirect(302, "/again"));
    let run = run(&server, &["-n", "2", "--max-redirects", "3", "/"]).exits(1);
    assert_eq!(run.errors(), [("redirect: too many", 2)]);
    assert_eq!((run.count("redirects"), server.count()), (6, 8));
}

#[test]
fn a_location_that_is_not_an_http_url_is_a_failure() {
    for location in ["ftp://127.0.0.1/", "http://", "http://127.0.0.1:99999/", "javascript:alert(1)", "http://[::1/"] {
        let server = redirecting(302, location);
        let run = run(&server, &["-n", "2", "/"]).exits(1);
        assert_eq!(run.errors(), [("redirect: bad location", 2)], "{location}");
        assert_eq!((run.count("redirects"), server.count()), (0, 2), "{location}");
    }
}

#[test]
fn with_no_redirects_allowed_a_redirect_is_the_response() {
    let server = redirecting(302, "/next");
    let run = run(&server, &["-n", "3", "--max-redirects", "0", "/"]).exits(0);
    assert_eq!((run.count("ok"), run.count("redirects"), server.count()), (3, 0, 3));
    assert!((run.statistic("avg_content_length") - 4.0).abs() < 1e-9);
}

#[test]
fn a_redirect_without_a_location_is_the_response() {
    let server = Server::responding("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(run(&server, &["-n", "2", "/"]).exits(0).count("ok"), 2);
}

#[test]
fn a_redirect_loop_between_two_origins_keeps_both_connections() {
    let (first, second) = std::sync::mpsc::channel();
    let second = std::sync::Mutex::new(second);
    let there = Server::start(move |mut peer| {
        let home: String = second.lock().unwrap().recv().unwrap();
        while peer.respond(redirect(302, &home)) {}
    });
    let here = redirecting(302, &format!("{}/", there.host()));
    first.send(format!("{}/home", here.host())).unwrap();
    let run = run(&here, &["-n", "5", "/"]).exits(0);
    assert_eq!((run.count("ok"), run.count("redirects")), (5, 10));
    assert_eq!((here.connections(), there.connections()), (1, 1));
    assert_eq!((here.count(), there.count()), (10, 5));
}
