//! No secret is revealed: a marker is put into every flag, variable, field of a scenario and part of a URL, and every
//! output is searched for it.

mod exchanges;
mod fields;
mod outputs;

use std::cell::Cell;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use swarmline::cli;

use crate::support::{Finished, Run, Scratch};

/// The secret in every place that may contain one.
const MARKER: &str = "sesame7391";

/// Counts the places where the marker was put.
#[derive(Default)]
struct Places(Cell<usize>);

impl Places {
    /// Asserts that no output of a process reveals the marker.
    fn search(&self, place: &str, finished: &Finished) {
        self.0.set(self.0.get() + 1);
        assert_not_revealed(place, &finished.stdout);
        assert_not_revealed(place, finished.stderr.as_bytes());
    }
}

/// Asserts that the marker is not in an output, neither as it is nor encoded for basic authentication.
fn assert_not_revealed(place: &str, output: &[u8]) {
    let text = String::from_utf8_lossy(output);
    let coded = BASE64_STANDARD.encode(format!("amy:{MARKER}"));
    for hidden in [MARKER, coded.trim_end_matches('=')] {
        assert!(!text.contains(hidden), "{place} is revealed in: {text}");
    }
}

/// Texts with the marker in the place where a URL or a pair of name and password has a secret.
fn of_urls() -> Vec<String> {
    [
        "http://amy:{}@h:99999/",
        "http://amy:{}/x@h/",
        "http://amy:{}@",
        "http://amy:{}@[::1/",
        "http://[amy:{}@h:x/",
        "http://[{}/",
        "http://amy:{}",
        "http://amy:{} b@h:x/",
        "http://amy:\"{}@h:x/",
        "http://amy:{}@h:x/",
        "http://amy:{}@\u{fc}/",
        "http://{}\u{fc}/x@h/",
        "http://amy:{}@h\n/",
        "http://{}@a b/",
        "https://h:99999/a?api_key={}&x=1",
        "https://h:99999/a#access_token={}",
        "ftp://amy:{}@h/",
        "amy:{}@h/x",
        "amy:{}",
        "//amy:{}@h:x/",
    ]
    .map(|text| text.replace("{}", MARKER))
    .to_vec()
}

/// Flags whose value is never shown, each with values that a person may give.
const SECRET_FLAGS: [(&str, &[&str]); 5] = [
    (
        "header",
        &[
            "Authorization Bearer {}",
            "Authorization Bearer a:{}",
            "Authorization: {}\r\nX: y",
            "{}",
            ": {}",
            "X-Api-Key: a{}\u{1}",
            "Content-Length: {}",
        ],
    ),
    ("basic-auth", &["{}", "amy{}"]),
    ("data", &["@/missing/{}:x@h"]),
    ("json", &["{\"password\": \"{}\"", "{}"]),
    ("proxy", &["amy:{}", "http://amy:{}@", "socks4://amy:{}@h:1", "socks5://:{}@h:1", "https://amy:{}@h:1", "{}"]),
];

/// Flags whose values contain colons: `amy:secret` is an invalid value and may be shown in the error.
const COLONS: [&str; 6] = ["stages", "wait", "resolve", "start-at", "shard", "listen"];

/// Flags that name files: an error must name the file, even if it contains colons.
const FILES: [&str; 13] = [
    "scenario",
    "cacert",
    "key",
    "unix-socket",
    "telemetry",
    "log-requests",
    "html",
    "csv",
    "json-file",
    "junit",
    "hgrm",
    "logfile",
    "baseline",
];

/// Values for any flag or variable, as people know them from other tools.
const OF_OTHER_TOOLS: [&str; 3] = ["amy:{}", "http://amy:{}@h:99999/", "/missing/amy:{}@h/file"];

/// A command line to which a flag can be added. Where the value turns out to be valid, nothing is sent.
fn base(command: &str) -> Vec<&str> {
    match command {
        "run" => vec!["run", "--dry-run", "http://127.0.0.1:9/"],
        "merge" => vec!["merge", "/missing/stream"],
        "report" => vec!["report", "/missing/stream"],
        other => vec![other],
    }
}

#[test]
fn no_flag_or_variable_reveals_a_secret_that_it_refuses() {
    let places = Places::default();
    let definition = cli::command_line();
    let scratch = Scratch::new("secret-flags");
    let is_masked = |what: &str| ["basic-auth", "data", "json", "proxy", "host"].contains(&what);
    let mut flags = 0;
    for command in definition.get_subcommands() {
        for argument in command.get_arguments() {
            let Some(long) = argument.get_long().filter(|long| !["help", "version"].contains(long)) else { continue };
            flags += 1;
            let values = SECRET_FLAGS.iter().find(|(name, _)| *name == long).map_or(&[][..], |(_, values)| values);
            let has_own = COLONS.contains(&long) || FILES.contains(&long);
            let others = OF_OTHER_TOOLS.iter().filter(|value| value.contains('@') || !has_own);
            for value in values.iter().chain(others.clone()) {
                let value = value.replace("{}", MARKER);
                let flag = format!("--{long}={value}");
                let run = Run::new(base(command.get_name())).with([&*flag]).in_folder(&scratch.file(""));
                let finished = run.finish();
                // A valid path is shown as it is; an error about it must not show it.
                let place = format!("{} {flag}", command.get_name());
                if finished.code == 0 && !is_masked(long) {
                    assert_not_revealed(&place, finished.stderr.as_bytes());
                } else {
                    places.search(&place, &finished);
                }
            }
            let Some(variable) = argument.get_env().and_then(|name| name.to_str()) else { continue };
            for value in others {
                let value = value.replace("{}", MARKER);
                let run = Run::new(base(command.get_name())).env(variable, &value).in_folder(&scratch.file(""));
                let finished = run.finish();
                let place = format!("{variable}={value}");
                if finished.code == 0 && !is_masked(long) {
                    assert_not_revealed(&place, finished.stderr.as_bytes());
                } else {
                    places.search(&place, &finished);
                }
                let help = Run::new([command.get_name(), "--help"]).env(variable, &value).finish();
                places.search(&format!("--help beside {place}"), &help);
            }
        }
    }
    assert!(SECRET_FLAGS.iter().all(|(name, _)| {
        let mut all = definition.get_subcommands().flat_map(clap::Command::get_arguments);
        all.any(|flag| flag.get_long() == Some(name))
    }));
    println!("{flags} flags, {} places", places.0.get());
    assert!(flags >= 65 && places.0.get() >= 200, "{flags} flags, {} places", places.0.get());
}

#[test]
fn no_part_of_a_refused_url_reveals_a_secret() {
    let places = Places::default();
    let scratch = Scratch::new("secret-urls");
    for (number, text) in of_urls().iter().enumerate() {
        let scenario = |name: &str, file: &Value| scratch.write(&format!("{name}-{number}.json"), file.to_string());
        let class = |request: Value| json!([{"tasks": [{"requests": [request]}]}]);
        let host = scenario("host", &json!({"host": text, "user_classes": class(json!({"get": "/"}))}));
        let url = scenario("url", &json!({"user_classes": class(json!({"get": text}))}));
        let by_variable = json!({"host": "${v}", "variables": {"v": text}, "user_classes": class(json!({"get": "/"}))});
        let by_variable = scenario("variable", &by_variable);
        let list = format!("@{}", scratch.write(&format!("list-{number}"), text.replace('\n', "\u{1}") + "\n"));
        let check = format!("p95{{GET {text}}} < 1s");
        let method = format!("POST {text}");
        for arguments in [
            &["run", "--dry-run", text][..],
            &["run", "--dry-run", &method],
            &["run", "--dry-run", &list],
            &["run", "--dry-run", "-H", text, "/x"],
            &["run", "--dry-run", "http://127.0.0.1:9/", "--resolve", text],
            &["run", "--dry-run", "http://127.0.0.1:9/", "--proxy", text],
            &["run", "--dry-run", "http://127.0.0.1:9/", "--check", &check],
            &["run", "--dry-run", "-f", &host],
            &["run", "--dry-run", "-f", &url],
            &["run", "--dry-run", "-f", &by_variable],
            &["import", text],
            &["import", "curl", text, "-o", "x"],
            &["import", "curl", "-x", text, "http://h/"],
            &["import", "curl", "--proxy", text, "http://h/"],
            &["report", text],
            &["merge", text],
            &["target", "--listen", text],
            &[text],
        ] {
            let finished = Run::new(arguments.iter().copied()).finish();
            // A URL that curl accepts goes into the scenario on stdout; stderr must not reveal it.
            let is_name = ["--check", "--resolve", "--listen"].iter().any(|flag| arguments.contains(flag))
                || ["report", "merge"].contains(&arguments[0]);
            if is_name && (text.contains([' ', '"']) || !text.contains(['@', '='])) {
                // An unknown endpoint, address or file is shown as it was given.
            } else if finished.code == 0 && (arguments[0] == "import" || text.starts_with("amy:")) {
                assert_not_revealed(&format!("{arguments:?}"), finished.stderr.as_bytes());
            } else {
                places.search(&format!("{arguments:?}"), &finished);
            }
        }
    }
    println!("{} places", places.0.get());
    assert!(places.0.get() >= 280, "{} places", places.0.get());
}
