//! `swarmline import`: recordings and commands from a browser become a scenario, and everything left out is reported.

mod commands;
mod openapi;
mod postman;
mod recordings;

use serde_json::{Value, json};

use crate::support::{Finished, Run, Scratch};

fn import(arguments: &[&str]) -> Finished {
    Run::new(["import"]).with(arguments.iter().copied()).finish()
}

/// The requests of the printed scenario, and stderr.
fn requests(arguments: &[&str]) -> (Value, String) {
    requests_of(arguments, 0)
}

/// As [`requests`], with the exit code: 1 if something is left out.
fn requests_of(arguments: &[&str], code: i32) -> (Value, String) {
    let finished = import(arguments).exits(code);
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
        "headers": {"X-Trace": "$${x}", "Accept-Encoding": "deflate, gzip, br, zstd", "Accept": "*/*"},
        "json": {"a": "it's", "n": [1, 2]},
    }]);
    assert_eq!(requests, expected);
    assert!(stderr.contains("curl repeats POST where it is redirected"), "{stderr}");
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
        requests_of(&["curl", "-4", "--proxy", "http://p:1", "--retry", "3", "http://example.com/", "-F", "a=@"], 1);
    assert_eq!(requests[0]["post"], "/");
    for said in ["-4: left out, pass it to swarmline run", "--proxy http://p:1", "--retry 3: left out", "-F a"] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
}

#[test]
fn input_that_cannot_be_imported_gives_one_line_with_the_position() {
    let scratch = Scratch::new("import-refused");
    let written = |name: &str, text: &str| scratch.write(name, text);
    let entry = r#"{"log":{"entries":[{"request":{"method":"GET"}}]}}"#;
    let cases = [
        (written("a.har", "{\n\"log\": x}"), "line 2 column 8"),
        (written("b.har", "{}"), "is JSON, but neither a HAR file"),
        (written("c.har", entry), "request 1 url: missing"),
        (written("d.har", r#"{"log":{"entries":[]}}"#), "no request"),
        (written("e.txt", "wget http://example.com"), "neither a HAR file nor a curl command"),
        (scratch.file("missing"), "No such file"),
        ("curl 'http://example.com".to_owned(), "quote"),
        ("curl -X".to_owned(), "curl -X: needs a value"),
        ("curl -H a:b".to_owned(), "no URL"),
        ("curl ftp://example.com".to_owned(), "ftp://example.com"),
        ("curl --funny http://example.com".to_owned(), "curl --funny: is not an option"),
        ("curl --output=x http://example.com".to_owned(), "curl takes the value from the next word"),
        (written("f.sh", "{ curl http://example.com/; }"), "\"{\" is a construct of the shell"),
        ("curl http://example.com/$(date)".to_owned(), "$(date) is the output of a command"),
        ("curl -d a -F b=c http://example.com".to_owned(), "curl refuses them together"),
        ("curl 'http://example.com/[3-1]'".to_owned(), "bad range"),
    ];
    for (input, why) in cases {
        let refused = import(&[&input]).exits(2);
        assert_eq!(refused.stderr.lines().count(), 1, "{input}: {}", refused.stderr);
        assert!(refused.stderr.contains(why), "{input}: {}", refused.stderr);
        assert!(refused.stdout.is_empty());
    }
}

#[test]
fn what_is_left_out_is_said_in_the_words_of_the_input() {
    let scratch = Scratch::new("import-words");
    let (_, stderr) = requests_of(&["curl", "-K", "f", "http://example.com/", "-F", "=x"], 1);
    assert!(stderr.contains("-K f: left out, write the options of that file into the command"), "{stderr}");
    assert!(stderr.contains("-F: a part without a name is left out"), "{stderr}");
    let users = "from locust import HttpUser, task\nclass Idle(HttpUser):\n    weight = 0\n    @task\n    def a(self):\n        self.client.get('/')\n";
    let refused = import(&[&scratch.write("locustfile.py", users)]).exits(2);
    assert!(refused.stderr.contains("Idle is left out: its weight is 0, so it gets no users"), "{}", refused.stderr);
}

/// The requests of the printed scenario, which a dry run accepts, and stderr.
fn accepted(scratch: &Scratch, arguments: &[&str], environment: &[&str]) -> (Value, String) {
    accepted_of(scratch, arguments, environment, 0)
}

/// As [`accepted`], with the exit code of the import.
fn accepted_of(scratch: &Scratch, arguments: &[&str], environment: &[&str], code: i32) -> (Value, String) {
    let printed = import(arguments).exits(code);
    let path = scratch.write("accepted.json", &printed.stdout);
    let dry_run = Run::new(["run", "--dry-run", "-f", &path]);
    environment.iter().fold(dry_run, |run, name| run.env(name, "x")).finish().exits(0);
    requests_of(arguments, code)
}

#[test]
fn data_in_the_query_is_encoded_so_that_a_request_can_carry_it() {
    let scratch = Scratch::new("import-query");
    let (requests, stderr) =
        accepted_of(&scratch, &["curl", "http://h.test/a", "-G", "-d", "x=a\u{12} b%20", "-d", "${y\u{85}#z"], &[], 1);
    assert_eq!(requests, json!([{"get": "/a?x=a%12%20b%20&$%7By%c2%85"}]));
    assert!(stderr.contains("in a URL is sent encoded, which curl refuses"), "{stderr}");
    assert!(stderr.contains("data behind a # is left out"), "{stderr}");
    let file = scratch.write("data.txt", "a=1&b=\n2");
    let (requests, stderr) = accepted(&scratch, &["curl", "http://h.test/a", "-G", "-d", &format!("@{file}")], &[]);
    assert_eq!((requests, stderr.as_str()), (json!([{"get": "/a?a=1&b=2"}]), ""));
    let (requests, stderr) = accepted_of(&scratch, &["curl", "http://h.test/a", "-G", "-d", "@missing"], &[], 1);
    assert_eq!(requests, json!([{"get": "/a?"}]));
    assert!(stderr.contains("-G @FILE: left out"), "{stderr}");
}

#[test]
fn names_of_members_and_fields_are_literal_too() {
    let scratch = Scratch::new("import-names");
    let json = ["curl", "http://h.test/", "--json", "{\"a${\":{\"${b}\":[\"${\"]}}"];
    let (requests, _) = accepted(&scratch, &json, &[]);
    assert_eq!(requests[0]["json"], json!({"a$${": {"$${b}": ["$${"]}}));
    let (requests, _) = accepted(&scratch, &["curl", "http://h.test/", "-d", "a${=1"], &[]);
    assert_eq!(requests[0]["body"], "a$${=1");
    let (requests, _) = accepted(&scratch, &["curl", "http://h.test/", "-d", "a=$%7B"], &[]);
    assert_eq!(requests[0]["body"], "a=$%7B", "what is not encoded as a scenario does it stays as it is");
    let (requests, _) = accepted(&scratch, &["curl", "http://h.test/", "-d", "a=%24%7B"], &[]);
    assert_eq!(requests[0]["form"], json!({"a": "$${"}));
}

#[test]
fn a_file_that_no_run_could_read_is_left_out_with_a_note() {
    let scratch = Scratch::new("import-files");
    let (too_long, too_deep) = (format!("@{}", "x".repeat(256)), format!("@{}x", "x/".repeat(600)));
    let cases = [
        ("@", "the name of the file is empty"),
        ("@-", "it is read from standard input; save it to a file"),
        ("@/", "it is a folder"),
        ("@a/..", "it is a folder"),
        (&too_long, "no file can have this name"),
        (&too_deep, "no file can have this name"),
    ];
    for (data, why) in cases {
        for flag in ["-d", "--data-binary", "--json"] {
            let (requests, stderr) = accepted_of(&scratch, &["curl", "http://h.test/a", flag, data], &[], 1);
            assert_eq!((&requests[0]["post"], &requests[0]["body"]), (&json!("/a"), &json!("")), "{flag} {data}");
            assert_eq!(stderr, format!("swarmline: import: {flag} @FILE: left out, {why}\n"));
        }
        if data == "@" {
            continue;
        }
        let (requests, stderr) = accepted_of(&scratch, &["curl", "http://h.test/a", "-T", &data[1..]], &[], 1);
        assert_eq!((&requests[0]["put"], &requests[0]["body"]), (&json!("/a"), &json!("")), "{data}");
        assert!(stderr.contains(why), "{stderr}");
    }
    // An argument cannot contain NUL, a file of commands can.
    let commands = scratch.write("commands.txt", "curl http://h.test/ -d @a\0b");
    let (_, stderr) = accepted_of(&scratch, &[&commands], &[], 1);
    assert!(stderr.contains("no file can have this name"), "{stderr}");
}

#[test]
fn the_variable_for_a_secret_has_a_name_that_a_shell_can_set() {
    let scratch = Scratch::new("import-variables");
    let long = format!("X-Api-{}-Key", "y".repeat(5000));
    let words = ["-H", "1Cookie: a", "-H", &format!("{long}: b"), "-H", &format!("{long}2: c")];
    let begin = format!("X_API_{}", "Y".repeat(58));
    let names = ["_1COOKIE".to_owned(), begin.clone(), format!("{begin}_2")];
    let environment = names.each_ref().map(String::as_str);
    let (requests, _) = accepted(&scratch, &[&["curl", "http://h.test/"], words.as_slice()].concat(), &environment);
    let values: Vec<&str> =
        ["1Cookie", &long, &format!("{long}2")].map(|name| requests[0]["headers"][name].as_str().unwrap()).to_vec();
    assert_eq!(values, names.map(|name| format!("${{env.{name}}}")));
}

#[test]
fn an_input_without_a_name_or_a_url_is_refused_in_a_whole_sentence() {
    assert_eq!(import(&[""]).exits(2).complaint(), "import: the name of the input is empty");
    let scratch = Scratch::new("import-no-url");
    let request = r#"{"request":{"method":"GET","url":"","headers":[]},"response":{"status":200,"headers":[]}}"#;
    let file = scratch.write("y.har", format!(r#"{{"log":{{"entries":[{request}]}}}}"#));
    let refused = import(&[&file]).exits(2);
    let words = "y.har: contains no request that can be imported: entries without a full URL: left out";
    assert!(refused.complaint().ends_with(words), "{}", refused.stderr);
}

#[test]
fn a_timeout_is_a_number_of_seconds_without_a_unit() {
    let scratch = Scratch::new("import-timeout");
    let (requests, _) = accepted(&scratch, &["curl", "http://h.test/", "-m", "0.5"], &[]);
    assert_eq!(requests[0]["timeout"], "0.5s");
    let (requests, _) = accepted(&scratch, &["curl", "http://h.test/", "-m", "0"], &[]);
    assert_eq!(requests[0].get("timeout"), None, "no limit");
    for wrong in ["1h", "5m", "1e3", "", "."] {
        let refused = import(&["curl", "http://h.test/", "-m", wrong]).exits(2);
        assert!(refused.complaint().starts_with("curl -m: "), "{wrong}: {}", refused.stderr);
    }
}
