//! `swarmline import`: recordings and commands from a browser become a scenario, and everything left out is reported.

use serde_json::{Value, json};

use crate::support::{Finished, Run, Scratch};

fn import(arguments: &[&str]) -> Finished {
    Run::new(["import"]).with(arguments.iter().copied()).finish()
}

/// The requests of the printed scenario, and stderr.
fn requests(arguments: &[&str]) -> (Value, String) {
    let finished = import(arguments).exits(0);
    let scenario: Value = serde_json::from_slice(&finished.stdout).expect("a scenario");
    (scenario["user_classes"][0]["tasks"][0]["requests"].clone(), finished.stderr.clone())
}

#[test]
fn a_command_copied_from_a_browser_becomes_a_request() {
    let command = "curl 'https://shop.example.com/api/orders?a=1' \\\n  -X 'POST' -H 'content-type: application/json' \\\n  \
                   -H 'X-Trace: ${x}' --data-raw $'{\"a\":\"it\\\'s\",\"n\":[1,2]}' --compressed -sSL";
    let (requests, stderr) = requests(&[command]);
    let expected = json!([{
        "post": "/api/orders?a=1",
        "headers": {"X-Trace": "$${x}", "Accept-Encoding": "gzip, deflate"},
        "json": {"a": "it's", "n": [1, 2]},
    }]);
    assert_eq!((requests, stderr.as_str()), (expected, ""));
}

#[test]
fn a_command_may_come_as_words_as_text_from_a_file_or_from_stdin() {
    let scratch = Scratch::new("import-commands");
    let file =
        scratch.write("commands.txt", "curl http://example.com/a -d x=1 -d y=2 -G;\ncurl -I http://example.com/b\n");
    let (both, _) = requests(&[&file]);
    assert_eq!(both, json!([{"get": "/a?x=1&y=2"}, {"head": "/b"}]));
    let (words, _) = requests(&["curl", "-XPUT", "example.com/c", "--data-urlencode", "q=a b&c", "-m", "5"]);
    assert_eq!(words, json!([{"put": "/c", "form": {"q": "a b&c"}, "timeout": "5s"}]));
}

#[test]
fn secrets_become_environment_variables_unless_they_are_kept() {
    let words = ["curl", "http://example.com/a", "-u", "amy:pw", "-b", "sid=1", "-H", "X-Api-Key: k"];
    let (hidden, stderr) = requests(&words);
    let variables = json!({
        "Authorization": "${env.AUTHORIZATION}", "Cookie": "${env.COOKIE}", "X-Api-Key": "${env.X_API_KEY}"
    });
    assert_eq!(hidden[0]["headers"], variables);
    assert_eq!(stderr.lines().count(), 3, "{stderr}");
    assert!(stderr.contains("set AUTHORIZATION to its value"), "{stderr}");
    let (kept, stderr) = requests(&[&["--keep-secrets"], words.as_slice()].concat());
    assert_eq!((&kept[0]["headers"]["Authorization"], stderr.as_str()), (&json!("Basic YW15OnB3"), ""));
}

#[test]
fn options_that_are_not_imported_are_reported() {
    let (requests, stderr) =
        requests(&["curl", "-k", "--proxy", "http://p:1", "--funny", "http://example.com/", "-F", "a=@f"]);
    assert_eq!(requests, json!([{"get": "/"}]));
    for said in ["-k: left out, pass it to swarmline run", "--proxy http://p:1", "--funny: unknown flag", "-F a"] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
}

#[test]
fn a_recording_becomes_a_journey_whose_tokens_are_extracted() {
    let har = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/import/shop.har");
    let (requests, stderr) = requests(&[har]);
    let expected = json!([
        {"get": "/", "headers": {"Accept": "text/html"}},
        {"post": "/login", "json": {"user": "jo"},
         "extract": {"id": {"json": "/id"}, "token": {"json": "/session/token"}}},
        {"get": "/items/${id}/parts/7?t=${token}", "name": "/items/:id/parts/:id",
         "headers": {"Authorization": "Bearer ${token}"}, "expect": {"status": 404}},
        {"post": "/form", "headers": {"X-Api-Key": "${env.X_API_KEY}"}, "form": {"a": "1 2"}},
    ]);
    assert_eq!(requests, expected);
    for said in ["2 values", "X_API_KEY", "https://track.example.net: left out", "images", "redirects"] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    let all = import(&["--all-hosts", "--assets", har]).exits(0);
    let scenario: Value = serde_json::from_slice(&all.stdout).unwrap();
    assert_eq!(scenario["user_classes"][0]["tasks"][0]["requests"].as_array().unwrap().len(), 6);
    assert_eq!(scenario["user_classes"][0]["wait"], "1.0s..3.0s", "0.5 to 1.5 times the pause between pages");
}

#[test]
fn input_that_cannot_be_imported_gives_one_line_with_the_position() {
    let scratch = Scratch::new("import-refused");
    let written = |name: &str, text: &str| scratch.write(name, text);
    let entry = r#"{"log":{"entries":[{"request":{"method":"GET"}}]}}"#;
    let cases = [
        (written("a.har", "{\n\"log\": x}"), "line 2 column 8"),
        (written("b.har", "{}"), "/log/entries: missing"),
        (written("c.har", entry), "/log/entries/0/request/url: missing"),
        (written("d.har", r#"{"log":{"entries":[]}}"#), "no request"),
        (written("e.txt", "wget http://example.com"), "neither a HAR file nor a curl command"),
        (scratch.file("missing"), "No such file"),
        ("curl 'http://example.com".to_owned(), "quote"),
        ("curl -X".to_owned(), "curl -X: needs a value"),
        ("curl -H a:b".to_owned(), "no URL"),
        ("curl ftp://example.com".to_owned(), "ftp://example.com"),
    ];
    for (input, why) in cases {
        let refused = import(&[&input]).exits(2);
        assert_eq!(refused.stderr.lines().count(), 1, "{input}: {}", refused.stderr);
        assert!(refused.stderr.contains(why), "{input}: {}", refused.stderr);
        assert!(refused.stdout.is_empty());
    }
}
