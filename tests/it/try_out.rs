//! `swarmline try`: one user does each task once, and what it shows is what was sent and received.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::server::{OK, Peer, Server};
use crate::support::{Finished, Run, Scratch, dead_host};

/// `swarmline try` on a scenario with these classes.
fn try_scenario(name: &str, server: &Server, classes: &Value, flags: &[&str]) -> Finished {
    let scratch = Scratch::new(name);
    let file = scratch.write("scenario.json", json!({ "user_classes": classes }).to_string());
    Run::new(["try", "-H", &server.host(), "-f", &file]).with(flags.iter().copied()).finish()
}

/// `swarmline try` on requests of the command line.
fn try_requests(server: &Server, arguments: &[&str]) -> Finished {
    Run::new(["try", "-H", &server.host()]).with(arguments.iter().copied()).finish()
}

fn response(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A shop: a login that gives a token, items with a price, orders that want a number.
fn shop() -> Server {
    Server::start(|mut peer| {
        while let Some(request) = peer.read() {
            let is_number = String::from_utf8_lossy(&request.body).contains("\"item\":1");
            let answer = match request.line() {
                "POST /login" => response("200 OK", r#"{"access_token":"t1t2t3","user":{"id":7}}"#),
                "GET /items" => response("200 OK", r#"{"items":[{"id":1,"price":37}],"total":1}"#),
                "POST /orders" if !is_number => response("400 Bad Request", r#"{"error":"item must be an integer"}"#),
                "POST /orders" => response("201 Created", r#"{"order":{"id":99}}"#),
                _ => response("200 OK", "bye"),
            };
            peer.send(answer);
        }
    })
}

fn shopper(token_at: &str, price: u32, item: &Value) -> Value {
    json!([{
        "on_start": [{"post": "/login", "json": {"password": "sesame"}, "extract": {"token": {"json": token_at}}}],
        "tasks": [
            {"name": "look", "weight": 9, "requests": [
                {"get": "/items", "headers": {"Authorization": "Bearer ${token}"},
                 "expect": {"json": {"/items/0/price": price}}}]},
            {"name": "order", "requests": [{"post": "/orders", "json": {"item": item}, "expect": {"status": 201},
                                            "extract": {"order": {"json": "/order/id"}}}]},
        ],
        "on_stop": [{"get": "/bye"}],
    }])
}

#[test]
fn each_of_three_mistakes_is_found_by_what_is_shown() {
    let server = shop();
    let run = try_scenario("try-login", &server, &shopper("/token", 5, &json!("1")), &[]).exits(1);
    assert!(run.text().contains("NOT  token extracted: no /token: the response has access_token, user\n"));
    assert!(run.text().contains("on_start: it failed, so the tasks are not tried"), "{}", run.text());
    assert_eq!(server.request_lines(), ["POST /login"], "once, and nothing after it");

    let server = shop();
    let run = try_scenario("try-price", &server, &shopper("/access_token", 5, &json!("1")), &[]).exits(1);
    assert!(run.text().contains("\n  ok   token = ***\n"), "{}", run.text());
    assert!(run.text().contains("\n  NOT  /items/0/price is 37, not 5\n"), "{}", run.text());
    assert!(run.text().contains("\n  NOT  status is 400, not 201\n"), "{}", run.text());
    assert!(run.text().contains("\n  <   \"error\": \"item must be an integer\"\n"), "the server's own words");
    assert!(!run.text().contains("sesame") && !run.text().contains("t1t2t3"), "{}", run.text());

    let server = shop();
    let run = try_scenario("try-mended", &server, &shopper("/access_token", 37, &json!(1)), &[]).exits(0);
    assert_eq!(
        server.request_lines(),
        ["POST /login", "GET /items", "POST /orders", "GET /bye"],
        "each task once, in order"
    );
    assert!(run.text().contains("\n  ok   order = 99\n") && run.text().ends_with("\n4 requests, all as expected\n"));
    assert_eq!(run.stderr, "");
}

#[test]
fn what_is_shown_is_what_the_server_received() {
    let server = shop();
    let flags = [
        "POST /orders",
        "--json",
        "{\"item\":1}",
        "--basic-auth",
        "amy:sesame",
        "--header",
        "X-A: b",
        "--show-secrets",
    ];
    let run = try_requests(&server, &flags).exits(0);
    let sent = run.text().lines().filter_map(|line| line.strip_prefix("  >"));
    let shown: Vec<&str> = sent.map(str::trim_start).take_while(|line| !line.is_empty()).collect();
    let received = &server.requests()[0];
    assert_eq!(shown, received.head.trim_end().lines().collect::<Vec<_>>());
    assert!(run.text().contains("  > {\n  >   \"item\": 1\n  > }\n"), "{}", run.text());
    assert!(received.head.contains("Authorization: Basic "));
}

#[test]
fn each_hop_of_a_redirect_is_shown_and_coded_and_binary_bodies_are_readable() {
    let mut coded = GzEncoder::new(Vec::new(), Compression::fast());
    coded.write_all(b"{\"deep\":[1]}").unwrap();
    let coded = coded.finish().unwrap();
    let server = Server::start(move |mut peer| {
        while let Some(request) = peer.read() {
            let head = |more: &str, len: usize| format!("HTTP/1.1 200 OK\r\n{more}Content-Length: {len}\r\n\r\n");
            match request.line() {
                "GET /old" => peer.send("HTTP/1.1 302 Found\r\nLocation: /gzip\r\nContent-Length: 0\r\n\r\n"),
                "GET /gzip" => peer.send([head("Content-Encoding: gzip\r\n", coded.len()).as_bytes(), &coded].concat()),
                "GET /br" => peer.send(head("Content-Encoding: br\r\n", 3) + "abc"),
                _ => peer.send([head("", 5).as_bytes(), b"\x89PNG\xff"].concat()),
            }
        }
    });
    let text = try_requests(&server, &["/old", "/br", "/png"]).exits(0).text().to_owned();
    let places = ["> GET /old HTTP/1.1", "< HTTP/1.1 302 Found", "> GET /gzip HTTP/1.1", "<   \"deep\": ["];
    let places: Vec<_> =
        places.iter().map(|what| text.find(what).unwrap_or_else(|| panic!("{what} in {text}"))).collect();
    assert!(places.is_sorted());
    assert!(text.contains("  < (3 bytes in a content coding that cannot be decoded)\n"), "{text}");
    assert!(text.contains("  < (5 bytes that are not text)\n"), "{text}");
}

#[test]
fn long_bodies_are_cut_unless_all_is_wanted() {
    let long = "x".repeat(100_000);
    let server = Server::responding(response("200 OK", &long));
    let cut = try_requests(&server, &["/"]).exits(0);
    assert!(cut.text().contains("(… 98976 bytes more)") && cut.text().len() < 2000, "{}", cut.text().len());
    let full = try_requests(&server, &["/", "--full"]).exits(0);
    assert!(full.text().contains(&long));
}

#[test]
fn a_hostile_server_cannot_control_the_terminal() {
    let body = "\u{1b}]0;title\u{7}\u{9b}2J\u{202e}\r\n\u{8}";
    let hostile = format!("HTTP/1.1 500 \u{1b}[2J\r\nX-A: \u{1b}[31m\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let run = try_requests(&Server::responding(hostile), &["/"]).exits(1);
    assert!(!run.text().contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{:?}", run.text());
}

#[test]
fn a_request_without_an_answer_says_why() {
    let run = Run::new(["try", "-H", &dead_host(), "/"]).finish().exits(1);
    assert!(run.text().contains("GET /: connect_refused: connection refused, "), "{}", run.text());
    let silent = Server::start(Peer::hang);
    let run = try_requests(&silent, &["/", "--timeout", "50ms"]).exits(1);
    assert!(run.text().contains("GET /: timeout: no first byte within 0.05s, "), "{}", run.text());
    assert!(run.text().contains(", no response after "), "{}", run.text());
}

#[test]
fn one_class_or_task_can_be_chosen() {
    let task = |name: &str| json!({"name": name, "requests": [{"get": format!("/{name}")}]});
    let classes = json!([
        {"name": "buyers", "on_start": [{"get": "/hello"}], "tasks": [task("look"), task("buy")]},
        {"name": "robots", "tasks": [task("crawl")]},
    ]);
    for (number, (flags, lines)) in [
        (&["--task", "buy"][..], &["GET /hello", "GET /buy"][..]),
        (&["--class", "robots"], &["GET /crawl"]),
        (&[], &["GET /hello", "GET /look", "GET /buy", "GET /crawl"]),
    ]
    .iter()
    .enumerate()
    {
        let server = Server::responding(OK);
        try_scenario(&format!("try-choice-{number}"), &server, &classes, flags).exits(0);
        assert_eq!(server.request_lines(), *lines, "{flags:?}");
    }
    let server = Server::responding(OK);
    for (flags, complaint) in [
        (["--task", "buuy"], "--task: there is no task \"buuy\", did you mean \"buy\"?"),
        (["--class", "robot"], "--class: there is no class \"robot\", did you mean \"robots\"?"),
    ] {
        let run = try_scenario("try-unknown", &server, &classes, &flags).exits(2);
        assert_eq!(run.complaint(), complaint);
    }
    assert_eq!(server.count(), 0);
}

#[test]
fn flags_of_a_load_are_refused_and_their_variables_pass_unnoticed() {
    let server = Server::responding(OK);
    for flags in
        [&["-u", "2"][..], &["-t", "1s"], &["--rate", "5"], &["--telemetry", "-"], &["--html", "x"], &["-n", "3"]]
    {
        let run = try_requests(&server, &[&["/"], flags].concat()).exits(2);
        assert!(run.complaint().contains("has no meaning for swarmline try"), "{}", run.complaint());
    }
    assert_eq!(server.count(), 0);
    let run = Run::new(["try", "/"]).env("LOCUST_HOST", &server.host()).env("LOCUST_USERS", "many");
    run.env("SWARMLINE_SHARD", "1/2").finish().exits(0);
    assert_eq!(server.request_lines(), ["GET /"]);
}

#[test]
fn a_value_picked_at_random_is_shown_as_the_one_that_is_used() {
    let ids = (0..100).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let server = Server::responding(response("200 OK", &format!("[{ids}]")));
    let requests = json!([{"get": "/ids", "extract": {"id": {"json": "/*", "pick": "random"}}},
                          {"get": "/ids/${id}", "name": "/ids/:id"}]);
    let run = try_scenario("try-random", &server, &json!([{"tasks": [{"requests": requests}]}]), &[]).exits(0);
    let text = run.text();
    let after = |mark: &str| text.split_once(mark).unwrap().1.split_whitespace().next().unwrap().to_owned();
    assert_eq!(after("id = "), after("> GET /ids/"), "{text}");
}
