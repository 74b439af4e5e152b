//! Outputs of runs, and messages of import.

use serde_json::json;

use super::{MARKER, Places, assert_not_revealed};
use crate::server::{OK, Server};
use crate::support::{Run, Scratch};

/// Names of the output files of a run.
const OUTPUTS: [&str; 11] = [
    "stream",
    "page.html",
    "csv_stats.csv",
    "csv_stats_history.csv",
    "csv_failures.csv",
    "csv_exceptions.csv",
    "summary.json",
    "junit.xml",
    "hgrm",
    "log",
    "page2.html",
];

/// Runs with all outputs, and asserts that none reveals the marker.
fn search_outputs(places: &Places, scratch: &Scratch, what: &str, arguments: &[&str]) {
    let dry = Run::new(["run", "--dry-run"]).with(arguments.iter().copied()).env("PIN", MARKER).finish().exits(0);
    places.search(&format!("the dry run of {what}"), &dry);
    let file = |name: &str| scratch.file(name);
    let run = Run::new(["run", "-n", "6", "--telemetry", &file("stream"), "--html", &file("page.html")])
        .with(["--csv", &file("csv"), "--json-file", &file("summary.json"), "--junit", &file("junit.xml")])
        .with(["--hgrm", &file("hgrm"), "-L", "debug"])
        .with(arguments.iter().copied())
        .env("PIN", MARKER);
    places.search(what, &run.finish());
    let log = file("log");
    let logged = Run::new(["run", "-n", "3", "--telemetry", "-", "--logfile", &log, "-L", "debug"]);
    places.search(what, &logged.with(arguments.iter().copied()).env("PIN", MARKER).finish());
    let report = Run::new(["report", &file("stream"), "--html", &file("page2.html")]).finish();
    places.search(&format!("the report of {what}"), &report);
    for name in OUTPUTS {
        let output = std::fs::read(file(name)).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_not_revealed(&format!("{what}: {name}"), &output);
        places.0.set(places.0.get() + 1);
    }
}

#[test]
fn no_output_of_a_run_reveals_a_secret() {
    let (places, scratch) = (Places::default(), Scratch::new("secret-outputs"));
    // Every second response is a failure, so that failures are reported.
    let server = Server::start(|mut peer| {
        let mut count = 0;
        while peer.read().is_some() {
            count += 1;
            peer.send(if count % 2 == 0 { OK } else { "HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n" }.as_bytes());
        }
    });
    let address = server.host().replace("http://", "");
    let with_secret = format!("http://amy:{MARKER}@{address}");
    let header = |name: &str| format!("{name}: {MARKER}");
    for (what, arguments) in [
        ("-H URL", &["-H", &*with_secret, "/a"][..]),
        ("REQUEST URL", &[&with_secret]),
        ("--basic-auth", &["--basic-auth", &format!("amy:{MARKER}"), "-H", &server.host(), "/a"]),
        ("--header Authorization", &["--header", &header("Authorization"), "-H", &server.host(), "/a"]),
        ("--header Cookie", &["--header", &header("Cookie"), "-H", &server.host(), "/a"]),
        ("--header X-Api-Key", &["--header", &header("X-Api-Key"), "-H", &server.host(), "/a"]),
        ("--data", &["--data", MARKER, "-H", &server.host(), "/a"]),
        ("--json", &["--json", &format!("\"{MARKER}\""), "-H", &server.host(), "/a"]),
        ("--proxy", &["--proxy", &with_secret, "http://shop.test/a"]),
    ] {
        search_outputs(&places, &scratch, what, arguments);
    }
    scratch.write("accounts.csv", format!("name,password\namy,{MARKER}\n"));
    let scenario = json!({
        "host": with_secret,
        "headers": {"X-Api-Key": MARKER, "Cookie": format!("a={MARKER}")},
        "variables": {"password": MARKER, "pin": {"env": "PIN"}},
        "data": {"account": {"csv": "accounts.csv"}},
        "user_classes": [{"name": "c", "tasks": [{"requests": [
            {"post": "/a?p=${account.password}&pin=${pin}", "json": {"password": MARKER, "deep": {"token": [MARKER]}},
             "headers": {"Authorization": MARKER}},
            {"post": "/b", "form": {"password": MARKER, "pin": "${pin}", "p": "${account.password}"}},
            {"post": "/c", "body": format!("{{\"password\": \"{MARKER}\", \"pin\": \"${{pin}}\"}}")},
            {"post": "/d", "body": format!("a=1&password={MARKER}")},
        ]}]}],
    });
    let file = scratch.write("scenario.json", scenario.to_string());
    search_outputs(&places, &scratch, "a scenario", &["-f", &file]);
    println!("{} outputs", places.0.get());
    assert_eq!(places.0.get(), 10 * (4 + OUTPUTS.len()));
    assert!(server.count() > 0);
}

#[test]
fn import_reveals_no_secret_and_reports_those_it_keeps() {
    let places = Places::default();
    for words in [
        &["-x", "http://amy:{}@p:1"][..],
        &["--proxy", "amy:{}@p:1"],
        &["-U", "amy:{}"],
        &["--proxy-user", "amy:{}"],
        &["--cert", "c.pem:{}"],
        &["-E", "c.pem:{}"],
        &["--pass", "{}"],
        &["--proxy-pass", "{}"],
        &["--tlspassword", "{}"],
        &["--aws-sigv4", "{}"],
        &["-H", "{}"],
        &["-H", "Authorization: {}"],
        &["-b", "a={}"],
        &["-u", "amy:{}"],
        &["--oauth2-bearer", "{}"],
        &["--url", "http://amy:{}@h/"],
    ] {
        let words: Vec<String> = words.iter().map(|word| word.replace("{}", MARKER)).collect();
        let run = Run::new(["import", "curl", "http://h/"]).with(words.iter().map(String::as_str)).finish();
        // 1 where the word is left out.
        assert!(matches!(run.code, 0 | 1), "{words:?}: {}", run.code);
        places.search(&format!("{words:?}"), &run);
    }
    for command in [
        format!("wget --password={MARKER} http://h/"),
        format!("wget --header 'Authorization: Bearer {MARKER}' http://h/"),
        format!("PASSWORD={MARKER} curl http://h/"),
        format!("curl http://h/ | PASSWORD={MARKER} jq"),
    ] {
        let run = Run::new(["import", &command]).finish();
        // What is not a command of curl is refused; the shell's words around one are passed over.
        assert_eq!(run.code, if command.starts_with("wget") { 2 } else { 0 }, "{command}: {}", run.stderr);
        places.search(&command, &run);
    }
    assert_eq!(places.0.get(), 20);
    for (words, said) in [
        (&["http://h/orders?api_key=s1"][..], "GET /orders: the value of api_key in its URL is kept"),
        (&["http://h/", "-d", "password=s1"], "POST /: the value of password in its body is kept"),
        (&["http://h/", "--json", "{\"a\":[{\"token\":\"s1\"}]}"], "POST /: the value of token in its body is kept"),
        (&["http://h/", "-H", "Content-Type: text/x", "-d", "x\"password\":\"s1\""], "or the like in its body is kept"),
    ] {
        let run = Run::new(["import", "curl"]).with(words.iter().copied()).finish().exits(0);
        assert!(run.stderr.contains(said) && !run.stderr.contains("s1"), "{words:?}: {}", run.stderr);
        let kept = Run::new(["import", "--keep-secrets", "curl"]).with(words.iter().copied()).finish().exits(0);
        assert_eq!(kept.stderr, "", "{words:?}: --keep-secrets was given");
    }
}
