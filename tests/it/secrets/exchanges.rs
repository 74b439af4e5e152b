//! What `try` and `--debug-failures` show of requests and answers: a server repeats everything that it was sent.

use serde_json::json;

use super::{MARKER, Places, assert_not_revealed};
use crate::server::Server;
use crate::support::{Run, Scratch};

/// A server that logs users in with the marker as token and cookie, and otherwise rejects requests with all that they said,
/// the marker in several encodings, a cookie and a token.
fn echo() -> Server {
    Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            let answer = if request.line() == "POST /login" {
                let body = format!("{{\"access\": {{\"token\": \"{MARKER}\"}}, \"again\": \"{MARKER}\"}}");
                format!(
                    "HTTP/1.1 200 OK\r\nSet-Cookie: sid={MARKER}; Path=/\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
            } else {
                let sent = String::from_utf8_lossy(&request.body).into_owned();
                let body =
                    format!("you sent {} and {sent}\npassword={MARKER}\n{}", request.head, json!({ "text": sent }));
                format!("HTTP/1.1 400 No\r\nX-Token: {MARKER}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            };
            peer.send(answer);
        }
    })
}

/// Asserts that neither command shows the marker in any output.
fn search(places: &Places, scratch: &Scratch, what: &str, arguments: &[&str]) {
    let file = |name: &str| scratch.file(name);
    let tried = Run::new(["try"]).with(arguments.iter().copied()).env("PIN", MARKER).finish().exits(1);
    assert!(tried.text().contains("***") && tried.text().contains("you sent"), "{what}: {}", tried.text());
    places.search(&format!("try: {what}"), &tried);
    let run = Run::new(["run", "-n", "6", "--debug-failures", "3", "--telemetry", &file("stream")])
        .with(["--html", &file("page.html"), "--json-file", &file("summary.json"), "--junit", &file("junit.xml")])
        .with(["--logfile", &file("log")])
        .with(arguments.iter().copied())
        .env("PIN", MARKER);
    places.search(what, &run.finish());
    let report = Run::new(["report", &file("stream")]).finish();
    assert!(report.text().contains("you sent"), "{what}: {}", report.text());
    places.search(&format!("the report of {what}"), &report);
    for name in ["stream", "page.html", "summary.json", "junit.xml", "log"] {
        assert_not_revealed(&format!("{what}: {name}"), &std::fs::read(file(name)).unwrap());
        places.0.set(places.0.get() + 1);
        std::fs::remove_file(file(name)).unwrap();
    }
}

#[test]
fn no_exchange_reveals_a_secret() {
    let (places, scratch, server) = (Places::default(), Scratch::new("secret-exchanges"), echo());
    let host = server.host();
    let with_secret = host.replace("http://", &format!("http://amy:{MARKER}@"));
    let header = |name: &str| format!("{name}: {MARKER}");
    for (what, arguments) in [
        ("userinfo of -H", &["-H", &*with_secret, "/a"][..]),
        ("userinfo of REQUEST", &[&with_secret]),
        ("--basic-auth", &["--basic-auth", &format!("amy:{MARKER}"), "-H", &host, "/a"]),
        ("Authorization", &["--header", &format!("Authorization: Bearer {MARKER}"), "-H", &host, "/a"]),
        ("Proxy-Authorization", &["--header", &header("Proxy-Authorization"), "-H", &host, "/a"]),
        ("Cookie", &["--header", &format!("Cookie: a={MARKER}; b={MARKER}"), "-H", &host, "/a"]),
        ("X-Api-Key", &["--header", &header("X-Api-Key"), "-H", &host, "/a"]),
        ("a form", &["--data", &format!("a=1&password={MARKER}"), "-H", &host, "/a"]),
        ("JSON", &["--json", &format!("{{\"token\": \"{MARKER}\"}}"), "-H", &host, "/a"]),
        ("JSON in depth", &["--json", &format!("{{\"auth\": {{\"a\": [\"{MARKER}\"]}}}}"), "-H", &host, "/a"]),
        ("a query", &["-H", &host, &format!("/a?x={}", "1"), "--data", &format!("secret={MARKER}")]),
        ("a proxy", &["--proxy", &with_secret, "http://shop.test/a"]),
    ] {
        search(&places, &scratch, what, arguments);
    }
    scratch.write("accounts.csv", format!("name,password\namy,{MARKER}\n"));
    let class = json!({
        "on_start": [{"post": "/login", "json": {"name": "amy"}, "extract": {"t": {"json": "/access/token"}, "c": {"cookie": "sid"}}}],
        "tasks": [{"requests": [
            {"post": "/env", "json": {"x": "${env.PIN}"}},
            {"post": "/variable?x=${pin}", "body": "y ${pin} z"},
            {"post": "/column", "form": {"p": "${account.password}"}},
            {"post": "/extracted", "body": "t ${t} and ${c}", "headers": {"X-A": "${t}"}},
            {"post": "/header", "headers": {"Authorization": MARKER}},
        ]}],
    });
    let scenario = json!({
        "host": host,
        "headers": {"X-Api-Key": MARKER},
        "variables": {"pin": {"env": "PIN"}},
        "data": {"account": {"csv": "accounts.csv"}},
        "user_classes": [class],
    });
    let file = scratch.write("scenario.json", scenario.to_string());
    search(&places, &scratch, "a scenario", &["-f", &file]);
    let shown = Run::new(["try", "--show-secrets", "-f", &file]).env("PIN", MARKER).finish();
    assert!(shown.text().matches(MARKER).count() > 10, "on request they are shown");
    println!("{} places", places.0.get());
    assert_eq!(places.0.get(), 13 * 8);
}

#[test]
fn a_secret_that_is_cut_off_is_masked() {
    let server = Server::start(|mut peer| {
        while peer.read().is_some() {
            // The marker begins right before the limit of what is kept, wherever exactly that is.
            let body = format!("{}{}", "-".repeat(1000), MARKER.repeat(10));
            peer.send(format!("HTTP/1.1 400 No\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        }
    });
    let key = format!("X-Api-Key: {MARKER}");
    let run =
        Run::new(["run", "-n", "2", "--debug-failures", "1", "-H", &server.host(), "--header", &key, "/"]).finish();
    let stream = run.exits(1).stream();
    let shown: String = stream.of("exchange").iter().map(|line| line.text("text")).collect();
    assert!(shown.contains("---***") && !shown.contains(&MARKER[..3]), "{shown}");
}
